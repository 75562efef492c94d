/// The tables that scripts parse, column for column as xm printed them in 2007 (changeset 67c97dc9f7, between Xen 3.1 and 3.2).
///
/// RHEL 5 ships xm of Xen 3.0.3 with patches that are not public in full; its columns are narrower. The columns of 2007 are those of
/// later releases, too. Every text ends with a newline.
public enum XMTables {
  public static func list(_ domains: [DomainSummary]) -> String {
    lines(row(("Name", -40), ("ID", 5), ("Mem", 5), ("VCPUs", 5), ("State", 10), ("Time(s)", 9)), domains) { domain in
      row(
        (domain.name, -40), (text(domain.id), 5), (String(domain.memory), 5), (String(domain.virtualProcessors), 5),
        (domain.state?.description ?? "", 10), (tenths(domain.processorSeconds), 8))
    }
  }

  /// `processors`: how many the server has; beyond them, an affinity wraps around.
  public static func virtualProcessorList(_ virtualProcessors: [VirtualProcessorSummary], processors: Int) -> String {
    lines(
      row(("Name", -32), ("ID", 5), ("VCPU", 5), ("CPU", 5), ("State", 5), ("Time(s)", 9), ("CPU Affinity", 0)), virtualProcessors
    ) { summary in
      let processor = summary.processor.map { summary.isOnline ? String($0) : "-" } ?? ""
      // There are two blanks before the time, however long it is.
      return row(
        (summary.name, -32), (text(summary.id), 5), (String(summary.number), 5), (processor, 5), (state(of: summary), 5),
        (" " + Columns.right(tenths(summary.processorSeconds), 8), 0), (affinity(summary.affinity, processors: processors), 0))
    }
  }

  /// A virtual processor is on one of the real ones, has been taken offline, or belongs to a domain that does not run.
  private static func state(of summary: VirtualProcessorSummary) -> String {
    guard summary.processor != nil else { return "" }
    guard summary.isOnline else { return "--p" }
    return (summary.isRunning ? "r" : "-") + (summary.isBlocked ? "b" : "-") + "-"
  }

  static func affinity(_ mask: ProcessorMask, processors: Int) -> String {
    guard 1...64 ~= processors else { return "no cpus" }
    var wrapped: UInt64 = 0
    for processor in 0..<64 where mask.contains(processor) { wrapped |= 1 << UInt64(processor % processors) }
    if wrapped == ProcessorMask.first(processors).bits { return "any cpu" }
    return wrapped == 0 ? "no cpus" : ProcessorMask(bits: wrapped).ranges
  }

  /// The table of `xm sched-credit` without arguments to set.
  public static func scheduling(_ domains: [SchedulingSummary]) -> String {
    lines(row(("Name", -33), ("ID", 4), ("Weight", 6), ("Cap", 4)), domains) { domain in
      // xm prints -1 for both when one is missing.
      let isKnown = domain.weight != nil && domain.cap != nil
      let (weight, cap) = isKnown ? (domain.weight, domain.cap) : (nil, nil)
      return row((domain.name, -32), (text(domain.id), 5), (String(weight ?? -1), 6), (String(cap ?? -1), 4))
    }
  }

  public static func uptime(_ domains: [UptimeSummary]) -> String {
    lines(row(("Name", -33), ("ID", 4), ("Uptime ", 0)), domains) { domain in
      row((domain.name, -32), (text(domain.id), 5), (duration(domain.seconds, withSeconds: true), 0))
    }
  }

  /// `xm uptime -s`; the time of day is the caller's.
  public static func shortUptime(_ domains: [UptimeSummary], hour: Int, minute: Int, second: Int) -> String {
    let now = [hour, minute, second].map(Columns.twoDigits).joined(separator: ":")
    return lines(nil, domains) { " \(now) up \(duration($0.seconds, withSeconds: false)), \($0.name) (\(text($0.id)))" }
  }

  private static func duration(_ seconds: Double, withSeconds: Bool) -> String {
    // Longer than the universe lasts is a mistake of the caller, and no reason to stop.
    let total = Int(max(0, min(seconds.isNaN ? 0 : seconds, 1e15)).rounded())
    let days = total / 86400
    let prefix = days > 0 ? "\(days) day\(days > 1 ? "s" : ""), " : ""
    let clock = Columns.right(String(total % 86400 / 3600), 2) + ":" + Columns.twoDigits(total % 3600 / 60)
    return prefix + clock + (withSeconds ? ":" + Columns.twoDigits(total % 60) : "")
  }

  public static func info(_ host: HostInformation) -> String {
    lines(nil, host.items) { Columns.left($0.key, 23) + ": " + ($0.value.isEmpty ? "(none)" : $0.value) }
  }

  /// `%.1f`
  private static func tenths(_ seconds: Double) -> String { PythonText.printf("%.1f", seconds) }
  private static func text(_ id: Int?) -> String { id.map { String($0) } ?? "" }

  private static func lines<Row>(_ header: String?, _ rows: [Row], _ line: (Row) -> String) -> String {
    ((header.map { [$0] } ?? []) + rows.map(line)).map { $0 + "\n" }.joined()
  }

  /// Fields with a blank between them; a negative width is `%-Ns`.
  private static func row(_ fields: (text: String, width: Int)...) -> String {
    fields.map { $0.width < 0 ? Columns.left($0.text, -$0.width) : Columns.right($0.text, $0.width) }.joined(separator: " ")
  }
}
