/// A configuration file of xm, which is a Python script: the part of Python that such files use, and one clear line about the rest.
///
/// Nothing that a file contains makes this crash, hang or fill the memory: nesting, sizes and the total of what operations make are
/// bounded, and there are no loops.
public struct ConfigurationScript: Sendable {
  /// A variable at the end of the script.
  public struct Setting: Sendable, Equatable {
    public var name: String
    public var value: ConfigurationValue
    public var location: ConfigurationLocation
    /// The text of an argument.
    public var argument: String?
    /// Whether the script itself used the variable.
    public var isUsed = false
  }

  /// No real file has a hundredth of it.
  public static let largestFile = 1 << 20

  /// In the order of their lines.
  public private(set) var settings: [Setting] = []
  /// Which of the variables from outside the script has used.
  public private(set) var usedVariables: Set<String> = []

  /// Runs a script. `variables` are known to it from the beginning.
  public init(_ bytes: [UInt8], file: String, variables: [ConfigurationOverride] = []) throws(ConfigurationError) {
    guard bytes.count <= Self.largestFile else {
      throw ConfigurationError("the file has \(bytes.count) bytes: too many for a configuration", at: .wholeFile(file))
    }
    if let strange = Self.otherFormat(bytes) { throw ConfigurationError(strange, at: .file(file, line: 1)) }
    var interpreter = ScriptInterpreter()
    // Line 0 is no line of the file.
    for variable in variables { interpreter.variables[variable.name] = .init(object: .value(variable.value), line: 0) }
    do {
      try interpreter.run(try ScriptParser.statements(of: bytes))
    } catch {
      throw ConfigurationError(error.message, at: .file(file, line: error.line))
    }
    usedVariables = Set(variables.map(\.name)).filter { interpreter.variables[$0]?.isUsed == true }
    for (name, variable) in interpreter.variables where variable.line > 0 {
      guard case .value(let value) = variable.object else { continue }
      settings.append(
        Setting(name: name, value: value, location: .file(file, line: variable.line), isUsed: variable.isUsed))
    }
    settings.sort { ($0.location.line, $0.name) < ($1.location.line, $1.name) }
  }

  /// xm reads such files, too; Epicure does not.
  private static func otherFormat(_ bytes: [UInt8]) -> String? {
    let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    if bytes.prefix(4096).contains(0) { return "this is a binary file, not a configuration" }
    if first == UInt8(ascii: "<") { return "this is XML; only configurations in xm's Python form are read" }
    if first == UInt8(ascii: "(") { return "this is an SXP file; only configurations in xm's Python form are read" }
    return nil
  }
}

extension ConfigurationLocation {
  fileprivate var line: Int { if case .file(_, let line) = self { line } else { 0 } }
}

/// `name=value` on the command line of `xm create`.
public struct ConfigurationOverride: Sendable, Equatable {
  public var name: String
  /// The text, where it is not a Python expression.
  public var value: ConfigurationValue
  public var text: String

  public init(parsing argument: String) throws(ConfigurationError) {
    guard let equals = argument.firstIndex(of: "=") else {
      throw ConfigurationError("'\(argument)' is not of the form name=value", at: .commandLine)
    }
    name = argument[..<equals].trimmed
    text = argument[argument.index(after: equals)...].trimmed
    let isName = name.utf8.enumerated().allSatisfy { ScriptLexer.isNameStart($1) || $0 > 0 && ScriptLexer.isDigit($1) }
    guard !name.isEmpty, isName, !ScriptParser.reserved.contains(name) else {
      throw ConfigurationError("'\(name)' cannot be the name of a setting", at: .commandLine)
    }
    guard text.utf8.count <= ConfigurationScript.largestFile else {
      throw ConfigurationError("\(name) is too long", at: .commandLine)
    }
    var interpreter = ScriptInterpreter()
    do {
      value = try interpreter.value(try ScriptParser.expression(of: Array(text.utf8)), 1)
    } catch {
      value = .string(text)
    }
  }
}
