import Arithmetic
import IA64
import Processor
import TestSupport
import Testing

/// Random guests by blocks and by single steps: virtualized instructions among ordinary ones, with random accelerations and disables, an
/// interrupt that is pending now and then, NaT bits. A monitor skips what is intercepted and switches PSR.ic of the guest.
@Suite("Random intercepts in lockstep", .ends(withinMinutes: 5))
struct InterceptLockstepTests {
  private static let programs = OperandSource.isComplete ? 5_000 : 40
  private static let turns = 300

  /// The monitor's vectors: an intercept is skipped; a virtual interrupt masks the guest's interrupts.
  private static let handlers: [Vector: String] = {
    var handlers: [Vector: String] = [.virtualExternalInterrupt: "movl r16=0x280590 ;;\nst8 [r16]=r0 ;;\nrfi ;;"]
    for vector in [Vector.virtualization, .generalException, .natConsumption] { handlers[vector] = GuestMachine.skip }
    return handlers
  }()

  @Test func blocksAndStepsAgree() throws {
    var interruptions: UInt64 = 0
    for number in 0..<Self.programs { interruptions += try run(number) }
    #expect(interruptions > UInt64(Self.programs) * 20)
  }

  private func run(_ number: Int) throws -> UInt64 {
    var random = OperandSource("intercept lockstep", round: number)
    let vac = VirtualProcessorDescriptor.Accelerations(rawValue: random.bits() & 0x7F)
    let vdc = VirtualProcessorDescriptor.Disables(rawValue: random.bits() & 0x3C)
    let lines = (0..<random.number(4...40)).map { _ in line(&random) }
    let source = lines.joined(separator: "\n") + "\nbr.cond.sptk.few 0x100000 ;;"
    let vpsr = random.bits() & (PSR.i | PSR.ic | PSR.bn)
    let psr = GuestMachine.psr | (random.chance(20) ? PSR.si : 0)
    let machine = try GuestMachine.make(source, vac: vac, vdc: vdc, vpsr: vpsr, psr: psr, handlers: Self.handlers)
    for n in 4..<48 { machine[gr: n] = random.value() }
    machine[gr: 2] = GuestMachine.vpd + 0x590
    machine[gr: 3] = GuestMachine.vpd + 0x100
    if random.chance(50) { machine[nat: UInt8(random.number(4...31))] = true }
    for offset in stride(from: 0x400, to: 0x500, by: 8) { machine[vpd: offset] = random.value() }
    machine[vpd: 0x500] = random.bits() & (random.chance(50) ? .max : 0)
    for n in 0..<5 { machine[vpd: 0x510 + 8 * n] = n == 3 ? UInt64(random.number(2...4)) : random.bits() }
    machine[vpd: 0x100] = random.pick([0, 0, 7, 16, 32])
    machine.each { $0.lookForVirtualInterrupt() }
    let (blocks, steps) = (machine.blocks, machine.steps)
    for turn in 0..<Self.turns {
      let deadline = blocks.state.cycles + UInt64(random.number(1...200))
      let reason = blocks.turn(random.chance(50) ? .block : .chain, until: deadline)
      let other = steps.turn(.steps(blocks.goal(after: reason)), until: deadline)
      if let difference = blocks.difference(from: steps) {
        Issue.record("EPICURE_SEED=\(OperandSource.seed), program \(number), turn \(turn): \(difference)\n\(source)")
        return 0
      }
      if reason == .faultLoop || other == .faultLoop { break }
    }
    let differences = StateComparison.differences(blocks, steps)
    #expect(differences.isEmpty, "EPICURE_SEED=\(OperandSource.seed), program \(number): \(differences.joined(separator: "; "))")
    return blocks.interruptionCount
  }

  private func line(_ random: inout OperandSource) -> String {
    let predicate = random.chance(20) ? "(p\(random.number(6...7))) " : ""
    switch random.number(0...9) {
    case 0: return "adds r\(random.number(4...31))=\(random.number(-50...50)),r\(random.number(4...31)) ;;"
    case 1: return "cmp.ltu p6,p7=r\(random.number(4...47)),r\(random.number(4...47)) ;;"
    // The guest's own interrupts, level and bank, as its monitor has them; a new pending interrupt.
    case 2: return "\(predicate)st8 [r2]=r\(random.number(4...47)) ;;"
    case 3: return "\(predicate)st1 [r3]=r\(random.number(4...47)) ;;"
    case 4: return "\(predicate)ssm 0x4000 ;;"
    case 5: return "\(predicate)rsm 0x4000 ;;"
    case 6: return "bsw.\(random.number(0...1)) ;;"
    default:
      let instruction = random.pick(VirtualizedInstruction.all)
      // These would go through: r4 is anything.
      if instruction.unit == .b { return "\(instruction.text) ;;" }
      return "\(predicate)\(instruction.text) ;;"
    }
  }
}
