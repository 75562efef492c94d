import ArgumentParser
import Foundation
import Inspection
import Management

/// `epicure trace summary`
struct TraceSummaryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "summary",
    abstract: "What happened, by cause, by address, by device register.",
    discussion: """
      Costs are cycles from the exit to the guest's next instruction; only runs with --timing cycle have them, and shares are of them. In other \
      runs shares are of the counts. Percentiles are exact to a hundredth of their value.
      """)
  @OptionGroup var input: TraceInput
  @OptionGroup var filter: TraceFilter
  @Flag(help: "Print JSON, with all of the tables' lines.") var json = false

  func run() throws {
    let reader = try input.reader()
    let symbols = try input.symbolTable(for: reader)
    let isWanted = try filter.predicate(reader, symbols)
    var builder = TraceSummary.Builder(reader)
    reader.forEach { if isWanted($0) { builder.add($0) } }
    let summary = builder.summary(symbols: symbols)
    var output = StandardOutput()
    try output.write(json ? ManagementJSON.text(summary) : TraceSummaryTable(summary).text)
    try output.flush()
  }
}

/// The summary for a terminal.
struct TraceSummaryTable {
  private let s: TraceSummary
  /// Registers that the table shows; the JSON has all.
  private static let registerCount = 20

  init(_ summary: TraceSummary) { s = summary }

  var text: String {
    typealias T = ReportText
    var lines = [
      "\(T.grouped(s.records)) records in \(T.decimal(s.seconds * 1000, 3)) ms of guest time (\(T.grouped(s.lastCycle - s.firstCycle)) cycles, "
        + "\(s.timing) timing, virtualization \(s.virtualization))"
    ]
    if s.exits > 0 {
      lines.append(
        hasCosts
          ? "\(T.grouped(s.exits)) exits took \(T.grouped(s.exitCycles)) cycles, \(T.decimal(s.exitShare, 1)) % of the virtual processors' time"
          : "\(T.grouped(s.exits)) exits; record with --timing cycle to see what they cost")
    }
    for (kind, rows) in groups {
      lines += ["", Self.titles[kind] ?? kind]
      let hasCosts = hasCosts && rows.contains { $0.totalCycles > 0 }
      lines.append(
        "       count      %" + (hasCosts ? "         cycles        min       mean        p99        max" : "") + "  cause")
      for row in rows { lines.append(line(row, hasCosts)) }
    }
    if !s.addresses.isEmpty {
      lines += ["", "hottest addresses", counted + "  address, causes"]
      for place in s.addresses {
        let name = place.address + (place.symbol.map { " <\($0)>" } ?? "")
        lines.append(
          counts(place.count, place.share, hasCosts ? place.totalCycles : nil) + "  " + T.padded(name, 48)
            + place.causes.prefix(3).joined(separator: ", "))
      }
    }
    if !s.registers.isEmpty {
      lines += ["", "device registers", counted + "  address, register"]
      for register in s.registers.prefix(Self.registerCount) {
        lines.append(
          counts(register.count, register.share, hasCosts ? register.totalCycles : nil) + "  " + T.padded(register.address, 20)
            + (register.name ?? ""))
      }
      let left = s.registers.count - Self.registerCount
      if left > 0 { lines.append("       … and \(left) more: --json lists them") }
    }
    return lines.map { String($0.reversed().drop { $0 == " " }.reversed()) + "\n" }.joined()
  }

  private static let titles = [
    "exit": "exits", "interruption": "interruptions delivered", "insert": "translation inserts", "purge": "translation purges",
    "firmware": "calls of the firmware", "event": "event channels", "schedule": "scheduling", "request": "requests of devices",
    "service": "media at work", "frame": "frames",
  ]

  /// Rows of the same kind stand together already.
  private var groups: [(String, [TraceSummary.Row])] {
    var groups: [(String, [TraceSummary.Row])] = []
    for row in s.causes {
      if groups.last?.0 == row.kind { groups[groups.count - 1].1.append(row) } else { groups.append((row.kind, [row])) }
    }
    return groups
  }

  private var hasCosts: Bool { s.weight == "cycles" }
  private var counted: String { "       count      %" + (hasCosts ? "         cycles" : "") }

  private func counts(_ count: UInt64, _ share: Double, _ cycles: UInt64?) -> String {
    ReportText.right(ReportText.grouped(count), 12) + ReportText.right(ReportText.decimal(share, 1), 7)
      + (cycles.map { ReportText.right(ReportText.grouped($0), 15) } ?? "")
  }

  private func line(_ row: TraceSummary.Row, _ hasCosts: Bool) -> String {
    typealias T = ReportText
    guard hasCosts else { return counts(row.count, row.share, nil) + "  " + row.cause }
    return counts(row.count, row.share, row.totalCycles) + T.right(T.grouped(row.minimumCycles), 11)
      + T.right(T.grouped(UInt64(row.meanCycles.rounded())), 11) + T.right(T.grouped(row.p99Cycles), 11)
      + T.right(T.grouped(row.maximumCycles), 11) + "  " + row.cause
  }
}
