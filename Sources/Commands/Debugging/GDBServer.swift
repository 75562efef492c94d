import Glibc
import HostResources
import Inspection

/// `--gdb`: waits for a gdb, one at a time, and lets it at the machine. Others are turned away while there is one; when it has gone, the
/// next may come.
///
/// The socket is looked at between blocks, and while the guest idles. It makes no events of the machine's, and does not count as something
/// that may come from outside: whether somebody listens changes nothing for the guest.
final class GDBServer: DebugFrontEnd, OutsideSource {
  private let debugger: Debugger
  private let world: OutsideWorld
  private let listener: Int32
  let port: Int
  private var client: (descriptor: Int32, session: RemoteSession)?
  /// The user has left the console.
  private let isOver: () -> Bool
  private var listenerIndex: Int?
  private var clientIndex: Int?

  private static let pieceSize = 1 << 16
  /// While the machine stands still: how often the rest of the world is looked at if nothing happens there.
  private static let patience: UInt32 = 200

  init(
    _ debugger: Debugger, at address: DebugAddress, _ world: OutsideWorld, isOver: @escaping () -> Bool
  ) throws(CommandFailure) {
    (self.debugger, self.world, self.isOver) = (debugger, world, isOver)
    do throws(NetworkError) {
      listener = try ListeningSocket.open(host: address.host, port: address.port, name: "port \(address.port)")
    } catch { throw CommandFailure(CommandFailure.badInput, "--gdb: \(error)") }
    port = ListeningSocket.port(of: listener) ?? address.port
    debugger.look = { [unowned self] in lookAround() }
    world.add(self)
  }

  deinit {
    disconnect()
    close(listener)
  }

  // MARK: DebugFrontEnd

  func stopped() -> DebugVerdict {
    client?.session.machineStopped()
    while debugger.stop != nil {
      if isOver() { return .quit }
      if client?.session.wish == .kill {
        flush(patiently: true)
        disconnect()
        return .quit
      }
      flush(patiently: false)
      world.look(waiting: Self.patience)
    }
    flush(patiently: false)
    return .goOn
  }

  func ended(status: UInt8) {
    client?.session.machineEnded(status: status)
    flush(patiently: true)
    disconnect()
  }

  func handOver() -> (state: [UInt8], descriptor: Int32?) {
    flush(patiently: true)
    return (client?.session.state ?? [], client?.descriptor)
  }

  func takeOver(_ state: [UInt8], _ descriptor: Int32?) {
    disconnect()
    client = descriptor.map { ($0, RemoteSession(debugger, resuming: state)) }
  }

  // MARK: OutsideSource

  /// Idle time does not become the host's because somebody debugs.
  var mayDeliver: Bool { false }

  func prepare(_ set: inout PollSet) {
    listenerIndex = set.add(listener, .input)
    clientIndex = client.map { set.add($0.descriptor, .input) }
  }

  func collect(_ set: PollSet) -> Bool {
    if let clientIndex, !set.events(clientIndex).isEmpty { receive() }
    if let listenerIndex, !set.events(listenerIndex).isEmpty { accept() }
    // A wait of the guest's ends when its machine is to stop.
    return debugger.stop != nil
  }

  /// The same while a guest is busy.
  private func lookAround() {
    var descriptors = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
    if let client { descriptors.append(pollfd(fd: client.descriptor, events: Int16(POLLIN), revents: 0)) }
    guard poll(&descriptors, nfds_t(descriptors.count), 0) > 0 else { return }
    if descriptors.count > 1, descriptors[1].revents != 0 { receive() }
    if descriptors[0].revents != 0 { accept() }
  }

  // MARK: The client

  private func accept() {
    while let descriptor = ListeningSocket.accept(listener) {
      guard client == nil else {
        close(descriptor)
        continue
      }
      var on: Int32 = 1
      setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
      client = (descriptor, RemoteSession(debugger))
      // A gdb that comes finds its target standing.
      debugger.interrupt()
    }
  }

  private func receive() {
    guard let client else { return }
    var bytes = [UInt8](repeating: 0, count: Self.pieceSize)
    let count = read(client.descriptor, &bytes, bytes.count)
    if count < 0 && (errno == EAGAIN || errno == EINTR) { return }
    guard count > 0 else { return lost() }
    client.session.receive(Array(bytes[..<count]))
    flush(patiently: client.session.wish != nil)
    if client.session.wish == .detach { disconnect() }
    // To be killed it must stand.
    if client.session.wish == .kill { debugger.interrupt() }
    if client.session.isStuck { lost() }
  }

  /// A connection that breaks off leaves the guest to itself, as one that ends in order does.
  private func lost() {
    disconnect()
    debugger.detach()
  }

  private func disconnect() {
    if let client { close(client.descriptor) }
    client = nil
    // What it has not taken is not the next one's.
    unsent = []
  }

  private var unsent: [UInt8] = []

  private func flush(patiently: Bool) {
    guard let client else { return }
    unsent += client.session.takeOutput()
    var done = 0
    while done < unsent.count {
      let sent = unsent.withUnsafeBytes { bytes in
        send(client.descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, Int32(MSG_NOSIGNAL))
      }
      if sent > 0 {
        done += sent
      } else if sent < 0 && errno == EINTR {
        continue
      } else if sent < 0 && errno == EAGAIN && patiently {
        var descriptor = pollfd(fd: client.descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&descriptor, 1, 1000) > 0 else { break }
      } else {
        break
      }
    }
    unsent.removeFirst(done)
    if unsent.count > Self.largestBacklog { lost() }
  }
  private static let largestBacklog = 1 << 22
}
