import Pipeline

/// What a run spent its time on, by instruction: the file of `--profile`.
public struct ProfileDocument: Sendable, Codable {
  /// An issue group, by its first instruction; without cycle timing the instruction that a sample found.
  public struct Entry: Sendable, Codable {
    /// The bundle; nil: what the profile had no place for.
    public var address: UInt64?
    public var slot: UInt8
    /// The address is a physical one: code that ran with PSR.it = 0.
    public var isPhysical: Bool
    /// How often it issued; without cycle timing samples.
    public var count: UInt64
    public var cycles: UInt64
    /// How often ``ProfileDocument/event`` happened.
    public var events: UInt64
    /// Cycles by what they were spent on, by ``Cause/key``.
    public var causes: [String: UInt64]

    public init(
      address: UInt64?, slot: UInt8, isPhysical: Bool, count: UInt64, cycles: UInt64 = 0, events: UInt64 = 0,
      causes: [String: UInt64] = [:]
    ) {
      (self.address, self.slot, self.isPhysical) = (address, slot, isPhysical)
      (self.count, self.cycles, self.events, self.causes) = (count, cycles, events, causes)
    }
  }

  /// "functional": counts are samples. "cycle": they are issue groups.
  public var timing: String
  /// Cycles between two samples.
  public var interval: UInt64?
  public var kernel: String?
  public var symbols: String?
  /// The event of the performance monitor that was counted by address.
  public var event: String?
  /// By descending cycles.
  public var entries: [Entry]

  public init(timing: String, interval: UInt64?, kernel: String?, symbols: String?, event: String?, entries: [Entry]) {
    (self.timing, self.interval, self.kernel, self.symbols, self.event) = (timing, interval, kernel, symbols, event)
    self.entries = entries.sorted {
      ($1.cycles, $1.count, $0.address ?? .max, $0.slot) < ($0.cycles, $0.count, $1.address ?? .max, $1.slot)
    }
  }

  /// What all processors' models have counted.
  public init(_ pipelines: [Pipeline], kernel: String?, symbols: String?) {
    struct Key: Hashable {
      var address: UInt64?
      var slot: UInt8
      var isPhysical: Bool
    }
    var sums: [Key: Entry] = [:]
    for entry in pipelines.lazy.flatMap(\.profileEntries) {
      var causes = entry.causes
      // Nobody's code: whatever woke the processor up is charged with it.
      causes[.halted] = 0
      let key = Key(address: entry.address, slot: entry.slot, isPhysical: entry.isPhysical)
      var sum = sums[key] ?? Entry(address: entry.address, slot: entry.slot, isPhysical: entry.isPhysical, count: 0)
      sum.count &+= entry.groups
      sum.cycles &+= causes.total
      sum.events &+= entry.events
      for (cause, cycles) in causes.entries { sum.causes[cause.key, default: 0] &+= cycles }
      sums[key] = sum
    }
    self.init(
      timing: "cycle", interval: nil, kernel: kernel, symbols: symbols, event: pipelines.first?.profiledEvent?.name,
      entries: Array(sums.values))
  }
}
