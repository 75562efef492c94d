#if canImport(Glibc)
  import Glibc
#endif

/// A TAP device of the host: the guest is on the host's own networks, or on whatever the host's administrator bridges it to.
public final class TAPDevice: QueuedPort, OutsideSource {
  public let name: String
  private let descriptor: Int32
  /// Owns its sources.
  private weak var world: OutsideWorld?
  private var buffer = [UInt8](repeating: 0, count: 65536)

  /// Linux's if_tun.h: _IOW('T', 202, int), and the flags that go with it.
  private static let setInterface: UInt = 0x4004_54CA
  private static let tap: UInt16 = 0x0002
  private static let noPacketInformation: UInt16 = 0x1000
  /// IFNAMSIZ with the zero at the end.
  private static let nameSize = 16
  /// Frames taken in one go: a flood must not keep the guest from running.
  private static let batch = 64

  /// Attaches to a device, or makes it, which needs rights.
  public init(name: String, world: OutsideWorld) throws(NetworkError) {
    self.name = name
    self.world = world
    descriptor = try Self.open(name)
    super.init()
    world.add(self)
  }

  /// A descriptor on which each read and each write is a frame.
  static func open(_ name: String) throws(NetworkError) -> Int32 {
    guard (1..<nameSize).contains(name.utf8.count), !name.contains("/"), !name.contains(" ") else {
      throw NetworkError("\"\(name)\" cannot be the name of a TAP device: 1 to 15 characters")
    }
    let file = Glibc.open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { throw NetworkError("cannot use TAP device \(name): /dev/net/tun", errno: errno) }
    // struct ifreq: the name, then the flags.
    var request = [UInt8](repeating: 0, count: 40)
    for (n, byte) in name.utf8.enumerated() { request[n] = byte }
    let flags = tap | noPacketInformation
    request[nameSize] = UInt8(truncatingIfNeeded: flags)
    request[nameSize + 1] = UInt8(flags >> 8)
    let result = request.withUnsafeMutableBytes { bytes -> Int32 in
      guard let base = bytes.baseAddress else { return -1 }
      return ioctl(file, setInterface, base)
    }
    if result != 0 {
      let code = errno
      close(file)
      let advice =
        code == EPERM
        ? "; a device of your own: ip tuntap add \(name) mode tap user $USER" : code == EBUSY ? "; another program has it" : ""
      throw NetworkError("cannot use TAP device \(name): \(String(cString: strerror(code)))\(advice)")
    }
    return file
  }

  deinit { close(descriptor) }

  override func transmit(_ frame: [UInt8]) {
    // A device that is down, or whose queue is full, drops what it is sent.
    if write(descriptor, frame, frame.count) != frame.count { statistics.sendDrops &+= 1 }
    world?.expectsAnswer?()
  }

  public var mayDeliver: Bool { true }
  private var index: Int?

  public func prepare(_ set: inout PollSet) { index = hasRoom ? set.add(descriptor, .input) : nil }

  public func collect(_ set: PollSet) -> Bool {
    guard let index, set.events(index).contains(.input) else { return false }
    var taken = 0
    while taken < Self.batch && hasRoom {
      let count = read(descriptor, &buffer, buffer.count)
      if count <= 0 { break }
      deliver(Array(buffer[0..<count]))
      taken += 1
    }
    return taken > 0
  }
}
