import Arithmetic

/// fma, fms and fnma as programs mostly use them: normal operands, an addend that may be zero, rounding to nearest even, no trap. Bit for
/// bit what ``FloatArithmetic/fma(_:_:_:_:negateProduct:negateAddend:addendIsFR0:)`` gives; everything else goes there, with the operands
/// read again, so that nothing need be kept for it here.
extension LogicalProcessor {
  /// The operation has status field, precision and kind in e; precision and kind are constants in each copy of the arithmetic.
  @inline(never) func multiplyAdd(_ o: UnsafeMutablePointer<MicroOp>) -> StepResult {
    switch o.pointee.e >> 2 {
    case 0x1: multiplyAdd(o, dropped: 40, anyPrecision: false, negateProduct: false, negateAddend: false)
    case 0x2: multiplyAdd(o, dropped: 11, anyPrecision: false, negateProduct: false, negateAddend: false)
    case 0x6: multiplyAdd(o, dropped: 11, anyPrecision: false, negateProduct: false, negateAddend: true)
    case 0xA: multiplyAdd(o, dropped: 11, anyPrecision: false, negateProduct: true, negateAddend: false)
    default: multiplyAddOfAny(o)
    }
  }

  // Without a completer.
  @inline(never) func multiplyAddExtended(_ o: UnsafeMutablePointer<MicroOp>) -> StepResult {
    multiplyAdd(o, dropped: 0, anyPrecision: true, negateProduct: false, negateAddend: false)
  }
  @inline(never) func multiplySubtractExtended(_ o: UnsafeMutablePointer<MicroOp>) -> StepResult {
    multiplyAdd(o, dropped: 0, anyPrecision: true, negateProduct: false, negateAddend: true)
  }
  @inline(never) func negativeMultiplyAddExtended(_ o: UnsafeMutablePointer<MicroOp>) -> StepResult {
    multiplyAdd(o, dropped: 0, anyPrecision: true, negateProduct: true, negateAddend: false)
  }

  private static let sign: UInt64 = 0x20000
  private static let exponentMask: UInt64 = 0x1FFFF

