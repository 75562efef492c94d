import Arithmetic
import Testing

/// A register as numbers: its elements from the right, as the manual's x[0], x[1] ... in the operation of each
/// instruction.
struct Lanes: Equatable, CustomStringConvertible {
  let size: Int
  var values: [Int]

  init(_ size: Int, _ register: UInt64) {
    self.size = size
    values = (0..<(8 / size)).map { Int(register >> UInt64(8 * size * $0) & (size == 8 ? ~0 : 1 << UInt64(8 * size) - 1)) }
  }
  init(_ size: Int, _ values: [Int]) {
    self.size = size
    // The low bits of each number, in two's complement.
    self.values = values.map { $0 & (1 << (8 * size) - 1) }
  }

  /// The same elements read as signed numbers.
  var signed: [Int] { values.map { $0 >= 1 << (8 * size - 1) ? $0 - 1 << (8 * size) : $0 } }
  var register: UInt64 {
    values.enumerated().reduce(0) { $0 + UInt64($1.element) << UInt64(8 * size * $1.offset) }
  }
  var description: String { values.map { String($0, radix: 16) }.joined(separator: ",") }

  func map(_ other: Lanes, _ body: (Int, Int) -> Int) -> Lanes {
    Lanes(size, zip(values, other.values).map(body))
  }
  func signedMap(_ other: Lanes, _ body: (Int, Int) -> Int) -> Lanes {
    Lanes(size, zip(signed, other.signed).map(body))
  }

  static func saturate(_ x: Int, _ size: Int, signed: Bool) -> Int {
    let (low, high) = signed ? (-(1 << (8 * size - 1)), 1 << (8 * size - 1) - 1) : (0, 1 << (8 * size) - 1)
    return x < low ? low : x > high ? high : x
  }
}

/// Pairs of registers whose elements sit on the edges of every size and signedness.
struct ElementSource {
  var g: SplitMix
  mutating func next() -> UInt64 {
    let r = g.next()
    switch g.below(4) {
    case 0: return r
    case 1:
      let edges: [UInt64] = [0, 1, 0x7F, 0x80, 0x81, 0xFE, 0xFF, 0x40]
      return (0..<8).reduce(0) { sum, _ in sum << 8 | edges[g.below(edges.count)] }
    case 2:
      let edges: [UInt64] = [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFE, 0xFFFF, 0xFF, 0x100, 0xFF80, 0x4000]
      return (0..<4).reduce(0) { sum, _ in sum << 16 | edges[g.below(edges.count)] }
    default:
      let edges: [UInt64] = [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x7FFF, 0x8000, 0xFFFF_8000, 0xFFFF_7FFF]
      return edges[g.below(edges.count)] << 32 | edges[g.below(edges.count)]
    }
  }
}

@Suite struct ParallelArithmeticTests {
  private func forPairs(_ seed: UInt64, _ body: (inout Campaign, UInt64, UInt64) -> Void) {
    var campaign = Campaign()
    var source = ElementSource(g: SplitMix(seed))
    for _ in 0..<2_000 { body(&campaign, source.next(), source.next()) }
    campaign.finish(seed)
  }

  @Test func addAndSubtract() {
    forPairs(600) { campaign, r2, r3 in
      for size in [1, 2, 4] {
        let (x, y) = (Lanes(size, r2), Lanes(size, r3))
        campaign.check(ParallelInteger.add(r2, r3, size, .modulo), x.map(y, +).register, "padd\(size) \(x) \(y)")
        campaign.check(ParallelInteger.subtract(r2, r3, size, .modulo), x.map(y, -).register, "psub\(size) \(x) \(y)")
        if size == 4 { continue }
        for (name, add) in [("padd", true), ("psub", false)] {
          let operation: (Int, Int) -> Int = add ? { $0 + $1 } : { $0 - $1 }
          let actual = { (saturation: ParallelInteger.Saturation) in
            add ? ParallelInteger.add(r2, r3, size, saturation) : ParallelInteger.subtract(r2, r3, size, saturation)
          }
          // Tables 2-41 and 2-48: how result, r2 and r3 are read.
          let sss = x.signedMap(y) { Lanes.saturate(operation($0, $1), size, signed: true) }
          campaign.check(actual(.sss), sss.register, "\(name)\(size).sss \(x) \(y)")
          let uuu = x.map(y) { Lanes.saturate(operation($0, $1), size, signed: false) }
          campaign.check(actual(.uuu), uuu.register, "\(name)\(size).uuu \(x) \(y)")
          let uus = Lanes(
            size, zip(x.values, y.signed).map { Lanes.saturate(operation($0, $1), size, signed: false) })
          campaign.check(actual(.uus), uus.register, "\(name)\(size).uus \(x) \(y)")
        }
      }
    }
  }

