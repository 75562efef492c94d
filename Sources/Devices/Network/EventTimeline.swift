import HostResources
import Platform

/// A machine's clock and event queue, for networks.
public final class EventTimeline: MachineTimeline {
  private unowned let clock: any VirtualClock
  private let events: EventQueue
  private var handlers: [EventHandlerID] = []

  public init(clock: any VirtualClock, events: EventQueue) {
    self.clock = clock
    self.events = events
  }

  public var now: UInt64 { clock.now }
  public var cyclesPerSecond: UInt64 { Cycles.perSecond }

  public func register(_ action: @escaping (UInt64) -> Void) -> Int {
    handlers.append(events.register { cycle, _ in action(cycle) })
    return handlers.count - 1
  }

  public func schedule(_ action: Int, at cycle: UInt64) {
    guard handlers.indices.contains(action) else { return }
    events.schedule(handlers[action], at: cycle)
  }
}
