/// Writes instructions as GNU's `objdump -d` does.
public struct Disassembler: Sendable {
  /// Name for an address, such as `start+0x10`. Targets that have one are written `address <name>`, others `0xaddress`.
  public var symbol: (@Sendable (UInt64) -> String?)?

  /// Makes a disassembler; without `symbol` all targets are plain numbers.
  public init(symbol: (@Sendable (UInt64) -> String?)? = nil) {
    self.symbol = symbol
  }

  // MARK: One instruction

  /// Text of the instruction in a slot: predicate, mnemonic, operands and a stop if one follows.
  ///
  /// - Parameter address: address of the bundle.
  /// - Returns: nil for slot 2 of a bundle with a long instruction, which is in slot 1. Unassigned encodings are
  ///   written as data, without a stop.
  public func text(of index: Int, in bundle: Bundle, at address: UInt64) -> String? {
    guard let parts = parts(of: index, in: bundle, at: address) else { return nil }
    return parts.predicate == 0 ? parts.text : "\(Disassembler.predicate(parts.predicate)) \(parts.text)"
  }

  /// `(p06)`.
  private static func predicate(_ number: UInt8) -> String { number < 10 ? "(p0\(number))" : "(p\(number))" }

  private func parts(of index: Int, in bundle: Bundle, at address: UInt64) -> (predicate: UInt8, text: String)? {
    let template = bundle.template
    let isLong = template.isLong && index > 0
    if isLong && index == 2 { return nil }
    let slot = bundle.slot(isLong ? 2 : index)
    guard let unit = template.unit(index), case let row = MatchTree.printed.find(slot, unit: unit), row >= 0 else {
      // C's %#011x writes no prefix for zero.
      let digits = String(slot, radix: 16)
      let width = slot == 0 ? 11 : 9
      let zeros = String(repeating: "0", count: max(0, width - digits.count))
      return (0, "data8 \(slot == 0 ? "" : "0x")\(zeros)\(digits)")
    }
    let found = InstructionTable.rows[row]
    var text = found.mnemonic
    append(found, slot: slot, long: isLong ? bundle.slot(1) : 0, address: address, to: &text)
    if template.hasStop(after: isLong ? 2 : index) { text += ";;" }
    return (found.attributes.flags.contains(.unpredicated) ? 0 : UInt8(slot & 0x3f), text)
  }

  private func append(_ row: InstructionRow, slot: UInt64, long: UInt64, address: UInt64, to text: inout String) {
    guard let symbol else { return row.append(slot: slot, long: long, address: address, symbol: nil, to: &text) }
    let name = { (target: UInt64) in symbol(target).map { "\(String(target, radix: 16)) <\($0)>" } }
    row.append(slot: slot, long: long, address: address, symbol: name, to: &text)
  }

  // MARK: Listings

  /// The lines of `objdump -d` for a bundle: address, bytes, template, instruction; two or three instructions.
  ///
  /// - Parameter digits: width of the address column, see ``addressDigits(end:)``.
  public func lines(of bundle: Bundle, at address: UInt64, digits: Int = 16) -> [String] {
    var lines: [String] = []
    lines.reserveCapacity(4)
    for index in 0..<3 {
      guard let parts = parts(of: index, in: bundle, at: address) else { continue }
      let predicate = parts.predicate == 0 ? "     " : Disassembler.predicate(parts.predicate)
      let template = index == 0 ? "[\(bundle.template.name)]" : "     "
      // Objdump shows six bytes a line, so slots begin at bytes 0, 6 and 12 whatever bits they have in common.
      let bytes = 6 * index..<min(6 * index + 6, 16)
      var line = Disassembler.addressColumn(address &+ UInt64(bytes.lowerBound), digits: digits)
      line += Disassembler.byteColumn(bundle, bytes)
      line += String(repeating: "   ", count: 6 - bytes.count)
      line += "\t\(template) \(predicate) \(parts.text)"
      lines.append(line)
    }
    if lines.count == 2 {
      lines.append(
        Disassembler.addressColumn(address &+ 12, digits: digits) + Disassembler.byteColumn(bundle, 12..<16))
    }
    return lines
  }

  /// Width of the address column for a section that ends at an address: objdump drops leading zeros by fours.
  public static func addressDigits(end: UInt64) -> Int {
    var digits = 16
    while digits > 4, end >> UInt64(4 * (digits - 5)) == 0 { digits -= 4 }
    return digits
  }

  private static func addressColumn(_ address: UInt64, digits: Int) -> String {
    let text = String(address, radix: 16)
    return String(repeating: " ", count: max(0, digits - text.count)) + text + ":\t"
  }

  private static let hexadecimalBytes: [String] = (0..<256).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) + " " }

  private static func byteColumn(_ bundle: Bundle, _ bytes: Range<Int>) -> String {
    var text = ""
    for index in bytes {
      let word = index < 8 ? bundle.low : bundle.high
      text += hexadecimalBytes[Int(word >> UInt64(8 * (index & 7)) & 0xff)]
    }
    return text
  }
}
