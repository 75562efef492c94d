import Arithmetic
import BigInt

/// A register taken apart by table 5-2 of Volume 1.
enum Operand {
  case natVal
  case unsupported
  case nan(negative: Bool, significand: UInt64)
  case infinity(negative: Bool)
  /// Unnormal: raises D. A pseudo-zero is an unnormal zero.
  case finite(Exact, unnormal: Bool)

  init(_ f: FloatRegister) {
    let negative = f.signExponent & 0x20000 != 0
    let exponent = Int(f.signExponent & 0x1FFFF)
    let integerBit = f.significand & 0x8000_0000_0000_0000 != 0
    switch (exponent, f.significand, integerBit) {
    case (0x1FFFE, 0, _) where !negative: self = .natVal
    case (0x1FFFF, _, false): self = .unsupported
    case (0x1FFFF, 0x8000_0000_0000_0000, _): self = .infinity(negative: negative)
    case (0x1FFFF, _, _): self = .nan(negative: negative, significand: f.significand)
    case (0, 0, _): self = .finite(Exact(negative: negative, numerator: 0, scale: 0), unnormal: false)
    case (0, _, _):
      // Double-extended denormals and pseudo-denormals.
      self = .finite(
        Exact(negative: negative, numerator: BigUInt(f.significand), scale: -16382 - 63), unnormal: true)
    default:
      self = .finite(
        Exact(negative: negative, numerator: BigUInt(f.significand), scale: exponent - 65535 - 63),
        unnormal: !integerBit)
    }
  }

  /// An IEEE single of a parallel operand.
  init(single bits: UInt32) {
    let negative = bits & 0x8000_0000 != 0
    let exponent = Int(bits >> 23 & 0xFF)
    let fraction = bits & 0x7F_FFFF
    switch (exponent, fraction) {
    case (255, 0): self = .infinity(negative: negative)
    case (255, _): self = .nan(negative: negative, significand: 1 << 63 | UInt64(fraction) << 40)
    case (0, _):
      self = .finite(
        Exact(negative: negative, numerator: BigUInt(fraction), scale: -126 - 23), unnormal: fraction != 0)
    default:
      self = .finite(
        Exact(negative: negative, numerator: BigUInt(fraction | 0x80_0000), scale: exponent - 127 - 23),
        unnormal: false)
    }
  }

  var isNaTVal: Bool { if case .natVal = self { true } else { false } }
  var isUnsupported: Bool { if case .unsupported = self { true } else { false } }
  var isNaN: Bool { if case .nan = self { true } else { false } }
  var isSignaling: Bool {
    if case .nan(_, let significand) = self { significand & 0x4000_0000_0000_0000 == 0 } else { false }
  }
  var isInfinite: Bool { if case .infinity = self { true } else { false } }
  var isUnnormal: Bool { if case .finite(_, let unnormal) = self { unnormal } else { false } }
  /// Zero or pseudo-zero.
  var isZero: Bool { if case .finite(let x, _) = self { x.isZero } else { false } }
  var isNegative: Bool {
    switch self {
    case .nan(let negative, _), .infinity(let negative): negative
    case .finite(let x, _): x.negative
    case .natVal, .unsupported: false
    }
  }
  var number: Exact {
    if case .finite(let x, _) = self { return x }
    preconditionFailure("no number")
  }
}

/// Registers of every class and at every boundary.
enum Zoo {
  static func make(_ sign: Bool, _ exponent: UInt64, _ significand: UInt64) -> FloatRegister {
    FloatRegister(significand: significand, signExponent: exponent | (sign ? 0x20000 : 0))
  }

  /// One or two of each class: small enough for all triples.
  static let classes: [FloatRegister] = [
    .natVal, .zero, make(true, 0, 0), .one, make(true, 0xFFFF, 1 << 63),
    make(false, 0x1FFFF, 1 << 63), make(true, 0x1FFFF, 1 << 63),
    make(false, 0x1FFFF, 0xE000_1234_0000_0001), make(true, 0x1FFFF, 0xA000_5678_0000_0002), .quietNaN,
    make(false, 0x1FFFF, 0x4000_0000_0000_0000), make(true, 0x1FFFF, 0),
    make(false, 0x10000, 0), make(true, 0x1FFFE, 0),
    make(false, 0, 0x0000_0000_0000_0001), make(true, 0, 0x9000_0000_0000_0000),
    make(false, 0xFF81, 0x0000_0100_0000_0000), make(true, 0x0FC01, 0x7FFF_FFFF_FFFF_F800),
    make(false, 0x1003E, 0x0000_0000_0000_0003), make(true, 1, 1),
    make(false, 0x1FFFE, ~0), make(true, 1, 1 << 63),
    make(false, 0x1007E, 0xFFFF_FF00_0000_0000), make(true, 0x103FE, 0xFFFF_FFFF_FFFF_F800),
    make(false, 0x13FFE, ~0), make(true, 0xC001, 1 << 63),
  ]

