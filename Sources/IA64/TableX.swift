/// Rows of the X formats: long instructions of the L+X slots (Volume 3, section 4.7).
extension TableBuilder {
  mutating func addLongInstructions() {
    let miscellaneous = BitPattern(major: 0).set(0, at: 33, width: 3)
    let nop = miscellaneous.set(1, at: 27, width: 6)
    add("break.x", .x1, miscellaneous.set(0, at: 27, width: 6), .breakInstruction, [.immu62], outputs: 0)
    add("nop.x", .x5, nop.set(0, at: 26), .nop, [.immu62], outputs: 0)
    add("hint.x", .x5, nop.set(1, at: 26), .hint, [.immu62], outputs: 0)
    add("movl", .x2, BitPattern(major: 6).set(0, at: 20), .movLong, [.r1, .immu64])

    unconditionalBranch("brl", .x3, BitPattern(major: 0xc).set(0, at: 6, width: 3), [.target64])
    hintedBranch(
      "brl.cond", shortName: "brl", .x3, BitPattern(major: 0xc).set(0, at: 6, width: 3), .brlCond, [.target64])
    hintedBranch("brl.call", .x4, BitPattern(major: 0xd), .brlCall, [.b1, .target64], outputs: 1)
  }
}
