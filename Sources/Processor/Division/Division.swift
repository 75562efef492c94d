import Arithmetic

/// A division that ``HostDivision`` has done. Its quotient is in its place; for the other terms nobody mostly asks before they are overwritten, so
/// that registers only note whose term they hold (``FloatPlace/division``), and it is computed from here if somebody does.
///
/// There are 32 of them, which divisions choose by the registers that they use: two that alternate in a loop do not get into each other's way.
public struct Division {
  static let countBits: UInt32 = 5

  /// As the registers were kept: word and tag (``FloatPlace``).
  var dividend: (word: UInt64, tag: UInt64) = (0, 0)
  var divisor: (word: UInt64, tag: UInt64) = (0, 0)
  /// Registers that may still hold terms: bit n for FR n, of f2 to f31.
  var registers: UInt32 = 0

  func value(_ term: DivisionTerm) -> FloatRegister { term.value(Self.number(dividend), Self.number(divisor)) }

  private static func number(_ kept: (word: UInt64, tag: UInt64)) -> FloatRegister {
    kept.tag == FloatPlace.double
      ? FloatMemory.loadDouble(kept.word) : FloatRegister(significand: kept.word, signExponent: kept.tag)
  }
}

/// What a register holds that holds a term: in the tag's upper half, register and term and number of the division in five bits each. (That of the
/// register only makes it quicker to write.) The lower half is zero, which is an exponent that no quick way through an instruction takes
/// (``OrdinaryMultiplyAdd``).
struct HeldTerm {
  var bits: UInt16

  init(register: UInt8, _ term: DivisionTerm, of division: UInt8) {
    bits = UInt16(register) | UInt16(term.rawValue) << 5 | UInt16(division) << 10
  }
  init(tag: UInt64) { bits = UInt16(truncatingIfNeeded: tag >> 32) }

  @inline(__always) var tag: UInt64 { UInt64(bits) &<< 32 }
  @inline(__always) var register: Int { Int(bits & 31) }
  var term: DivisionTerm {
    guard let term = DivisionTerm(rawValue: UInt8(bits >> 5 & 31)) else { preconditionFailure("no term of a division: \(bits)") }
    return term
  }
  var division: UInt8 { UInt8(bits >> 10) }
}

extension FloatPlace {
  @inline(__always) var holdsTerm: Bool { Int64(bitPattern: tag) >= 1 &<< 32 }

  /// Number of the division whose term the register holds; nil if it holds none.
  var division: UInt8? { holdsTerm ? HeldTerm(tag: tag).division : nil }

  /// The value of the term that the register holds.
  @inline(never) func termValue() -> FloatRegister {
    let held = HeldTerm(tag: tag)
    let value = state.divisions[Int(held.division)].value(held.term)
    (word, tag) = (value.significand, value.signExponent)
    return value
  }

  /// Computes the term, if it holds one.
  @inline(__always) func settle() { if holdsTerm { _ = termValue() } }
}
