import Inspection

/// Functions or bundles of a profile, for a terminal.
struct ProfileTable {
  private let s: ProfileSummary
  private let count: Int
  private let grouping: ProfileSummary.Grouping

  init(_ summary: ProfileSummary, count: Int, by grouping: ProfileSummary.Grouping) {
    (s, self.count, self.grouping) = (summary, count, grouping)
  }

  var text: String {
    typealias T = ReportText
    let hasCycles = s.rows.contains { $0.cycles != 0 }
    let hasEvents = s.measure != "cycles" && s.measure != "samples"
    var lines = ["\(T.grouped(s.total)) \(s.measure)", ""]
    lines.append(
      "      %" + (hasEvents ? "         events" : "") + (hasCycles ? "         cycles        groups" : "       samples")
        + (grouping == .bundle ? "  bundle" : "  function") + (hasCycles ? ", and what it waited for" : ""))
    for row in s.rows.prefix(count) {
      var line = T.right(T.decimal(row.share, 1), 7)
      if hasEvents { line += T.right(T.grouped(row.events), 15) }
      if hasCycles { line += T.right(T.grouped(row.cycles), 15) }
      line += T.right(T.grouped(row.count), 14) + "  "
      let place =
        grouping == .bundle || row.name.hasPrefix("[")
        ? [row.address, row.name].compactMap { $0 }.joined(separator: " ") : row.name
      lines.append(line + Self.named(place, row.waits, of: row.cycles, 40))
    }
    let left = s.rows.count - count
    if left > 0 { lines.append("      … and \(left) more: --top, or --json") }
    return lines.map { $0 + "\n" }.joined()
  }

  /// Waits that took a hundredth of the cycles at least, three of them.
  static func named(_ name: String, _ waits: [ProfileSummary.Wait], of cycles: UInt64, _ width: Int) -> String {
    let parts = waits.filter { $0.cycles * 100 >= cycles && $0.cycles > 0 }.prefix(3).map {
      "\($0.cause) \(ReportText.percent($0.cycles, cycles))%"
    }
    return parts.isEmpty ? name : ReportText.padded(name, width) + parts.joined(separator: ", ")
  }
}

/// A function's code, for a terminal: a line for each instruction.
struct AnnotatedTable {
  private let code: AnnotatedCode
  private let profile: ProfileDocument

  init(_ code: AnnotatedCode, _ profile: ProfileDocument) { (self.code, self.profile) = (code, profile) }

  var text: String {
    typealias T = ReportText
    let isTimed = profile.timing == "cycle"
    let total = code.lines.reduce(0) { $0 + ((isTimed ? $1.cycles : $1.count) ?? 0) }
    var lines = [
      "\(code.name): \(T.grouped(total)) \(isTimed ? "cycles" : "samples")", "",
      "      %" + (isTimed ? "        cycles      groups" : "   samples") + (profile.event == nil ? "" : "      events")
        + "  address             instruction" + (isTimed ? ", and what its group waited for" : ""),
    ]
    for line in code.lines {
      var columns: String
      if let count = line.count {
        let own = (isTimed ? line.cycles : count) ?? 0
        columns = T.right(T.percent(own, total), 7)
        columns += isTimed ? T.right(T.grouped(own), 14) + T.right(T.grouped(count), 12) : T.right(T.grouped(count), 10)
        if profile.event != nil { columns += T.right(T.grouped(line.events ?? 0), 12) }
      } else {
        columns = String(repeating: " ", count: (isTimed ? 33 : 17) + (profile.event == nil ? 0 : 12))
      }
      columns += "  " + (line.slot == 0 ? T.padded(line.address, 20) : String(repeating: " ", count: 20))
      lines.append(columns + ProfileTable.named(line.text, line.waits, of: line.cycles ?? 0, 40))
    }
    return lines.map { $0 + "\n" }.joined()
  }
}
