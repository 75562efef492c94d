import Foundation

/// Numbers and simple values as Python prints them.
enum PythonText {
  /// `str()` of a simple value; nil for lists, tuples and dictionaries.
  static func of(_ value: ConfigurationValue) -> String? {
    switch value {
    case .none: "None"
    case .boolean(let value): value ? "True" : "False"
    case .integer(let value): String(value)
    case .float(let value): shortest(value)
    case .string(let text): text
    case .list, .tuple, .dictionary: nil
    }
  }

  /// The fewest digits that read back as the same number; an exponent below 1e-4 and from 1e16 on (`repr` since Python 2.7).
  static func shortest(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    var text = ""
    for digits in 0..<17 {
      text = printf("%.\(digits)e", value)
      if Double(text) == value { break }
    }
    let digits = text.split(separator: "e")[0].count { "0"..."9" ~= $0 }
    guard let exponent = text.split(separator: "e").last.flatMap({ Int($0) }), -4..<16 ~= exponent else { return text }
    return printf("%.\(max(1, digits - 1 - exponent))f", value)
  }

  /// `str()` of a number in Python 2: twelve digits.
  static func twelveDigits(_ value: Double) -> String {
    let text = printf("%.12g", value)
    return text.contains(".") || text.contains("e") || !value.isFinite ? text : text + ".0"
  }

  /// C's formatting of one number: `format` is ours, never a user's.
  static func printf(_ format: String, _ value: Double) -> String {
    // The longest: 309 digits before the point, 100 after it.
    var buffer = [CChar](repeating: 0, count: 512)
    let length = withVaList([value]) { vsnprintf(&buffer, buffer.count, format, $0) }
    return String(decoding: buffer.prefix(max(0, Int(length))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
