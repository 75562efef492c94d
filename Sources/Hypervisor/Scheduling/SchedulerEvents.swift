extension CreditScheduler {
  /// The virtual processor has something to do. Returns the processors that must reschedule now. Does nothing if it is awake already.
  public mutating func wake(_ handle: Handle, now: UInt64) throws(Failure) -> ProcessorMask {
    let v = try slot(handle)
    advance(to: now)
    guard vcpus[v].isBlocked || !vcpus[v].isStarted else { return 0 }
    vcpus[v].isBlocked = false
    vcpus[v].isStarted = true
    return start(v)
  }

  /// The virtual processor waits for an event. Returns the processor that ran it.
  public mutating func block(_ handle: Handle, now: UInt64) throws(Failure) -> ProcessorMask {
    let v = try slot(handle)
    advance(to: now)
    guard vcpus[v].isStarted, !vcpus[v].isBlocked else { return 0 }
    vcpus[v].isBlocked = true
    return stop(v)
  }

  /// Pauses are counted: as many ``unpause(_:now:)`` must follow. Returns the processor that ran it.
  public mutating func pause(_ handle: Handle, now: UInt64) throws(Failure) -> ProcessorMask {
    let v = try slot(handle)
    advance(to: now)
    vcpus[v].pauses += 1
    return stop(v)
  }

  public mutating func unpause(_ handle: Handle, now: UInt64) throws(Failure) -> ProcessorMask {
    let v = try slot(handle)
    guard vcpus[v].pauses > 0 else { throw .notPaused }
    advance(to: now)
    vcpus[v].pauses -= 1
    return start(v)
  }

  /// Pauses every virtual processor of the domain, those that are still to come too. Counted, and apart from the pauses of each.
  public mutating func pauseDomain(_ id: Int, now: UInt64) throws(Failure) -> ProcessorMask {
    let domain = try slot(ofDomain: id)
    advance(to: now)
    domains[domain].pauses += 1
    return members(domain).reduce(0) { $0 | stop($1) }
  }

  public mutating func unpauseDomain(_ id: Int, now: UInt64) throws(Failure) -> ProcessorMask {
    let domain = try slot(ofDomain: id)
    guard domains[domain].pauses > 0 else { throw .notPaused }
    advance(to: now)
    domains[domain].pauses -= 1
    return members(domain).reduce(0) { $0 | start($1) }
  }

  /// The virtual processor lets any other go first, once. Returns the processor that runs it.
  public mutating func yield(_ handle: Handle, now: UInt64) throws(Failure) -> ProcessorMask {
    let v = try slot(handle)
    advance(to: now)
    guard vcpus[v].state == .running else { return 0 }
    vcpus[v].hasYielded = true
    return bit(vcpus[v].processor)
  }

  // MARK: Inside

  func isPaused(_ v: Int) -> Bool { vcpus[v].pauses > 0 || domains[vcpus[v].domain].pauses > 0 }

  /// The state of one that does not want a processor. As in Xen, one that sleeps stays blocked while it is paused.
  private func restingState(_ v: Int) -> RunState { vcpus[v].isBlocked ? .blocked : .offline }

  private mutating func stop(_ v: Int) -> ProcessorMask {
    settle(v)
    let mask = release(v)
    vcpus[v].state = restingState(v)
    return mask
  }

  /// Makes it runnable, if nothing is in the way.
  private mutating func start(_ v: Int) -> ProcessorMask {
    guard vcpus[v].isStarted, !vcpus[v].isBlocked, !isPaused(v) else {
      if vcpus[v].state == .blocked, !vcpus[v].isBlocked { enter(.offline, v) }
      return 0
    }
    guard vcpus[v].state == .blocked || vcpus[v].state == .offline else { return 0 }
    startTimer()
    enter(.runnable, v)
    if vcpus[v].isExhausted {
      vcpus[v].isParked = true
      return 0
    }
    if vcpus[v].priority == .under { vcpus[v].priority = .boost }
    return place(v)
  }
}
