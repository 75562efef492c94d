import IA64
import Pipeline
import Processor
import Testing

/// The performance monitor over the cycle model: events by their code and unit mask in libpfm's table for the Montecito, their relations
/// by Intel's stall accounting.
@Suite("Performance monitor")
struct PerformanceMonitorTests {
  typealias Counter = CounterBench.Counter

  /// One issue group: a load, a store, two nops, an instruction that is predicated off, a branch.
  private static let loop = """
    again: { .mmi
      ld8 r20=[r21]
      st8 [r22]=r23
      nop 0
    }
    { .mib
      nop 0
      (p6) adds r24=1,r24
      br.cloop.sptk.few again ;;
    }
    """

  /// What 200 more rounds of the loop count.
  private func difference(_ counters: [Counter], _ loop: String = loop, timed: Bool = true) throws -> [UInt64] {
    var results: [[UInt64]] = []
    for rounds in [100, 300] as [UInt64] {
      let bench = try CounterBench(loop, counters: counters, timed: timed)
      bench.processor.setAR(AR.lc, rounds - 1)
      bench.run()
      #expect(bench.processor.state.pointee.ip == bench.labels["done"])
      results.append(counters.indices.map { bench[$0] })
    }
    return counters.indices.map { results[1][$0] &- results[0][$0] }
  }

