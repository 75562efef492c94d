import Foundation
import TestSupport
import Testing

/// PV domains of `epicure serve`: beside each other, beside HVM domains, and devices that come and go.
@Suite("PV domains of a server", .serialized, .ends(withinMinutes: 8)) struct HostParavirtualTests {
  private func server(_ options: String...) throws -> HostServer {
    let server = try HostServer(["--cpus", "2"] + options)
    let text = """
      builder = 'linux'
      memory = 128
      kernel = '\(ParavirtualTests.image.path)'
      on_poweroff = 'preserve'
      on_crash = 'preserve'
      """
    _ = try server.configuration("pv.cfg", text)
    return server
  }

  private func create(_ server: HostServer, _ settings: String...) throws {
    let result = try server.result(["create", "-q", "pv.cfg"] + settings)
    #expect(result.status == 0, "\(result.errors)")
  }

  private func hasPrinted(_ server: HostServer, _ name: String, _ pattern: String, seconds: Double = 60) throws -> Bool {
    try server.result(["console", name, "--until", pattern], seconds: seconds).status == 0
  }

  @Test func checksItself() throws {
    let server = try server()
    try create(server, "name=one", "vcpus=2")
    try create(server, "name=two")
    for name in ["one", "two"] { #expect(try hasPrinted(server, name, "PV GUEST PASSED"), "\(name)") }
    #expect(server.stop() == 0)
  }

  /// Frames of all lengths, and back again.
  @Test func talkOverABridge() throws {
    let server = try server()
    try create(server, "name=echo", "extra=echo", "vif=bridge=lan")
    #expect(try hasPrinted(server, "echo", "PV GUEST ANSWERS"))
    try create(server, "name=ping", "extra=ping 300", "vif=bridge=lan")
    #expect(try hasPrinted(server, "ping", "PV GUEST (PASSED|FAILED)"))
    let console = try server.result(["console", "ping", "--until", "PV GUEST"]).text
    #expect(console.contains("PV GUEST PASSED"), "\(console)")
    #expect(console.contains("checks passed 606 failed 0"), "\(console)")
  }

  @Test func devicesComeAndGo() throws {
    let server = try server()
    _ = try server.folder.write("disk.img", [UInt8](repeating: 0, count: 4 << 20))
    try create(server, "name=echo", "extra=echo", "vif=bridge=lan")
    #expect(try hasPrinted(server, "echo", "PV GUEST ANSWERS"))
    let list = try server.run("network-list", "echo")
    #expect(list.hasPrefix("Idx BE     MAC Addr.     handle state evt-ch tx-/rx-ring-ref BE-path\n0   0  00:16:3e:"), "\(list)")
    #expect(list.contains("    0     4      "), "\(list)")
    try server.run("network-attach", "echo", "bridge=lan", "mac=00:16:3e:77:77:77")
    try server.expectRefusal("network-attach", "echo", "bridge=lan", "mac=00:16:3e:77:77:77", saying: "has it")
    #expect(try server.run("network-list", "echo").contains("00:16:3e:77:77:77"))
    try server.run("network-detach", "echo", "1")
    #expect(try !server.run("network-list", "echo").contains("00:16:3e:77:77:77"))
    // Its address is free again.
    try server.run("network-attach", "echo", "bridge=lan", "mac=00:16:3e:77:77:77")
    #expect(try server.run("block-list", "echo").isEmpty)
    try server.run("block-attach", "echo", "file:disk.img", "xvdb", "w")
    #expect(try server.run("block-list", "echo").contains("/local/domain/0/backend/vbd/1/51728"))
    try server.expectRefusal("block-attach", "echo", "file:disk.img", "xvdb", "w", saying: "disk.img")
    try server.expectRefusal("block-attach", "echo", "file:nothing.img", "xvdc", "w", saying: "nothing.img")
    try server.expectRefusal("block-detach", "echo", "xvdz", saying: "has no block device 'xvdz'")
    try server.run("block-detach", "echo", "xvdb")
    #expect(try server.run("block-list", "echo").isEmpty)
    // The file is closed: somebody else may have it.
    try create(server, "name=disk", "extra=disk", "disk=file:disk.img,xvda,w")
    #expect(try hasPrinted(server, "disk", "PV GUEST PASSED"))
    // By force, from a guest that does not let go of anything.
    try server.run("network-detach", "--force", "echo", "0")
    #expect(try !server.run("network-list", "echo").contains("\n0   "))
  }

  /// xm's `vscsi`: a unit at the address that the configuration asks for, which the guest's front end uses and the file keeps.
  @Test func unitsOfASCSIHost() throws {
    let server = try server()
    let file = try server.folder.write("unit.img", [UInt8](repeating: 0, count: 4 << 20))
    _ = try server.folder.write("other.img", [UInt8](repeating: 0, count: 1 << 20))
    try create(server, "name=disk", "extra=disk", "vscsi=unit.img, 0:0:0:0")
    #expect(try hasPrinted(server, "disk", "PV GUEST PASSED"))
    let console = try server.result(["console", "disk", "--until", "PV GUEST PASSED"]).text
    let checks = try #require(console.split(whereSeparator: \.isNewline).first { $0.hasPrefix("checks passed ") })
    #expect(try #require(Int(checks.split(separator: " ")[2])) >= 20, "\(checks)")
    // What the guest writes from block 100 on (`scsi.c`).
    #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: file)))[100 * 512 + 1] == 7)
    for (setting, message) in [
      ("other.img, host", "not a whole host"), ("1:0:0:0, 0:0:0:0", "the server has no SCSI units of its own"),
      ("nothing.img, 0:0:0:0", "nothing.img"), ("other.img, 0:0:0:0, 3", "driver domains"),
    ] {
      try server.expectRefusal("create", "-q", "pv.cfg", "name=bad", "vscsi=\(setting)", saying: message)
    }
    #expect(server.stop() == 0)
  }

  @Test func physicalDevicesHaveOneOwner() throws {
    let folder = try TemporaryFolder()
    let disk = try folder.write("disk.img", [UInt8](repeating: 0, count: 1 << 20))
    let server = try server("--device", "05:00.0,disk=\(disk)")
    let image = try EchoGuest.build(in: server.folder)
    _ = try server.configuration("hvm.cfg", "builder = 'hvm'\nmemory = 64\nkernel = '\(image)'\npci = ['05:00.0']\n")
    try server.run("create", "-q", "hvm.cfg", "name=a")
    try server.expectRefusal("create", "hvm.cfg", "name=b", saying: "0000:05:00.0 belongs to domain 'a'")
    try server.expectRefusal("create", "hvm.cfg", "name=b", "pci=06:00.0", saying: "has no device 0000:06:00.0")
    try server.expectRefusal("create", "pv.cfg", "name=c", "pci=05:00.0", saying: "only HVM domains")
    try server.run("destroy", "a")
    try server.run("create", "-q", "hvm.cfg", "name=b")
    #expect(server.stop() == 0)
  }

  // MARK: Beside Linux

  private static let linux: ConditionTrait = .enabled(if: Guests.shouldRun, Guests.advice)

  /// An HVM domain with an emulated adapter pings a PV domain over a bridge.
  @Test(linux) func linuxPingsPV() throws {
    let server = try server()
    try create(server, "name=pv", "extra=answer 10.0.0.2", "vif=bridge=lan")
    #expect(try hasPrinted(server, "pv", "PV GUEST ANSWERS"))
    let text = """
      name = "linux"
      builder = "hvm"
      memory = 128
      kernel = "\(try Guests.file("linux-6.1/vmlinux.gz").path)"
      ramdisk = "\(try Guests.file("linux-6.1/initramfs.cpio.gz").path)"
      epicure_append = "console=ttyS0"
      vif = ['bridge=lan']
      """
    _ = try server.configuration("linux.cfg", text)
    try server.run("create", "-q", "linux.cfg")
    #expect(try hasPrinted(server, "linux", "EPICURE GUEST READY", seconds: 200))
    let commands = "ip addr add 10.0.0.1/24 dev eth0; ip link set eth0 up; ping -c 5 -s 1000 10.0.0.2; echo pinged=$?\n"
    let result = try server.result(["console", "linux", "--new", "--until", "pinged=[0-9]"], input: commands, seconds: 100)
    #expect(result.text.contains("pinged=0"), "\(result.text)")
  }

  /// A PV and an HVM domain write to partitions of one file at the same time.
  @Test(linux) func shareAVolume() throws {
    let folder = try TemporaryFolder()
    let size = 8 << 20
    var image = [UInt8](repeating: 0, count: size)
    // An MBR with two partitions: 2 MiB from 1 MiB on, 4 MiB from 4 MiB on.
    for (entry, first, count) in [(0, 2048, 4096), (1, 8192, 8192)] as [(Int, UInt32, UInt32)] {
      let at = 446 + entry * 16
      image[at + 4] = 0x83
      for n in 0..<4 {
        let shift = UInt32(8 * n)
        image[at + 8 + n] = UInt8(truncatingIfNeeded: first >> shift)
        image[at + 12 + n] = UInt8(truncatingIfNeeded: count >> shift)
      }
    }
    (image[510], image[511]) = (0x55, 0xAA)
    let file = try folder.write("volume.img", image)
    let linux = Process()
    linux.executableURL = Epicure.executable
    linux.arguments = [
      "boot", "--kernel", try Guests.file("linux-6.1/vmlinux.gz").path, "--initrd",
      try Guests.file("linux-6.1/initramfs.cpio.gz").path,
      "--disk", "\(file),partition=2", "--append", "console=ttyS0 run=yes_EPICURE_|_dd_of=/dev/sda_bs=64k_count=64_iflag=fullblock",
    ]
    linux.standardInput = FileHandle.nullDevice
    linux.standardOutput = FileHandle.nullDevice
    linux.standardError = FileHandle.nullDevice
    try linux.run()
    let pv = try Epicure.run([
      "boot", "--virtualization", "pv", "--memory", "128M", "--kernel", ParavirtualTests.image.path, "--append", "disk", "--disk",
      "\(file),partition=1",
    ])
    linux.waitUntilExit()
    #expect(pv.status == 0, "\(pv.text)")
    #expect(linux.terminationStatus == 0)
    let result = try [UInt8](Data(contentsOf: URL(fileURLWithPath: file)))
    #expect(Array(result[..<(1 << 20)]) == Array(image[..<(1 << 20)]), "the table, and what is before the first partition")
    #expect(result[(3 << 20)..<(4 << 20)].allSatisfy { $0 == 0 }, "between the partitions")
    #expect(Array(result[(4 << 20)..<(8 << 20)]) == Array("EPICURE\n".utf8.cycled(4 << 20)), "what Linux has written")
    // `pattern` of GuestImages/pv/disk.c: word 0 of sector 70.
    var word: UInt64 = 0
    for n in (0..<8).reversed() { word = word << 8 | UInt64(result[(1 << 20) + 70 * 512 + n]) }
    #expect(word == 70 &* 0x9E37_79B9_7F4A_7C15, "what the PV guest has written")
  }
}

extension Collection {
  /// The first `count` of its elements, over and over.
  fileprivate func cycled(_ count: Int) -> [Element] {
    let once = Array(self)
    return (0..<count).map { once[$0 % once.count] }
  }
}
