import Arithmetic
import IA64
import Processor

/// Floating-point software assistance: the handler that operating systems call for floating-point faults and traps (Itanium Architecture
/// Software Developer's Manual, Volume 1, section 5.4.1.2; "IA-64 Floating-Point Software Assistance Handler" for the interface). It
/// completes the limit cases of frcpa and frsqrta; other faults and traps are the program's, as its FPSR wants them.
extension SystemFirmware {
  /// What the caller is told: the instruction is done, has faulted, or is done and has trapped.
  private enum Verdict: UInt64 {
    case done = 0
    case fault = 1
    case trap = 2
  }

  /// in0 1 for a fault, 0 for a trap; in1 bundle; in2 IPSR, in3 FPSR, in4 ISR, in5 predicates, in6 IFS (all by reference); in7 where
  /// floating-point registers are that are not in the processor. r8 to r11 are the result.
  func softwareAssist(_ call: GuestCall) throws(GuestAccessFailure) -> GateOutcome {
    let isFault = call.argument(0) == 1
    let verdict = isFault ? try assist(call) : .trap
    call.set(8, verdict.rawValue)
    for register in 9...11 as ClosedRange<UInt8> { call.set(register, 0) }
    return .proceed
  }

  /// ISR.code: bits 3 and 7 ask for assistance.
  private static let assistCode: UInt64 = 0x88

  private func assist(_ call: GuestCall) throws(GuestAccessFailure) -> Verdict {
    let isr: UInt64 = try call.load(call.argument(4))
    guard isr & Self.assistCode != 0 else { return .fault }
    let bundle = Bundle(low: try call.load(call.argument(1)), high: try call.load(call.argument(1) &+ 8))
    let ipsr: UInt64 = try call.load(call.argument(2))
    var status: UInt64 = try call.load(call.argument(3))
    var predicates: UInt64 = try call.load(call.argument(5))
    let frame: UInt64 = try call.load(call.argument(6))
    let instruction = Decoder.decode(bundle: bundle, slot: Int(min(PSR.ri(ipsr), 2)))
    let registers = try InterruptedFloats(call, frame: frame)
    let field = Int(instruction.statusField)
    let control = FloatControl(fpsr: status, statusField: field, precision: instruction.attributes.precision.rawValue)
    let outcome: FloatOutcome
    switch instruction.operation {
    case .frcpa:
      outcome = FloatArithmetic.softwareAssistFrcpa(
        try registers.load(instruction.f2, call), try registers.load(instruction.f3, call), control)
    case .frsqrta: outcome = FloatArithmetic.softwareAssistFrsqrta(try registers.load(instruction.f3, call), control)
    default: return .fault
    }
    // Nothing changes before everything can be reached.
    for pointer in call.arguments(2...5) { try call.check(pointer, count: 8) }
    if outcome.fault != 0 {
      try call.store(call.argument(4), isr & ~0xFFFF | UInt64(outcome.fault))
      return .fault
    }
    try registers.store(instruction.f1, outcome.value, call)
    status |= UInt64(outcome.flags) << UInt64(6 + 13 * field + 7)
    if instruction.p2 != 0 {
      let bit = UInt64(1) << UInt64(Self.physicalPredicate(Int(instruction.p2), frame: frame))
      // The result is final: the iteration that follows is left out.
      predicates &= ~bit
    }
    try call.store(call.argument(2), ipsr | (instruction.f1 < 32 ? PSR.mfl : PSR.mfh))
    try call.store(call.argument(3), status)
    try call.store(call.argument(5), predicates)
    guard outcome.trap != 0 else { return .done }
    try call.store(call.argument(4), isr & ~0xFFFF | UInt64(outcome.trap) | 1)
    return .trap
  }

  /// Where a predicate is in the saved ones: `mov r = pr` names them without rotation. The rename base is that of the frame that was
  /// interrupted, or, if IFS does not hold one, 0.
  private static func physicalPredicate(_ number: Int, frame: UInt64) -> Int {
    number < 16 || frame >> 63 == 0 ? number : 16 + (number - 16 + Int(frame >> 32 & 0x3F)) % 48
  }
}

/// Floating-point registers of the interrupted program. Those whose bit is set in the masks have been saved by the system, in groups of
/// 16 bytes each: f2 to f5, f6 to f15, f16 to f31, f32 to f127; the rest is in the processor.
private struct InterruptedFloats {
  private static let groups: [Range<Int>] = [2..<6, 6..<16, 16..<32, 32..<128]
  private let masks: [UInt64]
  private let pointers: [UInt64]
  private let renameBase: Int

  init(_ call: GuestCall, frame: UInt64) throws(GuestAccessFailure) {
    let state = call.argument(7)
    var words: [UInt64] = []
    for n in 0..<6 as Range<UInt64> { words.append(try call.load(state &+ 8 &* n)) }
    masks = Array(words[0..<2])
    pointers = Array(words[2...])
    renameBase = frame >> 63 != 0 ? Int(frame >> 25 & 0x7F) : 0
  }

  /// The register's place in memory; nil: it is in the processor.
  private func address(_ physical: Int) -> UInt64? {
    guard masks[physical / 64] >> UInt64(physical % 64) & 1 != 0,
      let group = Self.groups.firstIndex(where: { $0.contains(physical) })
    else { return nil }
    return pointers[group] &+ 16 &* UInt64(physical - Self.groups[group].lowerBound)
  }

  private func physical(_ register: UInt8) -> Int {
    register < 32 ? Int(register) : 32 + (Int(register) - 32 + renameBase) % 96
  }

  /// The register in the processor, where the caller's own frame may rotate, too.
  private func live(_ physical: Int, _ call: GuestCall) -> UnsafeMutablePointer<FloatRegister> {
    let base = call.processor.state.pointee.rrbFR
    return call.processor.state.f(UInt8(physical < 32 ? physical : 32 + (physical - 32 - base + 96) % 96))
  }

  func load(_ register: UInt8, _ call: GuestCall) throws(GuestAccessFailure) -> FloatRegister {
    let number = physical(register)
    guard let address = address(number) else { return live(number, call).pointee }
    return FloatRegister(significand: try call.load(address), signExponent: try call.load(address &+ 8, as: UInt64.self) & 0x3FFFF)
  }

  func store(_ register: UInt8, _ value: FloatRegister, _ call: GuestCall) throws(GuestAccessFailure) {
    let number = physical(register)
    guard number > 1 else { return }
    guard let address = address(number) else {
      live(number, call).pointee = value
      return
    }
    try call.check(address, count: 16)
    try call.store(address, value.significand)
    try call.store(address &+ 8, value.signExponent)
  }
}
