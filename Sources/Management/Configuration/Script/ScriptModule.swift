/// The few names that a script may use without defining them.
enum ScriptModule: String { case os, re, sys }

enum ScriptFunction: String {
  case str, int, len
  case uname = "os.uname"
  case join = "os.path.join"
  case basename = "os.path.basename"
  case search = "re.search"
  case match = "re.match"

  static let builtins: [ScriptFunction] = [.str, .int, .len]
}

/// Methods of strings.
enum ScriptMethod: String { case startswith, endswith, lower, upper, strip }

/// What an expression can be before it is a value.
enum ScriptObject {
  case value(ConfigurationValue)
  /// `os`, `os.path`, `re`
  case module(String)
  case function(ScriptFunction)
  case method(String, ScriptMethod)
}

extension ScriptFunction {
  /// What `os.uname()` says: the machine is what files ask for, and Epicure's answer does not depend on the host.
  static let host = ["Linux", "localhost", "2.6.18", "#1 SMP", "ia64"]

  func call(_ arguments: [ConfigurationValue]) throws(ScriptProblem) -> ConfigurationValue {
    switch self {
    case .uname:
      try expect(arguments, 0)
      return .tuple(Self.host.map { .string($0) })
    case .str:
      try expect(arguments, 1)
      guard let text = PythonText.of(arguments[0]) else { throw ScriptProblem("str() of \(arguments[0].kind) is not understood") }
      return .string(text)
    case .int:
      try expect(arguments, 1)
      return .integer(try Self.integer(arguments[0]))
    case .len:
      try expect(arguments, 1)
      switch arguments[0] {
      case .string(let text): return .integer(Int128(text.unicodeScalars.count))
      case .list(let elements), .tuple(let elements): return .integer(Int128(elements.count))
      case .dictionary(let entries): return .integer(Int128(entries.count))
      default: throw ScriptProblem("\(arguments[0].kind) has no length")
      }
    case .join:
      var path = ""
      for part in try strings(arguments) {
        path = part.hasPrefix("/") ? part : path.isEmpty || path.hasSuffix("/") ? path + part : path + "/" + part
      }
      return .string(path)
    case .basename:
      try expect(arguments, 1)
      let path = try strings(arguments)[0]
      return .string(String(path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...]))
    case .search, .match:
      try expect(arguments, 2)
      let texts = try strings(arguments)
      // A match is an object, and no match is None; files only ask whether there is one.
      return try ScriptPattern(texts[0]).isFound(in: texts[1], atStart: self == .match) ? .boolean(true) : .none
    }
  }

  private func expect(_ arguments: [ConfigurationValue], _ count: Int) throws(ScriptProblem) {
    guard arguments.count == count else { throw ScriptProblem("\(rawValue) takes \(count) arguments, not \(arguments.count)") }
  }

  private func strings(_ arguments: [ConfigurationValue]) throws(ScriptProblem) -> [String] {
    var texts: [String] = []
    for argument in arguments {
      guard case .string(let text) = argument else { throw ScriptProblem("\(rawValue) takes strings, not \(argument.kind)") }
      texts.append(text)
    }
    return texts
  }

  /// Python's `int()`: towards zero, and decimal digits in a string.
  static func integer(_ value: ConfigurationValue) throws(ScriptProblem) -> Int128 {
    switch (value, value.number) {
    case (_, .integer(let number)?): return number
    case (_, .float(let number)?):
      guard number.isFinite else { throw ScriptProblem("\(value.mention) is no integer") }
      guard abs(number) < 0x1p127 else { throw ScriptProblem("the number is too large") }
      return Int128(number)
    case (.string(let text), _):
      let digits = text.trimmed
      guard digits.utf8.count <= 60, let number = Int128(digits) else { throw ScriptProblem("\(value.mention) is not an integer") }
      return number
    default: throw ScriptProblem("int() of \(value.kind) is not understood")
    }
  }
}

extension ScriptMethod {
  func call(_ text: String, _ arguments: [ConfigurationValue]) throws(ScriptProblem) -> ConfigurationValue {
    switch (self, arguments.first) {
    case (.startswith, .string(let prefix)?) where arguments.count == 1: .boolean(text.utf8.starts(with: prefix.utf8))
    case (.endswith, .string(let suffix)?) where arguments.count == 1:
      .boolean(text.utf8.reversed().starts(with: suffix.utf8.reversed()))
    case (.lower, nil): .string(text.lowercased())
    case (.upper, nil): .string(text.uppercased())
    case (.strip, nil): .string(text.trimmed)
    case (.startswith, _), (.endswith, _): throw ScriptProblem("\(rawValue) takes one string")
    default: throw ScriptProblem("\(rawValue) takes no arguments here")
    }
  }
}

extension StringProtocol {
  /// Without white space at both ends.
  var trimmed: String {
    var rest = self[...]
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return String(rest)
  }
}

/// The regular expressions that configuration files use: plain text, perhaps anchored. More would need an engine whose running time
/// somebody bounds.
struct ScriptPattern {
  private var text: String
  private var isAtStart = false
  private var isAtEnd = false

  init(_ pattern: String) throws(ScriptProblem) {
    text = pattern
    if text.hasPrefix("^") {
      isAtStart = true
      text.removeFirst()
    }
    if text.hasSuffix("$") {
      isAtEnd = true
      text.removeLast()
    }
    guard !text.contains(where: { "\\.[](){}*+?|^$".contains($0) }) else {
      throw ScriptProblem("of regular expressions, only plain text is understood, perhaps with ^ before or $ behind it")
    }
  }

  func isFound(in subject: String, atStart: Bool) -> Bool {
    let (needle, subject) = (Array(text.utf8), Array(subject.utf8))
    switch (isAtStart || atStart, isAtEnd) {
    case (true, true): return needle == subject
    case (true, false): return subject.starts(with: needle)
    case (false, true): return subject.reversed().starts(with: needle.reversed())
    case (false, false): return ByteSearch(needle).isFound(in: subject)
    }
  }
}

/// Whether bytes occur in others, in time that grows with the sum of both lengths (Knuth, Morris and Pratt).
struct ByteSearch {
  private let needle: [UInt8]
  /// The length of the longest beginning of the needle that also ends at this byte, and is not all of it.
  private var borders: [Int]

  init(_ needle: [UInt8]) {
    self.needle = needle
    borders = Array(repeating: 0, count: needle.count)
    var length = 0
    for position in needle.indices.dropFirst() {
      while length > 0 && needle[position] != needle[length] { length = borders[length - 1] }
      if needle[position] == needle[length] { length += 1 }
      borders[position] = length
    }
  }

  func isFound(in subject: [UInt8]) -> Bool {
    guard !needle.isEmpty else { return true }
    var length = 0
    for byte in subject {
      while length > 0 && byte != needle[length] { length = borders[length - 1] }
      if byte == needle[length] { length += 1 }
      if length == needle.count { return true }
    }
    return false
  }
}
