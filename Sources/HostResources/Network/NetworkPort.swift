/// The outlet that a network adapter is plugged into. Frames are Ethernet frames without preamble and frame check sequence.
///
/// Everything is synchronous: calls come from the one thread that runs the machine. A port never holds more than a bounded number of
/// frames; what it cannot hold is dropped and counted.
public protocol NetworkPort: AnyObject {
  /// The adapter has sent a frame: this is the moment at which its last bit leaves.
  func send(_ frame: [UInt8])
  /// The oldest frame that waits for the adapter; it is removed.
  func receive() -> [UInt8]?
  /// Called when a frame has come and none waited: time for ``receive()``.
  var frameArrived: (() -> Void)? { get set }
  var statistics: NetworkStatistics { get }
}

/// What went through a port, as its adapter sees it.
public struct NetworkStatistics: Sendable, Equatable, Codable {
  public var sentFrames: UInt64 = 0
  public var sentBytes: UInt64 = 0
  public var sendDrops: UInt64 = 0
  public var receivedFrames: UInt64 = 0
  public var receivedBytes: UInt64 = 0
  public var receiveDrops: UInt64 = 0
  public init() {}

  mutating func countSent(_ frame: [UInt8]) {
    sentFrames &+= 1
    sentBytes &+= UInt64(frame.count)
  }
  mutating func countReceived(_ frame: [UInt8]) {
    receivedFrames &+= 1
    receivedBytes &+= UInt64(frame.count)
  }
}

/// Frames that wait, first in, first out, up to a limit.
struct FrameQueue {
  private var frames: [[UInt8]] = []
  private var head = 0
  let limit: Int

  init(limit: Int = 512) { self.limit = limit }

  var count: Int { frames.count - head }
  var isEmpty: Bool { count == 0 }
  var isFull: Bool { count >= limit }
  var first: [UInt8]? { isEmpty ? nil : frames[head] }

  /// False: there is no room.
  mutating func append(_ frame: [UInt8]) -> Bool {
    if isFull { return false }
    frames.append(frame)
    return true
  }

  mutating func removeFirst() -> [UInt8]? {
    guard head < frames.count else { return nil }
    let frame = frames[head]
    frames[head] = []
    head += 1
    if head == frames.count {
      frames.removeAll(keepingCapacity: true)
      head = 0
    } else if head >= limit {
      frames.removeFirst(head)
      head = 0
    }
    return frame
  }
}

/// The adapter's side of every port: the queue of arrived frames, and the counts.
public class QueuedPort: NetworkPort {
  private var queue = FrameQueue()
  public final var frameArrived: (() -> Void)?
  public final var statistics = NetworkStatistics()

  public final func send(_ frame: [UInt8]) {
    statistics.countSent(frame)
    transmit(frame)
  }

  public final func receive() -> [UInt8]? {
    guard let frame = queue.removeFirst() else { return nil }
    statistics.countReceived(frame)
    if queue.isEmpty { queueEmptied() }
    return frame
  }

  /// Room for one more frame.
  final var hasRoom: Bool { !queue.isFull }

  /// A frame for the adapter.
  final func deliver(_ frame: [UInt8]) {
    let waited = !queue.isEmpty
    guard queue.append(frame) else {
      statistics.receiveDrops &+= 1
      return
    }
    if !waited { frameArrived?() }
  }

  /// For subclasses: what becomes of a frame that the adapter sends.
  func transmit(_ frame: [UInt8]) {}
  /// For subclasses: the adapter has taken all that waited.
  func queueEmptied() {}
}

/// An outlet with no cable: `--nic none` has no adapter at all, this one is for adapters that are there and connected to nothing.
public final class UnconnectedPort: QueuedPort {
  override public init() {}
}
