import Arithmetic
import Testing

@Suite struct FusedMultiplyAddTests {
  static func compare(
    _ campaign: inout Campaign, _ f3: FloatRegister, _ f4: FloatRegister, _ f2: FloatRegister, _ kind: Oracle.Kind,
    _ isFR0: Bool, _ s: Scenario
  ) {
    let actual = FloatArithmetic.fma(
      f3, f4, f2, s.control, negateProduct: kind == .negative, negateAddend: kind == .subtract, addendIsFR0: isFR0)
    campaign.check(
      actual, Oracle.fma(f3, f4, f2, kind, addendIsFR0: isFR0, s),
      "\(kind) \(show(f3)) * \(show(f4)) + \(show(f2)) FR0 \(isFR0) \(s)")
  }

  @Test func everyTripleOfClasses() {
    var campaign = Campaign()
    var g = SplitMix(1)
    for f3 in Zoo.classes {
      for f4 in Zoo.classes {
        for f2 in Zoo.classes {
          let kind = Oracle.Kind.allCases[g.below(3)]
          Self.compare(&campaign, f3, f4, f2, kind, false, .random(&g))
        }
        Self.compare(&campaign, f3, f4, .zero, .add, true, .random(&g))
      }
    }
    campaign.finish(1)
  }

  /// Products at every limit of every format, in every precision, rounding mode and trap setting that matters.
  @Test(arguments: [UInt8(0), 1, 2]) func limitsOfTheFormats(completer: UInt8) {
    var campaign = Campaign()
    var g = SplitMix(2)
    for pc: UInt64 in completer == 0 ? [0, 2, 3] : [3] {
      for wide in [false, true] {
        for rounding in RoundingMode.allCases {
          for (enabled, flush) in [(UInt8(0), false), (0, true), (0x18, true), (0x20, true), (0x38, false), (0x20, false)] {
            let s = Scenario(
              completer: completer, precisionControl: pc, widestRange: wide, rounding: rounding, flushToZero: flush,
              enabled: enabled, statusField: g.below(4))
            for limit in [s.minimumExponent, s.maximumExponent, s.minimumExponent - s.precision] {
              // A product in [2^limit-1, 2^limit+2): normal, tiny, huge, or just rounded into or out of range.
              let target = limit + g.below(3) - 1
              let first = target / 2 + g.below(9) - 4
              let a = Zoo.make(g.below(2) == 0, UInt64(clamp(first + 65535)), Zoo.significand(&g))
              let b = Zoo.make(g.below(2) == 0, UInt64(clamp(target - first + 65535)), Zoo.significand(&g))
              Self.compare(&campaign, a, b, .zero, .add, true, s)
              Self.compare(&campaign, a, .one, Zoo.random(&g, near: limit + 65535), .add, false, s)
            }
          }
        }
      }
    }
    campaign.finish(2)
  }

  /// Found by random operands: an addend far below a product whose last bit is set. Jammed into that bit it cancelled it, or carried.
  @Test func addendBelowAnOddProduct() {
    var campaign = Campaign()
    let odd: UInt64 = .max
    for (kind, f3, f4, f2) in [
      (Oracle.Kind.add, Zoo.make(false, 0x10001, odd), Zoo.make(false, 0xFFFF, odd), Zoo.make(true, 0xFF80, 0xFFFB_FC00_0000_0000)),
      (.add, Zoo.make(true, 0xFFFF, odd), Zoo.make(true, 0xFFFF, odd), Zoo.make(true, 0xFF7E, 0xE973_7A53_3512_0000)),
      (.subtract, Zoo.make(true, 0xFFFF, odd), Zoo.make(true, 0xFFFF, 1 << 63 | 1), Zoo.make(true, 0xFF81, 0xDFFF_FFFF_FFFF_FFF0)),
      (
        .subtract, Zoo.make(true, 0xFBCB, 1 << 63 | 1), Zoo.make(false, 0x100B4, odd),
        Zoo.make(false, 0xFC02, 0xC417_3467_9503_D954)
      ),
    ] {
      for wide in [false, true] { Self.compare(&campaign, f3, f4, f2, kind, false, Scenario(widestRange: wide)) }
    }
    campaign.finish(3)
  }

  @Test func randomOperands() {
    var campaign = Campaign()
    var g = SplitMix(Campaign.seed)
    for _ in 0..<Campaign.count(40_000, weight: 0.45) {
      let center = g.below(8) == 0 ? Int(Zoo.exponents[g.below(Zoo.exponents.count)]) : 0xFFFF
      let f3 = Zoo.random(&g, near: center)
      let f4 = Zoo.random(&g, near: 0xFFFF)
      // The addend lies where the product lies, so that sums cancel and tie.
      let product = Int(f3.exponent) + Int(f4.exponent) - 0xFFFF
      var f2 = Zoo.random(&g, near: min(max(product, 1), 0x1FFFE))
      if g.below(8) == 0 {
        // Nearly or exactly the negated product.
        let (high, _) = f3.significand.multipliedFullWidth(by: f4.significand)
        let zeros = high.leadingZeroBitCount
        f2 = Zoo.make(
          f3.isNegative == f4.isNegative, UInt64(clamp(product + 1 - zeros)), high << UInt64(zeros) &+ UInt64(g.below(3)))
      }
      let kind = Oracle.Kind.allCases[g.below(3)]
      let isFR0 = g.below(8) == 0
      Self.compare(&campaign, f3, f4, isFR0 ? .zero : f2, kind, isFR0, .random(&g))
    }
    campaign.finish(Campaign.seed)
  }

