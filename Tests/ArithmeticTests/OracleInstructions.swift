import Arithmetic
import BigInt

extension Oracle {
  // MARK: fma and parallel forms

  /// Kinds of multiply-add: the sign applied to the product and to the addend.
  enum Kind: CaseIterable { case add, subtract, negative }

  static func fma(
    _ f3: FloatRegister, _ f4: FloatRegister, _ f2: FloatRegister, _ kind: Kind, addendIsFR0: Bool, _ s: Scenario
  ) -> Expected {
    fma(Operand(f3), Operand(f4), Operand(f2), kind, addendIsFR0, s)?.scalar(s) ?? natVal
  }

  static func fpma(
    _ f3: FloatRegister, _ f4: FloatRegister, _ f2: FloatRegister, _ kind: Kind, addendIsFR0: Bool, _ s: Scenario
  ) -> Expected {
    if [f2, f3, f4].contains(where: { Operand($0).isNaTVal }) { return natVal }
    guard let h = fma(high(f3), high(f4), high(f2), kind, addendIsFR0, s),
      let l = fma(low(f3), low(f4), low(f2), kind, addendIsFR0, s)
    else { return natVal }
    return pair(h, l)
  }

  /// nil: NaTVal.
  private static func fma(
    _ f3: Operand, _ f4: Operand, _ f2: Operand, _ kind: Kind, _ addendIsFR0: Bool, _ s: Scenario
  ) -> Response? {
    let operands = [f4, f2, f3]
    if operands.contains(where: \.isNaTVal) { return nil }
    if operands.contains(where: \.isUnsupported) { return exceptional(V, .indefinite, s) }
    // The order of the array is the order of NaN propagation.
    for case .nan(let negative, let significand) in operands {
      let quiet = Delivered.nan(negative: negative, significand: significand | 1 << 62)
      return operands.contains(where: \.isSignaling) ? exceptional(V, quiet, s) : Response(quiet)
    }
    let productSign = (f3.isNegative != f4.isNegative) != (kind == .negative)
    let addendSign = f2.isNegative != (kind == .subtract)
    let infiniteProduct = f3.isInfinite || f4.isInfinite
    let zeroTimesInfinity = [f3, f4].contains { $0.isZero && !$0.isUnnormal } && infiniteProduct
    if zeroTimesInfinity || (infiniteProduct && f2.isInfinite && productSign != addendSign) {
      return exceptional(V, .indefinite, s)
    }
    var flags: UInt8 = 0
    if operands.contains(where: \.isUnnormal) {
      if s.traps(D) { return exceptional(D, .indefinite, s) }
      flags = D
    }
    if infiniteProduct { return Response(.infinity(negative: productSign), flags: flags) }
    if f2.isInfinite { return Response(.infinity(negative: addendSign), flags: flags) }
    var product = f3.number * f4.number
    product.negative = productSign
    var addend = f2.number
    addend.negative = addendSign
    let sum = product + addend
    if !sum.isZero { return deliver(sum, s, flags: flags) }
    let negative: Bool
    if addendIsFR0 {
      negative = productSign
    } else if product.isZero && addend.isZero && productSign == addendSign {
      negative = productSign
    } else {
      negative = s.rounding == .down
    }
    return Response(.zero(negative: negative), flags: flags)
  }

  // MARK: Comparison

  static func compare(
    _ f2: FloatRegister, _ f3: FloatRegister, _ relation: FloatRelation, _ s: Scenario
  ) -> Expected {
    let a = Operand(f2), b = Operand(f3)
    if a.isNaTVal || b.isNaTVal { return Expected() }
    return compare(a, b, relation, s).scalar(s)
  }

  static func parallelCompare(
    _ f2: FloatRegister, _ f3: FloatRegister, _ relation: FloatRelation, _ s: Scenario
  ) -> Expected {
    if Operand(f2).isNaTVal || Operand(f3).isNaTVal { return natVal }
    func half(_ a: Operand, _ b: Operand) -> Response {
      var r = compare(a, b, relation, s)
      r.delivered = .raw(Zoo.make(false, 0x1003E, r.predicate ? 0xFFFF_FFFF : 0))
      return r
    }
    var e = pair(half(high(f2), high(f3)), half(low(f2), low(f3)))
    if e.fault == 0 { e.predicate = false }
    return e
  }

  /// Negative, zero, positive; nil if unordered.
  private static func order(_ a: Operand, _ b: Operand) -> Int? {
    switch (a, b) {
    case (.infinity(let x), .infinity(let y)): return x == y ? 0 : x ? -1 : 1
    case (.infinity(let x), .finite): return x ? -1 : 1
    case (.finite, .infinity(let y)): return y ? 1 : -1
    case (.finite(let x, _), .finite(let y, _)): return Exact.compare(x, y)
    default: return nil
    }
  }

  private static func compare(_ a: Operand, _ b: Operand, _ relation: FloatRelation, _ s: Scenario) -> Response {
    let order = order(a, b)
    let plain: [FloatRelation] = [.equal, .unordered, .notEqual, .ordered]
    var r = Response()
    switch relation {
    case .equal: r.predicate = order == 0
    case .less: r.predicate = order ?? 1 < 0
    case .lessOrEqual: r.predicate = order ?? 1 <= 0
    case .unordered: r.predicate = order == nil
    case .notEqual: r.predicate = order != 0
    case .notLess: r.predicate = order ?? 1 >= 0
    case .notLessOrEqual: r.predicate = order ?? 1 > 0
    case .ordered: r.predicate = order != nil
    }
    let invalid =
      [a, b].contains { $0.isSignaling || $0.isUnsupported } || (order == nil && !plain.contains(relation))
    if invalid {
      r.flags = V
    } else if order != nil && (a.isUnnormal || b.isUnnormal) {
      r.flags = D
    }
    if s.traps(r.flags) { r.fault = UInt16(r.flags) }
    return r
  }

