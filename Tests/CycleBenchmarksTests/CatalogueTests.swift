import CycleBenchmarks
import Testing

@Suite("Catalogue of microbenchmarks")
struct CatalogueTests {
  @Test("names are unique, and every source is one of the list", arguments: Core.allCases)
  func names(core: Core) {
    let benchmarks = Catalogue.benchmarks(for: core)
    #expect(Set(benchmarks.map(\.name)).count == benchmarks.count)
    let known = Set(Source.all.map(\.name))
    for benchmark in benchmarks {
      #expect(benchmark.name.contains("/"), "\(benchmark.name)")
      for name in (benchmark.published?.source ?? "").split(separator: ",") {
        let name = String(name.drop(while: \.isWhitespace))
        #expect(known.contains(name), "\(benchmark.name): \(name)")
      }
    }
  }

  @Test("every program is assembled, and its loop lies where it must")
  func assembly() throws {
    for benchmark in Catalogue.benchmarks(for: .montecito) {
      for code in [benchmark.method.measured, benchmark.method.reference].compactMap({ $0 }) {
        let program = try BenchmarkMachine.assemble(code, at: 0x10_0000)
        let loop = try #require(program.labels["loop"], "\(benchmark.name)")
        #expect(loop % 64 == (code.alignment == .second ? 16 : 0), "\(benchmark.name)")
      }
    }
  }

  /// Without a timing model cycles are slots: every program runs to its end, and each time the same.
  @Test(
    "every program runs",
    arguments: ["latency", "bypass", "ports", "split", "branch", "loop", "system", "stack", "speculation", "bank"])
  func runs(family: String) {
    let runner = BenchmarkRunner { _ in nil }
    for var benchmark in Catalogue.benchmarks(for: .montecito) where benchmark.family == family {
      benchmark.method.passes = (2, 5)
      let measurement = runner.measure(benchmark)
      // A rate is infinite where both programs have as many slots.
      if measurement.failure != "no time passes" { #expect(measurement.failure == nil, "\(benchmark.name)") }
      #expect(runner.measure(benchmark).figure == measurement.figure)
    }
  }
}

@Suite("Exact figures")
struct FigureTests {
  @Test func fractionsAreInLowestTerms() {
    #expect(Ratio(6, over: 4) == Ratio(3, over: 2))
    #expect(Ratio(1, over: -2).numerator == -1)
    #expect(Ratio(1, over: 3) + Ratio(1, over: 6) == Ratio(1, over: 2))
    #expect(Ratio(5) - Ratio(10, over: 2) == Ratio(0))
    #expect(Ratio(1) / Ratio(4) < Ratio(1, over: 3))
    #expect("\(Ratio(5, over: 4)) \(Ratio(-1, over: 3)) \(Ratio(7))" == "1.25 -0.333 7")
  }

  @Test func figuresFollowFromCycles() {
    let code = Code.loop("")
    let latency = Method(code, minus: code, units: 1, offset: 1)
    #expect(latency.figure(measured: Ratio(20), reference: Ratio(17)) == Ratio(4))
    let rate = Method(code, minus: code, units: 24, isRate: true)
    #expect(rate.figure(measured: Ratio(9), reference: Ratio(5)) == Ratio(6))
    #expect(rate.figure(measured: Ratio(5), reference: Ratio(5)) == nil)
  }

  @Test func rangesAdmitWhatIsInside() {
    #expect(Figure.between(5, 6).nearest(5.5) == 5.5)
    #expect(Figure.between(5, 6).nearest(9) == 6)
    #expect(Figure.atLeast(6).nearest(100) == 100)
    #expect(Figure.atMost(32).nearest(40) == 32)
  }
}
