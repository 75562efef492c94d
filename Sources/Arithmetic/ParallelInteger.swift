/// Multimedia integer instructions on the 1-, 2- or 4-byte elements of 64-bit registers (Volume 1, section 4.6).
///
/// Element sizes are in bytes, as the digit in the mnemonics. Operands have the order of the assembler: r2, r3.
public enum ParallelInteger {
  /// Operands and limits of padd and psub: modulo; signed result and operands; unsigned result and first operand with
  /// a signed second one; all unsigned. `uss` only occurs in pack: unsigned result of signed elements.
  public enum Saturation: UInt8, Sendable { case modulo, sss, uus, uuu, uss }

  /// padd1, padd2, padd4.
  public static func add(_ r2: UInt64, _ r3: UInt64, _ size: Int, _ saturation: Saturation) -> UInt64 {
    switch saturation {
    case .modulo, .uss: map(r2, r3, size) { x, y in x &+ y }
    case .sss: map(r2, r3, size) { x, y in clampSigned(signed(x, size) &+ signed(y, size), size) }
    case .uus: map(r2, r3, size) { x, y in clampUnsigned(x &+ signed(y, size), size) }
    case .uuu: map(r2, r3, size) { x, y in clampUnsigned(x &+ y, size) }
    }
  }

  /// psub1, psub2, psub4.
  public static func subtract(_ r2: UInt64, _ r3: UInt64, _ size: Int, _ saturation: Saturation) -> UInt64 {
    switch saturation {
    case .modulo, .uss: map(r2, r3, size) { x, y in x &- y }
    case .sss: map(r2, r3, size) { x, y in clampSigned(signed(x, size) &- signed(y, size), size) }
    case .uus: map(r2, r3, size) { x, y in clampUnsigned(x &- signed(y, size), size) }
    case .uuu: map(r2, r3, size) { x, y in clampUnsigned(x &- y, size) }
    }
  }

  /// pavg: half the unsigned sum. The bit lost is ORed into the lowest bit of the result, which averages rounding
  /// errors out; with `.raz` one is added before.
  public static func average(_ r2: UInt64, _ r3: UInt64, _ size: Int, roundAway: Bool) -> UInt64 {
    map(r2, r3, size) { x, y in
      let sum = x &+ y
      return roundAway ? (sum &+ 1) >> 1 : sum >> 1 | sum & 1
    }
  }

  /// pavgsub: half the difference of unsigned elements, a signed number, rounded as pavg.
  public static func averageSubtract(_ r2: UInt64, _ r3: UInt64, _ size: Int) -> UInt64 {
    map(r2, r3, size) { x, y in
      let difference = x &- y
      return difference >> 1 | difference & 1
    }
  }

  /// pcmp.eq and pcmp.gt (signed): all ones where the relation holds.
  public static func compare(_ r2: UInt64, _ r3: UInt64, _ size: Int, greater: Bool) -> UInt64 {
    if greater { return map(r2, r3, size) { x, y in signed(x, size) > signed(y, size) ? -1 : 0 } }
    return map(r2, r3, size) { x, y in x == y ? -1 : 0 }
  }

  /// pmin1.u, pmax1.u.
  public static func minmax1(_ r2: UInt64, _ r3: UInt64, maximum: Bool) -> UInt64 {
    map(r2, r3, 1) { x, y in (x < y) == maximum ? y : x }
  }

  /// pmin2, pmax2: signed.
  public static func minmax2(_ r2: UInt64, _ r3: UInt64, maximum: Bool) -> UInt64 {
    map(r2, r3, 2) { x, y in (signed(x, 2) < signed(y, 2)) == maximum ? y : x }
  }

  /// psad1: sum of the absolute differences of unsigned bytes.
  public static func sumOfDifferences1(_ r2: UInt64, _ r3: UInt64) -> UInt64 {
    var sum: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 64 {
      let x = r2 &>> shift & 0xFF
      let y = r3 &>> shift & 0xFF
      sum &+= x > y ? x &- y : y &- x
      shift &+= 8
    }
    return sum
  }

  /// Applies `body` to the zero-extended elements of both and keeps the low bits of what it returns.
  @inline(__always)
  static func map(_ a: UInt64, _ b: UInt64, _ size: Int, _ body: (Int64, Int64) -> Int64) -> UInt64 {
    let bits = UInt64(truncatingIfNeeded: size &* 8)
    let mask = elementMask(bits)
    var result: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 64 {
      let value = body(Int64(bitPattern: a &>> shift & mask), Int64(bitPattern: b &>> shift & mask))
      result |= (UInt64(bitPattern: value) & mask) &<< shift
      shift &+= bits
    }
    return result
  }

  @inline(__always) static func elementMask(_ bits: UInt64) -> UInt64 { ~0 &>> (64 &- bits) }

  @inline(__always) static func signed(_ x: Int64, _ size: Int) -> Int64 {
    let unused = Int64(truncatingIfNeeded: 64 &- size &* 8)
    return (x &<< unused) &>> unused
  }

  @inline(__always) static func clampSigned(_ x: Int64, _ size: Int) -> Int64 {
    let limit: Int64 = 1 &<< Int64(truncatingIfNeeded: size &* 8 &- 1)
    return min(max(x, 0 &- limit), limit &- 1)
  }

  @inline(__always) static func clampUnsigned(_ x: Int64, _ size: Int) -> Int64 {
    min(max(x, 0), (1 &<< Int64(truncatingIfNeeded: size &* 8)) &- 1)
  }
}
