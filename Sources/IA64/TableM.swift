/// Rows of the M formats that access memory: major opcodes 4...7 (Volume 3, sections 4.4.1–4.4.3).
extension TableBuilder {
  mutating func addMemory() {
    integerLoads()
    integerStores()
    floatLoads()
    floatStores()
    floatPairLoads()
    linePrefetches()
    semaphores()
    registerTransfers()
  }

  /// One locality hint: bits 29:28, and the bit that selects the second set of four (data hints d4...d7).
  private struct Hint {
    var code: Int
    var high: Int
    var completer: String
    /// Another name of the same hint.
    var alias: String?
  }

  /// Hints of loads that update no register, of stores that do not and of prefetches. `nt1` and `nt2` are the old
  /// names of the data hints 1 and 2.
  private static let loadHints = hints("nt1", "d1", "d2", "nt2", plain: nil)
  private static let storeHints = hints("d1", "nt1", "d2", "nt2", plain: nil)
  private static let prefetchHints = hints("nt1", "d1", "nt2", "d2", plain: ".d0")
  /// Hints where there is no room for more than two bits. Value 2 is not assigned.
  private static let shortHints = [
    Hint(code: 0, high: 0, completer: ""), Hint(code: 1, high: 0, completer: ".nt1"),
    Hint(code: 3, high: 0, completer: ".nta"),
  ]
  private static let storeUpdateHints = [shortHints[0], shortHints[2]]

  private static func hints(
    _ one: String, _ oneAlias: String, _ two: String, _ twoAlias: String, plain: String?
  ) -> [Hint] {
    var result = [
      Hint(code: 0, high: 0, completer: "", alias: plain),
      Hint(code: 1, high: 0, completer: ".\(one)", alias: ".\(oneAlias)"),
      Hint(code: 2, high: 0, completer: ".\(two)", alias: ".\(twoAlias)"),
      Hint(code: 3, high: 0, completer: ".nta", alias: ".d3"),
    ]
    for code in 0..<4 { result.append(Hint(code: code, high: 1, completer: ".d\(code + 4)", alias: nil)) }
    return result
  }

  /// Adds a row per hint; `highBit` is where the second set is selected. `short` is the operand list without the
  /// implied application registers, which the assembler also takes.
  private mutating func hinted(
    _ hints: [Hint], highBit: Int?, _ name: String, _ format: Format, _ pattern: BitPattern, _ operation: Operation,
    _ operands: [OperandKind], outputs: Int = 1, _ attributes: Attributes, short: [OperandKind]? = nil
  ) {
    // A value without a name works like the default: hints never fault (Volume 3, section 4.4.1).
    for code in 0..<4 where !hints.contains(where: { $0.code == code }) {
      let unnamed = pattern.set(code, at: 28, width: 2)
      add(name, format, unnamed, operation, operands, outputs: outputs, attributes, role: .unprinted)
    }
    for hint in hints {
      var exact = pattern.set(hint.code, at: 28, width: 2)
      if let highBit { exact = exact.set(hint.high, at: highBit) }
      add("\(name)\(hint.completer)", format, exact, operation, operands, outputs: outputs, attributes)
      if let short { pseudo("\(name)\(hint.completer)", format, exact, short, outputs: 1) }
      guard let alias = hint.alias else { continue }
      pseudo("\(name)\(alias)", format, exact, operands, outputs: outputs)
      if let short { pseudo("\(name)\(alias)", format, exact, short, outputs: 1) }
    }
  }

  /// Bits 36 m, 27 x, 35:30 x6. The immediate-update forms (major opcodes 5 and 7) have neither m nor x.
  private func memory(_ major: Int, m: Int = 0, x: Int = 0, _ x6: Int) -> BitPattern {
    let pattern = BitPattern(major: major).set(x6, at: 30, width: 6)
    return major & 1 != 0 ? pattern : pattern.set(m, at: 36).set(x, at: 27)
  }

  /// The kinds of loads, in the order of bits 35:32 of the encoding.
  private static let loadAccess: [(code: Int, completer: String, access: Access)] = [
    (0, "", .normal), (1, ".s", .speculative), (2, ".a", .advanced), (3, ".sa", .speculativeAdvanced),
    (4, ".bias", .bias), (5, ".acq", .acquire), (8, ".c.clr", .checkClear), (9, ".c.nc", .checkNoClear),
    (0xa, ".c.clr.acq", .checkClearAcquire),
  ]

  // MARK: Integer

