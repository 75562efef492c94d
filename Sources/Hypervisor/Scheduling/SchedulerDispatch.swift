extension CreditScheduler {
  /// What a physical processor does next.
  public struct Decision: Sendable, Equatable {
    /// nil: nothing.
    public let virtualProcessor: Handle?
    /// When the processor must ask again, at the latest; `UInt64.max` if it has nothing to run.
    public let until: UInt64
    /// Other processors that must reschedule now: one of them can take what this one has put aside.
    public let others: ProcessorMask
  }

  /// Decides what a physical processor runs from now on.
  ///
  /// - Precondition: the processor exists.
  public mutating func schedule(_ cpu: Int, now: UInt64) -> Decision {
    advance(to: now)
    let previous = settleCurrent(cpu)
    if let previous, mayContinue(previous, on: cpu) { return decision(previous, others: 0) }
    let way = previous.map { endSlice($0, on: cpu) }
    let next = choose(for: cpu, way?.mustLeave == true ? nil : previous)
    if let next {
      vcpus[next].sliceEnd = sliceEnd(next)
      vcpus[next].hasYielded = false
      vcpus[next].makesRoom = false
      if next == previous { return decision(next, others: 0) }
      dequeue(next)
    }
    if let previous { leave(cpu, previous) }
    if let next { run(next, on: cpu) }
    var others: ProcessorMask = 0
    if let previous, let way {
      if let other = way.destination {
        enqueue(previous, on: other)
        others = bit(other)
      } else if way.mustLeave {
        others = place(previous)
      } else {
        enqueue(previous, on: cpu)
      }
    }
    others |= spread(cpu)
    return decision(next, others: others | makeRoomForOne())
  }

  /// What runs on a processor, as the scheduler knows it.
  ///
  /// - Precondition: the processor exists.
  public func current(on cpu: Int) -> Handle? { cpus[cpu].current.map(handle) }

  private func decision(_ v: Int?, others: ProcessorMask) -> Decision {
    Decision(virtualProcessor: v.map(handle), until: v.map { vcpus[$0].sliceEnd } ?? .max, others: others)
  }

  /// The current virtual processor with its credit brought up to date; nil if there is none, or if it has used up its domain's cap.
  private mutating func settleCurrent(_ cpu: Int) -> Int? {
    guard let current = cpus[cpu].current else { return nil }
    settle(current)
    guard vcpus[current].isExhausted else { return current }
    leave(cpu, current)
    vcpus[current].isParked = true
    return nil
  }

  /// Within its slice a virtual processor gives way only to a better priority, or to one that can run nowhere else.
  private func mayContinue(_ v: Int, on cpu: Int) -> Bool {
    guard clock < vcpus[v].sliceEnd, !vcpus[v].hasYielded, !vcpus[v].makesRoom, allowed(v) & bit(cpu) != 0 else {
      return false
    }
    guard let head = cpus[cpu].queue.first else { return true }
    return vcpus[head].priority <= vcpus[v].priority
  }

  /// What becomes of a virtual processor that does not simply run on: whether it may not stay here, and where it would go if it does not
  /// stay. One that has been interrupted, or has yielded, goes nowhere: it waits here.
  private mutating func endSlice(_ v: Int, on cpu: Int) -> (mustLeave: Bool, destination: Int?) {
    let isOver = clock >= vcpus[v].sliceEnd
    // Whoever has had a whole slice gets the priority of its credit at once; the others keep theirs until the accounting.
    if isOver { vcpus[v].priority = vcpus[v].earnedPriority }
    let isOutside = allowed(v) & bit(cpu) == 0
    guard isOutside || vcpus[v].makesRoom || isOver && !vcpus[v].hasYielded else { return (false, nil) }
    let destination = preferred(allowed(v) & free, after: cpu) ?? preempted(by: v)
    return (isOutside || vcpus[v].makesRoom && destination != nil, destination)
  }

  /// The best of what runs here, what waits here, and what waits elsewhere.
  private func choose(for cpu: Int, _ previous: Int?) -> Int? {
    let head = cpus[cpu].queue.first
    guard let previous else { return steal(for: cpu, insteadOf: head) ?? head }
    if vcpus[previous].hasYielded { return steal(for: cpu, insteadOf: head) ?? head ?? previous }
    let best = head.map { precedes($0, previous) ? $0 : previous } ?? previous
    return steal(for: cpu, insteadOf: best) ?? best
  }

  /// The best virtual processor in other processors' queues, if it deserves to run more than `local`: it has a better priority, or so much
  /// more credit that the two queues are plainly out of balance.
  private func steal(for cpu: Int, insteadOf local: Int?) -> Int? {
    if let local, vcpus[local].priority == .boost { return nil }
    var best: Int?
    for other in ProcessorNumbers(queued & ~bit(cpu)) {
      guard let candidate = cpus[other].queue.first(where: { allowed($0) & bit(cpu) != 0 }) else { continue }
      if let found = best, precedes(found, candidate) { continue }
      best = candidate
    }
    guard let best, let local else { return best }
    if vcpus[best].priority != vcpus[local].priority { return vcpus[best].priority > vcpus[local].priority ? best : nil }
    return vcpus[best].credit.subtractingSaturated(vcpus[local].credit) > Int64(period) ? best : nil
  }

  private mutating func leave(_ cpu: Int, _ v: Int) {
    enter(.runnable, v)
    vcpus[v].hasYielded = false
    vcpus[v].makesRoom = false
    cpus[cpu].current = nil
    idle |= bit(cpu)
  }

  private mutating func run(_ v: Int, on cpu: Int) {
    if let last = vcpus[v].lastRun, last != cpu { vcpus[v].migrations &+= 1 }
    vcpus[v].timesScheduled &+= 1
    vcpus[v].lastRun = cpu
    vcpus[v].started = clock
    vcpus[v].processor = cpu
    enter(.running, v)
    cpus[cpu].current = v
    idle &= ~bit(cpu)
  }

  /// Sends what waits here to free processors. Returns those.
  private mutating func spread(_ cpu: Int) -> ProcessorMask {
    var mask: ProcessorMask = 0
    guard free & ~bit(cpu) != 0 else { return 0 }
    for v in cpus[cpu].queue {
      guard let other = preferred(allowed(v) & free & ~bit(cpu), after: cpu) else { continue }
      dequeue(v)
      enqueue(v, on: other)
      mask |= bit(other)
    }
    return mask
  }

  /// A slice ends when a cap is used up: caps are kept to the cycle, not to the slice.
  func sliceEnd(_ v: Int) -> UInt64 {
    guard let allowance = vcpus[v].allowance else { return clock.addingSaturated(slice) }
    return clock.addingSaturated(min(slice, max(minimumRun, UInt64(clamping: allowance))))
  }
}
