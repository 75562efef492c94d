/// Watches console output, line by line, for a regular expression or for a text at the start of a line. A line is tried when it ends,
/// when it grows long, and when the guest waits for input (a prompt has no end of line): all of them moments of guest time, so that
/// two runs stop at the same cycle.
public struct OutputMatcher {
  public struct BadPattern: Error, CustomStringConvertible {
    public let description: String
  }

  private enum Rule {
    case expression(Regex<AnyRegexOutput>)
    case start([UInt8])
  }

  private let rule: Rule
  private var line: [UInt8] = []
  private var changed = false
  /// The line that matched last.
  public private(set) var matchedLine = ""
  /// Longer lines are tried and dropped.
  private static let lineLimit = 4096

  public init(_ pattern: String) throws(BadPattern) {
    do {
      rule = .expression(try Regex(pattern))
    } catch {
      throw BadPattern(description: "\"\(pattern)\" is not a regular expression: \(error)")
    }
  }

  /// Matches finished lines that begin with `text`, behind the time stamps in brackets that Linux puts in front.
  public init(lineStart text: String) { rule = .start(Array(text.utf8)) }

  /// One more character; true if a finished line matches.
  public mutating func append(_ byte: UInt8) -> Bool {
    if byte == 0x0A || line.count >= Self.lineLimit {
      defer { line.removeAll(keepingCapacity: true) }
      return matches()
    }
    if byte != 0x0D { line.append(byte) }
    changed = true
    return false
  }

  /// Whether the line so far matches; cheap if nothing has changed.
  public mutating func matchesPartialLine() -> Bool {
    guard changed, case .expression = rule else { return false }
    return matches()
  }

  private mutating func matches() -> Bool {
    changed = false
    switch rule {
    case .start(let text):
      guard Self.withoutStamps(line).starts(with: text) else { return false }
    case .expression(let expression):
      guard (try? expression.firstMatch(in: String(decoding: line, as: UTF8.self))) != nil else { return false }
    }
    matchedLine = String(decoding: line, as: UTF8.self)
    return true
  }

  /// `[    0.272688] [T1] text` is `text`.
  private static func withoutStamps(_ line: [UInt8]) -> ArraySlice<UInt8> {
    var rest = line[...]
    while rest.first == UInt8(ascii: "["), let end = rest.firstIndex(of: UInt8(ascii: "]")) {
      rest = rest[(end + 1)...].drop { $0 == UInt8(ascii: " ") }
    }
    return rest
  }
}
