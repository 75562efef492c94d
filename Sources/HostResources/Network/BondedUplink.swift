#if canImport(Glibc)
  import Glibc
#endif

/// One or more uplinks of a bridge, of which one is in use (the "active-backup" of Linux's bonding driver). Their links are looked at ten
/// times a second; when that of the one in use is gone, the next that has one takes over. The bridge then forgets who was behind the
/// old one, and everybody on the bridge is announced over the new one, so that the switches outside forget as well.
public final class BondedUplink: OutsideSource {
  private let bridge: SoftwareBridge
  private let uplinks: [any Uplink]
  /// Owns its sources.
  private weak var world: OutsideWorld?
  private var port = 0
  private var indices: [Int?] = []
  /// Nanoseconds of the host's clock.
  private let clock: () -> UInt64
  private var nextLook: UInt64 = 0

  /// The one in use; nil: none has a link.
  public private(set) var active: Int?
  public private(set) var failovers = 0
  public private(set) var statistics = NetworkStatistics()
  /// Told of each change, in words.
  public var changed: ((String) -> Void)?

  /// Nanoseconds between looks at the links.
  public static let lookInterval: UInt64 = 100_000_000
  private static let batch = 64

  /// `clock`: nanoseconds of the host's clock; for tests.
  public init(
    _ bridge: SoftwareBridge, _ uplinks: [any Uplink], world: OutsideWorld, clock: (() -> UInt64)? = nil
  ) throws(NetworkError) {
    self.bridge = bridge
    self.uplinks = uplinks
    self.world = world
    self.clock = clock ?? Self.hostClock
    do { port = try bridge.connectLink { [unowned self] in send($0) } } catch { throw NetworkError("\(error)") }
    look()
    failovers = 0
    world.add(self)
  }

  deinit { bridge.disconnect(port) }

  private static func hostClock() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  // MARK: Links

  private func look() {
    nextLook = clock() &+ Self.lookInterval
    if let active, uplinks[active].hasLink { return }
    use(uplinks.firstIndex { $0.hasLink })
  }

  private func use(_ next: Int?) {
    guard next != active else { return }
    let old = active
    active = next
    bridge.forget(port: port)
    let name = old.map { uplinks[$0].name }
    guard let next else {
      changed?("bridge \(bridge.name): \(name ?? "") has no link any more, and there is no other uplink")
      return
    }
    failovers += 1
    changed?("bridge \(bridge.name): \(name.map { "\($0) has no link any more; " } ?? "")\(uplinks[next].name) is in use")
    for station in bridge.stations { _ = uplinks[next].send(Self.announcement(of: station)) }
  }

  /// A frame that says nothing but where its sender is: a request of RARP (RFC 903), as hypervisors send it after a migration.
  static func announcement(of station: MACAddress) -> [UInt8] {
    let header = MACAddress.broadcast.bytes + station.bytes + [0x80, 0x35]
    // Ethernet, IPv4, their lengths, request; both hardware addresses are the station's.
    let request = [0, 1, 8, 0, 6, 4, 0, 3] + station.bytes + [0, 0, 0, 0] + station.bytes + [0, 0, 0, 0]
    return header + request + [UInt8](repeating: 0, count: 60 - header.count - request.count)
  }

  // MARK: Frames

  private func send(_ frame: [UInt8]) {
    statistics.countSent(frame)
    if let active, uplinks[active].send(frame) {
      world?.expectsAnswer?()
      return
    }
    // An uplink that takes nothing may have lost its link since the last look.
    look()
    guard let active, uplinks[active].send(frame) else {
      statistics.sendDrops &+= 1
      return
    }
    world?.expectsAnswer?()
  }

  public var mayDeliver: Bool { true }

  public func prepare(_ set: inout PollSet) {
    let time = clock()
    set.limit(UInt32(truncatingIfNeeded: (max(nextLook, time) - time) / 1_000_000 + 1))
    let hasRoom = bridge.hasRoom
    indices = uplinks.indices.map { n in
      guard hasRoom || n != active, uplinks[n].hasLink || n == active else { return nil }
      return uplinks[n].descriptor.map { set.add($0, .input) }
    }
  }

  public func collect(_ set: PollSet) -> Bool {
    if clock() >= nextLook { look() }
    var received = false
    for (n, index) in indices.enumerated() {
      guard let index, set.events(index).contains(.input) else { continue }
      received = take(from: n) || received
    }
    return received
  }

  /// What comes over one that is not in use is a copy of what comes over the other.
  func take(from n: Int) -> Bool {
    var taken = 0
    while taken < Self.batch, n != active || bridge.hasRoom, let frame = uplinks[n].receive() {
      taken += 1
      guard n == active else { continue }
      statistics.countReceived(frame)
      bridge.receive(frame, fromLink: port, time: world?.time ?? 0)
    }
    return taken > 0 && n == active
  }
}
