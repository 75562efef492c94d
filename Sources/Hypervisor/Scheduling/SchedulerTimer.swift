/// The tick, every 10 ms; every third one brings the accounting.
extension CreditScheduler {
  /// To be called when ``nextTimer`` is due. Returns the processors that must reschedule now.
  public mutating func timer(now: UInt64) -> ProcessorMask {
    advance(to: now)
    guard clock >= nextTimer else { return 0 }
    var mask = lookAtCurrents()
    for cpu in ProcessorNumbers(queued) { mask |= makeRoom(for: cpu) }
    var isAwake = true
    if clock / period > lastAccounting / period {
      mask |= account()
      isAwake = vcpus.contains { $0.state == .running || $0.state == .runnable }
    }
    // Nobody wants to run: time may pass without ticks.
    nextTimer = isAwake ? followingTick : .max
    return mask
  }

  /// Starts the ticks when the first virtual processor wakes up.
  mutating func startTimer() {
    guard nextTimer == .max else { return }
    forgiveAll(clock - lastAccounting)
    lastAccounting = max(lastAccounting, clock / period * period)
    nextTimer = followingTick
  }

  /// Ticks are at multiples of their length.
  private var followingTick: UInt64 { (clock / tick).addingSaturated(1).scaled(by: tick, over: 1) }

  private mutating func lookAtCurrents() -> ProcessorMask {
    var mask: ProcessorMask = 0
    for cpu in ProcessorNumbers(allProcessors & ~idle) {
      guard let current = cpus[cpu].current else { continue }
      settle(current)
      if vcpus[current].priority == .boost { vcpus[current].priority = .under }
      let isBoostWaiting = cpus[cpu].queue.first.map { vcpus[$0].priority == .boost } ?? false
      if isBoostWaiting { mask |= bit(cpu) }
    }
    return mask
  }

  /// Nobody has wanted to run for so long: nobody has been kept from running by what others owe, and caps have not been used.
  private mutating func forgiveAll(_ elapsed: UInt64) {
    for domain in domains.indices where domains[domain].id != nil {
      let members = members(domain)
      for v in members {
        forgive(v, elapsed)
        vcpus[v].priority = vcpus[v].earnedPriority
        refill(
          v, elapsed.scaled(by: UInt64(domains[domain].cap), over: 100) / UInt64(members.count),
          upTo: ration(domain, members: members.count))
      }
    }
  }

  /// Lessens a debt.
  mutating func forgive(_ v: Int, _ amount: UInt64) {
    guard vcpus[v].credit < 0 else { return }
    vcpus[v].credit = min(0, vcpus[v].credit.addingSaturated(Int64(clamping: amount)))
  }

  /// Adds to what a cap lets a virtual processor run.
  mutating func refill(_ v: Int, _ amount: UInt64, upTo most: Int64?) {
    guard let most, let allowance = vcpus[v].allowance, allowance < most else { return }
    vcpus[v].allowance = min(most, allowance.addingSaturated(Int64(clamping: amount)))
  }
}
