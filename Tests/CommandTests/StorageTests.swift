import Foundation
import TestSupport
import Testing

/// Disks and CDs of the IDE controller as Linux sees them, and what the host makes of them.
@Suite("Linux and storage", .enabled(if: Guests.shouldRun, Guests.advice), .serialized, .ends(withinMinutes: 10))
struct StorageTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func path(_ name: String) -> String { folder.url.appendingPathComponent(name).path }

  private func image(_ name: String, megabytes: UInt64) throws -> String {
    let file = try folder.write(name, [])
    try FileHandle(forWritingTo: URL(fileURLWithPath: file)).truncate(atOffset: megabytes << 20)
    return file
  }

  /// `epicure boot` with a script for the guest; its disks are `disks`.
  private func arguments(_ script: String, _ disks: [String]) throws -> [String] {
    var archive = GuestArchive()
    archive.add(script: script, as: "script")
    let initramfs = try Data(contentsOf: Guests.file("linux-6.1/initramfs.cpio.gz"))
    let initrd = try folder.write("all.cpio", archive.behind(initramfs))
    return try [
      "boot", "--virtualization", "hvm", "--kernel", Guests.file("linux-6.1/vmlinux.gz").path, "--initrd", initrd, "--append",
      "console=ttyS0 run=sh_/script",
    ] + disks.flatMap { ["--disk", $0] }
  }

  private func boot(_ script: String, disks: [String], more: [String] = []) throws -> String {
    let result = try Epicure.run(arguments(script, disks) + more, seconds: 600)
    #expect(result.status == 0 && !result.crashed, "\(result.errors)")
    let text = result.text.replacingOccurrences(of: "\r", with: "")
    #expect(text.contains("EPICURE GUEST EXIT"), "\(text.suffix(3000))")
    return text
  }

  /// The checksum behind `name=`.
  private func sum(_ name: String, in text: String) -> String {
    String((text.components(separatedBy: "\n\(name)=").dropFirst().first ?? "").prefix(64))
  }
  private func sum(of file: String) throws -> String { try String(HostTool.run("sha256sum", [file]).text.prefix(64)) }

  private static let mountNew = "mke2fs /dev/sda >/dev/null && mkdir -p /mnt/d && mount -t ext2 /dev/sda /mnt/d || exit 9\n"

  // MARK: The drive

  /// fio writes, reads back and compares, with sizes that split into descriptors of every kind.
  @Test func fio() throws {
    let stats = path("stats.json")
    let text = try boot(
      """
      common="--filename=/dev/sda --direct=1 --verify=crc32c --verify_state_save=0 --verify_fatal=1 --minimal"
      fio --name=a --rw=randwrite --bs=4k --size=4m $common >/dev/null && echo "first is good"
      fio --name=b --rw=randrw --bsrange=512-256k --offset=8m --size=8m $common >/dev/null && echo "second is good"
      fio --name=c --rw=write --bs=64k --offset=16m --size=4m --fsync=4 $common >/dev/null && echo "third is good"
      dmesg | grep -iE 'exception|failed|timeout|reset' && echo trouble
      """, disks: [image("disk", megabytes: 64) + ",serial=ABC"], more: ["--stats", stats])
    for line in ["first is good", "second is good", "third is good"] { #expect(text.contains(line), "\(text.suffix(3000))") }
    #expect(!text.contains("\ntrouble"), "\(text.suffix(3000))")
    let json = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: stats))) as? [String: Any])
    let disk = try #require((json["devices"] as? [String: Any])?["ide0"] as? [String: Any])
    #expect(disk["bytes_written"] as? Int ?? 0 >= 12 << 20)
    #expect(disk["flushes"] as? Int ?? 0 >= 16)
    #expect(disk["errors"] as? Int == 0)
  }

  /// The kernel's view of the identification.
  @Test func identity() throws {
    let text = try boot(
      "cat /sys/block/sda/device/model /sys/block/sda/size /sys/block/sda/queue/write_cache; dmesg | grep ata1",
      disks: [image("disk", megabytes: 10) + ",cache=writethrough"])
    for line in ["EPICURE DISK", "\n20480\n", "write through", "ATA-6: EPICURE DISK, 1.0", "LBA48"] {
      #expect(text.contains(line), "\(line)\n\(text.suffix(2000))")
    }
  }

  @Test(.enabled(if: HostTool.shouldRun("xorriso"), "skipped: `make test-packages` installs xorriso"))
  func readsCD() throws {
    let contents = folder.url.appendingPathComponent("contents")
    try FileManager.default.createDirectory(at: contents, withIntermediateDirectories: true)
    let data = contents.appendingPathComponent("data.bin")
    try Data((0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 257) }).write(to: data)
    let made = try HostTool.run("xorriso", ["-as", "mkisofs", "-quiet", "-J", "-R", "-o", path("cd.iso"), contents.path])
    #expect(made.status == 0, "\(made.text)")
    let text = try boot(
      """
      mkdir /mnt/cd
      mount -t iso9660 /dev/sr0 /mnt/cd
      echo "data=$(sha256sum </mnt/cd/data.bin)"
      eject /dev/sr0 2>/dev/null
      dmesg | grep -q 'ILLEGAL REQUEST asc=0x53 ascq=0x2' && echo "is locked"
      umount /mnt/cd
      eject /dev/sr0 && echo "is out"
      eject -t /dev/sr0
      mount -t iso9660 /dev/sr0 /mnt/cd && ls /mnt/cd
      dd if=/dev/zero of=/dev/sr0 count=1 2>/dev/null || echo "is read-only"
      """, disks: [path("cd.iso") + ",cd"])
    #expect(try sum("data", in: text) == sum(of: data.path))
    for line in ["is locked", "is out", "data.bin", "is read-only"] {
      #expect(text.contains(line), "\(line)\n\(text.suffix(2000))")
    }
  }

  // MARK: The host

  @Test(.enabled(if: HostTool.shouldRun("qemu-img", "qemu-nbd"), "skipped: `make test-packages` installs qemu-utils"))
  func qcow2() throws {
    let image = path("disk.qcow2")
    #expect(try HostTool.run("qemu-img", ["create", "-q", "-f", "qcow2", image, "64M"]).status == 0)
    let text = try boot(
      Self.mountNew + """
        dd if=/dev/urandom of=/mnt/d/data bs=64k count=40 2>/dev/null
        echo "data=$(sha256sum </mnt/d/data)"
        umount /mnt/d
        """, disks: [image])
    #expect(try HostTool.run("qemu-img", ["check", "-q", image]).status == 0)
    #expect(try HostTool.run("qemu-img", ["convert", "-O", "raw", image, path("raw")]).status == 0)
    _ = try HostTool.run("debugfs", ["-R", "dump /data \(path("data"))", path("raw")])
    #expect(try sum("data", in: text) == sum(of: path("data")))
  }

  /// Writes go to the overlay, and are there the next time; or go nowhere.
  @Test func overlays() throws {
    let base = try image("base", megabytes: 32)
    let before = try sum(of: base)
    _ = try boot(Self.mountNew + "echo kept >/mnt/d/file; umount /mnt/d", disks: ["\(base),overlay=\(path("overlay"))"])
    let script = "mkdir /mnt/d; mount -t ext2 /dev/sda /mnt/d && cat /mnt/d/file && echo gone >/mnt/d/file; sync"
    #expect(try boot(script, disks: ["\(base),overlay=\(path("overlay"))"]).contains("\nkept\n"))
    #expect(try boot(Self.mountNew + "echo lost >/mnt/d/file; umount /mnt/d", disks: ["\(base),snapshot=on"]).contains("EXIT 0"))
    #expect(try sum(of: base) == before)
  }

  /// The server behind an address refuses to read or write: the guest sees its medium fail, and everything else goes on.
  @Test(
    .enabled(if: HostTool.shouldRun("nbdkit"), "skipped: `make test-packages` installs nbdkit"), arguments: ["pread", "pwrite"])
  func hostErrors(_ request: String) throws {
    let socket = path("socket")
    let server = Process()
    let program: String = try #require(HostTool.path("nbdkit"))
    server.executableURL = URL(fileURLWithPath: program)
    server.arguments = ["-f", "-U", socket, "--filter=error", "memory", "16M", "error=EIO", "error-\(request)-rate=100%"]
    server.standardError = FileHandle.nullDevice
    try server.run()
    defer {
      kill(server.processIdentifier, SIGKILL)
      server.waitUntilExit()
    }
    for _ in 0..<500 where !FileManager.default.fileExists(atPath: socket) { Thread.sleep(forTimeInterval: 0.01) }
    let text = try boot(
      request == "pread"
        ? "dd if=/dev/sda of=/dev/null bs=4k count=1" : "dd if=/dev/zero of=/dev/sda bs=64k count=1 conv=fsync",
      disks: ["nbd+unix:///?socket=\(socket)"])
    #expect(text.contains("Input/output error"), "\(text.suffix(2000))")
    #expect(text.contains("error: { UNC }"), "\(text.suffix(2000))")
    #expect(text.contains("Sense Key : 0x3"), "\(text.suffix(2000))")
  }

  /// The file may not grow beyond 8 MB, as on a full disk: what could be written is right, what could not is an error.
  @Test func hostDiskIsFull() throws {
    let disk = try image("disk", megabytes: 0)
    try Data(count: 512).write(to: URL(fileURLWithPath: disk))
    try FileHandle(forWritingTo: URL(fileURLWithPath: disk)).truncate(atOffset: 32 << 20)
    let script = """
      dd if=/dev/urandom of=/tmp/data bs=64k count=64 2>/dev/null
      dd if=/tmp/data of=/dev/sda bs=64k conv=fsync 2>/dev/null && echo "early is good"
      dd if=/tmp/data of=/dev/sda bs=64k seek=256 conv=fsync 2>/dev/null || echo "late is refused"
      echo 3 >/proc/sys/vm/drop_caches
      echo "early=$(dd if=/dev/sda bs=64k count=64 2>/dev/null | sha256sum)"
      echo "data=$(sha256sum </tmp/data)"
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments =
      try ["-c", "ulimit -f 8192; exec \"$0\" \"$@\" </dev/null"] + [Epicure.executable.path] + arguments(script, [disk])
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).replacingOccurrences(
      of: "\r", with: "")
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 0)
    for line in ["early is good", "late is refused"] { #expect(text.contains(line), "\(line)\n\(text.suffix(3000))") }
    #expect(sum("early", in: text).count == 64 && sum("early", in: text) == sum("data", in: text))
    let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: disk))
    try handle.read(upToCount: 64 * 65536)?.write(to: URL(fileURLWithPath: path("early")))
    #expect(try sum("data", in: text) == sum(of: path("early")))
    #expect(try handle.seekToEnd() == 32 << 20)
  }

  /// Killed in the middle of writing: what was synced is there, and the file system can be repaired.
  @Test(
    .enabled(if: HostTool.shouldRun("e2fsck", "debugfs"), "skipped: `make test-packages` installs e2fsprogs"),
    arguments: ["raw", "overlay"])
  func killed(_ kind: String) throws {
    let disk = try image("disk", megabytes: 64)
    let overlay = path("overlay")
    let process = Process()
    process.executableURL = Epicure.executable
    process.arguments = try arguments(
      Self.mountNew + """
        dd if=/dev/urandom of=/mnt/d/synced bs=64k count=40 2>/dev/null
        sync
        echo "data=$(sha256sum </mnt/d/synced)"
        echo "NOW"
        while :; do dd if=/dev/urandom of=/mnt/d/more bs=64k count=100 2>/dev/null; done
        """, [kind == "raw" ? disk : "\(disk),overlay=\(overlay)"])
    process.standardInput = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    var output = Data()
    while !String(decoding: output, as: UTF8.self).contains("NOW\r\n") {
      let data = pipe.fileHandleForReading.availableData
      if data.isEmpty { break }
      output += data
    }
    Thread.sleep(forTimeInterval: 1.5)
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    let text = String(decoding: output, as: UTF8.self).replacingOccurrences(of: "\r", with: "")
    var image = disk
    if kind == "overlay" {
      // Linux copies the disk under the overlay to one without.
      image = try self.image("copy", megabytes: 64)
      _ = try boot("dd if=/dev/sda of=/dev/sdb bs=64k 2>/dev/null; sync", disks: ["\(disk),overlay=\(overlay)", image])
    }
    // 0: clean; 1: repaired.
    #expect(try HostTool.run("e2fsck", ["-f", "-y", image]).status <= 1)
    _ = try HostTool.run("debugfs", ["-R", "dump /synced \(path("synced"))", image])
    #expect(try sum("data", in: text).count == 64 && sum("data", in: text) == sum(of: path("synced")))
  }

  // MARK: Two runs are one

  @Test func isDeterministic() throws {
    let base = try image("base", megabytes: 32)
    let runs = try (0..<2).map { n -> NSDictionary in
      let stats = path("\(n).json")
      _ = try boot(
        Self.mountNew + "dd if=/dev/urandom of=/mnt/d/x bs=64k count=20 2>/dev/null; umount /mnt/d", disks: ["\(base),snapshot=on"],
        more: ["--stats", stats])
      let json = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: stats)))
      var values = try #require(json as? [String: Any])
      values.removeValue(forKey: "host_seconds")
      return NSDictionary(dictionary: values)
    }
    #expect(runs[0].isEqual(to: runs[1] as? [String: Any] ?? [:]))
  }
}

/// What the user may get wrong about disks.
@Suite(.ends(withinMinutes: 10)) struct DiskOptionTests {
  private func refused(_ disk: String, _ more: String...) throws -> String {
    let result = try Epicure.run(["boot", "--disk", disk] + more)
    #expect(result.status == 2, "\(disk): \(result.status)")
    return result.errors
  }

  @Test func mistakes() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("disk", [UInt8](repeating: 0, count: 4096))
    #expect(try refused("/nowhere/disk") == "epicure: /nowhere/disk: cannot be opened: No such file or directory\n")
    #expect(try refused(folder.url.path) == "epicure: \(folder.url.path): is neither a file nor a block device\n")
    #expect(try refused("\(file),bus=usb").contains("bus=usb: bus is one of"))
    #expect(try refused("\(file),bus=vscsi", "--virtualization", "none").contains("--disk bus=vscsi is for domains"))
    #expect(try refused("\(file),speed=fast").contains("there is no option \"speed\""))
    #expect(try refused("nbd+unix:///?socket=/nowhere").contains("No such file or directory"))
    let bad = try folder.write("bad.qcow2", [UInt8](repeating: 7, count: 4096))
    let overlay = try refused("\(file),overlay=\(bad)")
    #expect(overlay == "epicure: \(bad): is not an overlay\n")
    // The same disk twice.
    let twice = try Epicure.run(["boot", "--disk", file, "--disk", file])
    #expect(twice.status == 2 && twice.errors == "epicure: \(file): is in use by another process\n", "\(twice.errors)")
    let lockstep = try Epicure.run(["boot", "--lockstep", "1", "--disk", file])
    #expect(lockstep.status == 2 && lockstep.errors.contains("--lockstep boots twice"))
  }

  @Test func withoutServer() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("image", [0x51, 0x46, 0x49, 0xFB] + [UInt8](repeating: 0, count: 508))
    // The program is looked for in the path first.
    guard HostTool.path("qemu-nbd") == nil else {
      #expect(try refused(file).hasPrefix("epicure: \(file): "))
      return
    }
    #expect(try refused(file).contains("qemu-utils"))
  }
}
