/// What happens when an event is due. Handlers are registered while the machine is assembled, always in the same order, so that
/// a saved event can name its handler by number.
public struct EventHandlerID: Sendable, Hashable, Codable {
  let index: Int
}

/// One thing to do at one cycle of the virtual clock.
public struct Event: Sendable, Equatable, Codable {
  public var cycle: UInt64
  /// Order among events of the same cycle: first scheduled, first done.
  public var sequence: UInt64
  public var handler: EventHandlerID
  /// The handler's own business.
  public var tag: UInt64

  fileprivate func precedes(_ other: Event) -> Bool {
    cycle != other.cycle ? cycle < other.cycle : sequence < other.sequence
  }
}

/// The machine's event queue: a binary heap ordered by cycle, then by order of scheduling.
public final class EventQueue {
  /// Layout of ``pending`` in saved machines.
  public static let stateVersion = 1

  private var handlers: [(UInt64, UInt64) -> Void] = []
  private var heap: [Event] = []
  private var sequence: UInt64 = 0
  /// Told about every event that has become the first one: the processor that runs must stop for it.
  public var earliestChanged: ((UInt64) -> Void)?

  public init() {}

  /// `handler` receives the cycle for which the event was scheduled, and its tag.
  public func register(_ handler: @escaping (_ cycle: UInt64, _ tag: UInt64) -> Void) -> EventHandlerID {
    handlers.append(handler)
    return EventHandlerID(index: handlers.count - 1)
  }

  /// Cycle of the first event; nil if there is none.
  public var earliest: UInt64? { heap.first?.cycle }

  public func schedule(_ handler: EventHandlerID, tag: UInt64 = 0, at cycle: UInt64) {
    heap.append(Event(cycle: cycle, sequence: sequence, handler: handler, tag: tag))
    sequence += 1
    siftUp(heap.count - 1)
    if heap[0].cycle == cycle { earliestChanged?(cycle) }
  }

  /// Removes the events of a handler with this tag.
  public func cancel(_ handler: EventHandlerID, tag: UInt64 = 0) {
    let kept = heap.filter { $0.handler != handler || $0.tag != tag }
    guard kept.count != heap.count else { return }
    replace(kept)
  }

  public func removeAll() { heap.removeAll() }

  /// Runs every event that is due at `cycle`, in order; handlers may schedule more.
  public func run(until cycle: UInt64) {
    while let first = heap.first, first.cycle <= cycle {
      removeFirst()
      handlers[first.handler.index](first.cycle, first.tag)
    }
  }

  /// The events in order, for saving.
  public var pending: [Event] { heap.sorted { $0.precedes($1) } }

  // MARK: Heap

  private func replace(_ events: [Event]) {
    heap.removeAll(keepingCapacity: true)
    for event in events {
      heap.append(event)
      siftUp(heap.count - 1)
    }
  }

  private func siftUp(_ start: Int) {
    var i = start
    while i > 0, heap[i].precedes(heap[(i - 1) / 2]) {
      heap.swapAt(i, (i - 1) / 2)
      i = (i - 1) / 2
    }
  }

  private func removeFirst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var i = 0
    while true {
      var least = i
      for child in [2 * i + 1, 2 * i + 2] where child < heap.count && heap[child].precedes(heap[least]) { least = child }
      if least == i { return }
      heap.swapAt(i, least)
      i = least
    }
  }
}
