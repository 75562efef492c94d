import IA64
import Processor
import Testing

/// General Exception: ISR.code{7:4} says which (Volume 2, General Exception vector). Illegal Operation 0, Privileged Operation 1,
/// Privileged Register 2, Reserved Register/Field and Unimplemented Data Address 3, Disabled Instruction Set Transition 4.
@Suite("General Exception")
struct GeneralExceptionTests {
  static let code = TestMachine.code

  private func expect(
    _ code: UInt64, _ source: String, psr: UInt64 = PSR.ic, sourceLocation: SourceLocation = #_sourceLocation,
    _ prepare: (TestMachine) -> Void = { _ in }
  ) throws {
    let machine = try TestMachine("nop.m 0\n\(source) ;;", psr: psr, sourceLocation: sourceLocation)
    DeliveredInterruption.mark(machine)
    prepare(machine)
    #expect(machine.run() == .interruption(.generalException), "\(source)", sourceLocation: sourceLocation)
    #expect(machine.interruption.isr & ~(3 << ISR.eiShift) == code, "\(source)", sourceLocation: sourceLocation)
    if psr & PSR.ic != 0 {
      #expect(machine.interruption.iip == Self.code + 16, "\(source)", sourceLocation: sourceLocation)
    }
    for n in [CR.ifa, CR.itir, CR.iim, CR.iha] where code & 0xF0 != 0x30 {
      #expect(machine[cr: n] == DeliveredInterruption.unwritten, "\(source)", sourceLocation: sourceLocation)
    }
  }

  private func expectDone(_ source: String, psr: UInt64 = PSR.ic, _ prepare: (TestMachine) -> Void = { _ in }) throws {
    let machine = try TestMachine("nop.m 0\n\(source) ;;", psr: psr)
    prepare(machine)
    #expect(machine.run() == .done, "\(source)")
  }

  // MARK: Illegal Operation: targets

  /// Instructions with a general register as a target, `%` its place.
  static let targets = [
    "add %=r4,r5", "adds %=1,r4", "addl %=1,r3", "movl %=1", "sub %=r4,r5,1", "and %=r4,r5", "shladd %=r4,1,r5", "shl %=r4,r5",
    "extr.u %=r4,1,2", "dep.z %=r4,1,2", "shrp %=r4,r5,3", "sxt4 %=r4", "popcnt %=r4", "czx1.l %=r4", "padd2 %=r4,r5",
    "mux1 %=r4,@rev", "mov %=b0", "mov %=ip", "mov %=pr", "mov.m %=ar.ccv", "mov.i %=ar.lc", "mov %=psr", "mov %=psr.um",
    "mov %=cr.dcr",
    "mov %=rr[r4]", "mov %=cpuid[r0]", "mov %=pmd[r4]", "ld8 %=[r5]", "ld4.s %=[r5]", "ld8.a %=[r5]", "ld8.fill %=[r5]",
    "ld16 %=[r5]",
    "xchg8 %=[r5],r4", "cmpxchg8.acq %=[r5],r4", "fetchadd8.acq %=[r5],1", "getf.sig %=f4", "getf.d %=f4", "probe.r %=r5,0",
    "thash %=r5", "ttag %=r5", "tpa %=r5", "tak %=r5", "addp4 %=r4,r5", "pmpy2.r %=r4,r5", "mix1.l %=r4,r5", "ld8 r4=[%],8",
    "st8 [%]=r4,8", "ldfd f4=[%],8", "stfd [%]=f4,8", "lfetch [%],8", "ldfpd f4,f5=[%],16", "ld8 r4=[%],r5",
  ]

  @Test("Target r0, and a stacked register beyond the frame, are illegal", arguments: targets) func illegalTarget(_ text: String)
    throws
  {
    // The frame of the harness is 16 registers: r48 is the first outside.
    for register in ["r0", "r48", "r127"] {
      try expect(0, text.replacing("%", by: register)) { $0[gr: 5] = TestMachine.data }
    }
  }

