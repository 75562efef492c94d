/// Relations of fcmp and fpcmp.
public enum FloatRelation: Sendable {
  case equal, less, lessOrEqual, unordered, notEqual, notLess, notLessOrEqual, ordered
}

extension FloatArithmetic {
  /// fcmp, and one half of fpcmp: `predicate` tells whether the relation holds.
  ///
  /// With a NaTVal operand the predicate is false; fcmp then clears both of its target predicates.
  public static func compare(
    _ f2: FloatRegister, _ f3: FloatRegister, _ relation: FloatRelation, _ control: FloatControl
  ) -> FloatOutcome {
    var outcome = FloatOutcome()
    if !(f2.isNormal && f3.isNormal) {
      if f2.isNaTVal || f3.isNaTVal { return outcome }
      let unordered = f2.isNaN || f3.isNaN || f2.isUnsupported || f3.isUnsupported
      let faulting = compareExceptions(f2, f3, quietIsInvalid: relation.signalsQuietNaN, control, &outcome.flags)
      if faulting != 0 { return .fault(faulting) }
      if unordered {
        outcome.predicate = relation.holdsForUnordered
        return outcome
      }
    }
    switch relation {
    case .equal: outcome.predicate = isEqual(f2, f3)
    case .less: outcome.predicate = isLess(f2, f3)
    case .lessOrEqual: outcome.predicate = !isLess(f3, f2)
    case .unordered: outcome.predicate = false
    case .notEqual: outcome.predicate = !isEqual(f2, f3)
    case .notLess: outcome.predicate = !isLess(f2, f3)
    case .notLessOrEqual: outcome.predicate = isLess(f3, f2)
    case .ordered: outcome.predicate = true
    }
    return outcome
  }

  /// fmin, fmax, famin, famax: the operand as it is, not normalised. Unless f2 wins the comparison, that is f3; so
  /// for NaNs, which are signaled as fcmp.lt would.
  public static func minmax(
    _ f2: FloatRegister, _ f3: FloatRegister, _ control: FloatControl, maximum: Bool, magnitude: Bool
  ) -> FloatOutcome {
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

  /// Numeric equality of operands that are no NaNs.
  @inline(__always)
  private static func isEqual(_ a: FloatRegister, _ b: FloatRegister) -> Bool {
    if a.isZero || b.isZero { return a.isZero && b.isZero }
    return a.isNegative == b.isNegative && magnitude(a) == magnitude(b)
  }

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

  /// The answer if an operand is a NaN or unsupported.
  @inline(__always) var holdsForUnordered: Bool {
    switch self {
    case .unordered, .notEqual, .notLess, .notLessOrEqual: true
    case .equal, .less, .lessOrEqual, .ordered: false
    }
  }
}
