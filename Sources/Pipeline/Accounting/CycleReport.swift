import Processor

/// What the cycles of one or several processors were spent on: causes that add up to all of them, and what the parts of the pipeline
/// counted.
public struct CycleReport: Encodable, Sendable {
  public struct Level: Encodable, Sendable {
    /// 0: the kernel; 3: programs.
    public var level: Int
    public var cycles: UInt64
    public var stall: CauseCounts
  }

  /// A function, or a page of code that has no symbols.
  public struct Symbol: Encodable, Sendable {
    public var name: String
    /// Where the symbol begins; hexadecimal.
    public var address: String?
    public var cycles: UInt64
    /// Of all cycles of the report.
    public var share: Double
    /// Issue groups.
    public var groups: UInt64
    public var stall: CauseCounts
  }

  public struct Cache: Encodable, Sendable {
    public var accesses: UInt64
    public var misses: UInt64
    /// 1 without accesses.
    public var hitRate: Double

    init(_ accesses: UInt64, _ misses: UInt64) {
      self.accesses = accesses
      self.misses = misses
      hitRate = accesses == 0 ? 1 : 1 - Double(misses) / Double(accesses)
    }
  }

  /// First-level translation buffers, and what the walker did behind the second level.
  public struct Translations: Encodable, Sendable {
    public var l1DtlbMisses: UInt64
    public var l1ItlbMisses: UInt64
    public var dataWalks: UInt64
    public var instructionWalks: UInt64
  }

  public struct Branches: Encodable, Sendable {
    public struct Kind: Encodable, Sendable {
      public var executed: UInt64
      public var taken: UInt64
      public var mispredicted: UInt64
    }
    public var executed: UInt64 = 0
    public var taken: UInt64 = 0
    public var mispredicted: UInt64 = 0
    /// Of the mispredicted ones: taken as expected, but to another place.
    public var mispredictedTarget: UInt64 = 0
    public var kinds: [String: Kind] = [:]
  }

  /// What else was counted.
  public struct Counts: Encodable, Sendable {
    /// Syllables issued, and the nops among them.
    public var syllables: UInt64
    public var nops: UInt64
    public var loads: UInt64
    public var stores: UInt64
    /// Accesses to a bank of L2 that was busy.
    public var l2BankConflicts: UInt64
    /// Registers that the register stack engine has stored and loaded.
    public var stackStores: UInt64
    public var stackLoads: UInt64
    public var failedChecks: UInt64
    public var interruptions: UInt64
  }

  /// Name of the machine description.
  public var description: String
  public var cycles: UInt64
  /// Slots retired, nops included.
  public var instructions: UInt64
  public var cyclesPerInstruction: Double
  public var instructionsPerCycle: Double
  /// Cycles by cause; they add up to `cycles`.
  public var stall: CauseCounts
  public var privilegeLevels: [Level]
  public var branch: Branches
  /// By name: l1i, l1d, l2i, l2d, l3; l2 where one cache serves both.
  public var cache: [String: Cache]
  public var tlb: Translations
  public var counts: Counts
  /// What took the most cycles; nil without a profile.
  public var symbols: [Symbol]?

