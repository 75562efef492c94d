/// Instructions that move fields of registers and know nothing of their values, except that NaTVal propagates.
extension FloatArithmetic {
  /// fmerge.s and, negated, fmerge.ns: sign of f2, the rest of f3. (fabs, fneg and fnegabs are special cases.)
  public static func mergeSign(_ f2: FloatRegister, _ f3: FloatRegister, negate: Bool) -> FloatRegister {
    propagating(f2, f3, f3.withSign(f2.isNegative != negate))
  }

  /// fmerge.se: sign and exponent of f2, significand of f3.
  public static func mergeSignExponent(_ f2: FloatRegister, _ f3: FloatRegister) -> FloatRegister {
    propagating(f2, f3, FloatRegister(significand: f3.significand, signExponent: f2.signExponent))
  }

  /// fpmerge: the bits in `mask` from f2, inverted for `.ns`, the others from f3. The mask covers the signs, or signs
  /// and exponents, of both halves.
  public static func parallelMerge(
    _ f2: FloatRegister, _ f3: FloatRegister, mask: UInt64, negate: Bool
  ) -> FloatRegister {
    let source = negate ? ~f2.significand : f2.significand
    return propagating(f2, f3, .integer(source & mask | f3.significand & ~mask))
  }

  /// fmix.l: the left halves of both.
  public static func mixLeft(_ f2: FloatRegister, _ f3: FloatRegister) -> FloatRegister {
    propagating(f2, f3, .integer(f2.significand & 0xFFFF_FFFF_0000_0000 | f3.significand >> 32))
  }

  /// fmix.r: the right halves of both.
  public static func mixRight(_ f2: FloatRegister, _ f3: FloatRegister) -> FloatRegister {
    propagating(f2, f3, .integer(f2.significand << 32 | f3.significand & 0xFFFF_FFFF))
  }

  /// fmix.lr: the left half of f2, the right half of f3.
  public static func mixLeftRight(_ f2: FloatRegister, _ f3: FloatRegister) -> FloatRegister {
    propagating(f2, f3, .integer(f2.significand & 0xFFFF_FFFF_0000_0000 | f3.significand & 0xFFFF_FFFF))
  }

  /// fsxt.l: the left half of f3 extended by the sign of the left half of f2.
  public static func extendSignLeft(_ f2: FloatRegister, _ f3: FloatRegister) -> FloatRegister {
    let sign: UInt64 = f2.significand >> 63 != 0 ? 0xFFFF_FFFF_0000_0000 : 0
    return propagating(f2, f3, .integer(sign | f3.significand >> 32))
  }

  /// fsxt.r: the right half of f3 extended by the sign of the right half of f2.
  public static func extendSignRight(_ f2: FloatRegister, _ f3: FloatRegister) -> FloatRegister {
    let sign: UInt64 = f2.significand >> 31 & 1 != 0 ? 0xFFFF_FFFF_0000_0000 : 0
    return propagating(f2, f3, .integer(sign | f3.significand & 0xFFFF_FFFF))
  }

  /// fpack: both operands in the single memory format, as stfs would store them.
  public static func pack(_ f2: FloatRegister, _ f3: FloatRegister) -> FloatRegister {
    propagating(f2, f3, .integer(UInt64(FloatMemory.storeSingle(f2)) << 32 | UInt64(FloatMemory.storeSingle(f3))))
  }

  /// fswap and, with a sign inverted, fswap.nl and fswap.nr: right half of f3, left half of f2.
  public static func swap(
    _ f2: FloatRegister, _ f3: FloatRegister, negateLeft: Bool = false, negateRight: Bool = false
  ) -> FloatRegister {
    let signs: UInt64 = (negateLeft ? 1 << 63 : 0) | (negateRight ? 1 << 31 : 0)
    return propagating(f2, f3, .integer((f3.significand << 32 | f2.significand >> 32) ^ signs))
  }

  public static func and(_ f2: FloatRegister, _ f3: FloatRegister) -> FloatRegister {
    propagating(f2, f3, .integer(f2.significand & f3.significand))
  }

  /// fandcm: f2 and the complement of f3.
  public static func andComplement(_ f2: FloatRegister, _ f3: FloatRegister) -> FloatRegister {
    propagating(f2, f3, .integer(f2.significand & ~f3.significand))
  }

  public static func or(_ f2: FloatRegister, _ f3: FloatRegister) -> FloatRegister {
    propagating(f2, f3, .integer(f2.significand | f3.significand))
  }

  public static func xor(_ f2: FloatRegister, _ f3: FloatRegister) -> FloatRegister {
    propagating(f2, f3, .integer(f2.significand ^ f3.significand))
  }

  /// fselect: bits of f3 where the mask (f2) has ones, of f4 where it has zeros.
  public static func select(_ f3: FloatRegister, _ f4: FloatRegister, mask f2: FloatRegister) -> FloatRegister {
    if f2.isNaTVal { return .natVal }
    return propagating(f3, f4, .integer(f3.significand & f2.significand | f4.significand & ~f2.significand))
  }

  @inline(__always)
  private static func propagating(
    _ a: FloatRegister, _ b: FloatRegister, _ result: FloatRegister
  ) -> FloatRegister {
    a.isNaTVal || b.isNaTVal ? .natVal : result
  }
}
