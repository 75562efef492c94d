import Platform

/// A domain as the hypervisor's loop sees it: virtual processors that want to run, and events that happen meanwhile. Cycles are those of the
/// hypervisor's clock.
public protocol ScheduledDomain: AnyObject {
  var virtualProcessorCount: Int { get }
  /// When the next event of its devices is due; `UInt64.max`: none is.
  var nextEvent: UInt64 { get }
  /// The cycle at which a virtual processor has something to do; nil: it waits.
  func nextCycle(of index: Int) -> UInt64?
  /// To be called between runs when somebody else brings something to do at `cycle`: an event, or a virtual processor that wakes.
  var hasWork: ((_ cycle: UInt64) -> Void)? { get set }
  /// Gives a virtual processor a physical one from `cycle` on, or takes it away.
  func setMayRun(_ allowed: Bool, processor index: Int, at cycle: UInt64)
  /// Runs the processors that may run, and all events, up to `cycle`.
  func advance(to cycle: UInt64)
}
