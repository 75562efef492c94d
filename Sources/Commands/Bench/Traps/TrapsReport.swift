import Foundation
import Hypervisor
import Platform

/// The tables of `epicure bench traps`.
struct TrapsReport: Encodable {
  struct Piece: Encodable {
    var name: String
    var cycles: UInt64
    var instructions: UInt64
    /// By name of their kind.
    var exits: [String: UInt64]

    var totalExits: UInt64 { exits.values.reduce(0, +) }
    /// Of guest time.
    func perSecond(_ count: UInt64) -> Double { cycles == 0 ? 0 : Double(count) / Cycles.seconds(cycles) }
  }
  struct Run: Encodable {
    var name: String
    var pieces: [Piece]

    init(name: String, _ pieces: [WorkGuest.Piece]) {
      self.name = name
      self.pieces = pieces.map { piece in
        Piece(
          name: piece.name, cycles: piece.cycles, instructions: piece.instructions,
          exits: Dictionary(piece.exits.map { ($0.key.name, $0.value) }, uniquingKeysWith: +))
      }
    }
  }
  var pipeline: String
  /// The bare machine, the domain, then variants of the domain.
  var runs: [Run]

  enum Style { case terminal, markdown }

  private func table(_ header: [String], _ rows: [[String]], _ style: Style) -> String {
    switch style {
    case .markdown:
      let lines = [header, header.indices.map { $0 == 0 ? "---" : "---:" }] + rows
      return lines.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    case .terminal:
      let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
      return ([header] + rows).map { row in
        row.indices.map { column in
          let space = String(repeating: " ", count: widths[column] - row[column].count)
          return column == 0 ? row[column] + space : space + row[column]
        }.joined(separator: "  ") + "\n"
      }.joined()
    }
  }

  private static func percent(_ value: UInt64, over base: UInt64) -> String {
    base == 0 ? "-" : String(format: "%+.1f %%", (Double(value) / Double(base) - 1) * 100)
  }

  func text(style: Style) -> String {
    guard runs.count >= 2 else { return "" }
    let (native, domain) = (runs[0], runs[1])
    var text = table(
      ["work", "native cycles", "hvm cycles", "overhead", "exits", "exits/s", "cycles/exit"],
      zip(native.pieces, domain.pieces).map { bare, virtual in
        let exits = virtual.totalExits
        let added = Int64(virtual.cycles) - Int64(bare.cycles)
        return [
          bare.name, "\(bare.cycles)", "\(virtual.cycles)", Self.percent(virtual.cycles, over: bare.cycles), "\(exits)",
          String(format: "%.0f", virtual.perSecond(exits)), exits == 0 ? "-" : "\(added / Int64(exits))",
        ]
      }, style)
    text += "\n" + causes(of: domain, style)
    let variants = runs.dropFirst(2)
    guard !variants.isEmpty else { return text }
    text += "\nCycles against the domain with all accelerations:\n\n"
    text += table(
      ["work"] + variants.map { $0.name.replacing("hvm without ", with: "no ") },
      domain.pieces.indices.map { index in
        [domain.pieces[index].name]
          + variants.map { Self.percent($0.pieces[index].cycles, over: domain.pieces[index].cycles) }
      }, style)
    return text
  }

  /// Exits per second of guest time, by cause, those that matter first.
  private func causes(of run: Run, _ style: Style) -> String {
    let names = Set(run.pieces.flatMap(\.exits.keys))
    func sum(_ name: String) -> UInt64 { run.pieces.reduce(0) { $0 + ($1.exits[name] ?? 0) } }
    let sorted = names.sorted { (sum($0), $1) > (sum($1), $0) }
    return "Exits per second of guest time:\n\n"
      + table(
        ["cause"] + run.pieces.map(\.name),
        sorted.map { name in [name] + run.pieces.map { String(format: "%.0f", $0.perSecond($0.exits[name] ?? 0)) } }, style)
  }
}
