import Foundation
import Hypervisor
import Testing

@Suite struct Figures {
  @Test(arguments: [0, 1, 2, 3, 5, 7, 8, 9]) func shares(_ k: Int) throws {
    let scenario = SharesTests.scenarios[k]
    for s in [10, 60, 600, 7200] as [UInt64] {
      var simulator = try SchedulerSimulator(processors: scenario.processors)
      var members: [[Int]] = []
      for (id, domain) in scenario.domains.enumerated() {
        try simulator.scheduler.addDomain(id, weight: domain.weight, cap: domain.cap)
        members.append([])
        for _ in 0..<domain.count { members[id].append(try simulator.add(to: id, .hog)) }
      }
      let end = s * SchedulerSimulator.second
      let t0 = Date()
      try simulator.run(until: end)
      let dt = Date().timeIntervalSince(t0)
      let expected = ShareOracle.shares(
        scenario.domains.map {
          ShareOracle.Domain(
            weight: Double($0.weight), cap: $0.cap == 0 ? .infinity : Double($0.cap) / 100, virtualProcessors: $0.count)
        }, processors: scenario.processors)
      var worst = 0.0
      for (id, asked) in expected.enumerated() {
        let ran = Double(try members[id].reduce(0) { try $0 + simulator.ran($1) }) / Double(end)
        worst = max(worst, abs(ran / asked - 1))
      }
      let st = try simulator.actors.map { try simulator.scheduler.statistics(of: $0.handle, now: simulator.now) }
      print(
        "FIG", scenario.name, s, "s worst", worst * 100, "% host", dt, "switch/s",
        Double(st.reduce(0) { $0 + $1.timesScheduled }) / Double(s), "migr/s",
        Double(st.reduce(0) { $0 + $1.migrations }) / Double(s))
    }
  }
  @Test func pinned() throws {
    for scenario in PinningTests.scenarios {
      for s in [10, 600] as [UInt64] {
        var simulator = try SchedulerSimulator(processors: scenario.processors)
        for (id, domain) in scenario.domains.enumerated() {
          try simulator.scheduler.addDomain(id, weight: domain.weight)
          try simulator.add(to: id, .hog, affinity: domain.mask)
        }
        let end = s * SchedulerSimulator.second
        try simulator.run(until: end)
        let expected = ShareOracle.shares(
          scenario.domains.map { ShareOracle.Pinned(weight: Double($0.weight), mask: $0.mask) }, processors: scenario.processors)
        var worst = 0.0
        for (n, asked) in expected.enumerated() {
          let ran = Double(try simulator.ran(n)) / Double(end)
          worst = max(worst, abs(ran / asked - 1))
        }
        print(
          "FIG pinned", scenario.name, s, worst * 100,
          try simulator.actors.map {
            Double(try simulator.scheduler.statistics(of: $0.handle, now: simulator.now).credit) / 160000.0
          })
      }
    }
  }
  @Test func randomPinned() throws {
    var random = SplitMix(state: 12345)
    var bad = 0
    for turn in 0..<20 {
      let processors = Int.random(in: 2...4, using: &random)
      let all: UInt64 = (1 << UInt64(processors)) - 1
      let pinned = (0..<Int.random(in: 2...10, using: &random)).map { _ in
        ShareOracle.Pinned(
          weight: Double(Int.random(in: 30...1000, using: &random)), mask: UInt64.random(in: 1...all, using: &random))
      }
      var simulator = try SchedulerSimulator(processors: processors)
      for (id, p) in pinned.enumerated() {
        try simulator.scheduler.addDomain(id, weight: Int(p.weight))
        try simulator.add(to: id, .hog, affinity: p.mask)
      }
      let end = 300 * SchedulerSimulator.second
      try simulator.run(until: end)
      var worst = 0.0
      for (n, asked) in ShareOracle.shares(pinned, processors: processors).enumerated() {
        worst = max(worst, abs(Double(try simulator.ran(n)) / Double(end) / asked - 1))
      }
      if worst > 0.01 {
        bad += 1;
        print(
          "FIG BAD", turn, processors, worst, pinned.map { "\($0.weight):\($0.mask)" },
          try pinned.indices.map { Double(try simulator.ran($0)) / Double(end) }, ShareOracle.shares(pinned, processors: processors)
        )
      }
    }
    print("FIG random pinned bad", bad)
  }
  @Test func speed() throws {
    for (p, n) in [(2, 16), (64, 256)] {
      var s = try CreditScheduler(processors: p)
      for id in 0..<16 { try s.addDomain(id) }
      let v = try (0..<n).map { try s.addVirtualProcessor(to: $0 % 16, now: 0) }
      for x in v {
        var m = try s.wake(x, now: 0);
        while m != 0 { let c = m.trailingZeroBitCount; m &= m - 1; m |= s.schedule(c, now: 0).others }
      }
      var now: UInt64 = 0
      var calls = 0
      let t0 = Date()
      for i in 0..<500_000 {
        now += 20_000
        var m: UInt64 = now >= s.nextTimer ? s.timer(now: now) : 0
        let x = v[(i / 2) % n]
        if i % 2 == 0 { m |= try s.block(x, now: now) } else { m |= try s.wake(x, now: now) }
        calls += 1
        while m != 0 { let c = m.trailingZeroBitCount; m &= m - 1; m |= s.schedule(c, now: now).others; calls += 1 }
      }
      print("FIG speed", p, n, Date().timeIntervalSince(t0) / Double(calls) * 1e9, "ns per call", calls)
    }
  }
}
