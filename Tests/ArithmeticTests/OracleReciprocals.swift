import Arithmetic
import BigInt

extension Oracle {
  /// What quotients of non-numbers and zeros are; nil if both are numbers and the divisor is not zero.
  private static func quotientOfSpecials(_ a: Operand, _ b: Operand, _ s: Scenario) -> Response? {
    if a.isUnsupported || b.isUnsupported { return exceptional(V, .indefinite, s) }
    for case .nan(let negative, let significand) in [a, b] {
      let quiet = Delivered.nan(negative: negative, significand: significand | 1 << 62)
      return a.isSignaling || b.isSignaling ? exceptional(V, quiet, s) : Response(quiet)
    }
    if (a.isInfinite && b.isInfinite) || (a.isZero && b.isZero) { return exceptional(V, .indefinite, s) }
    let negative = a.isNegative != b.isNegative
    if b.isZero && !a.isInfinite { return exceptional(Z, .infinity(negative: negative), s) }
    return nil
  }

  /// D; nil if there is nothing to fault on. Adds the flag.
  private static func denormalFault(_ operands: [Operand], _ s: Scenario, _ flags: inout UInt8) -> Response? {
    guard operands.contains(where: \.isUnnormal) else { return nil }
    if s.traps(D) { return exceptional(D, .indefinite, s) }
    flags |= D
    return nil
  }

  /// The IEEE quotient.
  static func quotient(_ f2: FloatRegister, _ f3: FloatRegister, _ s: Scenario) -> Expected {
    let a = Operand(f2), b = Operand(f3)
    if a.isNaTVal || b.isNaTVal { return natVal }
    if let r = quotientOfSpecials(a, b, s) { return r.scalar(s) }
    var flags: UInt8 = 0
    if let r = denormalFault([a, b], s, &flags) { return r.scalar(s) }
    let negative = a.isNegative != b.isNegative
    if a.isInfinite { return Response(.infinity(negative: negative), flags: flags).scalar(s) }
    if a.isZero || b.isInfinite { return Response(.zero(negative: negative), flags: flags).scalar(s) }
    return deliver(a.number / b.number, s, flags: flags).scalar(s)
  }

  /// The IEEE square root.
  static func root(_ f3: FloatRegister, _ s: Scenario) -> Expected {
    let a = Operand(f3)
    if a.isNaTVal { return natVal }
    if let r = rootOfSpecials(a, s) { return r.scalar(s) }
    var flags: UInt8 = 0
    if let r = denormalFault([a], s, &flags) { return r.scalar(s) }
    if a.isInfinite { return Response(.infinity(negative: false), flags: flags).scalar(s) }
    if a.isZero { return Response(.zero(negative: a.isNegative), flags: flags).scalar(s) }
    return deliver(a.number.squareRoot, s, flags: flags).scalar(s)
  }

  private static func rootOfSpecials(_ a: Operand, _ s: Scenario) -> Response? {
    if a.isUnsupported { return exceptional(V, .indefinite, s) }
    if case .nan(let negative, let significand) = a {
      let quiet = Delivered.nan(negative: negative, significand: significand | 1 << 62)
      return a.isSignaling ? exceptional(V, quiet, s) : Response(quiet)
    }
    return a.isNegative && !a.isZero ? exceptional(V, .indefinite, s) : nil
  }

  /// frcpa with Software Assist faults. The limits are those published for the Newton-Raphson sequences, with N = 64,
  /// Emin = -65534, Emax = 65535.
  static func frcpa(_ f2: FloatRegister, _ f3: FloatRegister, _ s: Scenario) -> Expected {
    let a = Operand(f2), b = Operand(f3)
    if a.isNaTVal || b.isNaTVal { return natVal }
    if let r = quotientOfSpecials(a, b, s) { return r.scalar(s) }
    let numbers = !a.isInfinite && !a.isZero && !b.isInfinite
    if numbers {
      let ea = a.number.binade, eb = b.number.binade
      let emin = -65534, emax = 65535
      if eb <= emin - 1 || eb >= emax - 2 || ea - eb >= emax || ea - eb <= emin + 1 || ea <= emin + 63 {
        var r = Response()
        r.fault = 8
        return r.scalar(s)
      }
    }
    var flags: UInt8 = 0
    if let r = denormalFault([a, b], s, &flags) { return r.scalar(s) }
    if !numbers { return quotient(f2, f3, s) }
    var r = Response(.raw(Oracle.reciprocal(b.number)), flags: flags)
    r.predicate = true
    return r.scalar(s)
  }

