import Processor
import Testing

@Suite("Physical memory") struct PhysicalMemoryTests {
  private func memory() throws -> PhysicalMemory {
    try PhysicalMemory(layout: [(0, 0x10000), (0x8000_0000, 0x4000), (0x1_0000_0000, 1 << 40)])
  }

  @Test func layoutsThatCannotBe() {
    #expect(throws: PhysicalMemory.Failure.empty) { try PhysicalMemory(layout: []) }
    #expect(throws: PhysicalMemory.Failure.misaligned) { try PhysicalMemory(layout: [(0, 100)]) }
    #expect(throws: PhysicalMemory.Failure.misaligned) { try PhysicalMemory(layout: [(0x800, 0x1000)]) }
    #expect(throws: PhysicalMemory.Failure.misaligned) { try PhysicalMemory(layout: [(0, 0)]) }
  }

  @Test func holesAreNotMemory() throws {
    let memory = try memory()
    for address in [0x10000, 0x7FFF_FFFF, 0x8000_4000, 0xFFFF_FFFF, 0x101_0000_0000, UInt64.max] {
      #expect(memory.host(address) == nil)
      #expect(memory.load(address, as: UInt8.self) == nil)
      #expect(!memory.store(address, UInt8(1)))
      #expect(memory.read(address, count: 1) == nil)
      #expect(!memory.write(address, [1]))
      #expect(!memory.clear(address, count: 1))
    }
  }

  /// A range must lie in one region.
  @Test func rangesEndWithTheirRegion() throws {
    let memory = try memory()
    #expect(memory.load(0xFFF8, as: UInt64.self) == 0)
    #expect(memory.load(0xFFF9, as: UInt64.self) == nil)
    #expect(!memory.store(0xFFFD, UInt32(1)))
    #expect(memory.load(0xFFFC, as: UInt32.self) == 0)
    #expect(!memory.write(0xFFFF, [1, 2]))
    #expect(memory.host(0, count: 0x10000) != nil)
    #expect(memory.host(0, count: 0x10001) == nil)
    #expect(memory.host(0, count: -1) == nil)
    #expect(memory.host(0x1_0000_0000, count: Int.max) == nil)
    #expect(!memory.clear(0xF000, count: 0x1001))
    #expect(!memory.clear(0, count: .max))
  }

  @Test func littleEndian() throws {
    let memory = try memory()
    #expect(memory.store(0x101, UInt64(0x0102_0304_0506_0708)))
    #expect(memory.read(0x101, count: 8) == [8, 7, 6, 5, 4, 3, 2, 1])
    #expect(memory.load(0x103, as: UInt16.self) == 0x0506)
  }

  /// A terabyte costs nothing until it is used; what is cleared is given back.
  @Test func sparse() throws {
    let memory = try memory()
    let end = 0x1_0000_0000 + (UInt64(1) << 40)
    #expect(memory.store(end - 8, UInt64(42)))
    #expect(memory.store(0x1_0000_0000, UInt64(43)))
    #expect(memory.clear(0x1_0000_0001, count: (1 << 40) - 9))
    #expect(memory.load(end - 8, as: UInt64.self) == 42)
    #expect(memory.load(0x1_0000_0000, as: UInt64.self) == 43)
    #expect(memory.clear(0x1_0000_0000, count: 1 << 40))
    #expect(memory.load(end - 8, as: UInt64.self) == 0)
    #expect(memory.load(0x1_0000_0000, as: UInt64.self) == 0)
  }

  @Test(arguments: [(UInt64(0x100), UInt64(0)), (0x100, 5), (0xFFF, 2), (0x1000, 0x1000), (0xFF0, 0x2020), (0x1001, 0xFFE)])
  func clearing(_ start: UInt64, _ count: UInt64) throws {
    let memory = try memory()
    #expect(memory.write(0, [UInt8](repeating: 0xAA, count: 0x5000)))
    #expect(memory.clear(start, count: count))
    let bytes = try #require(memory.read(0, count: 0x5000))
    for (index, byte) in bytes.enumerated() {
      #expect(byte == (start..<start + count ~= UInt64(index) ? 0 : 0xAA))
    }
  }
}
