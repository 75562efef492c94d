import Arithmetic
import BigInt

/// What an instruction should do.
struct Expected: Equatable, CustomStringConvertible {
  var value = FloatRegister.zero
  var flags: UInt8 = 0
  var fault: UInt16 = 0
  var trap: UInt16 = 0
  var predicate = false

  var description: String {
    let sign = value.signExponent >> 17, exponent = value.signExponent & 0x1FFFF
    return "\(sign):\(String(exponent, radix: 16)):\(String(value.significand, radix: 16)) flags \(flags) "
      + "fault \(fault) trap \(String(trap, radix: 16)) \(predicate)"
  }

  init() {}
  /// What the implementation says. A faulting instruction writes nothing, so nothing else of it counts.
  init(_ outcome: FloatOutcome) {
    fault = outcome.fault
    guard fault == 0 else { return }
    value = outcome.value
    flags = outcome.flags
    trap = outcome.trap
    predicate = outcome.predicate
  }
}

/// A result before it is put into a register or a single.
enum Delivered {
  case raw(FloatRegister)
  case nan(negative: Bool, significand: UInt64)
  case infinity(negative: Bool)
  case zero(negative: Bool)
  /// count * 2^(exponent - precision + 1); count has fewer than `precision` bits if the result is denormal.
  case finite(negative: Bool, count: BigUInt, exponent: Int)

  static let indefinite = Delivered.nan(negative: true, significand: 0xC000_0000_0000_0000)
}

/// Result, exceptions, and whether the instruction faulted.
struct Response {
  var delivered = Delivered.zero(negative: false)
  var flags: UInt8 = 0
  /// V, D, Z or SWA as in ISR.code{3:0}.
  var fault: UInt16 = 0
  var overflowTrap = false
  var underflowTrap = false
  var inexactTrap = false
  var roundedUp = false
  var predicate = false

  init(_ delivered: Delivered = .zero(negative: false), flags: UInt8 = 0) {
    self.delivered = delivered
    self.flags = flags
  }

  var trapBits: UInt16 {
    (overflowTrap ? 1 << 11 : 0) | (underflowTrap ? 1 << 12 : 0) | (inexactTrap ? 1 << 13 : 0)
      | (roundedUp ? 1 << 14 : 0)
  }

  /// As a scalar instruction.
  func scalar(_ s: Scenario) -> Expected {
    var e = Expected()
    e.fault = fault
    guard fault == 0 else { return e }
    e.value = Oracle.register(delivered, s)
    e.flags = flags
    e.trap = trapBits
    e.predicate = predicate
    return e
  }
}

/// The manual's definitions in exact arithmetic.
enum Oracle {
  static let V: UInt8 = 1, D: UInt8 = 2, Z: UInt8 = 4, O: UInt8 = 8, U: UInt8 = 16, I: UInt8 = 32

  /// A pre-computation exception: fault if enabled, else flag and response.
  static func exceptional(_ flag: UInt8, _ response: Delivered, _ s: Scenario, flags: UInt8 = 0) -> Response {
    var r = Response(response, flags: flags | flag)
    if s.traps(flag) { r.fault = UInt16(flag) }
    return r
  }

