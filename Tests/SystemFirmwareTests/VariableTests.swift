import Platform
import Processor
import SystemFirmware
import TestSupport
import Testing

/// EFI variables as an operating system uses them after ExitBootServices (EFI 1.10, section 7.1).
@Suite("EFI variables", .ends(withinMinutes: 5)) struct VariableTests {
  private enum Status {
    static let success: UInt64 = 0
    static let invalidParameter: UInt64 = 1 << 63 | 2
    static let bufferTooSmall: UInt64 = 1 << 63 | 5
    static let writeProtected: UInt64 = 1 << 63 | 8
    static let outOfResources: UInt64 = 1 << 63 | 9
    static let notFound: UInt64 = 1 << 63 | 14
  }
  private static let base = FirmwareBench.scratch
  private let name = base
  private let vendor = base + 0x1000
  private let size = base + 0x2000
  private let attributes = base + 0x2010
  private let data = base + 0x10_0000

  let bench: FirmwareBench
  init() throws { bench = try FirmwareBench() }

  private static let ours: [UInt8] = Array(1...16)

  private func put(_ text: String, _ guid: [UInt8]) {
    bench.memory.write(name, text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] } + [0, 0])
    bench.memory.write(vendor, guid)
  }

  private func get(_ text: String, _ guid: [UInt8] = ours, room: UInt64 = 0x10000) throws -> (UInt64, [UInt8]) {
    put(text, guid)
    bench.memory.store(size, room)
    bench.memory.store(attributes, UInt32(0xFFFF))
    let status = bench.efi(6, name, vendor, attributes, size, data)
    return (status, status == 0 ? try bench.bytes(data, Int(try bench.u64(size))) : [])
  }

  private func set(_ text: String, _ value: [UInt8], _ guid: [UInt8] = ours, attributes: UInt64 = 7) -> UInt64 {
    put(text, guid)
    bench.memory.write(data, value)
    return bench.efi(8, name, vendor, attributes, UInt64(value.count), data)
  }

  /// All names by GetNextVariableName.
  private func list() throws -> [String] {
    put("", Self.ours)
    var names: [String] = []
    while names.count < 1000 {
      bench.memory.store(size, UInt64(1024))
      let status = bench.efi(7, size, name, vendor)
      if status == Status.notFound { return names }
      #expect(status == 0)
      let count = try bench.u64(size) / 2
      let units = try (0..<count).map { try bench.load(name + 2 * $0, UInt16.self) }
      #expect(units.last == 0)
      names.append(String(decoding: units.dropLast(), as: UTF16.self))
    }
    return names
  }

  @Test func globalVariables() throws {
    #expect(try get("Lang", TestGUID.globalVariable).1 == Array("eng".utf8))
    #expect(try bench.load(attributes, UInt32.self) == 7)
    // A device path ends with an end node; each node has its length.
    let path = try get("ConOut", TestGUID.globalVariable).1
    var position = 0
    while position + 4 <= path.count, path[position] != 0x7F { position += Int(path[position + 2]) | Int(path[position + 3]) << 8 }
    #expect(Array(path[position...]) == [0x7F, 0xFF, 4, 0])
    for name in ["LangCodes", "Lang", "Timeout", "ConIn", "ConOut", "ErrOut"] { #expect(try list().contains(name)) }
  }

  @Test func setGetDelete() throws {
    let before = try list()
    #expect(try get("Boot0001").0 == Status.notFound)
    #expect(set("Boot0001", [1, 2, 3]) == 0)
    #expect(try get("Boot0001").1 == [1, 2, 3])
    #expect(try get("Boot0001", TestGUID.globalVariable).0 == Status.notFound)
    #expect(set("Boot0001", [4]) == 0)
    #expect(try get("Boot0001").1 == [4])
    #expect(try list() == before + ["Boot0001"])
    #expect(set("Boot0001", []) == 0)
    #expect(try get("Boot0001").0 == Status.notFound)
    #expect(set("Boot0001", []) == Status.notFound)
    #expect(set("Boot0002", [1]) == 0)
    // No access attributes: deleted.
    #expect(set("Boot0002", [1], attributes: 0) == 0)
    #expect(try list() == before)
  }

  @Test func smallBuffers() throws {
    #expect(set("Long", [UInt8](repeating: 9, count: 100)) == 0)
    #expect(try get("Long", room: 99).0 == Status.bufferTooSmall)
    #expect(try bench.u64(size) == 100)
    #expect(try get("Long", room: 100).1.count == 100)
    put("", Self.ours)
    bench.memory.store(size, UInt64(2))
    #expect(bench.efi(7, size, name, vendor) == Status.bufferTooSmall)
    #expect(try bench.u64(size) > 2)
    // A buffer outside memory changes nothing.
    put("Long", Self.ours)
    bench.memory.store(size, UInt64(100))
    #expect(bench.efi(6, name, vendor, 0, size, 0x9000_0000) == Status.invalidParameter)
  }

  @Test func parameters() throws {
    put("X", Self.ours)
    #expect(bench.efi(6, 0, vendor, 0, size, data) == Status.invalidParameter)
    #expect(bench.efi(6, name, 0, 0, size, data) == Status.invalidParameter)
    #expect(bench.efi(6, name, vendor, 0, 0, data) == Status.invalidParameter)
    #expect(bench.efi(7, 0, name, vendor) == Status.invalidParameter)
    #expect(bench.efi(7, size, name, 0) == Status.invalidParameter)
    #expect(set("", [1]) == Status.invalidParameter)
    // Unknown attributes; runtime access without boot service access; volatile after ExitBootServices.
    for attributes in [8, 0x10, 4, 5, 6, 2] as [UInt64] {
      #expect(set("X", [1], attributes: attributes) == Status.invalidParameter)
    }
    #expect(bench.efi(8, name, vendor, 7, 4, 0) == Status.invalidParameter)
    // Not a variable: nothing follows it.
    put("Nonexistent", Self.ours)
    bench.memory.store(size, UInt64(1024))
    #expect(bench.efi(7, size, name, vendor) == Status.notFound)
  }

  @Test func volatileVariablesAreReadOnly() throws {
    #expect(set("LangCodes", [1], TestGUID.globalVariable) == Status.writeProtected)
    #expect(set("LangCodes", [], TestGUID.globalVariable) == Status.writeProtected)
    #expect(try get("LangCodes", TestGUID.globalVariable).1 == Array("eng".utf8))
  }

  /// The store is bounded, and usable again after a deletion.
  @Test func capacity() throws {
    #expect(set("Huge", [UInt8](repeating: 1, count: 1 << 20)) == Status.outOfResources)
    var count = 0
    while count < 1000, set("Block\(count)", [UInt8](repeating: 1, count: 4096)) == 0 { count += 1 }
    #expect(10..<100 ~= count)
    #expect(set("More", [UInt8](repeating: 1, count: 4096)) == Status.outOfResources)
    #expect(set("Block0", []) == 0)
    #expect(set("More", [UInt8](repeating: 1, count: 4096)) == 0)
    put(String(repeating: "n", count: 600), Self.ours)
    #expect(bench.efi(8, name, vendor, 7, 1, data) == Status.invalidParameter)
  }

  @Test func nonVolatileVariablesSurviveAReset() throws {
    #expect(set("Kept", [7]) == 0)
    try bench.firmware.reset()
    #expect(try get("Kept").1 == [7])
    // The volatile ones are there again as after every power-on.
    #expect(try get("LangCodes", TestGUID.globalVariable).1 == Array("eng".utf8))
  }
}
