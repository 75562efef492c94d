/// Why XenStore refuses something: the names that go over the wire.
public enum StoreError: String, Error, Equatable, Sendable {
  case invalid = "EINVAL"
  case accessDenied = "EACCES"
  case exists = "EEXIST"
  case noEntry = "ENOENT"
  case noSpace = "ENOSPC"
  case notImplemented = "ENOSYS"
  case busy = "EBUSY"
  case tryAgain = "EAGAIN"
}

/// What one connection may have, with xenstored's defaults (`--entry-nb`, `--entry-size`, `--watch-nb`, `--transaction`; the last is
/// `quota_trans_nodes` of later versions). Domain 0 may have everything.
public struct StoreQuotas: Equatable, Sendable {
  /// Nodes that a domain owns.
  public var nodes = 1000
  public var valueSize = 2048
  public var watches = 128
  public var transactions = 10
  /// Nodes that one transaction changes.
  public var changes = 1024
  public init() {}
}

/// Who may do what with a node: the first entry's domain owns it, and its rights are everybody's that has no entry.
public struct StorePermission: Equatable, Sendable, CustomStringConvertible {
  public enum Rights: Character, Sendable {
    case none = "n"
    case read = "r"
    case write = "w"
    case both = "b"
    var mayRead: Bool { self == .read || self == .both }
    var mayWrite: Bool { self == .write || self == .both }
  }
  public var rights: Rights
  public var domain: UInt16
  public init(_ rights: Rights, _ domain: UInt16) { (self.rights, self.domain) = (rights, domain) }

  /// As on the wire: a letter and a decimal number.
  public init?(_ text: String) {
    guard let rights = text.first.flatMap(Rights.init), let domain: UInt16 = StoreNumber.parse(text.dropFirst()) else { return nil }
    self.init(rights, domain)
  }
  public var description: String { "\(rights.rawValue)\(domain)" }
}

/// Decimal numbers of domains in requests.
enum StoreNumber {
  static func parse<T: FixedWidthInteger>(_ text: some StringProtocol) -> T? {
    // Swift would take a sign.
    guard let first = text.utf8.first, (0x30...0x39).contains(first) else { return nil }
    return T(text)
  }
}
