#if canImport(Glibc)
  import Glibc
#endif

/// Joins a bridge with those of the same name in the user's other processes.
///
/// Every process listens on a socket of its own in a folder named after the bridge, and has a connection to each of the others: there
/// is no process in the middle that could end first, and no loop. Sockets are of the kind that keeps messages apart and in order; one
/// message is one frame. This is outside of determinism: when a frame comes depends on the host.
public final class BridgeLinks: OutsideSource {
  private let bridge: SoftwareBridge
  /// Owns its sources.
  private weak var world: OutsideWorld?
  private var listener: Int32 = -1
  private var path = ""
  private var peers: [Peer] = []
  private var listenerIndex: Int?
  private var buffer = [UInt8](repeating: 0, count: largestFrame + 1)
  /// This process's number on the bridge: different from that of all others that are there now.
  public private(set) var number = 0
  /// The folder in which those on this bridge meet.
  let members: String
  var bridgeName: String { bridge.name }

  private static let largestFrame = 16384
  private static let batch = 64
  private static let socketBuffer: Int32 = 4 << 20

  private final class Peer {
    let descriptor: Int32
    let port: Int
    var waiting = FrameQueue()
    var index: Int?
    var isGone = false
    init(descriptor: Int32, port: Int) { (self.descriptor, self.port) = (descriptor, port) }
  }