  /// Differences that lose nearly all leading bits, of a product just below or above a power of two and that power, or
  /// of a product and its own upper half; and sums of numbers that hardly or just do not overlap.
  @Test func cancellationAndAlignment() {
    var campaign = Campaign()
    var g = SplitMix(Campaign.seed &+ 30)
    for _ in 0..<Campaign.count(20_000, weight: 0.05) {
      let s = Scenario.random(&g)
      let spread = UInt64(g.below(63))
      let a = ~0 &- (g.next() &>> (spread | 1))
      let b = g.below(2) == 0 ? ~0 &- (g.next() &>> (spread | 1)) : 1 << 63 | g.next() &>> (spread | 1)
      let f3 = Zoo.make(g.below(2) == 0, 0xFFFF + UInt64(g.below(3)), a)
      let f4 = Zoo.make(g.below(2) == 0, 0xFFFF, b)
      let (high, low) = a.multipliedFullWidth(by: b)
      let exponent = Int(f3.exponent) + 1
      let addend: FloatRegister
      switch g.below(4) {
      case 0: addend = Zoo.make(g.below(2) == 0, UInt64(exponent + g.below(3) - 1), 1 << 63 | UInt64(g.below(3)))
      case 1:
        let zeros = UInt64(high.leadingZeroBitCount)
        let upper = (high << zeros | (low >> 1) >> (63 - zeros)) &+ UInt64(g.below(3)) &- 1
        addend = Zoo.make(g.below(2) == 0, UInt64(exponent) - zeros, upper | 1 << 63)
      default:
        let distance = [62, 63, 64, 65, 126, 127, 128, 129, 130][g.below(9)] * (g.below(2) * 2 - 1)
        addend = Zoo.make(g.below(2) == 0, UInt64(exponent + distance), Zoo.significand(&g))
      }
      Self.compare(&campaign, f3, f4, addend, Oracle.Kind.allCases[g.below(3)], false, s)
    }
    campaign.finish(Campaign.seed &+ 30)
  }

  @Test func randomPairsOfSingles() {
    var campaign = Campaign()
    var g = SplitMix(Campaign.seed &+ 1)
    for _ in 0..<Campaign.count(4_000, weight: 0.1) {
      var s = Scenario.random(&g)
      s.parallel = true
      let (f3, f4, f2) = (Zoo.pair(&g), Zoo.pair(&g), Zoo.pair(&g))
      let kind = Oracle.Kind.allCases[g.below(3)]
      let isFR0 = g.below(4) == 0
      let addend = isFR0 ? .zero : f2
      let actual = FloatArithmetic.fpma(
        f3, f4, addend, s.control, negateProduct: kind == .negative, negateAddend: kind == .subtract,
        addendIsFR0: isFR0)
      campaign.check(
        actual, Oracle.fpma(f3, f4, addend, kind, addendIsFR0: isFR0, s),
        "\(kind) \(show(f3)) * \(show(f4)) + \(show(addend)) \(s)")
    }
    campaign.finish(Campaign.seed &+ 1)
  }

  /// xma by 128-bit arithmetic on signed and unsigned numbers.
  @Test func integerMultiplyAdd() {
    var campaign = Campaign()
    var g = SplitMix(3)
    let edges: [UInt64] = [0, 1, 2, ~0, 1 << 63, (1 << 63) - 1, 0xFFFF_FFFF]
    for i in 0..<2_000 {
      func pick() -> UInt64 { i % 3 == 0 ? edges[g.below(edges.count)] : g.next() >> (g.next() & 63) }
      let (a, b, c) = (pick(), pick(), pick())
      func integer(_ x: UInt64) -> FloatRegister { Zoo.make(g.below(2) == 0, g.next() & 0xFFFF, x) }
      let unsigned = UInt128(a) * UInt128(b) &+ UInt128(c)
      let signed =
        UInt128(bitPattern: Int128(Int64(bitPattern: a)) * Int128(Int64(bitPattern: b))) &+ UInt128(c)
      let (f3, f4, f2) = (integer(a), integer(b), integer(c))
      for (kind, value) in [(UInt8(0), unsigned), (1, signed >> 64), (2, unsigned >> 64)] {
        campaign.check(
          FloatArithmetic.xma(f3, f4, f2, kind: kind), Zoo.make(false, 0x1003E, UInt64(truncatingIfNeeded: value)),
          "xma \(kind) \(a) \(b) \(c)")
      }
    }
    campaign.check(FloatArithmetic.xma(.natVal, .one, .one, kind: 0), .natVal, "NaTVal")
    campaign.check(FloatArithmetic.xma(.one, .natVal, .one, kind: 1), .natVal, "NaTVal")
    campaign.check(FloatArithmetic.xma(.one, .one, .natVal, kind: 2), .natVal, "NaTVal")
    campaign.finish(3)
  }

  private func clamp(_ exponent: Int) -> Int { min(max(exponent, 1), 0x1FFFE) }
}
