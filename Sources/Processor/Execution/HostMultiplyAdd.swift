import CHostArithmetic

/// Multiply-adds in double precision whose operands the registers hold as doubles of the host: its own instruction rounds them as the Itanium does.
///
/// That is so for `.d` with rounding to nearest, whatever the width of the exponent (FPSR.sf.wre), as long as the result is of moderate size, too
/// (``FloatPlace/isModerate(_:)``): no overflow, no underflow, no zero. Whether a result is inexact the host does not tell
/// (its own flag is behind a slow instruction, and not every instrument on the host keeps it). Mostly nobody asks, because the status field says
/// already that one was; until then ``isExact(_:_:_:_:_:)`` finds out. Only status field 0 is served, which compiled programs compute in.
enum HostMultiplyAdd {
  typealias Operation = UnsafeMutablePointer<MicroOp>

  /// The host has the instruction.
  static let isAvailable = epicure_has_multiply_add() != 0

  enum Kind { case fma, fms, fnma, fmpy }

  /// What counts in FPSR: the trap disable bit of inexact results, and rounding control and inexact flag of status field 0.
  @inline(__always) static func control(_ fpsr: UInt64) -> UInt64 { fpsr & (1 << 5 | 3 << 10 | 1 << 18) }
  /// To nearest, without trap, and no result was inexact so far.
  static let stillExact: UInt64 = 1 << 5
  /// The same, and one was.
  static let inexact: UInt64 = 1 << 5 | 1 << 18

  @inline(__always) static func compute(_ kind: Kind, _ x: UInt64, _ y: UInt64, _ z: UInt64) -> UInt64 {
    let (x, y, z) = (Double(bitPattern: x), Double(bitPattern: y), Double(bitPattern: z))
    switch kind {
    case .fma: return epicure_multiply_add(x, y, z).bitPattern
    case .fms: return epicure_multiply_subtract(x, y, z).bitPattern
    case .fnma: return epicure_negative_multiply_add(x, y, z).bitPattern
    case .fmpy: return (x * y).bitPattern
    }
  }

  /// Whether a moderate result is what the operands give without rounding. False also where it is, but the product alone would have to be rounded.
  @inline(__always) static func isExact(_ kind: Kind, _ x: UInt64, _ y: UInt64, _ z: UInt64, _ result: UInt64) -> Bool {
    let (x, y, z, r) = (Double(bitPattern: x), Double(bitPattern: y), Double(bitPattern: z), Double(bitPattern: result))
    // p is the product if the result is exact: then product and addend are differences of doubles that are doubles. The other way round, if
    // p is the product, r is p + z rounded. Of the two differences r - p and r - z the one with the greater part is computed without error
    // (Dekker, 1971), so that both can only be z and p if the sum was exact. That r - z is p holds by definition.
    let p: Double
    let addend: Double
    switch kind {
    case .fma: (p, addend) = (r - z, r - (r - z))
    case .fms: (p, addend) = (r + z, (r + z) - r)
    case .fnma: (p, addend) = (z - r, (z - r) + r)
    case .fmpy: (p, addend) = (r, z)
    }
    // Compared by bits: a zero of the other sign is left to integers. The error of a moderate product is a double.
    let error = epicure_multiply_subtract(x, y, p)
    return error.bitPattern | (addend.bitPattern ^ z.bitPattern) == 0
  }

  /// For operands that are not all kept as doubles, and for products with zero: takes the host's form for them if that is possible. False:
  /// nothing has been computed.
  @inline(never) static func withPacking(_ s: State, _ o: Operation) -> Bool {
    let control = control(s.ar[AR.fpsr])
    guard control == inexact || control == stillExact else { return false }
    let (x, y, z, target) = (s.f(o.pointee.a), s.f(o.pointee.b), s.f(o.pointee.c), s.f(o.pointee.d))
    guard x.pack(), y.pack(), z.pack() else { return false }
    let kind: Kind =
      switch o.pointee.e >> 4 {
      case 0: o.pointee.c == 0 ? .fmpy : .fma
      case 1: o.pointee.c == 0 ? .fmpy : .fms
      default: .fnma
      }
    let result = compute(kind, x.word, y.word, z.word)
    // With a product of zero every result is exact.
    let hasZeroProduct = x.word &<< 1 == 0 || y.word &<< 1 == 0
    if FloatPlace.isModerate(result) {
      guard control == inexact || hasZeroProduct || isExact(kind, x.word, y.word, z.word, result) else { return false }
    } else {
      // The zero of a negative product without addend (c is f0) has a sign of its own.
      guard hasZeroProduct, result &<< 1 == 0, kind != .fnma || o.pointee.c != 0 else { return false }
    }
    target.keep(result)
    s.pointee.psr |= UInt64(bitPattern: o.pointee.imm) & (PSR.mfl | PSR.mfh)
    return true
  }

  /// Whether an operand is kept as a double.
  @inline(__always) static func anyDouble(_ s: State, _ o: Operation) -> Bool {
    Int64(bitPattern: s.f(o.pointee.a).tag | s.f(o.pointee.b).tag | s.f(o.pointee.c).tag) < 0
  }

  /// Gives operands back the manual's form.
  @inline(never) static func unpack(_ s: State, _ o: Operation) {
    s.f(o.pointee.a).unpack()
    s.f(o.pointee.b).unpack()
    s.f(o.pointee.c).unpack()
  }
}
