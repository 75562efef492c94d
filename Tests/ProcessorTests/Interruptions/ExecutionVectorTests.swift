import Arithmetic
import IA64
import Processor
import Testing

/// Vectors that neither a fetch nor a data reference leads to (Volume 2, chapter 8).
@Suite("Interruption vectors: execution")
struct ExecutionVectorTests {
  static let code = TestMachine.code

  @Test(
    "Break Instruction: IIM is the immediate of 21 bits, and 0 after break.b (Volume 3, break)",
    arguments: [
      ("{ .mii\n break.m 0x123456\n nop 0\n nop 0\n }", 0, 0x12_3456),
      ("{ .mii\n nop 0\n break.i 0x1fffff\n nop 0\n }", 1, 0x1F_FFFF),
      ("{ .mii\n nop 0\n nop 0\n break.i 0\n }", 2, 0), ("{ .mfi\n nop 0\n break.f 0x80000\n nop 0\n }", 1, 0x8_0000),
      ("{ .mib\n nop 0\n nop 0\n break.b 0x54321\n }", 2, 0),
      ("{ .mlx\n nop 0\n break.x 0x3fffffffffffffff\n }", 1, 0x1F_FFFF),
    ] as [(String, UInt64, UInt64)]) func breakInstruction(_ source: String, _ slot: UInt64, _ immediate: UInt64) throws
  {
    let machine = try TestMachine("nop.m 0\n" + source)
    machine.expect(
      .breakInstruction,
      DeliveredInterruption(
        psr: PSR.ic, resume: (Self.code + 16, slot), isr: 0, previous: slot == 0 ? Self.code : Self.code + 16, iim: immediate))
  }

  @Test("External Interrupt: resumes at the next instruction, ISR.ei is its slot") func externalInterrupt() throws {
    // rfi leads into the middle of a bundle, so that a slot other than 0 is next.
    let machine = try TestMachine("rfi ;;", psr: 0)
    machine[cr: CR.ipsr] = PSR.ic | PSR.i | 2 << PSR.riShift
    machine[cr: CR.iip] = TestMachine.data
    machine[cr: CR.iipa] = 0x7777_0000
    machine.each { $0.post(vector: 0x40) }
    #expect(machine.run() == .interruption(.externalInterrupt))
    #expect(machine.interruption.iip == TestMachine.data)
    #expect(machine.interruption.ipsr == PSR.ic | PSR.i | 2 << PSR.riShift)
    #expect(machine.interruption.isr == 2 << ISR.eiShift)
    // rfi ran with PSR.ic = 0, so the last instruction that counts is that of the interrupted code: what software left in IIPA.
    #expect(machine.interruption.iipa == 0x7777_0000)
  }

  @Test("Register NaT Consumption: code 0x10, ISR of the reference") func natRegister() throws {
    let cases: [(String, UInt64)] = [
      ("ld8 r4=[r6]", ISR.r), ("st8 [r5]=r6", ISR.w), ("st8 [r6]=r5", ISR.w), ("xchg8 r4=[r5],r6", ISR.r | ISR.w),
      ("mov b6=r6", 0), ("mov ar.unat=r6", 0), ("mov pr=r6,0xfffffffffffffffe", 0), ("mov cr.itm=r6", 0), ("mov psr.l=r6", 0),
      ("mov rr[r5]=r6", 0), ("mov pkr[r6]=r5", 0), ("mov r4=pmc[r6]", 0), ("lfetch.fault [r6]", ISR.na | ISR.r | 4),
      ("fc r6", ISR.na | ISR.r | 1), ("probe.w r4=r6,0", ISR.na | ISR.w | 2), ("probe.r.fault r6,0", ISR.na | ISR.r | 5),
      ("tpa r4=r6", ISR.na | ISR.r), ("tak r4=r6", ISR.na | ISR.r | 3), ("ldfd f6=[r6]", ISR.r), ("stfd [r6]=f1", ISR.w),
      ("ptc.l r6,r5", 0), ("mov psr.um=r6", 0), ("mov ar.k0=r6", 0), ("ld8.fill r4=[r6]", ISR.r),
      ("st8.spill [r6]=r5", ISR.w), ("fetchadd4.acq r4=[r6],1", ISR.r | ISR.w), ("st8 [r5]=r6", ISR.w),
    ]
    for (instruction, isr) in cases {
      let machine = try TestMachine("nop.m 0\n\(instruction) ;;")
      machine[gr: 5] = TestMachine.data
      machine[nat: 6] = true
      let slot: UInt64 = instruction.hasPrefix("mov b") || instruction.hasPrefix("mov pr=") ? 1 : 0
      machine.expect(
        .natConsumption,
        DeliveredInterruption(
          psr: PSR.ic, resume: (Self.code + 16, slot), isr: isr | 0x10, previous: slot == 0 ? Self.code : Self.code + 16))
    }
  }