  @Test("With a false predicate they are not", arguments: targets) func predicatedOff(_ text: String) throws {
    try expectDone("(p6) " + text.replacing("%", by: "r48"))
  }

  @Test(
    "f0 and f1 as targets",
    arguments: [
      "fma.s0 %=f4,f5,f6", "xma.l %=f4,f5,f6", "fmin %=f4,f5", "frcpa %,p6=f4,f5", "fcvt.fx %=f4", "fmerge.s %=f4,f5",
      "setf.sig %=r4", "setf.d %=r4", "ldfd %=[r5]", "ldf.fill %=[r5]", "ldfpd %,f5=[r5]", "fselect %=f4,f5,f6", "fpmpy %=f4,f5",
      "fand %=f4,f5", "fcvt.xf %=f4",
    ]) func floatTargets(_ text: String) throws
  {
    for register in ["f0", "f1"] where !(register == "f1" && text.contains("%,f5")) {
      try expect(0, text.replacing("%", by: register)) { $0[gr: 5] = TestMachine.data }
    }
  }

  @Test("Equal targets: two predicates, load and base, a pair of the same parity") func equalTargets() throws {
    for text in [
      "cmp.eq p6,p6=r4,r5", "cmp4.lt p6,p6=1,r5", "tbit.z p6,p6=r4,3", "tnat.nz p6,p6=r4", "fcmp.eq p6,p6=f4,f5",
      "fclass.m p6,p6=f4,@nat", "cmp.eq.or p7,p7=r4,r5", "ld8 r5=[r5],8", "ld8.fill r5=[r5],8", "ldfpd f4,f6=[r5]",
    ] {
      try expect(0, text.replacing("@nat", by: "0x100")) { $0[gr: 5] = TestMachine.data }
    }
    // Type unc writes its targets whatever the predicate: it faults with the predicate false; the others do not.
    try expect(0, "(p8) cmp.eq.unc p6,p6=r4,r5")
    try expect(0, "(p8) tbit.z.unc p6,p6=r4,3")
    try expectDone("(p8) cmp.eq p6,p6=r4,r5")
    // Both targets p0 are equal as well.
    try expect(0, "cmp.eq p0,p0=r4,r5")
  }

  @Test("alloc: r0, impossible frames; the target must lie in the new frame") func alloc() throws {
    for (text, legal) in [
      ("alloc r4=ar.pfs,0,96,0,0", true), ("alloc r47=ar.pfs,0,16,0,0", true), ("alloc r48=ar.pfs,0,16,0,0", false),
      ("alloc r60=ar.pfs,0,40,0,0", true), ("alloc r32=ar.pfs,0,0,0,0", false),
    ] {
      if legal { try expectDone(text) } else { try expect(0, text) }
    }
    // sof 97; sol > sof; sor * 8 > sof: not expressible in assembly.
    for (sof, sol, sor) in [(97, 0, 0), (127, 0, 0), (8, 9, 0), (15, 0, 2)] as [(UInt64, UInt64, UInt64)] {
      let slot = 1 << 37 | 6 << 33 | sor << 27 | sol << 20 | sof << 13 | 4 << 6
      try expectEncoding(slot, unit: .m, code: 0)
    }
    // Another rotating size while a rename base is not zero is a reserved field.
    try expect(0x30, "alloc r4=ar.pfs,0,16,0,16") { $0.each { $0.setCFM(16 | 8 << 7 | 1 << 14 | 3 << 18) } }
    try expectDone("alloc r4=ar.pfs,0,16,0,8") { $0.each { $0.setCFM(16 | 8 << 7 | 1 << 14 | 3 << 18) } }
  }

  // MARK: Illegal Operation: encodings

