/// A floating-point register: 82 bits (Volume 1, section 5.1.2).
public struct FloatRegister: Equatable, Sendable {
  /// Significand with an explicit integer bit, bit 63.
  public var significand: UInt64
  /// Bit 17 is the sign, bits 16:0 the exponent, biased by 0xFFFF. Higher bits are zero.
  public var signExponent: UInt64

  @inlinable public init(significand: UInt64, signExponent: UInt64) {
    self.significand = significand
    self.signExponent = signExponent
  }

  @inlinable init(negative: Bool, exponent: UInt64, significand: UInt64) {
    self.significand = significand
    signExponent = exponent | (negative ? 1 << 17 : 0)
  }

  @inlinable public static var zero: FloatRegister { FloatRegister(significand: 0, signExponent: 0) }
  @inlinable public static var one: FloatRegister { FloatRegister(significand: 1 << 63, signExponent: 0xFFFF) }
  /// "Not a thing": what an unsuccessful speculative load leaves.
  @inlinable public static var natVal: FloatRegister { FloatRegister(significand: 0, signExponent: 0x1FFFE) }
  /// What a masked invalid operation yields.
  @inlinable public static var quietNaN: FloatRegister {
    FloatRegister(significand: 0xC000_0000_0000_0000, signExponent: 0x3FFFF)
  }
  /// The sign's place in `signExponent`.
  @inlinable static var signBit: UInt64 { 0x20000 }
  /// Exponent of the integer format: bit 0 of the significand weighs one.
  @inlinable public static var integerExponent: UInt64 { 0x1003E }
  /// Exponent that a double-extended denormal stands for; its exponent field is zero.
  @inlinable public static var extendedDenormalExponent: UInt64 { 0x0C001 }
  /// A 64-bit integer or a pair of singles in its canonical form.
  @inlinable public static func integer(_ significand: UInt64) -> FloatRegister {
    FloatRegister(significand: significand, signExponent: 0x1003E)
  }
  @inlinable static func signedZero(_ negative: Bool) -> FloatRegister {
    FloatRegister(negative: negative, exponent: 0, significand: 0)
  }
  @inlinable static func infinity(_ negative: Bool) -> FloatRegister {
    FloatRegister(negative: negative, exponent: 0x1FFFF, significand: 1 << 63)
  }

  @inlinable public var isNegative: Bool { signExponent >> 17 & 1 != 0 }
  @inlinable public var exponent: UInt64 { signExponent & 0x1FFFF }
  @inlinable public var isNaTVal: Bool { signExponent == 0x1FFFE && significand == 0 }
  /// Infinity, NaN or unsupported.
  @inlinable public var isSpecial: Bool { exponent == 0x1FFFF }
  @inlinable public var isInfinity: Bool { exponent == 0x1FFFF && significand == 1 << 63 }
  @inlinable public var isNaN: Bool { exponent == 0x1FFFF && significand > 1 << 63 }
  @inlinable public var isSignalingNaN: Bool { isNaN && significand & 1 << 62 == 0 }
  @inlinable public var isQuietNaN: Bool { isNaN && significand & 1 << 62 != 0 }
  /// Pseudo-NaN and pseudo-infinity: exponent all ones without the integer bit.
  @inlinable public var isUnsupported: Bool { exponent == 0x1FFFF && significand >> 63 == 0 }
  /// Zero or pseudo-zero.
  @inlinable public var isZero: Bool { significand == 0 && exponent != 0x1FFFF && !isNaTVal }
  /// Nonzero, with integer bit and a nonzero exponent field: the operands that need no special care.
  @inlinable public var isNormal: Bool { significand >> 63 != 0 && hasOrdinaryExponent }
  /// Normal or a true zero.
  @inlinable @inline(__always) var isNormalOrZero: Bool {
    Int64(bitPattern: significand) < 0 ? hasOrdinaryExponent : significand | exponent == 0
  }
  /// Unnormal, pseudo-zero, denormal or pseudo-denormal: what raises the Denormal/Unnormal Operand exception.
  @inlinable public var isUnnormal: Bool {
    exponent == 0 ? significand != 0 : significand >> 63 == 0 && exponent != 0x1FFFF && !isNaTVal
  }
  /// Exponent field neither zero nor all ones. Adding one moves both to the values 0 and 1 of the low 17 bits.
  @inlinable var hasOrdinaryExponent: Bool { (signExponent &+ 1) & 0x1FFFE != 0 }

  /// The same NaN with the quiet bit set.
  @inlinable public var quieted: FloatRegister {
    FloatRegister(significand: significand | 1 << 62, signExponent: signExponent)
  }
  @inlinable public func withSign(_ negative: Bool) -> FloatRegister {
    FloatRegister(negative: negative, exponent: exponent, significand: significand)
  }

  /// A finite nonzero value as biased exponent and significand with bit 63 set. The exponent may become negative.
  @inlinable var normalized: (exponent: Int, significand: UInt64) {
    let field = exponent == 0 ? FloatRegister.extendedDenormalExponent : exponent
    let shift = significand.leadingZeroBitCount
    return (Int(truncatingIfNeeded: field) &- shift, significand &<< UInt64(truncatingIfNeeded: shift))
  }
}
