import IA64
import Processor
import Testing

/// Disabled FP-Register faults (Volume 2, section 3.3.2 and vector 0x5500): PSR.dfl guards f2...f31, PSR.dfh f32...f127; ISR.code
/// tells by bit 0 and bit 1 which of them the instruction names.
@Suite("Disabled floating-point registers")
struct DisabledFloatTests {
  /// One instruction of each class that names FP registers; `%` is a register of the set under test.
  static let instructions = [
    "fma.s0 %=f1,f1,f0", "fma.s0 f0=%,f1,f0", "fms.d.s0 f0=f1,%,f0", "fnma.s.s1 f0=f1,f1,%", "xma.l %=f1,f1,f0",
    "xma.hu f0=%,f1,f0",
    "fmin %=f1,f1", "famax.s0 f0=%,f1", "fcmp.eq p6,p7=%,f1", "fcmp.lt p6,p7=f1,%", "fclass.m p6,p7=%,0x1", "frcpa %,p6=f1,f1",
    "frcpa f0,p6=%,f1", "frsqrta f0,p6=%", "fprcpa %,p6=f1,f1", "fcvt.fx %=f1", "fcvt.fxu.trunc f0=%", "fcvt.xf %=f1",
    "fcvt.xf f0=%", "fmerge.s %=f1,f1", "fmerge.se f0=f1,%", "fmix.l f0=%,f1", "fsxt.r f0=%,f1", "fpack f0=%,f1", "fswap f0=%,f1",
    "fand f0=%,f1", "fselect f0=f1,f1,%", "fpma.s0 f0=%,f1,f0", "fpmin.s0 f0=%,f1", "fpcmp.eq f0=%,f1", "fpcvt.fx f0=%",
    "fpmerge.s f0=%,f1", "setf.sig %=r4", "setf.d %=r4", "getf.sig r4=%", "getf.exp r4=%", "ldfd %=[r5]", "ldfs.s %=[r5]",
    "ldfe.a %=[r5]",
    "ldf8 %=[r5],8", "ldf.fill %=[r5]", "stfd [r5]=%", "stf.spill [r5]=%,16", "ldfpd %,f1=[r5]", "chk.s %,done", "chk.a.nc %,done",
    "invala.e %",
  ]

  /// With f0 or f1 as the other target the instruction would be illegal: those operands take a register of the same set.
  private func text(_ instruction: String, _ register: Int) -> String {
    var text = instruction.replacing("f0=", by: "f\(register + 1)=").replacing("f0,p", by: "f\(register + 1),p")
    if text.hasPrefix("ldfp") { text = text.replacing("f1=", by: "f\(register + 1)=") }
    return text.replacing("%", by: "f\(register)")
  }

  @Test("Each class faults with its set disabled, and only then", arguments: instructions) func classes(_ instruction: String)
    throws
  {
    for (register, bit, code, other) in [(4, PSR.dfl, 1, PSR.dfh), (62, PSR.dfh, 2, PSR.dfl)] as [(Int, UInt64, UInt64, UInt64)] {
      // invala.e names a register without touching it (Volume 3, invala has no such fault).
      let faults = !instruction.hasPrefix("invala")
      let text = text(instruction, register)
      let disabled = try TestMachine("nop.m 0\n\(text) ;;", psr: PSR.ic | bit)
      disabled[gr: 5] = TestMachine.data
      DeliveredInterruption.mark(disabled)
      #expect(disabled.run() == (faults ? .interruption(.disabledFP) : .done), "\(text)")
      if faults {
        #expect(disabled.interruption.isr & ~(3 << ISR.eiShift) == code, "\(text)")
        #expect(disabled.interruption.iip == TestMachine.code + 16)
        #expect(disabled.interruption.ifa == DeliveredInterruption.unwritten)
      }
      let enabled = try TestMachine("nop.m 0\n\(text) ;;", psr: PSR.ic | other)
      enabled[gr: 5] = TestMachine.data
      #expect(enabled.run() == .done, "\(text) with the other set disabled")
      let off = try TestMachine("nop.m 0\n(p8) \(text) ;;", psr: PSR.ic | bit)
      #expect(off.run() == .done, "\(text) predicated off")
    }
  }

  @Test("Both sets disabled and named: both bits") func both() throws {
    let machine = try TestMachine("fma.s0 f4=f40,f1,f0 ;;", psr: PSR.ic | PSR.dfl | PSR.dfh)
    #expect(machine.run() == .interruption(.disabledFP))
    #expect(machine.interruption.isr == 3 | 1 << ISR.eiShift)
  }

  @Test("f0 and f1 are never disabled") func constants() throws {
    let machine = try TestMachine("fcmp.eq p6,p7=f0,f1\nstfd [r5]=f1 ;;", psr: PSR.ic | PSR.dfl | PSR.dfh)
    machine[gr: 5] = TestMachine.data
    #expect(machine.run() == .done)
    #expect(machine.load(TestMachine.data) == 0x3FF0_0000_0000_0000)
  }

  @Test("In the middle of a block the instructions before it have happened; after repair it goes on") func middleOfBlock() throws {
    let machine = try TestMachine(
      """
      adds r4=1,r4
      adds r6=1,r6
      { .mfi
        adds r7=1,r7
        fma.s0 f40=f1,f1,f0
        adds r8=1,r8
      }
      getf.sig r9=f40
      """, psr: PSR.ic | PSR.dfh,
      handlers: [.disabledFP: "mov r16=cr.ipsr\nmovl r17=0xfffffffffff7ffff ;;\nand r16=r16,r17 ;;\nmov cr.ipsr=r16 ;;\nrfi ;;"])
    #expect(machine.run() == .done)
    #expect([4, 6, 7, 8].map { machine[gr: $0] } == [1, 1, 1, 1])
    #expect(machine[gr: 9] == 1 << 63)
    #expect(machine.psr & (PSR.mfh | PSR.mfl | PSR.dfh) == PSR.mfh)
  }

  @Test("Illegal Operation comes before it, Register NaT Consumption after it") func priority() throws {
    let illegal = try TestMachine("ldfpd f4,f6=[r5] ;;", psr: PSR.ic | PSR.dfl)
    #expect(illegal.run() == .interruption(.generalException))
    let nat = try TestMachine("ldfd f4=[r5] ;;", psr: PSR.ic | PSR.dfl)
    nat[nat: 5] = true
    #expect(nat.run() == .interruption(.disabledFP))
  }
}
