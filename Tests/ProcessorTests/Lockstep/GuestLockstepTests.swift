import Arithmetic
import Hypervisor
import IA64
import Platform
import Processor
import TestSupport
import Testing

/// The random programs of ``RandomLockstepTests`` on the bare machine, instruction by instruction, and as an HVM domain: every register that
/// the guest can see, and its memory, must be the same after each turn, whatever the hypervisor did meanwhile.
@Suite("Random guests against the bare machine", .ends(withinMinutes: 5))
struct GuestLockstepTests {
  private static let programs = OperandSource.isComplete ? 5_000 : 16
  private static let turns = OperandSource.isComplete ? 2_000 : 400

  @Test(arguments: [VirtualProcessorDescriptor.Accelerations.implemented, []])
  func guestsAndBareMachinesAgree(_ accelerations: VirtualProcessorDescriptor.Accelerations) throws {
    var interruptions: UInt64 = 0
    var exits: UInt64 = 0
    for number in 0..<Self.programs {
      let (taken, left) = try run(number, accelerations)
      interruptions += taken
      exits += left
    }
    // The programs do something, and the hypervisor too.
    #expect(interruptions > UInt64(Self.programs) * 10)
    #expect(exits > interruptions)
  }

  private func run(
    _ number: Int, _ accelerations: VirtualProcessorDescriptor.Accelerations
  ) throws -> (interruptions: UInt64, exits: UInt64) {
    var random = OperandSource("guest lockstep", round: number)
    let pair = try GuestPair(accelerations)
    let length = random.number(8...120)
    let encodings = try RandomEncodings(length: length)
    var bundles = (0..<length).map { encodings.bundle(at: $0, &random) }
    bundles += try Assembler.assemble("br.cond.sptk.few 0x100000", at: TestMachine.code + UInt64(length) * 16)
    pair.place(bundles, at: TestMachine.code)
    try pair.prepare(&random)
    let where_ = { (turn: Int) in
      "EPICURE_SEED=\(OperandSource.seed), program \(number), turn \(turn), vac \(accelerations.rawValue)"
    }
    for turn in 0..<Self.turns {
      let start = pair.virtual.state.pointee.instructions
      let deadline = pair.virtual.state.cycles + UInt64(random.number(1...400))
      let reason = pair.domain.turn(0, random.chance(50) ? .block : .chain, until: deadline)
      if pair.hasLeftTheGuestsAddresses { break }
      pair.follow()
      pair.settle()
      if pair.isInTheMiddle { continue }
      if let difference = pair.difference() {
        let exits = pair.domain.processors[0].exits.last.suffix(4).map { "\($0.kind.name) at 0x\(String($0.ip, radix: 16))" }
        let (a, b) = (pair.virtual, pair.bare)
        let counts =
          "\(start): \(a.state.pointee.instructions)/\(b.state.pointee.instructions) slots, \(a.interruptionCount)/\(b.interruptionCount) interruptions, \(reason.map { "\($0)" } ?? "goes on")"
        Issue.record("\(where_(turn)): \(difference); \(counts); last exits: \(exits.joined(separator: ", "))")
        return (0, 0)
      }
      if reason == .faultLoop || reason == .halted { break }
    }
    if !pair.hasLeftTheGuestsAddresses {
      #expect(pair.machine.memory.contentHash() == pair.domain.memory.contentHash(), "\(where_(Self.turns)): memory")
    }
    return (pair.bare.interruptionCount, pair.domain.processors[0].exits.total)
  }
}

/// A bare machine and a domain with the same contents.
private final class GuestPair {
  let machine: Machine
  let domain: HVMDomain
  var bare: LogicalProcessor { machine.processors[0] }
  var virtual: LogicalProcessor { domain.processors[0].processor }

  init(_ accelerations: VirtualProcessorDescriptor.Accelerations) throws {
    let configuration = MachineConfiguration(memorySize: 64 << 20)
    machine = try Machine(configuration)
    var settings = HVMDomain.Configuration(machine: configuration)
    settings.accelerations = accelerations
    domain = try HVMDomain(settings, pool: FramePool(size: HVMDomain.memoryNeeded(configuration), kept: 0))
    for processor in [bare, virtual] { processor.idlesAtPause = false }
  }

  func place(_ bundles: [Bundle], at address: UInt64) {
    for (i, bundle) in bundles.enumerated() {
      store(address + UInt64(i) * 16, bundle.low)
      store(address + UInt64(i) * 16 + 8, bundle.high)
    }
  }

  func store(_ address: UInt64, _ value: UInt64) {
    machine.memory.store(address, value)
    domain.memory.store(address, value)
  }

  private func each(_ body: (LogicalProcessor) -> Void) {
    body(bare)
    domain.withGuest(0) { body(virtual) }
    domain.wasReset(0)
  }