  @Test("st8.spill of a NaT register writes UNAT instead") func spillsNaT() throws {
    let machine = try TestMachine("st8.spill [r5]=r6 ;;")
    machine[gr: 5] = TestMachine.data + 24
    machine[nat: 6] = true
    #expect(machine.run() == .done)
    #expect(machine[ar: AR.unat] == 8)
  }

  @Test("NaTVal stored by stf is a Register NaT Consumption; stf.spill writes it") func natVal() throws {
    let machine = try TestMachine("nop.m 0\nstfd [r5]=f6 ;;")
    machine[gr: 5] = TestMachine.data
    machine[fr: 6] = .natVal
    machine.expect(
      .natConsumption, DeliveredInterruption(psr: PSR.ic, resume: (Self.code + 16, 0), isr: ISR.w | 0x10, previous: Self.code))
  }

  @Test(
    "Floating-point Fault: the codes of V, D, Z and software assist",
    arguments: [
      ("frcpa.s0 f4,p6=f6,f0", 2, 4), ("fma.d.s0 f4=f8,f8,f8", 0, 1), ("fma.d.s0 f4=f9,f1,f6", 1, 2),
    ] as [(String, UInt64, UInt64)]) func floatingPointFault(_ instruction: String, _ bit: UInt64, _ code: UInt64) throws
  {
    let machine = try TestMachine("nop.m 0\n\(instruction) ;;")
    machine[fr: 6] = .one
    // A signalling NaN, and a number without its leading bit.
    machine[fr: 8] = FloatRegister(significand: 0x8000_0000_0000_0001, signExponent: 0x1FFFF)
    machine[fr: 9] = FloatRegister(significand: 1, signExponent: 0xFFFF)
    machine[ar: AR.fpsr] = 0x9804_C027_0033F & ~(1 << bit)
    machine.expect(
      .floatingPointFault,
      DeliveredInterruption(psr: PSR.ic, resume: (Self.code + 16, 1), isr: code, previous: Self.code + 16))
    #expect(machine[fr: 4] == FloatRegister.zero)
  }

  @Test("Floating-point Trap: inexact; the result is written, IIP names the next instruction") func floatingPointTrap() throws {
    let machine = try TestMachine("nop.m 0\nfma.d.s0 f4=f6,f1,f7 ;;")
    machine[fr: 6] = .one
    machine[fr: 7] = FloatRegister(significand: 1 << 63, signExponent: 0xFFFF - 70)
    machine[ar: AR.fpsr] = 0x9804_C027_0033F & ~(1 << 5)
    // fp, and I of the scalar result; it is rounded towards zero, so fpa is 0.
    machine.expect(
      .floatingPointTrap,
      DeliveredInterruption(
        psr: PSR.ic | PSR.mfl, resume: (Self.code + 16, 2), isr: 0x2001, slot: 1, previous: Self.code + 16))
    #expect(machine[fr: 4] == FloatRegister.one)
  }
}
