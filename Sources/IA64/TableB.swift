/// Rows of the B formats: branches (Volume 3, section 4.5).
extension TableBuilder {
  mutating func addBranches() {
    relativeBranches()
    indirectBranches()
    predictions()
    miscellaneousB()
    ignoredB()
  }

  // MARK: Branch hints

  /// Bits 34:33 wh, 12 p, 35 d: whether, sequential prefetch and deallocation hints. They change no result.
  private static var branchHints: [(wh: Int, p: Int, d: Int, completer: String, defaultCompleter: String?)] {
    var result: [(wh: Int, p: Int, d: Int, completer: String, defaultCompleter: String?)] = []
    for (wh, whether) in [".sptk", ".spnt", ".dptk", ".dpnt"].enumerated() {
      for (d, deallocation) in ["", ".clr"].enumerated() {
        // `few` need not be written.
        result.append((wh, 0, d, "\(whether).few\(deallocation)", "\(whether)\(deallocation)"))
        result.append((wh, 1, d, "\(whether).many\(deallocation)", nil))
      }
    }
    return result
  }

  /// Adds a branch with all its hints. `shortName` is a second name for all of them.
  mutating func hintedBranch(
    _ name: String, shortName: String? = nil, _ format: Format, _ pattern: BitPattern, _ operation: Operation,
    _ operands: [OperandKind], outputs: Int = 0, _ attributes: Attributes = Attributes()
  ) {
    for hint in TableBuilder.branchHints {
      var exact = pattern.set(hint.p, at: 12).set(hint.d, at: 35)
      // B5 has a 3-bit field at 34:32 whose lowest bit is always 1.
      exact = format == .b5 ? exact.set(hint.wh << 1 | 1, at: 32, width: 3) : exact.set(hint.wh, at: 33, width: 2)
      add("\(name)\(hint.completer)", format, exact, operation, operands, outputs: outputs, attributes)
      if let completer = hint.defaultCompleter {
        pseudo("\(name)\(completer)", format, exact, operands, outputs: outputs)
      }
      guard let shortName else { continue }
      pseudo("\(shortName)\(hint.completer)", format, exact, operands, outputs: outputs)
      if let completer = hint.defaultCompleter {
        pseudo("\(shortName)\(completer)", format, exact, operands, outputs: outputs)
      }
    }
  }

  /// Adds the names of the branch that is always taken: qp = 0, hint sptk.
  mutating func unconditionalBranch(
    _ name: String, _ format: Format, _ pattern: BitPattern, _ operands: [OperandKind]
  ) {
    let always = pattern.set(0, at: 0, width: 6).set(0, at: 33, width: 2)
    for (d, deallocation) in ["", ".clr"].enumerated() {
      for (p, prefetch) in [".few", ".many"].enumerated() {
        let exact = always.set(p, at: 12).set(d, at: 35)
        pseudo("\(name)\(prefetch)\(deallocation)", format, exact, operands, outputs: 0)
        if p == 0 { pseudo("\(name)\(deallocation)", format, exact, operands, outputs: 0) }
      }
    }
  }

  // MARK: IP-relative branches

  /// Major opcode 4: bits 8:6 btype. The loop branches must be in slot 2; the counted ones read no qualifying
  /// predicate.
  private mutating func relativeBranches() {
    func pattern(_ btype: Int) -> BitPattern { BitPattern(major: 4).set(btype, at: 6, width: 3) }
    let target: [OperandKind] = [.target25]
    let loop = Attributes(flags: .slotTwoOnly)
    let counted = Attributes(flags: [.slotTwoOnly, .unpredicated])
    unconditionalBranch("br", .b1, pattern(0), target)
    hintedBranch("br.cond", shortName: "br", .b1, pattern(0), .brCond, target)
    hintedBranch("br.wexit", .b1, pattern(2), .brWexit, target, loop)
    hintedBranch("br.wtop", .b1, pattern(3), .brWtop, target, loop)
    hintedBranch("br.cloop", .b2, pattern(5), .brCloop, target, counted)
    hintedBranch("br.cexit", .b2, pattern(6), .brCexit, target, counted)
    hintedBranch("br.ctop", .b2, pattern(7), .brCtop, target, counted)
    hintedBranch("br.call", .b3, BitPattern(major: 5), .brCall, [.b1, .target25], outputs: 1)
  }

  // MARK: Indirect branches