  static func minmax(
    _ f2: FloatRegister, _ f3: FloatRegister, maximum: Bool, magnitude: Bool, _ s: Scenario
  ) -> Expected {
    let a = Operand(f2), b = Operand(f3)
    if a.isNaTVal || b.isNaTVal { return natVal }
    let (first, response) = minmax(a, b, maximum, magnitude, s)
    var r = response
    r.delivered = .raw(first ? f2 : f3)
    return r.scalar(s)
  }

  static func parallelMinmax(
    _ f2: FloatRegister, _ f3: FloatRegister, maximum: Bool, magnitude: Bool, _ s: Scenario
  ) -> Expected {
    if Operand(f2).isNaTVal || Operand(f3).isNaTVal { return natVal }
    var (first, h) = minmax(high(f2), high(f3), maximum, magnitude, s)
    h.delivered = .raw(Zoo.make(false, 0x1003E, (first ? f2 : f3).significand >> 32))
    var (second, l) = minmax(low(f2), low(f3), maximum, magnitude, s)
    l.delivered = .raw(second ? f2 : f3)
    (h.predicate, l.predicate) = (false, false)
    _ = (first, second)
    return pair(h, l)
  }

  /// Whether the first operand is the result.
  private static func minmax(
    _ a: Operand, _ b: Operand, _ maximum: Bool, _ magnitude: Bool, _ s: Scenario
  ) -> (Bool, Response) {
    func absolute(_ x: Operand) -> Operand {
      guard magnitude else { return x }
      switch x {
      case .infinity: return .infinity(negative: false)
      case .finite(var n, let unnormal):
        n.negative = false
        return .finite(n, unnormal: unnormal)
      default: return x
      }
    }
    let (left, right) = maximum ? (absolute(b), absolute(a)) : (absolute(a), absolute(b))
    var r = compare(left, right, .less, s)
    let first = r.predicate
    r.predicate = false
    return (first, r)
  }

  /// Bits of fclass9 in the order of the manual's table.
  static func isMember(_ f: FloatRegister, _ mask: UInt64) -> Bool {
    func bit(_ n: UInt64) -> Bool { mask >> n & 1 == 1 }
    let signMatches: Bool
    switch Operand(f) {
    case .natVal: return bit(8)
    case .unsupported: return false
    case .nan(_, let significand): return significand & 1 << 62 != 0 ? bit(7) : bit(6)
    case .infinity(let negative): return bit(negative ? 1 : 0) && bit(5)
    case .finite(let x, let unnormal):
      signMatches = bit(x.negative ? 1 : 0)
      return signMatches && (unnormal ? bit(3) : x.isZero ? bit(2) : bit(4))
    }
  }

  // MARK: Conversion

  static func toInteger(_ f2: FloatRegister, unsigned: Bool, truncate: Bool, _ s: Scenario) -> Expected {
    let a = Operand(f2)
    return a.isNaTVal ? natVal : convert(a, 64, unsigned, truncate, s).scalar(s)
  }

  static func parallelToInteger(_ f2: FloatRegister, unsigned: Bool, truncate: Bool, _ s: Scenario) -> Expected {
    if Operand(f2).isNaTVal { return natVal }
    return pair(convert(high(f2), 32, unsigned, truncate, s), convert(low(f2), 32, unsigned, truncate, s))
  }

  private static func convert(
    _ a: Operand, _ bits: Int, _ unsigned: Bool, _ truncate: Bool, _ s: Scenario
  ) -> Response {
    func integer(_ n: BigInt) -> Delivered {
      let wrapped = n < 0 ? n + BigInt(1) << 64 : n
      return .raw(Zoo.make(false, 0x1003E, UInt64(wrapped.magnitude & BigUInt(UInt64.max))))
    }
    let indefinite = integer(BigInt(1) << (bits - 1))
    guard case .finite(let x, let unnormal) = a else { return exceptional(V, indefinite, s) }
    // Hopelessly large numbers need not be written out.
    if !x.isZero && x.binade > 100 { return exceptional(V, indefinite, s) }
    let (count, exact, increased) = x.multiple(of: 0, truncate ? .zero : s.rounding)
    let n = BigInt(sign: x.negative ? .minus : .plus, magnitude: count)
    let range =
      unsigned
      ? BigInt(0)...(BigInt(1) << bits) - 1 : -(BigInt(1) << (bits - 1))...(BigInt(1) << (bits - 1)) - 1
    if !range.contains(n) { return exceptional(V, indefinite, s) }
    var r = Response(integer(n))
    if unnormal {
      if s.traps(D) { return exceptional(D, indefinite, s) }
      r.flags |= D
    }
    if !exact {
      r.flags |= I
      r.inexactTrap = s.traps(I)
      r.roundedUp = r.inexactTrap && increased
    }
    return r
  }

  static func fromSigned(_ f2: FloatRegister) -> FloatRegister {
    if Operand(f2).isNaTVal { return .natVal }
    let n = BigInt(Int64(bitPattern: f2.significand))
    if n == 0 { return .zero }
    var wide = Scenario()
    wide.widestRange = true
    return register(deliver(Exact(negative: n < 0, numerator: n.magnitude, scale: 0), wide).delivered, wide)
  }
}
