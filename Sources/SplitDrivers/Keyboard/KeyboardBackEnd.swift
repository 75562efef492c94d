import Hypervisor

/// VKBD: the keyboard and the pointer in front of a ``FrameBufferBackEnd`` (kbdif).
///
/// Places are absolute if the front end has asked for that, and else the way from the last one. What the front end does not take waits, up to
/// ``waitingLimit`` events.
public final class KeyboardBackEnd: BackEnd {
  private enum Field {
    static let input = 0x400
    static let inputSize = 2048
  }
  private enum EventType {
    static let motion: UInt8 = 1
    static let key: UInt8 = 3
    static let position: UInt8 = 4
  }
  /// Buttons of a mouse, as Linux numbers them (its input-event-codes.h), by their bits in RFB.
  private static let buttonCodes: [UInt32] = [0x110, 0x112, 0x111]
  private static let wheelUp: UInt8 = 1 << 3
  private static let wheelDown: UInt8 = 1 << 4
  public static let waitingLimit = 1024

  private var ring: EventRing?
  private var waiting: [[UInt8]] = []
  private var place = (x: 0, y: 0)
  private var buttons: UInt8 = 0

  public init(host: DriverHost, domain: UInt16, device: Int) {
    super.init(host: host, kind: "vkbd", domain: domain, device: device)
  }

  // MARK: Directories

  override public var features: [(String, String)] { [("feature-abs-pointer", "1"), ("hotplug-status", "connected")] }

  override public func connect() throws(BackEndFailure) -> [(String, String)] {
    let page = try mapFrame("page-ref")
    try bindPort()
    ring = EventRing(to: page, base: Field.input, byteCount: Field.inputSize)
    return []
  }

  override public func disconnecting(isOrderly: Bool) {
    ring = nil
    waiting = []
    buttons = 0
  }

  // MARK: Input

  /// `code`: Linux's number of the key.
  public func key(_ code: UInt16, isDown: Bool) {
    add(UInt32(code), isDown)
    deliver()
  }

  /// A place on the screen and what is pressed there, as in RFB: bit 0 is the left button, 1 the middle, 2 the right one, 3 and 4 the wheel.
  public func pointer(x: Int, y: Int, buttons new: UInt8) {
    let pressed = new & ~buttons
    let wheel: Int32 = pressed & Self.wheelUp != 0 ? -1 : pressed & Self.wheelDown != 0 ? 1 : 0
    if (x, y) != place || wheel != 0 {
      // It asks for this after it is connected.
      let isAbsolute = frontValue("request-abs-pointer") == "1"
      let numbers = isAbsolute ? [x, y] : [x - place.x, y - place.y]
      add(isAbsolute ? EventType.position : EventType.motion, numbers.map { Int32(truncatingIfNeeded: $0) } + [wheel])
    }
    for (bit, code) in Self.buttonCodes.enumerated() where (new ^ buttons) & 1 << UInt8(bit) != 0 {
      add(code, new & 1 << UInt8(bit) != 0)
    }
    (place, buttons) = ((x, y), new)
    deliver()
  }

  private func add(_ code: UInt32, _ isDown: Bool) {
    var event: [UInt8] = [EventType.key, isDown ? 1 : 0, 0, 0]
    withUnsafeBytes(of: code.littleEndian) { event += $0 }
    add(event)
  }

  private func add(_ type: UInt8, _ numbers: [Int32]) {
    var event: [UInt8] = [type, 0, 0, 0]
    for number in numbers { withUnsafeBytes(of: number.littleEndian) { event += $0 } }
    add(event)
  }

  /// Without a front end there is nobody who would want it later.
  private func add(_ event: [UInt8]) {
    guard ring != nil else { return }
    guard waiting.count < Self.waitingLimit else {
      statistics.refusals += 1
      return
    }
    waiting.append(event + [UInt8](repeating: 0, count: EventRing.eventSize - event.count))
  }

  /// The front end has taken something, and there may be room.
  override public func notified() { deliver() }

  private func deliver() {
    var count = 0
    do throws(ProtocolViolation) {
      while count < waiting.count, try ring?.put(waiting[count]) == true { count += 1 }
    } catch { return fail(error.description) }
    guard count > 0 else { return }
    waiting.removeFirst(count)
    statistics.requests += UInt64(count)
    notify(true)
  }
}
