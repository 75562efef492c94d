import Arithmetic
import IA64
import Processor

/// An instruction that has asked for software assistance, and what its handler is given of the program that it has interrupted (Itanium
/// Architecture Software Developer's Manual, Volume 1, section 5.4.1.2; "IA-64 Floating-Point Software Assistance Handler" for the interface).
///
/// The limit cases of frcpa and frsqrta are completed; other faults and traps are the program's, as its FPSR wants them.
struct AssistedInstruction {
  let bundle: Bundle
  var ipsr: UInt64
  var fpsr: UInt64
  var isr: UInt64
  /// As `mov r = pr` gives them: without rotation.
  var predicates: UInt64
  let ifs: UInt64

  /// What the caller is told: the instruction is done, has faulted, or is done and has trapped.
  enum Verdict: UInt64 {
    case done = 0
    case fault = 1
    case trap = 2
  }

  /// A register of the instruction's that has a new value.
  struct Result {
    let register: UInt8
    let value: FloatRegister
  }

  /// ISR.code: bits 3 and 7 ask for assistance.
  private static let assistCode: UInt64 = 0x88

  /// Computes the instruction. `load` gives the interrupted program's registers by the instruction's own numbers.
  mutating func complete<E: Error>(_ load: (UInt8) throws(E) -> FloatRegister) throws(E) -> (verdict: Verdict, result: Result?) {
    guard isr & Self.assistCode != 0 else { return (.fault, nil) }
    let instruction = Decoder.decode(bundle: bundle, slot: Int(min(PSR.ri(ipsr), 2)))
    let field = Int(instruction.statusField)
    let control = FloatControl(fpsr: fpsr, statusField: field, precision: instruction.attributes.precision.rawValue)
    let outcome: FloatOutcome
    switch instruction.operation {
    case .frcpa: outcome = FloatArithmetic.softwareAssistFrcpa(try load(instruction.f2), try load(instruction.f3), control)
    case .frsqrta: outcome = FloatArithmetic.softwareAssistFrsqrta(try load(instruction.f3), control)
    default: return (.fault, nil)
    }
    if outcome.fault != 0 {
      isr = isr & ~0xFFFF | UInt64(outcome.fault)
      return (.fault, nil)
    }
    fpsr |= UInt64(outcome.flags) << UInt64(6 + 13 * field + 7)
    // The result is final: the iteration that follows is left out.
    if instruction.p2 != 0 { predicates &= ~(1 << UInt64(physicalPredicate(Int(instruction.p2)))) }
    ipsr |= instruction.f1 < 32 ? PSR.mfl : PSR.mfh
    let result = Result(register: instruction.f1, value: outcome.value)
    guard outcome.trap != 0 else { return (.done, result) }
    isr = isr & ~0xFFFF | UInt64(outcome.trap) | 1
    return (.trap, result)
  }

  /// The rename base is that of the frame that was interrupted, or, if IFS does not hold one, 0.
  private func physicalPredicate(_ number: Int) -> Int {
    number < 16 || ifs >> 63 == 0 ? number : 16 + (number - 16 + Int(ifs >> 32 & 0x3F)) % 48
  }
}
