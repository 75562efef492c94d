/// Parallel floating point: the same operation on the two IEEE singles of a significand (Volume 1, section 5.1.2).
/// Precision and range are those of a single, whatever pc and wre say; denormals are real denormals.
extension FloatArithmetic {
  /// fpma, fpms, fpnma.
  public static func fpma(
    _ f3: FloatRegister, _ f4: FloatRegister, _ f2: FloatRegister, _ control: FloatControl, negateProduct: Bool,
    negateAddend: Bool, addendIsFR0: Bool
  ) -> FloatOutcome {
    if f2.isNaTVal || f3.isNaTVal || f4.isNaTVal { return FloatOutcome(.natVal) }
    let single = control.parallel
    return combine(
      fma(
        f3.high, f4.high, f2.high, single, negateProduct: negateProduct, negateAddend: negateAddend,
        addendIsFR0: addendIsFR0),
      fma(
        f3.low, f4.low, f2.low, single, negateProduct: negateProduct, negateAddend: negateAddend,
        addendIsFR0: addendIsFR0))
  }

  /// fpmin, fpmax, fpamin, fpamax.
  public static func parallelMinmax(
    _ f2: FloatRegister, _ f3: FloatRegister, _ control: FloatControl, maximum: Bool, magnitude: Bool
  ) -> FloatOutcome {
    if f2.isNaTVal || f3.isNaTVal { return FloatOutcome(.natVal) }
    return combine(
      minmax(f2.high, f3.high, control, maximum: maximum, magnitude: magnitude),
      minmax(f2.low, f3.low, control, maximum: maximum, magnitude: magnitude))
  }

  /// fpcmp: a mask of 32 ones for each half whose relation holds.
  public static func parallelCompare(
    _ f2: FloatRegister, _ f3: FloatRegister, _ relation: FloatRelation, _ control: FloatControl
  ) -> FloatOutcome {
    if f2.isNaTVal || f3.isNaTVal { return FloatOutcome(.natVal) }
    let high = compare(f2.high, f3.high, relation, control)
    let low = compare(f2.low, f3.low, relation, control)
    let mask: UInt64 = (high.predicate ? 0xFFFF_FFFF_0000_0000 : 0) | (low.predicate ? 0xFFFF_FFFF : 0)
    var outcome = combine(high, low, mask)
    // The masks are the result; no predicate register is written.
    outcome.predicate = false
    return outcome
  }

  /// fpcvt.fx, fpcvt.fxu and their `.trunc` forms: two 32-bit integers. The masked response to invalid operands is
  /// 0x80000000.
  public static func parallelToInteger(
    _ f2: FloatRegister, _ control: FloatControl, unsigned: Bool, truncate: Bool
  ) -> FloatOutcome {
    if f2.isNaTVal { return FloatOutcome(.natVal) }
    let high = convert(f2.high, control, bits: 32, unsigned: unsigned, truncate: truncate)
    let low = convert(f2.low, control, bits: 32, unsigned: unsigned, truncate: truncate)
    return combine(high, low, high.value.significand << 32 | low.value.significand & 0xFFFF_FFFF)
  }

  /// fprcpa: p2 is set only if the code that follows may iterate with both halves. There is no software assistance;
  /// a half outside the limits still gets its approximation, or what single range leaves of it.
  public static func fprcpa(_ f2: FloatRegister, _ f3: FloatRegister, _ control: FloatControl) -> FloatOutcome {
    if f2.isNaTVal || f3.isNaTVal { return FloatOutcome(.natVal) }
    return combine(singleReciprocal(f2.high, f3.high, control), singleReciprocal(f2.low, f3.low, control))
  }

  /// fprsqrta; p2 as for fprcpa.
  public static func fprsqrta(_ f3: FloatRegister, _ control: FloatControl) -> FloatOutcome {
    if f3.isNaTVal { return FloatOutcome(.natVal) }
    return combine(singleReciprocalRoot(f3.high, control), singleReciprocalRoot(f3.low, control))
  }

  private static func singleReciprocal(
    _ a: FloatRegister, _ b: FloatRegister, _ control: FloatControl
  ) -> FloatOutcome {
    if let special = specialQuotient(a, b, control) { return special }
    var outcome = FloatOutcome()
    if a.isUnnormal || b.isUnnormal {
      if control.traps(FloatFlag.denormal) { return .fault(UInt16(FloatFlag.denormal)) }
      outcome.flags = FloatFlag.denormal
    }
    let negative = a.isNegative != b.isNegative
    if a.isInfinity {
      outcome.value = .infinity(negative)
    } else if a.isZero || b.isInfinity {
      outcome.value = .signedZero(negative)
    } else if b.isUnnormal {
      // The reciprocal of a denormal is out of range, as that of the largest numbers is denormal.
      outcome.value = .infinity(b.isNegative)
    } else if b.exponent >= 0xFFFF + 127 - 2 {
      outcome.value = .signedZero(b.isNegative)
    } else {
      outcome.value = approximateReciprocal(b)
      let dividend = a.normalized.exponent - 0xFFFF
      let quotient = dividend - (b.normalized.exponent - 0xFFFF)
      outcome.predicate = quotient < 127 && quotient > 2 - 127 && dividend > 24 - 127
    }
    return outcome
  }

  private static func singleReciprocalRoot(_ f: FloatRegister, _ control: FloatControl) -> FloatOutcome {
    if let special = specialRoot(f, control) { return special }
    if f.isInfinity { return FloatOutcome(.zero) }
    // Unlike frsqrta, which delivers a root, this is a reciprocal root for zeros too.
    if f.isZero { return FloatOutcome(.infinity(f.isNegative)) }
    var outcome = FloatOutcome(approximateReciprocalRoot(f))
    if f.isUnnormal {
      if control.traps(FloatFlag.denormal) { return .fault(UInt16(FloatFlag.denormal)) }
      outcome.flags = FloatFlag.denormal
    }
    outcome.predicate = f.normalized.exponent - 0xFFFF > 24 - 127
    return outcome
  }

  @inline(__always)
  private static func combine(_ high: FloatOutcome, _ low: FloatOutcome) -> FloatOutcome {
    combine(
      high, low, UInt64(FloatMemory.storeSingle(high.value)) << 32 | UInt64(FloatMemory.storeSingle(low.value)))
  }

  /// One outcome of two: a fault of either half keeps both from having an effect.
  @inline(__always)
  private static func combine(_ high: FloatOutcome, _ low: FloatOutcome, _ significand: UInt64) -> FloatOutcome {
    let fault = high.fault | low.fault << 4
    if fault != 0 { return .fault(fault) }
    var outcome = FloatOutcome(.integer(significand), flags: high.flags | low.flags)
    outcome.trap = high.trap | low.trap >> 4
    outcome.predicate = high.predicate && low.predicate
    return outcome
  }
}

extension FloatRegister {
  /// The halves of a pair of singles, in the register format.
  @inline(__always) var high: FloatRegister {
    FloatMemory.loadSingle(UInt32(truncatingIfNeeded: significand >> 32))
  }
  @inline(__always) var low: FloatRegister { FloatMemory.loadSingle(UInt32(truncatingIfNeeded: significand)) }
}
