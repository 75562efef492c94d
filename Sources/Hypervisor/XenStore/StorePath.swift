/// An absolute path of XenStore that is well-formed.
public struct StorePath: Hashable, Sendable, CustomStringConvertible {
  public let description: String

  static let absoluteLimit = 3072
  static let relativeLimit = 2048

  /// Of xenstored: letters, digits, and these; parts are not empty.
  private static func isLegal(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "@"), UInt8(ascii: "/"): true
    default: false
    }
  }

  /// What does not begin with a slash is below the domain's own directory.
  public init(_ text: String, of domain: UInt16 = DomainNumber.host) throws(StoreError) {
    let isRelative = text.utf8.first != UInt8(ascii: "/")
    guard text.utf8.count <= (isRelative ? Self.relativeLimit : Self.absoluteLimit) else { throw .invalid }
    let path = isRelative ? Self.home(of: domain) + "/" + text : text
    guard path.utf8.allSatisfy(Self.isLegal) else { throw .invalid }
    if path != "/" {
      guard !path.hasSuffix("/"), !path.contains("//") else { throw .invalid }
    }
    description = path
  }

  private init(trusted: String) { description = trusted }

  public static func home(of domain: UInt16) -> String { "/local/domain/\(domain)" }

  var parts: [Substring] { description.split(separator: "/") }
  var isRoot: Bool { description == "/" }

  var parent: StorePath {
    guard let slash = description.lastIndex(of: "/"), slash != description.startIndex else { return StorePath(trusted: "/") }
    return StorePath(trusted: String(description[..<slash]))
  }

  /// This path itself, or one below `other`.
  func isWithin(_ other: StorePath) -> Bool {
    let (own, outer) = (description.utf8, other.description.utf8)
    guard !other.isRoot else { return true }
    guard own.starts(with: outer) else { return false }
    return own.count == outer.count || own[own.index(own.startIndex, offsetBy: outer.count)] == UInt8(ascii: "/")
  }
}
