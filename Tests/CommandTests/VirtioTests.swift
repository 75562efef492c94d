import Foundation
import TestSupport
import Testing

/// Unmodified Linux with its own virtio drivers, by both interfaces, as a domain and on the bare machine. Networks are in
/// ``NetworkTests``, file systems in ``DiskTests``.
@Suite("Linux and virtio", .enabled(if: Guests.shouldRun, Guests.advice), .serialized, .ends(withinMinutes: 10))
struct VirtioTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// Which of a device's interfaces the driver uses.
  enum Interface: String, CaseIterable, Sendable {
    /// A driver of before 1.0.
    case legacy
    case transitional, modern

    var option: String { self == .modern ? "transport=modern" : "transport=transitional" }
    /// Linux uses the ports only if it is told to.
    var append: String { self == .legacy ? " virtio_pci.force_legacy=1" : "" }
  }

  private func image(_ name: String, megabytes: UInt64) throws -> String {
    let file = try folder.write(name, [])
    try FileHandle(forWritingTo: URL(fileURLWithPath: file)).truncate(atOffset: megabytes << 20)
    return file
  }

  private func arguments(_ script: String, _ options: [String], append: String = "", virtualization: String = "hvm") throws
    -> [String]
  {
    var archive = GuestArchive()
    archive.add(script: script, as: "script")
    let initramfs = try Data(contentsOf: Guests.file("linux-6.1/initramfs.cpio.gz"))
    let initrd = try folder.write("all.cpio", archive.behind(initramfs))
    return try [
      "boot", "--virtualization", virtualization, "--kernel", Guests.file("linux-6.1/vmlinux.gz").path, "--initrd", initrd,
      "--append", "console=ttyS0 run=sh_/script" + append,
    ] + options
  }

  private func boot(_ script: String, _ options: [String], append: String = "", virtualization: String = "hvm") throws -> String {
    let result = try Epicure.run(
      arguments(script, options, append: append, virtualization: virtualization), seconds: 600)
    #expect(result.status == 0 && !result.crashed, "\(result.errors)")
    let text = result.text.replacingOccurrences(of: "\r", with: "")
    #expect(text.contains("EPICURE GUEST EXIT"), "\(text.suffix(3000))")
    return text
  }

  private func value(_ name: String, in text: String) -> String? {
    text.split(whereSeparator: \.isNewline).first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
  }

  private func devices(_ file: String) throws -> [String: [String: Int]] {
    let json = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: file))) as? [String: Any]
    return try #require(json?["devices"] as? [String: [String: Int]])
  }

  /// fio writes, reads back and compares, many at once, in sizes of all sorts.
  private static let verify = """
    common="--direct=1 --ioengine=psync --verify=crc32c --verify_state_save=0 --verify_fatal=1 --group_reporting --thread"
    for disk in vda sda; do
      fio $common --name=a --filename=/dev/$disk --rw=randrw --bs=4k --size=256k --numjobs=16 --offset_increment=1m >/dev/null \
        && echo "$disk: small is good"
      fio $common --name=b --filename=/dev/$disk --rw=randrw --bsrange=512-256k --size=4m --fsync=8 >/dev/null && echo "$disk: mixed is good"
      fio $common --name=c --filename=/dev/$disk --rw=write --bs=1m --size=4m --numjobs=4 --offset_increment=4m >/dev/null \
        && echo "$disk: large is good"
      echo "size_$disk=$(blockdev --getsize64 /dev/$disk)"
    done
    echo "serial=$(cat /sys/block/vda/serial)"
    echo "cache=$(cat /sys/block/vda/queue/write_cache)"
    blkdiscard /dev/vda && echo "discard is good"
    dmesg | grep -iE 'I/O error|reset|timeout|timed out|failed' | grep -v 'Power-on' && echo trouble

    """

  @Test(arguments: Interface.allCases, ["hvm", "none"]) func disks(_ interface: Interface, _ virtualization: String) throws {
    let stats = folder.url.appendingPathComponent("stats.json").path
    let option = interface.option
    let text = try boot(
      Self.verify,
      [
        "--disk", image("one", megabytes: 32) + ",bus=virtio,serial=ABC,\(option)", "--disk",
        image("two", megabytes: 32) + ",bus=virtio-scsi,\(option)", "--stats", stats,
      ], append: interface.append, virtualization: virtualization)
    for disk in ["vda", "sda"] {
      for size in ["small", "mixed", "large"] { #expect(text.contains("\(disk): \(size) is good"), "\(text.suffix(3000))") }
      #expect(value("size_\(disk)", in: text) == "\(32 << 20)")
    }
    #expect(value("serial", in: text) == "ABC" && value("cache", in: text) == "write back")
    #expect(text.contains("discard is good") && !text.contains("\ntrouble"), "\(text.suffix(3000))")
    let devices = try devices(stats)
    for name in ["virtio0", "virtio-scsi"] {
      let counts = try #require(devices[name])
      #expect(counts["requests", default: 0] > 200 && counts["faults"] == 0, "\(counts)")
      #expect(counts["bytes_written", default: 0] > 20 << 20)
      // The event index is there to save notifications.
      #expect(counts["notifications", default: .max] < counts["requests", default: 0])
      #expect(1...counts["requests", default: 0] ~= counts["interrupts", default: 0])
    }
  }

  private static let others = """
    echo "rng=$(cat /sys/class/misc/hw_random/rng_current)"
    echo "random=$(dd if=/dev/hwrng bs=64 count=64 2>/dev/null | md5sum)"
    sleep 1
    echo "free=$(grep MemFree /proc/meminfo | tr -dc 0-9)"
    echo "consoles=$(ls /dev/hvc0)"
    echo "a line of the guest" >/dev/hvc0
    sync
    dd if=/dev/zero of=/tmp/memory bs=1M count=100 2>/dev/null && echo "memory=good"
    dmesg | grep -iE 'bug:|call trace|out of memory' && echo trouble

    """

  /// Random numbers, a balloon, and a second console. The same seed gives the same bytes; 100 MiB less are free.
  @Test(arguments: [(Interface.legacy, "hvm"), (.transitional, "none"), (.modern, "hvm")])
  func others(_ interface: Interface, _ virtualization: String) throws {
    let console = folder.url.appendingPathComponent("console").path
    let stats = folder.url.appendingPathComponent("stats.json").path
    func run(seed: Int, take: Int) throws -> String {
      try boot(
        Self.others,
        [
          "--memory", "512M", "--virtio", "rng,seed=\(seed),\(interface.option)", "--virtio",
          "balloon,take=\(take),\(interface.option)",
          "--virtio", "console=\(console),\(interface.option)", "--stats", stats,
        ], append: interface.append, virtualization: virtualization)
    }
    let (first, second) = try (run(seed: 1, take: 0), run(seed: 2, take: 100))
    for text in [first, second] {
      #expect(value("rng", in: text) == "virtio_rng.0" && value("memory", in: text) == "good")
      #expect(value("consoles", in: text) == "/dev/hvc0" && !text.contains("\ntrouble"), "\(text.suffix(2000))")
    }
    #expect(value("random", in: first)?.count ?? 0 >= 32)
    #expect(value("random", in: first) != value("random", in: second))
    #expect(try String(contentsOfFile: console, encoding: .utf8) == "a line of the guest\r\n")
    let free = try [first, second].map { try #require(Int(value("free", in: $0) ?? "")) }
    #expect(90 << 10...110 << 10 ~= free[0] - free[1], "\(free)")
    let counts = try devices(stats)
    #expect(counts["balloon0"]?["inflated_pages", default: 0] ?? 0 >= 25600 && counts["rng0"]?["bytes", default: 0] ?? 0 >= 4096)
    #expect(counts.allSatisfy { $0.value["faults", default: 0] == 0 })
  }

  /// The same inputs, the same run, to the last cycle.
  @Test func isDeterministic() throws {
    let runs = try (0..<2).map { n -> NSDictionary in
      let stats = folder.url.appendingPathComponent("\(n).json").path
      _ = try boot(
        "fio --name=a --filename=/dev/vda --rw=randrw --bs=4k --size=1m --numjobs=4 --thread >/dev/null; head -c 1000 /dev/hwrng | md5sum",
        ["--disk", image("disk\(n)", megabytes: 8) + ",bus=virtio", "--virtio", "rng", "--stats", stats])
      let json = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: stats)))
      var values = try #require(json as? [String: Any])
      values.removeValue(forKey: "host_seconds")
      return NSDictionary(dictionary: values)
    }
    #expect(runs[0].isEqual(to: runs[1] as? [String: Any] ?? [:]))
  }

  /// A read-only disk, and one whose host has no room: errors for the guest, and everything else goes on.
  @Test(.enabled(if: HostTool.shouldRun("nbdkit"), "skipped: `make test-packages` installs nbdkit"))
  func hostErrors() throws {
    let socket = folder.url.appendingPathComponent("socket").path
    let server = Process()
    let program: String = try #require(HostTool.path("nbdkit"))
    server.executableURL = URL(fileURLWithPath: program)
    server.arguments = ["-f", "-U", socket, "--filter=error", "memory", "16M", "error=EIO", "error-pwrite-rate=100%"]
    server.standardError = FileHandle.nullDevice
    try server.run()
    defer {
      kill(server.processIdentifier, SIGKILL)
      server.waitUntilExit()
    }
    for _ in 0..<500 where !FileManager.default.fileExists(atPath: socket) { Thread.sleep(forTimeInterval: 0.01) }
    let text = try boot(
      """
      dd if=/dev/zero of=/dev/vda bs=64k count=1 conv=fsync 2>/dev/null || echo "write is refused"
      dd if=/dev/vda of=/dev/null bs=64k count=1 2>/dev/null && echo "read is good"
      echo "readonly=$(cat /sys/block/vdb/ro)"
      dd if=/dev/zero of=/dev/vda bs=64k count=1 oflag=direct 2>/dev/null || echo "write is refused again"
      """,
      ["--disk", "nbd+unix:///?socket=\(socket),bus=virtio", "--disk", image("disk", megabytes: 8) + ",bus=virtio,readonly"])
    for line in ["write is refused", "read is good", "readonly=1", "write is refused again"] {
      #expect(text.contains(line), "\(line)\n\(text.suffix(2000))")
    }
    #expect(text.contains("I/O error, dev vda, sector 0"), "\(text.suffix(2000))")
  }

  // MARK: Mistakes

  @Test(arguments: [
    (["--virtio", "tape"], "is not rng, balloon or console=FILE"), (["--virtio", "console"], "console needs a file"),
    (["--virtio", "rng,take=1"], "\"take\" is not an option of rng"), (["--virtio", "rng,seed=x"], "a seed is a number"),
    (["--virtio", "balloon,transport=old"], "transport is one of transitional, modern"),
    (["--nic", "user,transport=modern"], "transport is for model=virtio"),
    (["--disk", "x,bus=ide,transport=modern"], "transport is for bus=virtio"),
    (["--virtio", "console=/nowhere/f"], "cannot write /nowhere/f: No such file or directory"),
    (["--lockstep", "1", "--virtio", "console=/tmp/f"], "both would write the file"),
  ]) func mistakes(_ options: [String], _ message: String) throws {
    let result = try Epicure.run(["boot"] + options)
    #expect(result.status == 2 || result.status == 64)
    #expect(result.errors.contains(message), "\(result.errors)")
    #expect(result.output.isEmpty)
  }
}
