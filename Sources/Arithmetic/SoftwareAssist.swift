/// What the handler of a Software Assist fault computes (Volume 1, section 5.4.1.2; Volume 3, frcpa and frsqrta): the
/// correctly rounded IEEE result in the precision and range that the status field asks for, with p2 cleared.
///
/// They take any operands, so that a handler need not tell the limit cases from the others. Only the two scalar
/// approximations have architected limit cases; their parallel forms clear p2 and leave the quotient or root to the
/// code that tests it.
extension FloatArithmetic {
  /// f2 / f3.
  public static func softwareAssistFrcpa(
    _ f2: FloatRegister, _ f3: FloatRegister, _ control: FloatControl
  ) -> FloatOutcome {
    if f2.isNaTVal || f3.isNaTVal { return FloatOutcome(.natVal) }
    if let special = specialQuotient(f2, f3, control) { return special }
    var flags: UInt8 = 0
    if f2.isUnnormal || f3.isUnnormal {
      if control.traps(FloatFlag.denormal) { return .fault(UInt16(FloatFlag.denormal)) }
      flags = FloatFlag.denormal
    }
    let negative = f2.isNegative != f3.isNegative
    if f2.isInfinity { return FloatOutcome(.infinity(negative), flags: flags) }
    if f2.isZero || f3.isInfinity { return FloatOutcome(.signedZero(negative), flags: flags) }
    let a = f2.normalized
    let b = f3.normalized
    // One bit of the quotient comes from the comparison, so that the division proper has its leading bit at the top.
    let below = a.significand < b.significand
    let dividend = below ? (a.significand, UInt64(0)) : (a.significand >> 1, a.significand << 63)
    let (high, remainder) = b.significand.dividingFullWidth(dividend)
    let (low, rest) = b.significand.dividingFullWidth((remainder, 0))
    let quotient = UInt128(high) << 64 | UInt128(low) | (rest != 0 ? 1 : 0)
    return round(negative, a.exponent - b.exponent + 0xFFFF - (below ? 1 : 0), quotient, control, flags: flags)
  }

  /// sqrt(f3).
  public static func softwareAssistFrsqrta(_ f3: FloatRegister, _ control: FloatControl) -> FloatOutcome {
    if f3.isNaTVal { return FloatOutcome(.natVal) }
    if let special = specialRoot(f3, control) { return special }
    var flags: UInt8 = 0
    if f3.isUnnormal {
      if control.traps(FloatFlag.denormal) { return .fault(UInt16(FloatFlag.denormal)) }
      flags = FloatFlag.denormal
    }
    if f3.isInfinity { return FloatOutcome(f3, flags: flags) }
    if f3.isZero { return FloatOutcome(.signedZero(f3.isNegative), flags: flags) }
    let n = f3.normalized
    let unbiased = n.exponent - 0xFFFF
    // An even exponent below a radicand in [1, 4), as a 128-bit integer whose root has exactly 64 bits.
    let radicand = UInt128(n.significand) << (unbiased & 1 == 0 ? 63 : 64)
    let (root, remainder) = integerRoot(radicand)
    // The remainder tells where between root and root + 1 the exact value lies; the middle is never hit.
    let rest: UInt128 = remainder == 0 ? 0 : remainder > UInt128(root) ? 1 << 63 | 1 : 1
    return round(false, (unbiased >> 1) + 0xFFFF, UInt128(root) << 64 | rest, control, flags: flags)
  }

  /// Largest integer whose square does not exceed `radicand`, and what is left.
  private static func integerRoot(_ radicand: UInt128) -> (root: UInt64, remainder: UInt128) {
    var root: UInt64 = 0
    for bit in stride(from: UInt64(63), through: 0, by: -1) {
      let candidate = root | 1 << bit
      let (high, low) = candidate.multipliedFullWidth(by: candidate)
      if UInt128(high) << 64 | UInt128(low) <= radicand { root = candidate }
    }
    let (high, low) = root.multipliedFullWidth(by: root)
    return (root, radicand - (UInt128(high) << 64 | UInt128(low)))
  }
}
