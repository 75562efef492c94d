import Platform
import Processor
import SystemFirmware
import TestSupport
import Testing

/// Expected values: Volume 2, chapter 11 (procedures, tables 11-40 to 11-60), and the published figures of the Itanium 2 "Montecito".
@Suite("PAL", .ends(withinMinutes: 5)) struct PALTests {
  typealias Answer = FirmwareBench.Answer
  let bench: FirmwareBench

  init() throws { bench = try FirmwareBench() }

  static func values(_ r9: UInt64, _ r10: UInt64 = 0, _ r11: UInt64 = 0) -> Answer {
    Answer(status: 0, r9: r9, r10: r10, r11: r11)
  }
  private static func failure(_ status: Int64) -> Answer { Answer(status: status, r9: 0, r10: 0, r11: 0) }

  /// Procedures without arguments.
  private static let plainProcedures: [(UInt64, FirmwareBench.Answer)] = [
    (4, PALTests.values(3, 5)),  // cache levels, unique caches
    (5, PALTests.values(0xF1)),  // WB, UC, UCE, WC, NaTPage
    (6, PALTests.values(0, 0x1_0000_0001, 0)),  // one ptc.e purges everything
    (8, PALTests.values(0x0204_3F3F_020F_1865, 0x1183C)),
    (11, PALTests.values(4, 4)),
    (12, PALTests.values(0)),
    (14, PALTests.values(8 << 32 | 1, 2 << 32 | 1, 2 << 32 | 1)),
    (19, PALTests.values(96, 0)),
    (21, PALTests.values(0)),
    (22, PALTests.values(0)),
    (34, PALTests.values(0x1_5555_7000, 0x1_5555_7000)),
  ]
  @Test(arguments: plainProcedures)
  func constants(_ index: UInt64, _ expected: Answer) {
    #expect(bench.pal(index) == expected)
    // A reserved argument that is not zero is invalid.
    #expect(bench.pal(index, 1) == Self.failure(-2))
    #expect(bench.pal(index, 0, 1) == Self.failure(-2))
    #expect(bench.pal(index, 0, 0, 1) == Self.failure(-2))
  }

  /// Size, associativity, line, latency: L1I and L1D 16 KB 4-way 64 bytes, L2I 1 MB 8-way, L2D 256 KB 8-way, L3 12 MB, 128 bytes.
  @Test(
    arguments: [
      (0, 1, 16 << 10, 4, 6, 0, 0), (0, 2, 16 << 10, 4, 6, 0, 0), (1, 1, 1 << 20, 8, 7, 0, 0), (1, 2, 256 << 10, 8, 7, 0, 1),
      (2, 2, 12 << 20, 12, 7, 1, 1),
    ] as [(UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)])
  func cacheInfo(
    _ level: UInt64, _ type: UInt64, _ size: UInt64, _ ways: UInt64, _ line: UInt64, _ unified: UInt64, _ writeBack: UInt64
  ) {
    let answer = bench.pal(2, level, type)
    #expect(answer.status == 0)
    #expect(answer.r9 & 1 == unified)
    #expect(answer.r9 >> 1 & 3 == writeBack)
    #expect(answer.r9 >> 8 & 0xFF == ways)
    #expect(answer.r9 >> 16 & 0xFF == line)
    #expect(answer.r10 & 0xFFFF_FFFF == size)
    // The tag begins above index and offset: sets × line = size ÷ ways.
    #expect(1 << (answer.r10 >> 40 & 0xFF) == size / ways)
    #expect(answer.r10 >> 48 & 0xFF == 49)
    #expect(bench.pal(2, level, type, 1) == Self.failure(-2))
    #expect(bench.pal(38, level, type).status == 0)
  }

  @Test(arguments: [(0, 0), (0, 3), (1, 0), (2, 1), (3, 2), (UInt64.max, 1)] as [(UInt64, UInt64)])
  func absentCaches(_ level: UInt64, _ type: UInt64) {
    #expect(bench.pal(2, level, type) == Self.failure(-2))
    #expect(bench.pal(38, level, type) == Self.failure(-2))
  }

  @Test func vmInfo() {
    for type in 1...2 as ClosedRange<UInt64> {
      for (level, entries) in [(0, 32), (1, 128)] as [(UInt64, UInt64)] {
        let answer = bench.pal(7, level, type)
        #expect(answer.r9 & 0xFFFF_FFFF == 1 | entries << 8 | entries << 16)
        #expect(answer.r10 == 0x1_5555_7000)
      }
      #expect(bench.pal(7, 2, type) == Self.failure(-2))
    }
    #expect(bench.pal(7, 0, 0) == Self.failure(-2))
    #expect(bench.pal(7, 0, 3) == Self.failure(-2))
  }

  @Test func cacheFlush() {
    for type in 1...4 as ClosedRange<UInt64> { #expect(bench.pal(1, type, 3) == Self.values(0)) }
    #expect(bench.pal(1, 0) == Self.failure(-2))
    #expect(bench.pal(1, 5) == Self.failure(-2))
    #expect(bench.pal(1, 1, 4) == Self.failure(-2))
  }

  /// Status 1: done, and the call is not needed on other processors.
  @Test func prefetchVisibility() {
    #expect(bench.pal(41, 0) == Self.failure(1))
    #expect(bench.pal(41, 1) == Self.failure(1))
    #expect(bench.pal(41, 2) == Self.failure(-2))
  }

  @Test func registerInfo() {
    let implemented = bench.pal(39, 0)
    // KR0-7, RSC, BSP, BSPSTORE, RNAT, CCV, UNAT, FPSR, ITC; PFS, LC, EC in the second word.
    for n in Array(0...7) + [16, 17, 18, 19, 32, 36, 40, 44] { #expect(implemented.r9 >> UInt64(n) & 1 == 1) }
    for n in [64, 65, 66] { #expect(implemented.r10 >> UInt64(n - 64) & 1 == 1) }
    let controls = bench.pal(39, 2)
    for n in [0, 1, 2, 8, 16, 17, 19, 20, 21, 22, 23, 24, 25] { #expect(controls.r9 >> UInt64(n) & 1 == 1) }
    for n in Array(64...74) + [80, 81] { #expect(controls.r10 >> UInt64(n - 64) & 1 == 1) }
    // Reading IVR acknowledges an interrupt.
    #expect(bench.pal(39, 3).r10 == controls.r10 & ~2)
    #expect(bench.pal(39, 4) == Self.failure(-2))
  }

  @Test func version() {
    let answer = bench.pal(20)
    #expect(answer.status == 0)
    #expect(answer.r9 <= answer.r10)
    // BCD, and the reserved bits 31:16 but the vendor's, zero.
    for shift in stride(from: 0, to: 16, by: 4) as StrideTo<UInt64> { #expect(answer.r10 >> shift & 0xF <= 9) }
    #expect(answer.r10 >> 16 & 0xFF == 0)
  }

  @Test func features() {
    // Virtual machines (bit 40) and vmsw (bit 54): implemented, enabled, controllable.
    let features: UInt64 = 1 << 40 | 1 << 54
    #expect(bench.pal(17, 0, 0) == Self.values(features, features, features))
    #expect(bench.pal(17, 0, 16) == Self.failure(-8))
    #expect(bench.pal(17, 1, 0) == Self.failure(-2))
    #expect(bench.pal(18, 0, 0) == Self.values(0))
    #expect(bench.pal(17, 0, 0) == Self.values(features, 0, features))
    #expect(bench.pal(18, .max, 0) == Self.values(0))
    #expect(bench.pal(17, 0, 0) == Self.values(features, features, features))
    #expect(bench.pal(18, features, 16) == Self.failure(-8))
    #expect(bench.pal(9) == Self.values(0))
    #expect(bench.pal(10, 0) == Self.values(0))
  }

  @Test func performanceMonitors() throws {
    let buffer = FirmwareBench.scratch
    #expect(bench.pal(15, buffer) == Self.values(12 | 47 << 8 | 0x12 << 16 | 0x08 << 24))
    // PMC and PMD 4 to 15 are the generic counters; all of them count cycles and retired instructions.
    for mask in 0..<4 as Range<UInt64> { #expect(try bench.u64(buffer + 32 * mask) & 0xFFF0 == 0xFFF0) }
    // Outside memory: invalid, and nothing written.
    #expect(bench.pal(15, 0x9000_0000) == Self.failure(-2))
    #expect(bench.pal(15, (256 << 20) - 64) == Self.failure(-2))
    #expect(try bench.u64((256 << 20) - 64) == 0)
  }

  @Test func platformAddress() {
    #expect(bench.pal(16, 0, MemoryMap.interruptBlock) == Self.values(0))
    #expect(bench.pal(16, 1, MemoryMap.portSpace | 1 << 63) == Self.values(0))
    #expect(bench.pal(16, 0, 0xFED0_0000) == Self.failure(-2))
    #expect(bench.pal(16, 2, 0) == Self.failure(-2))
  }

  /// The processor sleeps, unless an interrupt is pending already (the gate's caller looks).
  @Test func halting() {
    #expect(bench.pal(29) == Self.values(0))
    #expect(bench.outcome == .halt)
    #expect(bench.pal(29, 1) == Self.failure(-2))
    #expect(bench.outcome == .proceed)
    #expect(bench.pal(28, 1) == Self.failure(-2))
    #expect(bench.outcome == .proceed)
  }

  @Test func machineChecks() {
    #expect(bench.pal(23, 1) == Self.values(0))
    #expect(bench.pal(23, 0) == Self.values(1))
    #expect(bench.pal(23, 0) == Self.values(0))
    #expect(bench.pal(25) == Self.failure(-6))
    #expect(bench.pal(27, 0x4000) == Self.values(0))
    // The min-state save area is aligned to 512 bytes.
    #expect(bench.pal(27, 0x4100) == Self.failure(-2))
  }

  @Test func identity() throws {
    let answer = bench.pal(42, .max)
    #expect(answer.status == 0)
    #expect(answer.r9 == 1 | 1 << 16 | 1 << 32)
    #expect(bench.pal(42, 1) == Self.failure(-2))
    #expect(bench.pal(274, 0, FirmwareBench.scratch).status == 0)
    #expect(try bench.string(FirmwareBench.scratch, 128).contains("Itanium"))
    #expect(bench.pal(274, 16, FirmwareBench.scratch) == Self.failure(-6))
    #expect(bench.pal(274, 0, 0x9000_0000) == Self.failure(-2))
  }

  @Test func haltInfo() throws {
    #expect(bench.pal(257, FirmwareBench.scratch) == Self.values(0))
    // State 0, the light halt, is implemented (bit 60) and coherent (61); the others are not.
    #expect(try bench.u64(FirmwareBench.scratch) >> 60 == 3)
    for n in 1..<8 as Range<UInt64> { #expect(try bench.u64(FirmwareBench.scratch + 8 * n) == 0) }
  }

  /// Translation registers are empty after reset; there are 64 of each kind.
  @Test func translationRegisters() throws {
    bench.memory.store(FirmwareBench.scratch + 16, UInt64.max)
    for (number, type) in [(0, 0), (63, 1)] as [(UInt64, UInt64)] {
      #expect(bench.pal(261, number, type, FirmwareBench.scratch) == Self.values(0xF))
      #expect(try bench.u64(FirmwareBench.scratch + 16) & 1 == 0)
    }
    #expect(bench.pal(261, 64, 0, FirmwareBench.scratch) == Self.failure(-2))
    #expect(bench.pal(261, 0, 2, FirmwareBench.scratch) == Self.failure(-2))
    #expect(bench.pal(261, 0, 0, FirmwareBench.scratch + 4) == Self.failure(-2))
    #expect(bench.pal(261, 0, 0, 0x9000_0000) == Self.failure(-2))
  }

  /// Reserved and optional indices, and everything above.
  @Test func unimplemented() {
    let optional: [UInt64] = [13, 33, 35, 36, 40, 44, 45, 46, 47, 48, 49, 50, 51]
    for index in [0] + optional + Array(52..<256) + Array(512..<520) + [1024, 1 << 32, .max] {
      #expect(bench.pal(index) == Self.failure(-1), "index \(index)")
    }
  }

  /// Arbitrary arguments do no harm.
  @Test func arbitraryCalls() {
    var random = SplitMix(state: 0x9A1)
    for _ in 0..<5000 {
      let index = random.next() % 300
      let arguments = (0..<3).map { _ in random.next() >> (random.next() % 64) }
      let answer = bench.pal(index, arguments[0], arguments[1], arguments[2])
      #expect(-9...1 ~= answer.status, "seed 0x9A1, index \(index), arguments \(arguments)")
    }
  }

  /// Below privilege level 0 the gate gives nothing away.
  @Test func privilegeLevel() {
    bench.processor.setPSR(3 << PSR.cplShift)
    #expect(bench.pal(8).status == -1)
    #expect(bench.processor.state.gr[9] == 0xDEAD_0009)
    bench.processor.setPSR(0)
    #expect(bench.pal(8).status == 0)
  }
}
