import Arithmetic
import Processor
import Testing

/// NaT bits on their way through memory and checks (Volume 1, section 4.4.4; Volume 3, st8.spill, ld8.fill, chk, tnat).
@Suite("Register NaTs")
struct RegisterNaTTests {
  /// UNAT's bit is EA{8:3}.
  @Test func spillAndFillAtEachSlot() throws {
    let machine = try TestMachine(
      """
      mov ar.lc=r9 ;;
      loop:
      st8.spill [r5]=r4,8 ;;
      br.cloop.sptk.few loop ;;
      mov r10=ar.unat ;;
      mov ar.lc=r9
      mov r5=r6 ;;
      again:
      ld8.fill r7=[r5],8 ;;
      tnat.nz p6,p7=r7 ;;
      (p6) adds r8=1,r8 ;;
      br.cloop.sptk.few again ;;
      """)
    machine[gr: 5] = TestMachine.data + 0x40
    machine[gr: 6] = TestMachine.data + 0x40
    machine[gr: 9] = 63
    machine[gr: 4] = 0x1234
    machine[nat: 4] = true
    #expect(machine.run() == .done)
    #expect(machine[gr: 10] == UInt64.max)
    #expect(machine[gr: 8] == 64)
    #expect(machine[gr: 5] == TestMachine.data + 0x240, "a NaT from memory does not cost the update of the base")
    #expect(machine[gr: 7] == 0x1234)
    #expect(machine[nat: 7])
  }

  @Test func spillClearsTheBitOfAnOrdinaryRegister() throws {
    let machine = try TestMachine("st8.spill [r5]=r4 ;;\nmov r6=ar.unat ;;")
    machine[ar: AR.unat] = UInt64.max
    machine[gr: 5] = TestMachine.data + 8 * 13
    #expect(machine.run() == .done)
    #expect(machine[gr: 6] == ~(1 << 13))
  }

  @Test func fillWithoutNaTClearsIt() throws {
    let machine = try TestMachine("ld8.fill r4=[r5],r6 ;;")
    machine[gr: 5] = TestMachine.data
    machine[gr: 6] = 0x100
    machine[nat: 4] = true
    #expect(machine.run() == .done)
    #expect(!machine[nat: 4])
    #expect(machine[gr: 5] == TestMachine.data + 0x100)
  }

  /// A NaT increment makes the base NaT, without a fault (Volume 3, ld: reg_base_update_form).
  @Test(arguments: [
    "ld8 r4=[r5],r6", "ld8.fill r4=[r5],r6", "ldfd f6=[r5],r6", "lfetch [r5],r6", "lfetch.fault [r5],r6", "ld4.a r4=[r5],r6",
  ])
  func naTIncrement(_ text: String) throws {
    let machine = try TestMachine("\(text) ;;")
    machine[gr: 5] = TestMachine.data
    machine[gr: 6] = 0x20
    machine[nat: 6] = true
    #expect(machine.run() == .done)
    #expect(machine[nat: 5])
    #expect(!machine[nat: 4])
  }

