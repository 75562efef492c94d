import Foundation
import IA64
import Pipeline
import Processor
import Testing

/// What is remembered of groups makes no difference, nor that some are announced together: with that and without, a program takes the same
/// cycles for the same reasons, and everything that is counted comes out the same.
struct TransitionTests {
  @Test(arguments: 1...12)
  func randomPrograms(seed: UInt64) throws {
    var generator = ProgramGenerator(seed: seed)
    let program = generator.program(pieces: 14, rounds: 250)
    let with = try measure(program, .all)
    let without = try measure(program, .all.subtracting(.transitions))
    #expect(with.cycles == without.cycles, "seed \(seed)")
    #expect(with.report == without.report, "seed \(seed)")
    // Long enough to have gone on from what was remembered.
    #expect(with.cycles > 20_000, "seed \(seed)")
  }

  /// Runs in short pieces: the model's clock stops and goes on in the middle of everything.
  @Test(arguments: 1...4)
  func interruptedRuns(seed: UInt64) throws {
    var generator = ProgramGenerator(seed: seed &* 77)
    let program = generator.program(pieces: 10, rounds: 150)
    let with = try measure(program, .all, pieces: 97)
    let without = try measure(program, .all.subtracting(.transitions), pieces: 97)
    #expect(with.cycles == without.cycles, "seed \(seed)")
    #expect(with.report == without.report, "seed \(seed)")
  }

  /// Other pipelines: another number of pairs in the buffer, other latencies.
  @Test(arguments: ["madison-1.5", "mckinley-1.0"])
  func otherPipelines(machine: String) throws {
    for seed: UInt64 in 101...102 {
      var generator = ProgramGenerator(seed: seed)
      let program = generator.program(pieces: 12, rounds: 120)
      let with = try measure(program, .all, machine: machine)
      let without = try measure(program, .all.subtracting(.transitions), machine: machine)
      #expect(with.cycles == without.cycles, "\(machine), seed \(seed)")
      #expect(with.report == without.report, "\(machine), seed \(seed)")
    }
  }

  private func measure(
    _ program: String, _ specialisations: Specialisations, machine: String = "montecito-1.6", pieces: UInt64 = 1 << 20
  ) throws -> (cycles: UInt64, report: String) {
    let bench = try CounterBench(program, counters: [], timed: false)
    bench.processor.specialisations = specialisations
    let pipeline = Pipeline(try MachineDescription.load(machine), watching: bench.processor)
    bench.run(pieces: pieces, limit: 20_000_000)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    let report = CycleReport([pipeline]) { _ in nil }
    return (bench.processor.state.cycles, String(decoding: try encoder.encode(report), as: UTF8.self))
  }
}

/// Writes programs of everything that matters to time: latencies of all kinds, references that hit and miss, predicates, branches of all
/// kinds, calls deeper than the register stack, rotation.
private struct ProgramGenerator {
  private var state: UInt64
  private var labels = 0
  private var text = ""

  init(seed: UInt64) { state = seed }

  private mutating func random(_ bound: Int) -> Int {
    // SplitMix64.
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return Int((z ^ z >> 31) % UInt64(bound))
  }

  private mutating func label() -> String {
    labels += 1
    return "l\(labels)"
  }

  private mutating func register() -> String { "r\([16, 17, 18, 19, 24, 40, 41, 42][random(8)])" }
  private mutating func floating() -> String { "f\(6 + random(8))" }
  private mutating func stop() -> String { random(2) == 0 ? " ;;" : "" }

  mutating func program(pieces: Int, rounds: Int) -> String {
    text = "mov r20=\(rounds)\nmovl r23=0x3fff8 ;;\nmovl r16=0x123456789abcdef ;;\nmov ar.fpsr=r0 ;;\n"
    text += "top:\n"
    for _ in 0..<pieces { piece() }
    text += "adds r20=-1,r20 ;;\ncmp.ne p6,p7=0,r20 ;;\n(p6) br.cond.dptk.few top ;;\nbr.cond.sptk.few end ;;\n"
    text += """
      leaf: alloc r32=ar.pfs,0,4,0,0 ;;
      add r33=r16,r17 ;;
      add r18=r33,r18
      br.ret.sptk.few b0 ;;
      deep: alloc r32=ar.pfs,0,6,0,0
      mov r33=b0
      adds r28=-1,r28 ;;
      cmp.lt p6,p7=r0,r28 ;;
      (p6) br.call.dptk.few b0=deep ;;
      mov ar.pfs=r32
      mov b0=r33 ;;
      br.ret.sptk.few b0 ;;
      end: nop 0 ;;

      """
    return text
  }

