import Arithmetic
import Foundation
import Testing

/// Singles, doubles and double-extendeds, rounded to nearest, against the arithmetic of the machine that runs the tests.
@Suite struct HostComparisonTests {
  private func check(_ campaign: inout Campaign, single f: FloatRegister, _ host: Float, _ context: String) {
    let bits = FloatMemory.storeSingle(f)
    // Signs and payloads of new NaNs differ between machines.
    if host.isNaN {
      campaign.check(Float(bitPattern: bits).isNaN, true, context)
    } else {
      campaign.check(bits, host.bitPattern, context)
    }
  }

  private func check(_ campaign: inout Campaign, double f: FloatRegister, _ host: Double, _ context: String) {
    let bits = FloatMemory.storeDouble(f)
    if host.isNaN {
      campaign.check(Double(bitPattern: bits).isNaN, true, context)
    } else {
      campaign.check(bits, host.bitPattern, context)
    }
  }

  @Test func singles() {
    var campaign = Campaign()
    var g = SplitMix(Campaign.seed &+ 20)
    let control = Scenario(completer: 1).control
    for _ in 0..<Campaign.count(10_000, weight: 0.01) {
      let (a, b, c) = (Zoo.single(&g), Zoo.single(&g), Zoo.single(&g))
      let (x, y, z) = (Float(bitPattern: a), Float(bitPattern: b), Float(bitPattern: c))
      let (f, h, k) = (FloatMemory.loadSingle(a), FloatMemory.loadSingle(b), FloatMemory.loadSingle(c))
      let sum = FloatArithmetic.fma(f, h, k, control, negateProduct: false, negateAddend: false, addendIsFR0: false)
      check(&campaign, single: sum.value, z.addingProduct(x, y), "\(x) * \(y) + \(z)")
      check(&campaign, single: FloatArithmetic.softwareAssistFrcpa(f, h, control).value, x / y, "\(x) / \(y)")
      check(&campaign, single: FloatArithmetic.softwareAssistFrsqrta(f, control).value, x.squareRoot(), "sqrt \(x)")
      campaign.check(FloatArithmetic.compare(f, h, .less, control).predicate, x < y, "\(x) < \(y)")
      campaign.check(FloatArithmetic.compare(f, h, .equal, control).predicate, x == y, "\(x) == \(y)")
      campaign.check(FloatMemory.storeSingle(f), a, "load and store \(x)")
    }
    campaign.finish(Campaign.seed &+ 20)
  }

  @Test func doubles() {
    var campaign = Campaign()
    var g = SplitMix(Campaign.seed &+ 21)
    let control = Scenario(completer: 2).control
    func pick() -> UInt64 {
      let r = g.next()
      switch g.below(8) {
      case 0: return r & 0x800F_FFFF_FFFF_FFFF
      case 1: return r | 0x7FF0_0000_0000_0000
      case 2: return r
      default: return r & 0x800F_FFFF_FFFF_FFFF | UInt64(1023 + g.below(120) - 60) << 52
      }
    }
    for _ in 0..<Campaign.count(10_000, weight: 0.01) {
      let (a, b, c) = (pick(), pick(), pick())
      let (x, y, z) = (Double(bitPattern: a), Double(bitPattern: b), Double(bitPattern: c))
      let (f, h, k) = (FloatMemory.loadDouble(a), FloatMemory.loadDouble(b), FloatMemory.loadDouble(c))
      let sum = FloatArithmetic.fma(f, h, k, control, negateProduct: false, negateAddend: false, addendIsFR0: false)
      check(&campaign, double: sum.value, z.addingProduct(x, y), "\(x) * \(y) + \(z)")
      check(&campaign, double: FloatArithmetic.softwareAssistFrcpa(f, h, control).value, x / y, "\(x) / \(y)")
      check(&campaign, double: FloatArithmetic.softwareAssistFrsqrta(f, control).value, x.squareRoot(), "sqrt \(x)")
      if x.magnitude < 0x1p63 {
        let integer = FloatArithmetic.toInteger(f, control, unsigned: false, truncate: true).value.significand
        campaign.check(Int64(bitPattern: integer), Int64(x), "trunc \(x)")
      }
      campaign.check(FloatMemory.storeDouble(f), a, "load and store \(x)")
    }
    campaign.finish(Campaign.seed &+ 21)
  }

  #if arch(x86_64)
    /// Double-extended results against the 80-bit registers of the host.
    @Test func doubleExtended() {
      var campaign = Campaign()
      var g = SplitMix(Campaign.seed &+ 22)
      let control = Scenario().control
      func pick() -> Float80 {
        let sign: FloatingPointSign = g.below(2) == 0 ? .minus : .plus
        let significand = Zoo.significand(&g) & (1 << 63 - 1)
        switch g.below(16) {
        case 0: return Float80(sign: sign, exponentBitPattern: 0, significandBitPattern: significand >> (g.next() & 63))
        case 1: return Float80(sign: sign, exponentBitPattern: 0x7FFF, significandBitPattern: 0)
        case 2: return Float80(sign: sign, exponentBitPattern: UInt(1 + g.below(0x7FFE)), significandBitPattern: significand)
        case 3: return Float80(sign: sign, exponentBitPattern: 0, significandBitPattern: 0)
        default:
          let exponent = UInt(16383 + g.below(140) - 70)
          return Float80(sign: sign, exponentBitPattern: exponent, significandBitPattern: significand)
        }
      }
      func register(_ x: Float80) -> FloatRegister {
        let sign: UInt16 = x.sign == .minus ? 0x8000 : 0
        let integerBit: UInt64 = x.exponentBitPattern == 0 ? 0 : 1 << 63
        return FloatMemory.loadExtended(integerBit | x.significandBitPattern, sign | UInt16(x.exponentBitPattern))
      }
      func check(_ outcome: FloatOutcome, _ host: Float80, _ context: String) {
        if host.isNaN {
          campaign.check(outcome.value.isNaN, true, context)
        } else {
          campaign.check(show(outcome.value), show(register(host)), context)
        }
      }
      for _ in 0..<Campaign.count(10_000, weight: 0.01) {
        let (x, y) = (pick(), pick())
        let (f, h) = (register(x), register(y))
        let product = FloatArithmetic.fma(
          f, h, .zero, control, negateProduct: false, negateAddend: false, addendIsFR0: true)
        check(product, x * y, "\(x) * \(y)")
        let sum = FloatArithmetic.fma(
          f, .one, h, control, negateProduct: false, negateAddend: false, addendIsFR0: false)
        check(sum, x + y, "\(x) + \(y)")
        let difference = FloatArithmetic.fma(
          f, .one, h, control, negateProduct: false, negateAddend: true, addendIsFR0: false)
        check(difference, x - y, "\(x) - \(y)")
        check(FloatArithmetic.softwareAssistFrcpa(f, h, control), x / y, "\(x) / \(y)")
        check(FloatArithmetic.softwareAssistFrsqrta(f, control), x.squareRoot(), "sqrt \(x)")
        let integer = FloatArithmetic.toInteger(f, control, unsigned: false, truncate: false)
        if let exact = Int64(exactly: x.rounded(.toNearestOrEven)) {
          campaign.check(integer.value, Zoo.make(false, 0x1003E, UInt64(bitPattern: exact)), "fcvt.fx \(x)")
        } else {
          campaign.check(integer.flags, 1, "fcvt.fx \(x)")
        }
      }
      campaign.finish(Campaign.seed &+ 22)
    }
  #endif
}
