import Foundation
import TestSupport
import Testing

/// Linux through GRUB, from disks and a CD, and what it sees of the firmware.
@Suite(
  "Booting through EFI", .enabled(if: GuestTools.shouldRun("efi/grubia64.efi"), "skipped: no GRUB; `make guests` builds it"),
  .enabled(
    if: HostTool.shouldRun("sgdisk", "mkfs.vfat", "mcopy", "xorriso"), "skipped: `make test-packages` installs what is missing"),
  .serialized, .ends(withinMinutes: 10))
struct EFIBootTests {
  private static let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("GuestImages/efi")

  private func initramfs(with archive: GuestArchive) throws -> [UInt8] {
    try archive.behind(Data(contentsOf: Guests.file("linux-6.1/initramfs.cpio.gz")))
  }

  /// A medium made by one of the scripts, with a script of ours in its initial RAM disk.
  private func medium(
    _ maker: String, in folder: TemporaryFolder, script: String? = nil, timeout: Int = 1
  ) throws -> String {
    let manager = FileManager.default
    let cache = folder.url.appendingPathComponent("cache")
    for name in ["efi", "linux-6.1"] {
      try manager.createDirectory(at: cache.appendingPathComponent(name), withIntermediateDirectories: true)
    }
    try manager.copyItem(
      at: GuestTools.file("efi/grubia64.efi"), to: cache.appendingPathComponent("efi/grubia64.efi"))
    try manager.copyItem(
      at: Guests.file("linux-6.1/vmlinux.gz"), to: cache.appendingPathComponent("linux-6.1/vmlinux.gz"))
    var archive = GuestArchive()
    if let script { archive.add(script: script, as: "script") }
    try Data(initramfs(with: archive)).write(to: cache.appendingPathComponent("linux-6.1/initramfs.cpio.gz"))
    let image = folder.url.appendingPathComponent("medium")
    let command = "console=ttyS0" + (script == nil ? "" : " run=sh_/script")
    let answer = try HostTool.run(
      "env", ["GRUB_TIMEOUT=\(timeout)", "sh", Self.scripts.appendingPathComponent(maker).path, cache.path, image.path, command])
    #expect(answer.status == 0, "\(answer.text)")
    return image.path
  }

  private static let lookAtFirmware = """
    mount -t efivarfs efivarfs /sys/firmware/efi/efivars
    ls /sys/firmware/efi/efivars
    ls /sys/firmware/efi
    grep . /sys/firmware/efi/systab
    """

