/// Watches console output for a regular expression, line by line. A line is tried when it ends, when it grows long, and when the
/// guest waits for input (a prompt has no end of line): all of them moments of guest time, so that two runs stop at the same cycle.
public struct OutputMatcher {
  public struct BadPattern: Error, CustomStringConvertible {
    public let description: String
  }

  private let expression: Regex<AnyRegexOutput>
  private var line: [UInt8] = []
  private var changed = false
  /// Longer lines are tried and dropped.
  private static let lineLimit = 4096

  public init(_ pattern: String) throws(BadPattern) {
    do {
      expression = try Regex(pattern)
    } catch {
      throw BadPattern(description: "\"\(pattern)\" is not a regular expression: \(error)")
    }
  }

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
    guard changed else { return false }
    return matches()
  }

  private mutating func matches() -> Bool {
    changed = false
    let text = String(decoding: line, as: UTF8.self)
    return (try? expression.firstMatch(in: text)) != nil
  }
}
