/// Rows of the A formats: integer ALU instructions of both I and M slots (Volume 3, section 4.2).
extension TableBuilder {
  mutating func addIntegerALU() {
    registerALU()
    immediateALU()
    parallelALU()
    addLong()
  }

  /// Major opcode 8 with x2a = 0: bits 35:34 x2a, 33 ve, 32:29 x4, 28:27 x2b.
  private func alu(_ x4: Int, _ x2b: Int? = nil) -> BitPattern {
    let pattern = BitPattern(major: 8).set(0, at: 34, width: 2).set(0, at: 33).set(x4, at: 29, width: 4)
    guard let x2b else { return pattern }
    return pattern.set(x2b, at: 27, width: 2)
  }

  private mutating func registerALU() {
    let three: [OperandKind] = [.r1, .r2, .r3]
    add("add", .a1, alu(0, 0), .add, three)
    add("add", .a1, alu(0, 1), .addOne, three + [.one])
    add("sub", .a1, alu(1, 1), .sub, three)
    add("sub", .a1, alu(1, 0), .subOne, three + [.one])
    add("addp4", .a1, alu(2, 0), .addp4, three)
    add("and", .a1, alu(3, 0), .and, three)
    add("andcm", .a1, alu(3, 1), .andcm, three)
    add("or", .a1, alu(3, 2), .or, three)
    add("xor", .a1, alu(3, 3), .xor, three)
    add("shladd", .a2, alu(4), .shladd, [.r1, .r2, .cnt2a, .r3])
    add("shladdp4", .a2, alu(6), .shladdp4, [.r1, .r2, .cnt2a, .r3])
  }

  private mutating func immediateALU() {
    let operands: [OperandKind] = [.r1, .imm8, .r3]
    add("sub", .a3, alu(9, 1), .subImmediate, operands)
    add("and", .a3, alu(0xb, 0), .andImmediate, operands)
    add("andcm", .a3, alu(0xb, 1), .andcmImmediate, operands)
    add("or", .a3, alu(0xb, 2), .orImmediate, operands)
    add("xor", .a3, alu(0xb, 3), .xorImmediate, operands)

    let adds = BitPattern(major: 8).set(2, at: 34, width: 2).set(0, at: 33)
    let zero = adds.set(0, at: 13, width: 7).set(0, at: 27, width: 6).set(0, at: 36)
    pseudo("mov", .a4, zero, [.r1, .r3])
    add("adds", .a4, adds, .addImmediate14, [.r1, .imm14, .r3])
    let addp4 = BitPattern(major: 8).set(3, at: 34, width: 2).set(0, at: 33)
    add("addp4", .a4, addp4, .addp4Immediate, [.r1, .imm14, .r3])
  }

  /// A5: the third register is one of r0...r3; with r0 it is the move of an immediate.
  private mutating func addLong() {
    let pattern = BitPattern(major: 9)
    pseudo("mov", .a5, pattern.set(0, at: 20, width: 2), [.r1, .imm22])
    add("addl", .a5, pattern, .addImmediate22, [.r1, .imm22, .r3Short])
  }

  // MARK: Parallel

  /// Major opcode 8 with x2a = 1: za and zb (bits 36, 33) are the element size.
  private func parallel(_ size: UInt8, _ x4: Int, _ x2b: Int? = nil) -> BitPattern {
    let pattern = BitPattern(major: 8).set(1, at: 34, width: 2).set(size == 4 ? 1 : 0, at: 36)
      .set(size == 2 ? 1 : 0, at: 33).set(x4, at: 29, width: 4)
    guard let x2b else { return pattern }
    return pattern.set(x2b, at: 27, width: 2)
  }

  private mutating func parallelALU() {
    let three: [OperandKind] = [.r1, .r2, .r3]
    let saturations: [(String, Saturation)] = [("", .modulo), (".sss", .sss), (".uuu", .uuu), (".uus", .uus)]
    for (name, operation, x4) in [("padd", Operation.paddElements, 0), ("psub", .psubElements, 1)] {
      for (x2b, saturation) in saturations.enumerated() {
        for size: UInt8 in x2b == 0 ? [1, 2, 4] : [1, 2] {
          add(
            "\(name)\(size)\(saturation.0)", .a9, parallel(size, x4, x2b), operation, three,
            Attributes(size: size, saturation: saturation.1))
        }
      }
    }
    for size: UInt8 in [1, 2] {
      add("pavg\(size)", .a9, parallel(size, 2, 2), .pavg, three, Attributes(size: size))
      add("pavg\(size).raz", .a9, parallel(size, 2, 3), .pavg, three, Attributes(size: size, variant: .raz))
      add("pavgsub\(size)", .a9, parallel(size, 3, 2), .pavgsub, three, Attributes(size: size))
    }
    for size: UInt8 in [1, 2, 4] {
      add("pcmp\(size).eq", .a9, parallel(size, 9, 0), .pcmp, three, Attributes(size: size, relation: .eq))
      add("pcmp\(size).gt", .a9, parallel(size, 9, 1), .pcmp, three, Attributes(size: size, relation: .gt))
    }
    // ct2d (bits 28:27) is the count minus one. A count of four is reserved (Volume 3, Table 4-74), though GNU's
    // disassembler shows it.
    for (name, x4, operation) in [("pshladd2", 4, Operation.pshladd2), ("pshradd2", 6, .pshradd2)] {
      for ct2d in 0..<4 {
        add(
          name, .a10, parallel(2, x4, ct2d), ct2d == 3 ? .reservedIfPredicated : operation, [.r1, .r2, .cnt2b, .r3],
          Attributes(size: 2))
      }
    }
  }
}
