/// Where guests were left, in the form that flame graph programs read: `domain;function;cause;register count`.
///
/// A trace has no call stacks, so the function of the instruction is the only frame of the guest's.
public struct FoldedStacks {
  /// What the width of a frame is.
  public enum Weight: String, Sendable, CaseIterable {
    /// Of the exits.
    case cycles
    /// Of exits, interruptions, and calls of the firmware.
    case count
  }
  private let reader: TraceReader
  private let symbols: SymbolTable?
  private let weight: Weight
  private var stacks: [String: UInt64] = [:]

  public init(_ reader: TraceReader, _ symbols: SymbolTable?, weight: Weight) {
    (self.reader, self.symbols, self.weight) = (reader, symbols, weight)
  }

  public mutating func add(_ r: TraceRecord) {
    switch r.kind {
    case .exit, .firmware: break
    case .interruption where weight == .count: break
    default: return
    }
    let amount = weight == .count ? 1 : r.cost
    guard amount > 0 else { return }
    // A semicolon is between frames, the last blank before the number.
    func frame(_ text: String) -> String { String(text.map { $0 == ";" ? ":" : $0 }) }
    let bundle = r.ip & ~0xF
    var frames = [
      frame(reader.domains[UInt64(r.domain)] ?? "domain \(r.domain)"),
      frame(symbols?.symbol(of: bundle)?.name ?? TraceText.hex(bundle)), r.causeName,
    ]
    if let place = reader.place(of: r) { frames.append(frame(place)) }
    stacks[frames.joined(separator: ";"), default: 0] &+= amount
  }

  /// One stack a line, in alphabetical order.
  public var lines: [String] { stacks.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" } }
}
