import Arithmetic
import Foundation
import Testing

/// Singles and doubles, rounded to nearest, against the arithmetic of the machine that runs the tests.
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
    for _ in 0..<Campaign.count(20_000, weight: 0.2) {
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
    for _ in 0..<Campaign.count(20_000, weight: 0.2) {
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
}
