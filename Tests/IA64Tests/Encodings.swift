import IA64

/// Foundation has a type of that name too.
typealias Bundle = IA64.Bundle

/// Encodings for tests.
enum Encodings {
  /// A slot that a row's fixed bits allow, with random other bits.
  ///
  /// Half of them name no qualifying predicate, as many pseudo-ops do. Rows whose operands depend on each other
  /// match one encoding in a hundred.
  static func random(_ row: InstructionRow, using generator: inout SeededGenerator) -> UInt64 {
    var free = ~row.mask & Bundle.slotMask
    if Bool.random(using: &generator) { free &= ~0x3f }
    while true {
      let slot = row.value | generator.next() & free
      if row.matches(slot) { return slot }
    }
  }

  /// The bits of the slots that the text depends on: those whose change changes the text.
  static func meaning(
    of slot: UInt64, long: UInt64, unit: SlotUnit, row: InstructionRow?
  ) -> (slot: UInt64, long: UInt64) {
    let original = text(of: slot, long: long, unit: unit, row: row)
    var meaning: (slot: UInt64, long: UInt64) = (0, 0)
    for bit in (0..<41).map({ UInt64(1) << $0 }) {
      if text(of: slot ^ bit, long: long, unit: unit, row: row) != original { meaning.slot |= bit }
      if text(of: slot, long: long ^ bit, unit: unit, row: row) != original { meaning.long |= bit }
    }
    return meaning
  }

  /// As a row writes it, or as the disassembler does. A row writes nothing for encodings that are not its own.
  private static func text(of slot: UInt64, long: UInt64, unit: SlotUnit, row: InstructionRow?) -> String {
    if let row {
      return row.matches(slot) ? predicate(row, slot) + row.text(of: slot, long: long) : ""
    }
    let isLong = unit == .l || unit == .x
    let template: [SlotUnit: UInt8] = [.m: 0x18, .i: 0, .f: 0xc, .b: 0x16, .l: 4, .x: 4]
    let index = isLong || unit == .f || unit == .i ? 1 : 0
    let bundle = Bundle(template: template[unit] ?? 0, slots: isLong ? (0, long, slot) : (slot, slot, slot))
    return Disassembler().text(of: index, in: bundle, at: 0) ?? ""
  }

  /// Whether the text of a row says what its bits say. `cmp.leu p1,p2=0,r3` does not: the encoded constant is the
  /// largest number, one less than zero.
  static func isExpressible(_ row: InstructionRow, _ slot: UInt64) -> Bool {
    let wraps: [OperandKind] = [.imm8MinusOneUnsigned4, .imm8MinusOneUnsigned8]
    return !row.operands.contains(where: wraps.contains) || slot >> 13 & 0x7f != 0x7f || slot >> 36 & 1 == 0
  }

  /// `(p6) `, or nothing.
  static func predicate(_ row: InstructionRow, _ slot: UInt64) -> String {
    let number = row.attributes.flags.contains(.unpredicated) ? 0 : slot & 0x3f
    return number == 0 ? "" : "(p\(number)) "
  }

  /// `cmp.ge.or p1,p2=r0,r0` is both r0 against r3 and its mirror image.
  static func hasTwoEncodings(_ text: String) -> Bool { text.contains("cmp") && text.contains("=r0,r0") }

  /// A bundle with a slot of the unit, between random other slots.
  static func bundle(of slot: UInt64, unit: SlotUnit, using generator: inout SeededGenerator) -> Bundle {
    let stop = UInt8(generator.next() & 1)
    let other = (generator.next(), generator.next())
    switch unit {
    case .m: return Bundle(template: 0x08 | stop, slots: (slot, other.0, other.1))
    case .i: return Bundle(template: stop, slots: (other.0, slot, other.1))
    case .f: return Bundle(template: 0x0c | stop, slots: (other.0, slot, other.1))
    case .b: return Bundle(template: 0x10 | stop, slots: (other.0, other.1, slot))
    case .l, .x: return Bundle(template: 0x04 | stop, slots: (other.0, other.1, slot))
    }
  }
}

extension Bundle {
  /// The 16 bytes in memory order.
  var bytes: [UInt8] {
    (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? low : high) >> UInt64(8 * ($0 & 7))) }
  }

  /// The bundle that begins at an index.
  init(_ bytes: ArraySlice<UInt8>, at index: Int) {
    func word(_ start: Int) -> UInt64 { (0..<8).reduce(0) { $0 | UInt64(bytes[start + $1]) << UInt64(8 * $1) } }
    self.init(low: word(index), high: word(index + 8))
  }

  /// A bundle whose template is given and whose other bits are random.
  static func random(template: UInt8, using generator: inout SeededGenerator) -> Bundle {
    Bundle(template: template, slots: (generator.next(), generator.next(), generator.next()))
  }
}