  /// Register NaT Consumption: ISR.code{7:4} = 1, and the references' r, w, na (Volume 2, section 8.3, NaT Consumption vector).
  @Test(
    arguments: [
      ("ld8 r4=[r5]", ISR.r, 0), ("ld8.a r4=[r5]", ISR.r, 0), ("ld8.c.clr r4=[r5]", ISR.r, 0), ("ld8.fill r4=[r5]", ISR.r, 0),
      ("ld16 r4,ar.csd=[r5]", ISR.r, 0), ("st8 [r5]=r4", ISR.w, 0), ("st8 [r6]=r5", ISR.w, 0), ("st8.spill [r5]=r4", ISR.w, 0),
      ("st16 [r6]=r5,ar.csd", ISR.w, 0), ("ldfd f6=[r5]", ISR.r, 0), ("ldf.fill f6=[r5]", ISR.r, 0), ("stfd [r5]=f6", ISR.w, 0),
      ("stf.spill [r5]=f6", ISR.w, 0), ("ldfps f6,f7=[r5]", ISR.r, 0), ("xchg4 r4=[r5],r6", ISR.r | ISR.w, 0),
      ("xchg4 r4=[r6],r5", ISR.r | ISR.w, 0), ("cmpxchg8.acq r4=[r6],r5,ar.ccv", ISR.r | ISR.w, 0),
      ("fetchadd8.acq r4=[r5],1", ISR.r | ISR.w, 0), ("fc r5", ISR.r | ISR.na, 1), ("fc.i r5", ISR.r | ISR.na, 1),
      ("probe.r r4=r5,0", ISR.r | ISR.na, 2), ("probe.w r4=r6,r5", ISR.w | ISR.na, 2), ("tak r4=r5", ISR.r | ISR.na, 3),
      ("lfetch.fault [r5]", ISR.r | ISR.na, 4), ("probe.rw.fault r5,3", ISR.r | ISR.w | ISR.na, 5),
      ("tpa r4=r5", ISR.r | ISR.na, 0),
    ] as [(String, UInt64, UInt64)])
  func consumption(_ text: String, _ bits: UInt64, _ code: UInt64) throws {
    let machine = try TestMachine("\(text) ;;")
    machine[gr: 5] = TestMachine.data
    machine[gr: 6] = TestMachine.data
    machine[nat: 5] = true
    #expect(machine.run() == .interruption(.natConsumption))
    #expect(machine.interruption.code == 0x10 | code)
    #expect(machine.interruption.isr & (ISR.r | ISR.w | ISR.na) == bits)
  }

  /// A faulting prefetch with PSR.ed set is skipped over, NaT address or not; the base moves (Volume 3, lfetch).
  @Test func skippedPrefetch() throws {
    for nat in [false, true] {
      let machine = try TestMachine("lfetch.fault [r5],32 ;;", psr: TestMachine.virtual | PSR.ed)
      machine.separateRegions()
      machine.mapMemory()
      machine[gr: 5] = TestMachine.region(2)
      machine[nat: 5] = nat
      #expect(machine.run() == .done)
      #expect(machine[gr: 5] == TestMachine.region(2) + 32)
      #expect(machine[nat: 5] == nat)
    }
  }

  @Test func checksBranchToRecovery() throws {
    let machine = try TestMachine(
      """
      chk.s.m r4,a ;;
      adds r8=1,r8 ;;
      a: chk.s.i r5,b ;;
      adds r8=2,r8 ;;
      b: chk.s f6,c ;;
      adds r8=4,r8 ;;
      c: chk.s f7,d ;;
      adds r8=8,r8 ;;
      d: nop.m 0 ;;
      """)
    machine[nat: 4] = true
    machine[fr: 6] = .natVal
    #expect(machine.run() == .done)
    #expect(machine[gr: 8] == 10)
  }

  /// getf and the loads that do not speculate leave a target without NaT.
  @Test(arguments: [
    "getf.sig r4=f6", "getf.exp r4=f6", "getf.s r4=f6", "getf.d r4=f6", "ld8 r4=[r5]", "ld4.acq r4=[r5]", "ld8.s r4=[r5]",
    "ld2.a r4=[r5]",
    "ld1.sa r4=[r5]", "ld8.c.nc r4=[r5]", "xchg8 r4=[r5],r6", "ld16 r4,ar.csd=[r5]", "mov r4=ar.unat", "mov r4=pr", "mov r4=b0",
    "alloc r4=ar.pfs,0,8,0,0",
  ])
  func targetsLoseTheirNaT(_ text: String) throws {
    let machine = try TestMachine("\(text) ;;")
    machine[gr: 5] = TestMachine.data
    machine[fr: 6] = .one
    machine[nat: 4] = true
    #expect(machine.run() == .done)
    #expect(!machine[nat: 4])
  }

  @Test func getfOfNaTValIsNaT() throws {
    for form in ["sig", "exp", "s", "d"] {
      let machine = try TestMachine("getf.\(form) r4=f6 ;;\nadds r5=1,r4 ;;")
      machine[fr: 6] = .natVal
      #expect(machine.run() == .done)
      #expect(machine[nat: 4] && machine[nat: 5])
    }
  }
}
