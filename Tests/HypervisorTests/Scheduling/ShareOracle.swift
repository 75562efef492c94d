/// What was asked for, computed without the scheduler's own means: the level of the water is found by bisection, in floating point.
enum ShareOracle {
  struct Domain {
    var weight: Double
    /// In processors: 0.5 is a cap of 50.
    var cap: Double = .infinity
    var virtualProcessors = 1
  }

  /// Processors that each domain of CPU-bound virtual processors gets.
  static func shares(_ domains: [Domain], processors: Int) -> [Double] {
    let limits = domains.map { min($0.cap, Double($0.virtualProcessors)) }
    func at(_ level: Double) -> [Double] { zip(domains, limits).map { min($0.weight * level, $1) } }
    guard limits.reduce(0, +) > Double(processors) else { return limits }
    var low = 0.0, high = 1e6
    for _ in 0..<200 {
      let middle = (low + high) / 2
      if at(middle).reduce(0, +) > Double(processors) { high = middle } else { low = middle }
    }
    return at(low)
  }

  struct Pinned {
    var weight: Double
    var mask: UInt64
    var limit = 1.0
  }

  /// The same for virtual processors that may use only some of the processors: every set of processors bounds what those who can run
  /// only there get together (Hall). All sets are tried, so there must be few processors.
  static func shares(_ all: [Pinned], processors: Int) -> [Double] {
    var shares = [Double?](repeating: nil, count: all.count)
    func load(_ set: UInt64, _ level: Double) -> Double {
      all.indices.filter { all[$0].mask & ~set == 0 }.reduce(0) { $0 + (shares[$1] ?? min(all[$1].weight * level, all[$1].limit)) }
    }
    func fits(_ level: Double) -> Bool {
      (1..<(1 << UInt64(processors))).allSatisfy { load($0, level) <= Double($0.nonzeroBitCount) + 1e-12 }
    }
    while shares.contains(where: { $0 == nil }) {
      guard !fits(1e6) else { return all.indices.map { shares[$0] ?? all[$0].limit } }
      var low = 0.0, high = 1e6
      for _ in 0..<200 {
        let middle = (low + high) / 2
        if fits(middle) { low = middle } else { high = middle }
      }
      // Whoever cannot get more at this level is done.
      let full = (1..<(1 << UInt64(processors)) as Range<UInt64>).filter { load($0, low) > Double($0.nonzeroBitCount) - 1e-9 }
      for i in all.indices where shares[i] == nil {
        let isStuck = all[i].weight * low >= all[i].limit || full.contains { all[i].mask & ~$0 == 0 }
        if isStuck { shares[i] = min(all[i].weight * low, all[i].limit) }
      }
    }
    return shares.map { $0 ?? 0 }
  }
}
