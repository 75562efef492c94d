#if canImport(Glibc)
  import Glibc
#endif

/// Shows a screen to VNC clients. Polled from the run loop like everything outside; the picture is looked at 25 times a second while
/// somebody watches, and not at all otherwise.
public final class VNCServer: OutsideSource {
  private let source: any FrameBufferSource
  private let name: String
  private let password: String?
  private var listener: Int32
  private var listenerIndex: Int?
  private var connections: [(connection: RFBConnection, since: UInt64, index: Int?)] = []
  private var nextRefresh: UInt64 = 0
  private let keys = VNCKeys()

  /// Port 5900 is display 0.
  public let display: Int
  public static let firstPort = 5900
  /// A key of a keyboard, as Linux numbers them (its input-event-codes.h).
  public var keyChanged: ((_ code: UInt16, _ isDown: Bool) -> Void)?
  /// A place on the screen, and the buttons that are down: bit 0 is the left one, bits 3 and 4 are the wheel.
  public var pointerMoved: ((_ x: Int, _ y: Int, _ buttons: UInt8) -> Void)?

  private static let clientLimit = 8
  /// Who has not been let in after ten seconds is not going to be.
  private static let patience: UInt64 = 10_000_000_000
  private static let refreshInterval: UInt64 = 40_000_000

  /// Throws if the address is not to be had; without a display the first free one is taken.
  public init(
    _ source: any FrameBufferSource, name: String, at address: VNCAddress, password: String? = nil, world: OutsideWorld
  ) throws(NetworkError) {
    (self.source, self.name, self.password) = (source, name, password)
    (listener, display) = try address.listen()
    source.changed = { [unowned self] part in connections.forEach { $0.connection.pictureChanged(part) } }
    world.add(self)
  }

  deinit {
    source.changed = nil
    close(listener)
  }

  public var clientCount: Int { connections.count { $0.connection.isReady } }

  // MARK: The world outside

  /// Somebody sits in front of the screen.
  public var mayDeliver: Bool { clientCount > 0 }

  private static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  public func prepare(_ set: inout PollSet) {
    listenerIndex = set.add(listener, .input)
    for n in connections.indices {
      let connection = connections[n].connection
      connections[n].index = set.add(connection.descriptor, connection.wantsToSend ? [.input, .output] : .input)
    }
    if !connections.isEmpty { set.limit(UInt32(Self.refreshInterval / 1_000_000)) }
  }

  public func collect(_ set: PollSet) -> Bool {
    let now = Self.now
    var keyOrPointer = false
    for (connection, _, index) in connections {
      guard let index else { continue }
      let events = set.events(index)
      if events.contains(.output) { connection.send() }
      guard !events.intersection([.input, .hangUp, .error]).isEmpty else { continue }
      connection.receive()
      keyOrPointer = true
    }
    if let listenerIndex, set.events(listenerIndex).contains(.input) { accept(now) }
    if now >= nextRefresh, clientCount > 0 {
      nextRefresh = now &+ Self.refreshInterval
      source.refresh()
    }
    for (connection, _, _) in connections {
      connection.update()
      connection.send()
    }
    connections.removeAll { $0.connection.isClosed || (!$0.connection.isReady && now &- $0.since > Self.patience) }
    return keyOrPointer
  }

  private func accept(_ now: UInt64) {
    while let descriptor = ListeningSocket.accept(listener) {
      guard connections.count < Self.clientLimit else {
        close(descriptor)
        continue
      }
      let connection = RFBConnection(adopting: descriptor, source: source, name: name, password: password)
      connection.keyChanged = { [unowned self] symbol, isDown in
        if let code = keys.code(symbol) { keyChanged?(code, isDown) }
      }
      connection.pointerMoved = { [unowned self] in pointerMoved?($0, $1, $2) }
      connection.send()
      connections.append((connection, now, nil))
    }
  }
}
