#if canImport(Glibc)
  import Glibc
#endif

/// Shows a screen to VNC clients, in a ``VNCProcess``. Polled from the run loop like everything outside, and never waits; the picture is
/// looked at 25 times a second while somebody watches, and not at all otherwise.
public final class VNCServer: OutsideSource {
  private let source: any FrameBufferSource
  private let introduction: [UInt8]
  private let program: String
  private let listener: Int32
  private let picture: (descriptor: Int32, memory: UnsafeMutableRawPointer)
  private var process: VNCChild?
  private var control: Int?
  /// Not before this time.
  private var nextStart: UInt64 = 0
  private var nextRefresh: UInt64 = 0
  private var size: (width: Int, height: Int) = (0, 0)
  /// The process does not know the size yet.
  private var hasNewSize = false
  /// What the process has not been told of yet.
  private var damage = DamagedLines()
  private let keys = VNCKeys()

  /// Port 5900 is display 0.
  public let display: Int
  public static let firstPort = 5900
  /// Those who are connected, whether they have been let in or not.
  public private(set) var clientCount = 0
  /// The host's number of the process; nil: it has died, and there will be another in a second.
  public var processNumber: Int32? { process?.number }
  /// The processes that have died of their clients.
  public private(set) var failures = 0
  /// A key of a keyboard, as Linux numbers them (its input-event-codes.h).
  public var keyChanged: ((_ code: UInt16, _ isDown: Bool) -> Void)?
  /// A place on the screen, and the buttons that are down: bit 0 is the left one, bits 3 and 4 are the wheel.
  public var pointerMoved: ((_ x: Int, _ y: Int, _ buttons: UInt8) -> Void)?

  private static let refreshInterval: UInt64 = 40_000_000
  private static let restartInterval: UInt64 = 1_000_000_000

  /// Throws if the address is not to be had; without a display the first free one is taken. `program`: Epicure's executable.
  public init(
    _ source: any FrameBufferSource, name: String, at address: VNCAddress, password: String? = nil, world: OutsideWorld,
    program: String = "/proc/self/exe"
  ) throws(NetworkError) {
    (self.source, self.program) = (source, program)
    introduction = Array(Self.text(name) + [0] + Self.text(password ?? "") + [0])
    (listener, display) = try address.listen()
    do throws(NetworkError) { picture = try SharedPicture.create() } catch {
      close(listener)
      throw error
    }
    source.changed = { [unowned self] in pictureChanged($0) }
    update()
    // If this fails, there is an object already that gives back what it has.
    try start()
    world.add(self)
  }

  /// What fits into a packet, and ends where C says.
  private static func text(_ text: String) -> Array<UInt8>.SubSequence {
    Array(text.utf8).prefix { $0 != 0 }.prefix(VNCProcess.introductionLimit / 2 - 1)
  }

  deinit {
    source.changed = nil
    process = nil
    munmap(picture.memory, SharedPicture.byteCount)
    close(picture.descriptor)
    close(listener)
  }

  // MARK: The process

  private func start() throws(NetworkError) {
    nextStart = Self.now &+ Self.restartInterval
    let child = try VNCChild(program, listener: listener, picture: picture.descriptor, introduction: introduction)
    process = child
    clientCount = 0
    if VNCMessage.size(width: size.width, height: size.height).send(to: child.socket) {
      damage = DamagedLines(width: size.width, height: size.height, isDamaged: false)
    }
  }

  private func take(_ now: UInt64) -> Bool {
    guard let process else { return false }
    var keyOrPointer = false
    while true {
      switch VNCMessage.receive(from: process.socket) {
      case .message(.clients(let change)):
        clientCount = max(0, clientCount + change)
        nextRefresh = now
      case .message(.key(let symbol, let isDown)):
        keyOrPointer = true
        if let code = keys.code(symbol) { keyChanged?(code, isDown) }
      case .message(.pointer(let x, let y, let buttons)):
        keyOrPointer = true
        pointerMoved?(max(0, min(x, size.width - 1)), max(0, min(y, size.height - 1)), buttons)
      case .message: break
      case .nothing: return keyOrPointer
      case .closed:
        self.process = nil
        (clientCount, failures) = (0, failures + 1)
        return keyOrPointer
      }
    }
  }

  // MARK: The picture

  private func pictureChanged(_ part: FrameRectangle) {
    // Of another size all is new: see update().
    guard size == (source.width, source.height) else { return }
    copy(part)
    damage.add(part)
  }

  private func copy(_ part: FrameRectangle) {
    let columns = (part.x..<part.x + part.width).clamped(to: 0..<size.width)
    guard !columns.isEmpty else { return }
    for y in (part.y..<part.y + part.height).clamped(to: 0..<size.height) {
      let from = source.pixels + y * source.stride
      let to = picture.memory + y * 4 * size.width
      for x in columns {
        // libvncserver has its own idea of where red is.
        let pixel = from.load(fromByteOffset: 4 * x, as: UInt32.self)
        to.storeBytes(of: pixel & 0xFF00 | pixel >> 16 & 0xFF | (pixel & 0xFF) << 16, toByteOffset: 4 * x, as: UInt32.self)
      }
    }
  }

  /// Looks at the picture, and tells the process what is new.
  private func update() {
    source.refresh()
    if size != (source.width, source.height) {
      precondition(source.width * source.height <= SharedPicture.pixelLimit)
      size = (source.width, source.height)
      copy(FrameRectangle(x: 0, y: 0, width: size.width, height: size.height))
      damage = DamagedLines(width: size.width, height: size.height, isDamaged: false)
      hasNewSize = true
    }
    guard let process else { return }
    if hasNewSize { hasNewSize = !VNCMessage.size(width: size.width, height: size.height).send(to: process.socket) }
    guard !hasNewSize else { return }
    let parts = damage.take(inside: FrameRectangle(x: 0, y: 0, width: size.width, height: size.height))
    // What does not fit is for the next time.
    for part in parts.drop(while: { VNCMessage.damage($0).send(to: process.socket) }) { damage.add(part) }
  }

  // MARK: The world outside

  /// Somebody sits in front of the screen.
  public var mayDeliver: Bool { clientCount > 0 }

  private static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  public func prepare(_ set: inout PollSet) {
    control = process.map { set.add($0.socket, .input) }
    if clientCount > 0 || process == nil { set.limit(UInt32(Self.refreshInterval / 1_000_000)) }
  }

  public func collect(_ set: PollSet) -> Bool {
    let now = Self.now
    var keyOrPointer = false
    if let control, !set.events(control).isEmpty { keyOrPointer = take(now) }
    if process == nil && now >= nextStart {
      // Without memory for it now there may be some in a second.
      do throws(NetworkError) { try start() } catch { failures += 1 }
    }
    if clientCount > 0 && now >= nextRefresh {
      update()
      // A picture that takes long, because a guest makes it large and always new, gets no more than a tenth of the run loop.
      let end = Self.now
      nextRefresh = end &+ max(Self.refreshInterval, 9 &* (end &- now))
    }
    return keyOrPointer
  }
}
