@testable import Hypervisor

extension CreditScheduler {
  /// What must always hold; the first thing that does not.
  func violation(now: UInt64) -> String? {
    var running: Set<Int> = []
    for (cpu, record) in cpus.enumerated() {
      if let v = record.current {
        guard running.insert(v).inserted else { return "virtual processor \(v) runs twice" }
        guard vcpus[v].state == .running, vcpus[v].processor == cpu else { return "\(v) runs on \(cpu) and does not know it" }
      }
      guard (record.current == nil) == (idle & bit(cpu) != 0) else { return "the idle mask is wrong for \(cpu)" }
      guard record.queue.isEmpty == (queued & bit(cpu) == 0) else { return "the queue mask is wrong for \(cpu)" }
      for v in record.queue {
        guard vcpus[v].state == .runnable, !vcpus[v].isParked, vcpus[v].processor == cpu else {
          return "\(v) should not wait on \(cpu)"
        }
        guard allowed(v) & bit(cpu) != 0 else { return "\(v) waits outside its affinity" }
      }
      guard zip(record.queue, record.queue.dropFirst()).allSatisfy({ precedes($0, $1) }) else {
        return "queue \(cpu) is not in order"
      }
    }
    for v in vcpus.indices where vcpus[v].serial != 0 {
      if vcpus[v].state == .running, !running.contains(v) { return "\(v) runs nowhere" }
      if vcpus[v].state == .runnable, !vcpus[v].isParked, !cpus[vcpus[v].processor].queue.contains(v) {
        return "\(v) waits nowhere"
      }
      let times = vcpus[v].times
      let sum = times.running + times.runnable + times.blocked + times.offline
      guard sum + (now - vcpus[v].since) == now - vcpus[v].created else { return "the times of \(v) do not add up" }
    }
    return nil
  }

  /// Once every processor that had to has rescheduled: affinities are respected, and nobody waits for a processor that idles.
  func violationAtRest(now: UInt64) -> String? {
    if let violation = violation(now: now) { return violation }
    for (cpu, record) in cpus.enumerated() {
      if let v = record.current, allowed(v) & bit(cpu) == 0 { return "\(v) runs outside its affinity" }
    }
    for cpu in ProcessorNumbers(queued) {
      for v in cpus[cpu].queue where allowed(v) & idle != 0 { return "\(v) waits while processors \(allowed(v) & idle) idle" }
    }
    return nil
  }
}
