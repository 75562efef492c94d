import Platform
import Processor
import SystemFirmware
import TestSupport
import Testing

/// Expected values: Itanium Processor Family System Abstraction Layer Specification, chapters 3 and 9.
@Suite("SAL", .ends(withinMinutes: 5)) struct SALTests {
  let bench: FirmwareBench

  init() throws { bench = try FirmwareBench() }

  private static let base: UInt64 = 0x0100_0000

  // MARK: System table

  @Test func systemTable() throws {
    let table = try bench.configurationTable(TestGUID.sal)
    #expect(try bench.string(table, 4) == "SST_")
    let length: UInt32 = try bench.load(table + 4)
    let bytes = try bench.bytes(table, Int(length))
    #expect(bytes.reduce(UInt8(0), &+) == 0)
    // Revision in BCD, major at 9, minor at 8.
    #expect(bytes[9] == 3)
    let count = Int(bytes[10]) | Int(bytes[11]) << 8
    let sizes = [48, 32, 16, 32, 16, 16]
    var position = 96
    var types: [UInt8] = []
    for _ in 0..<count {
      try #require(position < bytes.count)
      types.append(bytes[position])
      position += try #require(Int(bytes[position]) < sizes.count ? sizes[Int(bytes[position])] : nil)
    }
    #expect(position == bytes.count)
    // Ascending, as the specification wants it; one entry point.
    #expect(types == types.sorted())
    #expect(types.filter { $0 == 0 }.count == 1)
    #expect(try bench.string(table + 24, 32) == "Epicure")
  }

  private func entry(_ type: UInt8) throws -> UInt64 {
    let table = try bench.configurationTable(TestGUID.sal)
    let count: UInt16 = try bench.load(table + 10)
    var position = table + 96
    for _ in 0..<count {
      let found: UInt8 = try bench.load(position)
      if found == type { return position }
      position += [48, 32, 16, 32, 16, 16][Int(found)]
    }
    return try #require(nil, "no entry of type \(type)")
  }

  @Test func entryPoints() throws {
    let entry = try entry(0)
    let pal = try #require(try bench.memoryMap().first { $0.type == 13 })
    // PAL_PROC lies in the PAL code, SAL_PROC in runtime services code; bundles are aligned.
    let palEntry = try bench.u64(entry + 8)
    #expect(pal.start..<pal.end ~= palEntry)
    #expect(palEntry % 16 == 0)
    let sal = try bench.u64(entry + 16)
    #expect(try bench.memoryMap().contains { $0.type == 5 && $0.start..<$0.end ~= sal })
    #expect(sal % 16 == 0)
    // The translation register that PAL wants covers the PAL code with one page.
    let register = try self.entry(3)
    #expect(try bench.u64(register + 8) == pal.start)
    let itir = try bench.u64(register + 16)
    let size = UInt64(1) << (itir >> 2 & 0x3F)
    #expect(size == pal.pages << 12)
    #expect(pal.start % size == 0)
    #expect(Implementation.insertablePages & size != 0)
  }

  @Test func wakeupVectorIsLegal() throws {
    let entry = try entry(5)
    #expect(try bench.load(entry + 1, UInt8.self) == 0)
    let vector = try bench.u64(entry + 8)
    #expect(0x10...0xFF ~= vector)
  }

  @Test func coherenceDomain() throws {
    let entry = try entry(4)
    #expect(try bench.load(entry + 4, UInt32.self) == 1)
    let information = try bench.u64(entry + 8)
    #expect(try bench.u64(information) == 1)
    #expect(try bench.load(try bench.u64(information + 8), UInt16.self) == 0)
  }

  // MARK: Procedures

  @Test func frequencies() {
    let platform = bench.sal(Self.base + 0x12, 0)
    #expect(platform.status == 0)
    #expect(platform.r9 == 200_000_000)
    #expect(bench.sal(Self.base + 0x12, 1).r9 == 400_000_000)
    // PAL's ratio of the ITC to the base agrees.
    let ratio = bench.pal(14).r11
    #expect(platform.r9 * (ratio >> 32) / (ratio & 0xFFFF_FFFF) == 400_000_000)
    #expect(bench.sal(Self.base + 0x12, 2).status == 0)
    #expect(bench.sal(Self.base + 0x12, 3).status == -2)
  }

  /// No record of machine checks, INITs or corrected errors is ever there.
  @Test func stateInformation() {
    for type in 0...3 as ClosedRange<UInt64> {
      #expect(bench.sal(Self.base + 1, type, 0, FirmwareBench.scratch).status == -5)
      #expect(bench.sal(Self.base + 2, type).status == 0)
      #expect(bench.sal(Self.base + 2, type).r9 > 0)
      #expect(bench.sal(Self.base + 3, type).status == 0)
    }
    for function in 1...3 as ClosedRange<UInt64> { #expect(bench.sal(Self.base + function, 4).status == -2) }
  }

  @Test func vectorsAndParameters() {
    for type in 0...2 as ClosedRange<UInt64> { #expect(bench.sal(Self.base, type, 0x100_0000, 0, 0).status == 0) }
    #expect(bench.sal(Self.base, 3).status == -2)
    for type in 1...3 as ClosedRange<UInt64> { #expect(bench.sal(Self.base + 5, type, 1, 0xE8, 1000, 0).status == 0) }
    #expect(bench.sal(Self.base + 5, 0, 1).status == -2)
    #expect(bench.sal(Self.base + 5, 4, 1).status == -2)
    #expect(bench.sal(Self.base + 5, 1, 3).status == -2)
    #expect(bench.sal(Self.base + 6, 0, 0xFF00_0000).status == 0)
    #expect(bench.sal(Self.base + 6, 1, 0).status == -2)
  }

  @Test func caches() {
    for type in 1...4 as ClosedRange<UInt64> { #expect(bench.sal(Self.base + 8, type).status == 0) }
    #expect(bench.sal(Self.base + 8, 0).status == -2)
    #expect(bench.sal(Self.base + 8, 5).status == -2)
    #expect(bench.sal(Self.base + 9).status == 0)
  }

  @Test func rendezvousWaits() {
    bench.sal(Self.base + 4)
    #expect(bench.outcome == .halt)
  }

  @Test func unknownFunctions() {
    for function in [0, 1, Self.base + 7, Self.base + 0xA, Self.base + 0x14, Self.base + 0x20, 0x0200_0000, .max] as [UInt64] {
      #expect(bench.sal(function).status == -1)
    }
  }

  // MARK: PCI configuration space

  final class Recorder: PCIConfigurationSpace {
    var reads: [PCIAddress] = []
    var writes: [(PCIAddress, UInt32)] = []
    func read(_ address: PCIAddress, size: Int) -> UInt32 {
      reads.append(address)
      return 0x8765_4321
    }
    func write(_ address: PCIAddress, size: Int, value: UInt32) { writes.append((address, value)) }
    func assignResources() {}
  }

  @Test func withoutPCI() {
    for (size, ones) in [(1, 0xFF), (2, 0xFFFF), (4, 0xFFFF_FFFF)] as [(UInt64, UInt64)] {
      let answer = bench.sal(Self.base + 0x10, 0, size, 0)
      #expect(answer.status == 0)
      #expect(answer.r9 == ones)
      #expect(bench.sal(Self.base + 0x11, 0, size, 0, 0).status == 0)
    }
  }

  /// Type 0: segment 31:24, bus 23:16, device 15:11, function 10:8, register 7:0. Type 1: 43:28, 27:20, 19:15, 14:12, 11:0.
  @Test func pciAddresses() {
    let recorder = Recorder()
    bench.firmware.pci = recorder
    let short: UInt64 = 0x12 << 24 | 0x34 << 16 | 0x1F << 11 | 5 << 8 | 0x40
    #expect(bench.sal(Self.base + 0x10, short, 4, 0).r9 == 0x8765_4321)
    #expect(recorder.reads.last == PCIAddress(segment: 0x12, bus: 0x34, device: 0x1F, function: 5, register: 0x40))
    let long: UInt64 = 0xABCD << 28 | 0x34 << 20 | 3 << 15 | 7 << 12 | 0xFFE
    #expect(bench.sal(Self.base + 0x10, long, 2, 1).r9 == 0x4321)
    #expect(recorder.reads.last == PCIAddress(segment: 0xABCD, bus: 0x34, device: 3, function: 7, register: 0xFFE))
    #expect(bench.sal(Self.base + 0x11, long, 2, 0x55AA, 1).status == 0)
    #expect(recorder.writes.last?.1 == 0x55AA)
    // Size, alignment, type, and bits above the segment.
    for (address, size, type) in [
      (0, 3, 0), (0, 8, 0), (0, 0, 0), (1, 2, 0), (2, 4, 0), (0, 4, 2), (1 << 32, 4, 0), (1 << 44, 4, 1),
    ]
      as [(UInt64, UInt64, UInt64)]
    {
      #expect(bench.sal(Self.base + 0x10, address, size, type).status == -2)
      #expect(bench.sal(Self.base + 0x11, address, size, 0, type).status == -2)
    }
    #expect(recorder.reads.count == 2)
  }
}
