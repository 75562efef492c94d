import Arithmetic
import IA64
import Processor
import TestSupport
import Testing

/// Random programs by blocks and by single steps: loops, calls, predicates, rotation, references with faults and TLB misses, code that is
/// overwritten, PSR changes, the interval timer. Both must agree after each turn in state, counts and the place of each interruption.
@Suite("Random lockstep", .ends(withinMinutes: 5))
struct RandomLockstepTests {
  private static let programs = OperandSource.isComplete ? 20_000 : 24
  private static let turns = OperandSource.isComplete ? 4_000 : 600

  /// Everything, nothing, everything but one, and one alone.
  private static let specialisations: [Specialisations] =
    [.all, []] + Specialisations.named.map { .all.subtracting($0.value) } + Specialisations.named.map(\.value)

  @Test(arguments: specialisations) func blocksAndStepsAgree(_ specialisations: Specialisations) throws {
    var interruptions: UInt64 = 0
    var instructions: UInt64 = 0
    let programs = specialisations == .all ? Self.programs : Self.programs / 6
    for number in 0..<programs {
      let (count, slots) = try run(number, specialisations)
      interruptions += count
      instructions += slots
    }
    // The programs do something.
    #expect(interruptions > UInt64(programs) * 10)
    #expect(instructions > UInt64(programs) * 1_000)
  }

  private func run(_ number: Int, _ specialisations: Specialisations) throws -> (interruptions: UInt64, slots: UInt64) {
    var random = OperandSource("lockstep", round: number)
    let length = random.number(8...120)
    let machine = try TestMachine("nop.m 0", handlers: LockstepHandlers.all)
    let encodings = try RandomEncodings(length: length)
    var bundles = (0..<length).map { encodings.bundle(at: $0, &random) }
    bundles += try Assembler.assemble("br.cond.sptk.few 0x100000", at: TestMachine.code + UInt64(length) * 16)
    machine.place(bundles, at: TestMachine.code)
    prepare(machine, &random)
    let (blocks, steps) = (machine.blocks, machine.steps)
    blocks.specialisations = specialisations
    for turn in 0..<Self.turns {
      let deadline = blocks.state.cycles + UInt64(random.number(1...400))
      let extent: Extent = random.chance(50) ? .block : .chain
      let reason = blocks.turn(extent, until: deadline)
      let other = steps.turn(.steps(blocks.goal(after: reason)), until: deadline)
      if let difference = blocks.difference(from: steps) {
        Issue.record("EPICURE_SEED=\(OperandSource.seed), program \(number), turn \(turn), at \(place(blocks)): \(difference)")
        return (0, 0)
      }
      if reason == .faultLoop || other == .faultLoop { break }
      if reason == .halted { break }
    }
    let differences = StateComparison.differences(blocks, steps).filter { $0.hasPrefix("[") || $0.hasPrefix("alat") }
    if !differences.isEmpty {
      Issue.record("EPICURE_SEED=\(OperandSource.seed), program \(number), at the end: \(differences.joined(separator: "; "))")
    }
    return (blocks.interruptionCount, blocks.state.pointee.instructions)
  }

  private func place(_ processor: LogicalProcessor) -> String {
    "0x\(String(processor.state.pointee.ip, radix: 16)).\(PSR.ri(processor.state.pointee.psr))"
  }

  private func prepare(_ machine: TestMachine, _ random: inout OperandSource) {
    let translated = random.chance(80)
    let enabled: UInt64 = PSR.ic | PSR.bn | (random.chance(80) ? PSR.i : 0) | (random.chance(20) ? PSR.ac : 0)
    machine.each { $0.state.rr[1] = 1 << 8 | 14 << 2 }
    machine.mapMemory()
    machine.psr = enabled | (translated ? PSR.dt | PSR.rt | PSR.it : 0)
    machine.each { $0.setCFM(96 | 48 << 7) }
    for n in 2..<8 { machine[gr: n] = (translated ? 1 << 61 : TestMachine.data) | UInt64(random.number(0...0xFFF)) << 4 }
    for n in 8..<128 { machine[gr: n] = random.value() }
    for n in 2..<128 { machine[fr: UInt8(n)] = random.floatValue() }
    for n in 1..<64 { machine[pr: n] = random.chance(50) }
    for n in 0..<8 { machine[br: n] = TestMachine.code + UInt64(random.number(0...7)) * 16 }
    // Half of the programs let floating-point exceptions trap.
    machine[ar: AR.fpsr] = random.floatStatus() & (random.chance(50) ? .max : ~0x3F)
    machine[ar: AR.lc] = UInt64(random.number(0...20))
    machine[ar: AR.ec] = UInt64(random.number(0...5))
    machine[ar: AR.pfs] = 96 | 48 << 7
    machine[cr: CR.itv] = 0x41
    machine[cr: CR.itm] = UInt64(random.number(10...300))
    // Setting ITC arms the timer.
    machine[ar: AR.itc] = 0
    var offset: UInt64 = 0
    while offset < 0x10000 {
      machine.store(TestMachine.data + offset, random.value())
      offset += 8
    }
  }
}
