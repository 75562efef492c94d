import Hypervisor
import Inspection
import Processor
import Testing

@Suite struct TraceSummaryTests {
  /// Count, sum and extremes are exact; percentiles to a hundredth, against the sorted list.
  @Test(arguments: [21, 22] as [UInt64]) func distributions(seed: UInt64) {
    var generator = SplitMix(state: seed)
    var distribution = CostDistribution()
    var costs = (0..<10_000).map { _ in generator.next() >> UInt64.random(in: 24..<62, using: &generator) }
    for cost in costs { distribution.add(cost) }
    costs.sort()
    #expect(distribution.count == 10_000)
    #expect(distribution.total == costs.reduce(0, &+))
    #expect(distribution.minimum == costs.first)
    #expect(distribution.most == costs.last)
    for share in [0.01, 0.5, 0.9, 0.99, 1] {
      let exact = Double(costs[Int((share * 10_000).rounded(.up)) - 1])
      #expect(abs(Double(distribution.quantile(share)) - exact) <= exact / 100, "seed \(seed), \(share)")
    }
  }

  @Test func smallCostsAreExact() {
    var distribution = CostDistribution()
    for cost in 0..<UInt64(256) { distribution.add(cost) }
    for share in stride(from: 1, through: 256, by: 1) { #expect(distribution.quantile(Double(share) / 256) == UInt64(share - 1)) }
    #expect(CostDistribution().mean == 0 && CostDistribution().quantile(0.5) == 0)
  }

  @Test func byCauseAddressAndRegister() throws {
    let rfi = UInt16(ExitKind.instruction(.rfi).index)
    let port = UInt16(ExitKind.port.index)
    let file = TraceInMemory(frequency: 1_000_000)
    file.writer.append(.register(0x3F8, "serial port"))
    let bytes = file.finished([
      .exit(rfi, at: 100, cost: 30, ip: 0x1002), .exit(rfi, at: 200, cost: 50, ip: 0x1002),
      .exit(port, at: 300, cost: 120, ip: 0x2000, detail: 0x3F8),
      .exit(0x5000, at: 400, ip: 0x2000, kind: .interruption), .exit(4, at: 500, kind: .insert), .exit(6, at: 1100, kind: .insert),
    ])
    let reader = try TraceReader(bytes)
    var builder = TraceSummary.Builder(reader)
    reader.forEach { builder.add($0) }
    let s = builder.summary(symbols: nil)
    #expect(s.records == 6 && s.exits == 3 && s.exitCycles == 200)
    #expect(s.seconds == 0.001)
    #expect(s.exitShare == 20)
    #expect(s.causes.map(\.cause) == ["port", "rfi", "itr.d", "pageNotPresent"])
    #expect(s.causes.map(\.count) == [1, 2, 2, 1])
    #expect(s.causes[0].share == 60 && s.causes[1].share == 40)
    #expect(s.causes[1].minimumCycles == 30 && s.causes[1].meanCycles == 40 && s.causes[1].maximumCycles == 50)
    #expect(s.addresses.map(\.address) == ["0x2000", "0x1000.2"])
    #expect(s.addresses[0].causes == ["port", "pageNotPresent"])
    #expect(s.registers.map(\.name) == ["serial port"] && s.registers[0].share == 60)
  }
}