  static func frsqrta(_ f3: FloatRegister, _ s: Scenario) -> Expected {
    let a = Operand(f3)
    if a.isNaTVal { return natVal }
    if let r = rootOfSpecials(a, s) { return r.scalar(s) }
    guard case .finite(let x, _) = a, !x.isZero else { return root(f3, s) }
    if x.binade <= -65534 + 63 {
      var r = Response()
      r.fault = 8
      return r.scalar(s)
    }
    var flags: UInt8 = 0
    if let r = denormalFault([a], s, &flags) { return r.scalar(s) }
    var r = Response(.raw(reciprocalRoot(x)), flags: flags)
    r.predicate = true
    return r.scalar(s)
  }

  static func fprcpa(_ f2: FloatRegister, _ f3: FloatRegister, _ s: Scenario) -> Expected {
    if Operand(f2).isNaTVal || Operand(f3).isNaTVal { return natVal }
    func half(_ a: Operand, _ b: Operand) -> Response {
      if let r = quotientOfSpecials(a, b, s) { return r }
      var flags: UInt8 = 0
      if let r = denormalFault([a, b], s, &flags) { return r }
      let negative = a.isNegative != b.isNegative
      if a.isInfinite { return Response(.infinity(negative: negative), flags: flags) }
      if a.isZero || b.isInfinite { return Response(.zero(negative: negative), flags: flags) }
      let ea = a.number.binade, eb = b.number.binade
      if b.isUnnormal { return Response(.infinity(negative: b.isNegative), flags: flags) }
      if eb >= 125 { return Response(.zero(negative: b.isNegative), flags: flags) }
      var r = Response(single(of: reciprocal(b.number)), flags: flags)
      r.predicate = ea - eb <= 126 && ea - eb >= -124 && ea >= -102
      return r
    }
    return pair(half(high(f2), high(f3)), half(low(f2), low(f3)))
  }

  static func fprsqrta(_ f3: FloatRegister, _ s: Scenario) -> Expected {
    if Operand(f3).isNaTVal { return natVal }
    func half(_ a: Operand) -> Response {
      if let r = rootOfSpecials(a, s) { return r }
      if a.isInfinite { return Response(.zero(negative: false)) }
      if a.isZero { return Response(.infinity(negative: a.isNegative)) }
      var flags: UInt8 = 0
      if let r = denormalFault([a], s, &flags) { return r }
      var r = Response(single(of: reciprocalRoot(a.number)), flags: flags)
      r.predicate = a.number.binade >= -102
      return r
    }
    return pair(half(high(f3)), half(low(f3)))
  }

  private static func single(of f: FloatRegister) -> Delivered {
    let exponent = Int(f.signExponent & 0x1FFFF) - 65535
    return .finite(negative: f.signExponent >> 17 == 1, count: BigUInt(f.significand >> 40), exponent: exponent)
  }

  /// 1 / x for the middle of the 256th of the binade in which x lies, to eleven bits.
  static func reciprocal(_ x: Exact) -> FloatRegister {
    let e = x.binade
    let (step, _, _) = x.magnitude.multiple(of: e - 8, .zero)
    // Middle of the step, in units of 2^-9: 1.xxxxxxxx1.
    let middle = Exact(negative: false, numerator: step << 1 + 1, scale: -9)
    let approximation = Exact(negative: false, numerator: 1, scale: 0) / middle
    let (count, _, _) = approximation.multiple(of: -11, .nearest)
    return Zoo.make(x.negative, UInt64(65535 - e - 1), UInt64(count) << 53)
  }

  /// 1 / sqrt(x) for the middle of the 128th of the binade, to eleven bits.
  static func reciprocalRoot(_ x: Exact) -> FloatRegister {
    let e = x.binade
    let (step, _, _) = x.multiple(of: e - 7, .zero)
    // x = m * 2^(2k) with m in [1, 4); 1 / sqrt(x) = 2^-k / sqrt(m), which is in (2^-k-1, 2^-k].
    let odd = e & 1 != 0
    let k = odd ? (e - 1) / 2 : e / 2
    let m = Exact(negative: false, numerator: step << 1 + 1, scale: odd ? -7 : -8)
    // Largest n with (n - 1/2)^2 * m <= 2048^2, the scale being chosen so that n has eleven bits.
    var n: BigUInt = 0
    for candidate in UInt64(1024)...2048 {
      // (2c - 1)^2 * m.numerator <= 2^24 * 2^-m.scale
      let twice = BigUInt(2 * candidate - 1)
      if twice * twice * m.numerator <= BigUInt(1) << (24 - m.scale) { n = BigUInt(candidate) }
    }
    return Zoo.make(false, UInt64(65535 - k - 1), UInt64(n) << 53)
  }
}

extension Exact {
  var magnitude: Exact { Exact(negative: false, numerator: numerator, denominator: denominator, scale: scale) }
}
