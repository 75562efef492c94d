import BigInt

/// An exact rational number: (-1)^negative * numerator / denominator * 2^scale. The sign matters for zeros too.
struct Exact {
  var negative: Bool
  var numerator: BigUInt
  var denominator: BigUInt = 1
  var scale: Int

  var isZero: Bool { numerator == 0 }

  /// Rounds the magnitude to a multiple of 2^quantum. `increased`: the result is greater than the exact magnitude.
  func multiple(of quantum: Int, _ rounding: RoundingMode) -> (count: BigUInt, exact: Bool, increased: Bool) {
    let shift = scale - quantum
    var floor: BigUInt
    var remainder: BigUInt
    let whole: BigUInt
    if denominator == 1 && shift < 0 {
      // Division by a power of two, spelled as shifts because the powers get large.
      whole = BigUInt(1) << -shift
      floor = numerator >> -shift
      remainder = numerator - (floor << -shift)
    } else {
      whole = shift < 0 ? denominator << -shift : denominator
      (floor, remainder) = (shift > 0 ? numerator << shift : numerator).quotientAndRemainder(dividingBy: whole)
    }
    if remainder == 0 { return (floor, true, false) }
    let up: Bool
    switch rounding {
    case .nearest:
      let twice = remainder << 1
      up = twice > whole || (twice == whole && floor & 1 == 1)
    case .down: up = negative
    case .up: up = !negative
    case .zero: up = false
    }
    return (up ? floor + 1 : floor, false, up)
  }

  /// Exponent of the power of two at or below the magnitude of a nonzero number.
  var binade: Int {
    let guess = numerator.bitWidth - denominator.bitWidth
    let reached = guess >= 0 ? numerator >= denominator << guess : numerator << -guess >= denominator
    return scale + (reached ? guess : guess - 1)
  }

  static func + (a: Exact, b: Exact) -> Exact {
    precondition(a.denominator == 1 && b.denominator == 1)
    let scale = min(a.scale, b.scale)
    let x = BigInt(sign: a.negative ? .minus : .plus, magnitude: a.numerator << (a.scale - scale))
    let y = BigInt(sign: b.negative ? .minus : .plus, magnitude: b.numerator << (b.scale - scale))
    let sum = x + y
    return Exact(negative: sum < 0, numerator: sum.magnitude, scale: scale)
  }

  static func * (a: Exact, b: Exact) -> Exact {
    Exact(
      negative: a.negative != b.negative, numerator: a.numerator * b.numerator,
      denominator: a.denominator * b.denominator, scale: a.scale + b.scale)
  }

  static func / (a: Exact, b: Exact) -> Exact {
    Exact(
      negative: a.negative != b.negative, numerator: a.numerator * b.denominator,
      denominator: a.denominator * b.numerator, scale: a.scale - b.scale)
  }

  /// A number that rounds like the square root of an integer times a power of two: the root itself if it is rational,
  /// else one between the two neighbours in a grid much finer than any precision (an irrational root is no tie).
  var squareRoot: Exact {
    precondition(denominator == 1 && !negative)
    let even = scale & 1 == 0 ? self : Exact(negative: false, numerator: numerator << 1, scale: scale - 1)
    let fine = even.numerator << 256
    let root = fine.squareRoot()
    if root * root == fine { return Exact(negative: false, numerator: root, scale: even.scale / 2 - 128) }
    return Exact(negative: false, numerator: root << 1 + 1, scale: even.scale / 2 - 129)
  }

  static func compare(_ a: Exact, _ b: Exact) -> Int {
    let difference = a + Exact(negative: !b.negative, numerator: b.numerator, scale: b.scale)
    return difference.isZero ? 0 : difference.negative ? -1 : 1
  }
}

enum RoundingMode: UInt64, CaseIterable { case nearest, down, up, zero }
