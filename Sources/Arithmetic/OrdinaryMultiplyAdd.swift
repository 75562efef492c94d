/// The multiply-add as most programs use it, in a form that is inlined into its caller: ordinary operands and rounding to
/// nearest. Everything else is left to ``FloatArithmetic/fmaOfAny``.
///
/// A case is sent there before its arithmetic starts, or not at all, so that the operands need not be kept.
extension FloatArithmetic {
  /// f3 * f4 + f2 with one rounding (Volume 3, fma, fms, fnma).
  ///
  /// - Parameters:
  ///   - negateProduct: fnma.
  ///   - negateAddend: fms. Neither changes the sign of a propagated NaN.
  ///   - addendIsFR0: the addend is register 0, which makes the instruction an IEEE multiplication: an exact zero
  ///     keeps the sign of the product instead of being a sum of two zeros.
  @inlinable @inline(__always)
  public static func fma(
    _ f3: FloatRegister, _ f4: FloatRegister, _ f2: FloatRegister, _ control: FloatControl, negateProduct: Bool,
    negateAddend: Bool, addendIsFR0: Bool
  ) -> FloatOutcome {
    // Factors with the exponents of normal double-extended numbers, and an addend of that kind or zero.
    guard control.isOrdinary, (f3.exponent &- 0xC000) | (f4.exponent &- 0xC000) < 0x8000,
      Int64(bitPattern: f3.significand & f4.significand) < 0,
      Int64(bitPattern: f2.significand) < 0
        ? f2.exponent &- 0xC000 < 0x8000 : f2.significand | f2.exponent == 0
    else {
      return fmaOfAny(
        f3, f4, f2, control, negateProduct: negateProduct, negateAddend: negateAddend, addendIsFR0: addendIsFR0)
    }
    let (productHigh, productLow) = f3.significand.multipliedFullWidth(by: f4.significand)
    var first = UInt128(productHigh) &<< 64 | UInt128(productLow)
    var sign = (f3.signExponent ^ f4.signExponent ^ (negateProduct ? FloatRegister.signBit : 0)) & FloatRegister.signBit
    // Weight of bit 127. The leading bit of the product may be one below.
    var exponent = Int(truncatingIfNeeded: f3.exponent &+ f4.exponent) &- 0xFFFE
    let c = f2.significand
    if c != 0 {
      // The number with the greater exponent comes first, the other one is aligned with it. What falls out is jammed into its
      // last bit: with a distance of two or more at most one leading bit cancels, so that bit is never more than sticky.
      var second = UInt128(c) &<< 64
      let otherSign = (f2.signExponent ^ (negateAddend ? FloatRegister.signBit : 0)) & FloatRegister.signBit
      let differ = sign != otherSign
      let distance = exponent &- Int(truncatingIfNeeded: f2.exponent)
      if distance >= 0 {
        // The jammed bit must not meet a last bit of the product that is set: they would cancel, or carry.
        if distance > 64 && productLow & 1 != 0 {
          return fmaOfAny(
            f3, f4, f2, control, negateProduct: negateProduct, negateAddend: negateAddend, addendIsFR0: addendIsFR0)
        }
        if distance <= 64 {
          second = second &>> UInt128(truncatingIfNeeded: distance)
        } else if distance < 128 {
          let below = UInt64(truncatingIfNeeded: distance) &- 64
          let moved = c &>> below
          second = UInt128(moved | (moved &<< below != c ? 1 : 0))
        } else {
          second = 1
        }
      } else {
        exponent = Int(truncatingIfNeeded: f2.exponent)
        sign = otherSign
        let count = 0 &- distance
        if count < 128 {
          let moved = first &>> UInt128(truncatingIfNeeded: count)
          let lost =
            count > 63
            ? moved &<< UInt128(truncatingIfNeeded: count) != first
            : productLow &<< UInt64(truncatingIfNeeded: 64 &- count) != 0
          // One bit out of a distance of one may come to be seen.
          if lost && count == 1 {
            return fmaOfAny(
              f3, f4, f2, control, negateProduct: negateProduct, negateAddend: negateAddend, addendIsFR0: addendIsFR0)
          }
          (first, second) = (second, moved | (lost ? 1 : 0))
        } else {
          (first, second) = (second, 1)
        }
      }
      if differ {
        let (difference, borrow) = first.subtractingReportingOverflow(second)
        first = difference
        if borrow {
          // The second was greater, as only a product with an unset leading bit allows.
          sign ^= FloatRegister.signBit
          first = 0 &- first
        } else if difference == 0 {
          return FloatOutcome(.zero)
        }
      } else {
        let (sum, carry) = first.addingReportingOverflow(second)
        first = sum
        if carry {
          first = sum &>> 1 | 1 &<< 127 | sum & 1
          exponent &+= 1
        }
      }
    }
    var high = UInt64(truncatingIfNeeded: first &>> 64)
    var low = UInt64(truncatingIfNeeded: first)
    if Int64(bitPattern: high) >= 0 {
      if high == 0 {
        (high, low) = (low, 0)
        exponent &-= 64
      }
      let zeros = UInt64(truncatingIfNeeded: high.leadingZeroBitCount)
      high = high &<< zeros | (low &>> 1) &>> (63 &- zeros)
      low = low &<< zeros
      exponent &-= Int(truncatingIfNeeded: zeros)
    }
    return nearest(sign, exponent, high, low, control)
  }

  /// Rounds to nearest even. Bit 63 of `high` is set; `low` is what follows, its last bit being sticky.
  @inlinable @inline(__always)
  static func nearest(
    _ sign: UInt64, _ exponent: Int, _ high: UInt64, _ low: UInt64, _ control: FloatControl
  ) -> FloatOutcome {
    let drop = control.droppedBits
    var significand: UInt64
    let inexact: Bool
    if drop == 0 {
      // A carry out of the lower word if it is more than half, or half and the bit above is odd.
      let (_, up) = low.addingReportingOverflow(0x7FFF_FFFF_FFFF_FFFF &+ (high & 1))
      significand = high &+ (up ? 1 : 0)
      inexact = low != 0
    } else {
      // Far below the rounding position the lower word is one sticky bit.
      let exact = high | (low != 0 ? 1 : 0)
      let mask: UInt64 = (1 &<< drop) &- 1
      significand = (exact &+ mask &>> 1 &+ (exact &>> drop & 1)) & ~mask
      inexact = exact & mask != 0
    }
    var field = UInt64(truncatingIfNeeded: exponent)
    if significand == 0 {
      significand = 1 &<< 63
      field &+= 1
    }
    // Nearly all results are in the range of singles, which is in every range.
    if field &- 0xFF81 >= 0xFE {
      let range = control.ordinaryRange
      guard field &- 0x10000 &+ range < 2 &* range else { return finish(sign, exponent, high, low, control) }
    }
    return FloatOutcome(
      FloatRegister(significand: significand, signExponent: sign | field), flags: inexact ? FloatFlag.inexact : 0)
  }

  /// A result that is not in the range of the format, or only because of FPSR.sf.wre.
  @usableFromInline @inline(never)
  static func finish(
    _ sign: UInt64, _ exponent: Int, _ high: UInt64, _ low: UInt64, _ control: FloatControl
  ) -> FloatOutcome {
    round(sign != 0, exponent, UInt128(high) << 64 | UInt128(low), control)
  }
}
