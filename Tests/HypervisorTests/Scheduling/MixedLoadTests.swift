import Hypervisor
import TestSupport
import Testing

/// Virtual processors that sleep, beside some that do not.
@Suite("Scheduler: sleepers and hogs", .ends(withinMinutes: 2)) struct MixedLoadTests {
  private static let second = SchedulerSimulator.second
  private static let millisecond = SchedulerSimulator.millisecond

  private func share(_ simulator: SchedulerSimulator, _ n: Int) throws -> Double {
    Double(try simulator.ran(n)) / Double(simulator.now)
  }

  /// What a sleeper leaves goes to the others by weight: 20 % for it, and 80 % as 1 to 3.
  @Test(arguments: [(2, 10), (10, 50), (60, 300)]) func leftoversGoByWeight(work: UInt64, every: UInt64) throws {
    var simulator = try SchedulerSimulator(processors: 1)
    for (id, weight) in [512, 256, 768].enumerated() { try simulator.scheduler.addDomain(id, weight: weight) }
    let sleeper = try simulator.add(to: 0, .periodic(work: work * Self.millisecond, every: every * Self.millisecond))
    let hogs = try [1, 2].map { try simulator.add(to: $0, .hog) }
    try simulator.run(until: 600 * Self.second)
    #expect(abs(try share(simulator, sleeper) / 0.2 - 1) < 0.01)
    #expect(abs(try share(simulator, hogs[0]) / 0.2 - 1) < 0.01)
    #expect(abs(try share(simulator, hogs[1]) / 0.6 - 1) < 0.01)
  }

  /// A virtual processor that wants more than its share cannot get it by sleeping now and then.
  @Test func nappingDoesNotPay() throws {
    var simulator = try SchedulerSimulator(processors: 1)
    for id in 0..<4 { try simulator.scheduler.addDomain(id) }
    let napper = try simulator.add(to: 0, .requests(work: 9 * Self.millisecond, wait: Self.millisecond / 2))
    for id in 1..<4 { try simulator.add(to: id, .hog) }
    try simulator.run(until: 120 * Self.second)
    #expect(try share(simulator, napper) < 0.26)
    #expect(try share(simulator, napper) > 0.2)
  }

  /// 100 µs of work every 10 ms against hogs: it runs as soon as it wakes up.
  @Test(arguments: [(1, 4), (2, 8), (2, 60), (4, 7)]) func boost(processors: Int, hogs: Int) throws {
    var simulator = try SchedulerSimulator(processors: processors)
    try simulator.scheduler.addDomain(0)
    try simulator.scheduler.addDomain(1)
    let n = try simulator.add(to: 0, .periodic(work: Self.millisecond / 10, every: 10 * Self.millisecond))
    for _ in 0..<hogs { try simulator.add(to: 1, .hog) }
    try simulator.run(until: 60 * Self.second)
    // All begin as freshly woken; that is over after some ticks.
    let latencies = simulator.actors[n].latencies.dropFirst(10)
    #expect(latencies.count >= 5989)
    let worst = latencies.max() ?? .max
    #expect(worst < 10 * Self.millisecond)
    #expect(worst == 0, "\(Double(worst) / Double(Self.millisecond)) ms")
    #expect(abs(try share(simulator, n) / 0.01 - 1) < 0.01)
  }

  /// Several of them at once: each still within a tick.
  @Test func manyBoosts() throws {
    var simulator = try SchedulerSimulator(processors: 2)
    for id in 0..<20 { try simulator.scheduler.addDomain(id) }
    let sleepers = try (0..<12).map { id in
      try simulator.add(to: id, .requests(work: Self.millisecond / 5, wait: UInt64(7 + id) * Self.millisecond))
    }
    for id in 12..<20 { try simulator.add(to: id, .hog) }
    try simulator.run(until: 60 * Self.second)
    for n in sleepers {
      let worst = simulator.actors[n].latencies.dropFirst(10).max() ?? .max
      #expect(worst < 10 * Self.millisecond, "\(n): \(Double(worst) / Double(Self.millisecond)) ms")
    }
  }

  /// Whoever ran a lot is forgiven while it sleeps, and is boosted again.
  @Test func debtsAreForgiven() throws {
    var simulator = try SchedulerSimulator(processors: 1)
    for id in 0..<4 { try simulator.scheduler.addDomain(id) }
    let n = try simulator.add(to: 0, .requests(work: 200 * Self.millisecond, wait: Self.second))
    for id in 1..<4 { try simulator.add(to: id, .hog) }
    try simulator.run(until: 60 * Self.second)
    #expect(simulator.actors[n].latencies.max() == 0)
  }

  /// 64 virtual processors on one physical processor, of very different weights: each runs again and again.
  @Test func nobodyStarves() throws {
    var simulator = try SchedulerSimulator(processors: 1)
    for id in 0..<64 {
      try simulator.scheduler.addDomain(id, weight: 16 + 8 * id)
      try simulator.add(to: id, .hog)
    }
    // The lightest is worth 16 of 17,152: one slice in 32 s.
    var before = try simulator.actors.indices.map { try simulator.ran($0) }
    for n in 1...10 as ClosedRange<UInt64> {
      try simulator.run(until: n * 66 * Self.second)
      let after = try simulator.actors.indices.map { try simulator.ran($0) }
      for v in simulator.actors.indices { #expect(after[v] > before[v], "\(v) in round \(n)") }
      before = after
    }
  }

  /// No processor idles while somebody waits who may run there; nobody runs outside its affinity; times add up: at every event.
  @Test(arguments: [1, 2, 5]) func workConserving(processors: Int) throws {
    var simulator = try SchedulerSimulator(processors: processors)
    simulator.check = { try $0.scheduler.violationAtRest($0.actors.map(\.handle), now: $0.now) }
    for id in 0..<6 { try simulator.scheduler.addDomain(id, weight: 100 * (id + 1), cap: id == 5 ? 70 : 0) }
    for id in 0..<6 {
      let step = UInt64(id + 1) * Self.millisecond
      try simulator.add(to: id, .requests(work: step, wait: 3 * step))
      try simulator.add(to: id, .requests(work: 11 * step, wait: 2 * step), affinity: 1 << UInt64(id % processors))
      try simulator.add(to: id, .periodic(work: step / 7, every: 5 * step))
    }
    try simulator.add(to: 5, .hog)
    try simulator.run(until: 120 * Self.second)
    #expect(simulator.complaint == nil)
  }
}
