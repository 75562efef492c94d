import Arithmetic

/// fma, fms and fnma as programs mostly use them: normal operands, rounding to nearest even, no trap. Bit for bit what
/// ``FloatArithmetic/fma(_:_:_:_:negateProduct:negateAddend:addendIsFR0:)`` gives. False: nothing has been done, and
/// ``LogicalProcessor/multiplyAddOfAny(_:)`` must do it, with the operands read again, so that nothing need be kept for it here.
///
/// Each form is a function of its own: kind, precision and the place of the registers are constants in it.
enum OrdinaryMultiplyAdd {
  typealias Operation = UnsafeMutablePointer<MicroOp>

  // Without completer: the precision is that of FPSR, which must say 64 bits.
  @inline(never) static func fmaExtended(_ s: State, _ o: Operation) -> Bool { run(s, o, Form(dropped: 0)) }
  @inline(never) static func fmsExtended(_ s: State, _ o: Operation) -> Bool { run(s, o, Form(dropped: 0, negateAddend: true)) }
  @inline(never) static func fnmaExtended(_ s: State, _ o: Operation) -> Bool { run(s, o, Form(dropped: 0, negateProduct: true)) }
  @inline(never) static func fmpyExtended(_ s: State, _ o: Operation) -> Bool { run(s, o, Form(dropped: 0, adds: false)) }
  // .d
  @inline(never) static func fmaDouble(_ s: State, _ o: Operation) -> Bool { run(s, o, Form(dropped: 11)) }
  @inline(never) static func fmsDouble(_ s: State, _ o: Operation) -> Bool { run(s, o, Form(dropped: 11, negateAddend: true)) }
  @inline(never) static func fnmaDouble(_ s: State, _ o: Operation) -> Bool { run(s, o, Form(dropped: 11, negateProduct: true)) }
  @inline(never) static func fmpyDouble(_ s: State, _ o: Operation) -> Bool { run(s, o, Form(dropped: 11, adds: false)) }
  // The same with f1 and f0: fnorm, fcvt.xuf.
  @inline(never) static func fnormExtended(_ s: State, _ o: Operation) -> Bool { normalize(s, o, Form(dropped: 0)) }
  @inline(never) static func fnormDouble(_ s: State, _ o: Operation) -> Bool { normalize(s, o, Form(dropped: 11)) }
  // .s
  @inline(never) static func fmaSingle(_ s: State, _ o: Operation) -> Bool { run(s, o, Form(dropped: 40, rotating: true)) }
  // The same with a register of f32...f127 among the operands.
  @inline(never) static func fmaExtendedRotating(_ s: State, _ o: Operation) -> Bool {
    run(s, o, Form(dropped: 0, rotating: true))
  }
  @inline(never) static func fmsExtendedRotating(_ s: State, _ o: Operation) -> Bool {
    run(s, o, Form(dropped: 0, negateAddend: true, rotating: true))
  }
  @inline(never) static func fnmaExtendedRotating(_ s: State, _ o: Operation) -> Bool {
    run(s, o, Form(dropped: 0, negateProduct: true, rotating: true))
  }
  @inline(never) static func fmpyExtendedRotating(_ s: State, _ o: Operation) -> Bool {
    run(s, o, Form(dropped: 0, adds: false, rotating: true))
  }
  @inline(never) static func fmaDoubleRotating(_ s: State, _ o: Operation) -> Bool {
    run(s, o, Form(dropped: 11, rotating: true))
  }
  @inline(never) static func fmsDoubleRotating(_ s: State, _ o: Operation) -> Bool {
    run(s, o, Form(dropped: 11, negateAddend: true, rotating: true))
  }
  @inline(never) static func fnmaDoubleRotating(_ s: State, _ o: Operation) -> Bool {
    run(s, o, Form(dropped: 11, negateProduct: true, rotating: true))
  }
  @inline(never) static func fmpyDoubleRotating(_ s: State, _ o: Operation) -> Bool {
    run(s, o, Form(dropped: 11, adds: false, rotating: true))
  }

  /// The same for a micro-operation whose operands have changed their form, or that the host was to compute. False also: it has no function here.
  @inline(never) static func again(_ s: State, _ o: Operation) -> Bool {
    switch o.pointee.tag {
    case .fmaExtended, .fmaExtendedRotating: fmaExtendedRotating(s, o)
    case .fmsExtended, .fmsExtendedRotating: fmsExtendedRotating(s, o)
    case .fnmaExtended, .fnmaExtendedRotating: fnmaExtendedRotating(s, o)
    case .fmpyExtended, .fmpyExtendedRotating: fmpyExtendedRotating(s, o)
    case .fmaDouble, .fmaDoubleRotating, .fmaHost, .fmaHostRotating: fmaDoubleRotating(s, o)
    case .fmsDouble, .fmsDoubleRotating, .fmsHost, .fmsHostRotating: fmsDoubleRotating(s, o)
    case .fnmaDouble, .fnmaDoubleRotating, .fnmaHost, .fnmaHostRotating: fnmaDoubleRotating(s, o)
    case .fmpyDouble, .fmpyDoubleRotating, .fmpyHost, .fmpyHostRotating: fmpyDoubleRotating(s, o)
    case .fnormExtended: fnormExtended(s, o)
    case .fnormDouble: fnormDouble(s, o)
    case .fmaSingle: fmaSingle(s, o)
    default: false
    }
  }

