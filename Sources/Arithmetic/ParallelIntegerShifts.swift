/// Shifts, multiplications and bit counts.
extension ParallelInteger {
  /// pshl2, pshl4. Counts are unsigned 64-bit numbers; those beyond the element leave zeros.
  public static func shiftLeft(_ r2: UInt64, _ count: UInt64, _ size: Int) -> UInt64 {
    if count >= UInt64(truncatingIfNeeded: size &* 8) { return 0 }
    return map(r2, 0, size) { x, _ in x &<< Int64(bitPattern: count) }
  }

  /// pshr2, pshr4 and, unsigned, pshr2.u, pshr4.u. Counts beyond the element leave signs or zeros.
  public static func shiftRight(_ r3: UInt64, _ count: UInt64, _ size: Int, unsigned: Bool) -> UInt64 {
    let last = UInt64(truncatingIfNeeded: size &* 8 &- 1)
    if unsigned {
      return count > last ? 0 : map(r3, 0, size) { x, _ in x &>> Int64(bitPattern: count) }
    }
    let limited = Int64(bitPattern: min(count, last))
    return map(r3, 0, size) { x, _ in signed(x, size) &>> limited }
  }

  /// pshladd2: saturated as soon as the shifted element or the sum does not fit.
  public static func shiftLeftAdd2(_ r2: UInt64, _ r3: UInt64, _ count: UInt64) -> UInt64 {
    map(r2, r3, 2) { x, y in
      let shifted = signed(x, 2) &<< Int64(bitPattern: count)
      let clamped = clampSigned(shifted, 2)
      return clamped != shifted ? clamped : clampSigned(shifted &+ signed(y, 2), 2)
    }
  }

  /// pshradd2.
  public static func shiftRightAdd2(_ r2: UInt64, _ r3: UInt64, _ count: UInt64) -> UInt64 {
    map(r2, r3, 2) { x, y in clampSigned((signed(x, 2) &>> Int64(bitPattern: count)) &+ signed(y, 2), 2) }
  }

  /// pmpyshr2 and pmpyshr2.u: 16 bits of each product from bit `count` (0, 7, 15 or 16) on.
  public static func multiplyShift2(_ r2: UInt64, _ r3: UInt64, _ count: UInt64, unsigned: Bool) -> UInt64 {
    let count = Int64(bitPattern: count)
    if unsigned { return map(r2, r3, 2) { x, y in (x &* y) &>> count } }
    return map(r2, r3, 2) { x, y in (signed(x, 2) &* signed(y, 2)) &>> count }
  }

  /// pmpy2.l, pmpy2.r: 32-bit products of the left or right signed elements of each half.
  public static func multiply2(_ r2: UInt64, _ r3: UInt64, left: Bool) -> UInt64 {
    let shift: UInt64 = left ? 16 : 0
    return map(r2 &>> shift, r3 &>> shift, 4) { x, y in signed(x, 2) &* signed(y, 2) }
  }

  /// mpy4: unsigned product of the low words.
  public static func multiply4(_ r2: UInt64, _ r3: UInt64) -> UInt64 { (r2 & 0xFFFF_FFFF) &* (r3 & 0xFFFF_FFFF) }

  /// mpyshl4: high word of r2 times low word of r3, shifted left by 32. Two of these and a mpy4 make a 64-bit product.
  public static func multiplyShiftLeft4(_ r2: UInt64, _ r3: UInt64) -> UInt64 {
    ((r2 >> 32) &* (r3 & 0xFFFF_FFFF)) << 32
  }

  public static func populationCount(_ r3: UInt64) -> UInt64 { UInt64(truncatingIfNeeded: r3.nonzeroBitCount) }

  /// clz: 64 for zero.
  public static func countLeadingZeros(_ r3: UInt64) -> UInt64 {
    UInt64(truncatingIfNeeded: r3.leadingZeroBitCount)
  }

  /// addp4 and shladdp4 make a 64-bit address of a 32-bit sum: bits 31:30 of r3 become the region bits 62:61.
  public static func pointer(_ sum: UInt64, _ r3: UInt64) -> UInt64 {
    sum & 0xFFFF_FFFF | (r3 >> 30 & 3) << 61
  }
}
