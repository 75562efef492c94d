/// The report as one page that needs nothing else.
struct IOPage {
  let report: IOReport

  private static let style = """
    body { font: 15px/1.45 system-ui, "Helvetica Neue", Arial, sans-serif; color: #1a1a1a; background: #fff; margin: 2rem auto; max-width: 76rem; padding: 0 1.2rem }
    h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2.2rem; border-bottom: 1px solid #999; padding-bottom: .2rem }
    .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(30rem, 1fr)); gap: 1rem 1.6rem }
    svg { width: 100%; height: auto; break-inside: avoid } svg text { font-size: 12px; fill: #1a1a1a } svg .t { font-size: 13.5px; font-weight: 600 }
    svg .g { stroke: #d4d4d4; stroke-width: 1 }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px }
    .wide { overflow-x: auto }
    th, td { padding: .18rem .45rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap }
    th { white-space: normal }
    th { border-bottom: 2px solid #555; vertical-align: bottom } th.l, td.l { text-align: left }
    tr.first td { border-top: 1px solid #777 }
    .yes { color: #005c3c; font-weight: 600 } .no { color: #a00000; font-weight: 700 }
    @media print { body { max-width: none; margin: 0; font-size: 11px } table { font-size: 8px } .wide { overflow: visible } h2 { break-after: avoid } }
    """

  private static func escape(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }

