import Foundation
import HostResources
import Platform
import SystemFirmware
import TestSupport
import Testing

/// Booting from media: the files of a FAT file system, the order of what is tried, variables that last.
@Suite(
  "EFI media", .enabled(if: EFIBench.hasAssembler, EFIBench.missing), .enabled(if: EFIDisk.hasTools, EFIDisk.missing),
  .ends(withinMinutes: 5))
struct EFIMediaTests {
  private static let defaultFile = "/EFI/BOOT/BOOTIA64.EFI"

  /// GuestImages/efi/files.S writes; fsck.vfat and mtools look at what it left.
  @Test func files() throws {
    let disk = try EFIDisk([(Self.defaultFile, EFIBench.image("files"))])
    let bench = try EFIBench()
    defer { withExtendedLifetime(bench) {} }
    bench.firmware.media = [try disk.medium()]
    try bench.firmware.bootMedia()
    #expect(bench.run() == .action(.imageReturned(0)))
    #expect(bench.text == "EFI FILES PASSED\r\n")
    #expect(try disk.check() == nil)
    let contents = try disk.file("/EFI/TEST DIRECTORY/renamed.txt")
    #expect(contents == (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
  }

  @Test func nothingToBoot() throws {
    let bench = try EFIBench()
    defer { withExtendedLifetime(bench) {} }
    bench.firmware.media = [try EFIDisk([("/readme", [1])]).medium()]
    try bench.firmware.bootMedia()
    #expect(bench.run() == .action(.imageReturned(0x8000_0000_0000_000E)))
    #expect(bench.text.contains("No medium can be booted"))
  }

  /// The first medium has nothing, the second a file that is no image: both are passed by, the damaged one with a word.
  @Test func goesOnToTheNextMedium() throws {
    let bench = try EFIBench()
    defer { withExtendedLifetime(bench) {} }
    let empty = try EFIDisk([("/readme", [1])])
    let damaged = try EFIDisk([(Self.defaultFile, [1, 2, 3])])
    let good = try EFIDisk([(Self.defaultFile, EFIBench.image("hello"))])
    bench.firmware.media = [try empty.medium(device: 1), try damaged.medium(device: 2), try good.medium(device: 3)]
    try bench.firmware.bootMedia()
    #expect(bench.run() == .action(.imageReturned(0)))
    // The console is 80 characters wide.
    let text = bench.text.split(separator: "\r\n").joined()
    #expect(text.contains("cannot be started: loadError"), "\(text)")
    #expect(bench.text.hasSuffix("Hello from an EFI application\r\n"))
  }

  // MARK: Variables

  private static func put<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
  private static func ucs2(_ text: String) -> [UInt8] { (text + "\0").utf16.flatMap { put($0) } }

  /// EFI_LOAD_OPTION with the short form of a path: the partition by its GUID, then the file (EFI 1.10, sections 17.1.3 and 17.2).
  private static func option(_ name: String, _ file: String) -> [UInt8] {
    let identifier: [UInt8] = [4, 3, 2, 1, 6, 5, 8, 7, 9, 10, 11, 12, 13, 14, 15, 16]
    let drive: [UInt8] = [4, 1, 42, 0] + put(UInt32(1)) + put(UInt64(2048)) + put(UInt64(32768)) + identifier + [2, 2]
    let text = ucs2(file)
    let path = drive + [4, 4] + put(UInt16(4 + text.count)) + text + [0x7F, 0xFF, 4, 0]
    return put(UInt32(1)) + put(UInt16(path.count)) + ucs2(name) + path
  }

  /// The file of variables as Documentation/Firmware.md has it.
  /// `starts`: the high half of the monotonic count, which goes up whenever the machine starts (EFI 1.10, GetNextHighMonotonicCount).
  private static func store(_ variables: [(String, [UInt8])], starts: UInt32 = 7) -> [UInt8] {
    let global: [UInt8] = [0x61, 0xDF, 0xE4, 0x8B, 0xCA, 0x93, 0xD2, 0x11, 0xAA, 0x0D, 0x00, 0xE0, 0x98, 0x03, 0x2B, 0x8C]
    var bytes = Array("EPICNVRM".utf8) + put(UInt32(1)) + put(starts) + put(UInt32(variables.count))
    for (name, data) in variables {
      bytes += global + put(UInt32(7)) + put(UInt32(name.utf16.count)) + put(UInt32(data.count))
      bytes += name.utf16.flatMap { put($0) } + data
    }
    return bytes + put(crc32(bytes))
  }

