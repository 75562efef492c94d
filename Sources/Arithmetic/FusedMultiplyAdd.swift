extension FloatArithmetic {
  /// The multiply-add of any operands in any environment.
  @usableFromInline @inline(never)
  static func fmaOfAny(
    _ f3: FloatRegister, _ f4: FloatRegister, _ f2: FloatRegister, _ control: FloatControl, negateProduct: Bool,
    negateAddend: Bool, addendIsFR0: Bool
  ) -> FloatOutcome {
    // Nothing to add to a normal number, as in an exact quotient's correction: it is the result if it need not be rounded.
    if f3.significand | f3.exponent == 0 || f4.significand | f4.exponent == 0, f3.isNormalOrZero, f4.isNormalOrZero,
      f2.isNormal, control.droppedBits == 0, f2.exponent &- 0xC001 < 0x7FFE
    {
      return FloatOutcome(
        FloatRegister(significand: f2.significand, signExponent: f2.signExponent ^ (negateAddend ? FloatRegister.signBit : 0)))
    }
    // Two normal factors and a normal or zero addend: nothing can happen before rounding.
    let addendIsZero = f2.significand | f2.exponent == 0
    guard f3.isNormal && f4.isNormal && (f2.isNormal || addendIsZero) else {
      return fmaGeneral(
        f3, f4, f2, control, negateProduct: negateProduct, negateAddend: negateAddend, addendIsFR0: addendIsFR0)
    }
    let negative = (f3.signExponent ^ f4.signExponent) >> 17 & 1 != (negateProduct ? 1 : 0)
    let exponent = Int(truncatingIfNeeded: f3.exponent &+ f4.exponent) &- 0xFFFF
    if addendIsZero { return product(negative, exponent, f3.significand, f4.significand, control, 0) }
    return sum(
      negative, exponent, f3.significand, f4.significand, f2.isNegative != negateAddend,
      Int(truncatingIfNeeded: f2.exponent), f2.significand, control, 0)
  }

  /// The product of two significands with bit 127 set, and the exponent that goes with it.
  @inline(__always)
  private static func multiply(_ exponent: Int, _ a: UInt64, _ b: UInt64) -> (Int, UInt128) {
    let (high, low) = a.multipliedFullWidth(by: b)
    let short = (high >> 63) ^ 1
    return (
      exponent &+ 1 &- Int(truncatingIfNeeded: short),
      (UInt128(high) &<< 64 | UInt128(low)) &<< UInt128(short)
    )
  }

  @inline(__always)
  private static func product(
    _ negative: Bool, _ exponent: Int, _ a: UInt64, _ b: UInt64, _ control: FloatControl, _ flags: UInt8
  ) -> FloatOutcome {
    let (exponent, significand) = multiply(exponent, a, b)
    return round(negative, exponent, significand, control, flags: flags)
  }

  /// Exact a * b + c of normalised significands, reduced to 128 bits of which the lowest may be sticky.
  @inline(__always)
  private static func sum(
    _ productNegative: Bool, _ productExponent: Int, _ a: UInt64, _ b: UInt64, _ addendNegative: Bool,
    _ addendExponent: Int, _ c: UInt64, _ control: FloatControl, _ flags: UInt8
  ) -> FloatOutcome {
    var (exponent, larger) = multiply(productExponent, a, b)
    var smaller = UInt128(c) &<< 64
    var negative = productNegative
    var distance = exponent &- addendExponent
    if distance < 0 || (distance == 0 && larger < smaller) {
      (larger, smaller) = (smaller, larger)
      exponent = addendExponent
      negative = addendNegative
      distance = 0 &- distance
    }
    // Align; what falls out only matters as being nonzero (`lost`).
    let count = UInt128(truncatingIfNeeded: distance)
    let aligned = distance > 127 ? 0 : smaller &>> count
    let lost = aligned &<< count != smaller
    if productNegative == addendNegative {
      let (total, carry) = larger.addingReportingOverflow(aligned)
      let sticky: UInt128 = lost ? 1 : 0
      if carry {
        return round(negative, exponent &+ 1, total &>> 1 | (total & 1) | sticky | 1 &<< 127, control, flags: flags)
      }
      return round(negative, exponent, total | sticky, control, flags: flags)
    }
    // With bits lost the difference lies between two integers: take the lower and add a fraction below it.
    let difference = larger &- aligned &- (lost ? 1 : 0)
    if difference == 0 && !lost {
      // Exact cancellation: +0, or -0 when rounding down.
      return FloatOutcome(.signedZero(control.rounding == 1), flags: flags)
    }
    // Only neighbours in exponent lose many leading bits. Then at most one bit was lost, so the fraction is exactly
    // one half and is shifted in as such; otherwise the shift is at most one and the fraction is sticky.
    let zeros = difference.leadingZeroBitCount
    let fraction: UInt128 = lost ? (zeros == 0 ? 1 : 1 &<< UInt128(truncatingIfNeeded: zeros &- 1)) : 0
    return round(
      negative, exponent &- zeros, difference &<< UInt128(truncatingIfNeeded: zeros) | fraction, control, flags: flags)
  }

  /// NaTVal, NaNs, infinities, zeros, unnormals.
  @inline(never)
  private static func fmaGeneral(
    _ f3: FloatRegister, _ f4: FloatRegister, _ f2: FloatRegister, _ control: FloatControl, negateProduct: Bool,
    negateAddend: Bool, addendIsFR0: Bool
  ) -> FloatOutcome {
    if f2.isNaTVal || f3.isNaTVal || f4.isNaTVal { return FloatOutcome(.natVal) }
    if f2.isUnsupported || f3.isUnsupported || f4.isUnsupported { return invalid(.quietNaN, control) }
    if f2.isNaN || f3.isNaN || f4.isNaN {
      // The multiplier's NaN goes first, then the addend's, then the multiplicand's.
      let chosen = (f4.isNaN ? f4 : f2.isNaN ? f2 : f3).quieted
      let signaling = f2.isSignalingNaN || f3.isSignalingNaN || f4.isSignalingNaN
      return signaling ? invalid(chosen, control) : FloatOutcome(chosen)
    }
    let productNegative = (f3.isNegative != f4.isNegative) != negateProduct
    let addendNegative = f2.isNegative != negateAddend
    let productInfinite = f3.isInfinity || f4.isInfinity
    if productInfinite {
      // A true zero makes the product invalid; a pseudo-zero does not (Volume 1, section 5.1.3).
      let byZero = f3.significand | f3.exponent == 0 || f4.significand | f4.exponent == 0
      if byZero || (f2.isInfinity && addendNegative != productNegative) { return invalid(.quietNaN, control) }
    }
    var flags: UInt8 = 0
    if f2.isUnnormal || f3.isUnnormal || f4.isUnnormal {
      if control.traps(FloatFlag.denormal) { return .fault(UInt16(FloatFlag.denormal)) }
      flags = FloatFlag.denormal
    }
    if productInfinite { return FloatOutcome(.infinity(productNegative), flags: flags) }
    if f2.isInfinity { return FloatOutcome(.infinity(addendNegative), flags: flags) }
    if f3.isZero || f4.isZero {
      if addendIsFR0 { return FloatOutcome(.signedZero(productNegative), flags: flags) }
      if f2.isZero {
        // Zeros of different signs add up to +0, or -0 when rounding down.
        let negative = productNegative == addendNegative ? productNegative : control.rounding == 1
        return FloatOutcome(.signedZero(negative), flags: flags)
      }
      let c = f2.normalized
      return round(addendNegative, c.exponent, UInt128(c.significand) << 64, control, flags: flags)
    }
    let a = f3.normalized
    let b = f4.normalized
    let exponent = a.exponent + b.exponent - 0xFFFF
    if f2.isZero {
      return product(productNegative, exponent, a.significand, b.significand, control, flags)
    }
    let c = f2.normalized
    return sum(
      productNegative, exponent, a.significand, b.significand, addendNegative, c.exponent, c.significand, control,
      flags)
  }

  /// xma.l, xma.h, xma.hu: 64-bit integer multiply-add in the significands; kind 0 low, 1 high signed, 2 high unsigned.
  ///
  /// The addend is zero-extended to 128 bits in every form (Volume 3, xma).
  public static func xma(_ f3: FloatRegister, _ f4: FloatRegister, _ f2: FloatRegister, kind: UInt8) -> FloatRegister {
    if f2.isNaTVal || f3.isNaTVal || f4.isNaTVal { return .natVal }
    let a = f3.significand
    let b = f4.significand
    let c = f2.significand
    if kind == 0 { return .integer(a &* b &+ c) }
    var (high, low) = a.multipliedFullWidth(by: b)
    if kind == 1 {
      // A negative factor is 2^64 less than its unsigned reading.
      high = high &- (a >> 63 != 0 ? b : 0) &- (b >> 63 != 0 ? a : 0)
    }
    return .integer(high &+ (low.addingReportingOverflow(c).overflow ? 1 : 0))
  }
}
