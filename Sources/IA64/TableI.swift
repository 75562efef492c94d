/// Rows of the I formats except parallel arithmetic (Volume 3, section 4.3).
extension TableBuilder {
  mutating func addInteger() {
    bitFields()
    tests()
    miscellaneousI()
    movesI()
  }

  // MARK: Major opcodes 4 and 5

  /// Major opcode 5: bits 35:34 x2, 33 x.
  private func field(_ x2: Int, _ x: Int) -> BitPattern {
    BitPattern(major: 5).set(x2, at: 34, width: 2).set(x, at: 33)
  }

  private mutating func bitFields() {
    add("shrp", .i10, field(3, 0), .shrp, [.r1, .r2, .r3, .cnt6])
    for (name, shift, y, variant) in [("extr.u", "shr.u", 0, Variant.unsigned), ("extr", "shr", 1, .none)] {
      let pattern = field(1, 0).set(y, at: 13)
      pseudo(shift, .i11, pattern, [.r1, .r3, .pos6], constraint: .lengthCompletesPosition)
      add(name, .i11, pattern, .extr, [.r1, .r3, .pos6, .len6], Attributes(variant: variant))
    }
    let depositRegister = field(1, 1).set(0, at: 26)
    pseudo("shl", .i12, depositRegister, [.r1, .r2, .cpos6a], constraint: .lengthCompletesPosition)
    add("dep.z", .i12, depositRegister, .depZ, [.r1, .r2, .cpos6a, .len6])
    add("dep.z", .i13, field(1, 1).set(1, at: 26), .depZImmediate, [.r1, .imm8, .cpos6a, .len6])
    add("dep", .i14, field(3, 1), .depImmediate, [.r1, .imm1, .r3, .cpos6b, .len6])
    add("dep", .i15, BitPattern(major: 4), .dep, [.r1, .r2, .r3, .cpos6c, .len4])
  }

  /// I16, I17 and I30: bits 36 tb, 33 ta, 12 c, 13 y, 19 x.
  private mutating func tests() {
    test("tbit", .i16, .testBit, y: 0, x: nil, [.r3, .pos6])
    test("tnat", .i17, .testNaT, y: 1, x: 0, [.r3])
    test("tf", .i30, .testFeature, y: 1, x: 1, [.immu5], flags: .postMontecito)
  }

  private mutating func test(
    _ name: String, _ format: Format, _ operation: Operation, y: Int, x: Int?, _ sources: [OperandKind],
    flags: InstructionFlags = []
  ) {
    func pattern(ta: Int, tb: Int, c: Int) -> BitPattern {
      let result = BitPattern(major: 5).set(0, at: 34, width: 2).set(ta, at: 33).set(tb, at: 36).set(y, at: 13)
        .set(c, at: 12)
      guard let x else { return result }
      return result.set(x, at: 19)
    }
    for (c, unc) in ["", ".unc"].enumerated() {
      add(
        "\(name).z\(unc)", format, pattern(ta: 0, tb: 0, c: c), operation, [.p1, .p2] + sources, outputs: 2,
        Attributes(relation: .z, comparison: c == 0 ? .normal : .unc, flags: flags))
      pseudo("\(name).nz\(unc)", format, pattern(ta: 0, tb: 0, c: c), [.p2, .p1] + sources, outputs: 2)
    }
    for (type, ta, tb) in [(ParallelComparison.and, 0, 1), (.or, 1, 0), (.orAndcm, 1, 1)] {
      for (c, relation) in [Relation.z, .nz].enumerated() {
        add(
          "\(name).\(relation)\(type.completer)", format, pattern(ta: ta, tb: tb, c: c), operation,
          [.p1, .p2] + sources, outputs: 2,
          Attributes(relation: relation, comparison: type.comparison, flags: flags))
        // Unlike the compares, all of these exchange their targets; for the symmetric types that changes nothing.
        pseudo(
          "\(name).\(relation == .z ? "nz" : "z")\(type.opposite)", format, pattern(ta: ta, tb: tb, c: c),
          [.p2, .p1] + sources, outputs: 2)
      }
    }
  }

