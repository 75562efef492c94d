import Foundation
import Hypervisor
import TestSupport
import Testing

@Suite("Scheduler: saving", .ends(withinMinutes: 2)) struct SchedulerSavingTests {
  private static let seed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 0x5EED

  private func busy() throws -> SchedulerSimulator {
    var simulator = try SchedulerSimulator(processors: 3)
    let unit = SchedulerSimulator.millisecond
    for id in 0..<5 { try simulator.scheduler.addDomain(id, weight: 100 + 77 * id, cap: id == 2 ? 65 : 0) }
    for id in 0..<5 {
      try simulator.add(to: id, .hog, affinity: id == 4 ? 2 : .max)
      try simulator.add(to: id, .requests(work: UInt64(id + 1) * unit / 3, wait: 2 * unit))
      try simulator.add(to: id, .periodic(work: UInt64(id + 1) * unit, every: 31 * unit))
    }
    return simulator
  }

  /// A restored scheduler goes on as if nothing had happened, to the cycle.
  @Test func goesOnIdentically() throws {
    var original = try busy()
    for n in 1...40 as ClosedRange<UInt64> {
      try original.run(until: n * 97_654_321)
      var restored = original
      restored.scheduler = try JSONDecoder().decode(CreditScheduler.self, from: JSONEncoder().encode(original.scheduler))
      #expect(restored.scheduler == original.scheduler)
      try restored.run(until: original.now + 300_000_000)
      var other = original
      try other.run(until: original.now + 300_000_000)
      #expect(restored.scheduler == other.scheduler)
      #expect(restored.actors.map(\.latencies) == other.actors.map(\.latencies))
    }
  }

  /// A damaged file is refused in one line, or makes a scheduler that works.
  @Test func damage() throws {
    var simulator = try busy()
    try simulator.run(until: 2 * SchedulerSimulator.second)
    let text = String(decoding: try JSONEncoder().encode(simulator.scheduler), as: UTF8.self)
    let numbers = text.ranges(of: /-?[0-9]+/)
    var random = SeededGenerator(state: Self.seed)
    var accepted = 0
    for turn in 0..<3000 {
      let values = [
        "0", "1", "-1", "2", "63", "64", "65536", "-9223372036854775808", "9223372036854775807", "18446744073709551615",
        "4611686018427387904",
      ]
      guard let range = numbers.randomElement(using: &random), let value = values.randomElement(using: &random) else { return }
      let damaged = text.replacingCharacters(in: range, with: value)
      do {
        var scheduler = try JSONDecoder().decode(CreditScheduler.self, from: Data(damaged.utf8))
        accepted += 1
        for step in 0..<50 as Range<UInt64> {
          let now = scheduler.clock > .max - 50_000_000 ? UInt64.max : scheduler.clock + step * 1_000_000
          var mask = scheduler.timer(now: now) | scheduler.allProcessors
          while mask != 0 {
            let cpu = mask.trailingZeroBitCount
            mask &= mask - 1
            mask |= scheduler.schedule(cpu, now: now).others
          }
          if let wrong = try scheduler.violationAtRest(
            scheduler.domainNumbers.flatMap(scheduler.virtualProcessors), now: scheduler.clock)
          {
            Issue.record("EPICURE_SEED=\(Self.seed), turn \(turn), \(text[range]) became \(value): \(wrong)")
            return
          }
        }
      } catch let failure as CreditScheduler.Failure {
        #expect(!failure.description.contains("\n"))
      } catch is DecodingError {
        // A number that the type does not have.
      }
    }
    #expect(accepted > 0)
  }

  @Test func otherVersions() throws {
    let text = String(decoding: try JSONEncoder().encode(CreditScheduler(processors: 1)), as: UTF8.self)
    let newer = text.replacingOccurrences(of: "\"stateVersion\":\(CreditScheduler.stateVersion)", with: "\"stateVersion\":99")
    #expect(throws: CreditScheduler.Failure.savedState("version 99 is not known")) {
      try JSONDecoder().decode(CreditScheduler.self, from: Data(newer.utf8))
    }
  }
}
