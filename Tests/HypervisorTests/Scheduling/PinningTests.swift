import Foundation
import Hypervisor
import TestSupport
import Testing

/// Affinities are always respected, and weights hold among those who have to share the same processors.
@Suite("Scheduler: pinning", .ends(withinMinutes: 2)) struct PinningTests {
  struct Scenario: CustomTestStringConvertible, Sendable {
    var name: String
    var processors: Int
    /// One virtual processor each: weight and affinity.
    var domains: [(weight: Int, mask: UInt64)]

    var testDescription: String { name }
  }

  static let scenarios = [
    Scenario(name: "all on one of two", processors: 2, domains: [(128, 1), (256, 1), (512, 1)]),
    Scenario(name: "two islands", processors: 2, domains: [(128, 1), (256, 1), (768, 2), (256, 2), (512, 2)]),
    Scenario(name: "a crowd and one that can move", processors: 2, domains: [(128, 1), (256, 1), (512, 1), (128, 3)]),
    Scenario(
      name: "a crowd and some that can move", processors: 2, domains: [(100, 1), (100, 1), (100, 1), (400, 1), (300, 3), (200, 3)]),
    Scenario(name: "a chain", processors: 3, domains: [(256, 1), (256, 3), (256, 6), (256, 4), (512, 1), (1024, 4)]),
    Scenario(
      name: "nested", processors: 4, domains: [(256, 1), (512, 1), (256, 3), (256, 7), (1024, 7), (256, 15), (2048, 15), (64, 8)]),
    Scenario(
      name: "islands of two", processors: 4, domains: [(256, 3), (512, 3), (768, 3), (256, 12), (256, 12), (256, 12), (4096, 12)]),
    // One must go from 0 to 3, and another one from there to 2, before the pinned ones can have 0.
    Scenario(name: "a chain of moves", processors: 4, domains: [(349, 2), (719, 14), (537, 11), (189, 1), (211, 1)]),
    Scenario(name: "free enough", processors: 4, domains: [(256, 3), (512, 12), (768, 5)]),
  ]

  @Test(arguments: scenarios) func shares(_ scenario: Scenario) throws {
    var simulator = try SchedulerSimulator(processors: scenario.processors)
    simulator.check = { try $0.scheduler.violationAtRest($0.actors.map(\.handle), now: $0.now) }
    for (id, domain) in scenario.domains.enumerated() {
      try simulator.scheduler.addDomain(id, weight: domain.weight)
      try simulator.add(to: id, .hog, affinity: domain.mask)
    }
    let end = 600 * SchedulerSimulator.second
    try simulator.run(until: end)
    let expected = ShareOracle.shares(
      scenario.domains.map { ShareOracle.Pinned(weight: Double($0.weight), mask: $0.mask) }, processors: scenario.processors)
    for (n, asked) in expected.enumerated() {
      let ran = Double(try simulator.ran(n)) / Double(end)
      #expect(abs(ran / asked - 1) < 0.01, "\(n): \(ran) of \(asked)")
    }
    #expect(simulator.complaint == nil)
  }

  /// Affinities of all kinds, overlapping ones too.
  @Test func randomAffinities() throws {
    let seed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 0x5EED
    let cases = ProcessInfo.processInfo.environment["EPICURE_COMPLETE"] == "1" ? 400 : 40
    var random = SeededGenerator(state: seed)
    for turn in 0..<cases {
      let processors = Int.random(in: 2...4, using: &random)
      let pinned = (0..<Int.random(in: 2...10, using: &random)).map { _ in
        ShareOracle.Pinned(
          weight: Double(Int.random(in: 30...1000, using: &random)),
          mask: UInt64.random(in: 1..<(1 << UInt64(processors)), using: &random))
      }
      var simulator = try SchedulerSimulator(processors: processors)
      simulator.check = { try $0.scheduler.violationAtRest($0.actors.map(\.handle), now: $0.now) }
      for (id, one) in pinned.enumerated() {
        try simulator.scheduler.addDomain(id, weight: Int(one.weight))
        try simulator.add(to: id, .hog, affinity: one.mask)
      }
      let end = 300 * SchedulerSimulator.second
      try simulator.run(until: end)
      for (n, asked) in ShareOracle.shares(pinned, processors: processors).enumerated() {
        let ran = Double(try simulator.ran(n)) / Double(end)
        #expect(abs(ran / asked - 1) < 0.01, "EPICURE_SEED=\(seed), turn \(turn), \(n): \(ran) of \(asked) in \(pinned)")
      }
      #expect(simulator.complaint == nil, "EPICURE_SEED=\(seed), turn \(turn)")
    }
  }
}
