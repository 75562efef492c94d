/// Who waits where.
extension CreditScheduler {
  mutating func enqueue(_ v: Int, on cpu: Int) {
    vcpus[v].processor = cpu
    var position = cpus[cpu].queue.count
    while position > 0, precedes(v, cpus[cpu].queue[position - 1]) { position -= 1 }
    cpus[cpu].queue.insert(v, at: position)
    queued |= bit(cpu)
  }

  /// False if it waits in no queue.
  @discardableResult mutating func dequeue(_ v: Int) -> Bool {
    guard vcpus[v].state == .runnable, !vcpus[v].isParked else { return false }
    let cpu = vcpus[v].processor
    cpus[cpu].queue.removeAll { $0 == v }
    if cpus[cpu].queue.isEmpty { queued &= ~bit(cpu) }
    return true
  }

  /// Takes a virtual processor from its queue or its processor. Returns the processor that ran it; the state is the caller's to set.
  mutating func release(_ v: Int) -> ProcessorMask {
    dequeue(v)
    vcpus[v].isParked = false
    vcpus[v].hasYielded = false
    vcpus[v].makesRoom = false
    guard vcpus[v].state == .running else { return 0 }
    let cpu = vcpus[v].processor
    cpus[cpu].current = nil
    idle |= bit(cpu)
    return bit(cpu)
  }

  /// After credits and priorities have changed.
  mutating func sortQueues() {
    for cpu in ProcessorNumbers(queued) where cpus[cpu].queue.count > 1 {
      let order = cpus[cpu].queue.sorted { precedes($0, $1) }
      cpus[cpu].queue = order
    }
  }

  /// Idle, and nothing waits there that will change that.
  var free: ProcessorMask { idle & ~queued }

  /// Finds a processor for a runnable virtual processor to wait at. Returns the one that must reschedule, if any: a free one, else one
  /// that runs something of lower priority, else one whose current virtual processor makes room.
  mutating func place(_ v: Int) -> ProcessorMask {
    let usable = allowed(v)
    let here = vcpus[v].processor
    if let cpu = preferred(usable & free, after: here) ?? preempted(by: v) {
      enqueue(v, on: cpu)
      return bit(cpu)
    }
    let shortest = ProcessorNumbers(usable).min { cpus[$0].queue.count < cpus[$1].queue.count }
    enqueue(v, on: usable & bit(here) != 0 ? here : shortest ?? here)
    return makeRoomForOne()
  }

  /// The processor itself, or the next one of the mask.
  func preferred(_ mask: ProcessorMask, after cpu: Int) -> Int? {
    guard mask != 0 else { return nil }
    let following = mask & (.max << UInt64(cpu))
    return (following != 0 ? following : mask).trailingZeroBitCount
  }

  /// The processor that `v` ran on last, or waits for, if what it does now has lower priority; else the one with the least to lose.
  func preempted(by v: Int) -> Int? {
    let usable = allowed(v)
    let here = vcpus[v].processor
    if usable & bit(here) != 0, isPreempted(here, by: v) { return here }
    var worst: (cpu: Int, current: Int)?
    for cpu in ProcessorNumbers(usable) where isPreempted(cpu, by: v) {
      guard let current = cpus[cpu].current else { continue }
      if let found = worst, !precedes(found.current, current) { continue }
      worst = (cpu, current)
    }
    return worst?.cpu
  }

  func isPreempted(_ cpu: Int, by v: Int) -> Bool {
    guard let current = cpus[cpu].current, vcpus[current].priority < vcpus[v].priority else { return false }
    guard let head = cpus[cpu].queue.first else { return true }
    return vcpus[head].priority < vcpus[v].priority
  }

  /// If a processor is free although somebody waits: one step towards using it. Returns the processor whose current virtual processor
  /// is to go elsewhere.
  mutating func makeRoomForOne() -> ProcessorMask {
    guard free != 0 else { return 0 }
    for cpu in ProcessorNumbers(queued) {
      let mask = makeRoom(for: cpu)
      if mask != 0 { return mask }
    }
    return 0
  }

  /// One step towards running what waits first on a processor.
  mutating func makeRoom(for cpu: Int) -> ProcessorMask {
    guard let head = cpus[cpu].queue.first, let last = endOfChain(for: head), let current = cpus[last].current else { return 0 }
    vcpus[current].makesRoom = true
    return bit(last)
  }

  /// The processor whose current virtual processor must go elsewhere, so that in the end `v` can run: the last step of a chain in which
  /// each takes the next one's place, up to a processor that is free, or runs something of lower priority than `v`.
  private func endOfChain(for v: Int) -> Int? {
    // Where `v` may run itself it needs no chain.
    var reached = allowed(v)
    var front = reached
    while reached != allProcessors {
      var next: ProcessorMask = 0
      for cpu in ProcessorNumbers(front) {
        // Nobody moves twice at the same time: that ends.
        guard let current = cpus[cpu].current, vcpus[current].started < clock else { continue }
        for other in ProcessorNumbers(allowed(current) & ~reached) {
          if free & bit(other) != 0 || isPreempted(other, by: v) { return cpu }
          next |= bit(other)
        }
      }
      guard next != 0 else { return nil }
      reached |= next
      front = next
    }
    return nil
  }

  /// Parks what runs or waits: its domain has had what its cap grants.
  mutating func park(_ v: Int) {
    dequeue(v)
    vcpus[v].isParked = true
  }

  mutating func unpark(_ v: Int) -> ProcessorMask {
    vcpus[v].isParked = false
    return place(v)
  }
}
