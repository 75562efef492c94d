import Processor

/// What a processor's cycles were spent on: causes that add up to all of them.
public struct CycleReport: Encodable, Sendable {
  public struct Level: Encodable, Sendable {
    public var level: Int
    public var cycles: UInt64
    /// Cycles by ``Cause/name``.
    public var causes: [String: UInt64]
  }
  public struct Place: Encodable, Sendable {
    public var address: String
    public var symbol: String?
    public var groups: UInt64
    public var cycles: UInt64
  }
  public var description: String
  public var cycles: UInt64
  /// Slots retired, and cycles for each of them.
  public var instructions: UInt64
  public var cyclesPerInstruction: Double
  public var privilegeLevels: [Level]
  public var counts: [String: UInt64]
  /// The addresses that took the most cycles.
  public var hottest: [Place]?

  public init(_ pipeline: Pipeline) {
    pipeline.pipe.changeStatus()
    description = pipeline.description.name
    instructions = pipeline.processor.state.pointee.instructions
    privilegeLevels = (0..<4).map { level in
      let causes = Cause.allCases.map { ($0.name, pipeline.cycles(of: $0, level: level)) }.filter { $0.1 != 0 }
      return Level(level: level, cycles: causes.reduce(0) { $0 + $1.1 }, causes: Dictionary(causes) { $1 })
    }.filter { $0.cycles != 0 }
    cycles = privilegeLevels.reduce(0) { $0 + $1.cycles }
    cyclesPerInstruction = instructions == 0 ? 0 : Double(cycles) / Double(instructions)
    counts = Dictionary(
      Count.allCases.map { count in ("\(count)", (0..<4).reduce(0) { $0 + pipeline.count(count, level: $1) }) }
    ) { $1 }
    hottest = pipeline.hottest(40)
  }
}

extension Pipeline {
  /// Cycles that a cause has taken at a privilege level.
  public func cycles(of cause: Cause, level: Int) -> UInt64 { pipe.pointee.cycles[level * Cause.stride + Int(cause.rawValue)] }

  func count(_ count: Count, level: Int) -> UInt64 { pipe.pointee.counts[level * PipelineState.countStride + count.rawValue] }

  /// All cycles that were accounted for: the processor's clock, less what it showed when the model was attached.
  public var accountedCycles: UInt64 {
    (0..<4).reduce(0) { sum, level in Cause.allCases.reduce(sum) { $0 + cycles(of: $1, level: level) } }
  }

  /// Whether cycles are also counted by address.
  public var profiles: Bool {
    get { pipe.pointee.profile != nil }
    set {
      guard newValue != profiles else { return }
      pipe.pointee.profile?.deallocate()
      pipe.pointee.profile = nil
      defer { noteObservers() }
      guard newValue else { return }
      let table = UnsafeMutablePointer<ProfileEntry>.allocate(capacity: ProfileTable.count)
      table.initialize(repeating: ProfileEntry(), count: ProfileTable.count)
      pipe.pointee.profile = table
    }
  }

  /// The addresses that took the most cycles, most first; nil without a profile.
  public func hottest(_ count: Int) -> [CycleReport.Place]? {
    guard let table = pipe.pointee.profile else { return nil }
    var entries: [ProfileEntry] = []
    for index in 0..<ProfileTable.count where table[index].cycles != 0 { entries.append(table[index]) }
    entries.sort { a, b in a.cycles != b.cycles ? a.cycles > b.cycles : a.address < b.address }
    return entries.prefix(count).map { entry in
      let address = "0x" + String(entry.address & ~0xF, radix: 16)
      return CycleReport.Place(address: address, symbol: nil, groups: entry.groups, cycles: entry.cycles)
    }
  }
}
