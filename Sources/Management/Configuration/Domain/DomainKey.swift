/// How a key's value is read.
struct DomainKey: Sendable {
  enum Kind: Sendable {
    case text(@Sendable (inout DomainDraft, String) throws -> Void)
    case integer(ClosedRange<Int>, @Sendable (inout DomainDraft, Int) throws -> Void)
    case flag(@Sendable (inout DomainDraft, Bool) -> Void)
    /// A list of texts.
    case list(@Sendable (inout DomainDraft, String) throws -> Void)
    /// A value in several forms.
    case other(@Sendable (inout DomainDraft, ConfigurationValue) throws -> Void)
    /// Known, without meaning here: why.
    case ignored(String)
  }
  var name: String
  var kind: Kind

  private static let mostEntries = 256

  /// Reads a value; arguments of the command line are texts where a text is expected, even if they look like numbers.
  func apply(_ setting: ConfigurationScript.Setting, to draft: inout DomainDraft) throws {
    let value = setting.value
    switch kind {
    case .ignored: return
    case .text(let set): try set(&draft, try Self.text(value, setting.argument))
    case .integer(let range, let set):
      let number = Int(clamping: try Self.integer(value, setting.argument, range))
      guard range.contains(number) else {
        throw SettingProblem("expected an integer from \(range.lowerBound) to \(range.upperBound), found \(value.mention)")
      }
      try set(&draft, number)
    case .flag(let set): set(&draft, try Self.flag(value))
    case .list(let set):
      for entry in try Self.entries(value, setting.argument) { try set(&draft, entry) }
    case .other(let set): try set(&draft, setting.argument.flatMap { Self.plain($0, value) } ?? value)
    }
  }

  /// An argument as text, unless it was written as a string or a list.
  private static func plain(_ argument: String, _ value: ConfigurationValue) -> ConfigurationValue? {
    switch value {
    case .string, .list, .tuple: nil
    default: .string(argument)
    }
  }

  static func text(_ value: ConfigurationValue, _ argument: String?) throws(SettingProblem) -> String {
    let text: String
    switch (value, argument) {
    case (.string(let string), _): text = string
    case (_, let argument?): text = argument
    // `extra = 4` and `serial = 0` are what their texts are.
    case (.integer(let number), nil): text = String(number)
    default: throw SettingProblem("expected a string, found \(value.mention)")
    }
    guard !text.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\t" || $0.value == 0x7F }) else {
      throw SettingProblem("contains a control character")
    }
    return text
  }

  private static func integer(_ value: ConfigurationValue, _ argument: String?, _ range: ClosedRange<Int>) throws(SettingProblem)
    -> Int128
  {
    // xm takes int() of an argument: 010 is ten there, and eight in a file.
    if let argument, let number = Int128(argument) { return number }
    switch value {
    case .integer(let number): return number
    case .boolean(let flag): return flag ? 1 : 0
    case .float(let number) where number.rounded() == number && abs(number) < 0x1p53: return Int128(number)
    case .string(let text):
      if let number = try? ScriptFunction.integer(.string(text)) { return number }
    default: break
    }
    throw SettingProblem("expected an integer from \(range.lowerBound) to \(range.upperBound), found \(value.mention)")
  }

  private static func flag(_ value: ConfigurationValue) throws(SettingProblem) -> Bool {
    switch value {
    case .boolean(let flag): return flag
    case .integer(0): return false
    case .integer(1): return true
    case .string(let text):
      if let flag = try? SpecificationText.flag(text.trimmed.lowercased()) { return flag }
    default: break
    }
    throw SettingProblem("expected 0 or 1, found \(value.mention)")
  }

  private static func entries(_ value: ConfigurationValue, _ argument: String?) throws(SettingProblem) -> [String] {
    let elements: [ConfigurationValue]
    switch (value, argument) {
    case (.list(let list), _), (.tuple(let list), _): elements = list
    // xm makes a list of what the command line names.
    case (_, let argument?): elements = [.string(argument)]
    default: throw SettingProblem("expected a list of strings, found \(value.mention)")
    }
    guard elements.count <= mostEntries else { throw SettingProblem("has more than \(mostEntries) entries") }
    var entries: [String] = []
    for element in elements {
      guard case .string = element else { throw SettingProblem("expected a list of strings, found \(element.mention) in it") }
      entries.append(try text(element, nil))
    }
    return entries
  }
}
