import Hypervisor
import Processor
import Testing

@Suite("Domain memory") struct DomainMemoryTests {
  private static let frame = FramePool.frameSize

  private func make(
    _ frames: UInt64, pool size: UInt64 = 64 << 20
  ) throws -> (pool: FramePool, memory: DomainMemory) {
    let pool = try FramePool(size: size, kept: 1 << 20)
    return (pool, try DomainMemory(pool: pool, layout: [(0, frames * Self.frame), (0xFF00_0000, 4 * Self.frame)]))
  }

  @Test func framesArePopulatedAtTheFirstTouch() throws {
    let (pool, memory) = try make(16)
    #expect(memory.frames == 20 && memory.populated == 0)
    #expect(pool.free == (64 << 20) - (1 << 20) - 20 * Self.frame)
    #expect(memory.load(0x123, as: UInt32.self) == 0)
    #expect(memory.populated == 1)
    #expect(memory.store(0xFF00_0000, 7 as UInt64))
    #expect(memory.populated == 2)
    #expect(memory.machine(16 * Self.frame) == nil)
    #expect(memory.load(16 * Self.frame, as: UInt8.self) == nil)
  }

  @Test func accessesCrossFrames() throws {
    let (_, memory) = try make(16)
    // Touched in another order, so that neighbours do not lie together.
    _ = memory.machine(2 * Self.frame)
    _ = memory.machine(Self.frame)
    let bytes = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    #expect(memory.write(Self.frame - 5, bytes))
    #expect(memory.read(Self.frame - 5, count: 40_000) == bytes)
    #expect(memory.host(Self.frame - 5, count: 40_000) == nil)
    #expect(!memory.write(15 * Self.frame, [UInt8](repeating: 1, count: Int(Self.frame) + 1)))
    #expect(memory.load(15 * Self.frame, as: UInt8.self) == 0)
  }

  /// Frames that were not touched, or hold zeros, go back; they are promised anew when they are touched, as long as the pool has any.
  @Test func promisesShrinkAndGrow() throws {
    let (pool, memory) = try make(16)
    let free = pool.free
    memory.store(3 * Self.frame, 0x55 as UInt64)
    memory.store(5 * Self.frame, 0 as UInt64)
    #expect(memory.populated == 2)
    try memory.promise(0)
    #expect(memory.promised == 1 && memory.populated == 1 && pool.free == free + 19 * Self.frame)
    #expect(memory.load(3 * Self.frame, as: UInt64.self) == 0x55)
    #expect(memory.load(5 * Self.frame, as: UInt64.self) == 0)
    #expect(memory.promised == 2 && memory.populated == 2 && !memory.isShort)
    try memory.promise(100)
    #expect(memory.promised == 20 && pool.free == free)
    // Nothing is left for a touch beyond the promise.
    try memory.promise(0)
    try pool.reserve(pool.free >> FramePool.frameShift)
    #expect(memory.machine(7 * Self.frame) == nil && memory.isShort)
    #expect(throws: FramePool.Failure.self) { try memory.promise(20) }
  }

  @Test func promisesAreKeptOrNotMade() throws {
    let pool = try FramePool(size: (4 << 20) + Self.frame, kept: Self.frame)
    #expect(throws: FramePool.Failure.notEnough(wanted: 8 << 20, free: 4 << 20)) {
      try DomainMemory(pool: pool, layout: [(0, 8 << 20)])
    }
    #expect(pool.free == 4 << 20)
    let piece = try pool.takeTogether(bytes: 1 << 20)
    #expect(piece % (1 << 20) == 0 && pool.free == 3 << 20)
    pool.giveBackTogether(piece, bytes: 1 << 20)
    #expect(try pool.takeTogether(bytes: 1 << 20) == piece)
    pool.giveBackTogether(piece, bytes: 1 << 20)
    // All of it can be had frame by frame, pieces included.
    let memory = try DomainMemory(pool: pool, layout: [(0, 4 << 20)])
    #expect((0..<256).allSatisfy { memory.machine(UInt64($0) * Self.frame) != nil })
    #expect(Set((0..<256).compactMap { memory.machine(UInt64($0) * Self.frame) }).count == 256)
  }
}
