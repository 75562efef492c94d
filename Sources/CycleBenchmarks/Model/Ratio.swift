/// A fraction in lowest terms, with a positive denominator. Figures are cycles over passes: small numbers, never rounded.
public struct Ratio: Sendable, Equatable, Comparable, CustomStringConvertible {
  public let numerator: Int
  public let denominator: Int

  /// - Precondition: `denominator` is not zero.
  public init(_ numerator: Int, over denominator: Int = 1) {
    precondition(denominator != 0, "a fraction without denominator")
    var (a, b) = (abs(numerator), abs(denominator))
    while b != 0 { (a, b) = (b, a % b) }
    let divisor = denominator < 0 ? -max(a, 1) : max(a, 1)
    self.numerator = numerator / divisor
    self.denominator = denominator / divisor
  }

  public static func + (a: Ratio, b: Ratio) -> Ratio {
    Ratio(a.numerator * b.denominator + b.numerator * a.denominator, over: a.denominator * b.denominator)
  }
  public static func - (a: Ratio, b: Ratio) -> Ratio { a + Ratio(-b.numerator, over: b.denominator) }
  public static func / (a: Ratio, b: Ratio) -> Ratio { Ratio(a.numerator * b.denominator, over: a.denominator * b.numerator) }
  public static func < (a: Ratio, b: Ratio) -> Bool { (a - b).numerator < 0 }

  public var value: Double { Double(numerator) / Double(denominator) }

  /// Three decimals at most, without trailing zeros.
  public var description: String { Decimal.text(value) }
}

/// Numbers as the tables write them.
enum Decimal {
  /// Three decimals at most, without trailing zeros.
  static func text(_ value: Double, decimals: Int = 3) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = Int((abs(value) * scale).rounded())
    let sign = value < 0 && scaled != 0 ? "-" : ""
    let whole = scaled / Int(scale)
    var digits = String(scaled % Int(scale))
    digits = String(repeating: "0", count: decimals - digits.count) + digits
    while digits.hasSuffix("0") { digits.removeLast() }
    return digits.isEmpty ? "\(sign)\(whole)" : "\(sign)\(whole).\(digits)"
  }
}
