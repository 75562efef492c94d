import Arithmetic
import Processor

/// Floating-point registers of an interrupted program. Those whose bit is set in the masks have been saved by its system, in groups of
/// 16 bytes each: f2 to f5, f6 to f15, f16 to f31, f32 to f127; the rest is in the processor.
struct InterruptedFloats {
  private static let groups: [Range<Int>] = [2..<6, 6..<16, 16..<32, 32..<128]
  /// Of registers 0 to 63, and 64 to 127.
  let masks: [UInt64]
  /// Where each group begins.
  let pointers: [UInt64]
  let processor: LogicalProcessor
  private let renameBase: Int

  /// `ifs`: of the interrupted program.
  init(masks: [UInt64], pointers: [UInt64], ifs: UInt64, processor: LogicalProcessor) {
    (self.masks, self.pointers, self.processor) = (masks, pointers, processor)
    renameBase = ifs >> 63 != 0 ? Int(ifs >> 25 & 0x7F) : 0
  }

  enum Place {
    /// Of its 16 bytes, and of the first register of its group.
    case memory(UInt64, group: UInt64)
    case processor(FloatPlace)
    /// f0 and f1.
    case constant(FloatRegister)
  }

  func place(_ register: UInt8) -> Place {
    let state = processor.state
    if register < 2 { return .constant(state.f(register).value) }
    let physical = register < 32 ? Int(register) : 32 + (Int(register) - 32 + renameBase) % 96
    if masks[physical / 64] >> UInt64(physical % 64) & 1 != 0, let group = Self.groups.firstIndex(where: { $0.contains(physical) })
    {
      return .memory(pointers[group] &+ 16 &* UInt64(physical - Self.groups[group].lowerBound), group: pointers[group])
    }
    // The caller's own frame may rotate, too.
    return .processor(state.f(UInt8(physical < 32 ? physical : 32 + (physical - 32 - state.pointee.rrbFR + 96) % 96)))
  }

  static func register(_ low: UInt64, _ high: UInt64) -> FloatRegister {
    FloatRegister(significand: low, signExponent: high & 0x3FFFF)
  }
}
