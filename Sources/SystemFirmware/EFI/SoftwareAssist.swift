import Arithmetic
import IA64
import Processor

/// Floating-point software assistance as a service of EFI: what operating systems call for floating-point faults and traps.
extension SystemFirmware {
  /// in0 1 for a fault, 0 for a trap; in1 bundle; in2 IPSR, in3 FPSR, in4 ISR, in5 predicates, in6 IFS (all by reference); in7 where
  /// floating-point registers are that are not in the processor. r8 to r11 are the result.
  func softwareAssist(_ call: GuestCall) throws(GuestAccessFailure) -> GateOutcome {
    let isFault = call.argument(0) == 1
    let verdict = isFault ? try assist(call) : .trap
    call.set(8, verdict.rawValue)
    for register in 9...11 as ClosedRange<UInt8> { call.set(register, 0) }
    return .proceed
  }

  private func assist(_ call: GuestCall) throws(GuestAccessFailure) -> AssistedInstruction.Verdict {
    let bundle = Bundle(low: try call.load(call.argument(1)), high: try call.load(call.argument(1) &+ 8))
    var instruction = AssistedInstruction(
      bundle: bundle, ipsr: try call.load(call.argument(2)), fpsr: try call.load(call.argument(3)),
      isr: try call.load(call.argument(4)), predicates: try call.load(call.argument(5)), ifs: try call.load(call.argument(6)))
    let floats = try interruptedFloats(call, ifs: instruction.ifs)
    let (verdict, result) = try instruction.complete { register throws(GuestAccessFailure) in
      switch floats.place(register) {
      case .memory(let address, _): InterruptedFloats.register(try call.load(address), try call.load(address &+ 8))
      case .processor(let place): place.value
      case .constant(let value): value
      }
    }
    // Nothing changes before everything can be reached.
    for pointer in call.arguments(2...5) { try call.check(pointer, count: 8) }
    if let result {
      switch floats.place(result.register) {
      case .memory(let address, _):
        try call.check(address, count: 16)
        try call.store(address, result.value.significand)
        try call.store(address &+ 8, result.value.signExponent)
      case .processor(let place): place.value = result.value
      case .constant: break
      }
    }
    for (pointer, value) in zip(
      call.arguments(2...5), [instruction.ipsr, instruction.fpsr, instruction.isr, instruction.predicates])
    {
      try call.store(pointer, value)
    }
    return verdict
  }

  private func interruptedFloats(_ call: GuestCall, ifs: UInt64) throws(GuestAccessFailure) -> InterruptedFloats {
    var words: [UInt64] = []
    for n in 0..<6 as Range<UInt64> { words.append(try call.load(call.argument(7) &+ 8 &* n)) }
    return InterruptedFloats(masks: Array(words[0..<2]), pointers: Array(words[2...]), ifs: ifs, processor: call.processor)
  }
}
