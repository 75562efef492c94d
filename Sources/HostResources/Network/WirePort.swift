/// A wire between an adapter that has none of its own and the port that it is plugged into: each frame takes its bits' time in each
/// direction, one frame after another.
public final class WirePort: QueuedPort {
  private let far: any NetworkPort
  private unowned let timeline: any MachineTimeline
  private var leaving: [[UInt8]] = []
  private var isFreeAt: UInt64 = 0
  private var arriving: [UInt8]?
  private var actions: (sent: Int, arrived: Int) = (0, 0)

  static let bitsPerSecond: UInt64 = 1_000_000_000
  /// Preamble, gap and check sequence (IEEE 802.3, section 4.4.2), and the shortest frame, in bytes.
  private static let overhead = 24
  private static let smallestFrame = 60
  private static let limit = 512

  public init(_ far: any NetworkPort, timeline: any MachineTimeline) {
    (self.far, self.timeline) = (far, timeline)
    super.init()
    actions.sent = timeline.register { [unowned self] _ in
      if !leaving.isEmpty { self.far.send(leaving.removeFirst()) }
    }
    actions.arrived = timeline.register { [unowned self] _ in
      let frame = arriving
      arriving = nil
      if let frame { deliver(frame) }
      listen()
    }
    far.frameArrived = { [weak self] in self?.listen() }
  }

  private func time(_ frame: [UInt8]) -> UInt64 {
    let bits = UInt64(max(frame.count, Self.smallestFrame) + Self.overhead) * 8
    return (bits * timeline.cyclesPerSecond + Self.bitsPerSecond - 1) / Self.bitsPerSecond
  }

  override func transmit(_ frame: [UInt8]) {
    guard leaving.count < Self.limit else {
      statistics.sendDrops &+= 1
      return
    }
    isFreeAt = max(isFreeAt, timeline.now) + time(frame)
    leaving.append(frame)
    timeline.schedule(actions.sent, at: isFreeAt)
  }

  /// The next frame from the other end, when the wire is quiet and there is room.
  private func listen() {
    guard arriving == nil, hasRoom, let frame = far.receive() else { return }
    arriving = frame
    timeline.schedule(actions.arrived, at: timeline.now + time(frame))
  }

  override func queueEmptied() { listen() }
}
