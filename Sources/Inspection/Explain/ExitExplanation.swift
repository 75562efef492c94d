import Hypervisor
import Processor

/// A record of a trace in words: what happened, why, what was done about it, what that changed and cost.
public struct ExitExplanation: Sendable, Encodable {
  public struct Line: Sendable, Encodable {
    /// A word for the margin.
    public var about: String
    public var text: String
  }
  public let number: Int
  public private(set) var lines: [Line] = []

  /// Nil: the trace has no record of that number.
  ///
  /// - Parameter number: As `epicure trace list` prints it.
  public init?(_ number: Int, _ reader: TraceReader, symbols: SymbolTable?) {
    self.number = number
    let text = TraceText(symbols: symbols, place: { reader.place(of: $0) })
    // What happened on the same processor, in the order of the file: inner records come before the one that they belong to.
    var index = 0
    var found: TraceRecord?
    var inner: [TraceRecord] = []
    var recent: [(domain: UInt16, processor: UInt8, record: TraceRecord)] = []
    var next: TraceRecord?
    reader.forEach { r in
      defer { index += 1 }
      if index == number {
        found = r
        inner = recent.filter { $0.domain == r.domain && $0.processor == r.processor }.map(\.record)
      } else if index < number {
        if r.kind == .exit { recent.removeAll { $0.domain == r.domain && $0.processor == r.processor } }
        recent.append((r.domain, r.processor, r))
        if recent.count > Self.window { recent.removeFirst(Self.window / 2) }
      } else if next == nil, let found, r.kind == .exit, r.domain == found.domain, r.processor == found.processor {
        next = r
      }
    }
    guard let r = found else { return nil }
    var same = CostDistribution()
    var all = CostDistribution()
    reader.forEach {
      guard $0.kind == r.kind else { return }
      all.add($0.cost)
      if $0.causeName == r.causeName { same.add($0.cost) }
    }
    tell(r, text, reader, inner: inner, next: next, same, all)
  }

  /// Records that are remembered on the way; more between two exits of a processor are not listed.
  private static let window = 512
  private static let listed = 8

  private mutating func say(_ about: String, _ text: String) { lines.append(Line(about: about, text: text)) }

  private mutating func tell(
    _ r: TraceRecord, _ text: TraceText, _ reader: TraceReader, inner: [TraceRecord], next: TraceRecord?, _ same: CostDistribution,
    _ all: CostDistribution
  ) {
    let frequency = Double(max(1, reader.description.frequency))
    say("what", text.what(r))
    let domain = reader.domains[UInt64(r.domain)] ?? "\(r.domain)"
    say(
      "where",
      (r.ip == 0 ? "" : "at \(text.location(r.ip)), ")
        + (r.processor == TraceRecord.noProcessor
          ? "domain \(domain)" : "virtual processor \(r.processor) of domain \(domain), on physical processor \(r.physical)"))
    say("when", "cycle \(r.cycle), \(Self.time(Double(r.cycle) / frequency)) after power-on")
    guard let kind = r.exitKind else { return tellCount(r, same, all) }
    let words = ExitWords(kind)
    say("why", words.reason)
    say("handling", words.handling)
    for line in Self.operands(r, kind) { say("operands", line) }
    let consequences = inner.filter { $0.cycle >= r.cycle && $0.cycle <= r.cycle &+ r.cost && $0.kind != .exit }
    for record in consequences.suffix(Self.listed) { say("change", text.what(record)) }
    if consequences.count > Self.listed { say("change", "and \(consequences.count - Self.listed) more before these") }
    if consequences.isEmpty { say("change", "nothing else that a trace records") }
    if reader.description.timing == "cycle" {
      say(
        "cost",
        "\(r.cost) cycles (\(Self.time(Double(r.cost) / frequency))); of its cause \(same.count) exits cost \(same.minimum) to \(same.most), "
          + "\(UInt64(same.mean.rounded())) on average, \(same.total) together: "
          + Self.percent(same.total, all.total) + " of what all exits cost")
    } else {
      say("cost", "not known: the run had no cycle timing; \(same.count) of \(all.count) exits have this cause")
    }
    if let next { say("then", "the next exit came \(next.cycle &- (r.cycle &+ r.cost)) cycles later: \(text.what(next))") }
  }

  private mutating func tellCount(_ r: TraceRecord, _ same: CostDistribution, _ all: CostDistribution) {
    say("count", "one of \(same.count) like it, of \(all.count) of the kind \"\(r.kind.name)\"")
    if r.cost > 0 { say("cost", "\(r.cost) cycles") }
  }

  private static func time(_ seconds: Double) -> String {
    let units: [(String, Double)] = [("s", 1), ("ms", 1e3), ("µs", 1e6), ("ns", 1e9)]
    let unit = units.first { seconds * $0.1 >= 1 } ?? ("ns", 1e9)
    return "\(Double(Int((seconds * unit.1 * 1000).rounded())) / 1000) \(unit.0)"
  }

  private static func percent(_ part: UInt64, _ whole: UInt64) -> String {
    whole == 0 ? "0 %" : "\(Double(Int((Double(part) / Double(whole) * 1000).rounded())) / 10) %"
  }

  // MARK: Operands

  private static func operands(_ r: TraceRecord, _ kind: ExitKind) -> [String] {
    let hex = TraceText.hex
    switch kind {
    case .instruction(let cause): return InterceptOperands.text(r, cause).map { [$0] } ?? []
    case .deviceMemory, .port, .interruptBlock, .ioSAPIC:
      let size = r.b & 0xFF
      guard size != 0 else { return [] }
      return [
        r.b & TraceRecord.store != 0 ? "a store of \(size) bytes: \(hex(r.a))" : "a load of \(size) bytes, which found \(hex(r.a))"
      ]
    case .firmware: return ["procedure \(r.a), argument \(hex(r.b)); status \(Int64(bitPattern: r.c))"]
    case .hypercall: return ["first arguments \(hex(r.a)), \(hex(r.b)); result \(Int64(bitPattern: r.c))"]
    case .hyperprivop: return ["r8 \(hex(r.a)), r9 \(hex(r.b)); r8 afterwards \(hex(r.c))"]
    default: return []
    }
  }
}
