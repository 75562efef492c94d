import Platform

/// What every virtio device has, whatever it is connected by: features, queues, a configuration space, its share of the event queue.
/// The kinds of device say what requests do.
///
/// A device looks for requests a moment after it was notified, and ends them by events, so that a run does not depend on the host's speed.
public class VirtioDevice {
  /// Tags below are numbers of queues to look at.
  static let firstTag: UInt64 = 16
  /// From a notification to the first look at the queue.
  static let notificationTime = Cycles.from(nanoseconds: 1_000)
  /// From one look of a device that stays awake to the next.
  static let lookTime = Cycles.from(nanoseconds: 1_000)

  weak var transport: VirtioPCI?
  let clock: any VirtualClock
  private let events: EventQueue
  private var handler: EventHandlerID?

  init(events: EventQueue, clock: any VirtualClock) {
    self.events = events
    self.clock = clock
    handler = events.register { [unowned self] _, tag in
      if tag < Self.firstTag { transport?.lookIsDue(Int(tag)) } else { happened(tag) }
    }
  }

  // MARK: What the kinds of device say

  var kind: VirtioKind { .block }
  /// Largest size of each queue.
  var queueSizes: [UInt16] { [] }
  /// Features of this type of device (bits 0 to 23, and from 50 on).
  var features: UInt64 { 0 }
  /// The configuration space as it reads now; of the same length always.
  var configuration: [UInt8] { [] }
  /// The driver has written to the configuration space.
  func configurationWritten(_ offset: Int, _ bytes: [UInt8]) {}
  /// Whether features may go together as the driver wants them.
  func accepts(_ features: UInt64) -> Bool { true }
  /// How long it goes on looking at a queue that is empty, and wants no notification meanwhile; 0: not at all.
  var patience: UInt64 { 0 }
  /// There may be something in a queue: an event of its own, and no more than one for each queue at a time.
  func look(_ queue: Int) {}
  /// An event that ``schedule(_:at:)`` has asked for is due. Tags begin at ``firstTag``.
  func happened(_ tag: UInt64) {}
  /// Forgets all requests; buffers are not given back.
  func reset() {}
  /// What the device counts, for statistics.
  var counters: [String: UInt64] { [:] }

  // MARK: For the kinds of device

  var now: UInt64 { clock.now }
  var memory: (any DMAPort)? { transport?.function }
  func isNegotiated(_ feature: UInt64) -> Bool { transport.map { $0.negotiated & feature != 0 } ?? false }

  func schedule(_ tag: UInt64, at cycle: UInt64) {
    if let handler { events.schedule(handler, tag: tag, at: cycle) }
  }
  func cancel(_ tag: UInt64) {
    if let handler { events.cancel(handler, tag: tag) }
  }
}
