import IA64
import Processor
import Testing

/// Every virtualized instruction without accelerations: the Virtualization fault and its handoff (Volume 2, sections 3.4 and 11.7.3).
@Suite("Virtualization intercepts")
struct InterceptTests {
  private func machine(_ instruction: VirtualizedInstruction, slot: Int, psr: UInt64 = GuestMachine.psr, handler: String? = nil)
    throws
    -> TestMachine
  {
    let source = "nop.m 0 ;;\n" + GuestMachine.bundle(instruction.text, instruction.unit, slot: slot)
    let handlers = handler.map { [Vector.virtualization: $0] } ?? [:]
    let machine = try GuestMachine.make(source, psr: psr | instruction.psr, handlers: handlers)
    for n in 1..<48 where n != 12 { machine[gr: n] = 0xA000 + UInt64(n) }
    machine.each { p in for n in 0..<16 { p.state.otherBank[n] = 0xB000 + UInt64(n) } }
    instruction.prepare(machine)
    return machine
  }

  @Test("Causes are all there, each with its number") func causes() {
    #expect(Set(VirtualizedInstruction.all.map(\.cause)) == Set(1...39))
    #expect(InterceptCause.allCases.map(\.rawValue) == Array(1...40))
  }

  @Test(
    "Vector 0x6100, cause and opcode in bank 0, IPSR.vm, IIP and ISR.ei; nothing else has changed",
    arguments: VirtualizedInstruction.all)
  func handoff(_ instruction: VirtualizedInstruction) throws {
    for slot in 0..<(instruction.unit == .b ? 3 : 2) {
      let machine = try machine(instruction, slot: slot)
      let before = (0..<48).map { machine[gr: $0] }
      let files = (0..<8).map { machine.state.rr[$0] }
      let code = TestMachine.code
      let counter = machine[ar: AR.itc]
      machine.expect(
        .virtualization,
        .init(
          psr: GuestMachine.psr | instruction.psr, resume: (code + 16, UInt64(slot)), isr: 0, previous: slot == 0 ? code : code + 16
        ))
      #expect(machine.ip == TestMachine.handlers + 0x6100)
      #expect(machine[gr: 24] == instruction.cause)
      #expect(machine[gr: 25] == (try GuestMachine.opcode(instruction.text, instruction.unit)))
      // Bank 0 is visible: of it, only GR24 and GR25 are new; the guest's registers are in bank 1.
      for n in 0..<16 where n != 8 && n != 9 { #expect(machine[gr: 16 + n] == 0xB000 + UInt64(n)) }
      for n in 0..<16 { #expect(machine.state.otherBank[n] == before[16 + n]) }
      for n in Array(1..<16) + Array(32..<48) { #expect(machine[gr: n] == before[n]) }
      #expect(machine.state.pointee.natLow == 0)
      #expect((0..<8).map { machine.state.rr[$0] } == files)
      #expect(machine.blocks.cfm == 16 | 8 << 7)
      #expect(machine[ar: AR.itc] &- counter < 100)
      #expect((1..<8).allSatisfy { n in (0..<8).allSatisfy { machine[vpd: 0x400 * n + 8 * $0] == 0 } })
    }
  }

  @Test("rfi with IPSR.vm = 1 executes it again; behind an emulation the guest goes on", arguments: VirtualizedInstruction.all)
  func resumption(_ instruction: VirtualizedInstruction) throws {
    // Counts in r8; the third time it skips the instruction.
    let handler = """
      adds r8=1,r8
      mov r21=pr ;;
      cmp.ltu p6,p7=2,r8
      (p07) br.cond.sptk.few again ;;
      mov pr=r21,-2
      \(GuestMachine.skip)
      again: mov pr=r21,-2 ;;
      rfi ;;
      """
    let machine = try machine(instruction, slot: 1, handler: handler)
    machine[gr: 8] = 0
    let bank1 = (16..<32).map { machine[gr: $0] }
    #expect(machine.run() == .done)
    #expect(machine[gr: 8] == 3)
    #expect(machine.psr == GuestMachine.psr | instruction.psr)
    #expect((16..<32).map { machine[gr: $0] } == bank1)
  }

  @Test(
    "Below level 0: Privileged Operation, as without PSR.vm; what every level may use is intercepted",
    arguments: VirtualizedInstruction.all)
  func privilege(_ instruction: VirtualizedInstruction) throws {
    for level in 1...3 as ClosedRange<UInt64> {
      let machine = try machine(instruction, slot: 0, psr: GuestMachine.psr | level << PSR.cplShift)
      if instruction.isPrivileged {
        #expect(machine.run() == .interruption(.generalException))
        #expect(machine.interruption.isr == 0x10 | instruction.code)
        #expect(machine.interruption.ipsr & PSR.vm != 0)
      } else if instruction.cause <= 2 {
        // Writing ITC is privileged in a way of its own.
        #expect(machine.run() == .interruption(.generalException))
        #expect(machine.interruption.isr == 0x20)
      } else {
        machine.expectIntercept(InterceptCause(rawValue: UInt8(instruction.cause)) ?? .vmsw, slot: 0)
      }
    }
  }

  @Test("With a false predicate nothing is intercepted", arguments: VirtualizedInstruction.all.filter { $0.unit == .m })
  func predicatedOff(_ instruction: VirtualizedInstruction) throws {
    let machine = try GuestMachine.make("(p6) \(instruction.text) ;;")
    #expect(machine.run() == .done)
  }

  @Test("Without PAL_VP_INIT_ENV the vector is the same, and GR24 and GR25 are left alone") func noEnvironment() throws {
    let machine = try TestMachine("mov r6=psr", psr: GuestMachine.psr)
    machine.each {
      $0.state.otherBank[8] = 8; $0.state.otherBank[9] = 9
    }
    #expect(machine.run() == .interruption(.virtualization))
    #expect((machine[gr: 24], machine[gr: 25]) == (8, 9))
  }

  @Test("The cause is given only to those who asked for it; the opcode always") func noCause() throws {
    let machine = try GuestMachine.make("mov r6=psr")
    machine.each {
      $0.state.pointee.virtualEnvironment.givesCause = false
      $0.state.otherBank[8] = 0x77
    }
    #expect(machine.run() == .interruption(.virtualization))
    #expect(machine[gr: 24] == 0x77)
    #expect(machine[gr: 25] == (try GuestMachine.opcode("mov r6=psr", .m)))
  }

  @Test("NaT bits of bank 0 do not reach GR24 and GR25; the others stay") func handoffNaTs() throws {
    let machine = try GuestMachine.make("mov r6=psr")
    machine.each { $0.state.pointee.otherBankNaT = 0xFFFF }
    #expect(machine.run() == .interruption(.virtualization))
    #expect((16..<32).filter { !machine[nat: UInt8($0)] } == [24, 25])
  }

  @Test("The handler that PAL_VP_CREATE was given takes the place of the vector, for intercepts only") func ownHandler() throws {
    let machine = try GuestMachine.make("mov r6=psr")
    try machine.park(TestMachine.data)
    machine.each { #expect($0.setVirtualProcessor(GuestMachine.vpd, interceptHandler: TestMachine.data)) }
    machine.run()
    #expect(machine.ip == TestMachine.data)
    #expect(machine[gr: 24] == 7)
    #expect(machine.interruption.iip == TestMachine.code)
    let other = try GuestMachine.make("break.m 5")
    other.each { #expect($0.setVirtualProcessor(GuestMachine.vpd, interceptHandler: TestMachine.data)) }
    #expect(other.run() == .interruption(.breakInstruction))
  }

  @Test("Any interruption clears PSR.vm, which IPSR keeps, and goes to the host's IVA") func interruptions() throws {
    let guests: [(String, Vector)] = [
      ("break.m 7", .breakInstruction), ("ld8 r4=[r4]", .unalignedReference), ("mov r4=ar8", .generalException),
    ]
    for (text, vector) in guests {
      let machine = try GuestMachine.make("nop.m 0 ;;\n\(text) ;;", psr: GuestMachine.psr | PSR.ac)
      machine[gr: 4] = TestMachine.data + 1
      #expect(machine.run() == .interruption(vector), "\(text)")
      #expect(machine.interruption.ipsr & PSR.vm != 0)
      #expect(machine.psr & (PSR.vm | PSR.bn | PSR.ic | PSR.i) == 0)
    }
  }

  @Test("A guest's break at a firmware's gate is a break") func gates() throws {
    for virtual in [true, false] {
      let machine = try GuestMachine.make("break.m 0x100055 ;;", psr: virtual ? GuestMachine.psr : PSR.ic)
      machine.each { $0.firmwareGates = TestMachine.code..<TestMachine.code + 0x1000 }
      #expect(machine.run() == (virtual ? .interruption(.breakInstruction) : .done))
    }
  }

  @Test("What is not virtualized runs at its own speed") func notVirtualized() throws {
    for text in [
      "sum 2", "rum 2", "mov psr.um=r0", "mov r6=psr.um", "mov r6=pmd[r5]", "epc", "flushrs", "loadrs", "fc r5", "fc.i r5",
      "probe.r r6=r5,0", "probe.w r6=r5,r5", "probe.rw.fault r5,0", "srlz.d", "srlz.i", "sync.i", "mf", "invala", "mov.m ar.k0=r5",
      "mov.m r6=ar.k0", "mov.m ar.ccv=r5", "mov.m r6=ar.bsp", "mov.m r6=ar.itc", "hint.m 0", "clrrrb",
    ] {
      let machine = try GuestMachine.make("\(text) ;;")
      machine.mapMemory()
      machine[gr: 5] = 0
      #expect(machine.run() == .done, "\(text)")
      #expect(machine.psr & PSR.vm != 0)
    }
  }
}