  @Test(arguments: ["ide", "scsi", "virtio", "virtio-scsi"])
  func linuxFromADisk(bus: String) throws {
    let folder = try TemporaryFolder()
    let disk = try medium("disk.sh", in: folder, script: Self.lookAtFirmware)
    let result = try Epicure.run(["boot", "--virtualization", "hvm", "--disk", "\(disk),bus=\(bus)"], seconds: 240)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.text.contains("GNU GRUB  version"))
    #expect(result.text.contains("Linux version 6.1"))
    #expect(result.text.contains("EPICURE GUEST EXIT 0"), "\(result.text.suffix(2000))")
    #expect(result.text.contains("ConOut-8be4df61-93ca-11d2-aa0d-00e098032b8c"))
    #expect(result.text.contains("ACPI20="))
  }

  @Test func linuxFromACD() throws {
    let folder = try TemporaryFolder()
    let disc = try medium("cd.sh", in: folder)
    let result = try Epicure.run(
      ["boot", "--virtualization", "hvm", "--disk", "\(disc),cd", "--until", "EPICURE GUEST READY"], seconds: 240)
    #expect(result.status == 0, "\(result.errors)")
  }

  /// The same inputs give the same run.
  @Test func isDeterministic() throws {
    let folder = try TemporaryFolder()
    let disk = try medium("disk.sh", in: folder, timeout: 0)
    let instructions = try (0..<2).map { round in
      let stats = folder.url.appendingPathComponent("stats\(round)")
      let result = try Epicure.run(
        ["boot", "--virtualization", "hvm", "--disk", "\(disk),readonly", "--until", "Linux version", "--stats", stats.path],
        seconds: 240)
      #expect(result.status == 0, "\(result.errors)")
      let text = try String(contentsOf: stats, encoding: .utf8)
      return text.split(separator: "\n").filter { $0.contains("\"instructions\"") || $0.contains("\"cycles\"") }
    }
    #expect(instructions[0] == instructions[1])
  }

  /// GRUB's menu and its command line, typed at.
  @Test func commandLine() throws {
    let folder = try TemporaryFolder()
    let disk = try medium("disk.sh", in: folder, timeout: 600)
    let terminal = try PseudoTerminal(["boot", "--virtualization", "hvm", "--disk", disk])
    try terminal.expect("automatically in")
    // Down and up again, then the command line.
    try terminal.type("\u{1B}[B")
    try terminal.expect("*Linux, memory map first")
    try terminal.type("\u{1B}[A")
    try terminal.expect("*Linux ")
    try terminal.type("c")
    try terminal.expect("grub>")
    try terminal.type("echo 4x\u{7F}2\r")
    try terminal.expect("42\r")
    try terminal.type("ls\r")
    try terminal.expect("(hd0,gpt1)")
    try terminal.type("ls (hd0,gpt1)/linux/\r")
    try terminal.expect("vmlinux.gz")
    try terminal.type("halt\r")
    #expect(try terminal.wait() == 0)
  }

  /// What Linux writes through efivarfs is there when the machine is switched on again.
  @Test func variablesLast() throws {
    let folder = try TemporaryFolder()
    let store = folder.url.appendingPathComponent("nvram").path
    func linux(_ script: String) throws -> Epicure.Result {
      var archive = GuestArchive()
      archive.add(
        script: "mount -t efivarfs efivarfs /sys/firmware/efi/efivars\ncd /sys/firmware/efi/efivars\n" + script, as: "script")
      let initrd = try folder.write("initrd", initramfs(with: archive))
      return try Epicure.run([
        "boot", "--virtualization", "hvm", "--kernel", Guests.file("linux-6.1/vmlinux.gz").path, "--initrd", initrd, "--append",
        "console=ttyS0 run=sh_/script", "--nvram", store,
      ])
    }
    let name = "Epicure-12345678-1234-1234-1234-123456789abc"
    let first = try linux("printf '\\007\\000\\000\\000kept over power-off' >\(name)")
    #expect(first.text.contains("EPICURE GUEST EXIT 0"), "\(first.text.suffix(1000))")
    let second = try linux("cat \(name); echo; chattr -i \(name); rm -f \(name)")
    #expect(second.text.contains("kept over power-off"), "\(second.text.suffix(1000))")
    let third = try linux("test ! -e \(name)")
    #expect(third.text.contains("EPICURE GUEST EXIT 0"), "\(third.text.suffix(1000))")
  }
}

/// What users may get wrong.
@Suite("EFI variables and applications as files", .ends(withinMinutes: 10)) struct EFIFileTests {
  @Test func aDamagedVariableFileIsAnError() throws {
    let folder = try TemporaryFolder()
    for contents in [Array("nothing of the kind".utf8), Array("EPICNVRM".utf8) + [1, 0, 0, 0, 5]] {
      let file = try folder.write("nvram", contents)
      let result = try Epicure.run(["boot", "--virtualization", "hvm", "--nvram", file])
      #expect(result.status == 2)
      #expect(result.errors.contains("--nvram \(file): "), "\(result.errors)")
      #expect(try Array(Data(contentsOf: URL(fileURLWithPath: file))) == contents, "the file must be left alone")
    }
    let nowhere = try Epicure.run(["boot", "--virtualization", "hvm", "--nvram", folder.url.path + "/no/such/folder"])
    #expect(nowhere.status == 2)
  }

  @Test func aDamagedApplicationIsAnError() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("application.efi", Array("MZ".utf8) + [UInt8](repeating: 0, count: 200))
    let result = try Epicure.run(["boot", "--virtualization", "hvm", "--kernel", file])
    #expect(result.status == 2)
    #expect(result.errors.contains("a damaged EFI application"), "\(result.errors)")
  }

  @Test func anEmptyDiskCannotBeBooted() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("disk", [UInt8](repeating: 0, count: 1 << 20))
    let result = try Epicure.run(["boot", "--virtualization", "hvm", "--disk", "\(file),format=raw"])
    #expect(result.status == 1)
    #expect(result.text.contains("No medium can be booted"), "\(result.text)")
    #expect(result.errors.contains("none of the disks can be booted"), "\(result.errors)")
  }
}
