/// `"..." % value`: the Python library reference's "String Formatting Operations", for simple values.
struct ScriptFormat {
  private struct Conversion {
    var key: String?
    var flags: Set<Character> = []
    var width = 0
    var precision: Int?
    var type: Character = "s"
  }

  /// Wider fields and longer fractions are refused.
  private static let longest = 1000

  private var values: [ConfigurationValue]
  private var whole: ConfigurationValue
  private var next = 0
  private var result = ""

  static func apply(_ format: String, _ value: ConfigurationValue) throws(ScriptProblem) -> String {
    var formatting = ScriptFormat(value)
    try formatting.run(format)
    return formatting.result
  }

  private init(_ value: ConfigurationValue) {
    whole = value
    if case .tuple(let elements) = value { values = elements } else { values = [value] }
  }

  private mutating func run(_ format: String) throws(ScriptProblem) {
    var rest = format.unicodeScalars[...]
    var usesKeys = false
    while let scalar = rest.popFirst() {
      guard scalar == "%" else {
        result.unicodeScalars.append(scalar)
        continue
      }
      let conversion = try Self.conversion(&rest)
      if conversion.type == "%" {
        result += "%"
        continue
      }
      usesKeys = usesKeys || conversion.key != nil
      result += try text(conversion)
      guard result.utf8.count <= ScriptOperator.largest else { throw ScriptProblem("the value grows too large") }
    }
    if case .dictionary = whole { return }
    guard usesKeys || next == values.count else { throw ScriptProblem("not all values are used by the string before '%'") }
  }

  private static func conversion(_ rest: inout Substring.UnicodeScalarView) throws(ScriptProblem) -> Conversion {
    var conversion = Conversion()
    func scalar() throws(ScriptProblem) -> Unicode.Scalar {
      guard let scalar = rest.first else { throw ScriptProblem("the string before '%' ends inside a conversion") }
      return scalar
    }
    if try scalar() == "(" {
      guard let close = rest.firstIndex(of: ")") else { throw ScriptProblem("'%(' without ')'") }
      conversion.key = String(rest[rest.index(after: rest.startIndex)..<close])
      rest = rest[rest.index(after: close)...]
    }
    while ["#", "0", "-", " ", "+"].contains(try scalar()) { conversion.flags.insert(Character(rest.removeFirst())) }
    conversion.width = try number(&rest) ?? 0
    if try scalar() == "." {
      rest.removeFirst()
      conversion.precision = try number(&rest) ?? 0
    }
    while ["h", "l", "L"].contains(try scalar()) { rest.removeFirst() }
    conversion.type = Character(try scalar())
    rest.removeFirst()
    return conversion
  }

  private static func number(_ rest: inout Substring.UnicodeScalarView) throws(ScriptProblem) -> Int? {
    var value: Int?
    while let digit = rest.first, "0"..."9" ~= digit {
      value = (value ?? 0) * 10 + Int(digit.value - 0x30)
      guard let value, value <= longest else { throw ScriptProblem("a width or precision of more than \(longest)") }
      rest.removeFirst()
    }
    if rest.first == "*" { throw ScriptProblem("'*' as a width is not understood") }
    return value
  }

  private mutating func text(_ conversion: Conversion) throws(ScriptProblem) -> String {
    let value = try value(conversion)
    switch conversion.type {
    case "s":
      guard let text = PythonText.of(value) else { throw ScriptProblem("%s of \(value.kind) is not understood") }
      return Self.padded(String(text.unicodeScalars.prefix(conversion.precision ?? .max)), conversion)
    case "c":
      if case .string(let text) = value, text.unicodeScalars.count == 1 { return Self.padded(text, conversion) }
      guard case .integer(let number)? = value.number, let code = UInt32(exactly: number), let scalar = Unicode.Scalar(code) else {
        throw ScriptProblem("%c of \(value.mention) is impossible")
      }
      return Self.padded(String(scalar), conversion)
    case "d", "i", "u":
      guard value.number != nil else { throw ScriptProblem("%\(conversion.type) of \(value.mention) is impossible") }
      return Self.integer(try ScriptFunction.integer(value), conversion, radix: 10, prefix: "")
    case "x", "X", "o":
      guard case .integer(let number)? = value.number else {
        throw ScriptProblem("%\(conversion.type) of \(value.mention) is impossible")
      }
      let isOctal = conversion.type == "o"
      let prefix = conversion.flags.contains("#") ? isOctal ? "0o" : "0\(conversion.type)" : ""
      return Self.integer(number, conversion, radix: isOctal ? 8 : 16, prefix: prefix)
    case "e", "E", "f", "F", "g", "G":
      guard let number = value.number else { throw ScriptProblem("%\(conversion.type) of \(value.mention) is impossible") }
      guard conversion.precision ?? 0 <= 100 else { throw ScriptProblem("a precision of more than 100") }
      let hash = conversion.flags.contains("#") ? "#" : ""
      let text = PythonText.printf("%\(hash).\(conversion.precision ?? 6)\(conversion.type)", abs(number.asDouble))
      return Self.signed(text, isNegative: number.asDouble.sign == .minus && !number.asDouble.isNaN, conversion)
    default: throw ScriptProblem("the conversion '%\(conversion.type)' is not understood")
    }
  }

  private mutating func value(_ conversion: Conversion) throws(ScriptProblem) -> ConfigurationValue {
    if let key = conversion.key {
      guard case .dictionary(let entries) = whole else { throw ScriptProblem("'%(\(key))' needs a dictionary") }
      guard let entry = entries.first(where: { $0.key.equals(.string(key)) }) else {
        throw ScriptProblem("the dictionary has no '\(key)'")
      }
      return entry.value
    }
    guard next < values.count else { throw ScriptProblem("there are fewer values than the string before '%' needs") }
    next += 1
    return values[next - 1]
  }

  private static func integer(_ number: Int128, _ conversion: Conversion, radix: Int, prefix: String) -> String {
    var digits = String(number.magnitude, radix: radix, uppercase: conversion.type == "X")
    if let precision = conversion.precision, digits.count < precision {
      digits = String(repeating: "0", count: precision - digits.count) + digits
    }
    return signed(digits, isNegative: number < 0, conversion, prefix: prefix)
  }

  private static func signed(_ digits: String, isNegative: Bool, _ conversion: Conversion, prefix: String = "") -> String {
    let sign = isNegative ? "-" : conversion.flags.contains("+") ? "+" : conversion.flags.contains(" ") ? " " : ""
    let lacking = conversion.width - digits.count - sign.count - prefix.count
    guard conversion.flags.contains("0"), !conversion.flags.contains("-"), lacking > 0 else {
      return padded(sign + prefix + digits, conversion)
    }
    return sign + prefix + String(repeating: "0", count: lacking) + digits
  }

  private static func padded(_ text: String, _ conversion: Conversion) -> String {
    conversion.flags.contains("-")
      ? Columns.left(text, conversion.width) : Columns.right(text, conversion.width)
  }
}
