import CHostAtomics
import IA64

#if canImport(Glibc)
  import Glibc
#endif

/// What lets the processors of one memory run on several threads of the host.
///
/// Who holds the lock may touch whatever processors share: devices, interrupts, time, each other. A processor gives it away while it runs
/// blocks ("it is apart"): then it touches its own state, its own translated code, and RAM, where the guest's own rules about order and
/// atomicity hold, which the host's processors keep. It comes back (``LogicalProcessor/comeTogether()``) before it does anything else, and
/// stays until the dispatcher sends it off again.
///
/// What needs more than that, because others rely on it without asking (translations, pages of code), has all others stopped meanwhile
/// (``stopOthers()``): they come to the end of their block, want the lock, and hear what has happened before they go on.
///
/// `@unchecked`: it is what threads share, and made of atomic words; the rest is touched under itself only.
public final class ExecutionLock: @unchecked Sendable {
  /// Who comes next, and whose turn it is. In the order of their coming, because a processor that wants the lock again and again would keep
  /// others from it; and without sleep, because nobody waits for anything while it is held.
  private let numbers: UnsafeMutablePointer<UInt32>
  /// The thread that holds the lock; 0: nobody. One word, because others look at it.
  private let owner: UnsafeMutablePointer<UInt64>
  /// The processor that works under the lock; nil: none does, or somebody else.
  public private(set) unowned(unsafe) var holder: LogicalProcessor?
  private var processors: [Unmanaged<LogicalProcessor>] = []

  init() {
    // A cache line for each.
    numbers = .allocate(capacity: 32)
    numbers.initialize(repeating: 0, count: 32)
    owner = .allocate(capacity: 1)
    owner.initialize(to: 0)
  }

  deinit {
    numbers.deallocate()
    owner.deallocate()
  }

  private static var thisThread: UInt64 { UInt64(pthread_self()) }

  private var next: UnsafeMutablePointer<UInt32> { numbers }
  private var served: UnsafeMutablePointer<UInt32> { numbers + 16 }

  /// `processor`: who will work under the lock.
  public func enter(for processor: LogicalProcessor? = nil) {
    let mine = epicure_add32(next, 1)
    var wait = HostWait()
    while epicure_load32(served) != mine { wait.pause() }
    epicure_store64(owner, Self.thisThread)
    holder = processor
  }

  public func leave() {
    holder = nil
    epicure_store64(owner, 0)
    epicure_store32(served, served.pointee &+ 1)
  }

  /// `body` under the lock, whether this thread has it already or not.
  public func whileHeld<T>(_ body: () throws -> T) rethrows -> T {
    // Only this thread writes its own number there, and takes it away.
    if epicure_load64(owner) == Self.thisThread { return try body() }
    enter()
    defer { leave() }
    return try body()
  }

  func add(_ processor: LogicalProcessor) { processors.append(.passUnretained(processor)) }
  func remove(_ processor: LogicalProcessor) {
    processors.removeAll { $0.toOpaque() == Unmanaged.passUnretained(processor).toOpaque() }
  }

  /// Nobody is apart when this returns, nor will be as long as the lock is held.
  func stopOthers() {
    for processor in processors { processor._withUnsafeGuaranteedRef { $0.askBack() } }
    for processor in processors { processor._withUnsafeGuaranteedRef { $0.awaitBack() } }
  }
}

extension PhysicalMemory {
  /// The lock of the processors that work on it.
  public var executionLock: ExecutionLock {
    if let lock = domain.parallel { return lock }
    let lock = ExecutionLock()
    domain.parallel = lock
    return lock
  }
}

extension LogicalProcessor {
  /// Lets this processor run apart from others, which must all do so. Returns the lock of its memory.
  @discardableResult
  public func runInParallel() -> ExecutionLock {
    precondition(!isTimed && debug == nil, "timing and debugging are for one thread")
    let lock = memory.executionLock
    guard parallel == nil else { return lock }
    parallel = lock
    lock.add(self)
    // Links are set while blocks run, so nobody may share them.
    blocks = domain.addCache()
    codeMapChanged()
    alatClear()
    return lock
  }

  /// It runs blocks, and does not hold the lock.
  var isApart: Bool { @inline(__always) get { apart.pointee != 0 } }

  /// Runs blocks while others may do the same.
  @inline(never) func runApart(_ block: UnsafeMutablePointer<Block>, _ lock: ExecutionLock) -> LoopExit {
    epicure_store32(apart, 1)
    lock.leave()
    let exit = runBlocks(block)
    if isApart { comeTogether() }
    return exit
  }

  /// Gets the lock, and hears what others have done. The block that runs is the last one.
  @inline(never) func comeTogether() {
    guard let parallel else { preconditionFailure("only processors with a lock are apart") }
    epicure_store32(apart, 0)
    parallel.enter(for: self)
    comesToRun()
    engine.pointee.limit = 0
  }

  /// The lock is held: this processor is not apart, nor will be as long as it is. For what others do to it.
  @inline(__always) func standStill() { if parallel != nil { awaitStandstill() } }

  @inline(never) private func awaitStandstill() {
    askBack()
    awaitBack()
  }

  /// Ends its run of blocks. Nobody else writes the limit while it is apart.
  fileprivate func askBack() { if epicure_load32(apart) != 0 { engine.pointee.limit = 0 } }

  fileprivate func awaitBack() {
    var wait = HostWait()
    while epicure_load32(apart) != 0 { wait.pause() }
  }
}

extension LogicalProcessor {
  /// The reference that has just been translated is none of RAM's that may be made without asking.
  @inline(never) func reachesOthers(_ size: Int, _ access: DataAccess) -> Bool {
    if access.isr & ISR.na != 0 { return false }
    guard let host = memory.host(translated.physical, count: size) else { return true }
    return access.writes && memory.pageFlags[memory.pageIndex(host)] & PhysicalMemory.holdsCode != 0
  }

  /// Called before what may look at time, interrupts, other processors or their translations, or be the hypervisor's business.
  @inline(__always) func concernsOthers() { if isApart { comeTogether() } }

  /// The same for instructions of the system, some of which look only at this processor, unless they are a guest's.
  @inline(__always) func concernsOthers(_ operation: Operation) {
    switch operation {
    case .cover, .flushrs, .movFromPSR, .thash, .ttag, .tpa, .probe, .probeImmediate: if isVirtual { concernsOthers() }
    default: concernsOthers()
    }
  }
}
