extension CreditScheduler {
  /// What must hold between any two calls: the first thing that does not, in a few words. A scheduler that is restored is looked at.
  package var violation: String? {
    var running: Set<Int> = []
    for (cpu, record) in cpus.enumerated() {
      if let v = record.current {
        guard running.insert(v).inserted else { return "a virtual processor runs twice" }
        guard vcpus[v].state == .running, vcpus[v].processor == cpu else { return "processor \(cpu) runs what does not run" }
      }
      guard (record.current == nil) == (idle & bit(cpu) != 0) else { return "the idle mask is wrong for processor \(cpu)" }
      guard record.queue.isEmpty == (queued & bit(cpu) == 0) else { return "the queue mask is wrong for processor \(cpu)" }
      for v in record.queue {
        guard vcpus[v].state == .runnable, !vcpus[v].isParked, vcpus[v].processor == cpu, allowed(v) & bit(cpu) != 0 else {
          return "something waits on processor \(cpu) that should not"
        }
      }
      guard zip(record.queue, record.queue.dropFirst()).allSatisfy({ precedes($0, $1) }) else {
        return "the queue of processor \(cpu) is not in order"
      }
    }
    for v in vcpus.indices where vcpus[v].serial != 0 {
      if vcpus[v].state == .running, !running.contains(v) { return "virtual processor \(vcpus[v].serial) runs nowhere" }
      if vcpus[v].state == .runnable, !vcpus[v].isParked, !cpus[vcpus[v].processor].queue.contains(v) {
        return "virtual processor \(vcpus[v].serial) waits nowhere"
      }
      if vcpus[v].times.sum != vcpus[v].since - vcpus[v].created {
        return "the times of virtual processor \(vcpus[v].serial) do not add up"
      }
    }
    return nil
  }
}
