/// The six letters of `xm list`: any number of them at once.
public struct DomainState: OptionSet, Sendable, Hashable, Codable, CustomStringConvertible {
  public var rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }

  public static let running = DomainState(rawValue: 1)
  public static let blocked = DomainState(rawValue: 2)
  public static let paused = DomainState(rawValue: 4)
  public static let shutdown = DomainState(rawValue: 8)
  public static let crashed = DomainState(rawValue: 16)
  public static let dying = DomainState(rawValue: 32)

  private static let letters = Array("rbpscd")

  /// `r-----`
  public var description: String {
    String(Self.letters.indices.map { contains(DomainState(rawValue: 1 << $0)) ? Self.letters[$0] : "-" })
  }

  /// In JSON it is its letters.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = Array(try container.decode(String.self))
    guard text.count == Self.letters.count, zip(text, Self.letters).allSatisfy({ $0 == $1 || $0 == "-" }) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected a state like r-----")
    }
    rawValue = text.indices.reduce(0) { $0 | (text[$1] == "-" ? 0 : 1 << $1) }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
