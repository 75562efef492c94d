import Arithmetic

/// Quotients that programs compute by a dozen instructions (``DivisionTerm``), by the host's division. The translator finds them
/// (``DivisionSearch``).
enum HostDivision {
  typealias Operation = UnsafeMutablePointer<MicroOp>

  /// What the micro-operation's fields have no room for; it follows it.
  struct Plan {
    /// Registers that hold terms in the end (``Division/registers``), and how many.
    var registers: UInt32 = 0
    var count: UInt8 = 0
    /// The register that must hold 2^-34, if the integers have 32 bits; else 0.
    var tiny: UInt8 = 0
    /// Where the division is kept: number in ``ProcessorState/divisionRecords``.
    var record: UInt8 = 0
    var terms = InlineArray<8, HeldTerm>(repeating: HeldTerm(tag: 0))
  }

  /// FPSR: inexact results do not trap, and status field 1 has rounding to nearest, 64 bits, and inexact results already. No other flag can
  /// come to it. (Where the sequence is exact this one would not, either.)
  private static let controls: UInt64 = 0x20 | (0x3C | 1 << 12) << 19
  private static let usual: UInt64 = 0x20 | (0x0C | 1 << 12) << 19

  /// `frcpa` and all that the program computes from it, if the operands are integers that the sequence is meant for. False: nothing has been
  /// done.
  @inline(__always) static func integers(_ s: State, _ o: Operation) -> Bool {
    let dividend = s.float(element: Int(o.pointee.a))
    let divisor = s.float(element: Int(o.pointee.b))
    let (x, y) = (dividend.word, divisor.word)
    let (tagX, tagY) = (dividend.tag, divisor.tag)
    // How far integers that are normalized lie from their place in the integer format. Other forms of the register are far outside.
    let (shiftX, shiftY) = (FloatRegister.integerExponent &- tagX & 0x1FFFF, FloatRegister.integerExponent &- tagY & 0x1FFFF)
    guard s.ar[AR.fpsr] & controls == usual, shiftX | shiftY < 64, Int64(bitPattern: x & y) < 0 else { return false }
    let (m, n) = (x &>> shiftX, y &>> shiftY)
    guard m &<< shiftX == x, n &<< shiftY == y else { return false }
    var quotient = m / n
    if o.pointee.e != 0 {
      guard (tagX | tagY) & 0x20000 == 0 else { return false }
    } else {
      let negative = (tagX ^ tagY) &>> 17 & 1
      // What does not fit is invalid.
      guard quotient < 1 << 63 &+ negative else { return false }
      quotient = (quotient ^ (0 &- negative)) &+ negative
    }
    let tiny = plan(o).pointee.tiny
    if tiny != 0 {
      guard (m | n) &>> 32 == 0, s.float(element: Int(tiny)).value == DivisionTerm.tinyValue else { return false }
    }
    keepTerms(s, o, (x, tagX), (y, tagY))
    s.float(element: Int(o.pointee.d)).value = .integer(quotient)
    return true
  }

  /// The same for doubles, in the range that ``FloatPlace/isModerate(_:)`` tells.
  @inline(__always) static func doubles(_ s: State, _ o: Operation) -> Bool {
    let dividend = s.float(element: Int(o.pointee.a))
    let divisor = s.float(element: Int(o.pointee.b))
    let control = HostMultiplyAdd.control(s.ar[AR.fpsr])
    guard s.ar[AR.fpsr] & controls == usual, control == HostMultiplyAdd.inexact || control == HostMultiplyAdd.stillExact,
      dividend.pack(), divisor.pack()
    else { return false }
    let (x, y) = (dividend.word, divisor.word)
    let quotient = (Double(bitPattern: x) / Double(bitPattern: y)).bitPattern
    // With a zero it is not.
    guard FloatPlace.isModerate(quotient),
      control == HostMultiplyAdd.inexact || HostMultiplyAdd.compute(.fnma, quotient, y, x) == 0
    else { return false }
    keepTerms(s, o, (x, FloatPlace.double), (y, FloatPlace.double))
    s.float(element: Int(o.pointee.d)).keep(quotient)
    return true
  }

  @inline(__always) private static func plan(_ o: Operation) -> UnsafeMutablePointer<Plan> {
    UnsafeMutableRawPointer(o + 1).assumingMemoryBound(to: Plan.self)
  }

  /// What else the sequence leaves behind.
  @inline(__always)
  private static func keepTerms(
    _ s: State, _ o: Operation, _ dividend: (word: UInt64, tag: UInt64), _ divisor: (word: UInt64, tag: UInt64)
  ) {
    let plan = plan(o)
    let record = s.divisions + Int(plan.pointee.record)
    let left = record.pointee.registers & ~plan.pointee.registers
    if left != 0 { settle(s, left, of: plan.pointee.record) }
    record.pointee = Division(dividend: dividend, divisor: divisor, registers: plan.pointee.registers)
    for n in 0..<Int(plan.pointee.count) {
      let held = plan.pointee.terms[unchecked: n]
      s.float(element: held.register).tag = held.tag
    }
    s.pr[Int(o.pointee.c)] = 1
    s.pointee.psr |= PSR.mfl
  }

  /// Computes the terms of a division that the named registers hold: another one takes its place.
  @inline(never) private static func settle(_ s: State, _ registers: UInt32, of number: UInt8) {
    for n in 0..<32 as Range<UInt8> where registers >> UInt32(n) & 1 != 0 && s.f(n).division == number { s.f(n).settle() }
  }
}
