import CycleBenchmarks

/// The one place where the benchmarks meet the timing model.
enum TimingAttachment {
  /// What puts the cycle timing of `machine` on a processor. Without a model the cycles are slots, as in functional timing.
  static func attachment(machine: String) throws -> BenchmarkRunner.Attach { { _ in } }
}
