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

  var text: String {
    let width = max(8, lines.map(\.name.count).max() ?? 0)
    func row(_ name: String, _ cells: [String]) -> String {
      name.padding(toLength: width, withPad: " ", startingAt: 0)
        + cells.map { String(repeating: " ", count: max(1, 14 - $0.count)) + $0 }.joined() + "\n"
    }
    var text = row("workload", ["Mslots", "host s", "Mslots/s"] + (against == nil ? [] : ["other s", "times faster"]))
    for line in lines {
      var cells = [
        String(format: "%.1f", Double(line.slots) / 1e6), String(format: "%.3f", line.seconds),
        String(format: "%.0f", line.slotsPerSecond / 1e6),
      ]
      if against != nil {
        cells.append(line.otherSeconds.map { String(format: "%.3f", $0) } ?? "-")
        cells.append(line.ratio.map { String(format: "%.2f", $0) } ?? "-")
      }
      text += row(line.name, cells)
    }
    if let against, let mean {
      text += String(format: "%.2f times as fast as ", mean) + "\(against) (geometric mean)\n"
    }
    return text
  }
}
