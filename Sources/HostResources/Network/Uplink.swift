#if canImport(Glibc)
  import Glibc
#endif

/// A way from a bridge to a network of the host.
public protocol Uplink: AnyObject {
  var name: String { get }
  /// There is a network at the other end.
  var hasLink: Bool { get }
  /// False: the frame did not get out.
  func send(_ frame: [UInt8]) -> Bool
  /// The next frame that has come; nil: none.
  func receive() -> [UInt8]?
  /// What to wait for; nil: it has nothing of the kind.
  var descriptor: Int32? { get }
}

/// A network interface of the host: a TAP device, which the host sees as an interface of its own, or any other, on which frames are sent and
/// received beside the host's.
public final class InterfaceUplink: Uplink {
  public let name: String
  public let descriptor: Int32?
  private let file: Int32
  private var buffer = [UInt8](repeating: 0, count: 65536)

  // Linux's if_packet.h.
  private static let solPacket: Int32 = 263
  private static let addMembership: Int32 = 1
  private static let ignoreOutgoing: Int32 = 23
  private static let promiscuous: UInt16 = 1
  /// ETH_P_ALL, in network byte order.
  private static let allProtocols = UInt16(0x0003).bigEndian

  /// A TAP device must be the user's; other interfaces take CAP_NET_RAW.
  public init(name: String) throws(NetworkError) {
    self.name = name
    guard !name.isEmpty, !name.contains("/"), name != ".", name != "..", access("/sys/class/net/\(name)", F_OK) == 0 else {
      throw NetworkError("uplink \(name): the host has no network interface of this name")
    }
    let isTAP = access("/sys/class/net/\(name)/tun_flags", F_OK) == 0
    file = isTAP ? try TAPDevice.open(name) : try Self.packetSocket(name)
    descriptor = file
  }

  deinit { close(file) }

  private static func packetSocket(_ name: String) throws(NetworkError) -> Int32 {
    let type = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let file = socket(AF_PACKET, type, 0)
    guard file >= 0 else {
      throw NetworkError("uplink \(name): frames on an interface of the host take the right CAP_NET_RAW", errno: errno)
    }
    let index = if_nametoindex(name)
    var on: Int32 = 1
    // struct packet_mreq: index, type, length and room for an address.
    var membership = [UInt8](repeating: 0, count: 16)
    membership.setLittleEndian(0, index)
    membership.setLittleEndian(4, promiscuous)
    // What the host itself sends is not for the bridge. Older kernels do not know this.
    setsockopt(file, solPacket, ignoreOutgoing, &on, socklen_t(MemoryLayout<Int32>.size))
    // struct sockaddr_ll: family, protocol, index; the rest is for receiving.
    var address = [UInt8](repeating: 0, count: 20)
    address.setLittleEndian(0, UInt16(AF_PACKET))
    address.setLittleEndian(2, allProtocols)
    address.setLittleEndian(4, index)
    let bound = address.withUnsafeBytes { bytes -> Int32 in
      guard let base = bytes.baseAddress else { return -1 }
      return bind(file, base.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
    }
    guard index != 0, bound == 0, setsockopt(file, solPacket, addMembership, &membership, 16) == 0 else {
      let code = errno
      close(file)
      throw NetworkError("uplink \(name)", errno: code)
    }
    return file
  }

  /// The kernel's word: a cable with somebody at the other end. An interface that is down, or gone, has no carrier to read.
  public var hasLink: Bool {
    let status = open("/sys/class/net/\(name)/carrier", O_RDONLY | O_CLOEXEC)
    guard status >= 0 else { return false }
    defer { close(status) }
    var digit: UInt8 = 0
    return read(status, &digit, 1) == 1 && digit == UInt8(ascii: "1")
  }

  public func send(_ frame: [UInt8]) -> Bool { write(file, frame, frame.count) == frame.count }

  public func receive() -> [UInt8]? {
    let count = read(file, &buffer, buffer.count)
    return count > 0 ? Array(buffer[0..<count]) : nil
  }
}
