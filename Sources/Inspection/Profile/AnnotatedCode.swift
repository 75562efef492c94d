import IA64

/// A function's disassembly with what each issue group cost, and what it waited for.
public struct AnnotatedCode: Sendable, Encodable {
  public struct Line: Sendable, Encodable {
    public var address: String
    public var slot: Int
    /// As the assembler writes it, with the stop behind it.
    public var text: String
    /// Of the group that begins here; nil: none does, the instruction issues with the one before it.
    public var count: UInt64?
    public var cycles: UInt64?
    public var events: UInt64?
    /// Cycles by cause, the largest first, issue left out.
    public var waits: [ProfileSummary.Wait]
  }
  public var name: String
  public var lines: [Line]

  /// - Parameters:
  ///   - range: Addresses of the function's bundles.
  ///   - bundle: Reads 16 bytes of code; nil: there is none.
  public init(_ name: String, _ range: Range<UInt64>, _ profile: ProfileDocument, bundle: (UInt64) -> Bundle?) {
    self.name = name
    lines = []
    var entries: [UInt64: ProfileDocument.Entry] = [:]
    for entry in profile.entries where !entry.isPhysical {
      if let address = entry.address, range.contains(address) { entries[address | UInt64(entry.slot)] = entry }
    }
    let disassembler = Disassembler()
    for address in stride(from: range.lowerBound & ~0xF, to: range.upperBound, by: 16) {
      guard let code = bundle(address) else { break }
      for slot in 0..<3 {
        // The second half of a long instruction has no text of its own.
        guard let text = disassembler.text(of: slot, in: code, at: address) else { continue }
        let entry = entries[address | UInt64(slot)]
        let waits = entry?.causes.filter { $0.key != "issue" }.map { ProfileSummary.Wait(cause: $0.key, cycles: $0.value) } ?? []
        lines.append(
          Line(
            address: TraceText.hex(address), slot: slot, text: text, count: entry?.count,
            cycles: entry?.cycles, events: entry?.events,
            waits: waits.sorted { ($1.cycles, $0.cause) < ($0.cycles, $1.cause) }))
      }
    }
  }
}
