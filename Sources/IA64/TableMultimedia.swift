/// Rows of the I formats with major opcode 7: multimedia and variable shifts (Volume 3, section 4.3.1).
extension TableBuilder {
  mutating func addMultimedia() {
    multiplyAndArrange()
    shifts()
  }

  /// I1...I9: bits 36 za, 33 zb (size), 32 ve, 35:34 x2a, 29:28 x2b, 31:30 x2c.
  private func sized(_ size: UInt8, _ x2a: Int, _ x2b: Int, _ x2c: Int? = nil) -> BitPattern {
    let pattern = BitPattern(major: 7).set(size >= 4 ? 1 : 0, at: 36).set(size & 0xa != 0 ? 1 : 0, at: 33)
      .set(0, at: 32).set(x2a, at: 34, width: 2).set(x2b, at: 28, width: 2)
    guard let x2c else { return pattern }
    return pattern.set(x2c, at: 30, width: 2)
  }

  private mutating func multiplyAndArrange() {
    let three: [OperandKind] = [.r1, .r2, .r3]
    let counted: [OperandKind] = [.r1, .r2, .r3, .cnt2c]
    add("pmpyshr2", .i1, sized(2, 0, 3), .pmpyshr2, counted, Attributes(size: 2))
    add("pmpyshr2.u", .i1, sized(2, 0, 1), .pmpyshr2, counted, Attributes(size: 2, variant: .unsigned))

    let sides: [(String, Variant)] = [("r", .right), ("l", .left)]
    for (index, side) in sides.enumerated() {
      add("pmpy2.\(side.0)", .i2, sized(2, 2, 1 + 2 * index, 3), .pmpy2, three, Attributes(size: 2, variant: side.1))
    }
    for (index, side) in sides.enumerated() {
      for size: UInt8 in [1, 2, 4] {
        let attributes = Attributes(size: size, variant: side.1)
        add("mix\(size).\(side.0)", .i2, sized(size, 2, 2 * index, 2), .mix, three, attributes)
      }
    }
    add("pack2.uss", .i2, sized(2, 2, 0, 0), .pack, three, Attributes(size: 2, saturation: .uss))
    add("pack2.sss", .i2, sized(2, 2, 2, 0), .pack, three, Attributes(size: 2, saturation: .sss))
    add("pack4.sss", .i2, sized(4, 2, 2, 0), .pack, three, Attributes(size: 4, saturation: .sss))
    for (index, half) in [("h", Variant.high), ("l", .low)].enumerated() {
      for size: UInt8 in [1, 2, 4] {
        let attributes = Attributes(size: size, variant: half.1)
        add("unpack\(size).\(half.0)", .i2, sized(size, 2, 2 * index, 1), .unpack, three, attributes)
      }
    }
    add("pmin1.u", .i2, sized(1, 2, 1, 0), .pmin1, three, Attributes(size: 1, variant: .unsigned))
    add("pmax1.u", .i2, sized(1, 2, 1, 1), .pmax1, three, Attributes(size: 1, variant: .unsigned))
    add("pmin2", .i2, sized(2, 2, 3, 0), .pmin2, three, Attributes(size: 2))
    add("pmax2", .i2, sized(2, 2, 3, 1), .pmax2, three, Attributes(size: 2))
    add("psad1", .i2, sized(1, 2, 3, 2), .psad1, three, Attributes(size: 1))
    let later = InstructionFlags.postMontecito
    add("mpy4", .i2, sized(4, 0, 1, 3), .mpy4, three, Attributes(size: 4, flags: later))
    add("mpyshl4", .i2, sized(4, 0, 3, 3), .mpyshl4, three, Attributes(size: 4, flags: later))
    // Five of the sixteen permutations are assigned; GNU's disassembler shows the others as numbers.
    for type in 0..<16 {
      let pattern = sized(1, 3, 2, 2).set(type, at: 20, width: 4)
      let assigned = type == 0 || (8...0xb).contains(type)
      add(
        "mux1", .i3, pattern, assigned ? .mux1 : .reservedIfPredicated, [.r1, .r2, .muxByteType],
        Attributes(size: 1))
    }
    add("mux2", .i4, sized(2, 3, 2, 2), .mux2, [.r1, .r2, .muxHalfType], Attributes(size: 2))
  }

  private mutating func shifts() {
    for (name, x2b, variant) in [("", 2, Variant.none), (".u", 0, .unsigned)] {
      let operands: [OperandKind] = [.r1, .r3, .r2]
      for size: UInt8 in [2, 4] {
        let attributes = Attributes(size: size, variant: variant)
        add("pshr\(size)\(name)", .i5, sized(size, 0, x2b, 0), .pshr, operands, attributes)
      }
      add("shr\(name)", .i5, sized(8, 0, x2b, 0), .shr, operands, Attributes(size: 8, variant: variant))
    }
    for (name, x2b, variant) in [("", 3, Variant.none), (".u", 1, .unsigned)] {
      for size: UInt8 in [2, 4] {
        let attributes = Attributes(size: size, variant: variant)
        add("pshr\(size)\(name)", .i6, sized(size, 1, x2b, 0), .pshrImmediate, [.r1, .r3, .cnt5], attributes)
      }
    }
    for size: UInt8 in [2, 4] {
      add("pshl\(size)", .i7, sized(size, 0, 0, 1), .pshl, [.r1, .r2, .r3], Attributes(size: size))
    }
    add("shl", .i7, sized(8, 0, 0, 1), .shl, [.r1, .r2, .r3], Attributes(size: 8))
    for size: UInt8 in [2, 4] {
      add("pshl\(size)", .i8, sized(size, 3, 1, 1), .pshlImmediate, [.r1, .r2, .ccnt5], Attributes(size: size))
    }
    add("popcnt", .i9, sized(2, 1, 1, 2), .popcnt, [.r1, .r3])
    add("clz", .i9, sized(2, 1, 1, 3), .clz, [.r1, .r3], Attributes(flags: .postMontecito))
  }
}
