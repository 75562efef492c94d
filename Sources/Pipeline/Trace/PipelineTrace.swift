import IA64

/// Writes what one processor's pipeline does in the text format that the Konata viewer reads (Kanata 0004).
///
/// Each syllable is an instruction of the viewer. A group is written when the next one has come, because only that tells what its branches
/// did; events are held back until nothing earlier can follow, since time only goes forward in the file.
public final class PipelineTrace {
  /// Which part of a run is written.
  public struct Extent: Sendable {
    /// Groups that issue from this cycle on.
    public var from: UInt64 = 0
    /// As long as so many cycles have not passed, and there are not so many groups.
    public var cycles = UInt64.max
    public var groups = UInt64.max

    public init() {}
  }

  private let extent: Extent
  private let processorNumber: Int
  private var labels: SyllableLabels
  private let symbol: (@Sendable (UInt64) -> String?)?
  /// Takes what has been written; false: it takes no more.
  private let sink: ([UInt8]) -> Bool
  private var placement = StagePlacement()
  private var queue = KanataEvents()
  /// The last group, and where it was when.
  private var current: (group: TracedGroup, stages: StagePlacement.Stages)?
  private var groups: UInt64 = 0
  private var identifier: UInt64 = 0
  private var retired: UInt64 = 0
  /// Nothing more is written: the extent is exhausted, or the sink has refused.
  public private(set) var isFinished = false

  /// `symbol` names addresses, as `main+0x10`.
  public init(
    _ extent: Extent = Extent(), processor: Int = 0, symbol: (@Sendable (UInt64) -> String?)? = nil,
    sink: @escaping ([UInt8]) -> Bool
  ) {
    self.extent = extent
    processorNumber = processor
    self.symbol = symbol
    labels = SyllableLabels(symbol)
    self.sink = sink
  }

  /// Shows this trace what `pipeline` does from now on.
  public func watch(_ pipeline: Pipeline) {
    pipeline.observeGroups(from: extent.from) { [weak pipeline] group in
      self.add(group)
      if self.isFinished { pipeline?.stopObservingGroups() }
    }
  }

  /// The next group has issued.
  public func add(_ group: TracedGroup) {
    guard !isFinished, group.issued >= extent.from else { return }
    if group.issued - extent.from >= extent.cycles || groups >= extent.groups { return finish(before: group) }
    groups += 1
    var stages: StagePlacement.Stages
    if group.goesOn, let current {
      stages = current.stages
      stages.exe = group.issued
      placement.delay(to: group.issued)
    } else {
      stages = placement.place(issued: group.issued, waits: group.waits)
    }
    if let current { write(current.group, current.stages, following: group) }
    current = (group, stages)
    flush(before: stages.ipg)
  }

  /// Writes what is left.
  public func finish() { finish(before: nil) }

  private func finish(before following: TracedGroup?) {
    guard !isFinished else { return }
    if let current { write(current.group, current.stages, following: following) }
    current = nil
    flush(before: .max)
    isFinished = true
  }

  private func flush(before cycle: UInt64) {
    guard let bytes = queue.take(before: cycle), !sink(bytes) else { return }
    isFinished = true
  }

  // MARK: One group

  private func write(_ group: TracedGroup, _ stages: StagePlacement.Stages, following: TracedGroup?) {
    let outcome = GroupOutcome(group, following: following)
    let isMispredicted = outcome.taken != nil || group.syllables.contains { $0.isBranch }
    let mispredicted = isMispredicted ? following?.waits[.mispredict] ?? 0 : 0
    let note = describe(group, mispredicted: mispredicted)
    for (index, syllable) in group.syllables.enumerated() {
      let isDropped = index >= outcome.dropped
      var mark = ""
      if isDropped {
        mark = "  [not executed]"
      } else if index == outcome.taken {
        mark = "  [taken]"
      } else if !syllable.predicate && !(syllable.isBranch && index == outcome.taken) {
        mark = "  [off]"
      }
      write(syllable, stages, isDropped: isDropped, mark: mark, note: note, waits: group.waits)
    }
  }