  /// What is constant in each function.
  private struct Form {
    /// Bits of the significand that the result does not have.
    var dropped: UInt64
    var negateProduct = false
    var negateAddend = false
    /// The addend is not f0.
    var adds = true
    var rotating = false
  }

  private static let sign: UInt64 = 0x20000
  /// Exponents of normal double-extended numbers start at 0xC001. Seen from 0xC000 they have 15 bits; others have one of these set, and so
  /// has ``FloatPlace/double``: what is kept as the host's double is none of the ordinary operands here.
  private static let origin: UInt64 = 0xC000
  private static let outside: UInt64 = 0x18000
  /// The translator's preparations, in imm: bits 4 and 5 are PSR.mfl or PSR.mfh; from here on how far left FPSR's status field is.
  static let shiftPlace: UInt64 = 58
  /// Flags of a status field, seen from its controls.
  private static let unnormalFlag: UInt64 = 1 << 8
  private static let inexactFlag: UInt64 = 1 << 12

  @inline(__always)
  private static func run(_ s: State, _ o: Operation, _ form: Form) -> Bool {
    func register(_ n: UInt8) -> FloatPlace { form.rotating ? s.f(n) : s.float(element: Int(n)) }
    let prepared = UInt64(bitPattern: o.pointee.imm)
    let f3 = register(o.pointee.a)
    let f4 = register(o.pointee.b)
    let x = f3.word
    let y = f4.word
    // Signs stay where they are, in bit 17.
    let signX = f3.tag &- origin
    let signY = f4.tag &- origin
    let c = form.adds ? register(o.pointee.c).word : 1 << 63
    let signC = form.adds ? register(o.pointee.c).tag &- origin : 0
    guard isOrdinary(s.ar[AR.fpsr], prepared, form), (signX | signY | signC) & outside == 0, Int64(bitPattern: x & y & c) < 0
    else { return false }
    let product = x.multipliedFullWidth(by: y)
    var high = product.high
    var low = product.low
    // Bit 17 of the sum is the sign of the product. The weight of bit 127, seen from the same origin, is 0x3FFE less.
    var sign = signX &+ signY
    var exponent = Int64(bitPattern: sign & 0xFFFF) &- 0x3FFE
    if form.negateProduct { sign ^= Self.sign }
    if form.adds {
      let differ = (sign ^ signC) & Self.sign != (form.negateAddend ? Self.sign : 0)
      // The number of less weight comes second and is aligned; what falls out is jammed into its last bit.
      var otherHigh = c
      var otherLow: UInt64 = 0
      let distance = exponent &- Int64(bitPattern: signC & 0x7FFF)
      var count = UInt64(bitPattern: distance)
      if distance < 0 {
        count = 0 &- count
        exponent = Int64(bitPattern: signC & 0x7FFF)
        sign = form.negateAddend ? signC ^ Self.sign : signC
        (otherHigh, high) = (high, otherHigh)
        (otherLow, low) = (low, otherLow)
      }
      if count >= 64 {
        guard count < 128 else { return false }
        otherLow = otherHigh | (otherLow != 0 ? 1 : 0)
        otherHigh = 0
      }
      let lost = (otherLow &<< 1) &<< (~count & 63)
      otherLow = (UInt128(otherHigh) &<< 64 | UInt128(otherLow)).shifted(right: count)
      otherHigh = otherHigh &>> count
      if lost != 0 {
        // One bit out of a distance of one may come to be seen, and a jammed bit must not meet a last bit that is set; see
        // FloatArithmetic.fma.
        if count == 1 || low & 1 != 0 { return false }
        otherLow |= 1
      }
      let first = UInt128(high) &<< 64 | UInt128(low)
      let second = UInt128(otherHigh) &<< 64 | UInt128(otherLow)
      if differ {
        let (difference, borrow) = first.subtractingReportingOverflow(second)
        high = UInt64(truncatingIfNeeded: difference &>> 64)
        low = UInt64(truncatingIfNeeded: difference)
        if borrow {
          sign ^= Self.sign
          low = 0 &- low
          high = ~high &+ (low == 0 ? 1 : 0)
        }
        // Far cancellation, and zero with the sign that it must have, are for the general way.
        if high == 0 { return false }
      } else {
        let (sum, carry) = first.addingReportingOverflow(second)
        high = UInt64(truncatingIfNeeded: sum &>> 64)
        low = UInt64(truncatingIfNeeded: sum)
        if carry {
          low = low &>> 1 | high &<< 63 | low & 1
          high = high &>> 1 | 1 &<< 63
          exponent &+= 1
        }
      }
    }
    if Int64(bitPattern: high) >= 0 {
      if form.adds {
        let zeros = UInt64(truncatingIfNeeded: high.leadingZeroBitCount)
        high = high &<< zeros | (low &>> 1) &>> (~zeros & 63)
        low = low &<< zeros
        exponent &-= Int64(bitPattern: zeros)
      } else {
        high = high &<< 1 | low &>> 63
        low = low &<< 1
        exponent &-= 1
      }
    }
    return round(s, o, register(o.pointee.d), sign, exponent, high, low, form)
  }