  private func expectEncoding(_ slot: UInt64, unit: SlotUnit, code: UInt64?, predicate: Bool = false) throws {
    let nop = { (unit: SlotUnit) -> UInt64 in unit == .b ? 2 << 37 : unit == .f || unit == .i ? 1 << 27 : 1 << 27 }
    let template: UInt64
    let slots: [UInt64]
    switch unit {
    case .m: (template, slots) = (0x00, [slot, nop(.i), nop(.i)])
    case .i: (template, slots) = (0x00, [nop(.m), slot, nop(.i)])
    case .f: (template, slots) = (0x0C, [nop(.m), slot, nop(.i)])
    default: (template, slots) = (0x10, [nop(.m), nop(.i), slot])
    }
    let bundle = Bundle(
      low: template | slots[0] << 5 | slots[1] << 46, high: slots[1] >> 18 | slots[2] << 23)
    let machine = try TestMachine("nop.m 0\nnop.m 0")
    machine.place([bundle], at: Self.code)
    machine[pr: 6] = predicate
    let outcome = machine.run()
    if let code {
      #expect(outcome == .interruption(.generalException), "0x\(String(slot, radix: 16))")
      #expect(machine.interruption.isr & 0xFF == code)
    } else {
      #expect(outcome == .done, "0x\(String(slot, radix: 16))")
    }
  }

  @Test("Reserved encodings: in B slots whatever the predicate, elsewhere only if it is true") func reservedEncodings() throws {
    // Major opcodes without instructions: M 2 and 3, I 1, 2, 3, F 2, 3, 6, 7 (Volume 3, table 4-2); qp = p6.
    for (unit, majors) in [(SlotUnit.m, [2, 3]), (.i, [1, 2, 3]), (.f, [2, 3, 6, 7])] as [(SlotUnit, [UInt64])] {
      for major in majors {
        try expectEncoding(major << 37 | 6, unit: unit, code: 0, predicate: true)
        try expectEncoding(major << 37 | 6, unit: unit, code: nil, predicate: false)
      }
    }
    // B: major opcodes 8 and up without instructions, and indirect branches with an unassigned x6.
    for slot in [8 << 37 | 6, 0x9 << 37 | 6, 0xF << 37 | 6, 1 << 32 | 6] as [UInt64] where slot >> 37 != 0 {
      try expectEncoding(slot, unit: .b, code: 0, predicate: false)
      try expectEncoding(slot, unit: .b, code: 0, predicate: true)
    }
  }

  @Test("Reserved templates") func reservedTemplates() throws {
    for template in [0x06, 0x07, 0x14, 0x15, 0x1A, 0x1B, 0x1E, 0x1F] as [UInt64] {
      for slot in 0..<3 as Range<UInt64> {
        let machine = try TestMachine("nop.m 0\nnop.m 0")
        machine.psr = PSR.ic | slot << PSR.riShift
        machine.place([Bundle(low: template, high: 0)], at: Self.code)
        #expect(machine.run() == .interruption(.generalException))
        #expect(machine.interruption.isr == slot << ISR.eiShift)
      }
    }
  }

  @Test("PSR.ri = 2 in a bundle with a long instruction") func longSlot2() throws {
    let machine = try TestMachine("{ .mlx\n nop 0\n movl r4=1\n }", psr: PSR.ic | 2 << PSR.riShift)
    machine.expect(
      .generalException, DeliveredInterruption(psr: PSR.ic, resume: (Self.code, 2), isr: 0, previous: 0))
  }

  @Test("Counted and modulo-scheduled branches belong in slot 2") func branchSlots() throws {
    for text in ["br.cloop.sptk.many done", "br.ctop.sptk.many done", "br.cexit.sptk.many done", "br.wtop.sptk.many done"] {
      for slot in 0..<3 {
        var slots = ["nop 0", "nop 0", "nop 0"]
        slots[slot] = text
        let machine = try TestMachine("{ .bbb\n\(slots.joined(separator: "\n")) ;;\n }")
        #expect(machine.run() == (slot == 2 ? .done : .interruption(.generalException)), "\(text) in slot \(slot)")
      }
    }
  }

  @Test("Instructions later than the Montecito") func notImplemented() throws {
    for text in ["clz r4=r5", "mpy4 r4=r5,r6", "mpyshl4 r4=r5,r6"] { try expect(0, text) }
  }

