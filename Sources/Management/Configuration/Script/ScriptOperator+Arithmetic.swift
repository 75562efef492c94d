import Foundation

/// Why an operation is impossible; the interpreter knows the line.
struct ScriptProblem: Error, Equatable {
  var message: String
  init(_ message: String) { self.message = message }
}

extension ScriptOperator {
  /// The largest string or list that an operation makes, in bytes or elements.
  static let largest = 1 << 20

  func apply(_ left: ConfigurationValue, _ right: ConfigurationValue) throws(ScriptProblem) -> ConfigurationValue {
    if self == .remainder, case .string(let format) = left { return .string(try ScriptFormat.apply(format, right)) }
    if let a = left.number, let b = right.number {
      if case .integer(let a) = a, case .integer(let b) = b { return .integer(try integers(a, b)) }
      return .float(try floats(a.asDouble, b.asDouble))
    }
    switch (self, left, right) {
    case (.add, .string(let a), .string(let b)):
      try Self.check(a.utf8.count, plus: b.utf8.count)
      return .string(a + b)
    case (.add, .list(let a), .list(let b)):
      try Self.check(a.count, plus: b.count)
      return .list(a + b)
    case (.add, .tuple(let a), .tuple(let b)):
      try Self.check(a.count, plus: b.count)
      return .tuple(a + b)
    case (.multiply, _, .string), (.multiply, _, .list), (.multiply, _, .tuple):
      guard case .integer(let count)? = left.number else { break }
      return try Self.repetition(right, count)
    case (.multiply, _, _):
      guard case .integer(let count)? = right.number else { break }
      return try Self.repetition(left, count)
    default: break
    }
    throw ScriptProblem("'\(rawValue)' between \(left.kind) and \(right.kind) is impossible")
  }

  private static func check(_ count: Int, plus other: Int) throws(ScriptProblem) {
    guard count + other <= largest else { throw ScriptProblem("the value grows too large") }
  }

  private static func repetition(_ value: ConfigurationValue, _ count: Int128) throws(ScriptProblem) -> ConfigurationValue {
    let count = Int(clamping: max(0, count))
    func checked(_ size: Int) throws(ScriptProblem) {
      guard size == 0 || count <= largest / size else { throw ScriptProblem("the value grows too large") }
    }
    switch value {
    case .string(let text):
      try checked(text.utf8.count)
      return .string(text.isEmpty ? "" : String(repeating: text, count: count))
    case .list(let elements):
      try checked(elements.count)
      return .list(elements.isEmpty ? [] : Array(repeatElement(elements, count: count).joined()))
    case .tuple(let elements):
      try checked(elements.count)
      return .tuple(elements.isEmpty ? [] : Array(repeatElement(elements, count: count).joined()))
    default: throw ScriptProblem("'*' with \(value.kind) is impossible")
    }
  }

  /// Python 2's rule: `/` of integers rounds down, as `//` does.
  private func integers(_ a: Int128, _ b: Int128) throws(ScriptProblem) -> Int128 {
    let result: (partialValue: Int128, overflow: Bool)
    switch self {
    case .add: result = a.addingReportingOverflow(b)
    case .subtract: result = a.subtractingReportingOverflow(b)
    case .multiply: result = a.multipliedReportingOverflow(by: b)
    case .divide, .divideFloor:
      guard b != 0 else { throw ScriptProblem("a division by zero") }
      let quotient = a.dividedReportingOverflow(by: b)
      let isInexact = !quotient.overflow && quotient.partialValue * b != a
      result = (isInexact && (a < 0) != (b < 0) ? quotient.partialValue - 1 : quotient.partialValue, quotient.overflow)
    case .remainder:
      guard b != 0 else { throw ScriptProblem("a division by zero") }
      let rest = a.remainderReportingOverflow(dividingBy: b).partialValue
      result = (rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest, false)
    case .and: result = (a & b, false)
    case .or: result = (a | b, false)
    case .exclusiveOr: result = (a ^ b, false)
    case .shiftLeft, .shiftRight:
      guard b >= 0 else { throw ScriptProblem("a shift by a negative number") }
      let count = Int(clamping: b)
      if self == .shiftRight {
        result = (a >> min(count, 127), false)
      } else {
        let shifted = count < 127 ? a << count : 0
        result = (shifted, a != 0 && (count >= 127 || shifted >> count != a))
      }
    }
    guard !result.overflow else { throw ScriptProblem("the number is too large") }
    return result.partialValue
  }

  private func floats(_ a: Double, _ b: Double) throws(ScriptProblem) -> Double {
    switch self {
    case .add: return a + b
    case .subtract: return a - b
    case .multiply: return a * b
    case .divide, .divideFloor, .remainder:
      guard b != 0 else { throw ScriptProblem("a division by zero") }
      if self == .divide { return a / b }
      // As floatobject.c has it: the remainder has the divisor's sign, and the quotient is computed from it.
      var rest = fmod(a, b)
      var quotient = (a - rest) / b
      if rest == 0 {
        rest = Double(signOf: b, magnitudeOf: 0)
      } else if (b < 0) != (rest < 0) {
        rest += b
        quotient -= 1
      }
      if self == .remainder { return rest }
      guard quotient != 0 else { return Double(signOf: a / b, magnitudeOf: 0) }
      let floor = quotient.rounded(.down)
      return quotient - floor > 0.5 ? floor + 1 : floor
    default: throw ScriptProblem("'\(rawValue)' of fractional numbers is impossible")
    }
  }
}

extension ScriptComparison {
  func apply(_ left: ConfigurationValue, _ right: ConfigurationValue) throws(ScriptProblem) -> Bool {
    switch self {
    case .equal, .notEqual:
      // Entry against entry, it would be the one operation whose time is not in proportion to the size.
      if left.hasDictionary && right.hasDictionary { throw ScriptProblem("dictionaries are not compared here") }
      return left.equals(right) == (self == .equal)
    case .identical(let isNegated):
      // Identity of other objects depends on Python's memory.
      guard left == .none || right == .none else { throw ScriptProblem("'is' is only understood with None") }
      return (left == .none && right == .none) != isNegated
    case .member(let isNegated): return try Self.contains(right, left) != isNegated
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      let order: Int
      switch (left.number, right.number, left, right) {
      case (let a?, let b?, _, _):
        // A NaN is neither less nor greater.
        guard let known = a.order(b) else { return false }
        order = known
      case (nil, nil, .string(let a), .string(let b)):
        // The order of the bytes is that of the characters.
        order = a.utf8.lexicographicallyPrecedes(b.utf8) ? -1 : b.utf8.lexicographicallyPrecedes(a.utf8) ? 1 : 0
      // Python 2 orders other pairs by the names of their types.
      default: throw ScriptProblem("\(left.kind) and \(right.kind) have no order")
      }
      switch self {
      case .less: return order < 0
      case .lessOrEqual: return order <= 0
      case .greater: return order > 0
      default: return order >= 0
      }
    }
  }

  private static func contains(_ container: ConfigurationValue, _ value: ConfigurationValue) throws(ScriptProblem) -> Bool {
    if value.hasDictionary { throw ScriptProblem("dictionaries are not compared here") }
    switch (container, value) {
    case (.string(let text), .string(let part)): return ByteSearch(Array(part.utf8)).isFound(in: Array(text.utf8))
    case (.list(let elements), _), (.tuple(let elements), _): return elements.contains { $0.equals(value) }
    case (.dictionary(let entries), _): return entries.contains { $0.key.equals(value) }
    default: throw ScriptProblem("'in' is impossible with \(value.kind) and \(container.kind)")
    }
  }
}
