import Foundation
import Platform
import SystemFirmware
import TestSupport
import Testing

/// The ACPI tables, found as an operating system finds them. Oracle: ACPICA's `iasl`, which disassembles every table and compiles the
/// result again.
@Suite("ACPI tables", .ends(withinMinutes: 5)) struct ACPITests {
  private func table(_ bench: FirmwareBench, _ address: UInt64) throws -> [UInt8] {
    try bench.bytes(address, Int(try bench.load(address + 4, UInt32.self)))
  }

  private func rootTable(_ bench: FirmwareBench) throws -> UInt64 {
    let root = try bench.configurationTable(TestGUID.acpi20)
    #expect(try bench.bytes(root, 8) == Array("RSD PTR ".utf8))
    // The first 20 bytes, and the whole, add up to zero.
    #expect(try bench.bytes(root, 20).reduce(UInt8(0), &+) == 0)
    #expect(try bench.bytes(root, 36).reduce(UInt8(0), &+) == 0)
    #expect(try bench.load(root + 15, UInt8.self) == 2)
    #expect(try bench.load(root + 20, UInt32.self) == 36)
    return try bench.u64(root + 24)
  }

  /// Every table that the XSDT and the FADT lead to, by signature.
  private func tables(_ bench: FirmwareBench) throws -> [String: (address: UInt64, bytes: [UInt8])] {
    let address = try rootTable(bench)
    let root = try table(bench, address)
    var found = ["XSDT": (address, root)]
    for offset in stride(from: 36, to: root.count, by: 8) {
      let address = try bench.u64(address + UInt64(offset))
      found[try bench.string(address, 4)] = (address, try table(bench, address))
    }
    let fixed = try #require(found["FACP"]).0
    for field in [132, 140] as [UInt64] {
      let address = try bench.u64(fixed + field)
      found[try bench.string(address, 4)] = (address, try table(bench, address))
    }
    return found
  }

  @Test func checksums() throws {
    let tables = try tables(FirmwareBench())
    #expect(Set(tables.keys) == ["XSDT", "FACP", "APIC", "SPCR", "SSDT", "SRAT", "SLIT", "DSDT", "FACS"])
    for (name, table) in tables where name != "FACS" { #expect(table.bytes.reduce(UInt8(0), &+) == 0, "\(name)") }
    #expect(tables["FACS"]?.bytes.count == 64)
    #expect((tables["FACS"]?.address ?? 1) % 64 == 0)
  }

  @Test func placement() throws {
    let bench = try FirmwareBench()
    let map = try bench.memoryMap()
    for (name, table) in try tables(bench) {
      let entry = try #require(map.first { $0.start..<$0.end ~= table.address })
      // Reclaimable, but for what firmware and operating system share.
      #expect(entry.type == (name == "FACS" ? 10 : 9), "\(name)")
      #expect(table.address + UInt64(table.bytes.count) <= entry.end)
    }
  }

  @Test func fixedDescription() throws {
    let bench = try FirmwareBench()
    let fixed = try #require(try tables(bench)["FACP"]).address
    // Linux/ia64 registers the SCI only if the table has the revision of ACPI 2.0.
    #expect(try bench.load(fixed + 8, UInt8.self) == 3)
    #expect(try bench.load(fixed + 46, UInt16.self) == UInt16(MemoryMap.sciGSI))
    #expect(try bench.load(fixed + 56, UInt32.self) == UInt32(MemoryMap.pm1EventPort))
    #expect(try bench.load(fixed + 64, UInt32.self) == UInt32(MemoryMap.pm1ControlPort))
    #expect(try bench.load(fixed + 76, UInt32.self) == UInt32(MemoryMap.pmTimerPort))
    let flags: UInt32 = try bench.load(fixed + 112)
    #expect(flags & 1 << 8 != 0)  // a 32-bit timer
    #expect(flags & 1 << 10 != 0)  // a reset register
    #expect(flags & 1 << 4 == 0)  // the power button is fixed hardware
    // The reset register: system I/O, 8 bits wide.
    #expect(try bench.bytes(fixed + 116, 3) == [1, 8, 0])
    #expect(try bench.u64(fixed + 120) == UInt64(MemoryMap.resetPort))
    #expect(try bench.load(fixed + 128, UInt8.self) == MemoryMap.resetValue)
  }

  @Test func multipleAPIC() throws {
    let bench = try FirmwareBench()
    let table = try #require(try tables(bench)["APIC"]).bytes
    var position = 44
    var types: [UInt8] = []
    while position < table.count {
      types.append(table[position])
      if table[position] == 7 {
        // Local SAPIC: identifiers as in CR.LID, enabled.
        #expect(table[position + 3] == 0 && table[position + 4] == 0)
        #expect(table[position + 8] & 1 == 1)
      }
      if table[position] == 2 {
        // Interrupt source override: ISA, to the input of the same number, edge, active high.
        #expect(table[position + 2] == 0 && table[position + 4] == table[position + 3] && table[position + 8] == 5)
      }
      try #require(table[position + 1] > 0)
      position += Int(table[position + 1])
    }
    #expect(position == table.count)
    #expect(types == [6, 7, 2, 2])
    let address = try #require(try tables(bench)["APIC"]).address
    #expect(try bench.load(address + 36, UInt32.self) == UInt32(MemoryMap.interruptBlock))
    #expect(try bench.u64(address + 44 + 8) == MemoryMap.ioSAPIC)
  }

  /// ACPI 3.0b, tables 5-36 to 5-40: processor affinity is 16 bytes, memory affinity 40; SLIT is a matrix of bytes.
  @Test func affinity() throws {
    let topology = NUMATopology(shares: [(2, 3 << 30), (1, 1 << 30)]) { _, _ in 20 }
    let bench = try FirmwareBench()
    bench.firmware.topology = topology
    try bench.firmware.reset()
    let srat = try #require(try tables(bench)["SRAT"]).bytes
    // One processor exists here; three memory ranges: the first node's are cut by the hole below 4 GiB.
    #expect(srat.count == 48 + 16 + 3 * 40)
    #expect(Array(srat[48..<64]) == [0, 16, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    func u64(_ at: Int) -> UInt64 { (0..<8).reduce(0) { $0 | UInt64(srat[at + $1]) << UInt64(8 * $1) } }
    #expect([64, 104, 144].map { srat[$0 + 2] } == [0, 0, 1])
    #expect([64, 104, 144].map { u64($0 + 8) } == [0, 0x1_0000_0000, 0x1_4000_0000])
    #expect([64, 104, 144].map { u64($0 + 16) } == [0x8000_0000, 0x4000_0000, 0x4000_0000])
    #expect([64, 104, 144].allSatisfy { srat[$0 + 28] == 1 })
    let slit = try #require(try tables(bench)["SLIT"]).bytes
    #expect(Array(slit[36...]) == [2, 0, 0, 0, 0, 0, 0, 0, 10, 20, 20, 10])
  }

  // MARK: iasl

  private static let iasl = ["/usr/bin/iasl", "/usr/local/bin/iasl"].first { FileManager.default.isExecutableFile(atPath: $0) }
  private static let mustRun = ProcessInfo.processInfo.environment["CI"] == "true"

  private func run(_ arguments: [String], in folder: URL) throws -> (status: Int32, text: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(Self.iasl))
    process.arguments = arguments
    process.currentDirectoryURL = folder
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }

  @Test(.enabled(if: mustRun || iasl != nil, "no iasl; `apt-get install acpica-tools` makes this run"))
  func disassembly() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("epicure-acpi-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, table) in try tables(FirmwareBench()) {
      let file = "\(name.lowercased()).aml"
      try Data(table.bytes).write(to: folder.appendingPathComponent(file))
      let disassembled = try run(["-d", file], in: folder)
      #expect(disassembled.status == 0, "\(name): \(disassembled.text)")
      let source = try String(contentsOf: folder.appendingPathComponent("\(name.lowercased()).dsl"), encoding: .utf8)
      // What iasl writes when a field, a length or a checksum is wrong.
      for complaint in ["Invalid", "ncorrect", "Error"] {
        #expect(!source.contains(complaint), "\(name): \(complaint)")
        #expect(!disassembled.text.contains(complaint), "\(name): \(disassembled.text)")
      }
      // The root table's own compilation is not supported by all versions.
      let compiled = try run(["-p", "again-\(name.lowercased())", "\(name.lowercased()).dsl"], in: folder)
      #expect(compiled.text.contains("0 Errors") || compiled.text.contains(" bytes"), "\(name): \(compiled.text)")
      #expect(compiled.status == 0, "\(name): \(compiled.text)")
      let again = try Data(contentsOf: folder.appendingPathComponent("again-\(name.lowercased()).aml"))
      // The compiler stamps its own name and version into bytes 28 to 35, and corrects the checksum.
      #expect(again.count == table.bytes.count, "\(name)")
      if again.count == table.bytes.count, name != "FACS" {
        #expect(Array(again[36...]) == Array(table.bytes[36...]), "\(name)")
      }
    }
  }
}
