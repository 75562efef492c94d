import Hypervisor

/// Virtual processors with simple habits on physical processors that do what the scheduler says. Time goes from event to event.
struct SchedulerSimulator {
  enum Habit {
    /// Never sleeps.
    case hog
    /// Has `work` to do at every multiple of `every`, and sleeps when it is done.
    case periodic(work: UInt64, every: UInt64)
    /// Works, waits for as long as a request takes, and works again.
    case requests(work: UInt64, wait: UInt64)
  }

  struct Actor {
    let handle: CreditScheduler.Handle
    var habit: Habit
    /// Work that is left before it sleeps.
    var remaining: UInt64 = .max
    /// When it wakes up, if it sleeps.
    var wakeUp: UInt64 = .max
    /// When its work arrived that is being done now.
    var due: UInt64 = 0
    /// It has been woken and has not run since.
    var awaitsProcessor = false
    var wokenAt: UInt64 = 0
    var latencies: [UInt64] = []
  }

  struct Place {
    var actor: Int?
    var until: UInt64 = .max
  }

  static let millisecond: UInt64 = 1_600_000
  static let second: UInt64 = 1_600_000_000

  var scheduler: CreditScheduler
  private(set) var now: UInt64 = 0
  private(set) var actors: [Actor] = []
  private(set) var places: [Place]
  /// Looked at after each instant; returns what is wrong.
  var check: ((borrowing SchedulerSimulator) throws -> String?)?
  private(set) var complaint: String?

  init(processors: Int) throws {
    scheduler = try CreditScheduler(processors: processors)
    places = Array(repeating: Place(), count: processors)
  }

  /// Adds a virtual processor that wakes up at once. Returns its number.
  @discardableResult mutating func add(to domain: Int, _ habit: Habit, affinity: UInt64 = .max) throws -> Int {
    let handle = try scheduler.addVirtualProcessor(to: domain, affinity: affinity, now: now)
    actors.append(Actor(handle: handle, habit: habit))
    let n = actors.count - 1
    try startWork(n)
    return n
  }

  private mutating func startWork(_ n: Int) throws {
    switch actors[n].habit {
    case .hog: actors[n].remaining = .max
    case .periodic(let work, _), .requests(let work, _): actors[n].remaining = work
    }
    actors[n].wakeUp = .max
    actors[n].awaitsProcessor = true
    actors[n].wokenAt = now
    try reschedule(scheduler.wake(actors[n].handle, now: now))
  }

  /// Asks again for each processor of the mask, and for those that come of it.
  mutating func reschedule(_ mask: UInt64) throws {
    var mask = mask
    while mask != 0 {
      let cpu = mask.trailingZeroBitCount
      mask &= mask - 1
      let decision = scheduler.schedule(cpu, now: now)
      let next = decision.virtualProcessor.flatMap { handle in actors.firstIndex { $0.handle == handle } }
      places[cpu] = Place(actor: next, until: decision.until)
      mask |= decision.others
      if let next, actors[next].awaitsProcessor {
        actors[next].awaitsProcessor = false
        actors[next].latencies.append(now - actors[next].wokenAt)
      }
    }
  }

  /// Lets time pass until the next event, `end` at the latest.
  private mutating func advance(_ end: UInt64) {
    var next = min(end, scheduler.nextTimer)
    for place in places {
      guard let n = place.actor else { continue }
      next = min(next, place.until, actors[n].remaining == .max ? .max : now + actors[n].remaining)
    }
    for actor in actors { next = min(next, actor.wakeUp) }
    for place in places {
      if let n = place.actor, actors[n].remaining != .max { actors[n].remaining -= next - now }
    }
    now = next
  }

  mutating func run(until end: UInt64) throws {
    while now < end {
      advance(end)
      for n in actors.indices where actors[n].wakeUp <= now { try startWork(n) }
      for n in actors.indices where actors[n].remaining == 0 { try finish(n) }
      try reschedule(scheduler.timer(now: now))
      for cpu in places.indices where places[cpu].actor != nil && places[cpu].until <= now { try reschedule(1 << UInt64(cpu)) }
      if let check, complaint == nil, let wrong = try check(self) { complaint = "at cycle \(now): \(wrong)" }
    }
  }

  private mutating func finish(_ n: Int) throws {
    switch actors[n].habit {
    case .hog: return
    case .periodic(let work, let every):
      actors[n].due += every
      if actors[n].due <= now {
        // Late: the next piece of work is there already.
        actors[n].remaining = work
        return
      }
      actors[n].wakeUp = actors[n].due
    case .requests(_, let wait): actors[n].wakeUp = now + wait
    }
    actors[n].remaining = .max
    let mask = try scheduler.block(actors[n].handle, now: now)
    for place in places.indices where places[place].actor == n { places[place].actor = nil }
    try reschedule(mask)
  }

  /// Cycles that a virtual processor has run.
  func ran(_ n: Int) throws -> UInt64 { try scheduler.runstate(of: actors[n].handle, now: now).times.running }
}
