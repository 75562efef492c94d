import Arithmetic
import BigInt
import Testing

/// Loads and stores against the values and fields of Volume 1, section 5.3.
@Suite struct MemoryFormatTests {
  /// stfs by the figure: sign, exponent bits 16 and 6:0 (zero without the integer bit), fraction bits 62:40.
  static func single(_ f: FloatRegister) -> UInt32 {
    let fraction = UInt32(f.significand >> 40 & 0x7F_FFFF)
    let sign: UInt32 = f.signExponent >= 0x20000 ? 0x8000_0000 : 0
    guard f.significand >= 1 << 63 else { return sign + fraction }
    let top: UInt32 = f.signExponent % 0x20000 >= 0x10000 ? 128 : 0
    return sign + (top + UInt32(f.signExponent % 128)) << 23 + fraction
  }

  private static func double(_ f: FloatRegister) -> UInt64 {
    let fraction = (f.significand % (1 << 63)) >> 11
    let sign: UInt64 = f.signExponent >= 0x20000 ? 1 << 63 : 0
    guard f.significand >= 1 << 63 else { return sign + fraction }
    let top: UInt64 = f.signExponent % 0x20000 >= 0x10000 ? 1024 : 0
    return sign + (top + f.signExponent % 1024) << 52 + fraction
  }

  /// The same number or the same kind of non-number, unnormal exactly for denormals.
  private func agree(_ a: Operand, _ b: Operand) -> Bool {
    switch (a, b) {
    case (.infinity(let x), .infinity(let y)): return x == y
    case (.nan(let x, let m), .nan(let y, let n)): return x == y && m == n
    case (.finite(let x, let u), .finite(let y, let v)):
      return u == v && Exact.compare(x, y) == 0 && x.negative == y.negative
    default: return false
    }
  }

  @Test func singles() {
    var campaign = Campaign()
    var g = SplitMix(500)
    for i in 0..<4_000 {
      let bits = i % 2 == 0 ? Zoo.single(&g) : UInt32(truncatingIfNeeded: g.next())
      let f = FloatMemory.loadSingle(bits)
      campaign.check(agree(Operand(f), Operand(single: bits)), true, "ldfs \(bits) gives \(show(f))")
      campaign.check(FloatMemory.storeSingle(f), bits, "stfs of ldfs")
      let any = Zoo.random(&g, near: 0xFFFF)
      campaign.check(FloatMemory.storeSingle(any), Self.single(any), "stfs \(show(any))")
      campaign.check(FloatMemory.storeDouble(any), Self.double(any), "stfd \(show(any))")
    }
    campaign.finish(500)
  }

  @Test func doubles() {
    var campaign = Campaign()
    var g = SplitMix(501)
    for i in 0..<4_000 {
      let r = g.next()
      let bits = i % 4 == 0 ? r & 0x800F_FFFF_FFFF_FFFF : i % 4 == 1 ? r | 0x7FF0_0000_0000_0000 : r
      let f = FloatMemory.loadDouble(bits)
      let x = Double(bitPattern: bits)
      let fraction = bits % (1 << 52)
      if x.isNaN {
        let expected = Operand.nan(negative: bits >> 63 == 1, significand: 1 << 63 | fraction << 11)
        campaign.check(agree(Operand(f), expected), true, "ldfd \(bits)")
      } else if x.isInfinite {
        campaign.check(agree(Operand(f), .infinity(negative: x < 0)), true, "ldfd \(x)")
      } else {
        let subnormal = x.magnitude < .leastNormalMagnitude
        let number = Exact(
          negative: x.sign == .minus, numerator: BigUInt(subnormal ? fraction : fraction | 1 << 52),
          scale: subnormal ? -1074 : Int(bits >> 52 & 0x7FF) - 1075)
        campaign.check(agree(Operand(f), .finite(number, unnormal: subnormal && !x.isZero)), true, "ldfd \(x)")
      }
      campaign.check(FloatMemory.storeDouble(f), bits, "stfd of ldfd")
    }
    campaign.finish(501)
  }

  @Test func extended() {
    var campaign = Campaign()
    var g = SplitMix(502)
    for i in 0..<4_000 {
      let significand = g.next() >> UInt64(i % 5 == 0 ? g.below(64) : 0)
      let high = UInt16(truncatingIfNeeded: g.next()) & [0xFFFF, 0x8000, 0xBFFF][g.below(3)] | (i % 7 == 0 ? 0x7FFF : 0)
      let f = FloatMemory.loadExtended(significand, high)
      let exponent = UInt64(high) % 0x8000
      let field = exponent == 0 ? 0 : exponent == 0x7FFF ? 0x1FFFF : exponent + 0xFFFF - 0x3FFF
      campaign.check(f, Zoo.make(high >= 0x8000, field, significand), "ldfe \(high) \(significand)")
      let (low, top) = FloatMemory.storeExtended(f)
      campaign.check(low, significand, "stfe of ldfe")
      campaign.check(top, high, "stfe of ldfe")
      let any = Zoo.random(&g, near: 0xFFFF)
      let bit16: UInt64 = any.signExponent % 0x20000 >= 0x10000 ? 0x4000 : 0
      let sign: UInt64 = any.signExponent >= 0x20000 ? 0x8000 : 0
      campaign.check(
        UInt64(FloatMemory.storeExtended(any).1), sign + bit16 + any.signExponent % 0x4000, "stfe \(show(any))")
    }
    campaign.finish(502)
  }

  @Test func wholeRegisters() {
    var campaign = Campaign()
    for f in Zoo.classes {
      let (significand, signExponent) = FloatMemory.spill(f)
      campaign.check(FloatRegister(significand: significand, signExponent: signExponent), f, "stf.spill")
      campaign.check(FloatMemory.storeInteger(f), f.significand, "stf8")
      campaign.check(FloatMemory.storeExponent(f), f.signExponent, "getf.exp")
      campaign.check(FloatMemory.loadInteger(f.significand), Zoo.make(false, 0x1003E, f.significand), "ldf8")
    }
    campaign.finish()
  }
}
