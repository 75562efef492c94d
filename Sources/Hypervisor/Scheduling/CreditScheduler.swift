/// Xen's credit scheduler: decides which virtual processor a physical processor runs, and until when.
///
/// It knows nothing of what a processor is. Its owner tells it what happens (``wake(_:now:)``, ``block(_:now:)``), calls
/// ``timer(now:)`` when ``nextTimer`` is due, and asks ``schedule(_:now:)`` whenever a physical processor has nothing to run, when the
/// slice has ended, and for each processor that a returned ``ProcessorMask`` names. All times are cycles of one virtual clock. A call
/// with an earlier time than the last one counts as at that last time, so processors that run by turns may be slightly apart.
///
/// The whole scheduler is one value: a copy is a second scheduler, and encoding it saves it. Documentation/Scheduler.md has the rules.
public struct CreditScheduler: Sendable, Equatable {
  /// Layout of the encoded form.
  public static let stateVersion = 1
  /// More virtual processors than 64 domains of 64 can have.
  public static let maximumVirtualProcessors = 4096
  public static let weightRange = 1...65535
  public static let defaultWeight = 256
  /// In percent of one physical processor; 0 is no cap.
  public static let capRange = 0...6400

  /// A set of physical processors: bit n is processor n.
  public typealias ProcessorMask = UInt64

  public let processors: Int
  public let cyclesPerSecond: UInt64
  /// The latest time that any call has named.
  public internal(set) var clock: UInt64 = 0
  /// When ``timer(now:)`` wants to be called; `UInt64.max` while every virtual processor sleeps.
  public internal(set) var nextTimer: UInt64 = .max

  var lastAccounting: UInt64 = 0
  var nextSerial: UInt64 = 1
  var domains: [DomainRecord] = []
  var vcpus: [VirtualProcessorRecord] = []
  var cpus: [ProcessorRecord]
  /// Processors that run nothing.
  var idle: ProcessorMask
  /// Processors whose queue is not empty.
  var queued: ProcessorMask = 0

  /// - Throws: ``Failure/processors(_:)``, ``Failure/frequency(_:)``
  public init(processors: Int, cyclesPerSecond: UInt64 = 1_600_000_000) throws(Failure) {
    guard (1...64).contains(processors) else { throw .processors(processors) }
    guard (1_000_000...1_000_000_000_000).contains(cyclesPerSecond) else { throw .frequency(cyclesPerSecond) }
    self.processors = processors
    self.cyclesPerSecond = cyclesPerSecond
    cpus = Array(repeating: ProcessorRecord(), count: processors)
    idle = .max >> UInt64(64 - processors)
  }

  /// 10 ms: the running virtual processors are looked at.
  public var tick: UInt64 { cyclesPerSecond / 100 }
  /// 30 ms: what was run is settled. Credit is counted in cycles, so this is what Xen calls 300 credits.
  public var period: UInt64 { 3 * tick }
  /// 30 ms: how long a virtual processor may run before others of its priority are looked at.
  public var slice: UInt64 { 3 * tick }
  /// 100 µs: a cap does not cut slices below this; what is too much is taken from the next ones.
  public var minimumRun: UInt64 { cyclesPerSecond / 10_000 }

  /// Every physical processor.
  public var allProcessors: ProcessorMask { .max >> UInt64(64 - processors) }

  /// Time never goes back.
  mutating func advance(to now: UInt64) { clock = max(clock, now) }

  /// Brings a virtual processor's times, and with them its credit, up to the clock.
  mutating func settle(_ v: Int) {
    let elapsed = clock - vcpus[v].since
    guard elapsed != 0 else { return }
    vcpus[v].since = clock
    vcpus[v].times[vcpus[v].state] += elapsed
    guard vcpus[v].state == .running else { return }
    vcpus[v].credit = vcpus[v].credit.subtractingSaturated(Int64(clamping: elapsed))
    vcpus[v].allowance = vcpus[v].allowance?.subtractingSaturated(Int64(clamping: elapsed))
  }

  mutating func enter(_ state: RunState, _ v: Int) {
    settle(v)
    vcpus[v].state = state
  }

  /// Whether `a` is to run before `b`: the better priority, then the higher credit, then the older one.
  func precedes(_ a: Int, _ b: Int) -> Bool {
    if vcpus[a].priority != vcpus[b].priority { return vcpus[a].priority > vcpus[b].priority }
    if vcpus[a].credit != vcpus[b].credit { return vcpus[a].credit > vcpus[b].credit }
    return vcpus[a].serial < vcpus[b].serial
  }

  /// The processors that exist and that this virtual processor may use.
  func allowed(_ v: Int) -> ProcessorMask { vcpus[v].affinity & allProcessors }
}
