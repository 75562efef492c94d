import Arithmetic
import Testing

@Suite struct ReciprocalTests {
  private func compareAll(_ campaign: inout Campaign, _ a: FloatRegister, _ b: FloatRegister, _ s: Scenario) {
    let context = "\(show(a)) / \(show(b)) \(s)"
    let approximation = Oracle.frcpa(a, b, s)
    campaign.check(FloatArithmetic.frcpa(a, b, s.control), approximation, "frcpa \(context)")
    let quotient = Oracle.quotient(a, b, s)
    campaign.check(FloatArithmetic.softwareAssistFrcpa(a, b, s.control), quotient, "assist frcpa \(context)")
    let rootApproximation = Oracle.frsqrta(b, s)
    campaign.check(FloatArithmetic.frsqrta(b, s.control), rootApproximation, "frsqrta \(context)")
    let root = Oracle.root(b, s)
    campaign.check(FloatArithmetic.softwareAssistFrsqrta(b, s.control), root, "assist frsqrta \(context)")
    // Completed in hardware, a software assist fault turns into what its handler computes.
    var control = s.control
    control.completesLimitCases = true
    campaign.check(
      FloatArithmetic.frcpa(a, b, control), approximation.fault == 8 ? quotient : approximation, "complete \(context)")
    campaign.check(
      FloatArithmetic.frsqrta(b, control), rootApproximation.fault == 8 ? root : rootApproximation,
      "complete root \(context)")
  }

  @Test func everyPairOfClasses() {
    var campaign = Campaign()
    var g = SplitMix(7)
    for a in Zoo.classes {
      for b in Zoo.classes {
        for _ in 0..<2 { compareAll(&campaign, a, b, .random(&g)) }
      }
    }
    campaign.finish(7)
  }

  @Test func limitExponents() {
    var campaign = Campaign()
    var g = SplitMix(8)
    for a in Zoo.exponents {
      for b in Zoo.exponents where g.below(3) == 0 {
        compareAll(
          &campaign, Zoo.make(g.below(2) == 0, a, Zoo.significand(&g)), Zoo.make(false, b, Zoo.significand(&g)),
          .random(&g))
      }
    }
    // The difference of the exponents at both of its limits.
    for difference in [-65535, -65534, -65533, -65532, 65533, 65534, 65535, 65536] {
      for divisor in [40000, 65535, 90000] where (1...0x1FFFE).contains(divisor + difference) {
        compareAll(
          &campaign, Zoo.make(true, UInt64(divisor + difference), 1 << 63), Zoo.make(false, UInt64(divisor), 1 << 63),
          .random(&g))
      }
    }
    campaign.finish(8)
  }

  @Test func randomOperands() {
    var campaign = Campaign()
    var g = SplitMix(Campaign.seed &+ 9)
    for _ in 0..<Campaign.count(1_500, weight: 0.01) {
      let b = Zoo.random(&g, near: 0xFFFF)
      compareAll(&campaign, Zoo.random(&g, near: 0xFFFF), g.below(2) == 0 ? b : b.withSign(false), .random(&g))
    }
    campaign.finish(Campaign.seed &+ 9)
  }

  /// Quotients and roots that are exact, or ties, or their neighbours.
  @Test func roundingBoundaries() {
    var campaign = Campaign()
    var g = SplitMix(Campaign.seed &+ 10)
    for _ in 0..<Campaign.count(1_000, weight: 0.02) {
      let s = Scenario.random(&g)
      let short = g.next() >> 40 | 1 << 23
      let other = g.next() >> 40 | 1 << 23
      let product = (short * other) << UInt64((short * other).leadingZeroBitCount)
      let a = Zoo.make(g.below(2) == 0, UInt64(65535 + g.below(3)), product &+ UInt64(g.below(3)) &- 1 | 1 << 63)
      compareAll(&campaign, a, Zoo.make(false, 65535, short << 40), s)
      let square = (short << 8 * short << 0) << UInt64((short << 8 * short).leadingZeroBitCount)
      compareAll(&campaign, a, Zoo.make(false, UInt64(65535 + g.below(2)), square), s)
    }
    campaign.finish(Campaign.seed &+ 10)
  }

  @Test func pairsOfSingles() {
    var campaign = Campaign()
    var g = SplitMix(Campaign.seed &+ 11)
    for _ in 0..<Campaign.count(4_000, weight: 0.02) {
      var s = Scenario.random(&g)
      s.parallel = true
      let (a, b) = (Zoo.pair(&g), Zoo.pair(&g))
      campaign.check(
        FloatArithmetic.fprcpa(a, b, s.control), Oracle.fprcpa(a, b, s), "fprcpa \(show(a)) \(show(b)) \(s)")
      campaign.check(FloatArithmetic.fprsqrta(b, s.control), Oracle.fprsqrta(b, s), "fprsqrta \(show(b)) \(s)")
    }
    campaign.finish(Campaign.seed &+ 11)
  }

  /// Every entry of both tables, some of them by their published value, and the published bounds of the error.
  @Test func tables() {
    var campaign = Campaign()
    let control = Scenario().control
    for index in UInt64(0)..<256 {
      let f = Zoo.make(false, 65535, 1 << 63 | index << 55)
      let outcome = FloatArithmetic.frcpa(.one, f, control)
      campaign.check(outcome, Oracle.frcpa(.one, f, Scenario()), "frcpa \(index)")
      for low: UInt64 in [0, (1 << 55) - 1] {
        let significand: UInt64 = 1 << 63 | index << 55 | low
        let x = Double(significand) * 0x1p-63
        let y = Double(outcome.value.significand) * 0x1p-64
        #expect(abs(x * y - 1) < 0x1p-8 * 0.5412)  // 2^-8.886
      }
    }
    let entry = { (f: FloatRegister) in f.significand >> 53 }
    #expect(entry(FloatArithmetic.frcpa(.one, .one, control).value) == 0x7FC)
    #expect(entry(FloatArithmetic.frcpa(.one, Zoo.make(false, 65535, 1 << 63 | 1 << 55), control).value) == 0x7F4)
    #expect(entry(FloatArithmetic.frcpa(.one, Zoo.make(false, 65535, ~0), control).value) == 0x401)
    for exponent: UInt64 in [65534, 65535, 65536, 65537] {
      for index in UInt64(0)..<128 {
        let f = Zoo.make(false, exponent, 1 << 63 | index << 56)
        let outcome = FloatArithmetic.frsqrta(f, control)
        campaign.check(outcome, Oracle.frsqrta(f, Scenario()), "frsqrta \(exponent) \(index)")
      }
    }
    #expect(entry(FloatArithmetic.frsqrta(Zoo.make(false, 65534, 1 << 63), control).value) == 0x5A5)
    #expect(entry(FloatArithmetic.frsqrta(Zoo.make(false, 65534, ~0), control).value) == 0x401)
    #expect(entry(FloatArithmetic.frsqrta(.one, control).value) == 0x7FC)
    #expect(entry(FloatArithmetic.frsqrta(Zoo.make(false, 65535, ~0), control).value) == 0x5AA)
    campaign.finish()
  }
}
