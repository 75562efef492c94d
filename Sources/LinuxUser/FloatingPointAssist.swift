import Arithmetic
import IA64
import Processor

/// The Software Assist fault: the system finishes what frcpa and frsqrta leave to it (Volume 1, section 5.4.1.2).
extension UserProcess {
  /// Completes the faulting instruction; false if the fault is not one of assistance.
  func assistFloatingPoint(_ fault: PendingInterruption) -> Bool {
    guard fault.isr & 0x88 != 0, let instruction = currentInstruction() else { return false }
    let s = processor.state
    let field = Int(instruction.statusField)
    var control = FloatControl(
      fpsr: s.ar[AR.fpsr], statusField: field, precision: instruction.attributes.precision.rawValue)
    control.completesLimitCases = true
    let outcome: FloatOutcome
    switch instruction.operation {
    case .frcpa: outcome = FloatArithmetic.frcpa(s.f(instruction.f2).value, s.f(instruction.f3).value, control)
    case .frsqrta: outcome = FloatArithmetic.frsqrta(s.f(instruction.f3).value, control)
    default: return false
    }
    if outcome.fault != 0 {
      s.pointee.fault.isr = UInt64(outcome.fault)
      floatingPointSignal(s.pointee.fault)
      return true
    }
    s.f(instruction.f1).value = outcome.value
    s.ar[AR.fpsr] |= UInt64(outcome.flags) << UInt64(6 + 13 * field + 7)
    if instruction.p2 != 0 { s.pr[Int(instruction.p2)] = outcome.predicate ? 1 : 0 }
    processor.setPSR(s.pointee.psr | (instruction.f1 < 32 ? PSR.mfl : PSR.mfh))
    skipInstruction()
    if outcome.trap != 0 {
      s.pointee.fault.vector = .floatingPointTrap
      s.pointee.fault.isr = UInt64(outcome.trap) | 1
      floatingPointSignal(s.pointee.fault)
    }
    return true
  }

  /// The instruction at IP and PSR.ri.
  func currentInstruction() -> Instruction? {
    currentBundle().map { Decoder.decode(bundle: $0, slot: Int(PSR.ri(processor.state.pointee.psr))) }
  }

  func currentBundle() -> Bundle? {
    let ip = processor.state.pointee.ip
    guard case .present(let physical, _) = space.page(ip, for: .execute),
      let low: UInt64 = processor.memory.load(physical + ip & PagePool.offsetMask),
      let high: UInt64 = processor.memory.load(physical + ip & PagePool.offsetMask + 8)
    else { return nil }
    return Bundle(low: low, high: high)
  }
}
