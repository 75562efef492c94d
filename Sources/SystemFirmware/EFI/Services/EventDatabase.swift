/// Task priority levels (EFI 1.10, section 5.1).
enum TaskPriority {
  static let application: UInt64 = 4
  static let callback: UInt64 = 8
  static let notify: UInt64 = 16
  static let high: UInt64 = 31
}

/// Types of events.
enum EventType {
  static let timer: UInt32 = 0x8000_0000
  static let runtime: UInt32 = 0x4000_0000
  static let notifyWait: UInt32 = 0x100
  static let notifySignal: UInt32 = 0x200
  static let exitBootServices: UInt32 = 0x201
  static let virtualAddressChange: UInt32 = 0x6000_0202
}

/// Events, timers, and the notifications that wait for the task priority to fall.
struct EventDatabase: Sendable, Equatable, Codable {
  struct Event: Sendable, Equatable, Codable {
    var type: UInt32
    var level: UInt64
    /// Descriptor of the notification function.
    var function: UInt64
    var context: UInt64
    var group: GUID?
    var isSignalled = false
    /// Cycle at which the timer expires, and its period.
    var due: UInt64?
    var period: UInt64?
  }
  var events: [UInt64: Event] = [:]
  /// The task priority level.
  var level = TaskPriority.application
  /// Events whose notification functions are to be called, in the order in which they came.
  private(set) var queue: [UInt64] = []
  /// The events that say that a key waits: they are asked about at the console.
  var inputEvents: Set<UInt64> = []

  /// Timers at the same moment are signalled in the order of their handles.
  mutating func signalDueTimers(_ now: UInt64) {
    for (handle, event) in events.sorted(by: { $0.key < $1.key }) {
      guard let due = event.due, due <= now else { continue }
      if let period = event.period {
        // Periods that nobody has looked at are one.
        let missed = (now - due) / max(period, 1)
        events[handle]?.due = due &+ (missed &+ 1) &* max(period, 1)
      } else {
        events[handle]?.due = nil
      }
      signal(handle)
    }
  }

  var nextTimer: UInt64? { events.values.compactMap(\.due).min() }

  mutating func signal(_ handle: UInt64) {
    guard let event = events[handle] else { return }
    if let group = event.group {
      for (other, member) in events.sorted(by: { $0.key < $1.key }) where member.group == group { signalOne(other) }
    } else {
      signalOne(handle)
    }
  }

  private mutating func signalOne(_ handle: UInt64) {
    guard let event = events[handle], !event.isSignalled else { return }
    events[handle]?.isSignalled = true
    if event.type & EventType.notifySignal != 0 { enqueue(handle) }
  }

  /// Every event of a type, as ExitBootServices signals them.
  mutating func signal(type: UInt32) {
    for (handle, event) in events.sorted(by: { $0.key < $1.key }) where event.type == type { signalOne(handle) }
  }
  mutating func signal(group: GUID) {
    for (handle, event) in events.sorted(by: { $0.key < $1.key }) where event.group == group { signalOne(handle) }
  }

  mutating func enqueue(_ handle: UInt64) {
    guard let event = events[handle], event.function != 0, !queue.contains(handle) else { return }
    queue.append(handle)
  }

  mutating func close(_ handle: UInt64) {
    events[handle] = nil
    queue.removeAll { $0 == handle }
  }

  /// The notification to make first: of the highest level, the oldest.
  private var first: Int? {
    var best: Int?
    for (index, handle) in queue.enumerated() {
      guard let event = events[handle], event.level > level else { continue }
      if let other = best, let rival = events[queue[other]], rival.level >= event.level { continue }
      best = index
    }
    return best
  }

  var hasDispatchable: Bool { !queue.isEmpty && first != nil }

  /// Takes the next notification. An event that notifies when it is signalled is in the not signalled state when its function runs.
  mutating func next() -> (handle: UInt64, event: Event)? {
    guard let index = first else { return nil }
    let handle = queue.remove(at: index)
    guard let event = events[handle] else { return nil }
    if event.type & EventType.notifySignal != 0 { events[handle]?.isSignalled = false }
    return (handle, event)
  }
}
