/// A set of processors 0 to 63. In JSON it is its text: "0-3,5", "all" or "none".
public struct ProcessorMask: Sendable, Hashable, Codable, CustomStringConvertible {
  public var bits: UInt64
  public init(bits: UInt64) { self.bits = bits }

  public static let all = ProcessorMask(bits: .max)
  /// Processors 0 to `count` - 1.
  public static func first(_ count: Int) -> ProcessorMask {
    ProcessorMask(bits: count >= 64 ? .max : (1 << UInt64(max(0, count))) - 1)
  }

  public func contains(_ processor: Int) -> Bool { 0..<64 ~= processor && bits >> UInt64(processor) & 1 != 0 }

  /// `0-3,5,^1`: read from left to right, so `^1,0-3` takes nothing away, as in xend. `all`, `any` and the empty text are all
  /// processors; `all,^1` is xl's.
  public init(parsing text: String) throws(SettingProblem) {
    bits = 0
    let text = text.trimmed
    if text == "none" { return }
    if text.isEmpty {
      bits = .max
      return
    }
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      var part = part.trimmed[...]
      let isRemoved = part.first == "^"
      if isRemoved { part = part.dropFirst() }
      if part.hasPrefix("node") { throw SettingProblem("'\(part)': this server has no NUMA nodes") }
      let named = part == "all" || part == "any" ? UInt64.max : try Self.range(part)
      bits = isRemoved ? bits & ~named : bits | named
    }
  }

  private static func range(_ text: Substring) throws(SettingProblem) -> UInt64 {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0.trimmed) }
    guard 1...2 ~= ends.count, let first = ends[0], let last = ends[ends.count - 1], 0..<64 ~= first, 0..<64 ~= last else {
      throw SettingProblem("expected processors from 0 to 63 like 0-3,5,^1, found '\(text)'")
    }
    guard first <= last else { throw SettingProblem("the range '\(text)' runs backwards") }
    return Self.first(last + 1).bits & ~Self.first(first).bits
  }

  /// `0-3,5`; "none" if empty, "all" if there is no restriction.
  public var description: String { bits == .max ? "all" : bits == 0 ? "none" : ranges }

  /// The members as ranges, without names for everything and nothing.
  var ranges: String {
    var parts: [String] = []
    var processor = 0
    while processor < 64 {
      guard contains(processor) else {
        processor += 1
        continue
      }
      let start = processor
      while contains(processor + 1) { processor += 1 }
      parts.append(start == processor ? "\(start)" : "\(start)-\(processor)")
      processor += 1
    }
    return parts.joined(separator: ",")
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    do {
      try self.init(parsing: try container.decode(String.self))
    } catch let problem as SettingProblem {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: problem.description)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