  @Test("A loop's instructions, references and branches to the last one") func loop() throws {
    let expected: [(UInt64, UInt64)] = [
      // IA64_INST_RETIRED, INST_DISPERSED, NOPS_RETIRED, PREDICATE_SQUASHED_RETIRED
      (0x08, 6), (0x4D, 6), (0x50, 2), (0x51, 1),
      // LOADS_RETIRED, STORES_RETIRED, L1D_READS_SET0, DATA_REFERENCES_SET0
      (0xCD, 1), (0xD1, 1), (0xC2, 1), (0xC3, 2),
      // BR_MISPRED_DETAIL.ALL.ALL_PRED and .CORRECT_PRED, BR_PATH_PRED.ALL.OKPRED_TAKEN, .OKPRED_NOTTAKEN
      (0x5B, 1), (0x15B, 1), (0x354, 1), (0x254, 0),
    ]
    let counts = try difference(expected.map { Counter(event: $0.0) })
    for ((event, each), count) in zip(expected, counts) { #expect(count == 200 * each, "event 0x\(String(event, radix: 16))") }
  }

  @Test("Functional and cycle timing retire the same") func functional() throws {
    for timed in [false, true] {
      let bench = try CounterBench(Self.loop, counters: [Counter(event: 0x08)], timed: timed)
      bench.processor.setAR(AR.lc, 49)
      bench.run()
      // Two slots behind the write that starts, srlz.d's bundle, the loop, the write that stops.
      #expect(bench[0] == 2 + 3 + 50 * 6 + 1)
    }
  }

  @Test("Thresholds count the cycles with more than that (PMC.threshold)") func thresholds() throws {
    // A round is one cycle's group: six instructions, two nops.
    let counters = [
      Counter(event: 0x4D, threshold: 5), Counter(event: 0x08, threshold: 3), Counter(event: 0x50, threshold: 1),
      Counter(event: 0x50, threshold: 2), Counter(event: 0x12, threshold: 1), Counter(event: 0x4D, threshold: 6),
    ]
    #expect(try difference(counters) == [200, 200, 200, 0, 0, 0])
  }

  /// Loads that depend on each other, a store, FP, moves of application registers, a branch that alternates.
  private static let mixture = """
    fmerge.s f8=f1,f1 ;;
    more: add r25=r21,r26 ;;
    ld8 r20=[r25]
    adds r26=64,r26 ;;
    add r27=r20,r26
    fma.d f8=f8,f8,f1 ;;
    fma.d f9=f8,f8,f1
    st8 [r22]=r27,8 ;;
    mov r28=ar.ccv ;;
    and r29=1,r28
    and r30=64,r26 ;;
    cmp.eq p7,p8=r0,r30
    (p7) br.cond.dptk.few over ;;
    mov ar.ccv=r26 ;;
    over: srlz.i ;;
    br.cloop.sptk.few more ;;
    """

  @Test("Each cycle has one cause: CPU_OP_CYCLES and BACK_END_BUBBLE are the sums of their parts") func relations() throws {
    let bench = try CounterBench(
      Self.mixture,
      counters: [
        0x12, 0x00, 0x04, 0xCA, 0x02, 0x01, 0x100, 0x104, 0x204, 0x102, 0x202, 0x53,
      ].map { Counter(event: $0) })
    bench.processor.setAR(AR.lc, 999)
    bench.run()
    let (cycles, bubbles) = (bench[0], bench[1])
    #expect(bubbles == bench[2] + bench[3] + bench[4] + bench[5] + bench[6])
    #expect(bench[2] == bench[7] + bench[8])
    #expect(bubbles > 0 && bubbles < cycles)
    // Flushes of srlz.i, waits for loads and for the FP chain: all of them are there.
    for n in [2, 4, 8, 9, 10] { #expect(bench[n] > 0, "\(n)") }
    #expect(bench[11] == 1000)
    // What is not stalled issues a group: as many as there are cycles in which anything was dispersed.
    let groups = try CounterBench(Self.mixture, counters: [Counter(event: 0x12), Counter(event: 0x00)])
    groups.processor.setAR(AR.lc, 999)
    groups.run()
    #expect(groups[0] - groups[1] == cycles - bubbles)
  }

  @Test("Causes of BE_EXE, BE_L1D_FPU, BE_RSE and FE bubbles add up") func parts() throws {
    let bench = try CounterBench(
      Self.mixture,
      counters: [0x02, 0x102, 0x202, 0x302, 0x402, 0x702, 0x100, 0xC71, 0x671, 0x771, 0x971, 0xD71].map { Counter(event: $0) })
    bench.processor.setAR(AR.lc, 499)
    bench.run()
    #expect(bench[0] == bench[1] + bench[2] + bench[3] + bench[4] + bench[5])
    #expect(bench[6] == bench[7])
    #expect(bench[7] == bench[8] + bench[9] + bench[10] + bench[11])
  }

  @Test("plm: the levels' cycles add up") func levels() throws {
    let user = """
      { .mii
        rsm 0x2000
        nop 0
        nop 0 ;;
      }
      srlz.i ;;
      mov cr.ipsr=r10
      mov cr.iip=r11 ;;
      mov cr.ifs=r0 ;;
      rfi ;;
      user: \(Self.loop)
      break.m 7 ;;
      """
    let bench = try CounterBench(
      user, counters: [1, 8, 9].map { Counter(event: 0x12, plm: $0) } + [8].map { Counter(event: 8, plm: $0) })
    bench.processor.setAR(AR.lc, 499)
    bench.processor.state.gr[10] = PSR.ic | PSR.up | 3 << PSR.cplShift
    bench.processor.state.gr[11] = try #require(bench.labels["user"])
    bench.run(to: CounterBench.handlers + UInt64(Vector.breakInstruction.rawValue), pieces: 100_000)
    #expect(bench[0] + bench[1] == bench[2])
    #expect(bench[1] >= 500)
    #expect(bench[3] == 3000)
  }

  @Test(
    "An overflow interrupts within a few cycles, and the same wherever the run is cut",
    arguments: [0x12, 0x08, 0xCD, 0xD1] as [UInt64])
  func overflow(event: UInt64) throws {
    var ends: [UInt64] = []
    for pieces in [1, 17, 1000, 1_000_000] as [UInt64] {
      let bench = try CounterBench(
        Self.loop, counters: [Counter(event: event, oi: true, value: 0 &- 1000)], psr: PSR.ic | PSR.up | PSR.i)
      bench.processor.setAR(AR.lc, 1_000_000)
      bench.run(to: CounterBench.handlers + 0x3000, pieces: pieces)
      #expect(bench.processor.state.pmc[0] == 1 << 4 | 1)
      // A round is a cycle; the counter stops when the interrupt comes.
      #expect(bench[0] <= 12, "\(bench[0])")
      ends.append(bench.processor.state.cr[CR.iip])
      ends.append(bench[0])
    }
    for n in stride(from: 2, to: ends.count, by: 2) {
      #expect(ends[n] == ends[0])
      #expect(ends[n + 1] == ends[1])
    }
  }

  @Test("No two events share a code, and all fit a PMC") func table() {
    let codes = MonitoredEvent.all.map { UInt32($0.umask) << 16 | UInt32($0.select) }
    #expect(Set(codes).count == codes.count)
    #expect(MonitoredEvent.all.allSatisfy { $0.select < 256 && $0.umask < 16 && $0.increment >= 1 && $0.increment <= 7 })
  }
}
