/// Reads a ``TraceExpression``.
struct TraceExpressionParser {
  private var tokens: [String] = []
  private var position = 0
  private let live: Bool
  private let problem: TraceExpression.Failure?
  private var depth = 0
  /// Deeper conditions are no condition of a person.
  private static let deepest = 64
  /// Longer texts neither.
  private static let longest = 4096

  typealias Failure = TraceExpression.Failure

  init(_ text: String, live: Bool) {
    self.live = live
    do throws(Failure) {
      guard text.utf8.count <= Self.longest else { throw Failure(description: "the condition is too long") }
      tokens = try Self.split(text)
      problem = nil
    } catch { problem = error }
  }

  mutating func parse() throws(Failure) -> TraceExpression.Node {
    if let problem { throw problem }
    guard !tokens.isEmpty else { throw Failure(description: "the condition is empty; try: exit cause=itc.d") }
    let node = try condition()
    if let rest = peek { throw Failure(description: "\"\(rest)\" is not expected here") }
    return node
  }

  private static let signs: Set<Character> = ["=", "!", "<", ">", "(", ")", "&", "+", "-"]

  private static func split(_ text: String) throws(Failure) -> [String] {
    var tokens: [String] = []
    var rest = Substring(text)
    while let c = rest.first {
      if c.isWhitespace {
        rest.removeFirst()
      } else if c == "\"" || c == "'" {
        rest.removeFirst()
        guard let end = rest.firstIndex(of: c) else { throw Failure(description: "a quotation mark is missing") }
        tokens.append("\"" + rest[..<end])
        rest = rest[rest.index(after: end)...]
      } else if signs.contains(c) {
        rest.removeFirst()
        if "=!<>".contains(c), rest.first == "=" {
          rest.removeFirst()
          tokens.append("\(c)=")
        } else {
          tokens.append(c == "=" ? "==" : String(c))
        }
      } else {
        let word = rest.prefix { !$0.isWhitespace && !signs.contains($0) && $0 != "\"" && $0 != "'" }
        tokens.append(String(word))
        rest = rest[word.endIndex...]
      }
    }
    return tokens
  }

  private var peek: String? { position < tokens.count ? tokens[position] : nil }

  private mutating func accept(_ word: String) -> Bool {
    guard peek?.lowercased() == word else { return false }
    position += 1
    return true
  }

  private mutating func condition() throws(Failure) -> TraceExpression.Node {
    depth += 1
    defer { depth -= 1 }
    guard depth < Self.deepest else { throw Failure(description: "the condition is nested too deeply") }
    var node = try term()
    while accept("or") { node = .or(node, try term()) }
    return node
  }

  private mutating func term() throws(Failure) -> TraceExpression.Node {
    var node = try factor()
    while true {
      // "exit cause=itc.d": what stands beside each other must all be true.
      guard accept("and") || peek.map({ $0 != ")" && $0.lowercased() != "or" }) == true else { return node }
      node = .and(node, try factor())
    }
  }

  private mutating func factor() throws(Failure) -> TraceExpression.Node {
    if accept("not") {
      depth += 1
      defer { depth -= 1 }
      guard depth < Self.deepest else { throw Failure(description: "the condition is nested too deeply") }
      return .not(try factor())
    }
    if accept("(") {
      let node = try condition()
      guard accept(")") else { throw Failure(description: "a closing parenthesis is missing") }
      return node
    }
    if let word = peek?.lowercased(), let group = TraceExpression.Group(rawValue: word),
      position + 1 == tokens.count || TraceExpression.Comparison(rawValue: tokens[position + 1]) == nil
    {
      position += 1
      return .group(group)
    }
    let left = try value(isRight: false)
    guard let sign = peek, let comparison = TraceExpression.Comparison(rawValue: sign) else { return .isNotZero(left) }
    position += 1
    let right = try value(isRight: true)
    if case .text(let name) = right {
      guard case .field = left, comparison == .equal || comparison == .unequal else {
        throw Failure(description: "\"\(name)\" is a name: fields can be equal to it or not, as in cause=\(name)")
      }
    }
    return .compare(left, comparison, right)
  }

  private mutating func value(isRight: Bool) throws(Failure) -> TraceExpression.Value {
    var result = try part(isRight: isRight)
    while let sign = peek, ["&", "+", "-"].contains(sign) {
      position += 1
      result = .combined(result, Character(sign), try part(isRight: false))
    }
    return result
  }

  private mutating func part(isRight: Bool) throws(Failure) -> TraceExpression.Value {
    guard let token = peek else { throw Failure(description: "the condition ends too early") }
    position += 1
    if token.hasPrefix("\"") { return .text(String(token.dropFirst())) }
    if let number = Self.number(token) { return .number(number) }
    let word = token.lowercased()
    guard word.first.map({ $0.isLetter || $0 == "_" }) == true else {
      throw Failure(description: "\"\(token)\" is not expected here")
    }
    // A register's name may be a cause's or a function's, too: on the right it is one only if nothing else can be meant.
    if Self.isRegister(word) {
      guard live else { throw Failure(description: "\(token): a trace does not hold registers; --break looks at running guests") }
      return .register(word)
    }
    if isRight { return .text(token) }
    if let field = TraceExpression.Field(rawValue: word) { return .field(field) }
    throw Failure(
      description: "\"\(token)\" is no kind, field or register; fields are "
        + TraceExpression.Field.allCases.map(\.rawValue).joined(separator: ", "))
  }

  private static func number(_ text: String) -> UInt64? {
    let digits = text.replacing("_", with: "")
    return digits.lowercased().hasPrefix("0x") ? UInt64(digits.dropFirst(2), radix: 16) : UInt64(digits)
  }

  static func isRegister(_ name: String) -> Bool {
    func numbered(_ prefix: String, _ limit: Int) -> Bool {
      guard name.hasPrefix(prefix), let number = Int(name.dropFirst(prefix.count)) else { return false }
      return number >= 0 && number < limit && String(number).count == name.count - prefix.count
    }
    return numbered("r", 128) || numbered("b", 8) || numbered("p", 64) || numbered("rr", 8) || name == "psr" || name == "cfm"
      || name.hasPrefix("cr.") || name.hasPrefix("ar.")
  }
}
