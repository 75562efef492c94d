/// Rows of the M formats with major opcodes 0 and 1: checks, moves and system instructions (Volume 3, sections
/// 4.4.4–4.4.11).
extension TableBuilder {
  mutating func addMemoryManagement() {
    checks()
    synchronization()
    userMasks()
    miscellaneousM()
    movesM()
    registerStack()
    indirectMoves()
    probes()
    translations()
    cacheControl()
  }

  private static let privileged = Attributes(flags: .privileged)
  private static let sensitive = Attributes(flags: [.privileged, .virtualized])

  /// Major opcode 0: bits 35:33 x3, 30:27 x4, 32:31 x2.
  private func system0(_ x4: Int, _ x2: Int? = nil) -> BitPattern {
    let pattern = BitPattern(major: 0).set(0, at: 33, width: 3).set(x4, at: 27, width: 4)
    guard let x2 else { return pattern }
    return pattern.set(x2, at: 31, width: 2)
  }

  /// Major opcode 1: bits 35:33 x3, 32:27 x6.
  private func system1(_ x6: Int) -> BitPattern {
    BitPattern(major: 1).set(0, at: 33, width: 3).set(x6, at: 27, width: 6)
  }

  /// M20...M23: bits 35:33 x3.
  private mutating func checks() {
    func pattern(_ major: Int, _ x3: Int) -> BitPattern { BitPattern(major: major).set(x3, at: 33, width: 3) }
    let clear = Attributes(variant: .clear)
    add("chk.a.nc", .m22, pattern(0, 4), .checkA, [.r1, .target25], outputs: 0)
    add("chk.a.clr", .m22, pattern(0, 5), .checkA, [.r1, .target25], outputs: 0, clear)
    add("chk.a.nc", .m23, pattern(0, 6), .checkAFP, [.f1, .target25], outputs: 0)
    add("chk.a.clr", .m23, pattern(0, 7), .checkAFP, [.f1, .target25], outputs: 0, clear)
    add("chk.s.m", .m20, pattern(1, 1), .checkS, [.r2, .target25Check], outputs: 0)
    add("chk.s", .m21, pattern(1, 3), .checkSFP, [.f2, .target25Check], outputs: 0)
  }

  /// M24...M27.
  private mutating func synchronization() {
    add("invala", .m24, system0(0, 1), .invala, [], outputs: 0)
    add("fwb", .m24, system0(0, 2), .fwb, [], outputs: 0)
    add("mf", .m24, system0(2, 2), .mf, [], outputs: 0)
    add("mf.a", .m24, system0(3, 2), .mfa, [], outputs: 0)
    add("srlz.d", .m24, system0(0, 3), .srlzD, [], outputs: 0)
    add("srlz.i", .m24, system0(1, 3), .srlzI, [], outputs: 0)
    add("sync.i", .m24, system0(3, 3), .syncI, [], outputs: 0)
    let first = Attributes(flags: [.first, .unpredicated])
    add("flushrs", .m25, system0(0xc, 0), .flushrs, [], outputs: 0, first)
    add("loadrs", .m25, system0(0xa, 0), .loadrs, [], outputs: 0, first)
    add("invala.e", .m26, system0(2, 1), .invalaEntry, [.r1], outputs: 0)
    add("invala.e", .m27, system0(3, 1), .invalaEntryFP, [.f1], outputs: 0)
  }

  /// M44.
  private mutating func userMasks() {
    add("sum", .m44, system0(4), .sum, [.immu24], outputs: 0)
    add("rum", .m44, system0(5), .rum, [.immu24], outputs: 0)
    add("ssm", .m44, system0(6), .ssm, [.immu24], outputs: 0, TableBuilder.sensitive)
    add("rsm", .m44, system0(7), .rsm, [.immu24], outputs: 0, TableBuilder.sensitive)
  }

  /// M37, M48 and M50. Bits 11:10 of a hint tell the data access hints of later processors from plain hints; values
  /// 2 and 3 have no name, and every hint that a processor does not know does nothing.
  private mutating func miscellaneousM() {
    let hint = system0(1, 0).set(1, at: 26)
    func z(_ value: Int) -> BitPattern { hint.set(value, at: 10, width: 2) }
    add("break.m", .m37, system0(0, 0), .breakInstruction, [.immu21], outputs: 0)
    add("nop.m", .m48, system0(1, 0).set(0, at: 26), .nop, [.immu21], outputs: 0)
    add("hint.m", .m48, z(0), .hint, [.immu19], outputs: 0, immediate: .immu21)
    add("mov", .m50, z(1), .movToDAHRImmediate, [.dahr3, .immu16], Attributes(flags: .postMontecito))
    for value in 2..<4 {
      add("hint.m", .m48, z(value), .hint, [.immu21], outputs: 0, role: .unprinted)
    }
  }

  /// M29...M33, M35, M36.
  private mutating func movesM() {
    add("mov.m", .m29, system1(0x2a), .movToAR, [.ar3, .r2])
    add("mov.m", .m30, system0(8, 2), .movToARImmediate, [.ar3, .imm8])
    add("mov.m", .m31, system1(0x22), .movFromAR, [.r1, .ar3])
    add("mov", .m32, system1(0x2c), .movToCR, [.cr3, .r2], TableBuilder.sensitive)
    add("mov", .m33, system1(0x24), .movFromCR, [.r1, .cr3], TableBuilder.sensitive)
    add("mov", .m35, system1(0x2d), .movToPSRL, [.psrL, .r2], TableBuilder.sensitive)
    add("mov", .m35, system1(0x29), .movToPSRUM, [.psrUM, .r2])
    add("mov", .m36, system1(0x25), .movFromPSR, [.r1, .psr], TableBuilder.sensitive)
    add("mov", .m36, system1(0x21), .movFromPSRUM, [.r1, .psrUM])
  }