  /// Round to nearest (rc = 0) and, without a completer, pc = 3; inexact results do not trap.
  @inline(__always)
  private static func isOrdinary(_ fpsr: UInt64, _ prepared: UInt64, _ form: Form) -> Bool {
    fpsr & 0x20 != 0
      && (fpsr &>> (prepared &>> shiftPlace)) & (form.dropped == 0 ? 0x3C : 0x30) == (form.dropped == 0 ? 0x0C : 0)
  }

  /// Rounds, writes the target and the flags. Bit 63 of `high` is set; the last bit of `low` is sticky.
  @inline(__always)
  private static func round(
    _ s: State, _ o: Operation, _ target: FloatPlace, _ sign: UInt64, _ scale: Int64, _ high: UInt64,
    _ low: UInt64, _ form: Form
  ) -> Bool {
    var exponent = scale
    var significand: UInt64
    let inexact: Bool
    if form.dropped == 0 {
      // A carry out of the lower word if it is more than half, or half and the bit above is odd.
      inexact = low != 0
      let (_, up) = low.addingReportingOverflow(0x7FFF_FFFF_FFFF_FFFF &+ (high & 1))
      significand = high &+ (up ? 1 : 0)
    } else {
      let mask: UInt64 = (1 &<< form.dropped) &- 1
      let exact = high | (low != 0 ? 1 : 0)
      inexact = exact & mask != 0
      significand = (exact &+ mask &>> 1 &+ (exact &>> form.dropped & 1)) & ~mask
    }
    if significand == 0 {
      significand = 1 &<< 63
      exponent &+= 1
    }
    // The range of the format, which is part of the greater one that FPSR.sf.wre gives.
    let (least, count): (Int64, UInt64) =
      form.dropped == 0 ? (1, 0x7FFE) : form.dropped == 11 ? (0x3C01, 0x7FE) : (0x3F81, 0xFE)
    guard UInt64(bitPattern: exponent &- least) < count else { return false }
    target.word = significand
    target.tag = sign & Self.sign | UInt64(bitPattern: exponent) &+ origin
    let prepared = UInt64(bitPattern: o.pointee.imm)
    s.pointee.psr |= prepared & 0x30
    if inexact { s.ar[AR.fpsr] |= inexactFlag &<< (prepared &>> shiftPlace) }
    return true
  }

  /// fnorm: a product with 1 and no addend. Also for integers that setf.sig has brought, which have no integer bit (fcvt.xuf).
  @inline(__always)
  private static func normalize(_ s: State, _ o: Operation, _ form: Form) -> Bool {
    let prepared = UInt64(bitPattern: o.pointee.imm)
    let fpsr = s.ar[AR.fpsr]
    let source = s.f(o.pointee.a)
    let x = source.word
    let tag = source.tag
    // The operand of an unnormal kind raises D, which must not trap.
    guard isOrdinary(fpsr, prepared, form), fpsr & 2 != 0, x != 0 else { return false }
    let zeros = UInt64(truncatingIfNeeded: x.leadingZeroBitCount)
    let significand = x &<< zeros
    if tag == FloatRegister.integerExponent && significand & ((1 &<< form.dropped) &- 1) == 0 {
      // An integer that need not be rounded.
      let target = s.f(o.pointee.d)
      target.word = significand
      target.tag = tag &- zeros
      s.pointee.psr |= prepared & 0x30
    } else {
      let sign = tag &- origin
      guard sign & outside == 0, sign & 0x7FFF != 0,
        round(s, o, s.f(o.pointee.d), sign, Int64(bitPattern: sign & 0x7FFF &- zeros), significand, 0, form)
      else { return false }
    }
    if zeros != 0 { s.ar[AR.fpsr] |= unnormalFlag &<< (prepared &>> shiftPlace) }
    return true
  }
}

extension UInt128 {
  /// The lower word of this number, moved right by the low six bits of `count`.
  @inline(__always) func shifted(right count: UInt64) -> UInt64 {
    UInt64(truncatingIfNeeded: self &>> UInt128(truncatingIfNeeded: count & 63))
  }
}