  func prepare(_ random: inout OperandSource) throws {
    for (vector, text) in LockstepHandlers.all {
      let address = TestMachine.handlers + UInt64(vector.rawValue)
      place(try Assembler.program(text, at: address, symbols: [:]).bundles, at: address)
    }
    for offset in stride(from: UInt64(0), to: 0x10000, by: 8) { store(TestMachine.data + offset, random.value()) }
    let translated = random.chance(80)
    let general = (0..<128).map { n in
      (2..<8).contains(n) ? (translated ? 1 << 61 : TestMachine.data) | UInt64(random.number(0...0xFFF)) << 4 : random.value()
    }
    let float = (2..<128).map { _ in random.floatValue() }
    let predicates = (1..<64).map { _ in random.chance(50) }
    let branches = (0..<8).map { _ in TestMachine.code + UInt64(random.number(0...7)) * 16 }
    let status = random.floatStatus() & (random.chance(50) ? .max : ~0x3F)
    let (loops, epilog, match) = (UInt64(random.number(0...20)), UInt64(random.number(0...5)), UInt64(random.number(10...300)))
    let psr =
      PSR.ic | PSR.bn | (random.chance(80) ? PSR.i : 0) | (random.chance(20) ? PSR.ac : 0)
      | (translated ? PSR.dt | PSR.rt | PSR.it : 0)
    each { p in
      p.reset()
      for region in 0..<8 { p.state.rr[region] = UInt64(region) << 8 | 14 << 2 }
      p.state.cr[CR.iva] = TestMachine.handlers
      p.setCFM(96 | 48 << 7)
      p.state.pointee.bsp = TestMachine.backingStore
      p.state.pointee.bspStore = TestMachine.backingStore
      p.state.pointee.ip = TestMachine.code
      p.setPSR(psr)
      for megabyte in 0..<4 as Range<UInt64> {
        for instruction in [false, true] {
          p.insertTranslation(
            instruction: instruction, virtual: megabyte << 20, physical: megabyte << 20, pageShift: 20, accessRights: 3,
            privilegeLevel: 3)
        }
      }
      for n in 2..<128 { p.state.gr[n] = general[n] }
      for (n, value) in float.enumerated() { p.state.f(UInt8(n + 2)).value = value }
      for (n, value) in predicates.enumerated() { p.state.pr[n + 1] = value ? 1 : 0 }
      for (n, value) in branches.enumerated() { p.state.br[n] = value }
      p.setAR(AR.fpsr, status)
      p.setAR(AR.lc, loops)
      p.setAR(AR.ec, epilog)
      p.setAR(AR.pfs, 96 | 48 << 7)
      p.state.cr[CR.itv] = 0x41
      p.state.cr[CR.itm] = match
      // Setting ITC arms the timer.
      p.setAR(AR.itc, 0)
    }
  }

  /// Brings the bare machine to where the guest is: as many instructions and interruptions.
  func follow() {
    for _ in 0..<8 {
      let (slots, taken) = (bare.state.pointee.instructions, bare.interruptionCount)
      let (wanted, interruptions) = (virtual.state.pointee.instructions, virtual.interruptionCount)
      if slots >= wanted && taken >= interruptions { return }
      // An instruction's own fault belongs to the turn; an interrupt that came behind it has a turn of its own.
      var goal = Extent.Goal(instructions: wanted, interruptions: slots == wanted ? taken + 1 : taken)
      if let last = domain.processors[0].exits.last.last, case .reflected = last.kind {
        goal = Extent.Goal(instructions: wanted, interruptions: interruptions)
      }
      _ = bare.turn(.steps(goal), until: .max)
    }
  }

  /// What is due without an instruction happens to both: interrupts, what the timer has brought.
  func settle() {
    for _ in 0..<8 { if domain.turn(0, .chain, until: 0) != nil { break } }
    for _ in 0..<8 { if bare.turn(.chain, until: 0) != nil { break } }
  }

  /// The guest has been told of an address that only guests do not have.
  var hasLeftTheGuestsAddresses: Bool {
    guard let last = domain.processors[0].exits.last.last, case .reflected = last.kind else { return false }
    return (last.detail >> 60 ^ last.detail >> 59) & 1 != 0
  }

  /// A speculative load is about to be deferred: the bare machine has done it in one go.
  var isDeferring: Bool { virtual.state.pointee.psr & PSR.ed != 0 }

  var isInTheMiddle: Bool {
    isDeferring || bare.state.pointee.frameIncomplete || virtual.state.pointee.frameIncomplete
  }

  /// Where the guest's view of its processor differs from the bare one.
  func difference() -> String? {
    var difference: String?
    domain.withGuest(0) { difference = virtual.difference(from: bare) }
    return difference
  }
}