  private func write(
    _ syllable: TracedGroup.Syllable, _ s: StagePlacement.Stages, isDropped: Bool, mark: String, note: String, waits: CauseCounts
  ) {
    let id = identifier
    identifier += 1
    queue.add(s.ipg, "I\t\(id)\t\(id)\t\(processorNumber)\n")
    queue.add(s.ipg, "L\t\(id)\t0\t\(labels.text(of: syllable))\(mark)\n")
    queue.add(s.ipg, "L\t\(id)\t1\t\(note)\n")
    func begin(_ stage: String, _ cycle: UInt64) { queue.add(cycle, "S\t\(id)\t0\t\(stage)\n") }
    begin("IPG", s.ipg)
    begin("ROT", s.rot)
    begin("EXP", s.exp)
    begin("REN", s.ren)
    begin("REG", s.reg)
    var cycle = s.exe
    let stages = syllable.instruction.unit == .f ? ["FP1", "FP2", "FP3", "FP4", "WRB"] : ["EXE", "DET", "WRB"]
    for stage in stages {
      begin(stage, cycle)
      cycle &+= 1
    }
    overlay(id, waits, .fetch, until: s.rot)
    overlay(id, waits, .register, until: s.exe)
    queue.add(cycle, "R\t\(id)\t\(retired)\t\(isDropped ? 1 : 0)\n")
    if !isDropped { retired += 1 }
  }

  /// Waits, as stages of a second lane that end with the stage that waited.
  private func overlay(_ id: UInt64, _ waits: CauseCounts, _ place: Cause.Place, until end: UInt64) {
    let entries = waits.entries.filter { $0.cause.place == place }
    let length = entries.reduce(0) { $0 &+ $1.cycles }
    guard length <= end else { return }
    var cycle = end - length
    for (cause, cycles) in entries {
      queue.add(cycle, "S\t\(id)\t1\t\(cause.key)\n")
      cycle += cycles
      queue.add(cycle, "E\t\(id)\t1\t\(cause.key)\n")
    }
  }

  /// The text that a viewer shows beside an instruction; the format writes line breaks as two characters.
  private func describe(_ group: TracedGroup, mispredicted: UInt64) -> String {
    var lines = [
      "cycle \(group.issued), level \(group.privilegeLevel), group of \(group.syllables.count) that ends \(group.split.text)"
    ]
    if let name = symbol?(group.first.address) { lines[0] += ", in \(name)" }
    let waits = group.waits.entries
    if !waits.isEmpty {
      let parts = waits.map { "\($0.cycles) \($0.cause.name)" }
      lines.append("waited \(group.waits.total): " + parts.joined(separator: ", "))
    }
    if mispredicted != 0 { lines.append("predicted wrongly: \(mispredicted) cycles until the next group") }
    return lines.joined(separator: "\\n")
  }
}

extension SplitCause {
  var text: String {
    switch self {
    case .stop: "with a stop"
    case .implicit: "with an implicit stop"
    case .rule: "by a rule of dispersal"
    case .ports: "for want of a port"
    case .end: "with the block"
    }
  }
}

extension TracedGroup.Syllable {
  var isBranch: Bool { instruction.unit == .b || instruction.operation == .brlCond || instruction.operation == .brlCall }
}

/// Addresses and disassembly of syllables. A loop shows the same ones again and again.
struct SyllableLabels {
  private let disassembler: Disassembler
  private var known: [TracedGroup.Position: (bundle: Bundle, text: String)] = [:]

  init(_ symbol: (@Sendable (UInt64) -> String?)?) { disassembler = Disassembler(symbol: symbol) }

  mutating func text(of syllable: TracedGroup.Syllable) -> String {
    if let entry = known[syllable.position], entry.bundle == syllable.bundle { return entry.text }
    let code = disassembler.text(of: syllable.slot, in: syllable.bundle, at: syllable.address) ?? ""
    let text = "\(String(syllable.address, radix: 16)).\(syllable.slot): \(code)"
    if known.count >= 1 << 16 { known.removeAll() }
    known[syllable.position] = (syllable.bundle, text)
    return text
  }
}