  private mutating func compute() {
    switch random(7) {
    case 0: text += "add \(register())=\(register()),\(register())\(stop())\n"
    case 1: text += "shladd \(register())=\(register()),\(1 + random(4)),\(register())\(stop())\n"
    case 2: text += "xor \(register())=\(register()),\(register())\(stop())\n"
    case 3: text += "shr.u \(register())=\(register()),\(random(64))\(stop())\n"
    case 4: text += "adds \(register())=\(random(8000)),\(register())\(stop())\n"
    case 5: text += "shl \(register())=\(register()),\(register())\(stop())\n"
    default: text += "popcnt \(register())=\(register())\(stop())\n"
    }
  }

  /// An address in r25, mostly near, sometimes anywhere in 256 KB.
  private mutating func address() {
    if random(3) == 0 {
      text += "and r25=r23,\(register()) ;;\n"
    } else {
      text += "dep.z r25=\(register()),3,\(4 + random(8)) ;;\n"
    }
    text += "add r25=r21,r25 ;;\n"
  }

  private mutating func piece() {
    switch random(16) {
    case 0...2: for _ in 0...random(6) { compute() }
    case 3:
      address()
      text += "ld\([1, 2, 4, 8][random(4)]) \(register())=[r25]\(stop())\n"
      for _ in 0..<random(3) { compute() }
    case 4:
      address()
      text += "st8 [r25]=\(register())\(stop())\n"
      if random(2) == 0 { text += "ld8 \(register())=[r25] ;;\n" }
    case 5:
      text += "tbit.nz p8,p9=\(register()),\(random(60)) ;;\n(p8) add \(register())=\(register()),\(register())\n"
      address()
      text += "(p9) ld8 \(register())=[r25]\n(p8) st8 [r25]=\(register()) ;;\n"
    case 6:
      let over = label()
      let whether = ["dptk", "dpnt", "sptk", "spnt"][random(4)]
      text += "tbit.z p8,p9=\(register()),\(random(60)) ;;\n(p8) br.cond.\(whether).few \(over) ;;\n"
      for _ in 0...random(3) { compute() }
      text += "\(over): nop 0 ;;\n"
    case 7:
      let over = label()
      text += "cmp.ltu p10,p11=\(register()),\(register())\n(p10) br.cond.dpnt.few \(over) ;;\n"
      compute()
      text += "\(over): nop 0 ;;\n"
    case 8:
      let loop = label()
      text += "mov ar.lc=\(random(12)) ;;\n\(loop):\n"
      compute()
      if random(2) == 0 {
        address()
        text += "ld8 \(register())=[r25]\n"
      }
      text += "br.cloop.sptk.few \(loop) ;;\n"
    case 9: text += "br.call.sptk.few b0=leaf ;;\n"
    case 10:
      if random(4) == 0 {
        text += "mov r28=\(4 + random(20)) ;;\nbr.call.sptk.few b0=deep ;;\n"
      } else {
        compute()
      }
    case 11:
      address()
      text += "ldfd \(floating())=[r25]\nfma.d \(floating())=\(floating()),\(floating()),\(floating()) ;;\n"
      text += "fma.d \(floating())=\(floating()),\(floating()),\(floating())\nstfd [r25]=\(floating()) ;;\n"
    case 12:
      text += "setf.sig \(floating())=\(register()) ;;\nxma.l \(floating())=\(floating()),\(floating()),\(floating()) ;;\n"
      text += "getf.sig \(register())=\(floating()) ;;\nfcmp.lt p12,p13=\(floating()),\(floating())\n(p12) add r17=r18,r19 ;;\n"
    case 13:
      let loop = label()
      text += "alloc r43=ar.pfs,0,32,0,8 ;;\nclrrrb ;;\nmov pr.rot=0x10000\nmov ar.lc=\(1 + random(10))\nmov ar.ec=3 ;;\n\(loop):\n"
      text += "(p16) ld8 r32=[r21]\n(p17) add r34=r33,r16\n(p18) fma.d f32=f33,f34,f7 ;;\nbr.ctop.sptk.few \(loop) ;;\nclrrrb ;;\n"
    case 14:
      let others = ["mf", "fetchadd8.acq r19=[r22],1", "lfetch [r21]", "srlz.d", "srlz.i", "hint.m 0"]
      text += "\(others[random(others.count)]) ;;\n"
    default: text += "mov r17=pr ;;\nmov r18=ar.lc ;;\nmux1 r19=r18,@rev ;;\n"
    }
  }
}