  /// The report of the processors together, which have one description. `symbols` gives names to addresses.
  public init(_ pipelines: [Pipeline], symbols naming: ((UInt64) -> SymbolName?)? = nil) {
    description = pipelines.first?.description.name ?? ""
    instructions = pipelines.reduce(0) { $0 &+ $1.processor.state.pointee.instructions }
    for pipeline in pipelines { pipeline.pipe.changeStatus() }
    privilegeLevels = (0..<4).map { level in
      var causes = CauseCounts()
      for pipeline in pipelines {
        for cause in Cause.allCases { causes[cause] &+= pipeline.cycles(of: cause, level: level) }
      }
      return Level(level: level, cycles: causes.total, stall: causes)
    }.filter { $0.cycles != 0 }
    stall = privilegeLevels.reduce(into: CauseCounts()) { $0 += $1.stall }
    cycles = stall.total
    cyclesPerInstruction = instructions == 0 ? 0 : Double(cycles) / Double(instructions)
    instructionsPerCycle = cycles == 0 ? 0 : Double(instructions) / Double(cycles)
    func total(_ count: Count) -> UInt64 { pipelines.reduce(0) { $0 &+ $1.total(of: count.rawValue) } }
    branch = Branches(pipelines)
    branch.mispredictedTarget = total(.mispredictTarget)
    cache = [
      "l1i": Cache(total(.l1iReads), total(.l1iMisses)),
      "l1d": Cache(total(.loads) &- total(.loadsPastL1D), total(.l1dMisses)),
      "l3": Cache(total(.l3Reads), total(.l3Misses)),
    ]
    let data = (accesses: total(.l2dReads) &+ total(.l2dWrites), misses: total(.l2dMisses))
    if pipelines.first?.description.l2i.bytes == 0 {
      cache["l2"] = Cache(data.accesses &+ total(.l2iReads), data.misses &+ total(.l2iMisses))
    } else {
      cache["l2d"] = Cache(data.accesses, data.misses)
      cache["l2i"] = Cache(total(.l2iReads), total(.l2iMisses))
    }
    tlb = Translations(
      l1DtlbMisses: total(.dtlbMisses), l1ItlbMisses: total(.itlbMisses), dataWalks: total(.dataWalks),
      instructionWalks: total(.instructionWalks))
    counts = Counts(
      syllables: total(.syllables), nops: total(.nops), loads: total(.loads), stores: total(.stores),
      l2BankConflicts: total(.bankConflicts), stackStores: total(.stackStores), stackLoads: total(.stackLoads),
      failedChecks: total(.failedChecks), interruptions: total(.interruptions))
    symbols = Self.hottest(pipelines, of: cycles, naming)
  }
}

extension CycleReport.Branches {
  init(_ pipelines: [Pipeline]) {
    for kind in Branch.Kind.allCases {
      func total(_ count: BranchCount) -> UInt64 { pipelines.reduce(0) { $0 &+ $1.total(of: count.index(kind)) } }
      let counts = Kind(executed: total(.executed), taken: total(.taken), mispredicted: total(.mispredicted))
      executed &+= counts.executed
      taken &+= counts.taken
      mispredicted &+= counts.mispredicted
      if counts.executed != 0 { kinds[kind.key] = counts }
    }
  }
}

extension Branch.Kind {
  /// What files for machines call it.
  var key: String {
    switch self {
    case .indirectCall: "indirect_call"
    case .returns: "return"
    case .conditional, .call, .indirect, .cloop, .ctop, .cexit, .wtop, .wexit: "\(self)"
    }
  }
}

extension Pipeline {
  /// Cycles that a cause has taken at a privilege level.
  public func cycles(of cause: Cause, level: Int) -> UInt64 { pipe.pointee.cycles[level * Cause.stride + Int(cause.rawValue)] }

  func count(_ count: Count, level: Int) -> UInt64 { pipe.pointee.counts[level * PipelineState.countStride + count.rawValue] }

  /// The count at an index, at all privilege levels.
  func total(of index: Int) -> UInt64 {
    (0..<4).reduce(0) { $0 &+ pipe.pointee.counts[$1 * PipelineState.countStride + index] }
  }

  /// All cycles that were accounted for: the processor's clock, less what it showed when the model was attached.
  public var accountedCycles: UInt64 {
    (0..<4).reduce(0) { sum, level in Cause.allCases.reduce(sum) { $0 + cycles(of: $1, level: level) } }
  }

  /// Whether cycles are also counted by address.
  public var profiles: Bool {
    get { profile != nil }
    set {
      guard newValue != profiles else { return }
      profile?.deallocate()
      profile = newValue ? Profile() : nil
      noteObservers()
    }
  }
}