  /// Sections 5.4.2 and 5.4.3: a nonzero exact result to its format.
  static func deliver(_ x: Exact, _ s: Scenario, flags: UInt8 = 0) -> Response {
    let p = s.precision
    var exponent = x.binade
    var (count, exact, increased) = x.multiple(of: exponent - p + 1, s.rounding)
    if count == BigUInt(1) << p {
      count >>= 1
      exponent += 1
    }
    var r = Response(.finite(negative: x.negative, count: count, exponent: exponent), flags: flags)
    var inexact = !exact
    if exponent > s.maximumExponent {
      r.flags |= O
      if s.traps(O) {
        r.overflowTrap = true
      } else {
        let toInfinity: Bool
        switch s.rounding {
        case .nearest: toInfinity = true
        case .up: toInfinity = !x.negative
        case .down: toInfinity = x.negative
        case .zero: toInfinity = false
        }
        r.delivered =
          toInfinity
          ? .infinity(negative: x.negative)
          : .finite(negative: x.negative, count: (BigUInt(1) << p) - 1, exponent: s.maximumExponent)
        inexact = true
        increased = toInfinity
      }
    } else if exponent < s.minimumExponent {
      if s.traps(U) {
        r.flags |= U
        r.underflowTrap = true
      } else if s.flushes {
        r.flags |= U
        r.delivered = .zero(negative: x.negative)
        inexact = true
        increased = false
      } else {
        (count, exact, increased) = x.multiple(of: s.minimumExponent - p + 1, s.rounding)
        r.delivered = .finite(negative: x.negative, count: count, exponent: s.minimumExponent)
        inexact = !exact
        if inexact { r.flags |= U }
      }
    }
    if inexact {
      r.flags |= I
      if r.overflowTrap || r.underflowTrap || s.traps(I) {
        r.inexactTrap = true
        r.roundedUp = increased
      }
    }
    return r
  }

  /// The register encoding of a result. Exponents that do not fit keep their low 17 bits.
  static func register(_ d: Delivered, _ s: Scenario) -> FloatRegister {
    switch d {
    case .raw(let f): return f
    case .nan(let negative, let significand): return Zoo.make(negative, 0x1FFFF, significand)
    case .infinity(let negative): return Zoo.make(negative, 0x1FFFF, 1 << 63)
    case .zero(let negative): return Zoo.make(negative, 0, 0)
    case .finite(let negative, let count, let exponent):
      if count == 0 { return Zoo.make(negative, 0, 0) }
      let significand = UInt64(count) << UInt64(64 - s.precision)
      let denormal = significand < 1 << 63
      let field = denormal && exponent == -16382 ? 0 : (exponent + 65535) & 0x1FFFF
      return Zoo.make(negative, UInt64(field), significand)
    }
  }

  /// The encoding as a single, for parallel instructions. Exponents keep their low eight bits.
  static func single(_ d: Delivered) -> UInt32 {
    switch d {
    case .raw(let f): return UInt32(truncatingIfNeeded: f.significand)
    case .nan(let negative, let significand):
      return (negative ? 0x8000_0000 : 0) | 0x7F80_0000 | UInt32(significand >> 40 & 0x7F_FFFF)
    case .infinity(let negative): return negative ? 0xFF80_0000 : 0x7F80_0000
    case .zero(let negative): return negative ? 0x8000_0000 : 0
    case .finite(let negative, let count, let exponent):
      let fraction = UInt32(count) & 0x7F_FFFF
      let field = UInt32(count) >> 23 == 0 ? 0 : UInt32((exponent + 127) & 0xFF)
      return (negative ? 0x8000_0000 : 0) | field << 23 | fraction
    }
  }

  /// Two halves to one instruction: high half in ISR.code{3:0} and {14:11}, low half in {7:4} and {10:7}.
  static func pair(_ high: Response, _ low: Response) -> Expected {
    var e = Expected()
    e.fault = high.fault | low.fault << 4
    guard e.fault == 0 else { return e }
    e.value = Zoo.make(false, 0x1003E, UInt64(single(high.delivered)) << 32 | UInt64(single(low.delivered)))
    e.flags = high.flags | low.flags
    e.trap = high.trapBits | low.trapBits >> 4
    e.predicate = high.predicate && low.predicate
    return e
  }

  static var natVal: Expected {
    var e = Expected()
    e.value = .natVal
    return e
  }

  static func high(_ f: FloatRegister) -> Operand { Operand(single: UInt32(f.significand >> 32)) }
  static func low(_ f: FloatRegister) -> Operand { Operand(single: UInt32(f.significand & 0xFFFF_FFFF)) }
}
