/// Why a configuration cannot be used: one line.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
  public var location: ConfigurationLocation
  public var message: String

  public init(_ message: String, at location: ConfigurationLocation) {
    self.location = location
    self.message = Self.printable(message.unicodeScalars.count > Self.longest ? message.prefix(Self.longest) + " ..." : message)
  }

  public var description: String { "\(location): \(message)" }

  /// Messages quote what they refuse, and that may be a megabyte.
  private static let longest = 500

  /// Without what a hostile file could send to the terminal: control characters, line separators, changes of direction.
  static func printable(_ text: some StringProtocol) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: result.append("\u{FFFD}")
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}

/// Where something in a configuration was written.
public enum ConfigurationLocation: Sendable, Hashable, CustomStringConvertible {
  case file(String, line: Int)
  /// A file as a whole.
  case wholeFile(String)
  /// `name=value` among the arguments.
  case commandLine

  public var description: String {
    switch self {
    case .file(let name, let line): "\(ConfigurationError.printable(name)):\(line)"
    case .wholeFile(let name): ConfigurationError.printable(name)
    case .commandLine: "command line"
    }
  }
}

/// Something that a user should hear, and that does not stop a domain.
public struct ConfigurationNote: Sendable, Equatable, CustomStringConvertible {
  public var key: String
  public var location: ConfigurationLocation
  public var message: String
  /// False for an ignored key that asks for nothing: 0, '' or None.
  public var isRelevant = true

  public var description: String { "\(location): \(key): \(message)" }
}
