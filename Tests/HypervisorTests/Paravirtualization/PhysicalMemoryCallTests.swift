import Hypervisor
import Platform
import Processor
import TestSupport
import Testing

/// dom0vp_op as a PV guest's kernel makes it. Arguments and results: `xen/include/public/arch-ia64.h`, `xen/arch/ia64/xen/mm.c`.
@Suite("Calls about physical memory", .ends(withinMinutes: 5)) struct PhysicalMemoryCallTests {
  private let pool: FramePool
  private let guest: ParavirtualGuest
  private static let (expose, zap, revision) = (7, 5, 10) as (UInt64, UInt64, UInt64)
  /// Frames that one page of the table tells of.
  private static let entries: UInt64 = 2048
  /// Outside of RAM.
  private static let place: UInt64 = 0x500_0000
  private static let bytes = 8192 * UInt64(16384)

  init() throws {
    pool = try FramePool(size: 512 << 20, kept: 64 << 20)
    guest = try ParavirtualGuest(
      "break.m 0x1000 ;;\nagain: br.cond.sptk.many again ;;", pool: pool, services: HostServices(pool: pool))
  }

  private var memory: DomainMemory { guest.domain.memory }

  private func call(_ command: UInt64, _ arguments: UInt64...) -> Int64 {
    let processor = guest.domain.processors[0].processor
    let s = processor.state
    processor.setCFM(8)
    for (n, argument) in ([command] + arguments).enumerated() { s.gr[32 + n] = argument }
    (s.gr[2], s.gr[8]) = (48, 0x5555)
    s.pointee.ip = ParavirtualGuest.code
    guest.advance(to: guest.domain.machine.now + 5000)
    return Int64(bitPattern: s.gr[8])
  }

  /// As the domain reads it: its own RAM is elsewhere.
  private func entry(_ frame: UInt64, at place: UInt64 = Self.place) -> UInt64? {
    memory.machine(place << 14 + frame * 8).flatMap { pool.memory.host($0, count: 8) }?.load(as: UInt64.self)
  }
  /// Present, accessed, dirty, write-back, all rights: figure 4-5 of Volume 2.
  private func expected(_ frame: UInt64) -> UInt64? { memory.machine(frame << 14).map { $0 & ~0x3FFF | 0x661 } }

  @Test func theTableFollowsTheFrames() throws {
    #expect(memory.frames == 8192)
    let before = pool.unreserved
    #expect(call(Self.expose, 0, Self.place, Self.bytes, Self.entries) == 0)
    #expect(pool.unreserved == before - 4)
    for frame in stride(from: UInt64(0), to: 8192, by: 331) { #expect(entry(frame) == expected(frame)) }
    #expect(!memory.isWritable(Self.place << 14) && !memory.store(Self.place << 14, UInt64(0)))
    #expect(memory.machine((Self.place + 4) << 14) == nil, "the table ends with RAM")
    #expect(call(Self.zap, 5000, 0) == 0)
    #expect(entry(5000) == 0)
    #expect(memory.populate(5000))
    #expect(entry(5000) == expected(5000) && entry(5000) != 0)
    let frame = try #require(memory.detach(5001))
    #expect(entry(5001) == 0)
    #expect(memory.attach(frame, at: 5001))
    #expect(entry(5001) == expected(5001))
    // Somewhere else, and from the middle on: the old place is empty.
    #expect(call(Self.expose, 4096, Self.place + Self.entries, Self.bytes / 2, Self.entries) == 0)
    #expect(memory.machine(Self.place << 14) == nil)
    #expect(entry(5001 - 4096, at: Self.place + Self.entries) == expected(5001))
    #expect(pool.unreserved == before - 2)
  }

  /// What the domain knows the numbers of is not taken from it for being zero.
  @Test func framesStayWhereTheDomainHasSeenThem() throws {
    #expect(call(Self.expose, 0, Self.place, Self.bytes, Self.entries) == 0)
    let seen = entry(7000)
    try memory.promise(4096)
    #expect(entry(7000) == seen && expected(7000) == seen)
  }

  @Test func whatIsRefused() {
    let (invalid, notImplemented) = (Int64(-22), Int64(-38))
    #expect(call(Self.expose, 0, Self.place, Self.bytes, 0) == invalid)
    #expect(call(Self.expose, 0, Self.place, Self.bytes + 1, Self.entries) == invalid)
    #expect(call(Self.expose, 1, Self.place, Self.bytes, Self.entries) == invalid)
    #expect(call(Self.expose, 0, Self.place + 1, Self.bytes, Self.entries) == invalid)
    #expect(call(Self.expose, .max - 2047, Self.place, Self.bytes, Self.entries) == invalid)
    #expect(call(Self.expose, 0, .max - 2047, Self.bytes, Self.entries) == invalid)
    #expect(call(Self.expose, 0, Self.place, Self.bytes, 4096) == notImplemented)
    #expect(call(Self.revision, 0) == -14, "there is nowhere to put it")
  }
}
