import HostResources
import Hypervisor

/// VFB: the picture that a front end draws into frames of its own and tells the numbers of (fbif).
///
/// What it says is new is copied when somebody looks: ``refresh()``. The last picture stays when the front end has gone.
public final class FrameBufferBackEnd: BackEnd, FrameBufferSource {
  private enum Field {
    static let width = 0x10
    static let height = 0x14
    static let lineLength = 0x18
    static let memoryLength = 0x1C
    static let depth = 0x20
    static let directory = 0x28
    static let output = 0x800
    static let outputSize = 2048
  }
  private enum EventType {
    static let update: UInt8 = 2
    static let resize: UInt8 = 3
  }

  private var ring: EventRing?
  private var memory: SharedFrameBuffer?
  private var layout = FrameBufferLayout(width: 640, height: 480, stride: 0, depth: 32)
  /// What takes its place when somebody looks.
  private var nextLayout: FrameBufferLayout?
  private var damage = DamagedLines()
  private var buffer: UnsafeMutablePointer<UInt32>
  public var changed: ((FrameRectangle) -> Void)?

  public init(host: DriverHost, domain: UInt16, device: Int) {
    buffer = Self.blackPicture(640 * 480)
    super.init(host: host, kind: "vfb", domain: domain, device: device)
  }

  deinit { buffer.deallocate() }

  // MARK: Directories

  override public var backKeys: [(String, String)] { [("type", "vnc")] }
  override public var features: [(String, String)] { [("feature-resize", "1"), ("hotplug-status", "connected")] }

  override public func connect() throws(BackEndFailure) -> [(String, String)] {
    guard frontValue("feature-update") == "1" else {
      throw BackEndFailure("the front end does not say what is new (feature-update)")
    }
    if let abi = frontValue("protocol"), abi != "ia64-abi", abi != "x86_64-abi" {
      throw BackEndFailure("the front end's pages are laid out as '\(abi.prefix(32))' says")
    }
    let page = try mapFrame("page-ref")
    let shared = try mapPicture(page)
    let new = FrameBufferLayout(
      width: Int(page.load(Field.width, as: Int32.self)), height: Int(page.load(Field.height, as: Int32.self)),
      stride: Int(page.load(Field.lineLength, as: UInt32.self)), depth: Int(page.load(Field.depth, as: UInt8.self)))
    if let defect = new.defect(memory: shared.byteCount) { throw BackEndFailure(defect) }
    try bindPort()
    ring = EventRing(from: page, base: Field.output, byteCount: Field.outputSize)
    memory = shared
    nextLayout = new
    return [("request-update", "1")]
  }

  /// The directory's pages hold the numbers of the picture's frames; both are looked at once.
  private func mapPicture(_ page: HostMapping) throws(BackEndFailure) -> SharedFrameBuffer {
    let frameSize = Int(FramePool.frameSize)
    let byteCount = Int(page.load(Field.memoryLength, as: UInt32.self))
    guard 1...SharedFrameBuffer.largestMemory ~= byteCount else { throw BackEndFailure("a picture of \(byteCount) bytes") }
    let count = (byteCount + frameSize - 1) / frameSize
    let inDirectory = frameSize / 8
    var frames: [HostMapping] = []
    frames.reserveCapacity(count)
    for first in Swift.stride(from: 0, to: count, by: inDirectory) {
      let directory = try mapFrame(page.load(Field.directory + first / inDirectory * 8, as: UInt64.self))
      for entry in 0..<min(inDirectory, count - first) { frames.append(try mapFrame(directory.load(entry * 8, as: UInt64.self))) }
    }
    return SharedFrameBuffer(frames: frames, byteCount: byteCount)
  }

  override public func disconnecting(isOrderly: Bool) {
    // The last picture stays.
    refresh()
    (ring, memory) = (nil, nil)
  }

  // MARK: Events

  override public func notified() {
    do throws(ProtocolViolation) {
      while let event = try ring?.next() { take(event) }
    } catch {
      fail(error.description)
    }
  }

  private func take(_ event: [UInt8]) {
    statistics.requests += 1
    let numbers = (0..<5).map { Int(event.number(4 + 4 * $0)) }
    switch event[0] {
    case EventType.update:
      // Parts that are outside, or less than nothing, are nothing.
      guard numbers[2] > 0, numbers[3] > 0 else { return refuse("an update of \(numbers[2]) by \(numbers[3]) pixels") }
      if nextLayout == nil { damage.add(FrameRectangle(x: numbers[0], y: numbers[1], width: numbers[2], height: numbers[3])) }
    case EventType.resize:
      let new = FrameBufferLayout(width: numbers[0], height: numbers[1], stride: numbers[2], depth: numbers[3], offset: numbers[4])
      if let defect = new.defect(memory: memory?.byteCount ?? 0) { return refuse(defect) }
      nextLayout = new
    case let type: refuse("an event of type \(type)")
    }
  }

  private func refuse(_ text: String) {
    statistics.refusals += 1
    report(text)
  }

  // MARK: The picture

  private static func blackPicture(_ count: Int) -> UnsafeMutablePointer<UInt32> {
    let pixels = UnsafeMutablePointer<UInt32>.allocate(capacity: count)
    pixels.initialize(repeating: 0, count: count)
    return pixels
  }

  private func show(_ new: FrameBufferLayout) {
    if (new.width, new.height) != (layout.width, layout.height) {
      buffer.deallocate()
      buffer = Self.blackPicture(new.width * new.height)
    }
    layout = new
    damage = DamagedLines(width: new.width, height: new.height)
  }

  public var width: Int { layout.width }
  public var height: Int { layout.height }
  public var stride: Int { 4 * layout.width }
  public var pixels: UnsafeMutableRawPointer { UnsafeMutableRawPointer(buffer) }

  public func refresh() {
    guard let memory else { return }
    if let nextLayout { show(nextLayout) }
    nextLayout = nil
    for part in damage.take(inside: FrameRectangle(x: 0, y: 0, width: width, height: height)) {
      memory.copy(part, layout, to: pixels, stride: stride)
      statistics.bytesCopied += UInt64(4 * part.width * part.height)
      changed?(part)
    }
  }
}

extension [UInt8] {
  /// A signed number in an event.
  fileprivate func number(_ offset: Int) -> Int32 {
    (0..<4).reduce(0) { $0 | Int32(bitPattern: UInt32(self[offset + $1]) << UInt32(8 * $1)) }
  }
}
