import Hypervisor

extension CreditScheduler {
  /// What must hold once every processor that had to has rescheduled: affinities are respected, nobody waits for a processor that idles,
  /// times add up.
  func violationAtRest(_ handles: [Handle], now: UInt64) throws -> String? {
    if let violation { return violation }
    var idle = allProcessors
    for cpu in 0..<processors {
      guard let current = current(on: cpu) else { continue }
      idle &= ~(1 << UInt64(cpu))
      if try affinity(of: current) & 1 << UInt64(cpu) == 0 { return "\(current) runs outside its affinity" }
    }
    for handle in handles {
      let runstate = try runstate(of: handle, now: now)
      let times = runstate.times
      guard times.running + times.runnable + times.blocked + times.offline == runstate.age else {
        return "the times of \(handle) do not add up"
      }
      guard runstate.state == .runnable, try !statistics(of: handle, now: now).isParked else { continue }
      if try affinity(of: handle) & idle != 0 { return "\(handle) waits while processors \(idle) idle" }
    }
    return nil
  }
}
