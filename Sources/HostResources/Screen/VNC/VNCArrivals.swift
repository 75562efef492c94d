import CVNC
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Those who have connected to a ``VNCProcess`` and whom libvncserver has not greeted yet.
///
/// The library would greet one after the other, in one thread, and looks first whether they begin like a web browser: it waits for four
/// bytes. One who sends fewer keeps it waiting for ever, and busy (rfbPeekExactTimeout of 0.9.14 asks again at once when less has come
/// than it wants). So each is greeted in a thread of its own here, and what stays unanswered is thrown away, which ends the wait: nobody
/// but a browser says anything before the server does (RFC 6143, 7.1.1).
enum VNCArrivals {
  typealias Screen = UnsafeMutablePointer<rfbScreenInfo>

  private struct Arrival {
    var socket: Int32
    var since: Int
  }
  private static let arrivals = Mutex<[Arrival]>([])
  /// Threads that greet at once; others wait to be accepted.
  private static let limit = 8
  /// Seconds that a greeting may take. One takes a tenth of a second.
  private static let patience = 1

  /// Accepts clients as long as the process lives, in a thread.
  static func begin(_ screen: Screen) {
    // What the library's own event loop would note: clients have threads.
    screen.pointee.backgroundLoop = 1
    start(screen) {
      guard let screen = $0?.assumingMemoryBound(to: rfbScreenInfo.self) else { return nil }
      VNCArrivals.accept(screen)
    }
  }

  private static func start(
    _ argument: UnsafeMutableRawPointer?, _ body: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?
  ) {
    var thread = pthread_t()
    if pthread_create(&thread, nil, body, argument) == 0 { pthread_detach(thread) } else { _exit(1) }
  }

  private static func accept(_ screen: Screen) -> Never {
    while true {
      let count = throwAwayUnanswered()
      var listener = pollfd(fd: VNCProcess.Descriptor.listener, events: Int16(POLLIN), revents: 0)
      let mayAccept = count < limit
      poll(&listener, mayAccept ? 1 : 0, count == 0 ? -1 : mayAccept ? 500 : 50)
      guard mayAccept && listener.revents != 0 else { continue }
      let socket = Glibc.accept(VNCProcess.Descriptor.listener, nil, nil)
      guard socket >= 0 else {
        // Out of descriptors, perhaps: somebody will leave.
        usleep(50_000)
        continue
      }
      arrivals.withLock { $0.append(Arrival(socket: socket, since: VNCProcess.now)) }
      let guest = UnsafeMutablePointer<(screen: Screen, socket: Int32)>.allocate(capacity: 1)
      guest.initialize(to: (screen, socket))
      start(guest) {
        guard let guest = $0?.assumingMemoryBound(to: (screen: Screen, socket: Int32).self) else { return nil }
        let (screen, socket) = guest.move()
        guest.deallocate()
        VNCArrivals.greet(screen, socket)
        return nil
      }
    }
  }

  private static func greet(_ screen: Screen, _ socket: Int32) {
    let client = lazy_rfbNewClient(screen, socket)
    // Before the client's own threads may close the socket, and somebody else gets its number.
    arrivals.withLock { $0.removeAll { $0.socket == socket } }
    if let client, client.pointee.onHold == 0 { lazy_rfbStartOnHoldClient(client) }
  }

  /// Returns how many are waiting to be greeted.
  private static func throwAwayUnanswered() -> Int {
    let now = VNCProcess.now
    return arrivals.withLock {
      for arrival in $0 where now - arrival.since > patience {
        var waste: (UInt64, UInt64) = (0, 0)
        _ = recv(arrival.socket, &waste, MemoryLayout.size(ofValue: waste), Int32(MSG_DONTWAIT))
      }
      return $0.count
    }
  }
}
