extension CreditScheduler {
  /// Xen's vcpu_runstate_info.
  public struct Runstate: Sendable, Equatable {
    public let state: RunState
    /// Cycles in each state since the virtual processor was created. They add up to ``age``.
    public let times: StateTimes
    /// Cycles since the virtual processor was created.
    public let age: UInt64
  }

  public struct Statistics: Sendable, Equatable {
    /// How often it was given a processor.
    public let timesScheduled: UInt64
    /// How often that was another processor than the time before.
    public let migrations: UInt64
    /// Where it runs, waits, or would first be looked for a place.
    public let processor: Int
    /// In cycles: Xen's credits are 100 for each ``CreditScheduler/tick``.
    public let credit: Int64
    public let priority: Priority
    /// It waits for its domain's cap, not for a processor.
    public let isParked: Bool
    public let isPaused: Bool
  }

  /// Exact at any time, without changing anything.
  public func runstate(of handle: Handle, now: UInt64) throws(Failure) -> Runstate {
    let record = vcpus[try slot(handle)]
    let now = max(now, clock)
    var times = record.times
    times[record.state] += now - record.since
    return Runstate(state: record.state, times: times, age: now - record.created)
  }

  public func statistics(of handle: Handle, now: UInt64) throws(Failure) -> Statistics {
    let v = try slot(handle)
    let record = vcpus[v]
    let unsettled = record.state == .running ? max(now, clock) - record.since : 0
    return Statistics(
      timesScheduled: record.timesScheduled, migrations: record.migrations, processor: record.processor,
      credit: record.credit.subtractingSaturated(Int64(clamping: unsettled)), priority: record.priority,
      isParked: record.isParked, isPaused: isPaused(v))
  }
}
