#if canImport(Glibc)
  import Glibc
#endif

/// IPv4 addresses are numbers in the host's byte order here.
enum IPv4 {
  /// `10.0.2.15`; nil for anything else.
  static func parse(_ text: some StringProtocol) -> UInt32? {
    var address = in_addr()
    return inet_pton(AF_INET, String(text), &address) == 1 ? UInt32(bigEndian: address.s_addr) : nil
  }
}

/// `10.0.2.0/24`
public struct IPv4Network: Sendable, Equatable {
  public let address: UInt32
  public let prefix: UInt32

  public static let userDefault = IPv4Network(address: 0x0A00_0200, prefix: 24)

  private init(address: UInt32, prefix: UInt32) { (self.address, self.prefix) = (address, prefix) }

  /// Nil: not a network in which addresses .2, .3 and .15 exist.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let address = IPv4.parse(parts[0]) else { return nil }
    let prefix = parts.count == 2 ? UInt32(parts[1]) : 24
    guard let prefix, (8...27).contains(prefix) else { return nil }
    self.prefix = prefix
    self.address = address & (UInt32.max << (32 - prefix))
  }

  public var mask: UInt32 { UInt32.max << (32 - prefix) }
  public func host(_ number: UInt32) -> UInt32 { address | number }
}

/// A port of the host whose connections go to the guest: `tcp::2222-:22`, as QEMU writes it.
public struct PortForward: Sendable, Equatable {
  public let isUDP: Bool
  /// 0: all of the host's addresses.
  public let hostAddress: UInt32
  public let hostPort: UInt16
  /// 0: the address that DHCP gives the guest.
  public let guestAddress: UInt32
  public let guestPort: UInt16

  /// Nil: not of the form `[tcp|udp]:[HOSTADDRESS]:HOSTPORT-[GUESTADDRESS]:GUESTPORT`.
  public init?(_ text: some StringProtocol) {
    let halves = text.split(separator: "-", omittingEmptySubsequences: false)
    guard halves.count == 2 else { return nil }
    let host = halves[0].split(separator: ":", omittingEmptySubsequences: false)
    let guest = halves[1].split(separator: ":", omittingEmptySubsequences: false)
    guard host.count == 3, guest.count == 2, ["", "tcp", "udp"].contains(host[0]) else { return nil }
    guard let hostAddress = host[1].isEmpty ? 0 : IPv4.parse(host[1]), let hostPort = UInt16(host[2]), hostPort > 0,
      let guestAddress = guest[0].isEmpty ? 0 : IPv4.parse(guest[0]), let guestPort = UInt16(guest[1]), guestPort > 0
    else { return nil }
    isUDP = host[0] == "udp"
    self.hostAddress = hostAddress
    self.hostPort = hostPort
    self.guestAddress = guestAddress
    self.guestPort = guestPort
  }
}
