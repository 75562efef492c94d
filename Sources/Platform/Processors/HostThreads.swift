import CHostAtomics
import Processor

#if canImport(Glibc)
  import Glibc
#endif

/// Threads of the host that do the parts of one piece of work at the same time, the caller's among them. The pieces follow each other within
/// microseconds, so who has nothing to do looks around for a while before it sleeps.
///
/// `@unchecked`: the work is written before the ticket that gives it out, and read behind it; everything else is atomic, or the caller's alone.
public final class HostThreads: @unchecked Sendable {
  /// The caller's thread included.
  public let count: Int
  /// What a worker takes its part from: number of the work, number of parts, next part (32, 16, 16 bits).
  private let ticket: UnsafeMutablePointer<UInt64>
  /// Parts that are not done yet.
  private let left: UnsafeMutablePointer<UInt32>
  private var work: (Int) -> Void = { _ in }
  private var serial: UInt64 = 0
  /// A piece of work is being done.
  public private(set) var isBusy = false

  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private let sleepers: UnsafeMutablePointer<UInt32>

  public static let largestCount = 64
  /// Rounds of looking around before a worker sleeps.
  private static let patience = 1000

  /// Threads that cannot be made are missing, and the others do their part.
  public init(_ wanted: Int) {
    precondition(1...Self.largestCount ~= wanted, "a number of threads")
    // A cache line each: they are written by all.
    ticket = .allocate(capacity: 8)
    ticket.initialize(repeating: 0, count: 8)
    left = .allocate(capacity: 16)
    left.initialize(repeating: 0, count: 16)
    sleepers = .allocate(capacity: 16)
    sleepers.initialize(repeating: 0, count: 16)
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
    condition = .allocate(capacity: 1)
    condition.initialize(to: pthread_cond_t())
    pthread_cond_init(condition, nil)
    count = wanted
    for _ in 1..<wanted { start() }
  }

  /// Threads are for as long as the process: nothing is given back.
  private func start() {
    // Signals are the first thread's business.
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    var thread = pthread_t()
    let team = Unmanaged.passRetained(self)
    let body: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { team in
      guard let team else { return nil }
      Unmanaged<HostThreads>.fromOpaque(team).takeUnretainedValue().serve()
    }
    if pthread_create(&thread, nil, body, team.toOpaque()) == 0 { pthread_detach(thread) } else { team.release() }
  }

  /// Does `body` for 0..<parts, several at the same time and in no order, and comes back when all are done. At most 32,768 parts; not from
  /// inside of another piece of work.
  public func run(_ parts: Int, _ body: @escaping (Int) -> Void) {
    precondition(!isBusy && parts <= 1 << 15, "one piece of work at a time")
    guard parts > 1, count > 1 else { return (0..<parts).forEach(body) }
    isBusy = true
    work = body
    epicure_store32(left, UInt32(parts))
    serial &+= 1
    epicure_store64(ticket, serial << 32 | UInt64(parts) << 16)
    wakeUp()
    takeParts()
    var wait = HostWait()
    while epicure_load32(left) != 0 { wait.pause() }
    isBusy = false
  }

  /// Parts until there are no more. A ticket says itself how many parts its work has, so that a thread that is late cannot mistake it.
  private func takeParts() {
    while true {
      // Looking first keeps the number of the part from running over.
      let current = epicure_load64(ticket)
      if current & 0xFFFF >= current >> 16 & 0xFFFF { return }
      let mine = epicure_add64(ticket, 1)
      let part = mine & 0xFFFF
      if part >= mine >> 16 & 0xFFFF { return }
      work(Int(part))
      _ = epicure_add32(left, UInt32(bitPattern: -1))
    }
  }

  // MARK: Workers

  private var hasParts: Bool {
    let current = epicure_load64(ticket)
    return current & 0xFFFF < current >> 16 & 0xFFFF
  }

  private func serve() -> Never {
    while true {
      var wait = HostWait()
      while !hasParts && wait.rounds < Self.patience { wait.pause() }
      if !hasParts { sleep() }
      takeParts()
    }
  }

  private func sleep() {
    pthread_mutex_lock(mutex)
    _ = epicure_add32(sleepers, 1)
    // Full fences on both sides: either this sees the work, or who brings it sees the sleeper.
    epicure_fence()
    while !hasParts { pthread_cond_wait(condition, mutex) }
    _ = epicure_add32(sleepers, UInt32(bitPattern: -1))
    pthread_mutex_unlock(mutex)
  }

  private func wakeUp() {
    epicure_fence()
    guard epicure_load32(sleepers) != 0 else { return }
    pthread_mutex_lock(mutex)
    pthread_cond_broadcast(condition)
    pthread_mutex_unlock(mutex)
  }
}
