extension FloatArithmetic {
  /// frcpa: an approximation of 1 / f3 with p2 set, or the IEEE quotient f2 / f3 with p2 cleared.
  ///
  /// Zeros, infinities, NaNs and unsupported operands have their quotient delivered. So do operands for which the
  /// Newton-Raphson iteration that follows could go wrong: by a Software Assist fault, whose handler is expected to
  /// deliver it, or at once (``FloatControl/completesLimitCases``).
  @inlinable @inline(__always)
  public static func frcpa(_ f2: FloatRegister, _ f3: FloatRegister, _ control: FloatControl) -> FloatOutcome {
    // Normal numbers with the exponents of double-extended ones are far from all limits.
    guard (f2.exponent &- 0xC000) | (f3.exponent &- 0xC000) < 0x8000,
      Int64(bitPattern: f2.significand & f3.significand) < 0
    else { return frcpaOfAny(f2, f3, control) }
    var outcome = FloatOutcome(approximateReciprocal(f3.signExponent, f3.significand))
    outcome.status = 0x100
    return outcome
  }

  /// frcpa with operands of any class.
  @usableFromInline @inline(never)
  static func frcpaOfAny(_ f2: FloatRegister, _ f3: FloatRegister, _ control: FloatControl) -> FloatOutcome {
    if f2.isNaTVal || f3.isNaTVal { return FloatOutcome(.natVal) }
    if let special = specialQuotient(f2, f3, control) { return special }
    let exact = f2.isZero || f2.isInfinity || f3.isInfinity
    if !exact && isLimitCase(f2, f3) {
      return control.completesLimitCases ? softwareAssistFrcpa(f2, f3, control) : .fault(FloatCode.softwareAssist)
    }
    var outcome = FloatOutcome()
    if f2.isUnnormal || f3.isUnnormal {
      if control.traps(FloatFlag.denormal) { return .fault(UInt16(FloatFlag.denormal)) }
      outcome.flags = FloatFlag.denormal
    }
    let negative = f2.isNegative != f3.isNegative
    if f2.isInfinity {
      outcome.value = .infinity(negative)
    } else if exact {
      outcome.value = .signedZero(negative)
    } else {
      outcome.value = approximateReciprocal(f3)
      outcome.predicate = true
    }
    return outcome
  }

  /// frsqrta: an approximation of 1 / sqrt(f3) with p2 set, or the IEEE root of f3 with p2 cleared.
  public static func frsqrta(_ f3: FloatRegister, _ control: FloatControl) -> FloatOutcome {
    if f3.isNormal && !f3.isNegative && f3.exponent > 64 {
      var outcome = FloatOutcome(approximateReciprocalRoot(Int(truncatingIfNeeded: f3.exponent), f3.significand))
      outcome.predicate = true
      return outcome
    }
    if f3.isNaTVal { return FloatOutcome(.natVal) }
    if let special = specialRoot(f3, control) { return special }
    if f3.isInfinity { return FloatOutcome(f3) }
    // Iterating on the smallest numbers would need exponents below the register format's.
    if !f3.isZero && f3.normalized.exponent <= 64 {
      return control.completesLimitCases ? softwareAssistFrsqrta(f3, control) : .fault(FloatCode.softwareAssist)
    }
    var outcome = FloatOutcome()
    if f3.isUnnormal {
      if control.traps(FloatFlag.denormal) { return .fault(UInt16(FloatFlag.denormal)) }
      outcome.flags = FloatFlag.denormal
    }
    if f3.isZero {
      outcome.value = .signedZero(f3.isNegative)
    } else {
      outcome.value = approximateReciprocalRoot(f3)
      outcome.predicate = true
    }
    return outcome
  }