  /// `folder`: where all bridges of this user are; see ``BridgeFolder``.
  public init(_ bridge: SoftwareBridge, folder: String, world: OutsideWorld) throws(NetworkError) {
    self.bridge = bridge
    self.world = world
    signal(SIGPIPE, SIG_IGN)
    members = folder + "/bridge-" + bridge.name
    try BridgeFolder.create(folder)
    try BridgeFolder.create(members)
    // One joins at a time, so that each pair has one connection.
    let lock = open(members + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0, flock(lock, LOCK_EX) == 0 else { throw NetworkError("cannot join bridge \(bridge.name)", errno: errno) }
    defer { close(lock) }
    var free: (number: Int, path: String)?
    for candidate in 0..<SoftwareBridge.portLimit {
      let path = members + "/\(candidate)"
      if let descriptor = try Self.connect(to: path) {
        try add(descriptor)
      } else if free == nil {
        unlink(path)  // left by a process that was killed
        free = (candidate, path)
      }
    }
    guard let free else { throw NetworkError("bridge \(bridge.name) is full: \(SoftwareBridge.portLimit) processes") }
    number = free.number
    listener = try Self.makeSocket()
    path = free.path
    guard try Self.withAddress(path, { Glibc.bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0 else {
      throw NetworkError("cannot join bridge \(bridge.name)", errno: errno)
    }
    world.add(self)
  }

  deinit {
    if listener >= 0 {
      unlink(path)
      close(listener)
    }
    for peer in peers { close(peer.descriptor) }
  }

  public var peerCount: Int { peers.count }

  // MARK: Sockets

  private static func makeSocket() throws(NetworkError) -> Int32 {
    let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = socket(AF_UNIX, type, 0)
    guard descriptor >= 0 else { throw NetworkError("cannot make a socket", errno: errno) }
    return descriptor
  }

  private static func withAddress(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) throws(NetworkError) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let room = MemoryLayout.size(ofValue: address.sun_path)
    guard path.utf8.count < room else { throw NetworkError("the path \(path) is too long for a socket; set XDG_RUNTIME_DIR") }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }

  /// Nil: nobody listens there.
  private static func connect(to path: String) throws(NetworkError) -> Int32? {
    let descriptor = try makeSocket()
    if try withAddress(path, { Glibc.connect(descriptor, $0, $1) }) == 0 { return descriptor }
    close(descriptor)
    return nil
  }

  private func add(_ descriptor: Int32) throws(NetworkError) {
    var size = Self.socketBuffer
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    do {
      let port = try bridge.connectLink { [unowned self] frame in send(frame, over: descriptor) }
      peers.append(Peer(descriptor: descriptor, port: port))
    } catch {
      close(descriptor)
      throw NetworkError("\(error)")
    }
  }

  // MARK: Frames

  private func send(_ frame: [UInt8], over descriptor: Int32) {
    guard let peer = peers.first(where: { $0.descriptor == descriptor }), !peer.isGone else { return }
    if peer.waiting.isEmpty && transfer(frame, peer) { return }
    // A queue that is full drops, as that of a switch does.
    _ = peer.waiting.append(frame)
    world?.expectsAnswer?()
  }

  /// False: the socket has no room.
  private func transfer(_ frame: [UInt8], _ peer: Peer) -> Bool {
    let count = Glibc.send(peer.descriptor, frame, frame.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
    if count >= 0 { world?.expectsAnswer?() }
    if count >= 0 || errno == EMSGSIZE { return true }
    if errno == EAGAIN || errno == ENOBUFS || errno == EINTR { return false }
    peer.isGone = true
    return true
  }

  public var mayDeliver: Bool { true }

  public func prepare(_ set: inout PollSet) {
    listenerIndex = set.add(listener, .input)
    let room = bridge.hasRoom
    for peer in peers {
      var interest: PollSet.Interest = []
      if room { interest.insert(.input) }
      if !peer.waiting.isEmpty { interest.insert(.output) }
      peer.index = interest.isEmpty ? nil : set.add(peer.descriptor, interest)
    }
  }

  public func collect(_ set: PollSet) -> Bool {
    var received = false
    for peer in peers {
      guard let index = peer.index, !peer.isGone else { continue }
      let events = set.events(index)
      if events.contains(.output) || events.contains(.error) {
        while let frame = peer.waiting.first, transfer(frame, peer) { _ = peer.waiting.removeFirst() }
      }
      if events.contains(.input) || events.contains(.hangUp) { received = receive(from: peer) || received }
    }
    if let listenerIndex, set.events(listenerIndex).contains(.input) {
      while case let descriptor = accept(listener, nil, nil), descriptor >= 0 {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        // A bridge without a free port turns the newcomer away.
        try? add(descriptor)
      }
    }
    for peer in peers where peer.isGone {
      bridge.disconnect(peer.port)
      close(peer.descriptor)
    }
    peers.removeAll { $0.isGone }
    return received
  }

  private func receive(from peer: Peer) -> Bool {
    var taken = 0
    while taken < Self.batch && bridge.hasRoom {
      let count = recv(peer.descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { peer.isGone = true }
      if count <= 0 { break }
      taken += 1
      if count > Self.largestFrame { continue }
      bridge.receive(Array(buffer[0..<count]), fromLink: peer.port, time: world?.time ?? 0)
    }
    return taken > 0
  }
}

/// Where processes of one user find each other: a folder that nobody else may write to.
public enum BridgeFolder {
  /// `$XDG_RUNTIME_DIR/epicure`, or `/tmp/epicure-UID`.
  public static var standard: String {
    if let runtime = getenv("XDG_RUNTIME_DIR"), runtime.pointee != 0 { return String(cString: runtime) + "/epicure" }
    return "/tmp/epicure-\(geteuid())"
  }

  /// Somebody else's folder in `/tmp` would be somebody else's network.
  static func create(_ path: String) throws(NetworkError) {
    if mkdir(path, 0o700) != 0 && errno != EEXIST { throw NetworkError("cannot make the folder \(path)", errno: errno) }
    var information = stat()
    guard lstat(path, &information) == 0 else { throw NetworkError("cannot use the folder \(path)", errno: errno) }
    guard information.st_mode & S_IFMT == S_IFDIR, information.st_uid == geteuid(), information.st_mode & 0o022 == 0 else {
      throw NetworkError("the folder \(path) must be yours, and writable for nobody else")
    }
  }
}
