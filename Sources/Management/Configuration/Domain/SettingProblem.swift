/// What is wrong with a value; the reader knows the key and its place.
public struct SettingProblem: Error, Sendable, Equatable, CustomStringConvertible {
  public var description: String
  init(_ text: String) { description = text }
}

/// Checks that several kinds of specification share.
enum SpecificationText {
  /// `key=value,key=value`; white space around both counts for nothing.
  static func pairs(_ text: String, known: Set<String>, of what: String) throws(SettingProblem) -> [String: String] {
    var pairs: [String: String] = [:]
    guard !text.trimmed.isEmpty else { return pairs }
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let equals = part.firstIndex(of: "=") else { throw SettingProblem("expected option=value, found '\(part.trimmed)'") }
      let key = part[..<equals].trimmed
      guard known.contains(key) else {
        throw SettingProblem("\(what) has no option '\(key)'; the options are \(known.sorted().joined(separator: ", "))")
      }
      guard pairs.updateValue(part[part.index(after: equals)...].trimmed, forKey: key) == nil else {
        throw SettingProblem("'\(key)' is there twice")
      }
    }
    return pairs
  }

  static func choice<T: RawRepresentable & CaseIterable>(_ text: String, _: T.Type = T.self) throws(SettingProblem) -> T
  where T.RawValue == String {
    if let value = T(rawValue: text) { return value }
    throw SettingProblem("expected one of \(T.allCases.map(\.rawValue).joined(separator: ", ")), found '\(text)'")
  }

  static func flag(_ text: String) throws(SettingProblem) -> Bool {
    switch text {
    case "1", "yes", "y": true
    case "0", "no", "n": false
    default: throw SettingProblem("expected 0 or 1, found '\(text)'")
    }
  }
}
