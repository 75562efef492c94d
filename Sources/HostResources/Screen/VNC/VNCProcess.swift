import CVNC
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// The process in which libvncserver shows one screen to its clients; ``VNCServer`` starts it, and starts it again if it dies.
///
/// The library has a thread for each client, so that one that does not take its picture makes nobody wait. It is kept in a process of its own
/// because its list of ways to log in is the process's, not the screen's: of two screens, one with a password and one without, whoever can
/// connect to both needs no password (measured with 0.9.14). What clients do to it, they do to this process.
public enum VNCProcess {
  /// What it inherits.
  enum Descriptor {
    static let control: Int32 = 3
    static let listener: Int32 = 4
    static let picture: Int32 = 5
  }
  /// The first packet: name and password, each with a zero behind it; an empty password is none.
  static let introductionLimit = 8192

  private static let clientLimit = 8
  /// Who has not been let in after so many seconds is not going to be.
  private static let patience = 10
  private static let clients = Atomic<Int>(0)

  /// Until the server has gone. Returns why it could not even begin.
  public static func run() -> NetworkError {
    var packet = [UInt8](repeating: 0, count: introductionLimit)
    let size = recv(Descriptor.control, &packet, packet.count, 0)
    let texts = packet.prefix(max(0, size)).split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
    guard texts.count == 3, let memory = SharedPicture.map(Descriptor.picture, PROT_READ) else {
      return NetworkError("this command is for Epicure's own use")
    }
    // The terminal's signals are for the guest's user.
    setsid()
    lazy_rfbLogEnable(0)
    guard let screen = lazy_rfbGetScreen(nil, nil, 4, 1, 8, 3, 4) else {
      return NetworkError("libvncserver.so.1 cannot be loaded (Debian package libvncserver1)")
    }
    configure(screen, name: texts[0], password: texts[1])
    screen.pointee.frameBuffer = memory.assumingMemoryBound(to: CChar.self)
    serve(screen, memory)
  }

  private typealias Screen = UnsafeMutablePointer<rfbScreenInfo>
  private typealias Client = UnsafeMutablePointer<rfbClientRec>

  /// A C string for as long as the process lives.
  private static func permanent(_ text: some Sequence<UInt8>) -> UnsafeMutablePointer<CChar>? {
    strdup(String(decoding: Array(text), as: UTF8.self))
  }

  private static func configure(_ screen: Screen, name: ArraySlice<UInt8>, password: ArraySlice<UInt8>) {
    screen.pointee.desktopName = UnsafePointer(permanent(name))
    screen.pointee.alwaysShared = 1
    // Guests draw their pointers themselves. Without this the library would draw one into the picture.
    screen.pointee.cursor = nil
    // Milliseconds; of one client, whose thread waits.
    screen.pointee.maxClientWait = 5000
    if !password.isEmpty {
      let list = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: 2)
      list.initialize(repeating: nil, count: 2)
      list[0] = permanent(password)
      screen.pointee.authPasswdData = UnsafeMutableRawPointer(list)
      screen.pointee.passwordCheck = lazy_rfbCheckPasswordByList
    }
    // These are called by the clients' threads. A packet goes as a whole, so that they need no lock; who types faster than the guest's run
    // loop looks, waits.
    screen.pointee.kbdAddEvent = { isDown, symbol, _ in
      VNCMessage.key(symbol: symbol, isDown: isDown != 0).send(to: Descriptor.control, waits: true)
    }
    screen.pointee.ptrAddEvent = { buttons, x, y, client in
      VNCMessage.pointer(x: Int(x), y: Int(y), buttons: UInt8(truncatingIfNeeded: buttons)).send(
        to: Descriptor.control, waits: true)
      lazy_rfbDefaultPtrAddEvent(buttons, x, y, client)
    }
    screen.pointee.newClientHook = { $0.map { VNCProcess.admit($0) } ?? RFB_CLIENT_REFUSE }
  }

  private static func admit(_ client: Client) -> rfbNewClientAction {
    guard clients.add(1, ordering: .relaxed).newValue <= clientLimit else {
      clients.subtract(1, ordering: .relaxed)
      return RFB_CLIENT_REFUSE
    }
    client.pointee.clientData = UnsafeMutableRawPointer(bitPattern: now)
    client.pointee.clientGoneHook = { _ in
      VNCProcess.clients.subtract(1, ordering: .relaxed)
      VNCMessage.clients(-1).send(to: Descriptor.control, waits: true)
      // The library neither joins nor detaches the thread that is about to end here; its stack would stay.
      pthread_detach(pthread_self())
    }
    VNCMessage.clients(1).send(to: Descriptor.control, waits: true)
    return RFB_CLIENT_ACCEPT
  }

  /// Seconds.
  static var now: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec
  }

  private static func serve(_ screen: Screen, _ memory: UnsafeMutableRawPointer) -> Never {
    // The library opens no sockets: the server has opened one, and knows that it is to be had.
    (screen.pointee.port, screen.pointee.ipv6port) = (0, 0)
    CVNC_initServer(screen)
    _ = fcntl(Descriptor.listener, F_SETFL, fcntl(Descriptor.listener, F_GETFL) & ~O_NONBLOCK)
    var isListening = false
    while true {
      var waited = pollfd(fd: Descriptor.control, events: Int16(POLLIN), revents: 0)
      poll(&waited, 1, clients.load(ordering: .relaxed) > 0 ? 1000 : -1)
      takeMessages(screen, memory, &isListening)
      letGoOfStrangers(screen)
    }
  }

  private static func takeMessages(_ screen: Screen, _ memory: UnsafeMutableRawPointer, _ isListening: inout Bool) {
    while true {
      switch VNCMessage.receive(from: Descriptor.control) {
      case .message(.size(let width, let height)):
        lazy_rfbNewFramebuffer(screen, memory.assumingMemoryBound(to: CChar.self), Int32(width), Int32(height), 8, 3, 4)
        // Clients are let in when the first picture is known.
        if !isListening { VNCArrivals.begin(screen) }
        isListening = true
      case .message(.damage(let part)):
        lazy_rfbMarkRectAsModified(screen, Int32(part.x), Int32(part.y), Int32(part.x + part.width), Int32(part.y + part.height))
      case .message: break
      case .nothing: return
      case .closed: _exit(0)
      }
    }
  }

  private static func letGoOfStrangers(_ screen: Screen) {
    let iterator = lazy_rfbGetClientIterator(screen)
    while let client = lazy_rfbClientIteratorNext(iterator) {
      let since = Int(bitPattern: client.pointee.clientData)
      if client.pointee.state != RFB_NORMAL && since != 0 && now - since > patience { lazy_rfbCloseClient(client) }
    }
    lazy_rfbReleaseClientIterator(iterator)
  }
}