  /// M1, M2, M3: without update, with update by r2, with update by imm9.
  private mutating func integerLoads() {
    for kind in TableBuilder.loadAccess {
      for (code, size) in [UInt8(1), 2, 4, 8].enumerated() {
        let attributes = Attributes(size: size, access: kind.access)
        load("ld\(size)\(kind.completer)", kind.code << 2 | code, .load, attributes)
      }
    }
    load("ld8.fill", 0x1b, .loadFill, Attributes(size: 8))
    for (name, x6, access) in [("ld16", 0x28, Access.normal), ("ld16.acq", 0x2c, .acquire)] {
      hinted(
        TableBuilder.loadHints, highBit: 19, name, .m1, memory(4, x: 1, x6), .load16, [.r1, .arCSD, .mr3],
        outputs: 2, Attributes(size: 16, access: access), short: [.r1, .mr3])
    }
    // The mark of a relaxable load can only be written for the plain one.
    let plain = memory(4, 3).set(0, at: 28, width: 2)
    pseudo("ld8.mov", .m1, plain.set(0, at: 19), [.r1, .mr3, .relaxation])
  }

  private mutating func load(_ name: String, _ x6: Int, _ operation: Operation, _ attributes: Attributes) {
    var update = attributes
    hinted(TableBuilder.loadHints, highBit: 19, name, .m1, memory(4, x6), operation, [.r1, .mr3], attributes)
    update.update = .register
    let short = TableBuilder.shortHints
    hinted(short, highBit: nil, name, .m2, memory(4, m: 1, x6), operation, [.r1, .mr3, .r2], update)
    update.update = .immediate
    hinted(short, highBit: nil, name, .m3, memory(5, x6), operation, [.r1, .mr3, .imm9Load], update)
  }

  /// M4, M5 (called M6 and M5 in some revisions): without update, with update by imm9.
  private mutating func integerStores() {
    for (name, code, access) in [("", 0x30, Access.normal), (".rel", 0x34, .release)] {
      for (index, size) in [UInt8(1), 2, 4, 8].enumerated() {
        store("st\(size)\(name)", code | index, .store, Attributes(size: size, access: access))
      }
      hinted(
        TableBuilder.storeHints, highBit: 12, "st16\(name)", .m4, memory(4, x: 1, code), .store16,
        [.mr3, .r2, .arCSD], Attributes(size: 16, access: access), short: [.mr3, .r2])
    }
    store("st8.spill", 0x3b, .storeSpill, Attributes(size: 8))
  }

  private mutating func store(_ name: String, _ x6: Int, _ operation: Operation, _ attributes: Attributes) {
    var update = attributes
    hinted(TableBuilder.storeHints, highBit: 12, name, .m4, memory(4, x6), operation, [.mr3, .r2], attributes)
    update.update = .immediate
    let operands: [OperandKind] = [.mr3, .r2, .imm9Store]
    hinted(TableBuilder.storeUpdateHints, highBit: nil, name, .m5, memory(5, x6), operation, operands, update)
  }

  // MARK: Floating-point

  /// Formats of floating-point memory operands in the order of bits 31:30.
  private static let floatFormats: [(code: Int, letter: String, size: UInt8, format: FloatFormat)] = [
    (0, "e", 10, .extended), (1, "8", 8, .integer), (2, "s", 4, .single), (3, "d", 8, .double),
  ]

  /// Loads that exist for floating-point registers: no bias, no acquire.
  private static let floatLoadAccess = loadAccess.filter { $0.code < 4 || $0.code == 8 || $0.code == 9 }

  /// M6, M7, M8.
  private mutating func floatLoads() {
    for kind in TableBuilder.floatLoadAccess {
      for form in TableBuilder.floatFormats {
        floatLoad(
          "ldf\(form.letter)\(kind.completer)", kind.code << 2 | form.code, .loadFP,
          Attributes(size: form.size, access: kind.access, floatFormat: form.format))
      }
    }
    floatLoad("ldf.fill", 0x1b, .loadFPFill, Attributes(size: 16))
  }

  private mutating func floatLoad(_ name: String, _ x6: Int, _ operation: Operation, _ attributes: Attributes) {
    var update = attributes
    hinted(TableBuilder.loadHints, highBit: 19, name, .m6, memory(6, x6), operation, [.f1, .mr3], attributes)
    update.update = .register
    let short = TableBuilder.shortHints
    hinted(short, highBit: nil, name, .m7, memory(6, m: 1, x6), operation, [.f1, .mr3, .r2], update)
    update.update = .immediate
    hinted(short, highBit: nil, name, .m8, memory(7, x6), operation, [.f1, .mr3, .imm9Load], update)
  }

  /// M9, M10.
  private mutating func floatStores() {
    for form in TableBuilder.floatFormats {
      floatStore(
        "stf\(form.letter)", 0x30 | form.code, .storeFP, Attributes(size: form.size, floatFormat: form.format))
    }
    floatStore("stf.spill", 0x3b, .storeFPSpill, Attributes(size: 16))
  }

  private mutating func floatStore(_ name: String, _ x6: Int, _ operation: Operation, _ attributes: Attributes) {
    var update = attributes
    hinted(TableBuilder.storeHints, highBit: 12, name, .m9, memory(6, x6), operation, [.mr3, .f2], attributes)
    update.update = .immediate
    let operands: [OperandKind] = [.mr3, .f2, .imm9Store]
    hinted(TableBuilder.storeUpdateHints, highBit: nil, name, .m10, memory(7, x6), operation, operands, update)
  }

