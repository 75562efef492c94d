/// Expressions, from the loosest binding to the tightest.
extension ScriptParser {
  /// One expression, or a tuple without parentheses.
  mutating func expressions() throws(ScriptFailure) -> ScriptExpression {
    let first = try expression()
    guard here.kind == .symbol(",") else { return first }
    var elements = [first]
    while takeSymbol(",") {
      switch here.kind {
      case .newline, .end, .symbol("="), .symbol(";"), .symbol(")"): return .tuple(elements)
      default: elements.append(try expression())
      }
    }
    return .tuple(elements)
  }

  mutating func expression() throws(ScriptFailure) -> ScriptExpression {
    try nested { parser throws(ScriptFailure) in
      let value = try parser.disjunction()
      guard parser.takeWord("if") else { return value }
      let condition = try parser.disjunction()
      guard parser.takeWord("else") else { throw parser.unexpected("'else'") }
      return .conditional(condition: condition, then: value, otherwise: try parser.expression())
    }
  }

  private mutating func disjunction() throws(ScriptFailure) -> ScriptExpression {
    var operands = [try conjunction()]
    while takeWord("or") { operands.append(try conjunction()) }
    return operands.count == 1 ? operands[0] : .or(operands)
  }

  private mutating func conjunction() throws(ScriptFailure) -> ScriptExpression {
    var operands = [try negation()]
    while takeWord("and") { operands.append(try negation()) }
    return operands.count == 1 ? operands[0] : .and(operands)
  }

  private mutating func negation() throws(ScriptFailure) -> ScriptExpression {
    var count = 0
    while takeWord("not") { count += 1 }
    let operand = try comparison()
    switch count {
    case 0: return operand
    // An even number is not nothing: it makes a truth value of its operand.
    case let even where even % 2 == 0: return .not(.not(operand))
    default: return .not(operand)
    }
  }

  private mutating func comparison() throws(ScriptFailure) -> ScriptExpression {
    let first = try arithmetic(atLeast: 1)
    var rest: [(comparison: ScriptComparison, operand: ScriptExpression, line: Int)] = []
    while let comparison = takeComparison() { rest.append((comparison, try arithmetic(atLeast: 1), here.line)) }
    return rest.isEmpty ? first : .comparison(first, rest)
  }

  private mutating func takeComparison() -> ScriptComparison? {
    var comparison: ScriptComparison?
    switch here.kind {
    case .symbol("=="): comparison = .equal
    case .symbol("!="), .symbol("<>"): comparison = .notEqual
    case .symbol("<"): comparison = .less
    case .symbol("<="): comparison = .lessOrEqual
    case .symbol(">"): comparison = .greater
    case .symbol(">="): comparison = .greaterOrEqual
    case .name("in"): comparison = .member(isNegated: false)
    case .name("is"):
      advance()
      return .identical(isNegated: takeWord("not"))
    case .name("not") where following.kind == .name("in"):
      advance()
      comparison = .member(isNegated: true)
    default: return nil
    }
    advance()
    return comparison
  }

  /// Operators of `precedence` and tighter ones.
  private mutating func arithmetic(atLeast precedence: Int) throws(ScriptFailure) -> ScriptExpression {
    var value = try signed()
    while case .symbol(let symbol) = here.kind, let operation = ScriptOperator(rawValue: symbol), operation.precedence >= precedence
    {
      let line = here.line
      advance()
      // What binds tighter belongs to the right operand; a row of one precedence is one node.
      let operand = try arithmetic(atLeast: operation.precedence + 1)
      if case .arithmetic(let first, var rest) = value, rest[0].operation.precedence == operation.precedence {
        // Free `value` before it changes, or every addition would copy the row.
        value = .literal(.none)
        rest.append((operation, operand, line))
        value = .arithmetic(first, rest)
      } else {
        value = .arithmetic(value, [(operation, operand, line)])
      }
    }
    if here.kind == .symbol("**") { throw failure("'**' is not understood") }
    return value
  }

