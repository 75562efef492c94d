import Processor

/// Several processors of a machine at the same time, window by window: within one each runs on its own, between two the machine is as it is
/// between turns on one thread. What they do to each other comes in an order that no run repeats.
struct ParallelRunning {
  /// Cycles of a window, 10 µs at 1.6 GHz: so far may clocks be apart, and so late may a wake-up be. Shorter ones would be spent waiting for
  /// the slowest thread.
  static let window: UInt64 = 16_384

  let threads: HostThreads
  let lock: ExecutionLock

  static func endOfWindow(_ cycle: UInt64) -> UInt64 {
    let last = cycle | (window - 1)
    return last == .max ? last : last + 1
  }

  /// The processor that works under the lock, if it is one of these.
  func holder(among processors: [LogicalProcessor]) -> LogicalProcessor? {
    guard let holder = lock.holder, processors.contains(where: { $0 === holder }) else { return nil }
    return holder
  }

  /// Does `body` for all of `processors`, under the lock as far as it does not run blocks. The lock is held by the caller.
  func run(_ processors: [LogicalProcessor], _ body: @escaping (_ index: Int) -> Void) {
    lock.leave()
    threads.run(processors.count) { [lock] part in
      lock.enter(for: processors[part])
      body(part)
      lock.leave()
    }
    lock.enter()
  }
}
