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
      "\(report.description): \(grouped(report.cycles)) cycles, \(grouped(report.instructions)) instructions (slots), "
        + "CPI \(decimal(report.cyclesPerInstruction, 3)), IPC \(decimal(report.instructionsPerCycle, 3))"
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
        let name = length == 0 ? cause.name : padded(cause.name, 34) + String(repeating: "#", count: length)
        return "\(right(grouped(cycles), 13)) \(right(percent(cycles, total), 6)) \(right(decimal(cpi, 3), 6))  \(name)"
      }
  }

  private var levels: [String] {
    var lines = ["       cycles      %  by privilege level"]
    for level in report.privilegeLevels {
      let causes = level.stall.entries.sorted { $0.cycles > $1.cycles }.prefix(4)
      let parts = causes.map { "\($0.cause.name) \(percent($0.cycles, level.cycles))%" }
      lines.append(
        "\(right(grouped(level.cycles), 13)) \(right(percent(level.cycles, report.cycles), 6))  \(level.level): "
          + parts.joined(separator: ", "))
    }
    return lines
  }

  private var parts: [String] {
    let b = report.branch
    var lines = [
      "branches: \(grouped(b.executed)) executed, \(percent(b.taken, b.executed))% taken, "
        + "\(percent(b.mispredicted, b.executed))% mispredicted"
    ]
    let caches = report.cache.sorted { $0.key < $1.key }.filter { $0.value.accesses != 0 }.map { name, cache in
      "\(name.uppercased()) \(percent(cache.misses, cache.accesses))% of \(grouped(cache.accesses))"
    }
    lines.append("cache misses: " + caches.joined(separator: ", "))
    let t = report.tlb
    lines.append(
      "translations: L1 DTLB misses \(grouped(t.l1DtlbMisses)), L1 ITLB misses \(grouped(t.l1ItlbMisses)), "
        + "walks \(grouped(t.dataWalks &+ t.instructionWalks))")
    return lines
  }

  private func line(_ symbol: CycleReport.Symbol) -> String {
    let waits = symbol.stall.entries.filter { $0.cause != .issue }.sorted { $0.cycles > $1.cycles }.prefix(2)
    let parts = waits.filter { $0.cycles * 100 >= symbol.cycles }.map { "\($0.cause.name) \(percent($0.cycles, symbol.cycles))%" }
    let isPlace = symbol.name.hasPrefix("[") && symbol.address != nil
    let name = isPlace ? "\(symbol.address ?? "") \(symbol.name)" : symbol.name
    return
      "\(right(grouped(symbol.cycles), 13)) \(right(percent(symbol.cycles, report.cycles), 6)) \(right(grouped(symbol.groups), 12))  "
      + (parts.isEmpty ? name : padded(name, 34) + parts.joined(separator: ", "))
  }

  // MARK: Text

  private func right(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) + text }

  /// Followed by at least one blank.
  private func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(1, width - text.count)) }

  /// Digits by threes.
  private func grouped(_ number: UInt64) -> String {
    let digits = Array(String(number))
    return String(
      digits.enumerated().flatMap { index, digit in
        index > 0 && (digits.count - index) % 3 == 0 ? [",", digit] : [digit]
      })
  }

  private func decimal(_ value: Double, _ places: Int) -> String {
    var scale: UInt64 = 1
    for _ in 0..<places { scale *= 10 }
    let scaled = UInt64(max(0, min(1e15, (value * Double(scale)).rounded())))
    let fraction = String(scaled % scale)
    return "\(scaled / scale).\(String(repeating: "0", count: places - fraction.count))\(fraction)"
  }

  private func percent(_ part: UInt64, _ whole: UInt64) -> String {
    decimal(whole == 0 ? 0 : Double(part) / Double(whole) * 100, 1)
  }
}