  /// Exponents at and beside the limits of each format.
  static let exponents: [UInt64] = [
    1, 2, 63, 64, 65, 66, 0x7FFF, 0x8000, 0xBFBF, 0xBFC1, 0xC000, 0xC001, 0xC002, 0xFBCC, 0xFBCD, 0xFC00, 0xFC01, 0xFC02,
    0xFF69, 0xFF6A, 0xFF80, 0xFF81, 0xFF82, 0xFF97, 0xFFBF, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x1001E, 0x1003D, 0x1003E,
    0x1003F, 0x1007D, 0x1007E, 0x1007F, 0x103FE, 0x103FF, 0x13FFE, 0x13FFF, 0x17FFF, 0x1FFFB, 0x1FFFC, 0x1FFFD, 0x1FFFE,
  ]

  /// Significands whose roundings are ties, carries, or just miss them, in some precision.
  static let significands: [UInt64] = [
    1 << 63, 1 << 63 | 1, ~0, ~0 - 1, 0xFFFF_FF00_0000_0000, 0xFFFF_FF80_0000_0000, 0xFFFF_FFFF_FFFF_F800,
    0xFFFF_FFFF_FFFF_FC00, 0x8000_0080_0000_0000, 0x8000_0180_0000_0000, 0x8000_0000_0000_0400, 0x8000_0000_0000_0C00,
    0xC000_0000_0000_0000, 0xB504_F333_F9DE_6484, 0x8000_0080_0000_0001, 0x8000_007F_FFFF_FFFF,
  ]

  /// A register of any class; mostly numbers, and those mostly near `center` so that operands interact.
  static func random(_ g: inout SplitMix, near center: Int) -> FloatRegister {
    let r = g.next()
    let sign = r & 1 != 0
    switch r >> 8 & 31 {
    case 0: return classes[g.below(classes.count)]
    case 1: return make(sign, exponents[g.below(exponents.count)], g.next() | 1 << 63)
    case 2: return make(sign, g.next() & 0x1FFFF, g.next())
    case 3: return make(sign, UInt64(clamp(center + g.below(40) - 20)), g.next() >> (g.next() & 63))
    case 4: return make(sign, 0, g.next() >> (g.next() & 63))
    case 5: return make(sign, 0x1FFFF, g.next() >> (g.next() & 3))
    default:
      let spread = [3, 10, 70, 140, 300][g.below(5)]
      return make(sign, UInt64(clamp(center + g.below(2 * spread + 1) - spread)), significand(&g))
    }
  }

  private static func clamp(_ exponent: Int) -> Int { min(max(exponent, 1), 0x1FFFE) }

  /// Normal significands: full, short, or with long runs of equal bits.
  static func significand(_ g: inout SplitMix) -> UInt64 {
    let r = g.next() | 1 << 63
    switch g.below(5) {
    case 0: return r & ~0 << UInt64(g.below(64)) | 1 << 63
    case 1: return significands[g.below(significands.count)]
    case 2: return (~0 << UInt64(g.below(64))) ^ (1 << UInt64(g.below(63))) | 1 << 63
    default: return r
    }
  }

  static func single(_ g: inout SplitMix) -> UInt32 {
    let r = UInt32(truncatingIfNeeded: g.next())
    switch g.below(8) {
    case 0: return r & 0x8000_0000
    case 1: return r & 0x807F_FFFF
    case 2: return r & 0x8000_0000 | 0x7F80_0000
    case 3: return r | 0x7F80_0000
    case 4: return r & 0x807F_FFFF | [1, 24, 25, 126, 127, 128, 157, 158, 252, 253, 254][g.below(11)] << 23
    case 5: return r & 0x807F_FFFF | UInt32(117 + g.below(20)) << 23
    default: return r
    }
  }

  static func pair(_ g: inout SplitMix) -> FloatRegister {
    if g.below(64) == 0 { return classes[g.below(classes.count)] }
    return make(false, 0x1003E, UInt64(single(&g)) << 32 | UInt64(single(&g)))
  }
}
