/// Conversions between register and memory formats (Volume 1, section 5.3): pure movement of fields, no rounding.
public enum FloatMemory {
  /// ldfs, setf.s and each half of ldfps. A denormal keeps its value in unnormalised form.
  @inlinable @inline(__always) public static func loadSingle(_ bits: UInt32) -> FloatRegister {
    let exponent = UInt64(bits >> 23 & 0xFF)
    let fraction = UInt64(bits & 0x7F_FFFF) << 40
    let sign = UInt64(bits >> 31) << 17
    if exponent == 0 {
      return FloatRegister(significand: fraction, signExponent: sign | (fraction == 0 ? 0 : 0xFF81))
    }
    let field = exponent == 0xFF ? 0x1FFFF : exponent &+ 0xFF80
    return FloatRegister(significand: 1 << 63 | fraction, signExponent: sign | field)
  }

  /// ldfd, setf.d and each half of ldfpd.
  @inlinable @inline(__always) public static func loadDouble(_ bits: UInt64) -> FloatRegister {
    let exponent = bits >> 52 & 0x7FF
    let fraction = (bits & 0xF_FFFF_FFFF_FFFF) << 11
    let sign = (bits >> 63) << 17
    if exponent == 0 {
      return FloatRegister(significand: fraction, signExponent: sign | (fraction == 0 ? 0 : 0xFC01))
    }
    let field = exponent == 0x7FF ? 0x1FFFF : exponent &+ 0xFC00
    return FloatRegister(significand: 1 << 63 | fraction, signExponent: sign | field)
  }

  /// ldfe: the integer bit is in memory, and an exponent field of zero stays zero.
  @inlinable public static func loadExtended(_ significand: UInt64, _ high: UInt16) -> FloatRegister {
    let exponent = UInt64(high & 0x7FFF)
    let sign = UInt64(high >> 15) << 17
    let field = exponent == 0 ? 0 : exponent == 0x7FFF ? 0x1FFFF : exponent &+ 0xC000
    return FloatRegister(significand: significand, signExponent: sign | field)
  }

  /// ldf8, setf.sig.
  @inlinable public static func loadInteger(_ bits: UInt64) -> FloatRegister { .integer(bits) }

  /// setf.exp: sign and exponent from the general register, significand 1.0.
  @inlinable public static func loadExponent(_ bits: UInt64) -> FloatRegister {
    FloatRegister(significand: 1 << 63, signExponent: bits & 0x3FFFF)
  }

  /// ldf.fill: 16 bytes, significand first.
  @inlinable public static func fill(_ low: UInt64, _ high: UInt64) -> FloatRegister {
    FloatRegister(significand: low, signExponent: high & 0x3FFFF)
  }

  /// stfs and getf.s: exponent bits 16 and 6:0, or zero without the integer bit.
  @inlinable @inline(__always) public static func storeSingle(_ f: FloatRegister) -> UInt32 {
    let sign = UInt32(truncatingIfNeeded: f.signExponent >> 17 & 1) << 31
    let fraction = UInt32(truncatingIfNeeded: f.significand >> 40) & 0x7F_FFFF
    if f.significand >> 63 == 0 { return sign | fraction }
    let exponent = UInt32(truncatingIfNeeded: f.signExponent >> 9 & 0x80 | f.signExponent & 0x7F)
    return sign | exponent << 23 | fraction
  }

  /// stfd and getf.d: exponent bits 16 and 9:0, or zero without the integer bit.
  @inlinable @inline(__always) public static func storeDouble(_ f: FloatRegister) -> UInt64 {
    let sign = (f.signExponent >> 17 & 1) << 63
    let fraction = f.significand >> 11 & 0xF_FFFF_FFFF_FFFF
    if f.significand >> 63 == 0 { return sign | fraction }
    return sign | (f.signExponent >> 6 & 0x400 | f.signExponent & 0x3FF) << 52 | fraction
  }

  /// stfe: significand, then sign and exponent bits 16 and 13:0.
  @inlinable public static func storeExtended(_ f: FloatRegister) -> (UInt64, UInt16) {
    let sign = f.signExponent >> 17 & 1
    let exponent = f.signExponent >> 2 & 0x4000 | f.signExponent & 0x3FFF
    return (f.significand, UInt16(truncatingIfNeeded: sign << 15 | exponent))
  }

  /// stf8, getf.sig.
  @inlinable public static func storeInteger(_ f: FloatRegister) -> UInt64 { f.significand }

  /// getf.exp: sign at bit 17, exponent below.
  @inlinable public static func storeExponent(_ f: FloatRegister) -> UInt64 { f.signExponent }

  /// stf.spill: 16 bytes, significand first.
  @inlinable public static func spill(_ f: FloatRegister) -> (UInt64, UInt64) { (f.significand, f.signExponent) }
}