  @Test func averages() {
    forPairs(601) { campaign, r2, r3 in
      for size in [1, 2] {
        let (x, y) = (Lanes(size, r2), Lanes(size, r3))
        // The low bit is set if one of the two lowest bits of the sum is.
        func averaged(_ sum: Int) -> Int { (sum >> 1) | (sum & 1) }
        campaign.check(
          ParallelInteger.average(r2, r3, size, roundAway: false), x.map(y) { averaged($0 + $1) }.register,
          "pavg\(size) \(x) \(y)")
        campaign.check(
          ParallelInteger.average(r2, r3, size, roundAway: true), x.map(y) { ($0 + $1 + 1) / 2 }.register,
          "pavg\(size).raz \(x) \(y)")
        campaign.check(
          ParallelInteger.averageSubtract(r2, r3, size), x.map(y) { averaged($0 - $1) }.register,
          "pavgsub\(size) \(x) \(y)")
      }
    }
  }

  @Test func comparisons() {
    forPairs(602) { campaign, r2, random in
      for r3 in [random, r2, r2 ^ 0x0100_0001_0000_8000] {
        for size in [1, 2, 4] {
          let (x, y) = (Lanes(size, r2), Lanes(size, r3))
          campaign.check(
            ParallelInteger.compare(r2, r3, size, greater: false), x.map(y) { $0 == $1 ? -1 : 0 }.register,
            "pcmp\(size).eq \(x) \(y)")
          campaign.check(
            ParallelInteger.compare(r2, r3, size, greater: true), x.signedMap(y) { $0 > $1 ? -1 : 0 }.register,
            "pcmp\(size).gt \(x) \(y)")
        }
        let (x, y) = (Lanes(1, r2), Lanes(1, r3))
        campaign.check(ParallelInteger.minmax1(r2, r3, maximum: false), x.map(y, min).register, "pmin1.u \(x) \(y)")
        campaign.check(ParallelInteger.minmax1(r2, r3, maximum: true), x.map(y, max).register, "pmax1.u \(x) \(y)")
        let (v, w) = (Lanes(2, r2), Lanes(2, r3))
        campaign.check(
          ParallelInteger.minmax2(r2, r3, maximum: false), v.signedMap(w, min).register, "pmin2 \(v) \(w)")
        campaign.check(
          ParallelInteger.minmax2(r2, r3, maximum: true), v.signedMap(w, max).register, "pmax2 \(v) \(w)")
        campaign.check(
          ParallelInteger.sumOfDifferences1(r2, r3), UInt64(zip(x.values, y.values).reduce(0) { $0 + abs($1.0 - $1.1) }),
          "psad1 \(x) \(y)")
      }
    }
  }

  @Test func multiplications() {
    forPairs(603) { campaign, r2, r3 in
      let (x, y) = (Lanes(2, r2), Lanes(2, r3))
      for count in [0, 7, 15, 16] {
        campaign.check(
          ParallelInteger.multiplyShift2(r2, r3, UInt64(count), unsigned: false),
          x.signedMap(y) { ($0 * $1) >> count }.register, "pmpyshr2 \(x) \(y) \(count)")
        campaign.check(
          ParallelInteger.multiplyShift2(r2, r3, UInt64(count), unsigned: true),
          x.map(y) { ($0 * $1) >> count }.register, "pmpyshr2.u \(x) \(y) \(count)")
      }
      let (a, b) = (x.signed, y.signed)
      campaign.check(
        ParallelInteger.multiply2(r2, r3, left: false), Lanes(4, [a[0] * b[0], a[2] * b[2]]).register,
        "pmpy2.r \(x) \(y)")
      campaign.check(
        ParallelInteger.multiply2(r2, r3, left: true), Lanes(4, [a[1] * b[1], a[3] * b[3]]).register,
        "pmpy2.l \(x) \(y)")
      let (v, w) = (Lanes(4, r2).values, Lanes(4, r3).values)
      campaign.check(ParallelInteger.multiply4(r2, r3), UInt64(v[0]) * UInt64(w[0]), "mpy4 \(r2) \(r3)")
      campaign.check(
        ParallelInteger.multiplyShiftLeft4(r2, r3), UInt64(v[1]) * UInt64(w[0]) % (1 << 32) * (1 << 32),
        "mpyshl4 \(r2) \(r3)")
      // What the two are for (Volume 3, mpyshl4): a 64-bit product of three partial ones.
      let product =
        ParallelInteger.multiply4(r2, r3) &+ ParallelInteger.multiplyShiftLeft4(r2, r3)
        &+ ParallelInteger.multiplyShiftLeft4(r3, r2)
      campaign.check(product, r2 &* r3, "64-bit product of \(r2) \(r3)")
    }
  }

  @Test func shiftsAndAdds() {
    forPairs(604) { campaign, r2, r3 in
      let (x, y) = (Lanes(2, r2), Lanes(2, r3))
      for count in 1...3 {
        let left = x.signedMap(y) { a, b in
          // Saturated if the shifted element does not fit, else if the sum does not.
          let shifted = Lanes.saturate(a << count, 2, signed: true)
          return shifted == a << count ? Lanes.saturate(shifted + b, 2, signed: true) : shifted
        }
        campaign.check(
          ParallelInteger.shiftLeftAdd2(r2, r3, UInt64(count)), left.register, "pshladd2 \(x) \(y) \(count)")
        campaign.check(
          ParallelInteger.shiftRightAdd2(r2, r3, UInt64(count)),
          x.signedMap(y) { Lanes.saturate(($0 >> count) + $1, 2, signed: true) }.register,
          "pshradd2 \(x) \(y) \(count)")
      }
    }
  }
}
