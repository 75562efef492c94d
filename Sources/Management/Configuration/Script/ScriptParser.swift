/// Builds syntax trees of statements: assignments, imports, `if`.
struct ScriptParser {
  private let tokens: [ScriptToken]
  private var position = 0
  var depth = 0

  /// `tokens` ends with `.end`.
  init(_ tokens: [ScriptToken]) { self.tokens = tokens }

  static func statements(of bytes: [UInt8]) throws(ScriptFailure) -> [ScriptStatement] {
    var parser = ScriptParser(try ScriptLexer.tokens(of: bytes))
    var statements: [ScriptStatement] = []
    while parser.here.kind != .end { try parser.statement(into: &statements) }
    return statements
  }

  /// A single expression and nothing else.
  static func expression(of bytes: [UInt8]) throws(ScriptFailure) -> ScriptExpression {
    var parser = ScriptParser(try ScriptLexer.tokens(of: bytes))
    let expression = try parser.expressions()
    guard parser.take(.newline), parser.here.kind == .end else { throw parser.unexpected("the end") }
    return expression
  }

  var here: ScriptToken { tokens[position] }
  var following: ScriptToken { tokens[min(position + 1, tokens.count - 1)] }

  mutating func advance() { if position < tokens.count - 1 { position += 1 } }

  mutating func take(_ kind: ScriptToken.Kind) -> Bool {
    guard here.kind == kind else { return false }
    advance()
    return true
  }

  mutating func takeSymbol(_ symbol: String) -> Bool { take(.symbol(symbol)) }
  mutating func takeWord(_ word: String) -> Bool { take(.name(word)) }

  func failure(_ message: String) -> ScriptFailure { ScriptFailure(line: here.line, message: message) }
  func unexpected(_ expected: String) -> ScriptFailure { failure("expected \(expected), found \(here.mention)") }

  mutating func name(_ expected: String) throws(ScriptFailure) -> String {
    guard case .name(let name) = here.kind, !Self.reserved.contains(name) else { throw unexpected(expected) }
    advance()
    return name
  }

  mutating func nested<Result>(_ body: (inout ScriptParser) throws(ScriptFailure) -> Result) throws(ScriptFailure) -> Result {
    guard depth < ScriptLexer.deepest else { throw failure("the script is nested too deeply") }
    depth += 1
    defer { depth -= 1 }
    return try body(&self)
  }

  private static let refused: Set<String> = [
    "assert", "async", "await", "break", "class", "continue", "def", "del", "exec", "for", "from", "global", "lambda", "print",
    "raise",
    "return", "try", "while", "with", "yield",
  ]
  static let reserved = refused.union([
    "and", "as", "elif", "else", "except", "finally", "if", "import", "in", "is", "not", "or", "pass", "None", "True", "False",
  ])

  private mutating func statement(into statements: inout [ScriptStatement]) throws(ScriptFailure) {
    if case .name("if") = here.kind {
      return statements.append(try nested { parser throws(ScriptFailure) in try parser.branches() })
    }
    if case .indent = here.kind { throw failure("this line is indented, and no block begins here") }
    try simpleStatements(into: &statements)
  }

  /// `a = 1; b = 2`
  private mutating func simpleStatements(into statements: inout [ScriptStatement]) throws(ScriptFailure) {
    repeat {
      if case .newline = here.kind { break }
      try simpleStatement(into: &statements)
    } while takeSymbol(";")
    guard take(.newline) else { throw unexpected("the end of the statement") }
  }

  private mutating func simpleStatement(into statements: inout [ScriptStatement]) throws(ScriptFailure) {
    let line = here.line
    if case .name(let word) = here.kind {
      if word == "pass" { return advance() }
      if word == "import" { return try imports(into: &statements) }
      // `print` and `exec` may be names to Python 3, but not here.
      if Self.refused.contains(word) {
        throw failure("'\(word)' is not understood: a configuration has assignments, import os, re or sys, and if")
      }
      if Self.reserved.contains(word) && !["not", "None", "True", "False"].contains(word) {
        throw failure("'\(word)' begins no statement")
      }
    }
    var expression = try expressions()
    if case .symbol(let symbol) = here.kind, symbol.count > 1, symbol.last == "=",
      let operation = ScriptOperator(rawValue: String(symbol.dropLast()))
    {
      let target = try target(expression)
      advance()
      return statements.append(ScriptStatement(kind: .augmented(target: target, operation, try expressions()), line: line))
    }
    var targets: [String] = []
    while here.kind == .symbol("=") {
      targets.append(try target(expression))
      advance()
      expression = try expressions()
    }
    if targets.isEmpty {
      // A string by itself is a comment.
      if case .literal(.string) = expression { return }
      throw ScriptFailure(line: line, message: "a statement that assigns nothing")
    }
    statements.append(ScriptStatement(kind: .assignment(targets: targets, expression), line: line))
  }

  private func target(_ expression: ScriptExpression) throws(ScriptFailure) -> String {
    guard case .name(let name, _) = expression else { throw failure("only a plain name can be assigned to") }
    return name
  }

  /// `import os, re`, `import os.path`, `import os as host`.
  private mutating func imports(into statements: inout [ScriptStatement]) throws(ScriptFailure) {
    repeat {
      advance()
      let line = here.line
      let module = try name("the name of a module")
      guard ScriptModule(rawValue: module) != nil else {
        throw ScriptFailure(line: line, message: "there is no module '\(module)' here, only os, re and sys")
      }
      while takeSymbol(".") {
        let part = try name("the name of a module")
        guard module == "os", part == "path" else {
          throw ScriptFailure(line: line, message: "there is no module '\(module).\(part)' here")
        }
      }
      let local = takeWord("as") ? try name("a name") : module
      statements.append(ScriptStatement(kind: .imported(module: module, name: local), line: line))
    } while here.kind == .symbol(",")
  }

  private mutating func branches() throws(ScriptFailure) -> ScriptStatement {
    let line = here.line
    var branches: [(condition: ScriptExpression, body: [ScriptStatement])] = []
    repeat {
      advance()
      let condition = try expression()
      branches.append((condition, try block()))
    } while here.kind == .name("elif")
    let otherwise = takeWord("else") ? try block() : []
    return ScriptStatement(kind: .branches(branches, otherwise: otherwise), line: line)
  }

  private mutating func block() throws(ScriptFailure) -> [ScriptStatement] {
    guard takeSymbol(":") else { throw unexpected("':'") }
    var statements: [ScriptStatement] = []
    guard take(.newline) else {
      try simpleStatements(into: &statements)
      return statements
    }
    guard take(.indent) else { throw failure("expected an indented block") }
    while !take(.dedent) { try statement(into: &statements) }
    return statements
  }
}
