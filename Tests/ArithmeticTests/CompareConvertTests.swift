import Arithmetic
import Testing

@Suite struct CompareTests {
  private func compareAll(_ campaign: inout Campaign, _ a: FloatRegister, _ b: FloatRegister, _ s: Scenario) {
    for relation in allRelations {
      campaign.check(
        FloatArithmetic.compare(a, b, relation, s.control), Oracle.compare(a, b, relation, s),
        "\(relation) \(show(a)) \(show(b)) \(s)")
    }
    for maximum in [false, true] {
      for magnitude in [false, true] {
        campaign.check(
          FloatArithmetic.minmax(a, b, s.control, maximum: maximum, magnitude: magnitude),
          Oracle.minmax(a, b, maximum: maximum, magnitude: magnitude, s),
          "max \(maximum) magnitude \(magnitude) \(show(a)) \(show(b)) \(s)")
      }
    }
  }

  @Test func everyPairOfClasses() {
    var campaign = Campaign()
    for a in Zoo.classes {
      for b in Zoo.classes {
        for enabled: UInt8 in [0, 1, 2] { compareAll(&campaign, a, b, Scenario(enabled: enabled)) }
      }
    }
    campaign.finish()
  }

  @Test func randomOperands() {
    var campaign = Campaign()
    var g = SplitMix(Campaign.seed &+ 2)
    for _ in 0..<Campaign.count(1_000, weight: 0.005) {
      let a = Zoo.random(&g, near: 0xFFFF)
      var b = Zoo.random(&g, near: 0xFFFF)
      if g.below(4) == 0, a.significand != 0, a.exponent > 64, a.exponent < 0x1FFFE {
        // The same value as an unnormal.
        let shift = UInt64(g.below(a.significand.trailingZeroBitCount + 1))
        b = Zoo.make(a.isNegative, a.exponent + shift, a.significand >> shift)
      }
      compareAll(&campaign, a, b, .random(&g))
    }
    campaign.finish(Campaign.seed &+ 2)
  }

  @Test func pairsOfSingles() {
    var campaign = Campaign()
    var g = SplitMix(Campaign.seed &+ 3)
    for _ in 0..<Campaign.count(1_000, weight: 0.005) {
      var s = Scenario.random(&g)
      s.parallel = true
      let a = Zoo.pair(&g)
      let b = g.below(4) == 0 ? a : Zoo.pair(&g)
      for relation in allRelations {
        campaign.check(
          FloatArithmetic.parallelCompare(a, b, relation, s.control), Oracle.parallelCompare(a, b, relation, s),
          "\(relation) \(show(a)) \(show(b)) \(s)")
      }
      for maximum in [false, true] {
        for magnitude in [false, true] {
          campaign.check(
            FloatArithmetic.parallelMinmax(a, b, s.control, maximum: maximum, magnitude: magnitude),
            Oracle.parallelMinmax(a, b, maximum: maximum, magnitude: magnitude, s),
            "max \(maximum) magnitude \(magnitude) \(show(a)) \(show(b)) \(s)")
        }
      }
    }
    campaign.finish(Campaign.seed &+ 3)
  }

  @Test func classes() {
    var campaign = Campaign()
    for f in Zoo.classes {
      for mask in UInt64(0)..<512 {
        campaign.check(
          FloatArithmetic.isMember(f, class: mask), Oracle.isMember(f, mask), "fclass \(show(f)) \(mask)")
      }
    }
    campaign.finish()
  }
}

@Suite struct ConvertTests {
  private func convertAll(_ campaign: inout Campaign, _ f: FloatRegister, _ s: Scenario) {
    for (unsigned, truncate) in [(false, false), (false, true), (true, false), (true, true)] {
      campaign.check(
        FloatArithmetic.toInteger(f, s.control, unsigned: unsigned, truncate: truncate),
        Oracle.toInteger(f, unsigned: unsigned, truncate: truncate, s),
        "fcvt unsigned \(unsigned) truncate \(truncate) \(show(f)) \(s)")
    }
  }

  @Test func boundariesInEveryMode() {
    var campaign = Campaign()
    for rounding in RoundingMode.allCases {
      for enabled: UInt8 in [0, 1, 2, 0x20, 0x3F] {
        let s = Scenario(rounding: rounding, enabled: enabled)
        for f in Zoo.classes { convertAll(&campaign, f, s) }
        for exponent in 0xFFFB...0x10002 {
          for significand in Zoo.significands {
            convertAll(&campaign, Zoo.make(significand & 2 == 0, UInt64(exponent), significand), s)
          }
        }
        for exponent in 0x1003B...0x1003F {
          for significand in Zoo.significands {
            for sign in [false, true] { convertAll(&campaign, Zoo.make(sign, UInt64(exponent), significand), s) }
          }
        }
      }
    }
    campaign.finish()
  }

  @Test func randomOperands() {
    var campaign = Campaign()
    var g = SplitMix(Campaign.seed &+ 4)
    for _ in 0..<Campaign.count(3_000, weight: 0.015) {
      convertAll(&campaign, Zoo.random(&g, near: 0xFFFF + g.below(70)), .random(&g))
    }
    campaign.finish(Campaign.seed &+ 4)
  }

  @Test func pairsOfSingles() {
    var campaign = Campaign()
    var g = SplitMix(Campaign.seed &+ 5)
    for _ in 0..<Campaign.count(3_000, weight: 0.015) {
      var s = Scenario.random(&g)
      s.parallel = true
      let f = Zoo.pair(&g)
      for (unsigned, truncate) in [(false, false), (false, true), (true, false), (true, true)] {
        campaign.check(
          FloatArithmetic.parallelToInteger(f, s.control, unsigned: unsigned, truncate: truncate),
          Oracle.parallelToInteger(f, unsigned: unsigned, truncate: truncate, s),
          "fpcvt unsigned \(unsigned) truncate \(truncate) \(show(f)) \(s)")
      }
    }
    campaign.finish(Campaign.seed &+ 5)
  }

  @Test func fromIntegers() {
    var campaign = Campaign()
    var g = SplitMix(6)
    for f in Zoo.classes {
      campaign.check(FloatArithmetic.fromSignedInteger(f), Oracle.fromSigned(f), "fcvt.xf \(show(f))")
    }
    for _ in 0..<1_000 {
      let f = Zoo.make(false, 0x1003E, g.next() >> (g.next() & 63))
      campaign.check(FloatArithmetic.fromSignedInteger(f), Oracle.fromSigned(f), "fcvt.xf \(show(f))")
    }
    campaign.finish(6)
  }
}
