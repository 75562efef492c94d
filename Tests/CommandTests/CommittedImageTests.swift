import Foundation
import Loading
import Testing

/// Images that are committed so that building needs no IA-64 assembler: they must be what their sources give.
@Suite("Committed images") struct CommittedImageTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static let assembler = tool("ia64-linux-gnu-as")
  static let compiler = tool("iasl")
  static let missingAssembler: Comment =
    "skipped: no IA-64 assembler; `apt-get install binutils-ia64-linux-gnu` makes this run"
  static let missingCompiler: Comment = "skipped: no iasl; `apt-get install acpica-tools` makes this run"

  private static func tool(_ name: String) -> Bool {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
  }

  /// Runs `make target` in `folder` of the repository, with its products in a temporary folder; returns one of them.
  private func make(_ product: String, in folder: String, _ settings: [String] = []) throws -> [UInt8] {
    let build = try TemporaryFolder()
    try Host.run(
      "make",
      ["-s", "-C", Self.root.appendingPathComponent(folder).path, "BUILD=\(build.url.path)"] + settings
        + ["\(build.url.path)/\(product)"])
    return try [UInt8](Data(contentsOf: build.url.appendingPathComponent(product)))
  }

  private func committed(_ path: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: Self.root.appendingPathComponent(path)))
  }

  @Test(
    .enabled(if: assembler || Guests.isContinuousIntegration, missingAssembler),
    arguments: [
      ("selftest", "selftest.elf", "Sources/Commands/Resources/selftest.elf.gz"), ("vmm", "vmm.elf", "GuestImages/vmm/vmm.elf.gz"),
      ("virtbench", "virtbench", "Sources/Commands/Resources/virtbench.gz"),
    ]) func guests(_ folder: String, _ product: String, _ file: String) throws
  {
    let image = try GzipReader.decompress(committed(file), limit: 1 << 24, file: file)
    let fresh = try make(product, in: "GuestImages/\(folder)")
    #expect(image == fresh, "`make guest-images` brings \(file) up to date")
  }

  /// The cross compiler that `make guests` builds, or the one that GUESTS_TOOLCHAIN names: another version gives other code.
  static let toolchain = [
    ProcessInfo.processInfo.environment["GUESTS_TOOLCHAIN"], root.appendingPathComponent("GuestImages/cache/build/toolchain").path,
  ].compactMap { $0 }.first { isRightCompiler("\($0)/bin/ia64-linux-gnu-gcc") }
  static let missingToolchain: Comment =
    "skipped: no cross compiler, or another version; GUESTS_TOOLCHAIN=DIR with DIR/bin/ia64-linux-gnu-gcc, GCC 12.2, makes this run"

  private static func isRightCompiler(_ path: String) -> Bool {
    guard FileManager.default.isExecutableFile(atPath: path), let version = try? Host.run(path, ["-dumpfullversion"]) else {
      return false
    }
    return version.starts(with: "12.2.".utf8)
  }

  @Test(
    .enabled(if: toolchain != nil, missingToolchain),
    arguments: [
      ("pv", "stripped.elf", "GuestImages/pv/pv.elf.gz"), ("iobench", "iobench.elf", "Sources/Commands/Resources/iobench.elf.gz"),
    ]) func compiledGuests(_ folder: String, _ product: String, _ file: String) throws
  {
    let image = try GzipReader.decompress(committed(file), limit: 1 << 24, file: file)
    let fresh = try make(product, in: "GuestImages/\(folder)", ["TOOLCHAIN=\(try #require(Self.toolchain))"])
    #expect(image == fresh, "`make guest-images TOOLCHAIN=...` brings \(file) up to date")
  }

  @Test(.enabled(if: assembler || Guests.isContinuousIntegration, missingAssembler)) func firmware() throws {
    let fresh = try make("firmware.bin", in: "Firmware")
    #expect(try committed("Sources/SystemFirmware/Resources/firmware.bin") == fresh, "`make firmware` brings it up to date")
  }

  /// Apart from the compiler's own version in the table's header (ACPI 3.0, table 5-4: creator revision), and the checksum with it.
  @Test(.enabled(if: compiler || Guests.isContinuousIntegration, missingCompiler)) func systemDescription() throws {
    func contents(_ table: [UInt8]) throws -> [UInt8] {
      try #require(table.count > 36)
      return Array(table[..<9]) + table[10..<32] + table[36...]
    }
    let fresh = try contents(make("dsdt.aml", in: "Firmware"))
    let current = try contents(committed("Sources/SystemFirmware/Resources/dsdt.aml"))
    #expect(current == fresh, "`make firmware` brings it up to date")
  }
}