  /// CRC-32 as ISO 3309 has it, bit by bit.
  private static func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { crc, byte in (0..<8).reduce(crc ^ UInt32(byte)) { c, _ in c >> 1 ^ (c & 1 != 0 ? 0xEDB8_8320 : 0) }
    }
  }

  /// BootNext once, then BootOrder, before the default file.
  @Test func followsTheBootOrder() throws {
    let disk = try EFIDisk([
      (Self.defaultFile, EFIBench.image("faults")), ("/first.efi", EFIBench.image("hello")),
      ("/second.efi", EFIBench.image("services")),
    ])
    let bench = try EFIBench()
    defer { withExtendedLifetime(bench) {} }
    bench.firmware.media = [try disk.medium()]
    try bench.firmware.loadNonVolatile(
      Self.store([
        ("Boot0001", Self.option("first", "\\first.efi")), ("Boot000A", Self.option("second", "\\second.efi")),
        ("BootOrder", [1, 0]), ("BootNext", [10, 0]),
      ]))
    var kept: [UInt8] = []
    bench.firmware.storeNonVolatile = {
      kept = $0
      return true
    }
    try bench.firmware.bootMedia()
    _ = bench.run()
    let text = bench.text
    // The image that BootNext names, then the one of BootOrder; both return, and the default file comes last.
    #expect(text.hasPrefix("EFI SERVICES PASSED\r\nHello from an EFI application\r\n"), "\(text)")
    #expect(text.contains("An EFI image has failed"))
    #expect(
      kept
        == Self.store(
          [
            ("Boot0001", Self.option("first", "\\first.efi")), ("Boot000A", Self.option("second", "\\second.efi")),
            ("BootOrder", [1, 0]),
          ], starts: 8))
  }

  @Test func refusesDamagedVariables() throws {
    let bench = try EFIBench()
    defer { withExtendedLifetime(bench) {} }
    let good = Self.store([("Boot0001", [1, 2, 3])])
    try bench.firmware.loadNonVolatile(good)
    #expect(bench.firmware.nonVolatileContents == good)
    for position in good.indices {
      var bytes = good
      bytes[position] ^= 1
      #expect(throws: VariableFileError.self) { try bench.firmware.loadNonVolatile(bytes) }
    }
    for length in 0..<good.count {
      #expect(throws: VariableFileError.self) { try bench.firmware.loadNonVolatile(Array(good.prefix(length))) }
    }
    #expect(throws: VariableFileError.version(2)) {
      var bytes = good
      bytes[8] = 2
      try bench.firmware.loadNonVolatile(bytes)
    }
    #expect(bench.firmware.nonVolatileContents == good)
  }

  /// Damaged disks boot, or do not: the emulator goes on.
  @Test func survivesDamage() throws {
    let seed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 20_261_124
    let rounds = ProcessInfo.processInfo.environment["EPICURE_COMPLETE"] == "1" ? 2000 : 60
    var random = SplitMix(state: seed)
    let disk = try EFIDisk([(Self.defaultFile, EFIBench.image("files"))])
    let good = try Data(contentsOf: URL(fileURLWithPath: disk.path))
    for _ in 0..<rounds {
      var bytes = good
      for _ in 0..<Int.random(in: 1...30, using: &random) {
        // Partition table, boot sector, tables, root directory.
        let areas = [0..<2048, EFIDisk.start..<EFIDisk.start + 100, EFIDisk.start..<EFIDisk.start + 0x1_0000]
        let area = areas[Int.random(in: 0..<areas.count, using: &random)]
        bytes[Int.random(in: area, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      try bytes.write(to: URL(fileURLWithPath: disk.path))
      let bench = try EFIBench(memorySize: 64 << 20)
      defer { withExtendedLifetime(bench) {} }
      bench.firmware.media = [try disk.medium()]
      try bench.firmware.bootMedia()
      _ = bench.run(cycles: 20_000_000)
    }
  }
}
