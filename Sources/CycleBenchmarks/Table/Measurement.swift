/// A benchmark with its figure.
public struct Measurement: Sendable {
  public enum Verdict: String, Sendable {
    /// Within the tolerance of the published figure.
    case agrees
    /// Outside, for the reason that the benchmark states.
    case explained
    /// Outside.
    case deviates
    /// Nothing is published: the figure is a parameter of the machine, or follows from some.
    case unpublished
    /// The program did not run to its end.
    case failed
  }

  public let benchmark: Benchmark
  /// Nil if the run failed, or if a rate is infinite.
  public let figure: Ratio?
  public let failure: String?

  init(_ benchmark: Benchmark, figure: Ratio?) {
    self.benchmark = benchmark
    self.figure = figure
    failure = figure == nil ? "no time passes" : nil
  }

  init(_ benchmark: Benchmark, failure: String) {
    self.benchmark = benchmark
    figure = nil
    self.failure = failure
  }

  /// Relative difference to the nearest admitted number; to zero, the difference itself. Nil without figure or publication.
  public var difference: Double? {
    guard let value = figure?.value, let published = benchmark.published?.figure.nearest(value) else { return nil }
    return published == 0 ? value : (value - published) / published
  }

  public var verdict: Verdict {
    if failure != nil { return .failed }
    guard let difference else { return .unpublished }
    if abs(difference) <= benchmark.tolerance { return .agrees }
    return benchmark.reason == nil ? .deviates : .explained
  }
}