  // MARK: Major opcode 0

  /// Major opcode 0: bits 35:33 x3, 32:27 x6.
  private func miscellaneous(_ x3: Int, _ x6: Int? = nil) -> BitPattern {
    let pattern = BitPattern(major: 0).set(x3, at: 33, width: 3)
    guard let x6 else { return pattern }
    return pattern.set(x6, at: 27, width: 6)
  }

  private mutating func miscellaneousI() {
    add("break.i", .i19, miscellaneous(0, 0), .breakInstruction, [.immu21], outputs: 0)
    add("nop.i", .i18, miscellaneous(0, 1).set(0, at: 26), .nop, [.immu21], outputs: 0)
    add("hint.i", .i18, miscellaneous(0, 1).set(1, at: 26), .hint, [.immu21], outputs: 0)
    add("chk.s.i", .i20, miscellaneous(1), .checkS, [.r2, .target25Check], outputs: 0)
    for (index, size) in [UInt8(1), 2, 4].enumerated() {
      add("zxt\(size)", .i29, miscellaneous(0, 0x10 + index), .zxt, [.r1, .r3], Attributes(size: size))
      add("sxt\(size)", .i29, miscellaneous(0, 0x14 + index), .sxt, [.r1, .r3], Attributes(size: size))
    }
    for (x6, side, variant) in [(0x18, "l", Variant.left), (0x1c, "r", .right)] {
      for (index, size) in [UInt8(1), 2].enumerated() {
        let attributes = Attributes(size: size, variant: variant)
        add("czx\(size).\(side)", .i29, miscellaneous(0, x6 + index), .czx, [.r1, .r3], attributes)
      }
    }
  }

  private mutating func movesI() {
    // I21: bits 22 x, 23 ih, 21:20 wh. With the default hints the tag is not worth writing.
    let toBR = miscellaneous(7)
    pseudo("mov", .i21, toBR.set(0, at: 22).set(0, at: 23).set(1, at: 20, width: 2), [.b1, .r2])
    for (x, ret) in ["", ".ret"].enumerated() {
      for (wh, whether) in [".sptk", "", ".dptk"].enumerated() {
        for (ih, importance) in ["", ".imp"].enumerated() {
          add(
            "mov\(ret)\(whether)\(importance)", .i21,
            toBR.set(x, at: 22).set(ih, at: 23).set(wh, at: 20, width: 2), .movToBR, [.b1, .r2, .tag13Move])
        }
      }
    }
    // The unassigned value of wh is a hint like the others.
    add("mov", .i21, toBR.set(3, at: 20, width: 2), .movToBR, [.b1, .r2, .tag13Move], role: .unprinted)
    add("mov", .i22, miscellaneous(0, 0x31), .movFromBR, [.r1, .b2])
    add("mov", .i23, miscellaneous(3), .movToPredicates, [.pr, .r2, .mask17])
    let allPredicates = miscellaneous(3).set(0x7f, at: 6, width: 7).set(0xff, at: 24, width: 8).set(1, at: 36)
    pseudo("mov", .i23, allPredicates, [.pr, .r2])
    add("mov", .i24, miscellaneous(2), .movToPredicatesRotating, [.prRot, .imm44])
    add("mov", .i25, miscellaneous(0, 0x30), .movFromIP, [.r1, .ip])
    add("mov", .i25, miscellaneous(0, 0x33), .movFromPredicates, [.r1, .pr])
    add("mov.i", .i26, miscellaneous(0, 0x2a), .movToAR, [.ar3, .r2])
    add("mov.i", .i27, miscellaneous(0, 0x0a), .movToARImmediate, [.ar3, .imm8])
    add("mov.i", .i28, miscellaneous(0, 0x32), .movFromAR, [.r1, .ar3])
  }
}
