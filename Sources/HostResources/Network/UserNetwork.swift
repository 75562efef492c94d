import CSlirp

#if canImport(Glibc)
  import Glibc
#endif

/// A network in user mode: libslirp answers the guest's ARP and DHCP, and turns its connections into sockets of this process. Needs no
/// rights. The host is the network's address .2, a name server .3, the guest .15.
public final class UserNetwork: QueuedPort, OutsideSource {
  public struct Options: Sendable, Equatable {
    public var network = IPv4Network.userDefault
    /// The guest reaches nothing but what is forwarded to it.
    public var isRestricted = false
    public var forwards: [PortForward] = []
    public init() {}
  }

  private let options: Options
  /// Owns its sources.
  private weak var world: OutsideWorld?
  private var slirp: OpaquePointer?
  private let callbacks = UnsafeMutablePointer<SlirpCb>.allocate(capacity: 1)
  /// Descriptors that libslirp asked to be polled, and where they are in the set.
  private var wanted: [(descriptor: Int32, events: Int32)] = []
  private var indices: [Int] = []
  private var found: PollSet?
  private var delivered: UInt64 = 0
  /// The guest has sent something since libslirp was last asked for its descriptors.
  private var maySpeak = false
  /// Messages about what the guest did wrong.
  public private(set) var guestErrors: UInt64 = 0

  /// Longer frames are not Ethernet, and not for libslirp.
  private static let largestFrame = 1514

  public init(_ options: Options, world: OutsideWorld) throws(NetworkError) {
    self.options = options
    self.world = world
    super.init()
    // A peer that goes away is an error code, not the end.
    signal(SIGPIPE, SIG_IGN)
    callbacks.initialize(to: Self.makeCallbacks())
    var configuration = SlirpConfig()
    configuration.version = 4
    configuration.restricted = options.isRestricted ? 1 : 0
    configuration.in_enabled = true
    configuration.vnetwork = in_addr(s_addr: options.network.address.bigEndian)
    configuration.vnetmask = in_addr(s_addr: options.network.mask.bigEndian)
    configuration.vhost = in_addr(s_addr: options.network.host(2).bigEndian)
    configuration.vnameserver = in_addr(s_addr: options.network.host(3).bigEndian)
    configuration.vdhcp_start = in_addr(s_addr: options.network.host(15).bigEndian)
    slirp = lazy_slirp_new(&configuration, callbacks, Unmanaged.passUnretained(self).toOpaque())
    guard slirp != nil else { throw NetworkError("libslirp.so.0 cannot be loaded (Debian package libslirp0), or refuses to start") }
    for forward in options.forwards {
      let failed = lazy_slirp_add_hostfwd(
        slirp, forward.isUDP ? 1 : 0, in_addr(s_addr: forward.hostAddress.bigEndian), Int32(forward.hostPort),
        in_addr(s_addr: forward.guestAddress.bigEndian), Int32(forward.guestPort))
      if failed != 0 { throw NetworkError("cannot listen on host port \(forward.hostPort)", errno: errno) }
    }
    world.add(self)
  }

  deinit {
    if let slirp { lazy_slirp_cleanup(slirp) }
    callbacks.deinitialize(count: 1)
    callbacks.deallocate()
  }

  // MARK: From the guest

  override func transmit(_ frame: [UInt8]) {
    guard frame.count <= Self.largestFrame else {
      statistics.sendDrops &+= 1
      return
    }
    maySpeak = true
    frame.withUnsafeBufferPointer { lazy_slirp_input(slirp, $0.baseAddress, Int32($0.count)) }
    world?.expectsAnswer?()
  }

  // MARK: From outside

  /// Without an open socket libslirp answers at once or not at all.
  public var mayDeliver: Bool { !options.forwards.isEmpty || maySpeak || !wanted.isEmpty }

  public func prepare(_ set: inout PollSet) {
    wanted.removeAll(keepingCapacity: true)
    indices.removeAll(keepingCapacity: true)
    maySpeak = false
    var timeout = set.timeout ?? .max
    lazy_slirp_pollfds_fill(
      slirp, &timeout,
      { descriptor, events, opaque in
        guard let opaque else { return -1 }
        let network = Unmanaged<UserNetwork>.fromOpaque(opaque).takeUnretainedValue()
        network.wanted.append((descriptor, events))
        return Int32(network.wanted.count - 1)
      }, Unmanaged.passUnretained(self).toOpaque())
    if timeout != .max && !wanted.isEmpty { set.limit(timeout) }
    for (descriptor, events) in wanted {
      var interest: PollSet.Interest = []
      if events & Int32(SLIRP_POLL_IN) != 0 { interest.insert(.input) }
      if events & Int32(SLIRP_POLL_OUT) != 0 { interest.insert(.output) }
      if events & Int32(SLIRP_POLL_PRI) != 0 { interest.insert(.priority) }
      indices.append(set.add(descriptor, interest))
    }
  }

  public func collect(_ set: PollSet) -> Bool {
    let before = delivered
    found = set
    lazy_slirp_pollfds_poll(
      slirp, 0,
      { index, opaque in
        guard let opaque else { return 0 }
        return Unmanaged<UserNetwork>.fromOpaque(opaque).takeUnretainedValue().events(Int(index))
      }, Unmanaged.passUnretained(self).toOpaque())
    found = nil
    return delivered != before
  }

  private func events(_ index: Int) -> Int32 {
    guard indices.indices.contains(index), let events = found?.events(indices[index]) else { return 0 }
    var result = 0
    if events.contains(.input) { result |= SLIRP_POLL_IN }
    if events.contains(.output) { result |= SLIRP_POLL_OUT }
    if events.contains(.priority) { result |= SLIRP_POLL_PRI }
    if events.contains(.error) { result |= SLIRP_POLL_ERR }
    if events.contains(.hangUp) { result |= SLIRP_POLL_HUP }
    return Int32(result)
  }

  private func accept(_ frame: [UInt8]) {
    delivered &+= 1
    deliver(frame)
  }

  private static func makeCallbacks() -> SlirpCb {
    var callbacks = SlirpCb()
    callbacks.send_packet = { bytes, count, opaque in
      guard let bytes, let opaque else { return -1 }
      let network = Unmanaged<UserNetwork>.fromOpaque(opaque).takeUnretainedValue()
      network.accept([UInt8](UnsafeRawBufferPointer(start: bytes, count: count)))
      return count
    }
    callbacks.guest_error = { _, opaque in
      guard let opaque else { return }
      Unmanaged<UserNetwork>.fromOpaque(opaque).takeUnretainedValue().guestErrors &+= 1
    }
    // Time-outs are the guest's time: a guest that runs slower than the host must not see retransmissions.
    callbacks.clock_get_ns = { opaque in
      guard let opaque else { return 0 }
      return Int64(clamping: Unmanaged<UserNetwork>.fromOpaque(opaque).takeUnretainedValue().world?.time ?? 0)
    }
    // Timers are for router advertisements, and there is no IPv6 here.
    callbacks.timer_new_opaque = { _, _, _ in nil }
    callbacks.timer_free = { _, _ in }
    callbacks.timer_mod = { _, _, _ in }
    callbacks.register_poll_fd = { _, _ in }
    callbacks.unregister_poll_fd = { _, _ in }
    callbacks.notify = { _ in }
    return callbacks
  }
}
