/// Relations of fcmp and fpcmp.
public enum FloatRelation: UInt8, Sendable {
  case equal, less, lessOrEqual, unordered, notEqual, notLess, notLessOrEqual, ordered

  /// Which of less (bit 0), equal (1), greater (2) and unordered (3) satisfy the relation.
  @inlinable @inline(__always) var mask: UInt32 {
    // One hexadecimal digit each, the last case first.
    0x7CED_8312 &>> (UInt32(rawValue) &* 4) & 0xF
  }
}

extension FloatArithmetic {
  /// fcmp, and one half of fpcmp: `predicate` tells whether the relation holds.
  ///
  /// With a NaTVal operand the predicate is false; fcmp then clears both of its target predicates.
  @inlinable @inline(__always)
  public static func compare(
    _ f2: FloatRegister, _ f3: FloatRegister, _ relation: FloatRelation, _ control: FloatControl
  ) -> FloatOutcome {
    guard f2.isNormalOrZero && f3.isNormalOrZero else { return compareAny(f2, f3, relation, control) }
    var outcome = FloatOutcome()
    outcome.status = UInt64(truncatingIfNeeded: relation.mask &>> ordinaryOrder(f2, f3) & 1) &<< 8
    return outcome
  }

  /// Normal numbers and true zeros: 0 less, 1 equal, 2 greater.
  @inlinable @inline(__always)
  static func ordinaryOrder(_ a: FloatRegister, _ b: FloatRegister) -> UInt32 {
    if (a.signExponent ^ b.signExponent) & FloatRegister.signBit != 0 {
      // The signs decide, except between zeros.
      if a.significand | b.significand == 0 { return 1 }
      return a.isNegative ? 0 : 2
    }
    if a == b { return 1 }
    // The exponent field of a zero is below all others.
    let smaller =
      a.signExponent == b.signExponent ? a.significand < b.significand : a.signExponent < b.signExponent
    return smaller != a.isNegative ? 0 : 2
  }

  /// fcmp with operands of any class.
  @usableFromInline @inline(never)
  static func compareAny(
    _ f2: FloatRegister, _ f3: FloatRegister, _ relation: FloatRelation, _ control: FloatControl
  ) -> FloatOutcome {
    var outcome = FloatOutcome()
    if f2.isNaTVal || f3.isNaTVal { return outcome }
    let faulting = compareExceptions(f2, f3, quietIsInvalid: relation.signalsQuietNaN, control, &outcome.flags)
    if faulting != 0 { return .fault(faulting) }
    let order: UInt32
    if f2.isNaN || f3.isNaN || f2.isUnsupported || f3.isUnsupported {
      order = 3
    } else {
      order = isLess(f2, f3) ? 0 : isLess(f3, f2) ? 2 : 1
    }
    outcome.predicate = relation.mask >> order & 1 != 0
    return outcome
  }

  /// fmin, fmax, famin, famax: the operand as it is, not normalised. Unless f2 wins the comparison, that is f3; so
  /// for NaNs, which are signaled as fcmp.lt would.
  public static func minmax(
    _ f2: FloatRegister, _ f3: FloatRegister, _ control: FloatControl, maximum: Bool, magnitude: Bool
  ) -> FloatOutcome {
    if f2.isNormalOrZero && f3.isNormalOrZero {
      let sign = magnitude ? FloatRegister.signBit : 0
      let order = ordinaryOrder(
        FloatRegister(significand: f2.significand, signExponent: f2.signExponent & ~sign),
        FloatRegister(significand: f3.significand, signExponent: f3.signExponent & ~sign))
      return FloatOutcome(order == (maximum ? 2 : 0) ? f2 : f3)
    }
    if f2.isNaTVal || f3.isNaTVal { return FloatOutcome(.natVal) }
    var outcome = FloatOutcome(f3)
    let faulting = compareExceptions(f2, f3, quietIsInvalid: true, control, &outcome.flags)
    if faulting != 0 { return .fault(faulting) }
    if f2.isNaN || f3.isNaN || f2.isUnsupported || f3.isUnsupported { return outcome }
    // A sign is dropped by zeroing pseudo-zeros, because the negative one of the largest exponent would become NaTVal.
    let a = magnitude ? (f2.significand == 0 ? .zero : f2.withSign(false)) : f2
    let b = magnitude ? (f3.significand == 0 ? .zero : f3.withSign(false)) : f3
    if maximum ? isLess(b, a) : isLess(a, b) { outcome.value = f2 }
    return outcome
  }

  /// fclass: membership in the classes of fclass9: positive, negative, zero, unnormal, normal, infinity, signaling
  /// NaN, quiet NaN, NaTVal from bit 0 on. The signs only select among zeros, unnormals, normals and infinities.
  public static func isMember(_ f2: FloatRegister, class classes: UInt64) -> Bool {
    if f2.isNaTVal { return classes & 0x100 != 0 }
    if f2.isQuietNaN { return classes & 0x80 != 0 }
    if f2.isSignalingNaN { return classes & 0x40 != 0 }
    if f2.isUnsupported || classes & (f2.isNegative ? 2 : 1) == 0 { return false }
    if f2.isInfinity { return classes & 0x20 != 0 }
    if f2.isUnnormal { return classes & 0x08 != 0 }
    return classes & (f2.significand == 0 ? 0x04 : 0x10) != 0
  }

  /// V or D of a comparison: the fault code, or the masked flag.
  private static func compareExceptions(
    _ a: FloatRegister, _ b: FloatRegister, quietIsInvalid: Bool, _ control: FloatControl, _ flags: inout UInt8
  ) -> UInt16 {
    let exception: UInt8
    if a.isUnsupported || b.isUnsupported || a.isSignalingNaN || b.isSignalingNaN {
      exception = FloatFlag.invalid
    } else if a.isNaN || b.isNaN {
      exception = quietIsInvalid ? FloatFlag.invalid : 0
    } else {
      exception = a.isUnnormal || b.isUnnormal ? FloatFlag.denormal : 0
    }
    if control.traps(exception) { return UInt16(exception) }
    flags |= exception
    return 0
  }

  /// Order of operands that are no NaNs.
  @inline(__always)
  private static func isLess(_ a: FloatRegister, _ b: FloatRegister) -> Bool {
    if a.isZero && b.isZero { return false }
    if a.isZero { return !b.isNegative }
    if b.isZero { return a.isNegative }
    if a.isNegative != b.isNegative { return a.isNegative }
    return a.isNegative ? magnitude(b) < magnitude(a) : magnitude(a) < magnitude(b)
  }

  /// A number that orders nonzero magnitudes: normalised exponent (which may be negative), then significand.
  @inline(__always)
  private static func magnitude(_ a: FloatRegister) -> Int128 {
    if a.isNormal || a.isSpecial { return Int128(a.exponent) &<< 64 | Int128(a.significand) }
    let n = a.normalized
    return Int128(n.exponent) &<< 64 | Int128(n.significand)
  }
}

extension FloatRelation {
  /// Relations made of "less" are invalid for every NaN, equality and unordered only for signaling ones.
  @inline(__always) var signalsQuietNaN: Bool {
    switch self {
    case .less, .lessOrEqual, .notLess, .notLessOrEqual: true
    case .equal, .notEqual, .unordered, .ordered: false
    }
  }
}
