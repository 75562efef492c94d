/// xend's S-expressions.
public indirect enum SExpression: Sendable, Equatable {
  case text(String)
  case integer(Int)
  /// Printed with twelve digits, as Python 2's `str()` does.
  case number(Double)
  case list([SExpression])

  /// `(key value)`
  static func pair(_ key: String, _ value: String) -> SExpression { .list([.text(key), .text(value)]) }
  static func pair(_ key: String, _ value: Int) -> SExpression { .list([.text(key), .integer(value)]) }

  /// On one line. A text that is not a plain atom is quoted as Python's `repr()` quotes it; the empty text is nothing (sxp.py).
  public var flat: String {
    switch self {
    case .integer(let value): String(value)
    case .number(let value): PythonText.twelveDigits(value)
    case .text(let text): Self.isAtom(text) ? text : Self.quoted(text)
    case .list(let elements): "(" + elements.map(\.flat).joined(separator: " ") + ")"
    }
  }

  /// As `xm list --long` prints it: a list that does not fit into the rest of its line has each element on a line of its own, four
  /// columns further right, and its closing bracket below the opening one (PrettyPrint.py). Ends with a newline.
  public func pretty(width: Int = 80) -> String {
    var result = ""
    pretty(width, column: 0, into: &result)
    return result + "\n"
  }

  private func pretty(_ width: Int, column: Int, into result: inout String) {
    let flat = flat
    guard case .list(let elements) = self, flat.unicodeScalars.count > width - column else { return result += flat }
    result += "("
    for (position, element) in elements.enumerated() {
      if position > 0 { result += "\n" + String(repeating: " ", count: column + 4) }
      element.pretty(width, column: position > 0 ? column + 4 : column + 1, into: &result)
    }
    result += "\n" + String(repeating: " ", count: column) + ")"
  }

  private static func isAtom(_ text: String) -> Bool {
    text == "@" || text.utf8.allSatisfy { ScriptLexer.isNameStart($0) || ScriptLexer.isDigit($0) || ".-:/~".utf8.contains($0) }
  }

  private static func quoted(_ text: String) -> String {
    let quote: Unicode.Scalar = text.contains("'") && !text.contains("\"") ? "\"" : "'"
    var result = String.UnicodeScalarView([quote])
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): result.append(contentsOf: #"\\"#.unicodeScalars)
      case UInt8(quote.value & 0xFF): result.append(contentsOf: "\\\(quote)".unicodeScalars)
      case UInt8(ascii: "\n"): result.append(contentsOf: #"\n"#.unicodeScalars)
      case UInt8(ascii: "\r"): result.append(contentsOf: #"\r"#.unicodeScalars)
      case UInt8(ascii: "\t"): result.append(contentsOf: #"\t"#.unicodeScalars)
      case 0x20..<0x7F: result.append(Unicode.Scalar(byte))
      default: result.append(contentsOf: ("\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)).unicodeScalars)
      }
    }
    result.append(quote)
    return String(result)
  }
}