  private mutating func signed() throws(ScriptFailure) -> ScriptExpression {
    let line = here.line
    var signs: [ScriptSign] = []
    while case .symbol(let symbol) = here.kind, let sign = ScriptSign(rawValue: symbol) {
      signs.append(sign)
      advance()
    }
    let operand = try primary()
    return signs.isEmpty ? operand : .signs(signs, operand, line: line)
  }

  private mutating func primary() throws(ScriptFailure) -> ScriptExpression {
    let atom = try atom()
    var trailers: [(trailer: ScriptTrailer, line: Int)] = []
    while true {
      let line = here.line
      if takeSymbol(".") {
        trailers.append((.attribute(try name("a name")), line))
      } else if takeSymbol("[") {
        trailers.append((try subscription(), line))
      } else if takeSymbol("(") {
        trailers.append((.call(try elements(until: ")")), line))
      } else {
        return trailers.isEmpty ? atom : .trailers(atom, trailers)
      }
    }
  }

  /// After `[`.
  private mutating func subscription() throws(ScriptFailure) -> ScriptTrailer {
    let first = here.kind == .symbol(":") ? nil : try expression()
    if let first, takeSymbol("]") { return .index(first) }
    guard takeSymbol(":") else { throw unexpected("']'") }
    let second = here.kind == .symbol("]") ? nil : try expression()
    guard takeSymbol("]") else { throw unexpected("']'") }
    return .slice(from: first, to: second)
  }

  private mutating func atom() throws(ScriptFailure) -> ScriptExpression {
    let token = here
    switch token.kind {
    case .integer(let value):
      advance()
      return .literal(.integer(value))
    case .float(let value):
      advance()
      return .literal(.float(value))
    case .string(var text):
      advance()
      while case .string(let more) = here.kind {
        text += more
        advance()
      }
      return .literal(.string(text))
    case .name("None"), .name("True"), .name("False"):
      advance()
      return .literal(token.kind == .name("None") ? .none : .boolean(token.kind == .name("True")))
    case .name(let name) where !Self.reserved.contains(name):
      advance()
      return .name(name, line: token.line)
    case .symbol("("):
      advance()
      return try parenthesized()
    case .symbol("["):
      advance()
      return .list(try elements(until: "]"))
    case .symbol("{"):
      advance()
      return try dictionary()
    case .name("lambda"): throw failure("'lambda' is not understood")
    default: throw unexpected("a value")
    }
  }

  /// After `(`: a tuple if there is a comma.
  private mutating func parenthesized() throws(ScriptFailure) -> ScriptExpression {
    if takeSymbol(")") { return .tuple([]) }
    let value = try expressions()
    try refuseComprehension()
    guard takeSymbol(")") else { throw unexpected("')'") }
    return value
  }

  /// After the opening bracket; a comma may precede the closing one.
  private mutating func elements(until close: String) throws(ScriptFailure) -> [ScriptExpression] {
    var elements: [ScriptExpression] = []
    while !takeSymbol(close) {
      elements.append(try expression())
      try refuseComprehension()
      if close == ")" && here.kind == .symbol("=") { throw failure("arguments with names are not understood") }
      guard takeSymbol(",") || here.kind == .symbol(close) else { throw unexpected("',' or '\(close)'") }
    }
    return elements
  }

  private mutating func dictionary() throws(ScriptFailure) -> ScriptExpression {
    var entries: [(key: ScriptExpression, value: ScriptExpression)] = []
    while !takeSymbol("}") {
      let key = try expression()
      guard takeSymbol(":") else { throw unexpected("':'") }
      entries.append((key, try expression()))
      try refuseComprehension()
      guard takeSymbol(",") || here.kind == .symbol("}") else { throw unexpected("',' or '}'") }
    }
    return .dictionary(entries)
  }

  private func refuseComprehension() throws(ScriptFailure) {
    if here.kind == .name("for") { throw failure("'for' is not understood; write the elements out") }
  }
}
