/// Cuts a script into tokens, as Python's reference has it in "Lexical analysis" (version 2: octal numbers begin with 0).
struct ScriptLexer {
  let bytes: [UInt8]
  var position = 0
  var line = 1
  private var tokens: [ScriptToken] = []
  private var brackets: [(open: UInt8, line: Int)] = []
  private var indentation = [0]

  /// Brackets within brackets, blocks within blocks. Nobody writes such a file; the parser is recursive.
  static let deepest = 48

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var here: UInt8? { position < bytes.count ? bytes[position] : nil }
  func at(_ distance: Int) -> UInt8? { position + distance < bytes.count ? bytes[position + distance] : nil }
  func failure(_ message: String, line: Int? = nil) -> ScriptFailure { ScriptFailure(line: line ?? self.line, message: message) }

  static func tokens(of bytes: [UInt8]) throws(ScriptFailure) -> [ScriptToken] {
    var lexer = ScriptLexer(bytes)
    return try lexer.run()
  }

  private mutating func run() throws(ScriptFailure) -> [ScriptToken] {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    while position < bytes.count {
      if brackets.isEmpty && startsLine { try indent() }
      try next()
    }
    if let open = brackets.last {
      throw failure("the bracket '\(Character(Unicode.Scalar(open.open)))' is never closed", line: open.line)
    }
    if !startsLine { append(.newline) }
    while indentation.count > 1 {
      indentation.removeLast()
      append(.dedent)
    }
    append(.end)
    return tokens
  }

  /// Whether the next token is the first of its line.
  private var startsLine: Bool {
    switch tokens.last?.kind {
    case nil, .newline, .indent, .dedent: true
    default: false
    }
  }

  mutating func append(_ kind: ScriptToken.Kind, line: Int? = nil) {
    tokens.append(ScriptToken(kind: kind, line: line ?? self.line))
  }

  /// Skips empty lines; turns the white space before the first token into blocks.
  private mutating func indent() throws(ScriptFailure) {
    guard position == 0 || bytes[position - 1] == UInt8(ascii: "\n") || position == 3 && bytes[0] == 0xEF else { return }
    var column = 0
    while let byte = here {
      switch byte {
      case UInt8(ascii: " "): column += 1
      case UInt8(ascii: "\t"): column = (column / 8 + 1) * 8
      case 0x0C: column = 0
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "#"): return
      default:
        if let outer = indentation.last, column > outer {
          guard indentation.count < Self.deepest else { throw failure("blocks are nested too deeply") }
          indentation.append(column)
          append(.indent)
        }
        while let outer = indentation.last, column < outer {
          indentation.removeLast()
          append(.dedent)
        }
        guard column == indentation.last else { throw failure("the indentation fits no line above") }
        return
      }
      position += 1
    }
  }

  private mutating func next() throws(ScriptFailure) {
    guard let byte = here else { return }
    switch byte {
    case UInt8(ascii: " "), UInt8(ascii: "\t"), 0x0C: position += 1
    case UInt8(ascii: "#"): while let byte = here, byte != UInt8(ascii: "\n") { position += 1 }
    case UInt8(ascii: "\r") where at(1) == UInt8(ascii: "\n"): position += 1
    case UInt8(ascii: "\n"):
      if brackets.isEmpty && !startsLine { append(.newline) }
      position += 1
      line += 1
    case UInt8(ascii: "\\"):
      position += 1
      if here == UInt8(ascii: "\r") { position += 1 }
      guard here == UInt8(ascii: "\n") else { throw failure("a backslash that does not end its line") }
      position += 1
      line += 1
    case UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
    case UInt8(ascii: ".") where at(1).map(Self.isDigit) == true: try number()
    case UInt8(ascii: "'"), UInt8(ascii: "\""): try string(prefix: [])
    case _ where Self.isNameStart(byte): try name()
    default: try symbol()
    }
  }

  private mutating func name() throws(ScriptFailure) {
    let start = position
    while let byte = here, Self.isNameStart(byte) || Self.isDigit(byte) { position += 1 }
    let name = bytes[start..<position]
    if here == UInt8(ascii: "'") || here == UInt8(ascii: "\""), name.count <= 2 {
      let lower = name.map { $0 | 0x20 }
      if ["r", "u", "b", "ur", "br"].contains(where: { Array($0.utf8) == lower }) { return try string(prefix: lower) }
    }
    append(.name(String(decoding: name, as: UTF8.self)))
  }

  private static let symbols: [[UInt8]] = [
    "<<=", ">>=", "**=", "//=", "==", "!=", "<>", "<=", ">=", "<<", ">>", "**", "//", "+=", "-=", "*=", "/=", "%=", "&=", "|=",
    "^=",
    "(", ")", "[", "]", "{", "}", ",", ":", ".", ";", "=", "<", ">", "+", "-", "*", "/", "%", "&", "|", "^", "~", "@", "`",
  ].map { Array($0.utf8) }

  private static let brackets: [(open: UInt8, close: UInt8)] = ["()", "[]", "{}"].map { ($0.utf8.first ?? 0, $0.utf8.last ?? 0) }

  private mutating func symbol() throws(ScriptFailure) {
    let rest = bytes[position...]
    guard let symbol = Self.symbols.first(where: { rest.starts(with: $0) }) else {
      let byte = bytes[position]
      let isPrintable = 0x21...0x7E ~= byte
      throw failure(
        isPrintable
          ? "the character '\(Character(Unicode.Scalar(byte)))' means nothing here"
          : "the byte 0x\(String(byte, radix: 16)) means nothing here; only strings and comments may have other characters than ASCII"
      )
    }
    if let pair = Self.brackets.first(where: { [$0.open] == symbol }) {
      guard brackets.count < Self.deepest else { throw failure("brackets are nested too deeply") }
      brackets.append((pair.open, line))
    } else if let pair = Self.brackets.first(where: { [$0.close] == symbol }), brackets.popLast()?.open != pair.open {
      throw failure("'\(Character(Unicode.Scalar(pair.close)))' closes no bracket")
    }
    position += symbol.count
    append(.symbol(String(decoding: symbol, as: UTF8.self)))
  }

  static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
  static func isNameStart(_ byte: UInt8) -> Bool {
    UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || byte == UInt8(ascii: "_")
  }
}
