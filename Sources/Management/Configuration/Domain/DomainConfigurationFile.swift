/// A configuration file that has been read: the domain, and what its author should hear.
public struct DomainConfigurationFile: Sendable, Equatable {
  public var configuration: DomainConfiguration
  /// Unknown keys, and what is written but cannot have an effect.
  public var warnings: [ConfigurationNote]
  /// Known keys that mean nothing here, with the reason.
  public var ignored: [ConfigurationNote]

  /// Reads a file of `xm create`, and `name=value` arguments, which win over it.
  ///
  /// The domain's name is the file's unless it says otherwise.
  public init(_ bytes: [UInt8], file: String, overrides arguments: [String] = []) throws(ConfigurationError) {
    var overrides: [ConfigurationOverride] = []
    for argument in arguments { overrides.append(try ConfigurationOverride(parsing: argument)) }
    let script = try ConfigurationScript(bytes, file: file, variables: overrides)
    try self.init(Self.overridden(script, overrides), file: file)
  }

  /// Arguments replace what the file says; those that make a list add to each other, as in xm.
  private static func overridden(
    _ script: ConfigurationScript, _ overrides: [ConfigurationOverride]
  ) -> [ConfigurationScript.Setting] {
    let names = Set(overrides.map(\.name))
    return script.settings.filter { !names.contains($0.name) }
      + overrides.map {
        // A name that is no key is a variable for the script.
        ConfigurationScript.Setting(
          name: $0.name, value: $0.value, location: .commandLine, argument: $0.text, isUsed: script.usedVariables.contains($0.name))
      }
  }

  private init(_ settings: [ConfigurationScript.Setting], file: String) throws(ConfigurationError) {
    (warnings, ignored) = ([], [])
    let baseName = file.split(separator: "/").last.map(String.init) ?? file
    configuration = DomainConfiguration(name: baseName)
    var draft = DomainDraft(configuration: configuration)
    // `restart` is older than the keys that say the same more finely.
    for setting in settings.filter({ $0.name == "restart" }) + settings.filter({ $0.name != "restart" }) {
      // xm only sees settings that are strings, numbers and lists; the others are as if they were not there.
      if setting.value == .none && setting.argument == nil { continue }
      guard let key = DomainKey.all[setting.name] else {
        warn(unknown: setting)
        continue
      }
      do {
        try key.apply(setting, to: &draft)
      } catch {
        throw ConfigurationError("\(setting.name): \(error)", at: setting.location)
      }
      if case .ignored(let reason) = key.kind {
        ignored.append(
          ConfigurationNote(key: key.name, location: setting.location, message: reason, isRelevant: setting.value.isTrue))
      }
    }
    if !settings.contains(where: { $0.name == "name" && $0.value != .none }) {
      do {
        _ = try DomainKey.checkedName(baseName)
      } catch {
        throw ConfigurationError("name: there is none, and the file's name cannot be one: \(error)", at: .wholeFile(file))
      }
    }
    func location(of key: String) -> ConfigurationLocation { settings.last { $0.name == key }?.location ?? .wholeFile(file) }
    do {
      try draft.finish()
    } catch {
      throw ConfigurationError("\(error.key): \(error.text)", at: location(of: error.key))
    }
    for warning in draft.warnings {
      warnings.append(ConfigurationNote(key: warning.key, location: location(of: warning.key), message: warning.text))
    }
    configuration = draft.configuration
  }

  /// Who reads more of them? And a hostile file could have a hundred thousand.
  private static let mostWarnings = 100

  /// A variable that the script uses itself is nobody's misspelling.
  private mutating func warn(unknown setting: ConfigurationScript.Setting) {
    guard !setting.isUsed, !setting.name.hasPrefix("_"), warnings.count < Self.mostWarnings else { return }
    let nearest = DomainKey.all.keys.map { (distance: Self.distance($0, setting.name), name: $0) }.min { $0 < $1 }
    let hint = nearest.map { $0.distance <= 2 && $0.distance < setting.name.utf8.count / 2 ? "; is it \($0.name)?" : "" } ?? ""
    warnings.append(
      ConfigurationNote(
        key: ConfigurationError.printable(setting.name), location: setting.location, message: "not a known key" + hint))
  }

  /// How many letters must change (Levenshtein).
  private static func distance(_ first: String, _ second: String) -> Int {
    let second = Array(second.utf8.prefix(40))
    var row = Array(0...second.count)
    for (line, letter) in first.utf8.prefix(40).enumerated() {
      var diagonal = row[0]
      row[0] = line + 1
      for column in second.indices {
        let changed = diagonal + (letter == second[column] ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(changed, row[column] + 1, diagonal + 1)
      }
    }
    return row[second.count]
  }
}
