import Foundation

/// The table of `epicure bench cpu`.
struct CPUReport: Encodable {
  struct Line: Encodable {
    var name: String
    /// Retired by the guest, nops included.
    var slots: UInt64
    /// Processor time of the host: the least of all rounds.
    var seconds: Double
    /// The other simulator's, for the same program.
    var otherSeconds: Double?

    var slotsPerSecond: Double { seconds > 0 ? Double(slots) / seconds : 0 }
    /// How many times as fast as the other simulator.
    var ratio: Double? { otherSeconds.map { seconds > 0 ? $0 / seconds : 0 } }
  }
  var lines: [Line]
  var against: String?

  /// The geometric mean of the ratios.
  private var mean: Double? {
    let ratios = lines.compactMap(\.ratio).filter { $0 > 0 }
    return ratios.isEmpty ? nil : exp(ratios.map { log($0) }.reduce(0, +) / Double(ratios.count))
  }

  private typealias R = ReportText

  var text: String {
    let width = max(8, lines.map(\.name.count).max() ?? 0)
    func row(_ name: String, _ cells: [String]) -> String {
      R.padded(name, width) + cells.map { R.right($0, 14) }.joined() + "\n"
    }
    var text = row("workload", ["Mslots", "host s", "Mslots/s"] + (against == nil ? [] : ["other s", "times faster"]))
    for line in lines {
      var cells = [
        R.decimal(Double(line.slots) / 1e6, 1), R.decimal(line.seconds, 3),
        R.grouped(UInt64((line.slotsPerSecond / 1e6).rounded())),
      ]
      if against != nil {
        cells.append(line.otherSeconds.map { R.decimal($0, 3) } ?? "-")
        cells.append(line.ratio.map { R.decimal($0, 2) } ?? "-")
      }
      text += row(line.name, cells)
    }
    if let against, let mean { text += "\(R.decimal(mean, 2)) times as fast as \(against) (geometric mean)\n" }
    return text
  }
}