  /// `dropped`: bits of the significand that the result does not have. `anyPrecision`: no completer, so FPSR must say 64 bits.
  @inline(__always)
  private func multiplyAdd(
    _ op: UnsafeMutablePointer<MicroOp>, dropped: UInt64, anyPrecision: Bool, negateProduct: Bool, negateAddend: Bool
  ) -> StepResult {
    let s = state
    let fpsr = s.ar[AR.fpsr]
    let field = UInt64(op.pointee.e & 3) &* 13
    let f3 = s.f(op.pointee.a)
    let f4 = s.f(op.pointee.b)
    let f2 = s.f(op.pointee.c)
    let c = f2.pointee.significand
    // Exponents of normal double-extended numbers start at 0xC001; seen from 0xC000 they have 15 bits.
    let e3 = f3.pointee.signExponent & Self.exponentMask &- 0xC000
    let e4 = f4.pointee.signExponent & Self.exponentMask &- 0xC000
    let e2 = f2.pointee.signExponent & Self.exponentMask &- 0xC000
    // Round to nearest (rc = 0) and, without a completer, pc = 3; inexact results do not trap.
    let controls = fpsr &>> (field &+ 6)
    guard fpsr & 0x20 != 0, anyPrecision ? controls & 0x3C == 0x0C : controls & 0x30 == 0, (e3 | e4) < 0x8000,
      Int64(bitPattern: f3.pointee.significand & f4.pointee.significand) < 0,
      Int64(bitPattern: c) < 0 ? e2 < 0x8000 : c == 0 && e2 == 0 &- 0xC000
    else { return multiplyAddOfAny(op) }
    let (productHigh, productLow) = f3.pointee.significand.multipliedFullWidth(by: f4.pointee.significand)
    var high = productHigh
    var low = productLow
    var sign = f3.pointee.signExponent ^ f4.pointee.signExponent ^ (negateProduct ? Self.sign : 0)
    // Weight of bit 127, seen from 0xC000 like the others.
    var exponent = Int64(bitPattern: e3 &+ e4) &- 0x3FFE
    if c != 0 {
      let otherSign = f2.pointee.signExponent ^ (negateAddend ? Self.sign : 0)
      let differ = (sign ^ otherSign) & Self.sign != 0
      let distance = exponent &- Int64(bitPattern: e2)
      // The number of less weight, aligned. What falls out is jammed into the last bit; see FloatArithmetic.fma.
      var otherHigh: UInt64
      var otherLow: UInt64
      if distance >= 0 {
        let count = UInt64(bitPattern: distance)
        if count < 64 {
          otherHigh = c &>> count
          otherLow = (c &<< 1) &<< (63 &- count)
        } else {
          otherHigh = 0
          guard count < 128 else { return multiplyAddOfAny(op) }
          otherLow = c &>> count
          if (c &<< 1) &<< (63 &- count) != 0 { otherLow |= 1 }
        }
      } else {
        let count = UInt64(bitPattern: 0 &- distance)
        exponent = Int64(bitPattern: e2)
        sign = otherSign
        guard count < 64 else { return multiplyAddOfAny(op) }
        otherHigh = high &>> count
        otherLow = low &>> count | (high &<< 1) &<< (63 &- count)
        if (low &<< 1) &<< (63 &- count) != 0 {
          // One bit out of a distance of one may come to be seen.
          if count == 1 { return multiplyAddOfAny(op) }
          otherLow |= 1
        }
        high = c
        low = 0
      }
      if differ {
        let (l, b) = low.subtractingReportingOverflow(otherLow)
        let (h1, b1) = high.subtractingReportingOverflow(otherHigh)
        let (h2, b2) = h1.subtractingReportingOverflow(b ? 1 : 0)
        low = l
        high = h2
        if b1 || b2 {
          sign ^= Self.sign
          low = 0 &- low
          high = ~high &+ (low == 0 ? 1 : 0)
        }
        if high == 0 {
          if low == 0 {
            s.f(op.pointee.d).pointee = .zero
            s.pointee.psr |= op.pointee.d < 32 ? PSR.mfl : PSR.mfh
            return .next
          }
          high = low
          low = 0
          exponent &-= 64
        }
      } else {
        let (l, carry) = low.addingReportingOverflow(otherLow)
        let (h1, c1) = high.addingReportingOverflow(otherHigh)
        let (h2, c2) = h1.addingReportingOverflow(carry ? 1 : 0)
        low = l
        high = h2
        if c1 || c2 {
          low = low &>> 1 | high &<< 63 | low & 1
          high = high &>> 1 | 1 &<< 63
          exponent &+= 1
        }
      }
    }
    if Int64(bitPattern: high) >= 0 {
      let zeros = UInt64(truncatingIfNeeded: high.leadingZeroBitCount)
      high = high &<< zeros | (low &>> 1) &>> (63 &- zeros)
      low = low &<< zeros
      exponent &-= Int64(bitPattern: zeros)
    }
    let inexact: Bool
    if dropped == 0 {
      // A carry out of the lower word if it is more than half, or half and the bit above is odd.
      inexact = low != 0
      let (_, up) = low.addingReportingOverflow(0x7FFF_FFFF_FFFF_FFFF &+ (high & 1))
      high = high &+ (up ? 1 : 0)
    } else {
      let mask: UInt64 = (1 &<< dropped) &- 1
      let exact = high | (low != 0 ? 1 : 0)
      inexact = exact & mask != 0
      high = (exact &+ mask &>> 1 &+ (exact &>> dropped & 1)) & ~mask
    }
    if high == 0 {
      high = 1 &<< 63
      exponent &+= 1
    }
    // Results of the middle of the single range are in the range of every format.
    guard UInt64(bitPattern: exponent &- 0x3F81) < 0xFE else { return multiplyAddOfAny(op) }
    let target = s.f(op.pointee.d)
    target.pointee.significand = high
    target.pointee.signExponent = sign & Self.sign | UInt64(bitPattern: exponent &+ 0xC000)
    s.pointee.psr |= op.pointee.d < 32 ? PSR.mfl : PSR.mfh
    if inexact { s.ar[AR.fpsr] = fpsr | 0x20 &<< (field &+ 13) }
    return .next
  }
}