  /// M11, M12: the update is by the size of the pair.
  private mutating func floatPairLoads() {
    let hints = TableBuilder.shortHints
    for kind in TableBuilder.floatLoadAccess {
      for form in TableBuilder.floatFormats where form.format != .extended {
        let name = "ldfp\(form.letter)\(kind.completer)"
        let x6 = kind.code << 2 | form.code
        var attributes = Attributes(size: form.size, access: kind.access, floatFormat: form.format)
        let operands: [OperandKind] = [.f1, .f2, .mr3]
        hinted(
          hints, highBit: nil, name, .m11, memory(6, x: 1, x6), .loadFPPair, operands, outputs: 2, attributes)
        attributes.update = .immediate
        hinted(
          hints, highBit: nil, name, .m12, memory(6, m: 1, x: 1, x6), .loadFPPair,
          operands + [form.size == 4 ? .eight : .sixteen], outputs: 2, attributes)
      }
    }
  }

  // MARK: Prefetch

  /// M13, M14, M15 and M52.
  private mutating func linePrefetches() {
    let forms: [(String, InstructionFlags)] = [
      ("lfetch", []), ("lfetch.excl", .exclusive), ("lfetch.fault", .fault),
      ("lfetch.fault.excl", [.fault, .exclusive]),
    ]
    for (code, (name, flags)) in forms.enumerated() {
      let x6 = 0x2c | code
      var attributes = Attributes(flags: flags)
      var pattern = memory(6, x6)
      // Bit 19 makes the plain prefetch one of a series of lines.
      if code == 0 { pattern = pattern.set(0, at: 19) }
      hinted(
        TableBuilder.prefetchHints, highBit: 12, name, .m13, pattern, .lfetch, [.mr3], outputs: 0, attributes)
      attributes.update = .register
      hinted(
        TableBuilder.prefetchHints, highBit: 12, name, .m14, memory(6, m: 1, x6), .lfetch, [.mr3, .r2], outputs: 0,
        attributes)
      attributes.update = .immediate
      hinted(
        TableBuilder.prefetchHints, highBit: 12, name, .m15, memory(7, x6), .lfetch, [.mr3, .imm9Load], outputs: 0,
        attributes)
    }
    hinted(
      TableBuilder.prefetchHints, highBit: 12, "lfetch.count", .m52, memory(6, 0x2c).set(1, at: 19), .lfetch,
      [.mr3, .lfetchCount, .lfetchStride], outputs: 0, Attributes(flags: .postMontecito))
  }

  // MARK: Semaphores

  /// M16, M17.
  private mutating func semaphores() {
    let hints = TableBuilder.shortHints
    for (completer, code, access) in [("acq", 0, Access.acquire), ("rel", 4, .release)] {
      for (index, size) in [UInt8(1), 2, 4, 8].enumerated() {
        hinted(
          hints, highBit: nil, "cmpxchg\(size).\(completer)", .m16, memory(4, x: 1, code | index), .compareExchange,
          [.r1, .mr3, .r2, .arCCV], Attributes(size: size, access: access), short: [.r1, .mr3, .r2])
      }
      hinted(
        hints, highBit: nil, "cmp8xchg16.\(completer)", .m16, memory(4, x: 1, 0x20 | code), .compareExchange16,
        [.r1, .mr3, .r2, .arCSD, .arCCV], Attributes(size: 16, access: access), short: [.r1, .mr3, .r2])
    }
    for (index, size) in [UInt8(1), 2, 4, 8].enumerated() {
      hinted(
        hints, highBit: nil, "xchg\(size)", .m16, memory(4, x: 1, 8 | index), .exchange, [.r1, .mr3, .r2],
        Attributes(size: size, access: .acquire))
    }
    for (completer, code, access) in [("acq", 0x10, Access.acquire), ("rel", 0x14, .release)] {
      for (index, size) in [(2, UInt8(4)), (3, 8)] {
        hinted(
          hints, highBit: nil, "fetchadd\(size).\(completer)", .m17, memory(4, x: 1, code | index), .fetchAdd,
          [.r1, .mr3, .fetchAddIncrement], Attributes(size: size, access: access))
      }
    }
  }

  // MARK: Transfers between register files

  /// M18, M19.
  private mutating func registerTransfers() {
    let forms: [(String, Variant)] = [
      ("sig", .significand), ("exp", .exponent), ("s", .single), ("d", .double),
    ]
    for (code, (name, variant)) in forms.enumerated() {
      let x6 = 0x1c | code
      add("setf.\(name)", .m18, memory(6, x: 1, x6), .setf, [.f1, .r2], Attributes(variant: variant))
      add("getf.\(name)", .m19, memory(4, x: 1, x6), .getf, [.r1, .f2], Attributes(variant: variant))
    }
  }
}
