import IA64
import Processor
import Testing

/// What an interruption collects and what it leaves, by PSR.ic (Volume 2, sections 3.3.5, 5.5; tables 3-2 and 5-3).
@Suite("Interruption collection")
struct CollectionTests {
  static let code = TestMachine.code

  @Test("PSR at an interruption: up, mfl, mfh, pk, dt, rt, it, mc stay, be and pp come from DCR, the rest is cleared") func newPSR()
    throws
  {
    let everything =
      PSR.up | PSR.mfl | PSR.mfh | PSR.ic | PSR.i | PSR.dfl | PSR.dfh | PSR.sp | PSR.pp | PSR.di | PSR.si | PSR.lp | PSR.tb
      | PSR.mc | 3 << PSR.cplShift | PSR.bn | PSR.ac
    for dcr in [0, DCR.be, DCR.pp, DCR.be | DCR.pp] {
      for psr in [everything, PSR.ic | PSR.be, PSR.ic] {
        let machine = try TestMachine("break.m 1", psr: psr)
        machine[cr: CR.dcr] = dcr
        #expect(machine.run() == .interruption(.breakInstruction))
        #expect(machine.interruption.ipsr == psr)
        let kept = psr & (PSR.up | PSR.mfl | PSR.mfh | PSR.mc)
        #expect(machine.psr == kept | (dcr & DCR.be != 0 ? PSR.be : 0) | (dcr & DCR.pp != 0 ? PSR.pp : 0))
      }
    }
    let translated = PSR.ic | PSR.dt | PSR.rt | PSR.it | PSR.pk
    let machine = try TestMachine("break.m 1", psr: translated)
    machine.mapMemory()
    machine.each { $0.state.pkr[0] = 1 }
    #expect(machine.run() == .interruption(.breakInstruction))
    #expect(machine.psr == translated & ~PSR.ic)
  }

  @Test("Bank 0 appears, with its NaT bits, and rfi brings bank 1 back") func banks() throws {
    let machine = try TestMachine(
      "mov r4=r16\nbreak.m 1\nmov r6=r16", psr: PSR.ic | PSR.bn,
      handlers: [.breakInstruction: "mov r5=r16\nmov r16=r0\nmov r17=cr.iip ;;\nadds r17=16,r17 ;;\nmov cr.iip=r17 ;;\nrfi ;;"])
    machine.each {
      $0.state.gr[16] = 0x1111
      $0.state.otherBank[0] = 0x2222
      $0.state.pointee.otherBankNaT = 1 << 9
    }
    #expect(machine.run() == .done)
    #expect(machine[gr: 4] == 0x1111)
    #expect(machine[gr: 5] == 0x2222)
    #expect(machine[gr: 6] == 0x1111)
    #expect(machine.state.otherBank[0] == 0)
    #expect(machine.state.pointee.otherBankNaT == 1 << 9)
    #expect(!machine[nat: 25])
  }

