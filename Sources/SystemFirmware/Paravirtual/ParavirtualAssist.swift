import Arithmetic
import IA64
import Platform
import Processor

/// Floating-point software assistance of paravirtualized guests, which their firmware's stub asks for by a hypercall
/// (`xen/arch/ia64/xen/hypercall.c`, `fw_hypercall_fpswa`; `dom_fw_common.c` for the stub). All arguments are in registers: r14 1 for a
/// fault, 0 for a trap; r15 and r16 the bundle; r17 IPSR, r18 FPSR, r19 ISR, r20 predicates, r21 IFS, in and out; r22 and r23 which
/// floating-point registers are in memory; r24 to r27 the guest-physical addresses of the four groups, or 0.
public enum ParavirtualAssist {
  /// What guests are told of the handler: 0.1.0.
  public static let revision: UInt32 = 0x1_0000

  /// Nothing has been done.
  private static let failure = UInt64.max
  /// f6 to f11: Xen insists on them in memory, where every kernel has them.
  private static let alwaysSaved: UInt64 = 0xFC0
  private static let pageMask: UInt64 = 0x3FFF

  private struct Unreachable: Error {}

  /// r8.
  public static func call(_ processor: LogicalProcessor, memory: any GuestMemory) -> UInt64 {
    let s = processor.state
    func argument(_ n: Int) -> UInt64 { s.nat(UInt8(n)) ? .max : s.gr[n] }
    guard argument(14) == 1 else { return AssistedInstruction.Verdict.trap.rawValue }
    guard argument(22) & alwaysSaved == alwaysSaved, argument(25) != 0 else { return failure }
    var instruction = AssistedInstruction(
      bundle: Bundle(low: argument(15), high: argument(16)), ipsr: argument(17), fpsr: argument(18), isr: argument(19),
      predicates: argument(20), ifs: argument(21))
    let floats = InterruptedFloats(
      masks: [argument(22), argument(23)], pointers: (24...27).map(argument), ifs: instruction.ifs, processor: processor)

    /// A group is one page's, since what follows the page in physical memory is not what follows it for the guest.
    func check(_ address: UInt64, _ group: UInt64) throws(Unreachable) {
      guard group != 0, address & ~pageMask == group & ~pageMask, address & pageMask <= pageMask - 15 else { throw Unreachable() }
    }
    do throws(Unreachable) {
      let (verdict, result) = try instruction.complete { register throws(Unreachable) in
        switch floats.place(register) {
        case .memory(let address, let group):
          try check(address, group)
          guard let low: UInt64 = memory.load(address), let high: UInt64 = memory.load(address &+ 8) else { throw Unreachable() }
          return InterruptedFloats.register(low, high)
        case .processor(let place): return place.value
        case .constant(let value): return value
        }
      }
      if let result {
        switch floats.place(result.register) {
        case .memory(let address, let group):
          try check(address, group)
          guard memory.store(address, result.value.significand), memory.store(address &+ 8, result.value.signExponent) else {
            throw Unreachable()
          }
        case .processor(let place): place.value = result.value
        case .constant: break
        }
      }
      let words = [instruction.ipsr, instruction.fpsr, instruction.isr, instruction.predicates, instruction.ifs]
      for (n, word) in zip(17..., words) {
        s.gr[n] = word
        s.setNaT(UInt8(n), false)
      }
      return verdict.rawValue
    } catch { return failure }
  }
}