  @Test("br.ia: illegal with dirty registers; else the instruction set transition is disabled, whatever PSR.di says")
  func branchIA() throws {
    let text = "{ .bbb\n br.ia.sptk.many b6\n nop 0\n nop 0\n }"
    for psr in [PSR.ic, PSR.ic | PSR.di, PSR.ic | 3 << PSR.cplShift] { try expect(0x40, text, psr: psr) }
    // A qualifying predicate is illegal, true or false.
    for predicate in [false, true] {
      try expect(0, "{ .bbb\n (p6) br.ia.sptk.many b6\n nop 0\n nop 0\n }") { $0[pr: 6] = predicate }
    }
    try expect(0, text) {
      $0.each {
        $0.state.pointee.bsp += 8; $0.state.pointee.dirty = 1
      }
    }
  }

  @Test("rfi to IA-32 code is a disabled instruction set transition") func returnToIA32() throws {
    try expect(0x40 | ISR.ni, "rfi", psr: 0) { $0[cr: CR.ipsr] = PSR.ic | PSR.is }
  }

  // MARK: Privileged Operation

  @Test(
    "Privileged instructions below level 0: code 1, no other ISR bit but the non-access code",
    arguments: [
      ("mov r4=psr", 0), ("mov psr.l=r4", 0), ("ssm 0x4000", 0), ("rsm 0x4000", 0), ("mov r4=cr.dcr", 0), ("mov cr.dcr=r4", 0),
      ("mov r4=rr[r5]", 0), ("mov rr[r5]=r4", 0), ("mov pkr[r5]=r4", 0), ("mov dbr[r5]=r4", 0), ("mov ibr[r5]=r4", 0),
      ("mov r4=pmc[r5]", 0), ("mov pmd[r5]=r4", 0), ("ptc.l r4,r5", 0), ("ptc.g r4,r5", 0), ("ptc.e r4", 0), ("ptr.d r4,r5", 0),
      ("tpa r4=r5", 0), ("tak r4=r5", 3), ("rfi", 0), ("bsw.0", 0), ("bsw.1", 0),
    ] as [(String, UInt64)]) func privilegedOperation(_ text: String, _ code: UInt64) throws
  {
    for level in 1...3 as ClosedRange<UInt64> { try expect(0x10 | code, text, psr: PSR.ic | level << PSR.cplShift) }
  }

  @Test("itc and itr: Illegal with PSR.ic = 1, even unprivileged; Privileged Operation only behind that") func insertChecks() throws
  {
    for text in ["itc.d r4", "itc.i r4", "itr.d dtr[r5]=r4", "itr.i itr[r5]=r4"] {
      try expect(0, text)
      try expect(0, text, psr: PSR.ic | 3 << PSR.cplShift)
      try expect(0x10 | ISR.ni, text, psr: 3 << PSR.cplShift)
    }
  }

  @Test("User instructions run at level 3") func unprivileged() throws {
    for text in [
      "mov r4=psr.um", "mov psr.um=r0", "sum 2", "rum 2", "mov r4=cpuid[r0]", "mov r4=pmd[r5]", "mov r4=ar.itc", "mov r4=ar.k3",
      "cover",
      "flushrs", "srlz.d", "mf", "fc r5", "probe.r r4=r5,3", "thash r4=r5", "ttag r4=r5",
    ] {
      try expectDone(text, psr: PSR.ic | 3 << PSR.cplShift) {
        $0.mapMemory()
        $0[gr: 5] = TestMachine.data
      }
    }
  }
}

extension String {
  /// Foundation-free replacement of every `text`.
  func replacing(_ text: Character, by replacement: String) -> String {
    split(separator: text, omittingEmptySubsequences: false).joined(separator: replacement)
  }
  func replacing(_ text: String, by replacement: String) -> String {
    split(separator: text, omittingEmptySubsequences: false).joined(separator: replacement)
  }
}
