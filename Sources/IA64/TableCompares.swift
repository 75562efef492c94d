/// Rows of the formats A6, A7 and A8: integer compares (Volume 3, section 4.2.1.3).
extension TableBuilder {
  mutating func addCompares() {
    for (major, relation, suffix) in [(0xc, Relation.lt, ""), (0xd, .ltu, "u"), (0xe, .eq, "")] {
      for (x2, size) in [(0, UInt8(8)), (1, 4)] {
        let name = size == 8 ? "cmp" : "cmp4"
        orderedCompares(name, major, x2, size, relation, suffix)
        equalityCompares(name, major, x2, size, immediate: false)
        zeroCompares(name, major, x2, size)
        orderedImmediates(name, major, x2 + 2, size, relation, suffix)
        equalityCompares(name, major, x2 + 2, size, immediate: true)
      }
    }
  }

  /// Bits 35:34 x2, 36 tb, 33 ta, 12 c. A8 has no tb: bit 36 is the sign of the immediate.
  private func compare(_ major: Int, x2: Int, tb: Int?, ta: Int, c: Int) -> BitPattern {
    let pattern = BitPattern(major: major).set(x2, at: 34, width: 2).set(ta, at: 33).set(c, at: 12)
    guard let tb else { return pattern }
    return pattern.set(tb, at: 36)
  }

  /// A6 with ta = 0: lt, ltu, eq and their unc forms, then the relations made by swapping operands or targets.
  private mutating func orderedCompares(
    _ name: String, _ major: Int, _ x2: Int, _ size: UInt8, _ relation: Relation, _ suffix: String
  ) {
    for (c, unc) in ["", ".unc"].enumerated() {
      let pattern = compare(major, x2: x2, tb: 0, ta: 0, c: c)
      let attributes = Attributes(size: size, relation: relation, comparison: c == 0 ? .normal : .unc)
      let plain: [OperandKind] = [.p1, .p2, .r2, .r3]
      if relation == .eq {
        add("\(name).eq\(unc)", .a6, pattern, .compare, plain, outputs: 2, attributes)
        pseudo("\(name).ne\(unc)", .a6, pattern, [.p2, .p1, .r2, .r3], outputs: 2)
      } else {
        add("\(name).lt\(suffix)\(unc)", .a6, pattern, .compare, plain, outputs: 2, attributes)
        pseudo("\(name).le\(suffix)\(unc)", .a6, pattern, [.p2, .p1, .r3, .r2], outputs: 2)
        pseudo("\(name).gt\(suffix)\(unc)", .a6, pattern, [.p1, .p2, .r3, .r2], outputs: 2)
        pseudo("\(name).ge\(suffix)\(unc)", .a6, pattern, [.p2, .p1, .r2, .r3], outputs: 2)
      }
    }
  }

  /// A8 with ta = 0. The immediates of le and gt are one more than what is encoded.
  private mutating func orderedImmediates(
    _ name: String, _ major: Int, _ x2: Int, _ size: UInt8, _ relation: Relation, _ suffix: String
  ) {
    let unsigned = relation == .ltu
    let imm8: OperandKind = unsigned && size == 4 ? .imm8Unsigned4 : .imm8
    let lower: OperandKind = !unsigned ? .imm8MinusOne : size == 4 ? .imm8MinusOneUnsigned4 : .imm8MinusOneUnsigned8
    for (c, unc) in ["", ".unc"].enumerated() {
      let pattern = compare(major, x2: x2, tb: nil, ta: 0, c: c)
      let attributes = Attributes(size: size, relation: relation, comparison: c == 0 ? .normal : .unc)
      let plain: [OperandKind] = [.p1, .p2, imm8, .r3]
      if relation == .eq {
        add("\(name).eq\(unc)", .a8, pattern, .compareImmediate, plain, outputs: 2, attributes)
        pseudo("\(name).ne\(unc)", .a8, pattern, [.p2, .p1, imm8, .r3], outputs: 2)
      } else {
        add("\(name).lt\(suffix)\(unc)", .a8, pattern, .compareImmediate, plain, outputs: 2, attributes)
        pseudo("\(name).le\(suffix)\(unc)", .a8, pattern, [.p1, .p2, lower, .r3], outputs: 2)
        pseudo("\(name).gt\(suffix)\(unc)", .a8, pattern, [.p2, .p1, lower, .r3], outputs: 2)
        pseudo("\(name).ge\(suffix)\(unc)", .a8, pattern, [.p2, .p1, imm8, .r3], outputs: 2)
      }
    }
  }

