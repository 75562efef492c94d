/// All benchmarks.
public enum Catalogue {
  /// - Parameter core: what is published differs between the cores in a few places.
  public static func benchmarks(for core: Core) -> [Benchmark] {
    IntegerLatencies.all() + FloatLatencies.all() + MemoryLatencies.all() + Bypasses.all() + PortLimits.all(core)
      + TemplatePairs.all()
      + SplitIssue.all(core) + Branches.all() + SystemRegisters.all() + RegisterStack.all() + Speculation.all()
      + PointerChases.all(core)
      + Bandwidths.all() + Kernel.all.map(\.benchmark)
  }
}
