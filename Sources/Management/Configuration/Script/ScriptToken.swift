/// A word of a configuration script, and the line where it begins.
struct ScriptToken: Equatable {
  enum Kind: Equatable {
    case name(String)
    case integer(Int128)
    case float(Double)
    case string(String)
    /// Operators and brackets.
    case symbol(String)
    case newline
    case indent
    case dedent
    case end
  }
  var kind: Kind
  var line: Int

  /// For messages.
  var mention: String {
    switch kind {
    case .name(let name): "'\(name)'"
    case .integer(let value): "the number \(value)"
    case .float(let value): "the number \(value)"
    case .string: "a string"
    case .symbol(let symbol): "'\(symbol)'"
    case .newline: "the end of the line"
    case .indent: "an indented line"
    case .dedent, .end: "the end of the block"
    }
  }
}
