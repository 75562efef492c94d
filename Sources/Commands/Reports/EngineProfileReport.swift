import FoundationEssentials
import Glibc
import Processor

/// What `--engine-profile` writes.
struct EngineProfileReport: Encodable {
  var profile: EngineProfile
  /// Of this process, when it was written; what the guest has touched of its memory is in it.
  var residentBytes: UInt64

  func encode(to encoder: any Encoder) throws {
    try profile.encode(to: encoder)
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(residentBytes, forKey: .residentBytes)
  }
  private enum Key: CodingKey { case residentBytes }

  static func residentBytes() -> UInt64 {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: "/proc/self/statm")) else { return 0 }
    let fields = String(decoding: data, as: UTF8.self).split(separator: " ")
    return fields.count > 1 ? (UInt64(fields[1]) ?? 0) * UInt64(sysconf(Int32(_SC_PAGESIZE))) : 0
  }

  private typealias R = ReportText

  var text: String {
    let p = profile
    let perSlot = p.slots == 0 ? 0 : Double(p.operationCount) / Double(p.slots)
    let served = p.dataReferences - min(p.dataReferences, p.dataMisses)
    var lines = [
      "micro-operations   \(R.grouped(p.operationCount)) for \(R.grouped(p.slots)) slots: \(R.decimal(perSlot, 3)) each",
      "blocks             \(R.grouped(p.blocksBuilt)) built, \(R.grouped(p.blocksDropped)) dropped by stores to their pages, "
        + "\(R.grouped(p.blocksRenewed)) renewed",
      "arena              \(R.grouped(UInt64(p.arenaBytes))) bytes, emptied \(R.grouped(p.arenaEmptied)) times",
      "software TLB       \(R.percent(served, p.dataReferences)) % of \(R.grouped(p.dataReferences)) references, \(R.grouped(p.dataMisses)) misses",
      "jump cache         \(R.grouped(p.jumpMisses)) misses",
      "memory             \(R.grouped(UInt64(p.tableBytes))) bytes of tables, \(R.grouped(residentBytes)) of the process",
    ]
    lines += table("micro-operation", p.operations)
    lines += table("pair", p.pairs)
    // Shares of all micro-operations that begin a block, not of those that are in it.
    lines += table("block", p.blocks)
    return lines.joined(separator: "\n") + "\n"
  }

  private func table(_ title: String, _ items: [EngineProfile.Item]) -> [String] {
    func row(_ cells: (String, String, String)) -> String { R.padded(cells.0, 40) + R.right(cells.1, 16) + R.right(cells.2, 8) }
    return ["", row((title, "count", "%"))]
      + items.map { row(($0.name, R.grouped($0.count), R.percent($0.count, profile.operationCount))) }
  }
}