  private static func table(_ header: [String], _ rows: [[String]], left: Int, groups: Bool = false) -> String {
    func cells(_ row: [String], _ tag: String) -> String {
      row.enumerated().map { "<\(tag)\($0.offset < left ? " class=\"l\"" : "")>\(escape($0.element))</\(tag)>" }.joined()
    }
    var html = "<div class=\"wide\"><table>\n<thead><tr>\(cells(header, "th"))</tr></thead>\n<tbody>\n"
    var before = ""
    for row in rows {
      var shown = row
      let isFirst = row[0] != before
      if groups && !isFirst { shown[0] = "" }
      before = row[0]
      html += "<tr\(groups && isFirst ? " class=\"first\"" : "")>\(cells(shown, "td"))</tr>\n"
    }
    return html + "</tbody></table></div>\n"
  }

  /// The page.
  var html: String {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8"><title>Epicure: input and output by every method</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <style>
    \(Self.style)
    </style></head><body>
    <h1>Input and output by every method</h1>
    <p>One kernel did the same work on the bare machine (native), in a domain that has the device for itself (direct), with emulated devices
    (ide, scsi, e1000) and with paravirtual ones (virtio; vbd, vscsi and vnif in a PV domain, vbd-hvm and vnif-hvm in an HVM domain). Timing: \(Self.escape(report.timing)). Throughput counts megabytes of
    10<sup>6</sup> bytes per second of guest time. The disk and the wire are the same for all. What the host's operating system costs is a
    parameter of the model, not a measurement: \(Self.escape(hostCosts)) cycles.</p>
    \(goals)
    \(block)
    \(network)
    \(sharing)
    \(everything)
    </body></html>

    """
  }

  private var hostCosts: String {
    report.hostCosts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
  }

  private var goals: String {
    guard !report.goals.isEmpty else { return "" }
    let rows = report.goals.map { goal in
      let mark = goal.isReached.map { $0 ? " class=\"yes\">reached" : " class=\"no\">missed" } ?? ">"
      return "<tr><td class=\"l\">\(Self.escape(goal.text))</td><td>\(goal.wanted("≥", "≤"))</td>"
        + "<td>\(IOReport.percent(goal.value))</td><td\(mark)</td></tr>"
    }
    return """
      <h2>Goals</h2>
      <table><thead><tr><th class="l">what</th><th>wanted</th><th>measured</th><th></th></tr></thead><tbody>
      \(rows.joined(separator: "\n"))
      </tbody></table>
      <p>The throughput of a method is the geometric mean over its jobs, each compared with the bare machine's. Small messages and
      request/response wait for latencies, whatever the throughput; they are here for comparison.</p>
      """
  }

  // MARK: Plots

  private func entries(_ device: IOMethod.Device) -> [IOReport.Entry] { report.entries.filter { $0.device == device } }

  private func names(_ entries: [IOReport.Entry]) -> [String] {
    entries.reduce(into: []) { if !$0.contains($1.method) { $0.append($1.method) } }
  }

  /// A value of each method over the size of requests.
  private func overSize(_ title: String, _ unit: String, _ entries: [IOReport.Entry], _ value: (IOReport.Entry) -> Double) -> String
  {
    let sizes = Set(entries.map(\.job.bytes)).sorted()
    return SVGPlot(
      title: title, unit: unit, labels: sizes.map(IOJob.size),
      series: names(entries).map { name in
        SVGPlot.Series(
          name: name, values: sizes.map { size in entries.first { $0.method == name && $0.job.bytes == size }.map(value) })
      }
    ).lines
  }

  /// Where lines of throughput lie on each other: what part of the bare machine's it is.
  private func ofNative(_ title: String, _ entries: [IOReport.Entry]) -> String {
    overSize(title, "%", entries.filter { $0.ofNative != nil }) { ($0.ofNative ?? 0) * 100 }
  }

  /// One bar for each method, for the job that is the most telling.
  private func bars(_ entries: [IOReport.Entry], _ job: IOJob) -> String {
    let chosen = entries.filter { $0.job == job }
    let labels = chosen.map(\.method)
    func plot(_ title: String, _ unit: String, _ series: [(String, (IOReport.Costs) -> Double)]) -> String {
      SVGPlot(
        title: title, unit: unit, labels: labels,
        series: series.map { part in SVGPlot.Series(name: part.0, values: chosen.map { part.1($0.perRequest) }) }
      ).stackedBars
    }
    return plot(
      "Processor time of a request: \(job.name)", "cycles",
      [("guest", \.guestCycles), ("hypervisor", \.hypervisorCycles), ("host", \.hostCycles)])
      + plot("Exits of a request: \(job.name)", "exits", [("", \.exits)])
      + plot("Bytes copied for a request: \(job.name)", "bytes", [("", \.bytesCopied)])
      + SVGPlot(
        title: "Latency: \(job.name)", unit: "µs", labels: ["50 %", "90 %", "99 %", "max"],
        series: chosen.map {
          SVGPlot.Series(name: $0.method, values: [$0.latency.median, $0.latency.p90, $0.latency.p99, $0.latency.longest])
        }
      ).lines
  }

  private func section(_ title: String, _ body: String) -> String { "<h2>\(title)</h2>\n<div class=\"plots\">\n\(body)</div>\n" }

  private var block: String {
    let all = entries(.block)
    guard !all.isEmpty else { return "" }
    let depths = Set(all.map(\.job.depth)).sorted()
    var plots = ""
    for kind in IOJob.Kind.allCases where kind.device == .block {
      for depth in [depths.first, depths.last].compactMap({ $0 }) where depth == depths.first || depths.count > 1 {
        let chosen = all.filter { $0.job.kind == kind && $0.job.depth == depth }
        if !chosen.isEmpty {
          plots += overSize("\(kind.rawValue.capitalizedFirst), depth \(depth)", "MB/s", chosen) { $0.throughput }
          if depth == 1 && kind.isRandom { plots += ofNative("\(kind.rawValue.capitalizedFirst), depth 1: of native", chosen) }
        }
      }
    }
    let job = all.first { $0.job.kind == .randomRead && $0.job.bytes == 4096 }?.job ?? all[0].job
    return section("Disk: throughput", plots) + section("Disk: what a request costs", bars(all, job))
  }

  private var network: String {
    let all = entries(.network)
    guard !all.isEmpty else { return "" }
    let windows = Set(all.filter { $0.job.kind == .stream }.map(\.job.depth)).sorted()
    var plots = ""
    if let window = windows.last {
      let streams = all.filter { $0.job.kind == .stream && $0.job.depth == window }
      plots += overSize("Stream, window \(window)", "MB/s", streams) { $0.throughput }
      plots += ofNative("Stream, window \(window): of native", streams)
    }
    let requests = all.filter { $0.job.kind == .requestResponse }
    if !requests.isEmpty {
      plots += overSize("Request and response: median", "µs", requests) { $0.latency.median }
      plots += ofNative("Request and response: of native", requests)
    }
    let job = all.first { $0.job.kind == .stream && $0.job.bytes >= 1500 }?.job ?? all[0].job
    return section("Network: throughput and latency", plots) + section("Network: what a message costs", bars(all, job))
  }

  private var sharing: String {
    guard !report.sharing.isEmpty else { return "" }
    let methods = report.sharing.reduce(into: [String]()) { if !$0.contains($1.method) { $0.append($1.method) } }
    let counts = Set(report.sharing.map(\.throughputs.count)).sorted()
    func plot(_ title: String, _ unit: String, _ value: @escaping (IOReport.Sharing) -> Double) -> String {
      SVGPlot(
        title: title, unit: unit, labels: counts.map { $0 == 1 ? "1 domain" : "\($0) domains" },
        series: methods.map { name in
          SVGPlot.Series(
            name: name,
            values: counts.map { n in report.sharing.first { $0.method == name && $0.throughputs.count == n }.map(value) })
        }
      ).lines
    }
    return section(
      "Domains on one disk (\(report.sharing[0].job.name))",
      plot("All domains together", "MB/s", \.total)
        + plot("Largest distance of a domain from the mean", "%") { $0.unevenness * 100 })
  }

  private var everything: String {
    guard !report.entries.isEmpty else { return "" }
    return "<h2>All figures</h2>\n<p>Cycles, exits, notifications and bytes are per request.</p>\n"
      + Self.table(IOReport.columns, report.sorted.map(IOReport.cells), left: 2, groups: true)
  }
}

extension String {
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
