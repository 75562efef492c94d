import Foundation

extension IOReport {
  /// Columns, the first one to the left.
  private static func table(_ header: [String], _ rows: [[String]], left: Int) -> String {
    let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
    return ([header] + rows).map { row in
      row.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        return column < left ? row[column] + space : space + row[column]
      }.joined(separator: "  ") + "\n"
    }.joined()
  }

  static func number(_ value: Double) -> String {
    value >= 100 ? String(format: "%.0f", value) : value >= 10 ? String(format: "%.1f", value) : String(format: "%.2f", value)
  }
  static func percent(_ part: Double?) -> String { part.map { String(format: "%.1f %%", $0 * 100) } ?? "-" }

  static let columns = [
    "job", "method", "MB/s", "of native", "50 % µs", "90 %", "99 %", "max", "guest cycles", "hypervisor", "host", "exits",
    "notifications",
    "bytes copied",
  ]
  static func cells(_ entry: Entry) -> [String] {
    let (l, p) = (entry.latency, entry.perRequest)
    return [entry.job.name, entry.method, number(entry.throughput), percent(entry.ofNative)]
      + [
        l.median, l.p90, l.p99, l.longest, p.guestCycles, p.hypervisorCycles, p.hostCycles, p.exits, p.notifications, p.bytesCopied,
      ].map(
        number)
  }

  /// Entries of one job together.
  var sorted: [Entry] {
    var order: [IOJob: Int] = [:]
    for entry in entries where order[entry.job] == nil { order[entry.job] = order.count }
    return entries.enumerated().sorted { (order[$0.element.job] ?? 0, $0.offset) < (order[$1.element.job] ?? 0, $1.offset) }.map(
      \.element)
  }

  var text: String {
    var text = Self.table(Self.columns, sorted.map(Self.cells), left: 2)
    if !sharing.isEmpty {
      text +=
        "\nDomains on one disk, \(sharing[0].job.name):\n\n"
        + Self.table(
          ["method", "domains", "MB/s together", "least", "most", "from the mean"],
          sharing.map {
            [
              $0.method, "\($0.throughputs.count)", Self.number($0.total), Self.number($0.throughputs.min() ?? 0),
              Self.number($0.throughputs.max() ?? 0), Self.percent($0.unevenness),
            ]
          }, left: 1)
    }
    if !goals.isEmpty {
      text +=
        "\n"
        + Self.table(
          ["goal", "wanted", "measured", ""],
          goals.map {
            [$0.text, $0.wanted(">=", "<="), Self.percent($0.value), $0.isReached.map { $0 ? "yes" : "NO" } ?? ""]
          }, left: 1)
    }
    return text
  }
}

extension IOReport.Goal {
  /// With signs for at least and at most; empty if nothing is wanted.
  func wanted(_ least: String, _ most: String) -> String {
    limit.map { "\(isAtLeast ? least : most) \(IOReport.percent($0))" } ?? ""
  }
}
