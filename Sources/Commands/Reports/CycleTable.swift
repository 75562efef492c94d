import Pipeline

/// A ``CycleReport`` for people: what the cycles were spent on, with bars, by privilege level and by function.
struct CycleTable {
  private let report: CycleReport
  private static let barWidth = 30
  /// Symbols that the table shows; the JSON has more.
  private static let symbolCount = 20

  init(_ report: CycleReport) { self.report = report }

  var text: String {
    var lines = [
      "\(report.description): \(ReportText.grouped(report.cycles)) cycles, \(ReportText.grouped(report.instructions)) instructions (slots), "
        + "CPI \(ReportText.decimal(report.cyclesPerInstruction, 3)), IPC \(ReportText.decimal(report.instructionsPerCycle, 3))"
    ]
    lines.append("")
    lines.append(contentsOf: stack(report.stall, of: report.cycles))
    if report.privilegeLevels.count > 1 {
      lines.append("")
      lines.append(contentsOf: levels)
    }
    lines.append("")
    lines.append(contentsOf: parts)
    if let symbols = report.symbols, !symbols.isEmpty {
      lines.append("")
      lines.append("       cycles      %       groups  symbol, and what it waited for")
      lines.append(contentsOf: symbols.prefix(Self.symbolCount).map(line))
    }
    return lines.joined(separator: "\n")
  }

  // MARK: Pieces

  private func stack(_ causes: CauseCounts, of total: UInt64) -> [String] {
    ["       cycles      %    CPI  cause"]
      + causes.entries.sorted { ($1.cycles, $0.cause.rawValue) < ($0.cycles, $1.cause.rawValue) }.map { cause, cycles in
        let length = total == 0 ? 0 : Int((Double(cycles) / Double(total) * Double(Self.barWidth)).rounded())
        let cpi = report.instructions == 0 ? 0 : Double(cycles) / Double(report.instructions)
        let name = length == 0 ? cause.name : ReportText.padded(cause.name, 34) + String(repeating: "#", count: length)
        return
          "\(ReportText.right(ReportText.grouped(cycles), 13)) \(ReportText.right(ReportText.percent(cycles, total), 6)) \(ReportText.right(ReportText.decimal(cpi, 3), 6))  \(name)"
      }
  }

  private var levels: [String] {
    var lines = ["       cycles      %  by privilege level"]
    for level in report.privilegeLevels {
      let causes = level.stall.entries.sorted { $0.cycles > $1.cycles }.prefix(4)
      let parts = causes.map { "\($0.cause.name) \(ReportText.percent($0.cycles, level.cycles))%" }
      lines.append(
        "\(ReportText.right(ReportText.grouped(level.cycles), 13)) \(ReportText.right(ReportText.percent(level.cycles, report.cycles), 6))  \(level.level): "
          + parts.joined(separator: ", "))
    }
    return lines
  }

  private var parts: [String] {
    let b = report.branch
    var lines = [
      "branches: \(ReportText.grouped(b.executed)) executed, \(ReportText.percent(b.taken, b.executed))% taken, "
        + "\(ReportText.percent(b.mispredicted, b.executed))% mispredicted"
    ]
    let caches = report.cache.sorted { $0.key < $1.key }.filter { $0.value.accesses != 0 }.map { name, cache in
      "\(name.uppercased()) \(ReportText.percent(cache.misses, cache.accesses))% of \(ReportText.grouped(cache.accesses))"
    }
    lines.append("cache misses: " + caches.joined(separator: ", "))
    let t = report.tlb
    lines.append(
      "translations: L1 DTLB misses \(ReportText.grouped(t.l1DtlbMisses)), L1 ITLB misses \(ReportText.grouped(t.l1ItlbMisses)), "
        + "walks \(ReportText.grouped(t.dataWalks &+ t.instructionWalks))")
    return lines
  }

  private func line(_ symbol: CycleReport.Symbol) -> String {
    let waits = symbol.stall.entries.filter { $0.cause != .issue }.sorted { $0.cycles > $1.cycles }.prefix(2)
    let parts = waits.filter { $0.cycles * 100 >= symbol.cycles }.map {
      "\($0.cause.name) \(ReportText.percent($0.cycles, symbol.cycles))%"
    }
    let isPlace = symbol.name.hasPrefix("[") && symbol.address != nil
    let name = isPlace ? "\(symbol.address ?? "") \(symbol.name)" : symbol.name
    return
      "\(ReportText.right(ReportText.grouped(symbol.cycles), 13)) \(ReportText.right(ReportText.percent(symbol.cycles, report.cycles), 6)) \(ReportText.right(ReportText.grouped(symbol.groups), 12))  "
      + (parts.isEmpty ? name : ReportText.padded(name, 34) + parts.joined(separator: ", "))
  }
}
