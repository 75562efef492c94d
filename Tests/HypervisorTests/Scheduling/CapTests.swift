import Hypervisor
import TestSupport
import Testing

@Suite("Scheduler: caps", .ends(withinMinutes: 2)) struct CapTests {
  private static let second = SchedulerSimulator.second

  /// On a machine with nothing else to do, second by second: caps are no averages over long times.
  @Test(arguments: [(1, 1), (5, 1), (50, 1), (99, 1), (100, 2), (150, 2), (150, 4), (199, 2)]) func aloneSecondBySecond(
    cap: Int, count: Int
  ) throws {
    var simulator = try SchedulerSimulator(processors: 2)
    try simulator.scheduler.addDomain(1, cap: cap)
    for _ in 0..<count { try simulator.add(to: 1, .hog) }
    try simulator.run(until: Self.second)
    for n in 1...20 as ClosedRange<UInt64> {
      let before = try total(simulator)
      try simulator.run(until: (n + 1) * Self.second)
      let ran = Double(try total(simulator) - before) / Double(Self.second)
      // A second is not a whole number of periods: one of them may be in it or not.
      #expect(abs(ran - Double(cap) / 100) <= 0.03 * Double(cap) / 100 + 0.001, "second \(n): \(ran)")
    }
    let all = Double(try total(simulator)) / Double(21 * Self.second)
    #expect(abs(all / (Double(cap) / 100) - 1) < 0.01)
  }

  private func total(_ simulator: SchedulerSimulator) throws -> UInt64 {
    try simulator.actors.indices.reduce(0) { try $0 + simulator.ran($1) }
  }

  /// A cap is its domain's: what a sleeping virtual processor leaves of it is another's.
  @Test func siblingsShareACap() throws {
    var simulator = try SchedulerSimulator(processors: 4)
    try simulator.scheduler.addDomain(1, cap: 80)
    let sleeper = try simulator.add(
      to: 1, .periodic(work: 2 * SchedulerSimulator.millisecond, every: 20 * SchedulerSimulator.millisecond))
    let hog = try simulator.add(to: 1, .hog)
    try simulator.run(until: 60 * Self.second)
    #expect(abs(Double(try simulator.ran(sleeper)) / Double(60 * Self.second) - 0.1) < 0.001)
    #expect(abs(Double(try simulator.ran(hog)) / Double(60 * Self.second) - 0.7) < 0.007)
  }

  /// Whoever needs less than its cap does not notice it.
  @Test func capAboveTheNeed() throws {
    var simulator = try SchedulerSimulator(processors: 1)
    try simulator.scheduler.addDomain(1, cap: 40)
    let n = try simulator.add(
      to: 1, .periodic(work: 3 * SchedulerSimulator.millisecond, every: 10 * SchedulerSimulator.millisecond))
    try simulator.run(until: 10 * Self.second)
    let ran = Double(try simulator.ran(n)) / Double(10 * Self.second)
    #expect(abs(ran - 0.3) < 0.001)
    #expect(try simulator.scheduler.runstate(of: simulator.actors[n].handle, now: simulator.now).times.runnable == 0)
  }

  /// What sleeps does not save up more than a moment's worth of cap.
  @Test func sleepingSavesNothing() throws {
    var simulator = try SchedulerSimulator(processors: 1)
    try simulator.scheduler.addDomain(1, cap: 10)
    // 5 s of sleep, then 1 s of work.
    let n = try simulator.add(to: 1, .requests(work: Self.second, wait: 5 * Self.second))
    try simulator.run(until: 10 * Self.second)
    #expect(try simulator.ran(n) <= Self.second)
    try simulator.run(until: 15 * Self.second - SchedulerSimulator.millisecond)
    let before = try simulator.ran(n)
    try simulator.run(until: 17 * Self.second)
    let ran = Double(try simulator.ran(n) - before) / Double(Self.second)
    #expect(ran < 0.1 * 2 + 0.06)
  }
}
