/// What `--nic` says about a network adapter.
public struct NICSpecification: Sendable, Equatable {
  public enum Connection: Sendable, Equatable {
    case none
    case user(UserNetwork.Options)
    /// `isShared`: with the bridges of the same name in the user's other processes; nil: if this is the only adapter on it here.
    case bridge(name: String, isShared: Bool?)
    case tap(name: String)
  }
  public enum Model: String, Sendable, Equatable, CaseIterable { case e1000, virtio, netfront }

  public struct Failure: Error, Equatable, CustomStringConvertible {
    public let description: String
  }

  public var connection: Connection
  public var model = Model.e1000
  /// A physical adapter, which the guest of a domain has for itself.
  public var isDirect = false
  /// Of a virtio device.
  public var interface: VirtioInterface?
  /// Nil: one is made up.
  public var address: MACAddress?
  /// File for captured frames.
  public var capture: String?

  public init(_ connection: Connection) { self.connection = connection }

  /// Parses `user`, `bridge=lan,mac=52:54:00:12:34:56`, and so on.
  public init(parsing text: String) throws(Failure) {
    var words = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let first = Self.split(words.removeFirst())
    switch (first.key, first.value) {
    case ("none", nil): connection = .none
    case ("user", nil): connection = .user(UserNetwork.Options())
    case ("bridge", let name?): connection = .bridge(name: try Self.bridgeName(name), isShared: nil)
    case ("tap", let name?) where !name.isEmpty: connection = .tap(name: name)
    case ("bridge", nil), ("tap", _): throw Failure(description: "\(first.key) needs a name: \(first.key)=NAME")
    default: throw Failure(description: "\"\(text)\" is not none, user, bridge=NAME or tap=NAME")
    }
    var seen: Set<String> = []
    for word in words {
      let (key, value) = Self.split(word)
      guard seen.insert(key).inserted || key == "hostfwd" else { throw Failure(description: "\(key) is given twice") }
      guard let value, !value.isEmpty else { throw Failure(description: "\"\(word)\" is not of the form OPTION=VALUE") }
      try set(key, value)
    }
    if connection == .none && !words.isEmpty { throw Failure(description: "none takes no options") }
    if isDirect && model != .e1000 { throw Failure(description: "direct is for model=e1000") }
    if interface != nil && model != .virtio { throw Failure(description: "transport is for model=virtio") }
  }

  private static func split(_ word: String) -> (key: String, value: String?) {
    guard let equals = word.firstIndex(of: "=") else { return (word, nil) }
    return (String(word[..<equals]), String(word[word.index(after: equals)...]))
  }

  /// The name is part of a path.
  static func bridgeName(_ name: String) throws(Failure) -> String {
    func allowed(_ c: Character) -> Bool { c.isASCII && (c.isLetter || c.isNumber || c == "-" || c == "_" || c == ".") }
    guard (1...32).contains(name.count), name.allSatisfy(allowed), name.first != "." else {
      throw Failure(description: "\"\(name)\" cannot be the name of a bridge: up to 32 letters, digits, and . _ -")
    }
    return name
  }

  private static func flag(_ key: String, _ value: String) throws(Failure) -> Bool {
    switch value {
    case "on", "yes": return true
    case "off", "no": return false
    default: throw Failure(description: "\(key) is on or off, not \"\(value)\"")
    }
  }

  private mutating func set(_ key: String, _ value: String) throws(Failure) {
    switch (key, connection) {
    case ("model", _):
      guard let model = Model(rawValue: value) else {
        let known = Model.allCases.map(\.rawValue).joined(separator: ", ")
        throw Failure(description: "there is no model \"\(value)\"; there is \(known)")
      }
      self.model = model
    case ("mac", _):
      guard let address = MACAddress(value) else {
        throw Failure(description: "\"\(value)\" is not an Ethernet address like 52:54:00:12:34:56")
      }
      guard !address.isGroup, address.value != 0 else {
        throw Failure(description: "mac=\(value): an adapter cannot have this address")
      }
      self.address = address
    case ("capture", _): capture = value
    case ("direct", _): isDirect = try Self.flag(key, value)
    case ("transport", _):
      guard let known = VirtioInterface.named(value) else { throw Failure(description: VirtioInterface.choices) }
      interface = known
    case ("hostfwd", .user(var options)):
      guard let forward = PortForward(value) else {
        throw Failure(description: "hostfwd=\(value) is not of the form [tcp|udp]:[HOSTADDRESS]:HOSTPORT-[GUESTADDRESS]:GUESTPORT")
      }
      options.forwards.append(forward)
      connection = .user(options)
    case ("restrict", .user(var options)):
      options.isRestricted = try Self.flag(key, value)
      connection = .user(options)
    case ("net", .user(var options)):
      guard let network = IPv4Network(value) else {
        throw Failure(description: "net=\(value) is not a network like 10.0.2.0/24; its prefix is 8 to 27 bits")
      }
      options.network = network
      connection = .user(options)
    case ("shared", .bridge(let name, _)): connection = .bridge(name: name, isShared: try Self.flag(key, value))
    case ("hostfwd", _), ("restrict", _), ("net", _): throw Failure(description: "\(key) is an option of user")
    case ("shared", _): throw Failure(description: "shared is an option of bridge=NAME")
    default:
      throw Failure(
        description: "\"\(key)\" is not an option: model, mac, capture, direct, transport, hostfwd, restrict, net, shared")
    }
  }
}