  /// M34.
  private mutating func registerStack() {
    let pattern = BitPattern(major: 1).set(6, at: 33, width: 3)
    let attributes = Attributes(flags: [.first, .unpredicated])
    add("alloc", .m34, pattern, .alloc, [.r1, .arPFS, .sof, .sol, .sor], attributes)
    pseudo("alloc", .m34, pattern, [.r1, .sof, .sol, .sor])
  }

  /// M42, M43. The model-specific registers have encodings that the assembler knows but that the architecture
  /// reserves, so they fault.
  private mutating func indirectMoves() {
    let files: [(Int, OperandKind, IndirectFile)] = [
      (0, .rr, .rr), (1, .dbr, .dbr), (2, .ibr, .ibr), (3, .pkr, .pkr), (4, .pmc, .pmc), (5, .pmd, .pmd),
    ]
    for (x6, operand, file) in files {
      let attributes = Attributes(indirect: file, flags: [.privileged, .virtualized])
      add("mov", .m42, system1(x6), .movToIndirect, [operand, .r2], attributes)
      // Performance data is readable at every privilege level, subject to PSR.sp and PMC.pm.
      let reading = file == .pmd ? Attributes(indirect: file) : attributes
      add("mov", .m43, system1(0x10 | x6), .movFromIndirect, [.r1, operand], reading)
    }
    add("mov", .m42, system1(0x06), .reservedIfPredicated, [.msr, .r2])
    add("mov", .m43, system1(0x16), .reservedIfPredicated, [.r1, .msr])
    let identification = Attributes(indirect: .cpuid, flags: .virtualized)
    add("mov", .m43, system1(0x17), .movFromIndirect, [.r1, .cpuid], identification)
    let dataAccessHints = Attributes(indirect: .dahr, flags: .postMontecito)
    add("mov", .m43, system1(0x20), .movFromIndirect, [.r1, .dahr], dataAccessHints)
  }

  /// M38, M39, M40.
  private mutating func probes() {
    let read = Attributes(variant: .read)
    let write = Attributes(variant: .write)
    add("probe.r", .m38, system1(0x38), .probe, [.r1, .r3, .r2], read)
    add("probe.w", .m38, system1(0x39), .probe, [.r1, .r3, .r2], write)
    add("probe.r", .m39, system1(0x18), .probeImmediate, [.r1, .r3, .immu2], read)
    add("probe.w", .m39, system1(0x19), .probeImmediate, [.r1, .r3, .immu2], write)
    let fault: [OperandKind] = [.r3, .immu2]
    add("probe.rw.fault", .m40, system1(0x31), .probeFault, fault, outputs: 0, Attributes(variant: .readWrite))
    add("probe.r.fault", .m40, system1(0x32), .probeFault, fault, outputs: 0, read)
    add("probe.w.fault", .m40, system1(0x33), .probeFault, fault, outputs: 0, write)
  }

  /// M41, M42, M45, M46, M47.
  private mutating func translations() {
    let sensitive = TableBuilder.sensitive
    let last = sensitive.with(.last)
    add("itc.d", .m41, system1(0x2e), .itcD, [.r2], outputs: 0, last)
    add("itc.i", .m41, system1(0x2f), .itcI, [.r2], outputs: 0, last)
    add("itr.d", .m42, system1(0x0e), .itrD, [.dtr, .r2], sensitive)
    add("itr.i", .m42, system1(0x0f), .itrI, [.itr, .r2], sensitive)
    add("ptc.l", .m45, system1(0x09), .ptcL, [.r3, .r2], outputs: 0, sensitive)
    add("ptc.g", .m45, system1(0x0a), .ptcG, [.r3, .r2], outputs: 0, last)
    add("ptc.ga", .m45, system1(0x0b), .ptcGA, [.r3, .r2], outputs: 0, last)
    add("ptr.d", .m45, system1(0x0c), .ptrD, [.r3, .r2], outputs: 0, sensitive)
    add("ptr.i", .m45, system1(0x0d), .ptrI, [.r3, .r2], outputs: 0, sensitive)
    add("ptc.e", .m47, system1(0x34), .ptcE, [.r3], outputs: 0, sensitive)
    let virtualized = Attributes(flags: .virtualized)
    add("thash", .m46, system1(0x1a), .thash, [.r1, .r3], virtualized)
    add("ttag", .m46, system1(0x1b), .ttag, [.r1, .r3], virtualized)
    add("tpa", .m46, system1(0x1e), .tpa, [.r1, .r3], sensitive)
    add("tak", .m46, system1(0x1f), .tak, [.r1, .r3], sensitive)
  }

  /// M28: bit 36 x.
  private mutating func cacheControl() {
    add("fc", .m28, system1(0x30).set(0, at: 36), .fc, [.r3], outputs: 0)
    add("fc.i", .m28, system1(0x30).set(1, at: 36), .fcI, [.r3], outputs: 0)
  }
}
