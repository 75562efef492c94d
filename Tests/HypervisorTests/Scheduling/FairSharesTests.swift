import Foundation
import Hypervisor
import TestSupport
import Testing

/// The entitlements of one period against the tests' own oracle.
@Suite("Scheduler: fair shares", .ends(withinMinutes: 2)) struct FairSharesTests {
  private static let seed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 0x5EED
  private static let period: UInt64 = 48_000_000

  @Test func randomAffinities() {
    var random = SeededGenerator(state: Self.seed)
    for turn in 0..<400 {
      let processors = Int.random(in: 1...4, using: &random)
      let all: UInt64 = (1 << UInt64(processors)) - 1
      let pinned = (0..<Int.random(in: 1...9, using: &random)).map { _ in
        ShareOracle.Pinned(
          weight: Double(Int.random(in: 1...2000, using: &random)), mask: UInt64.random(in: 1...all, using: &random),
          limit: Bool.random(using: &random) ? 1 : Double.random(in: 0.01...1, using: &random))
      }
      let fair = FairShares(
        pinned.enumerated().map { FairShares.Domain(weight: UInt64($1.weight), limit: .max, members: [$0]) },
        pinned.map { FairShares.Claimant(demand: UInt64($0.limit * Double(Self.period)), mask: $0.mask) }, on: all, for: Self.period
      )
      for (n, asked) in ShareOracle.shares(pinned, processors: processors).enumerated() {
        let share = Double(fair.shares[n]) / Double(Self.period)
        if abs(share - asked) > 1e-4 * asked + 1e-6 {
          Issue.record("EPICURE_SEED=\(Self.seed), turn \(turn), \(n): \(share) of \(asked) in \(pinned)")
          return
        }
      }
    }
  }

  @Test func randomDomains() {
    var random = SeededGenerator(state: Self.seed &+ 1)
    for turn in 0..<400 {
      let processors = Int.random(in: 1...64, using: &random)
      let domains = (0..<Int.random(in: 1...20, using: &random)).map { _ in
        ShareOracle.Domain(
          weight: Double(Int.random(in: 1...65535, using: &random)),
          cap: Bool.random(using: &random) ? .infinity : Double(Int.random(in: 1...400, using: &random)) / 100,
          virtualProcessors: Int.random(in: 1...8, using: &random))
      }
      var count = 0
      let claims = domains.map { domain in
        defer { count += domain.virtualProcessors }
        return FairShares.Domain(
          weight: UInt64(domain.weight),
          limit: domain.cap == .infinity ? .max : UInt64((domain.cap * Double(Self.period)).rounded()),
          members: Array(count..<count + domain.virtualProcessors))
      }
      let all: UInt64 = .max >> UInt64(64 - processors)
      let claimants = Array(repeating: FairShares.Claimant(demand: Self.period, mask: all), count: count)
      let fair = FairShares(claims, claimants, on: all, for: Self.period)
      for (id, asked) in ShareOracle.shares(domains, processors: processors).enumerated() {
        let share = Double(claims[id].members.reduce(0) { $0 + fair.shares[$1] }) / Double(Self.period)
        if abs(share - asked) > 1e-4 * asked + 1e-6 {
          Issue.record("EPICURE_SEED=\(Self.seed), turn \(turn), domain \(id): \(share) of \(asked) in \(domains)")
          return
        }
      }
    }
  }

  /// What is handed out fits, even with affinities, caps and many virtual processors in each domain.
  @Test func sharesFit() {
    var random = SeededGenerator(state: Self.seed &+ 2)
    for turn in 0..<400 {
      let processors = Int.random(in: 1...64, using: &random)
      let all: UInt64 = .max >> UInt64(64 - processors)
      var claimants: [FairShares.Claimant] = []
      let domains = (0..<Int.random(in: 1...10, using: &random)).map { _ in
        let members = (0..<Int.random(in: 1...12, using: &random)).map { _ in
          let mask = UInt64.random(in: 1...UInt64.max, using: &random) & UInt64.random(in: 1...UInt64.max, using: &random) & all
          claimants.append(
            FairShares.Claimant(demand: UInt64.random(in: 1...Self.period, using: &random), mask: mask == 0 ? all : mask))
          return claimants.count - 1
        }
        let limit = Bool.random(using: &random) ? UInt64.max : UInt64.random(in: 1...4 * Self.period, using: &random)
        return FairShares.Domain(weight: UInt64.random(in: 1...65535, using: &random), limit: limit, members: members)
      }
      let fair = FairShares(domains, claimants, on: all, for: Self.period)
      var flow = ProcessorFlow(claimants.indices.map { (mask: claimants[$0].mask, amount: fair.shares[$0]) }, each: Self.period)
      let isWithin = claimants.indices.allSatisfy { fair.shares[$0] <= claimants[$0].demand }
      let isCapped = domains.allSatisfy { domain in domain.members.reduce(0) { $0 + fair.shares[$1] } <= domain.limit }
      if flow.bottleneck() != nil || !isWithin || !isCapped {
        Issue.record("EPICURE_SEED=\(Self.seed), turn \(turn): \(fair.shares) for \(domains), \(claimants)")
        return
      }
    }
  }
}
