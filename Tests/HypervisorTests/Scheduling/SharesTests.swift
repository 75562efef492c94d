import Hypervisor
import TestSupport
import Testing

/// Weights and caps over two virtual hours. The goal is one percent of what was asked for; a tenth of that is what is held.
@Suite("Scheduler: shares", .ends(withinMinutes: 5)) struct SharesTests {
  struct Scenario: CustomTestStringConvertible, Sendable {
    var name: String
    /// Weight, cap in percent, number of virtual processors.
    var domains: [(weight: Int, cap: Int, count: Int)]
    var processors = 2

    var testDescription: String { name }
  }

  static let scenarios = [
    Scenario(name: "weights", domains: [64, 128, 192, 256, 320, 384, 448, 512].map { ($0, 0, 1) }),
    Scenario(name: "equal weights", domains: (0..<8).map { _ in (256, 0, 1) }),
    Scenario(
      name: "weights and caps",
      domains: [(1024, 0, 1), (512, 25, 1), (512, 0, 1), (256, 10, 1), (256, 0, 1), (128, 50, 1), (128, 0, 1), (64, 3, 1)]),
    Scenario(name: "one that is worth a whole processor", domains: [(65535, 0, 1)] + (1...7).map { (16 * $0, 0, 1) }),
    Scenario(name: "the extremes of weight", domains: [(1, 0, 1), (65535, 0, 1), (65535, 0, 1), (600, 0, 1)]),
    Scenario(
      name: "only caps",
      domains: [(256, 1, 1), (256, 5, 1), (256, 17, 1), (256, 30, 1), (256, 33, 1), (256, 40, 1), (256, 41, 1), (256, 2, 1)]),
    Scenario(name: "several virtual processors", domains: [(256, 0, 2), (512, 0, 2), (256, 0, 4)]),
    Scenario(name: "several, with caps", domains: [(256, 50, 2), (512, 75, 3), (256, 0, 2), (1024, 30, 1)]),
    Scenario(name: "more than a processor for one", domains: [(4096, 0, 1), (256, 0, 3), (512, 60, 4)]),
    Scenario(
      name: "four processors", domains: [(256, 150, 2), (256, 0, 3), (1024, 250, 4), (64, 0, 1), (512, 0, 1)], processors: 4),
  ]

  /// Within a tenth of a percent. Nobody runs for less than a slice, so the smallest shares are only as exact as two slices.
  private func isNear(_ ran: Double, _ asked: Double) -> Bool { abs(ran - asked) < max(0.001 * asked, 2 * 0.03 / 7200) }

  @Test(arguments: scenarios) func twoHours(_ scenario: Scenario) throws {
    var simulator = try SchedulerSimulator(processors: scenario.processors)
    var members: [[Int]] = []
    for (id, domain) in scenario.domains.enumerated() {
      try simulator.scheduler.addDomain(id, weight: domain.weight, cap: domain.cap)
      members.append([])
      for _ in 0..<domain.count { members[id].append(try simulator.add(to: id, .hog)) }
    }
    let hours = 7200 * SchedulerSimulator.second
    try simulator.run(until: hours)
    let expected = ShareOracle.shares(
      scenario.domains.map {
        ShareOracle.Domain(
          weight: Double($0.weight), cap: $0.cap == 0 ? .infinity : Double($0.cap) / 100, virtualProcessors: $0.count)
      }, processors: scenario.processors)
    for (id, asked) in expected.enumerated() {
      let ran = Double(try members[id].reduce(0) { try $0 + simulator.ran($1) }) / Double(hours)
      #expect(isNear(ran, asked), "domain \(id) asked for \(asked) processors, ran on \(ran)")
      // A domain's time is shared evenly by virtual processors that all want to run.
      for n in members[id] {
        let part = Double(try simulator.ran(n)) / Double(hours)
        let askedPart = asked / Double(members[id].count)
        #expect(isNear(part, askedPart), "virtual processor \(n) of domain \(id) ran on \(part) of \(askedPart)")
      }
    }
  }
}
