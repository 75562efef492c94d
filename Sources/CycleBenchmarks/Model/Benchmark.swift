/// One microbenchmark: programs, how a figure follows from their cycles, and what others have published.
///
/// A benchmark is data. ``BenchmarkRunner`` runs its programs; nothing here knows what a timing model is.
public struct Benchmark: Sendable {
  /// Family and name, such as `latency/shladd`. The family ends at the first slash.
  public var name: String
  /// What the figure counts, such as `cycles` or `loads per cycle`.
  public var unit: String
  public var method: Method
  /// Nil: no published figure; what the model gives is a parameter of its description, or follows from several.
  public var published: Published?
  /// What the figure depends on, or how it is meant.
  public var remark: String?
  /// Why the model's figure may differ from the published one.
  public var reason: String?

  public init(
    _ name: String, unit: String, _ method: Method, _ published: Published?, remark: String? = nil, reason: String? = nil
  ) {
    self.name = name
    self.unit = unit
    self.method = method
    self.published = published
    self.remark = remark
    self.reason = reason
  }

  /// The part of the name before the slash.
  public var family: String { String(name.prefix { $0 != "/" }) }

  /// Kernels are whole loops, in which small differences of the machines add up: 10 % instead of 5 %.
  public var tolerance: Double { family == "kernel" ? 0.10 : 0.05 }
}

/// From cycles to a figure.
///
/// A program runs its loop for a number of passes. Cycles of many passes minus cycles of few, divided by the passes between: that is
/// what one pass costs, T, without the start, the cold caches and the end. Everything is exact: cycles are whole numbers and a run is
/// deterministic, so the figure is a fraction.
public struct Method: Sendable {
  /// What is measured.
  public var measured: Code
  /// The same without what is of interest; nil counts as nothing. Its T is subtracted.
  public var reference: Code?
  /// Units (instructions, elements, bytes, ...) that a pass of `measured` holds more than one of `reference`.
  public var units: Int
  /// Added to the cycles of a unit: a consumer in the group after the producer has waited one cycle already.
  public var offset: Int
  /// The figure is units per cycle instead of cycles per unit.
  public var isRate: Bool
  /// Passes of the short and of the long run.
  public var passes: (few: Int, many: Int)

  public init(
    _ measured: Code, minus reference: Code? = nil, units: Int = 1, offset: Int = 0, isRate: Bool = false,
    passes: (few: Int, many: Int) = (40, 120)
  ) {
    self.measured = measured
    self.reference = reference
    self.units = units
    self.offset = offset
    self.isRate = isRate
    self.passes = passes
  }

  /// The figure, from T of both programs; nil if a rate is infinite.
  public func figure(measured: Ratio, reference: Ratio) -> Ratio? {
    let cycles = measured - reference
    if isRate { return cycles.numerator == 0 ? nil : Ratio(units) / cycles }
    return cycles / Ratio(units) + Ratio(offset)
  }
}