  @Test(
    "With PSR.ic = 0 only ISR is written, with ni",
    arguments: [
      ("break.m 0x77", Vector.breakInstruction, 0), ("ld8 r4=[r5]", .unalignedReference, ISR.r),
      ("mov r4=cr3", .generalException, 0), ("mov b6=r6", .natConsumption, 0x10),
    ] as [(String, Vector, UInt64)]) func notCollecting(_ instruction: String, _ vector: Vector, _ isr: UInt64) throws
  {
    let machine = try TestMachine("nop.m 0\n\(instruction)", psr: PSR.ac)
    machine[gr: 5] = TestMachine.data + 1
    machine[nat: 6] = true
    DeliveredInterruption.mark(machine)
    #expect(machine.run() == .interruption(vector))
    let slot: UInt64 = instruction.hasPrefix("mov b") ? 1 : 0
    let unwritten = DeliveredInterruption.unwritten
    #expect(machine.interruption.isr == isr | ISR.ni | slot << ISR.eiShift)
    for n in [CR.ipsr, CR.iip, CR.ifa, CR.itir, CR.iipa, CR.ifs, CR.iim, CR.iha] { #expect(machine[cr: n] == unwritten) }
  }

  @Test(
    "Data Nested TLB: a TLB miss with PSR.ic = 0 writes nothing, ISR included",
    arguments: [
      "ld8 r4=[r5]", "st8 [r5]=r6", "lfetch.fault [r5]", "probe.r r4=r5,0", "tpa r4=r5", "fetchadd8.acq r4=[r5],1", "fc r5",
    ]) func nested(_ instruction: String) throws
  {
    for walker in [false, true] {
      let machine = try TestMachine(instruction, psr: PSR.it | PSR.dt | PSR.rt)
      machine.mapMemory()
      machine.setRegion(1, rid: 5, walker: walker)
      // A table that is not mapped: VHPT Translation would be next.
      machine[cr: CR.pta] = 2 << 61 | 15 << 2 | 1 << 8 | 1
      machine[gr: 5] = 1 << 61
      DeliveredInterruption.mark(machine)
      #expect(machine.run() == .interruption(.dataNestedTLB))
      for n in [CR.ipsr, CR.isr, CR.iip, CR.ifa, CR.itir, CR.iipa, CR.ifs, CR.iim, CR.iha] {
        #expect(machine[cr: n] == DeliveredInterruption.unwritten)
      }
      #expect(machine.psr == PSR.it | PSR.dt | PSR.rt)
    }
  }

  @Test("Other data faults with PSR.ic = 0 keep their vectors") func notNested() throws {
    let machine = try TestMachine("st8 [r5]=r6", psr: PSR.it | PSR.dt | PSR.rt)
    machine.mapMemory()
    machine.map(instruction: false, virtual: 1 << 61, physical: TestMachine.data, shift: 12, dirty: false)
    machine[gr: 5] = 1 << 61
    DeliveredInterruption.mark(machine)
    #expect(machine.run() == .interruption(.dirtyBit))
    #expect(machine.interruption.isr == ISR.w | ISR.ni)
    #expect(machine.interruption.ifa == DeliveredInterruption.unwritten)
  }

  @Test("A miss behind rsm psr.ic and srlz.d nests; behind ssm psr.ic and srlz.d it does not") func icWindow() throws {
    let program = { (text: String) in
      "\(text) ;;\nsrlz.d ;;\nld8 r4=[r5] ;;"
    }
    for (text, psr, vector) in [
      ("rsm 0x2000", PSR.ic, Vector.dataNestedTLB), ("ssm 0x2000", 0, .alternateDataTLB), ("mov psr.l=r8", 0, .alternateDataTLB),
    ] as [(String, UInt64, Vector)] {
      let machine = try TestMachine(program(text), psr: psr | PSR.it | PSR.dt | PSR.rt)
      machine.mapMemory()
      machine[gr: 5] = 1 << 61
      machine[gr: 8] = PSR.ic | PSR.dt | PSR.rt
      #expect(machine.run() == .interruption(vector))
    }
  }

  // MARK: IIPA

  @Test("IIPA follows execution only while PSR.ic is set; rfi to a faulting instruction leaves what software put there")
  func iipaAcrossHandler() throws {
    let machine = try TestMachine(
      """
      nop.m 0
      nop.m 0
      break.m 1
      break.m 2
      """,
      handlers: [
        .breakInstruction: """
        mov r16=cr.iim
        mov r17=cr.iip ;;
        adds r17=16,r17
        cmp.eq p6,p7=2,r16 ;;
        { .mib
          mov cr.iip=r17
          nop 0
          (p6) br.cond.sptk.few found
        }
        mov r20=cr.iipa ;;
        rfi ;;
        found: { .bbb
          br.cond.sptk.many found
          nop 0
          nop 0
        }
        """
      ])
    machine.run(slots: 200)
    // The first break came behind the second nop, the second one behind the handler: IIPA is as it was.
    #expect(machine[gr: 20] == Self.code + 16)
    #expect(machine.interruption.iim == 2)
    #expect(machine.interruption.iipa == Self.code + 16)
  }

  @Test("mov cr.iipa sets what the next interruption reports if nothing executes in between") func iipaWritten() throws {
    let machine = try TestMachine("mov cr.iipa=r5\nmov cr.iip=r6\nmov cr.ipsr=r7 ;;\nrfi ;;", psr: 0)
    machine[gr: 5] = 0xABC0
    machine[gr: 6] = TestMachine.data
    machine[gr: 7] = PSR.ic
    try machine.place("{ .mii\n break.m 3\n nop 0\n nop 0\n }", at: TestMachine.data)
    #expect(machine.run() == .interruption(.breakInstruction))
    #expect(machine.interruption.iipa == 0xABC0)
  }

  @Test("IIPA of an external interrupt is the last bundle that executed") func iipaOfInterrupt() throws {
    let machine = try TestMachine("nop.m 0\nnop.m 0\n{ .mib\n ssm 0x4000\n nop 0\n nop 0 ;;\n }\nnop.m 0")
    machine.each { $0.post(vector: 0x31) }
    #expect(machine.run() == .interruption(.externalInterrupt))
    #expect(machine.interruption.iipa == Self.code + 32)
    #expect(machine.interruption.iip == Self.code + 32)
    #expect(machine.interruption.slot == 1)
  }

  @Test("ISR.ir: an interruption between br.ret and its mandatory loads; CFLE is cleared, ISR.rs stays 0") func incompleteFrame()
    throws
  {
    // The caller's registers have gone to memory: the return needs mandatory loads.
    let machine = try TestMachine("br.ret.sptk.many b6 ;;", psr: PSR.ic | PSR.lp)
    machine[br: 6] = machine.labels["done"] ?? 0
    machine[ar: AR.pfs] = 3 << 62 | 8 | 8 << 7
    machine.each {
      $0.setCFM(0)
      $0.state.pointee.bsp = TestMachine.backingStore + 64
      $0.state.pointee.bspStore = TestMachine.backingStore + 64
    }
    #expect(machine.run() == .interruption(.lowerPrivilegeTransfer))
    #expect(machine.interruption.isr == 2 | ISR.ir | 2 << ISR.eiShift)
    #expect(!machine.state.pointee.frameIncomplete)
  }
}
