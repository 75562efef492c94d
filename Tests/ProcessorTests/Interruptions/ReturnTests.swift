import IA64
import Processor
import Testing

/// rfi (Volume 3): PSR from IPSR, IP from IIP, slot from IPSR.ri, frame from IFS.
@Suite("Return from interruption")
struct ReturnTests {
  /// A handler-like machine: `rfi` with PSR.ic = 0, and code at `data` to return to.
  private func machine(_ target: String, ipsr: UInt64, psr: UInt64 = 0) throws -> TestMachine {
    let machine = try TestMachine("rfi ;;", psr: psr)
    try machine.place(target, at: TestMachine.data)
    machine[cr: CR.ipsr] = ipsr
    machine[cr: CR.iip] = TestMachine.data
    return machine
  }

  @Test("To each slot; IIP{3:0} is ignored") func slots() throws {
    for slot in 0..<3 as Range<UInt64> {
      let machine = try machine(
        "{ .mii\n adds r4=1,r4\n adds r5=1,r5\n adds r6=1,r6\n }\nbreak.m 1", ipsr: PSR.ic | slot << PSR.riShift)
      machine[cr: CR.iip] = TestMachine.data | 0xF
      #expect(machine.run() == .interruption(.breakInstruction))
      #expect([machine[gr: 4], machine[gr: 5], machine[gr: 6]] == [slot > 0 ? 0 : 1, slot > 1 ? 0 : 1, 1])
      #expect(machine.interruption.iip == TestMachine.data + 16)
      #expect(machine.interruption.ipsr == PSR.ic)
    }
  }

  @Test("To slot 1 of a long instruction; to its slot 2 is illegal there") func longInstruction() throws {
    let first = try machine("{ .mlx\n adds r5=1,r5\n movl r4=0x123456789\n }\nbreak.m 1", ipsr: PSR.ic | 1 << PSR.riShift)
    #expect(first.run() == .interruption(.breakInstruction))
    #expect(first[gr: 4] == 0x1_2345_6789)
    #expect(first[gr: 5] == 0)
    let second = try machine("{ .mlx\n nop 0\n movl r4=0x123456789\n }", ipsr: PSR.ic | 2 << PSR.riShift)
    #expect(second.run() == .interruption(.generalException))
    #expect(second.interruption.iip == TestMachine.data)
    #expect(second.interruption.isr == 2 << ISR.eiShift)
    #expect(second.interruption.ipsr == PSR.ic | 2 << PSR.riShift)
  }

  @Test("All of PSR comes from IPSR: bank, level, modes") func wholePSR() throws {
    let ipsr =
      PSR.ic | PSR.bn | 2 << PSR.cplShift | PSR.mfl | PSR.up | PSR.pp | PSR.dfh | PSR.sp | PSR.di | PSR.si | PSR.mc | PSR.ac
    let machine = try machine("break.m 1", ipsr: ipsr)
    machine.each { $0.state.otherBank[4] = 0xB1 }
    #expect(machine.run() == .interruption(.breakInstruction))
    #expect(machine.interruption.ipsr == ipsr)
    #expect(machine.state.otherBank[4] == 0xB1)
  }

  @Test("IFS.v = 0 keeps the frame, whatever ifm says") func invalidIFS() throws {
    let machine = try machine("break.m 1", ipsr: PSR.ic)
    machine[cr: CR.ifs] = 40 | 7 << 7
    machine[gr: 33] = 77
    let frame = machine.blocks.cfm
    #expect(machine.run() == .interruption(.breakInstruction))
    #expect(machine.blocks.cfm == frame)
    #expect(machine.state.pointee.bsp == TestMachine.backingStore)
    #expect(machine[gr: 33] == 77)
  }

  @Test("IFS.v = 1 after cover brings the interrupted frame back: sof registers, CFM, BSP") func validIFS() throws {
    // A handler that covers and returns.
    let machine = try TestMachine(
      "alloc r4=ar.pfs,0,20,0,8 ;;\nbreak.m 1\nmov r5=r34\nadds r6=0,r51",
      handlers: [
        .breakInstruction:
          "cover ;;\nmov r17=cr.iip ;;\nadds r17=16,r17 ;;\nmov cr.iip=r17\nmov r20=cr.ifs\nmov r21=ar.bsp ;;\nrfi ;;"
      ])
    machine[gr: 34] = 0x34
    machine[gr: 51] = 0x51
    #expect(machine.run() == .done)
    #expect(machine[gr: 5] == 0x34)
    #expect(machine.blocks.cfm == 20 | 20 << 7 | 1 << 14)
    #expect(machine.state.pointee.bsp == TestMachine.backingStore)
    // In the handler: cover wrote IFS because PSR.ic was 0, and moved BSP by the whole frame.
    #expect(machine[gr: 20] == UInt64(1) << 63 | 20 | 20 << 7 | 1 << 14)
    #expect(machine[gr: 21] == TestMachine.backingStore + 20 * 8)
  }

  @Test("cover with PSR.ic = 1 leaves IFS alone") func coverCollecting() throws {
    let machine = try TestMachine("cover ;;")
    machine[cr: CR.ifs] = 0x1234
    #expect(machine.run() == .done)
    #expect(machine[cr: CR.ifs] == 0x1234)
    #expect(machine.blocks.cfm == 0)
  }

