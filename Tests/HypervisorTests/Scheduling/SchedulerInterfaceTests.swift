import Hypervisor
import TestSupport
import Testing

/// What is refused, and how; states and times of one virtual processor step by step.
@Suite("Scheduler: interface", .ends(withinMinutes: 1)) struct SchedulerInterfaceTests {
  typealias Failure = CreditScheduler.Failure

  @Test func refusals() throws {
    #expect(throws: Failure.processors(0)) { try CreditScheduler(processors: 0) }
    #expect(throws: Failure.processors(65)) { try CreditScheduler(processors: 65) }
    #expect(throws: Failure.frequency(1)) { try CreditScheduler(processors: 1, cyclesPerSecond: 1) }
    var scheduler = try CreditScheduler(processors: 2)
    #expect(throws: Failure.weight(0)) { try scheduler.addDomain(1, weight: 0) }
    #expect(throws: Failure.weight(65536)) { try scheduler.addDomain(1, weight: 65536) }
    #expect(throws: Failure.cap(-1)) { try scheduler.addDomain(1, cap: -1) }
    #expect(throws: Failure.cap(65535)) { try scheduler.addDomain(1, cap: 65535) }
    try scheduler.addDomain(1, weight: 65535, cap: 6400)
    #expect(throws: Failure.domainExists(1)) { try scheduler.addDomain(1) }
    #expect(throws: Failure.unknownDomain(2)) { try scheduler.setWeight(1, ofDomain: 2, now: 0) }
    #expect(throws: Failure.unknownDomain(2)) { _ = try scheduler.setCap(1, ofDomain: 2, now: 0) }
    #expect(throws: Failure.affinity(12, processors: 2)) { try scheduler.addVirtualProcessor(to: 1, affinity: 12, now: 0) }
    let v = try scheduler.addVirtualProcessor(to: 1, now: 0)
    #expect(throws: Failure.affinity(0, processors: 2)) { _ = try scheduler.setAffinity(0, of: v, now: 0) }
    #expect(throws: Failure.notPaused) { _ = try scheduler.unpause(v, now: 0) }
    #expect(try scheduler.affinity(of: v) == .max)
    #expect(try scheduler.domain(of: v) == 1)
    _ = try scheduler.remove(v, now: 0)
    #expect(throws: Failure.unknownVirtualProcessor) { _ = try scheduler.wake(v, now: 0) }
    // The place is used again, the name is not.
    let w = try scheduler.addVirtualProcessor(to: 1, now: 0)
    #expect(w != v)
    #expect(throws: Failure.unknownVirtualProcessor) { _ = try scheduler.runstate(of: v, now: 0) }
  }

  @Test func descriptions() {
    #expect("\(Failure.weight(0))" == "weight 0 is out of range: must be 1 to 65535")
    #expect("\(Failure.cap(9999))" == "cap 9999 is out of range: must be 0 (no cap) to 6400 percent")
    #expect("\(Failure.affinity(0xF0, processors: 4))" == "affinity 0xf0 contains no existing processor: there are 0 to 3")
    #expect("\(Failure.unknownDomain(7))" == "there is no domain 7")
  }

  @Test func tooMany() throws {
    var scheduler = try CreditScheduler(processors: 1)
    try scheduler.addDomain(0)
    for _ in 0..<CreditScheduler.maximumVirtualProcessors { _ = try scheduler.addVirtualProcessor(to: 0, now: 0) }
    #expect(throws: Failure.tooManyVirtualProcessors) { try scheduler.addVirtualProcessor(to: 0, now: 0) }
  }

  private func times(_ scheduler: CreditScheduler, _ v: CreditScheduler.Handle, _ now: UInt64) throws -> [UInt64] {
    let runstate = try scheduler.runstate(of: v, now: now)
    let times = runstate.times
    #expect(times.running + times.runnable + times.blocked + times.offline == runstate.age)
    return [times.running, times.runnable, times.blocked, times.offline]
  }

  /// Xen's runstates: paused is offline, unless it sleeps.
  @Test func runstates() throws {
    var scheduler = try CreditScheduler(processors: 1)
    try scheduler.addDomain(0)
    let v = try scheduler.addVirtualProcessor(to: 0, now: 100)
    let w = try scheduler.addVirtualProcessor(to: 0, now: 100)
    #expect(try scheduler.runstate(of: v, now: 150).state == .offline)
    #expect(try scheduler.wake(v, now: 200) == 1)
    #expect(try scheduler.runstate(of: v, now: 210).state == .runnable)
    #expect(scheduler.schedule(0, now: 220).virtualProcessor == v)
    #expect(try scheduler.wake(w, now: 300) == 0)
    #expect(try scheduler.block(v, now: 400) == 1)
    #expect(scheduler.schedule(0, now: 410).virtualProcessor == w)
    #expect(try times(scheduler, v, 500) == [180, 20, 100, 100])
    #expect(try times(scheduler, w, 500) == [90, 110, 0, 200])
    #expect(try scheduler.pause(v, now: 500) == 0)
    #expect(try scheduler.runstate(of: v, now: 510).state == .blocked)
    #expect(try scheduler.wake(v, now: 600) == 0)
    #expect(try scheduler.runstate(of: v, now: 610).state == .offline)
    #expect(try scheduler.pause(w, now: 700) == 1)
    #expect(try scheduler.runstate(of: w, now: 700).state == .offline)
    #expect(try scheduler.unpause(v, now: 800) == 1)
    #expect(scheduler.schedule(0, now: 800).virtualProcessor == v)
    #expect(try times(scheduler, v, 1000) == [380, 20, 200, 300])
    #expect(try scheduler.statistics(of: v, now: 1000).timesScheduled == 2)
    #expect(try scheduler.statistics(of: v, now: 1000).credit == -380)
    // A processor that lags behind cannot turn time back.
    #expect(scheduler.schedule(0, now: 1000).virtualProcessor == v)
    #expect(try scheduler.block(v, now: 900) == 1)
    #expect(try times(scheduler, v, 1100) == [380, 20, 300, 300])
  }

  /// Counted pauses of virtual processors and domains are separate.
  @Test func pauses() throws {
    var scheduler = try CreditScheduler(processors: 1)
    try scheduler.addDomain(0)
    let v = try scheduler.addVirtualProcessor(to: 0, now: 0)
    _ = try scheduler.pauseDomain(0, now: 0)
    _ = try scheduler.pause(v, now: 0)
    _ = try scheduler.pause(v, now: 0)
    #expect(try scheduler.wake(v, now: 0) == 0)
    #expect(try scheduler.unpause(v, now: 0) == 0)
    #expect(try scheduler.unpauseDomain(0, now: 0) == 0)
    #expect(try scheduler.unpause(v, now: 0) == 1)
    #expect(throws: Failure.notPaused) { _ = try scheduler.unpauseDomain(0, now: 0) }
  }

  /// The one that yields goes behind all others, even those of lower priority; alone, it goes on.
  @Test func yield() throws {
    var scheduler = try CreditScheduler(processors: 1)
    try scheduler.addDomain(0)
    let v = try (0..<2).map { _ in try scheduler.addVirtualProcessor(to: 0, now: 0) }
    _ = try scheduler.wake(v[0], now: 0)
    #expect(scheduler.schedule(0, now: 0).virtualProcessor == v[0])
    #expect(try scheduler.yield(v[0], now: 10) == 1)
    #expect(scheduler.schedule(0, now: 10).virtualProcessor == v[0])
    _ = try scheduler.wake(v[1], now: 20)
    #expect(scheduler.schedule(0, now: 20).virtualProcessor == v[0])
    #expect(try scheduler.yield(v[0], now: 30) == 1)
    #expect(scheduler.schedule(0, now: 30).virtualProcessor == v[1])
  }

  /// With everybody asleep there is no timer; the first one that wakes up brings ticks at multiples of 10 ms.
  @Test func idleCostsNothing() throws {
    var scheduler = try CreditScheduler(processors: 1)
    try scheduler.addDomain(0)
    let v = try scheduler.addVirtualProcessor(to: 0, now: 0)
    #expect(scheduler.nextTimer == .max)
    _ = try scheduler.wake(v, now: 50_000_000)
    #expect(scheduler.nextTimer == 64_000_000)
    #expect(scheduler.schedule(0, now: 50_000_000).until == 98_000_000)
    _ = try scheduler.block(v, now: 51_000_000)
    #expect(scheduler.schedule(0, now: 51_000_000).virtualProcessor == nil)
    while scheduler.nextTimer != .max { _ = scheduler.timer(now: scheduler.nextTimer) }
    #expect(scheduler.clock == 96_000_000)
  }

  /// Times that no clock shows do no harm.
  @Test func farFuture() throws {
    var scheduler = try CreditScheduler(processors: 64, cyclesPerSecond: 1_000_000_000_000)
    try scheduler.addDomain(0, weight: 65535, cap: 6400)
    try scheduler.addDomain(1, cap: 1)
    for id in [0, 1, 0, 1] {
      _ = try scheduler.wake(scheduler.addVirtualProcessor(to: id, affinity: UInt64(id + 1), now: 0), now: 0)
    }
    for now in [1, 1 << 40, 1 << 62, UInt64.max - 5, .max] as [UInt64] {
      for cpu in 0..<64 { _ = scheduler.schedule(cpu, now: now) }
      _ = scheduler.timer(now: now)
    }
    #expect(scheduler.clock == .max)
  }
}
