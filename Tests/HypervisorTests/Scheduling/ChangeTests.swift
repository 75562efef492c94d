import Hypervisor
import TestSupport
import Testing

/// Parameters that change while everything runs hold within one second.
@Suite("Scheduler: changes", .ends(withinMinutes: 2)) struct ChangeTests {
  private static let second = SchedulerSimulator.second

  /// Eight CPU-bound domains on two processors, after a minute.
  private func simulator(heavy: Int = 256) throws -> SchedulerSimulator {
    var simulator = try SchedulerSimulator(processors: 2)
    for id in 0..<8 {
      try simulator.scheduler.addDomain(id, weight: id == 0 ? heavy : 256)
      try simulator.add(to: id, .hog)
    }
    try simulator.run(until: 60 * Self.second)
    return simulator
  }

  /// Shares of the ten seconds that begin one second from now.
  private func measure(_ simulator: inout SchedulerSimulator) throws -> [Double] {
    try simulator.run(until: simulator.now + Self.second)
    let before = try simulator.actors.indices.map { try simulator.ran($0) }
    try simulator.run(until: simulator.now + 10 * Self.second)
    return try simulator.actors.indices.map { Double(try simulator.ran($0) - before[$0]) / Double(10 * Self.second) }
  }

  private func expect(_ measured: [Double], _ domains: [ShareOracle.Domain]) {
    for (id, (ran, asked)) in zip(measured, ShareOracle.shares(domains, processors: 2)).enumerated() {
      // A slice more or less in ten seconds is 0.003.
      #expect(abs(ran - asked) < 0.0031 + 0.01 * asked, "domain \(id): \(ran) of \(asked)")
    }
  }

  @Test(arguments: [(256, 1024), (256, 32), (65535, 256), (65535, 1), (1, 65535)]) func weight(from: Int, to: Int) throws {
    var simulator = try simulator(heavy: from)
    try simulator.scheduler.setWeight(to, ofDomain: 0, now: simulator.now)
    expect(try measure(&simulator), (0..<8).map { ShareOracle.Domain(weight: $0 == 0 ? Double(to) : 256) })
  }

  @Test(arguments: [1, 10, 20]) func cap(_ cap: Int) throws {
    var simulator = try simulator(heavy: 2048)
    try simulator.reschedule(simulator.scheduler.setCap(cap, ofDomain: 0, now: simulator.now))
    expect(
      try measure(&simulator),
      (0..<8).map { ShareOracle.Domain(weight: $0 == 0 ? 2048 : 256, cap: $0 == 0 ? Double(cap) / 100 : .infinity) })
    // And away again.
    try simulator.reschedule(simulator.scheduler.setCap(0, ofDomain: 0, now: simulator.now))
    expect(try measure(&simulator), (0..<8).map { ShareOracle.Domain(weight: $0 == 0 ? 2048 : 256) })
  }

  /// A parked virtual processor runs at once when the cap goes.
  @Test func parkedRunsAtOnce() throws {
    var simulator = try SchedulerSimulator(processors: 1)
    try simulator.scheduler.addDomain(0, cap: 10)
    let n = try simulator.add(to: 0, .hog)
    try simulator.run(until: Self.second - SchedulerSimulator.millisecond)
    #expect(try simulator.scheduler.statistics(of: simulator.actors[n].handle, now: simulator.now).isParked)
    try simulator.reschedule(simulator.scheduler.setCap(0, ofDomain: 0, now: simulator.now))
    #expect(simulator.places[0].actor == n)
  }

  @Test func affinity() throws {
    var simulator = try simulator()
    simulator.check = { try $0.scheduler.violationAtRest($0.actors.map(\.handle), now: $0.now) }
    // Six on processor 0, two on processor 1.
    for n in 0..<8 {
      try simulator.reschedule(simulator.scheduler.setAffinity(n < 6 ? 1 : 2, of: simulator.actors[n].handle, now: simulator.now))
    }
    let measured = try measure(&simulator)
    for n in 0..<8 { #expect(abs(measured[n] - (n < 6 ? 1.0 / 6 : 0.5)) < 0.005, "\(n): \(measured[n])") }
    // And free again.
    for n in 0..<8 {
      try simulator.reschedule(simulator.scheduler.setAffinity(.max, of: simulator.actors[n].handle, now: simulator.now))
    }
    expect(try measure(&simulator), (0..<8).map { _ in ShareOracle.Domain(weight: 256) })
    #expect(simulator.complaint == nil)
  }

  /// A virtual processor leaves the processor that it may not use any longer at once.
  @Test func affinityWhileRunning() throws {
    var scheduler = try CreditScheduler(processors: 2)
    try scheduler.addDomain(0)
    let v = try scheduler.addVirtualProcessor(to: 0, affinity: 1, now: 0)
    #expect(try scheduler.wake(v, now: 0) == 1)
    #expect(scheduler.schedule(0, now: 0).virtualProcessor == v)
    #expect(try scheduler.setAffinity(2, of: v, now: 1000) == 1)
    let decision = scheduler.schedule(0, now: 1000)
    #expect(decision.virtualProcessor == nil)
    #expect(decision.others == 2 || scheduler.schedule(1, now: 1000).virtualProcessor == v)
    #expect(scheduler.schedule(1, now: 1000).virtualProcessor == v)
    #expect(try scheduler.statistics(of: v, now: 1000).migrations == 1)
  }

  /// One that can run anywhere makes room for one that cannot.
  @Test func handingOver() throws {
    var scheduler = try CreditScheduler(processors: 2)
    try scheduler.addDomain(0)
    let anywhere = try scheduler.addVirtualProcessor(to: 0, affinity: 3, now: 0)
    let pinned = try scheduler.addVirtualProcessor(to: 0, now: 0)
    let cpu = try scheduler.wake(anywhere, now: 0).trailingZeroBitCount
    #expect(scheduler.schedule(cpu, now: 0).virtualProcessor == anywhere)
    #expect(try scheduler.setAffinity(1 << UInt64(cpu), of: pinned, now: 10) == 0)
    #expect(try scheduler.wake(pinned, now: 10) == 1 << UInt64(cpu))
    let decision = scheduler.schedule(cpu, now: 10)
    #expect(decision.virtualProcessor == pinned)
    #expect(decision.others == 3 & ~(1 << UInt64(cpu)))
    #expect(scheduler.schedule(1 - cpu, now: 10).virtualProcessor == anywhere)
  }
}