  @Test("IFS.v = 1 with an empty register file: the frame is loaded from the backing store") func loadsFrame() throws {
    let machine = try machine("adds r4=0,r33\nbreak.m 1", ipsr: PSR.ic)
    machine.each {
      $0.setCFM(0)
      $0.state.pointee.bsp = TestMachine.backingStore + 32
      $0.state.pointee.bspStore = TestMachine.backingStore + 32
    }
    machine[cr: CR.ifs] = 1 << 63 | 4 | 2 << 7
    for i in 0..<4 as Range<UInt64> { machine.store(TestMachine.backingStore + i * 8, 0x100 + i) }
    #expect(machine.run() == .interruption(.breakInstruction))
    #expect(machine[gr: 4] == 0x101)
    #expect(machine.state.pointee.bsp == TestMachine.backingStore)
    #expect(machine.blocks.cfm == 4 | 2 << 7)
  }

  @Test("A mandatory load that misses: reported at the target with ISR.ir and rs, slot of the target; PSR.ri kept")
  func loadFaults() throws {
    let psr = PSR.it | PSR.dt | PSR.rt
    let machine = try machine("{ .mii\n nop 0\n nop 0\n nop 0\n }", ipsr: psr | PSR.ic | 1 << PSR.riShift, psr: psr)
    machine.mapMemory()
    machine.each {
      $0.setCFM(0)
      $0.state.pointee.bsp = 1 << 61 | 0x1020
      $0.state.pointee.bspStore = 1 << 61 | 0x1020
    }
    machine[cr: CR.ifs] = 1 << 63 | 4
    #expect(machine.run() == .interruption(.alternateDataTLB))
    #expect(machine.interruption.isr == ISR.r | ISR.rs | ISR.ir | 1 << ISR.eiShift)
    #expect(machine.interruption.iip == TestMachine.data)
    #expect(machine.interruption.ifa == 1 << 61 | 0x1018)
    #expect(machine.interruption.ipsr == psr | PSR.ic | 1 << PSR.riShift)
    #expect(!machine.state.pointee.frameIncomplete)
  }

  @Test("To level 3: the target page must be executable there") func lowerPrivilege() throws {
    let psr = PSR.it | PSR.dt | PSR.rt
    let machine = try machine("nop.m 0", ipsr: psr | PSR.ic | 3 << PSR.cplShift, psr: psr)
    machine.mapMemory(level: 0)
    #expect(machine.run() == .interruption(.instructionAccessRights))
    #expect(machine.interruption.isr == ISR.x)
    #expect(machine.interruption.ipsr == psr | PSR.ic | 3 << PSR.cplShift)
  }

  @Test("Bits for one instruction hold for the first instruction only, also if it is predicated off") func oneShot() throws {
    for first in ["nop.m 0", "(p6) ld8 r4=[r5]"] {
      let psr = PSR.ic | PSR.id | PSR.da | PSR.dd | PSR.ed | PSR.ia
      let machine = try machine("\(first)\nbreak.m 1", ipsr: psr)
      #expect(machine.run() == .interruption(.breakInstruction))
      #expect(machine.interruption.ipsr == PSR.ic)
    }
    // A fault of that very instruction finds them still set.
    let machine = try machine("break.m 1", ipsr: PSR.ic | PSR.id | PSR.ed)
    #expect(machine.run() == .interruption(.breakInstruction))
    #expect(machine.interruption.ipsr == PSR.ic | PSR.id | PSR.ed)
  }

  @Test("An rfi that runs under one-shot bits itself hands over those of IPSR") func oneShotOfReturn() throws {
    let machine = try machine("rfi ;;", ipsr: PSR.ed | 2 << PSR.riShift)
    machine[cr: CR.iip] = TestMachine.data
    // The second rfi, at the target, runs with PSR.ed; IPSR still has it, and the target is the second rfi again.
    machine.run(slots: 100)
    #expect(machine.psr & PSR.ed != 0)
  }

  @Test("PSR.ia suppresses the instruction access bit, da the access and dirty bits, for one instruction") func suppression() throws
  {
    let psr = PSR.it | PSR.dt | PSR.rt
    for (bits, expected) in [
      (0, Vector.instructionAccessBit), (PSR.ia, .dirtyBit), (PSR.ia | PSR.da, .instructionAccessBit),
    ] as [(UInt64, Vector)] {
      let machine = try TestMachine("rfi ;;", psr: psr)
      machine.mapMemory()
      let page: UInt64 = 1 << 61
      try machine.place("st8 [r5]=r6\nnop.m 0", at: TestMachine.data)
      machine.map(instruction: true, virtual: page, physical: TestMachine.data, shift: 12, accessed: false)
      machine.map(instruction: false, virtual: page, physical: TestMachine.data + 0x1000, shift: 12, accessed: false, dirty: false)
      machine[gr: 5] = page
      machine[gr: 6] = 0x55
      machine[cr: CR.ipsr] = psr | PSR.ic | bits
      machine[cr: CR.iip] = page
      #expect(machine.run() == .interruption(expected))
      #expect(machine.load(TestMachine.data + 0x1000) == (bits & PSR.da != 0 ? 0x55 : 0))
      #expect(machine.interruption.slot == (bits & PSR.da != 0 ? 1 : 0))
    }
  }

  @Test("PSR.ed defers the first instruction's speculative load without looking, and squashes lfetch.fault") func forcedDeferral()
    throws
  {
    let speculative = try machine("ld8.s r4=[r5]\nbreak.m 1", ipsr: PSR.ic | PSR.ed)
    speculative[gr: 5] = TestMachine.data
    #expect(speculative.run() == .interruption(.breakInstruction))
    #expect(speculative[nat: 4])
    #expect(speculative.interruption.ipsr == PSR.ic)
    // The address is not implemented: without PSR.ed this faults.
    for (bits, vector) in [(PSR.ed, Vector.breakInstruction), (0, .generalException)] {
      let prefetch = try machine("lfetch.fault [r5]\nbreak.m 1", ipsr: PSR.ic | bits)
      prefetch[gr: 5] = 1 << 55
      #expect(prefetch.run() == .interruption(vector))
    }
  }
}
