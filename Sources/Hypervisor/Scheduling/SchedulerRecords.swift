extension CreditScheduler {
  /// Names a virtual processor for as long as it exists; names are never used twice.
  public struct Handle: Sendable, Hashable, Codable {
    let slot: Int
    let serial: UInt64
  }

  /// Xen's runstates, with Xen's numbers.
  public enum RunState: Int, Sendable, Codable {
    case running = 0
    /// Wants to run: waits for a processor, or for its domain's cap.
    case runnable = 1
    case blocked = 2
    /// Not yet started, or paused.
    case offline = 3
  }

  /// Xen's priorities. A better one is greater.
  public enum Priority: Int, Sendable, Codable, Comparable {
    case over = -2
    case under = -1
    /// Has just woken up, and has not used up what it is entitled to.
    case boost = 0

    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  }

  /// Cycles spent in each state.
  public struct StateTimes: Sendable, Equatable, Codable {
    public internal(set) var running: UInt64 = 0
    public internal(set) var runnable: UInt64 = 0
    public internal(set) var blocked: UInt64 = 0
    public internal(set) var offline: UInt64 = 0

    /// The age of the virtual processor.
    var sum: UInt64 { running.addingSaturated(runnable).addingSaturated(blocked).addingSaturated(offline) }

    public internal(set) subscript(state: RunState) -> UInt64 {
      get {
        switch state {
        case .running: running
        case .runnable: runnable
        case .blocked: blocked
        case .offline: offline
        }
      }
      set {
        switch state {
        case .running: running = newValue
        case .runnable: runnable = newValue
        case .blocked: blocked = newValue
        case .offline: offline = newValue
        }
      }
    }
  }

  struct DomainRecord: Sendable, Equatable, Codable {
    /// nil: the place is free.
    var id: Int?
    var weight: Int
    var cap: Int
    var pauses = 0
  }

  struct VirtualProcessorRecord: Sendable, Equatable, Codable {
    /// Order of creation, from 1; 0: the place is free.
    var serial: UInt64 = 0
    var domain = 0
    var affinity: UInt64 = 0
    /// Where it runs or waits, or is to be looked for a place.
    var processor = 0
    var lastRun: Int?

    var state = RunState.offline
    /// It sleeps until the next wake-up; before the first one it is not `isBlocked` but not `isStarted`.
    var isBlocked = false
    var isStarted = false
    var pauses = 0
    var isParked = false
    var hasYielded = false
    /// It is to go on elsewhere, so that one that can run nowhere else need not wait.
    var makesRoom = false

    var created: UInt64 = 0
    /// Up to when `times` and `credit` count.
    var since: UInt64 = 0
    var times = StateTimes()
    /// `times` at the last accounting.
    var settledTimes = StateTimes()

    var priority = Priority.under
    /// In cycles.
    var credit: Int64 = 0
    /// What the domain's cap lets it run before it is parked; nil without a cap. Falls while it runs, grows with each accounting.
    var allowance: Int64?
    /// When it was given its processor.
    var started: UInt64 = 0
    var sliceEnd: UInt64 = 0

    var timesScheduled: UInt64 = 0
    var migrations: UInt64 = 0

    var isExhausted: Bool { allowance.map { $0 <= 0 } ?? false }

    /// The priority that goes with the credit.
    var earnedPriority: Priority { credit < 0 ? .over : .under }
  }

  struct ProcessorRecord: Sendable, Equatable {
    var current: Int?
    /// What waits here, in the order of ``CreditScheduler/precedes(_:_:)``.
    var queue: [Int] = []
  }
}