  /// How the major opcode makes a parallel compare write its predicates.
  private func parallelComparison(_ major: Int) -> ParallelComparison {
    switch major {
    case 0xc: return .and
    case 0xd: return .or
    default: return .orAndcm
    }
  }

  /// A6 and A8 with ta = 1: eq and ne, and the complementary type with the opposite relation.
  private mutating func equalityCompares(
    _ name: String, _ major: Int, _ x2: Int, _ size: UInt8, immediate: Bool
  ) {
    let type = parallelComparison(major)
    let format: Format = immediate ? .a8 : .a6
    let sources: [OperandKind] = immediate ? [.imm8, .r3] : [.r2, .r3]
    for (c, relation) in [Relation.eq, .ne].enumerated() {
      let pattern = compare(major, x2: x2, tb: immediate ? nil : 0, ta: 1, c: c)
      let opposite = relation == .eq ? "ne" : "eq"
      add(
        "\(name).\(relation)\(type.completer)", format, pattern, immediate ? .compareImmediate : .compare,
        [.p1, .p2] + sources, outputs: 2, Attributes(size: size, relation: relation, comparison: type.comparison))
      pseudo("\(name).\(opposite)\(type.opposite)", format, pattern, type.oppositeTargets + sources, outputs: 2)
    }
  }

  /// A7: r0 against r3, signed.
  private mutating func zeroCompares(_ name: String, _ major: Int, _ x2: Int, _ size: UInt8) {
    let type = parallelComparison(major)
    // In the order of ta:c. The relations after the first: r3 against r0, the complement, the complement reversed.
    let relations: [(Relation, String, String, String)] = [
      (.gt, "lt", "le", "ge"), (.le, "ge", "gt", "lt"), (.ge, "le", "lt", "gt"), (.lt, "gt", "ge", "le"),
    ]
    for (code, (relation, reversed, complement, both)) in relations.enumerated() {
      let pattern = compare(major, x2: x2, tb: 1, ta: code >> 1, c: code & 1)
      add(
        "\(name).\(relation)\(type.completer)", .a7, pattern, .compareZero, [.p1, .p2, .gr0, .r3], outputs: 2,
        Attributes(size: size, relation: relation, comparison: type.comparison))
      pseudo("\(name).\(reversed)\(type.completer)", .a7, pattern, [.p1, .p2, .r3, .gr0], outputs: 2)
      pseudo("\(name).\(complement)\(type.opposite)", .a7, pattern, type.oppositeTargets + [.gr0, .r3], outputs: 2)
      pseudo("\(name).\(both)\(type.opposite)", .a7, pattern, type.oppositeTargets + [.r3, .gr0], outputs: 2)
    }
  }
}

/// The three ways in which compares and tests combine with what the predicates hold, and their written opposites.
enum ParallelComparison: Sendable, CaseIterable {
  case and, or, orAndcm

  var comparison: Comparison {
    switch self {
    case .and: return .and
    case .or: return .or
    case .orAndcm: return .orAndcm
    }
  }

  var completer: String {
    switch self {
    case .and: return ".and"
    case .or: return ".or"
    case .orAndcm: return ".or.andcm"
    }
  }

  /// Completer of the pseudo-op with the negated relation.
  var opposite: String {
    switch self {
    case .and: return ".andcm"
    case .or: return ".orcm"
    case .orAndcm: return ".and.orcm"
    }
  }

  /// Targets of that pseudo-op among the compares: only the asymmetric type exchanges them.
  var oppositeTargets: [OperandKind] { self == .orAndcm ? [.p2, .p1] : [.p1, .p2] }
}
