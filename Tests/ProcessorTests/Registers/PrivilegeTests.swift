import IA64
import Processor
import Testing

/// Privilege levels across calls, returns and epc (Volume 2, section 3.2.1 and 4.1.1.6; Volume 3: br, brl, epc).
@Suite("Privilege levels")
struct PrivilegeTests {
  static let virtual = PSR.ic | PSR.it | PSR.dt | PSR.rt
  static let gate: UInt64 = 1 << 61 | 0x4000

  @Test("br.call and brl.call save the level in PFS.ppl, with EC and the frame") func calls() throws {
    for text in [
      "{ .mib\n nop 0\n nop 0\n br.call.sptk.many b3=there ;;\n }", "{ .mlx\n nop 0\n brl.call.sptk.many b3=there ;;\n }",
    ] {
      for level in 0...3 as ClosedRange<UInt64> {
        let machine = try TestMachine("\(text)\nbreak.m 1\nthere: mov r4=ar.pfs ;;", psr: PSR.ic | level << PSR.cplShift)
        machine[ar: AR.ec] = 0x2A
        #expect(machine.run() == .done)
        #expect(machine[gr: 4] == level << 62 | 0x2A << 52 | 16 | 8 << 7)
        #expect(machine[br: 3] == TestMachine.code + 16)
        #expect(machine.blocks.cfm == 8)
      }
    }
  }

  @Test("br.ret takes the lower of the two privileges, and EC") func returns() throws {
    for level in 0...3 as ClosedRange<UInt64> {
      for previous in 0...3 as ClosedRange<UInt64> {
        let machine = try TestMachine("br.ret.sptk.many b6 ;;", psr: PSR.ic | level << PSR.cplShift)
        machine[br: 6] = machine.labels["done"] ?? 0
        machine[ar: AR.pfs] = previous << 62 | 5 << 52
        #expect(machine.run() == .done)
        #expect(PSR.cpl(machine.psr) == max(level, previous))
        #expect(machine[ar: AR.ec] == 5)
      }
    }
  }

  @Test("After a demotion the target is fetched at the new level") func demotedFetch() throws {
    let machine = try TestMachine("br.ret.sptk.many b6 ;;", psr: Self.virtual)
    machine.mapMemory(level: 0)
    machine[br: 6] = machine.labels["done"] ?? 0
    machine[ar: AR.pfs] = 3 << 62
    #expect(machine.run() == .interruption(.instructionAccessRights))
    #expect(machine.interruption.iip == machine.labels["done"])
    #expect(machine.interruption.ipsr == Self.virtual | 3 << PSR.cplShift)
    #expect(machine.interruption.iipa == TestMachine.code)
  }

  // MARK: epc

  /// A user program at level 3 that jumps to a gate page, and what stands there.
  private func gateMachine(_ page: String = "epc ;;", rights: UInt8 = 7, level: UInt8 = 0, ppl: UInt64 = 3) throws -> TestMachine {
    let machine = try TestMachine("br.cond.sptk.many b6 ;;", psr: Self.virtual | 3 << PSR.cplShift)
    machine.mapMemory()
    machine.map(instruction: true, virtual: Self.gate, physical: TestMachine.data, shift: 14, rights: rights, level: level)
    try machine.place("\(page)\nbreak.m 0x42", at: TestMachine.data)
    machine[br: 6] = Self.gate
    machine[ar: AR.pfs] = ppl << 62
    return machine
  }

  @Test("epc on a page with rights 7 takes the page's level; others keep theirs") func promotes() throws {
    for (rights, level, expected) in [(7, 0, 0), (7, 2, 2), (7, 3, 3), (1, 3, 3), (3, 3, 3), (5, 3, 3)] as [(UInt8, UInt8, UInt64)]
    {
      let machine = try gateMachine(rights: rights, level: level)
      #expect(machine.run() == .interruption(.breakInstruction))
      #expect(PSR.cpl(machine.interruption.ipsr) == expected, "rights \(rights), level \(level)")
    }
  }

  @Test("epc never lowers privilege") func neverLowers() throws {
    let machine = try TestMachine("epc ;;\nbreak.m 1", psr: Self.virtual | 1 << PSR.cplShift)
    machine.mapMemory(rights: 7, level: 3)
    machine[ar: AR.pfs] = 1 << 62
    #expect(machine.run() == .interruption(.breakInstruction))
    #expect(PSR.cpl(machine.interruption.ipsr) == 1)
  }

  @Test("epc is illegal if PFS.ppl is more privileged than the caller") func previousLevel() throws {
    for ppl in 0...3 as ClosedRange<UInt64> {
      let machine = try gateMachine(ppl: ppl)
      #expect(machine.run() == .interruption(ppl < 3 ? .generalException : .breakInstruction))
      if ppl < 3 { #expect(machine.interruption.isr & 0xFF == 0) }
    }
  }

  @Test("With PSR.it = 0 epc leads to level 0") func physical() throws {
    let machine = try TestMachine("epc ;;\nbreak.m 1", psr: PSR.ic | 3 << PSR.cplShift)
    machine[ar: AR.pfs] = 3 << 62
    #expect(machine.run() == .interruption(.breakInstruction))
    #expect(PSR.cpl(machine.interruption.ipsr) == 0)
  }

  @Test("epc whose page has left the instruction TLB is an Instruction TLB miss at epc, not a silent non-promotion")
  func evictedGate() throws {
    let machine = try gateMachine("{ .mbb\n st8 [r5]=r0\n epc\n nop 0 ;;\n }", level: 0)
    machine.bus.blocks.onAccess = { [blocks = machine.blocks] _ in blocks.purgeTranslations(virtual: Self.gate, pageShift: 14) }
    machine.bus.steps.onAccess = { [steps = machine.steps] _ in steps.purgeTranslations(virtual: Self.gate, pageShift: 14) }
    // A device register outside RAM: its write takes the page out of the TLB while the block runs.
    machine.map(instruction: false, virtual: 3 << 61, physical: 0x8000_0000, shift: 14, attribute: MemoryAttribute.uc)
    machine[gr: 5] = 3 << 61
    DeliveredInterruption.mark(machine)
    #expect(machine.run() == .interruption(.alternateInstructionTLB))
    let found = machine.interruption
    #expect(found.ifa == Self.gate)
    #expect(found.iip == Self.gate)
    #expect(PSR.cpl(found.ipsr) == 3)
    #expect(found.isr & ~(3 << ISR.eiShift) == ISR.x)
    #expect(machine[ar: AR.pfs] == 3 << 62)
  }

  @Test("A user returns to itself through PFS.ppl after epc") func roundTrip() throws {
    let machine = try TestMachine(
      "{ .mib\n nop 0\n nop 0\n br.call.sptk.many b0=b6 ;;\n }\nmov r7=ar.pfs\nbreak.m 0x43", psr: Self.virtual | 3 << PSR.cplShift)
    machine.mapMemory()
    machine.map(instruction: true, virtual: Self.gate, physical: TestMachine.data, shift: 14, rights: 7, level: 0)
    try machine.place("epc ;;\nmov r4=psr ;;\nbr.ret.sptk.many b0 ;;", at: TestMachine.data)
    machine[br: 6] = Self.gate
    #expect(machine.run() == .interruption(.breakInstruction))
    #expect(machine.interruption.iim == 0x43)
    #expect(PSR.cpl(machine.interruption.ipsr) == 3)
    // mov r = psr is privileged: it has run at level 0.
    #expect(machine[gr: 4] == Self.virtual)
    #expect(machine[gr: 7] >> 62 == 3)
  }
}
