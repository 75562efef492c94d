import Platform

/// A domain as the hypervisor's loop sees it: virtual processors that want to run, and events that happen meanwhile. Cycles are those of the
/// hypervisor's clock.
public protocol ScheduledDomain: AnyObject {
  var virtualProcessorCount: Int { get }
  /// When something is due that none of its running processors brings about: an event, or the end of a virtual processor's wait. `UInt64.max`:
  /// never, as things are. A processor that waits for a physical one is due since it began to.
  var nextDue: UInt64 { get }
  /// When the next event of its devices is due; `UInt64.max`: none is.
  var nextEvent: UInt64 { get }
  /// The cycle at which a virtual processor has something to do; nil: it waits.
  func nextCycle(of index: Int) -> UInt64?
  /// Gives a virtual processor a physical one from `cycle` on, or takes it away.
  func setMayRun(_ allowed: Bool, processor index: Int, at cycle: UInt64)
  /// Runs the processors that may run, and all events, up to `cycle`.
  func advance(to cycle: UInt64)
}
