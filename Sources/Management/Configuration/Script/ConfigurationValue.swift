/// A value of a configuration script: what Python's literals can say.
public enum ConfigurationValue: Sendable, Equatable {
  case none
  case boolean(Bool)
  /// Wide enough for a 64-bit mask. Python's own integers have no limit; what does not fit is an error.
  case integer(Int128)
  case float(Double)
  case string(String)
  case list([ConfigurationValue])
  case tuple([ConfigurationValue])
  case dictionary([Entry])

  /// A dictionary keeps the order of its file; there are never two entries with equal keys.
  public struct Entry: Sendable, Equatable {
    public var key: ConfigurationValue
    public var value: ConfigurationValue

    public init(key: ConfigurationValue, value: ConfigurationValue) { (self.key, self.value) = (key, value) }
  }

  /// What Python's `if` makes of it.
  public var isTrue: Bool {
    switch self {
    case .none: false
    case .boolean(let value): value
    case .integer(let value): value != 0
    case .float(let value): value != 0
    case .string(let text): !text.isEmpty
    case .list(let elements), .tuple(let elements): !elements.isEmpty
    case .dictionary(let entries): !entries.isEmpty
    }
  }

  /// The value as a number; truth values count as 0 and 1, as in Python.
  var number: Number? {
    switch self {
    case .boolean(let value): .integer(value ? 1 : 0)
    case .integer(let value): .integer(value)
    case .float(let value): .float(value)
    default: nil
    }
  }

  enum Number {
    case integer(Int128)
    case float(Double)

    var asDouble: Double {
      switch self {
      case .integer(let value): Double(value)
      case .float(let value): value
      }
    }

    /// Negative, zero or positive, exactly; nil with a NaN.
    func order(_ other: Number) -> Int? {
      switch (self, other) {
      case (.integer(let a), .integer(let b)): a < b ? -1 : a > b ? 1 : 0
      case (.float(let a), .float(let b)): a < b ? -1 : a > b ? 1 : a == b ? 0 : nil
      case (.integer(let a), .float(let b)): Self.order(a, b)
      case (.float(let a), .integer(let b)): Self.order(b, a).map { -$0 }
      }
    }

    /// A large integer would lose digits as a `Double`; the `Double`'s whole part loses none as an integer.
    private static func order(_ integer: Int128, _ float: Double) -> Int? {
      guard !float.isNaN else { return nil }
      guard abs(float) < 0x1p127 else { return float < 0 ? 1 : -1 }
      let whole = Int128(float.rounded(.down))
      return integer < whole ? -1 : integer > whole ? 1 : float > float.rounded(.down) ? -1 : 0
    }
  }

  /// With an article, for messages.
  var kind: String {
    switch self {
    case .none: "None"
    case .boolean: "a truth value"
    case .integer: "an integer"
    case .float: "a fractional number"
    case .string: "a string"
    case .list: "a list"
    case .tuple: "a tuple"
    case .dictionary: "a dictionary"
    }
  }

  /// For messages: the kind, and the value if it is short.
  var mention: String {
    switch self {
    case .none: "None"
    case .boolean, .integer, .float: PythonText.of(self) ?? kind
    case .string(let text):
      text.utf8.count <= 60 ? "'\(ConfigurationError.printable(text))'" : "a string of \(text.utf8.count) bytes"
    case .list, .tuple, .dictionary: kind
    }
  }

  /// Whether there is a dictionary in it.
  var hasDictionary: Bool {
    switch self {
    case .dictionary: true
    case .list(let elements), .tuple(let elements): elements.contains { $0.hasDictionary }
    default: false
    }
  }

  /// Python's `==`, except of dictionaries: numbers are compared by value, whatever their kind.
  func equals(_ other: ConfigurationValue) -> Bool {
    if let number, let otherNumber = other.number { return number.order(otherNumber) == 0 }
    switch (self, other) {
    case (.none, .none): return true
    case (.string(let a), .string(let b)): return a.utf8.elementsEqual(b.utf8)
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)): return a.elementsEqual(b) { $0.equals($1) }
    default: return false
    }
  }
}
