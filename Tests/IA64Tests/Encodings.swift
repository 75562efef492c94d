import IA64

/// Foundation has a type of that name too.
typealias Bundle = IA64.Bundle

/// Encodings for tests.
enum Encodings {
  /// A slot that a row's fixed bits allow, with random other bits.
  ///
  /// Half of them name no qualifying predicate, as many pseudo-ops do.
  static func random(_ row: InstructionRow, using generator: inout SeededGenerator) -> UInt64 {
    var free = ~row.mask & Bundle.slotMask
    if Bool.random(using: &generator) { free &= ~0x3f }
    return row.value | generator.next() & free
  }

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
