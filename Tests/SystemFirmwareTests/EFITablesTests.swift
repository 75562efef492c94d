import Platform
import Processor
import SystemFirmware
import TestSupport
import Testing

/// Expected values: Extensible Firmware Interface Specification 1.10, chapters 4 and 5; DIG64's PCDP; SMBIOS 2.4.
@Suite("EFI tables", .ends(withinMinutes: 5)) struct EFITablesTests {
  /// CRC-32 bit by bit (polynomial 0xEDB88320, reflected).
  static func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { c, _ in c & 1 != 0 ? c >> 1 ^ 0xEDB8_8320 : c >> 1 }
    }
  }

  private func checkHeader(_ bench: FirmwareBench, _ table: UInt64, _ signature: String) throws {
    #expect(try bench.string(table, 8) == signature)
    #expect(try bench.load(table + 8, UInt32.self) == 1 << 16 | 10)
    let size: UInt32 = try bench.load(table + 12)
    var bytes = try bench.bytes(table, Int(size))
    let stated: UInt32 = try bench.load(table + 16)
    bytes.replaceSubrange(16..<20, with: [0, 0, 0, 0])
    #expect(Self.crc32(bytes) == stated)
    #expect(try bench.load(table + 20, UInt32.self) == 0)
  }

  @Test func systemTable() throws {
    let bench = try FirmwareBench()
    #expect(Self.crc32(Array("123456789".utf8)) == 0xCBF4_3926)
    let system = try bench.systemTable()
    try checkHeader(bench, system, "IBI SYST")
    #expect(try bench.load(system + 12, UInt32.self) == 120)
    let vendor = try bench.u64(system + 24)
    #expect(try (0..<7).map { try bench.load(vendor + 2 * $0, UInt16.self) } == Array("Epicure".utf16))
    // As after ExitBootServices: no boot services, no consoles.
    for offset in stride(from: 40, to: 88, by: 8) as StrideTo<UInt64> { #expect(try bench.u64(system + offset) == 0) }
    #expect(try bench.u64(system + 96) == 0)
    let runtime = try bench.u64(system + 88)
    try checkHeader(bench, runtime, "RUNTSERV")
    #expect(try bench.load(runtime + 12, UInt32.self) == 24 + 8 * 11)
    // Pointers to function descriptors, whose entry points lie in runtime services code.
    let code = try bench.memoryMap().filter { $0.type == 5 }
    for index in 0..<11 as Range<UInt64> {
      let entry = try bench.u64(try bench.u64(runtime + 24 + 8 * index))
      #expect(code.contains { $0.start..<$0.end ~= entry })
      #expect(entry % 16 == 0)
    }
  }

  @Test func configurationTables() throws {
    let bench = try FirmwareBench()
    for guid in [TestGUID.acpi20, TestGUID.sal, TestGUID.smbios, TestGUID.pcdp] {
      let address = try bench.configurationTable(guid)
      #expect(try bench.memoryMap().contains { [6, 9].contains($0.type) && $0.start..<$0.end ~= address })
      #expect(address % 8 == 0)
    }
  }

  @Test func managementBIOS() throws {
    let bench = try FirmwareBench()
    let entry = try bench.configurationTable(TestGUID.smbios)
    let bytes = try bench.bytes(entry, 31)
    #expect(Array(bytes[0..<4]) == Array("_SM_".utf8))
    #expect(bytes.reduce(UInt8(0), &+) == 0)
    #expect(Array(bytes[16..<21]) == Array("_DMI_".utf8))
    #expect(bytes[16...].reduce(UInt8(0), &+) == 0)
    let length: UInt16 = try bench.load(entry + 22)
    let table = try bench.bytes(UInt64(try bench.load(entry + 24, UInt32.self)), Int(length))
    let count: UInt16 = try bench.load(entry + 28)
    var position = 0
    var types: [UInt8] = []
    for _ in 0..<count {
      types.append(table[position])
      position += Int(table[position + 1])
      while table[position] != 0 || table[position + 1] != 0 { position += 1 }
      position += 2
    }
    #expect(position == table.count)
    #expect(types.last == 127)
    #expect(types.contains(0) && types.contains(1))
  }

  @Test func primaryConsole() throws {
    let bench = try FirmwareBench()
    let table = try bench.configurationTable(TestGUID.pcdp)
    #expect(try bench.string(table, 4) == "PCDP")
    let length: UInt32 = try bench.load(table + 4)
    let bytes = try bench.bytes(table, Int(length))
    #expect(bytes.reduce(UInt8(0), &+) == 0)
    // One UART, 115200 8N1, at I/O port 0x3F8, GSI 4.
    #expect(try bench.load(table + 36, UInt32.self) == 1)
    #expect(bytes[40...43] == [0, 8, 1, 1])
    #expect(try bench.u64(table + 48) == 115_200)
    #expect(bytes[56] == 1)
    #expect(try bench.u64(table + 60) == 0x3F8)
    #expect(try bench.load(table + 72, UInt32.self) == 4)
  }

  // MARK: Memory map

  @Test(arguments: [64 << 20, 128 << 20, 1 << 30, 2 << 30, 3 << 30, 4 << 30, 64 << 30, 1 << 40] as [UInt64])
  func memoryMap(_ size: UInt64) throws {
    let kernel = TestImage(segments: [
      TestImage.Segment(), TestImage.Segment(address: 0x104_2000, memorySize: 0x1_2345),
    ])
    let initrd = [UInt8](repeating: 0x5A, count: 100_001)
    let bench = try FirmwareBench(memorySize: size, kernel: kernel.bytes, initrd: initrd)
    let map = try bench.memoryMap()
    for (lower, upper) in zip(map, map.dropFirst()) { #expect(lower.end <= upper.start) }
    for entry in map {
      #expect(entry.pages > 0)
      #expect(entry.start % 4096 == 0)
      #expect(entry.virtual == 0)
      #expect(entry.type <= 13)
    }
    // Memory that can be written back is exactly the machine's RAM.
    let ram = map.filter { $0.attribute & 8 != 0 }
    #expect(ram.reduce(0) { $0 + $1.pages << 12 } == bench.memory.ranges.reduce(0) { $0 + UInt64($1.count) })
    for entry in ram { #expect(bench.memory.host(entry.start, count: Int(entry.end - entry.start)) != nil) }
    for entry in map where entry.attribute & 8 == 0 { #expect(!bench.memory.isRAM(entry.start, count: 1)) }
    // All RAM has the same caching attributes, so that whole granules of 16 MiB may be mapped.
    #expect(Set(ram.map { $0.attribute & 0xFFF }) == [9])

    func type(_ address: UInt64) -> UInt32? { map.first { $0.start..<$0.end ~= address }?.type }
    // Page 0, the parameters, the command line and the map itself belong to the loader; so do kernel and RAM disk.
    for address in [0, 0x1000, bench.parameters, try bench.u64(0x1000), try bench.u64(0x1010)] { #expect(type(address) == 2) }
    for address in [0x100_0000, 0x104_2000, 0x104_2000 + 0x1_2344] as [UInt64] { #expect(type(address) == 2) }
    let disk = try bench.u64(bench.parameters + 64)
    #expect(try bench.u64(bench.parameters + 72) == 100_001)
    #expect(type(disk) == 2)
    #expect(type(disk + 100_000) == 2)
    #expect(try bench.bytes(disk, 100_001) == initrd)
    #expect(disk % 4096 == 0)
    #expect(type(0x200_0000) == 7)
    // PAL code: once, aligned to its size. Port space: 64 MiB for AR.K0.
    #expect(map.filter { $0.type == 13 }.count == 1)
    let ports = map.filter { $0.type == 12 }
    #expect(ports.map(\.start) == [MemoryMap.portSpace])
    #expect(ports.map(\.pages) == [64 << 8])
    #expect(bench.processor.state.ar[AR.k0] == MemoryMap.portSpace)
    // What runtime services need is marked for SetVirtualAddressMap.
    for entry in map where [5, 6, 12, 13].contains(entry.type) { #expect(entry.attribute >> 63 == 1) }
    for entry in map where entry.type == 7 { #expect(entry.attribute >> 63 == 0) }
    #expect(type(MemoryMap.ioSAPIC) == 11)
    #expect(type(MemoryMap.interruptBlock) == 11)
  }

  @Test func kernelIsPlaced() throws {
    var image = TestImage(segments: [TestImage.Segment(address: 0x300_0000, memorySize: 0x3000)])
    image.entry = 0x300_0010
    image.segments[0].contents = (0..<0x1234).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let bench = try FirmwareBench(kernel: image.bytes, commandLine: "console=ttyS0 ünïcode")
    #expect(try bench.bytes(0x300_0000, 0x1234) == image.segments[0].contents)
    #expect(try bench.bytes(0x300_1234, 0x3000 - 0x1234).allSatisfy { $0 == 0 })
    #expect(try bench.string(bench.u64(bench.parameters), 100) == "console=ttyS0 ünïcode")
    // Entry, backing store, stack: GR10, GR8, GR9 of the reset code.
    let state = bench.processor.state
    #expect(state.gr[10] == 0x300_0010)
    #expect(state.gr[9] % 16 == 0)
    #expect(state.gr[8] % 8 == 0)
    #expect(try bench.memoryMap().contains { $0.type == 6 && $0.start <= state.gr[8] && state.gr[9] < $0.end })
  }

  /// A reset loads everything anew.
  @Test func resetReloads() throws {
    let bench = try FirmwareBench(kernel: TestImage(segments: [TestImage.Segment(memorySize: 0x2000)]).bytes)
    let (map, mapSize) = (try bench.u64(0x1010), Int(try bench.u64(0x1018)))
    let before = (try bench.bytes(0x1000, 80), try bench.bytes(map, mapSize))
    bench.memory.write(0, [UInt8](repeating: 0xEE, count: 0x10000))
    bench.memory.write(0x100_0000, [UInt8](repeating: 0xEE, count: 0x2000))
    bench.memory.write(MemoryMap.firmware, [UInt8](repeating: 0xEE, count: 0x60000))
    try bench.firmware.reset()
    #expect(bench.firmware.gate(Gate.powerOn, processor: bench.processor) == .proceed)
    #expect(try bench.bytes(0x1000, 80) == before.0)
    #expect(try bench.bytes(map, mapSize) == before.1)
    #expect(try bench.bytes(0x100_0000, 0x2000).allSatisfy { $0 == 0 })
    try checkHeader(bench, bench.systemTable(), "IBI SYST")
  }
}
