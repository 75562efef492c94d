import Arithmetic
import Testing

/// Every precision and range, rounding mode and trap setting, each with operands of every class and with results at the
/// limits of the format.
@Suite struct ScenarioGridTests {
  /// Completer, precision control and widest range: all that tables 5-5 and 5-6 of Volume 1 tell apart.
  static let formats: [(completer: UInt8, control: UInt64, wide: Bool)] = [
    (0, 0, false), (0, 2, false), (0, 3, false), (1, 3, false), (2, 3, false),
    (0, 0, true), (0, 2, true), (0, 3, true), (1, 3, true), (2, 3, true),
  ]

  /// Everything masked, each trap alone, all of them; flush to zero where it has an effect and where it has not.
  static let traps: [(enabled: UInt8, flush: Bool, disabled: Bool)] = [
    (0, false, false), (0, true, false), (1, false, false), (2, false, false), (4, false, false), (8, false, false),
    (0x10, true, false), (0x20, false, false), (0x20, true, false), (0x3F, false, false), (0x3F, true, true),
  ]

  static func scenarios(_ format: (completer: UInt8, control: UInt64, wide: Bool)) -> [Scenario] {
    var all: [Scenario] = []
    for rounding in RoundingMode.allCases {
      for trap in traps {
        all.append(
          Scenario(
            completer: format.completer, precisionControl: format.control, widestRange: format.wide, rounding: rounding,
            flushToZero: trap.flush, trapsDisabled: trap.disabled, enabled: trap.enabled,
            statusField: trap.disabled ? 1 + all.count % 3 : all.count % 4))
      }
    }
    return all
  }

  @Test(arguments: 0..<10) func multiplyAdd(format: Int) {
    var campaign = Campaign()
    var g = SplitMix(100 + UInt64(format))
    for s in Self.scenarios(Self.formats[format]) {
      for f in Zoo.classes {
        let kind = Oracle.Kind.allCases[g.below(3)]
        FusedMultiplyAddTests.compare(&campaign, f, .one, .zero, kind, true, s)
        FusedMultiplyAddTests.compare(&campaign, .one, Zoo.classes[g.below(Zoo.classes.count)], f, kind, false, s)
      }
      let limits = [s.minimumExponent, s.minimumExponent - 1, s.minimumExponent - s.precision, s.maximumExponent]
      for limit in limits where limit > -65535 {
        for significand in Zoo.significands {
          let f = Zoo.make(g.below(2) == 0, UInt64(min(limit, 65535) + 65535), significand)
          // The value itself, just above or below it, and twice or half of it.
          FusedMultiplyAddTests.compare(&campaign, f, .one, .zero, .add, true, s)
          FusedMultiplyAddTests.compare(
            &campaign, f, Zoo.make(false, 65534 + UInt64(g.below(3)), Zoo.significand(&g)), Zoo.make(true, 1, 1 << 63),
            .subtract, false, s)
        }
      }
    }
    campaign.finish(100 + UInt64(format))
  }

  @Test(arguments: 0..<10) func otherInstructions(format: Int) {
    var campaign = Campaign()
    var g = SplitMix(200 + UInt64(format))
    for s in Self.scenarios(Self.formats[format]) {
      for f in Zoo.classes {
        let other = Zoo.classes[g.below(Zoo.classes.count)]
        let unsigned = g.below(2) == 0, truncate = g.below(2) == 0
        let relation = allRelations[g.below(8)]
        let context = "\(show(f)) \(show(other)) \(s)"
        campaign.check(
          FloatArithmetic.toInteger(f, s.control, unsigned: unsigned, truncate: truncate),
          Oracle.toInteger(f, unsigned: unsigned, truncate: truncate, s), "fcvt \(unsigned) \(truncate) \(context)")
        campaign.check(
          FloatArithmetic.compare(f, other, relation, s.control), Oracle.compare(f, other, relation, s),
          "\(relation) \(context)")
        campaign.check(FloatArithmetic.frcpa(f, other, s.control), Oracle.frcpa(f, other, s), "frcpa \(context)")
        campaign.check(FloatArithmetic.frsqrta(f, s.control), Oracle.frsqrta(f, s), "frsqrta \(context)")
        campaign.check(
          FloatArithmetic.softwareAssistFrcpa(f, other, s.control), Oracle.quotient(f, other, s), "quotient \(context)")
        campaign.check(FloatArithmetic.softwareAssistFrsqrta(f, s.control), Oracle.root(f, s), "root \(context)")
      }
    }
    campaign.finish(200 + UInt64(format))
  }

  /// fpma and its kin know neither precision nor range, but all else.
  @Test func pairsOfSingles() {
    var campaign = Campaign()
    var g = SplitMix(300)
    for var s in Self.scenarios(Self.formats[2]) {
      s.parallel = true
      for _ in 0..<150 {
        let (a, b, c) = (Zoo.pair(&g), Zoo.pair(&g), Zoo.pair(&g))
        let kind = Oracle.Kind.allCases[g.below(3)]
        campaign.check(
          FloatArithmetic.fpma(
            a, b, c, s.control, negateProduct: kind == .negative, negateAddend: kind == .subtract, addendIsFR0: false),
          Oracle.fpma(a, b, c, kind, addendIsFR0: false, s), "\(kind) \(show(a)) \(show(b)) \(show(c)) \(s)")
        campaign.check(FloatArithmetic.fprcpa(a, b, s.control), Oracle.fprcpa(a, b, s), "\(show(a)) \(show(b)) \(s)")
        campaign.check(FloatArithmetic.fprsqrta(a, s.control), Oracle.fprsqrta(a, s), "\(show(a)) \(s)")
      }
    }
    campaign.finish(300)
  }
}
