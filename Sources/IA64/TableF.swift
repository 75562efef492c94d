/// Rows of the F formats with major opcodes 4...0xE: arithmetic, compares (Volume 3, sections 4.6.1–4.6.3).
extension TableBuilder {
  mutating func addFloatingPointArithmetic() {
    multiplyAdd()
    fixedMultiply()
    compareAndClassify()
  }

  /// Adds an instruction once per status field (bits 35:34); the name without one means s0.
  mutating func addStatusFields(
    _ name: String, _ format: Format, _ pattern: BitPattern, _ operation: Operation, _ operands: [OperandKind],
    outputs: Int = 1, _ attributes: Attributes = Attributes()
  ) {
    for field in 0..<4 {
      let exact = pattern.set(field, at: 34, width: 2)
      add("\(name).s\(field)", format, exact, operation, operands, outputs: outputs, attributes)
      if field == 0 { pseudo(name, format, exact, operands, outputs: outputs) }
    }
  }

  /// Adds a pseudo-op once per status field.
  mutating func pseudoStatusFields(
    _ name: String, _ format: Format, _ pattern: BitPattern, _ operands: [OperandKind], outputs: Int = 1
  ) {
    for field in 0..<4 {
      let exact = pattern.set(field, at: 34, width: 2)
      pseudo("\(name).s\(field)", format, exact, operands, outputs: outputs)
      if field == 0 { pseudo(name, format, exact, operands, outputs: outputs) }
    }
  }

  /// F1: bit 36 x. Operands f1 = f3 * f4 + f2; f0 and f1 (the constants 0 and 1) make the simpler operations.
  private mutating func multiplyAdd() {
    let forms: [(x: Int, major: Int, completer: String, precision: Precision)] = [
      (0, 0, "", .dynamic), (1, 0, ".s", .single), (0, 1, ".d", .double),
    ]
    for form in forms {
      let attributes = Attributes(precision: form.precision)
      func pattern(_ major: Int) -> BitPattern { BitPattern(major: major + form.major).set(form.x, at: 36) }
      let sum = timesOne(pattern(8))
      pseudoStatusFields("fnorm\(form.completer)", .f1, plusZero(sum), [.f1, .f3])
      pseudoStatusFields("fcvt.xuf\(form.completer)", .f1, plusZero(sum), [.f1, .f3])
      pseudoStatusFields("fadd\(form.completer)", .f1, sum, [.f1, .f3, .f2])
      multiply("fmpy\(form.completer)", "fma\(form.completer)", .fma, pattern(8), attributes)
      pseudoStatusFields("fsub\(form.completer)", .f1, timesOne(pattern(0xa)), [.f1, .f3, .f2])
      multiply(nil, "fms\(form.completer)", .fms, pattern(0xa), attributes)
      multiply("fnmpy\(form.completer)", "fnma\(form.completer)", .fnma, pattern(0xc), attributes)
    }
    multiply("fpmpy", "fpma", .fpma, BitPattern(major: 9).set(1, at: 36))
    multiply(nil, "fpms", .fpms, BitPattern(major: 0xb).set(1, at: 36))
    multiply("fpnmpy", "fpnma", .fpnma, BitPattern(major: 0xd).set(1, at: 36))
  }

  /// The field f4 names f1, which reads as 1.0.
  private func timesOne(_ pattern: BitPattern) -> BitPattern { pattern.set(1, at: 27, width: 7) }

  /// The field f2 names f0, which reads as 0.0.
  private func plusZero(_ pattern: BitPattern) -> BitPattern { pattern.set(0, at: 13, width: 7) }

  private mutating func multiply(
    _ product: String?, _ name: String, _ operation: Operation, _ pattern: BitPattern,
    _ attributes: Attributes = Attributes()
  ) {
    if let product { pseudoStatusFields(product, .f1, plusZero(pattern), [.f1, .f3, .f4]) }
    addStatusFields(name, .f1, pattern, operation, [.f1, .f3, .f4, .f2], attributes)
  }

  /// F2 and F3: bit 36 x, 35:34 x2.
  private mutating func fixedMultiply() {
    let forms: [(String, Int, Variant)] = [("l", 0, .low), ("h", 3, .high), ("hu", 2, .highUnsigned)]
    for (name, x2, variant) in forms {
      let pattern = BitPattern(major: 0xe).set(1, at: 36).set(x2, at: 34, width: 2)
      pseudo("xmpy.\(name)", .f2, plusZero(pattern), [.f1, .f3, .f4])
      if x2 == 0 { pseudo("xmpy.lu", .f2, plusZero(pattern), [.f1, .f3, .f4]) }
      add("xma.\(name)", .f2, pattern, .xma, [.f1, .f3, .f4, .f2], Attributes(variant: variant))
      if x2 == 0 { pseudo("xma.lu", .f2, pattern, [.f1, .f3, .f4, .f2]) }
    }
    add("fselect", .f3, BitPattern(major: 0xe).set(0, at: 36), .fselect, [.f1, .f3, .f4, .f2])
  }

  private mutating func compareAndClassify() {
    // F4: bits 33 ra, 36 rb, 12 ta. Each relation has a name with exchanged sources and two for the negation.
    let relations: [(Relation, ra: Int, rb: Int, reversed: String?, not: String, notReversed: String?)] = [
      (.eq, 0, 0, nil, "neq", nil), (.lt, 0, 1, "gt", "nlt", "ngt"), (.le, 1, 0, "ge", "nle", "nge"),
      (.unord, 1, 1, nil, "ord", nil),
    ]
    for (ta, unc) in ["", ".unc"].enumerated() {
      for (relation, ra, rb, reversed, not, notReversed) in relations {
        let pattern = BitPattern(major: 4).set(ra, at: 33).set(rb, at: 36).set(ta, at: 12)
        addStatusFields(
          "fcmp.\(relation)\(unc)", .f4, pattern, .fcmp, [.p1, .p2, .f2, .f3], outputs: 2,
          Attributes(relation: relation, comparison: ta == 0 ? .normal : .unc))
        if let reversed {
          pseudoStatusFields("fcmp.\(reversed)\(unc)", .f4, pattern, [.p1, .p2, .f3, .f2], outputs: 2)
        }
        pseudoStatusFields("fcmp.\(not)\(unc)", .f4, pattern, [.p2, .p1, .f2, .f3], outputs: 2)
        if let notReversed {
          pseudoStatusFields("fcmp.\(notReversed)\(unc)", .f4, pattern, [.p2, .p1, .f3, .f2], outputs: 2)
        }
      }
    }
    for (ta, unc) in ["", ".unc"].enumerated() {
      let pattern = BitPattern(major: 5).set(ta, at: 12)
      add(
        "fclass.m\(unc)", .f5, pattern, .fclass, [.p1, .p2, .f2, .fclass9], outputs: 2,
        Attributes(comparison: ta == 0 ? .normal : .unc, variant: .member))
      pseudo("fclass.nm\(unc)", .f5, pattern, [.p2, .p1, .f2, .fclass9], outputs: 2)
    }
  }
}
