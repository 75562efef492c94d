extension FloatArithmetic {
  /// fcvt.fx, fcvt.fxu and their `.trunc` forms: to a 64-bit integer in the significand.
  ///
  /// NaNs, infinities, unsupported operands and values out of range are invalid; the masked response is
  /// 0x8000000000000000 for signed and unsigned conversions alike.
  @inlinable @inline(__always)
  public static func toInteger(
    _ f2: FloatRegister, _ control: FloatControl, unsigned: Bool, truncate: Bool
  ) -> FloatOutcome {
    // Normal numbers below 2^62 in magnitude, which fit either kind of integer unless they are negative.
    let shift = FloatRegister.integerExponent &- f2.exponent
    guard shift &- 2 < FloatRegister.integerExponent &- 2, Int64(bitPattern: f2.significand) < 0, control.isOrdinary,
      !(unsigned && f2.isNegative)
    else { return toIntegerAny(f2, control, unsigned: unsigned, truncate: truncate) }
    var magnitude: UInt64
    var inexact = true
    if shift < 64 {
      magnitude = f2.significand &>> shift
      let fraction = f2.significand &<< (0 &- shift)
      if !truncate { magnitude = magnitude &+ (fraction > 0x8000_0000_0000_0000 &- (magnitude & 1) ? 1 : 0) }
      inexact = fraction != 0
    } else {
      // Below one; more than a half goes up.
      magnitude = !truncate && shift == 64 && f2.significand > 1 &<< 63 ? 1 : 0
    }
    let sign = 0 &- (f2.signExponent &>> 17)
    return FloatOutcome(.integer((magnitude ^ sign) &- sign), flags: inexact ? FloatFlag.inexact : 0)
  }

  /// The same for operands of any class.
  @usableFromInline @inline(never)
  static func toIntegerAny(
    _ f2: FloatRegister, _ control: FloatControl, unsigned: Bool, truncate: Bool
  ) -> FloatOutcome {
    if f2.significand | f2.exponent == 0 { return FloatOutcome(.integer(0)) }
    if f2.isNaTVal { return FloatOutcome(.natVal) }
    return convert(f2, control, bits: 64, unsigned: unsigned, truncate: truncate)
  }

  /// Conversion to an integer of 32 or 64 bits, of which the parallel form takes the lower half.
  static func convert(
    _ f: FloatRegister, _ control: FloatControl, bits: UInt64, unsigned: Bool, truncate: Bool
  ) -> FloatOutcome {
    let indefinite = FloatRegister.integer(1 << (bits - 1))
    if f.isSpecial { return invalid(indefinite, control) }
    var magnitude: UInt64 = 0
    var inexact = false
    var increased = false
    if !f.isZero {
      let n = f.normalized
      let shift = Int(FloatRegister.integerExponent) - n.exponent
      if shift < 0 { return invalid(indefinite, control) }
      // Rounded at the weight of one: the integer above the binary point at bit 64 of the wide value.
      let wide = UInt128(n.significand) << 64
      let count = UInt128(min(shift, 127))
      let sticky: UInt128 = wide & ((1 << count) - 1) != 0 ? 1 : 0
      let r = Rounded(wide >> count | sticky, dropping: 0, f.isNegative, truncate ? 3 : control.rounding)
      magnitude = r.significand
      inexact = r.inexact
      increased = r.increased
    }
    let limit: UInt64
    if unsigned {
      limit = f.isNegative ? 0 : ~0 >> (64 - bits)
    } else {
      limit = (1 << (bits - 1)) - (f.isNegative ? 0 : 1)
    }
    if magnitude > limit { return invalid(indefinite, control) }
    var outcome = FloatOutcome()
    if f.isUnnormal {
      if control.traps(FloatFlag.denormal) { return .fault(UInt16(FloatFlag.denormal)) }
      outcome.flags = FloatFlag.denormal
    }
    outcome.value = .integer(f.isNegative ? 0 &- magnitude : magnitude)
    if inexact {
      outcome.flags |= FloatFlag.inexact
      if control.traps(FloatFlag.inexact) {
        outcome.trap = FloatCode.inexact | (increased ? FloatCode.roundedUp : 0)
      }
    }
    return outcome
  }

  /// fcvt.xf: the significand as a signed integer becomes a normalised number, always exactly. (fcvt.xuf is fma.)
  public static func fromSignedInteger(_ f2: FloatRegister) -> FloatRegister {
    if f2.isNaTVal { return .natVal }
    if f2.significand == 0 { return .zero }
    let negative = f2.significand >> 63 != 0
    let magnitude = negative ? 0 &- f2.significand : f2.significand
    let zeros = UInt64(truncatingIfNeeded: magnitude.leadingZeroBitCount)
    return FloatRegister(
      negative: negative, exponent: FloatRegister.integerExponent &- zeros, significand: magnitude &<< zeros)
  }
}