  /// NaNs, invalid operations and division by zero.
  static func specialQuotient(_ a: FloatRegister, _ b: FloatRegister, _ control: FloatControl) -> FloatOutcome? {
    if let response = nanResponse(a, b, control) { return response }
    if (a.isInfinity && b.isInfinity) || (a.isZero && b.isZero) { return invalid(.quietNaN, control) }
    guard b.isZero && !a.isInfinity else { return nil }
    if control.traps(FloatFlag.zeroDivide) { return .fault(UInt16(FloatFlag.zeroDivide)) }
    return FloatOutcome(.infinity(a.isNegative != b.isNegative), flags: FloatFlag.zeroDivide)
  }

  /// NaNs and roots of negative numbers. The root of -0 is -0.
  static func specialRoot(_ f: FloatRegister, _ control: FloatControl) -> FloatOutcome? {
    if f.isUnsupported { return invalid(.quietNaN, control) }
    if f.isNaN { return f.isSignalingNaN ? invalid(f.quieted, control) : FloatOutcome(f) }
    return f.isNegative && !f.isZero ? invalid(.quietNaN, control) : nil
  }

  /// Whether a step of the iteration for a / b could leave the 17-bit exponent range or lose bits. With N = 64 and
  /// the register format's Emin and Emax: b <= Emin - 2, b >= Emax - 2, a - b <= Emin + 1, a - b >= Emax,
  /// a <= Emin + N - 1, all of them exponents.
  private static func isLimitCase(_ a: FloatRegister, _ b: FloatRegister) -> Bool {
    if b.isZero { return true }
    let dividend = a.normalized.exponent
    let divisor = b.normalized.exponent
    let quotient = dividend - divisor
    return divisor <= 0 || divisor >= 2 * 0xFFFF - 2 || quotient <= 2 - 0xFFFF || quotient >= 0xFFFF || dividend <= 64
  }

  /// Reciprocal of a normal number to 11 bits: that of the middle of the interval that the eight fraction bits after
  /// the integer bit select, rounded.
  @inlinable @inline(__always)
  static func approximateReciprocal(_ signExponent: UInt64, _ significand: UInt64) -> FloatRegister {
    let middle = UInt32(truncatingIfNeeded: significand &>> 54) & 0x1FE | 513
    // round(2048 / (middle / 512))
    let quotient = (2 &* 2048 &* 512 &+ middle) / (2 &* middle)
    let exponent = (2 &* 0xFFFF &- 1 &- signExponent) & 0x1FFFF
    return FloatRegister(
      significand: UInt64(quotient) &<< 53, signExponent: exponent | signExponent & FloatRegister.signBit)
  }

  /// The same of any finite nonzero number.
  static func approximateReciprocal(_ f: FloatRegister) -> FloatRegister {
    let n = f.normalized
    let sign = f.signExponent & FloatRegister.signBit
    return approximateReciprocal(sign | UInt64(truncatingIfNeeded: n.exponent) & 0x1FFFF, n.significand)
  }

  /// Reciprocal square root of a positive number to 11 bits, from seven fraction bits and the parity of the exponent.
  static func approximateReciprocalRoot(_ f: FloatRegister) -> FloatRegister {
    let n = f.normalized
    return approximateReciprocalRoot(n.exponent, n.significand)
  }

  @inline(__always)
  private static func approximateReciprocalRoot(_ exponent: Int, _ significand: UInt64) -> FloatRegister {
    let middle = UInt32(truncatingIfNeeded: significand &>> 55) & 0xFE | 257
    // The square of the result: 2048 * 2048 / (middle / 256), half of it if the unbiased exponent is odd.
    let dividend: UInt32 = 1 &<< (29 &+ UInt32(truncatingIfNeeded: exponent & 1))
    // Rounded: the integer root of four times the square, plus one, halved.
    let root = UInt64(truncatingIfNeeded: Int64(Double(UInt64(dividend) &* 4 / UInt64(middle)).squareRoot()))
    let field = 0xFFFF &- 1 &- ((exponent &- 0xFFFF) &>> 1)
    return FloatRegister(
      significand: ((root &+ 1) &>> 1) &<< 53, signExponent: UInt64(truncatingIfNeeded: field) & 0x1FFFF)
  }
}
