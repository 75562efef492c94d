/// Rows of the F formats with major opcodes 0 and 1 (Volume 3, sections 4.6.4–4.6.7).
extension TableBuilder {
  mutating func addFloatingPointMiscellaneous() {
    approximations()
    minimaAndCompares()
    mergesAndLogic()
    conversions()
    statusFields()
    miscellaneousF()
  }

  /// Bits 33 x, 32:27 x6. Major opcode 1 has the parallel instructions.
  private func extended(_ parallel: Bool, _ x6: Int) -> BitPattern {
    BitPattern(major: parallel ? 1 : 0).set(0, at: 33).set(x6, at: 27, width: 6)
  }

  /// F6 and F7: bit 36 q.
  private mutating func approximations() {
    for (prefix, major, reciprocal, root) in [
      ("f", 0, Operation.frcpa, Operation.frsqrta), ("fp", 1, .fprcpa, .fprsqrta),
    ] {
      let pattern = BitPattern(major: major).set(1, at: 33)
      addStatusFields("\(prefix)rcpa", .f6, pattern.set(0, at: 36), reciprocal, [.f1, .p2, .f2, .f3], outputs: 2)
      addStatusFields("\(prefix)rsqrta", .f7, pattern.set(1, at: 36), root, [.f1, .p2, .f3], outputs: 2)
    }
  }

  private mutating func minimaAndCompares() {
    let three: [OperandKind] = [.f1, .f2, .f3]
    let extrema: [(String, Operation, Operation)] = [
      ("min", .fmin, .fpmin), ("max", .fmax, .fpmax), ("amin", .famin, .fpamin), ("amax", .famax, .fpamax),
    ]
    for parallel in [false, true] {
      for (index, (name, operation, parallelOperation)) in extrema.enumerated() {
        addStatusFields(
          parallel ? "fp\(name)" : "f\(name)", .f8, extended(parallel, 0x14 + index),
          parallel ? parallelOperation : operation, three)
      }
    }
    let relations: [(Relation, String?)] = [
      (.eq, nil), (.lt, "gt"), (.le, "ge"), (.unord, nil), (.neq, nil), (.nlt, "ngt"), (.nle, "nge"), (.ord, nil),
    ]
    for (index, (relation, reversed)) in relations.enumerated() {
      let pattern = extended(true, 0x30 + index)
      addStatusFields("fpcmp.\(relation)", .f8, pattern, .fpcmp, three, Attributes(relation: relation))
      if let reversed { pseudoStatusFields("fpcmp.\(reversed)", .f8, pattern, [.f1, .f3, .f2]) }
    }
  }

  private mutating func mergesAndLogic() {
    let three: [OperandKind] = [.f1, .f2, .f3]
    for parallel in [false, true] {
      let prefix = parallel ? "fp" : "f"
      let operation: Operation = parallel ? .fpmerge : .fmerge
      let sign = extended(parallel, 0x10)
      let negatedSign = extended(parallel, 0x11)
      if !parallel { pseudo("mov", .f9, sign, [.f1, .f3], constraint: .sameF2F3) }
      pseudo("\(prefix)abs", .f9, sign.set(0, at: 13, width: 7), [.f1, .f3])
      pseudo("\(prefix)neg", .f9, negatedSign, [.f1, .f3], constraint: .sameF2F3)
      pseudo("\(prefix)negabs", .f9, negatedSign.set(0, at: 13, width: 7), [.f1, .f3])
      add("\(prefix)merge.s", .f9, sign, operation, three, Attributes(variant: .sign))
      add("\(prefix)merge.ns", .f9, negatedSign, operation, three, Attributes(variant: .negatedSign))
      add("\(prefix)merge.se", .f9, extended(parallel, 0x12), operation, three, Attributes(variant: .signExponent))
    }
    let others: [(String, Int, Operation, Variant)] = [
      ("fmix.lr", 0x39, .fmix, .leftRight), ("fmix.r", 0x3a, .fmix, .right), ("fmix.l", 0x3b, .fmix, .left),
      ("fsxt.r", 0x3c, .fsxt, .right), ("fsxt.l", 0x3d, .fsxt, .left), ("fpack", 0x28, .fpack, .none),
      ("fswap", 0x34, .fswap, .none), ("fswap.nl", 0x35, .fswap, .negatedLeft),
      ("fswap.nr", 0x36, .fswap, .negatedRight), ("fand", 0x2c, .fand, .none), ("fandcm", 0x2d, .fandcm, .none),
      ("for", 0x2e, .for_, .none), ("fxor", 0x2f, .fxor, .none),
    ]
    for (name, x6, operation, variant) in others {
      add(name, .f9, extended(false, x6), operation, three, Attributes(variant: variant))
    }
  }

  private mutating func conversions() {
    let forms: [(String, Variant, InstructionFlags)] = [
      ("fx", .none, []), ("fxu", .unsigned, []), ("fx.trunc", .none, .truncate), ("fxu.trunc", .unsigned, .truncate),
    ]
    for parallel in [false, true] {
      for (index, (name, variant, flags)) in forms.enumerated() {
        addStatusFields(
          parallel ? "fpcvt.\(name)" : "fcvt.\(name)", .f10, extended(parallel, 0x18 + index),
          parallel ? .fpcvtFX : .fcvtFX, [.f1, .f2], Attributes(variant: variant, flags: flags))
      }
    }
    add("fcvt.xf", .f11, extended(false, 0x1c), .fcvtXF, [.f1, .f2])
  }

  private mutating func statusFields() {
    addStatusFields("fsetc", .f12, extended(false, 4), .fsetc, [.amask7, .omask7], outputs: 0)
    addStatusFields("fclrf", .f13, extended(false, 5), .fclrf, [], outputs: 0)
    addStatusFields("fchkf", .f14, extended(false, 8), .fchkf, [.target25Fchkf], outputs: 0)
  }

  private mutating func miscellaneousF() {
    add("break.f", .f15, extended(false, 0), .breakInstruction, [.immu21], outputs: 0)
    add("nop.f", .f16, extended(false, 1).set(0, at: 26), .nop, [.immu21], outputs: 0)
    add("hint.f", .f16, extended(false, 1).set(1, at: 26), .hint, [.immu21], outputs: 0)
  }
}