  /// Major opcode 0: bits 32:27 x6, 8:6 btype.
  private mutating func indirectBranches() {
    func pattern(_ x6: Int, _ btype: Int) -> BitPattern {
      BitPattern(major: 0).set(x6, at: 27, width: 6).set(btype, at: 6, width: 3)
    }
    unconditionalBranch("br", .b4, pattern(0x20, 0), [.b2])
    hintedBranch("br.cond", shortName: "br", .b4, pattern(0x20, 0), .brCondIndirect, [.b2])
    hintedBranch("br.ia", .b4, pattern(0x20, 1), .brIA, [.b2])
    hintedBranch("br.ret", .b4, pattern(0x21, 4), .brRet, [.b2])
    let call = BitPattern(major: 1)
    hintedBranch("br.call", .b5, call, .brCallIndirect, [.b1, .b2], outputs: 1)
    // The even values of wh are unassigned hints.
    add("br.call", .b5, call.set(0, at: 32), .brCallIndirect, [.b1, .b2], role: .unprinted)
  }

  // MARK: Branch prediction

  /// B6, B7: bits 35 ih, 4:3 wh. The field of the qualifying predicate holds the hints.
  private mutating func predictions() {
    let attributes = Attributes(flags: .unpredicated)
    for (ih, importance) in ["", ".imp"].enumerated() {
      for (wh, whether) in ["sptk", "loop", "dptk", "exit"].enumerated() {
        let pattern = BitPattern(major: 7).set(ih, at: 35).set(wh, at: 3, width: 2)
        add("brp.\(whether)\(importance)", .b6, pattern, .brp, [.target25, .tag13], outputs: 0, attributes)
      }
      for (x6, name, operation) in [(0x10, "brp", Operation.brpIndirect), (0x11, "brp.ret", .brpRet)] {
        for (wh, whether) in [(0, "sptk"), (2, "dptk")] {
          let pattern = BitPattern(major: 2).set(x6, at: 27, width: 6).set(ih, at: 35).set(wh, at: 3, width: 2)
          add("\(name).\(whether)\(importance)", .b7, pattern, operation, [.b2, .tag13], outputs: 0, attributes)
          // The odd values of wh are unassigned hints.
          let unnamed = BitPattern(major: 2).set(x6, at: 27, width: 6).set(ih, at: 35).set(wh + 1, at: 3, width: 2)
          add(name, .b7, unnamed, operation, [.b2, .tag13], outputs: 0, attributes, role: .unprinted)
        }
      }
    }
  }

  // MARK: Miscellaneous

  private mutating func miscellaneousB() {
    func pattern(_ major: Int, _ x6: Int) -> BitPattern { BitPattern(major: major).set(x6, at: 27, width: 6) }
    let last = Attributes(flags: [.unpredicated, .last])
    let sensitive = last.with([.privileged, .virtualized])
    let privileged = Attributes(flags: [.unpredicated, .privileged])
    add("cover", .b8, pattern(0, 0x02), .cover, [], outputs: 0, last.with(.virtualized))
    add("clrrrb", .b8, pattern(0, 0x04), .clrrrb, [], outputs: 0, last)
    add("clrrrb.pr", .b8, pattern(0, 0x05), .clrrrbPR, [], outputs: 0, last)
    add("rfi", .b8, pattern(0, 0x08), .rfi, [], outputs: 0, sensitive)
    add("bsw.0", .b8, pattern(0, 0x0c), .bsw0, [], outputs: 0, sensitive)
    add("bsw.1", .b8, pattern(0, 0x0d), .bsw1, [], outputs: 0, sensitive)
    add("epc", .b8, pattern(0, 0x10), .epc, [], outputs: 0, Attributes(flags: .unpredicated))
    add("vmsw.0", .b8, pattern(0, 0x18), .vmsw, [], outputs: 0, privileged)
    add("vmsw.1", .b8, pattern(0, 0x19), .vmsw, [], outputs: 0, privileged, immediate: .one)
    add("break.b", .b9, pattern(0, 0), .breakInstruction, [.immu21], outputs: 0)
    add("nop.b", .b9, pattern(2, 0), .nop, [.immu21], outputs: 0)
    add("hint.b", .b9, pattern(2, 1), .hint, [.immu21], outputs: 0)
  }

  /// Unassigned opcodes of the B-unit that execute as nop (Volume 3, sections 4.1 and 4.5): room for hints.
  private mutating func ignoredB() {
    let predictions = (2..<0x40).filter { $0 != 0x10 && $0 != 0x11 }
    var patterns = [BitPattern(major: 3), BitPattern(major: 6), BitPattern(major: 0).set(1, at: 27, width: 6)]
    patterns += predictions.map { BitPattern(major: 2).set($0, at: 27, width: 6) }
    for pattern in patterns {
      add("nop.b", .b9, pattern, .nop, [], outputs: 0, Attributes(flags: .unpredicated), role: .unprinted)
    }
  }
}
