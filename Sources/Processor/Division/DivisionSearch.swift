import IA64

/// Follows the instructions behind a `frcpa`, to find out whether they are one of the sequences by which programs divide (``DivisionTerm``).
/// They may come in any order, use any registers of f2 to f31, and have others between them that can neither fault nor see or change anything
/// of them.
struct DivisionSearch {
  enum Finding {
    /// A step of a division.
    case step
    /// Has nothing to do with it.
    case other
    /// The last step.
    case quotient(MicroOp, HostDivision.Plan)
    /// Not such a division.
    case failure
  }

  private let dividend: UInt8
  private let divisor: UInt8
  /// What `frcpa` sets and qualifies the steps.
  private let predicate: UInt8
  private let position: UInt8
  /// Doubles are divided, too.
  private let doubles: Bool
  /// What registers hold.
  private var terms: [UInt8: DivisionTerm]
  /// Targets of the steps, and what the other instructions write.
  private var targets: Set<UInt8>
  private var foreign: Set<UInt8> = []
  private var tiny: UInt8 = 0

  /// nil: the instruction begins no division.
  init?(_ i: Instruction, position: UInt8, doubles: Bool) {
    // For normal operands frcpa makes no use of its status field.
    guard i.operation == .frcpa, i.qp == 0, i.p2 != 0, max(i.f1, i.f2, i.f3) < 32, i.f1 > 1, i.f2 > 0, i.f3 > 1, i.f2 != i.f3
    else { return nil }
    (dividend, divisor, predicate, self.position, self.doubles) = (i.f2, i.f3, i.p2, position, doubles)
    terms = [0: .zero, 1: .one, i.f3: .b]
    if i.f2 > 1 { terms[i.f2] = .a }
    terms[i.f1] = .y0
    targets = [i.f1]
  }

  mutating func take(_ i: Instruction) -> Finding {
    switch i.operation {
    case .fma, .fnma:
      guard isFree(i), let result = result(of: i) else { return .failure }
      if i.statusField == 0 { return quotient(i, .divideDoubles) }
      terms[i.f1] = result
      targets.insert(i.f1)
      return .step
    case .fcvtFX:
      guard isFree(i), i.statusField == 1, i.attributes.flags.contains(.truncate), terms[i.f2]?.isIntegerQuotient == true else {
        return .failure
      }
      return quotient(i, .divideIntegers)
    case .setf:
      guard i.attributes.variant == .significand, i.f1 != tiny else { return .failure }
      terms[i.f1] = nil
      foreign.insert(i.f1)
      return .other
    case .compare, .compareImmediate, .compareZero, .testBit:
      return i.p1 == predicate || i.p2 == predicate ? .failure : .other
    case .nop, .add, .addOne, .sub, .subOne, .and, .andcm, .or, .xor, .shladd, .subImmediate, .andImmediate, .andcmImmediate,
      .orImmediate, .xorImmediate, .addImmediate14, .addImmediate22, .movLong, .sxt, .zxt, .shl, .shr, .shrp, .extr, .depZ,
      .depZImmediate, .depImmediate, .dep, .movFromBR, .movToBR:
      return .other
    default: return .failure
    }
  }

  /// The instruction is done whenever the division is, and its target is free for a step.
  private func isFree(_ i: Instruction) -> Bool {
    (i.qp == predicate || i.qp == 0) && i.f1 > 1 && i.f1 < 32 && !foreign.contains(i.f1) && i.f1 != tiny
  }

  /// The term that a multiply-add gives; nil if it is none.
  private mutating func result(of i: Instruction) -> DivisionTerm? {
    let rounding: DivisionTerm.Rounding
    switch (i.statusField, i.attributes.precision.rawValue) {
    case (1, 0): rounding = .register
    case (1, 2): rounding = .double
    case (0, 2) where doubles: rounding = .result
    default: return nil
    }
    guard let x = terms[i.f3], let y = terms[i.f4] else { return nil }
    let mayBeTiny = i.f2 < 32 && !foreign.contains(i.f2) && (tiny == 0 || tiny == i.f2)
    guard let z = terms[i.f2] ?? (mayBeTiny ? .tiny : nil) else { return nil }
    let step = DivisionTerm.steps.first {
      let (p, q) = (read($0.x), read($0.y))
      return $0.negatesProduct == (i.operation == .fnma) && $0.rounding == rounding && read($0.z) == z
        && ((p, q) == (x, y) || (p, q) == (y, x))
    }
    if z == .tiny, step != nil { tiny = i.f2 }
    return step?.result
  }

  /// As what the registers have a term: the dividend 1 is f1.
  private func read(_ term: DivisionTerm) -> DivisionTerm { term == .a && dividend == 1 ? .one : term }

  private mutating func quotient(_ i: Instruction, _ tag: MicroTag) -> Finding {
    var plan = HostDivision.Plan()
    plan.tiny = tiny
    targets.remove(i.f1)
    plan.registers = targets.reduce(0) { $0 | 1 << UInt32($1) }
    // Those who use the same registers again and again share a record, and nothing of theirs ever has to be computed.
    plan.record = UInt8((plan.registers &* 0x9E37_79B1) >> (32 - Division.countBits))
    for register in targets.sorted() {
      // A register without a term was overwritten behind its step.
      guard let term = terms[register], Int(plan.count) < plan.terms.count else { return .failure }
      plan.terms[Int(plan.count)] = HeldTerm(register: register, term, of: plan.record)
      plan.count += 1
    }
    return .quotient(
      MicroOp(tag, position, d: i.f1, a: dividend, b: divisor, c: predicate, e: i.attributes.variant == .unsigned ? 1 : 0), plan)
  }
}
