/// What a trace says altogether: by cause, by address, by device register.
public struct TraceSummary: Sendable, Encodable {
  /// One line of a table. Costs are cycles, and zero for what takes no time of its own.
  public struct Row: Sendable, Encodable {
    /// ``TraceKind`` and ``TraceRecord/causeName``.
    public var kind: String
    public var cause: String
    public var count: UInt64
    /// Of its kind's ``TraceSummary/weight``, in percent; of its count if the kind takes no time of its own.
    public var share: Double
    public var totalCycles: UInt64
    public var minimumCycles: UInt64
    public var meanCycles: Double
    public var p99Cycles: UInt64
    public var maximumCycles: UInt64
  }

  /// An instruction at which guests were left, or interrupted.
  public struct Place: Sendable, Encodable {
    public var address: String
    public var symbol: String?
    public var count: UInt64
    public var share: Double
    public var totalCycles: UInt64
    /// The causes, the most expensive first.
    public var causes: [String]
  }

  /// A register of a device, and who looked at it.
  public struct Register: Sendable, Encodable {
    public var address: String
    public var name: String?
    public var count: UInt64
    public var share: Double
    public var totalCycles: UInt64
  }

  public var timing: String
  /// What shares are of: "cycles"; "count" where a run without the model of the pipeline has none worth counting.
  public var weight: String
  public var virtualization: String
  public var kernel: String?
  public var records: UInt64 = 0
  /// False: the recording was cut off.
  public var isComplete = true
  public var firstCycle: UInt64 = 0
  public var lastCycle: UInt64 = 0
  /// From the first record to the end of the last one.
  public var seconds: Double = 0
  public var exits: UInt64 = 0
  public var exitCycles: UInt64 = 0
  /// Of the time of all virtual processors, in percent.
  public var exitShare: Double = 0
  public var causes: [Row] = []
  public var addresses: [Place] = []
  public var registers: [Register] = []

  /// Addresses that are listed.
  public static let hottest = 30
}

extension TraceSummary {
  /// Counts records.
  public struct Builder {
    private struct Cause: Hashable {
      var kind: TraceKind
      var cause: UInt16
      /// Of hypercalls; see ``ExitKind/index``.
      var number: UInt64
    }
    private struct Spot {
      var count: UInt64 = 0
      var cycles: UInt64 = 0
      var causes: [Cause: UInt64] = [:]
    }
    private let reader: TraceReader
    private var causes: [Cause: CostDistribution] = [:]
    private var names: [Cause: String] = [:]
    private var addresses: [UInt64: Spot] = [:]
    private var registers: [UInt64: (count: UInt64, cycles: UInt64)] = [:]
    private var processors: Set<UInt32> = []
    private var first = UInt64.max
    private var last: UInt64 = 0
    private var records: UInt64 = 0

    public init(_ reader: TraceReader) { self.reader = reader }

    public mutating func add(_ r: TraceRecord) {
      records += 1
      first = min(first, r.cycle)
      last = max(last, r.cycle &+ r.cost)
      let isHypercall = if case .hypercall? = r.exitKind { true } else { false }
      let cause = Cause(kind: r.kind, cause: r.cause, number: isHypercall ? r.detail : 0)
      causes[cause, default: CostDistribution()].add(r.cost)
      if names[cause] == nil { names[cause] = r.causeName }
      switch r.kind {
      case .exit, .interruption, .firmware:
        if r.kind == .exit { processors.insert(UInt32(r.domain) << 8 | UInt32(r.processor)) }
        addresses[r.ip, default: Spot()].count += 1
        addresses[r.ip, default: Spot()].cycles &+= r.cost
        addresses[r.ip, default: Spot()].causes[cause, default: 0] &+= max(1, r.cost)
      default: break
      }
      switch r.exitKind {
      case .deviceMemory?, .port?, .interruptBlock?, .ioSAPIC?:
        let old = registers[r.detail] ?? (0, 0)
        registers[r.detail] = (old.count + 1, old.cycles &+ r.cost)
      default: break
      }
    }

    public func summary(symbols: SymbolTable?) -> TraceSummary {
      let d = reader.description
      let byCount = d.timing != "cycle"
      var s = TraceSummary(
        timing: d.timing, weight: byCount ? "count" : "cycles", virtualization: d.virtualization, kernel: d.kernel)
      s.records = records
      s.isComplete = reader.isComplete
      (s.firstCycle, s.lastCycle) = (records == 0 ? 0 : first, last)
      s.seconds = Double(last - s.firstCycle) / Double(max(1, d.frequency))
      // Translation registers have one name.
      var named: [[String]: CostDistribution] = [:]
      for (cause, costs) in causes { named[[cause.kind.name, names[cause] ?? ""], default: CostDistribution()].merge(costs) }
      var totals: [String: (count: UInt64, cycles: UInt64)] = [:]
      for (name, costs) in named {
        let old = totals[name[0]] ?? (0, 0)
        totals[name[0]] = (old.count + costs.count, old.cycles &+ costs.total)
      }
      func weigh(_ count: UInt64, _ cycles: UInt64) -> UInt64 { byCount ? count : cycles }
      func percent(_ part: UInt64, _ whole: UInt64) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) * 100 }
      (s.exits, s.exitCycles) = totals[TraceKind.exit.name] ?? (0, 0)
      let allExits = weigh(s.exits, s.exitCycles)
      s.exitShare = percent(s.exitCycles, (last - s.firstCycle) &* UInt64(max(1, processors.count)))
      s.causes = named.map { name, costs in
        let all = totals[name[0]] ?? (0, 0)
        return Row(
          kind: name[0], cause: name[1], count: costs.count,
          share: all.cycles == 0
            ? percent(costs.count, all.count) : percent(weigh(costs.count, costs.total), weigh(all.count, all.cycles)),
          totalCycles: costs.total,
          minimumCycles: costs.minimum, meanCycles: costs.mean, p99Cycles: costs.quantile(0.99), maximumCycles: costs.most)
      }.sorted {
        let (a, b) = ($0.kind == "exit" ? 0 : 1, $1.kind == "exit" ? 0 : 1)
        return (a, $0.kind, weigh($1.count, $1.totalCycles), $1.count, $0.cause)
          < (b, $1.kind, weigh($0.count, $0.totalCycles), $0.count, $1.cause)
      }
      let spent = addresses.values.reduce(0) { $0 &+ weigh($1.count, $1.cycles) }
      func rank(_ count: UInt64, _ cycles: UInt64) -> (UInt64, UInt64) { (weigh(count, cycles), count) }
      s.addresses = addresses.sorted {
        let (a, b) = (rank($0.value.count, $0.value.cycles), rank($1.value.count, $1.value.cycles))
        return a != b ? a > b : $0.key < $1.key
      }
      .prefix(TraceSummary.hottest).map { ip, spot in
        Place(
          address: TraceText.location(ip), symbol: symbols?.name(of: ip & ~0xF), count: spot.count,
          share: percent(weigh(spot.count, spot.cycles), spent), totalCycles: spot.cycles,
          causes: spot.causes.map { (names[$0.key] ?? "", $0.value) }.sorted { ($1.1, $0.0) < ($0.1, $1.0) }.map(\.0))
      }
      s.registers = registers.sorted {
        let (a, b) = (rank($0.value.count, $0.value.cycles), rank($1.value.count, $1.value.cycles))
        return a != b ? a > b : $0.key < $1.key
      }
      .map { address, use in
        Register(
          address: TraceText.hex(address), name: reader.registers[address], count: use.count,
          share: percent(weigh(use.count, use.cycles), allExits), totalCycles: use.cycles)
      }
      return s
    }
  }
}
