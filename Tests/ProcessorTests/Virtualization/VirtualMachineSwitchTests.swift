import IA64
import Processor
import Testing

/// vmsw.0 and vmsw.1 (Volume 3, vmsw; Volume 2, section 11.7.4.3.1).
@Suite("vmsw")
struct VirtualMachineSwitchTests {
  static let virtual = PSR.ic | PSR.it | PSR.dt | PSR.rt
  static let page: UInt64 = 1 << 61 | 0x4000

  /// vmsw on a page in region 1, behind it a break.
  private func machine(
    _ text: String, rights: UInt8 = 7, level: UInt8 = 0, psr: UInt64 = virtual, vdc: VirtualProcessorDescriptor.Disables = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> TestMachine {
    let machine = try GuestMachine.make("br.cond.sptk.many b6 ;;", vdc: vdc, psr: psr, sourceLocation: sourceLocation)
    machine.mapMemory()
    machine.map(instruction: true, virtual: Self.page, physical: TestMachine.data, shift: 14, rights: rights, level: level)
    try machine.place("{ .mib\n nop 0\n nop 0\n \(text) ;;\n }\nbreak.m 0x42 ;;", at: TestMachine.data)
    machine[br: 6] = Self.page
    return machine
  }

  @Test("On a page with rights 7: PSR.vm and nothing else changes, in both directions, from both") func switches() throws {
    for from in [0, PSR.vm] {
      for (text, to) in [("vmsw.0", 0), ("vmsw.1", PSR.vm)] as [(String, UInt64)] {
        let machine = try machine(text, psr: Self.virtual | from | PSR.mfl | PSR.bn)
        #expect(machine.run() == .interruption(.breakInstruction))
        #expect(machine.interruption.ipsr == Self.virtual | to | PSR.mfl | PSR.bn)
        #expect(machine.interruption.iip == Self.page + 16)
      }
    }
  }

  @Test("The next group runs with the new value") func takesEffect() throws {
    let on = try machine("vmsw.1")
    try on.place("mov r6=psr ;;", at: TestMachine.data + 16)
    #expect(on.run() == .interruption(.virtualization))
    #expect(on.interruption.iip == Self.page + 16)
    #expect(on[gr: 24] == 7)
    let off = try machine("vmsw.0", psr: Self.virtual | PSR.vm)
    try off.place("mov r6=psr ;;\nbreak.m 1", at: TestMachine.data + 16)
    #expect(off.run() == .interruption(.breakInstruction))
    #expect(off[gr: 6] == Self.virtual)
  }

  private func expectIntercept(
    _ machine: TestMachine, at bundle: UInt64, _ text: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    machine.expectIntercept(
      .vmsw, opcode: try GuestMachine.opcode(text, .b), bundle: bundle, slot: 2, sourceLocation: sourceLocation)
  }

  @Test("Other access rights") func otherRights() throws {
    for text in ["vmsw.0", "vmsw.1"] {
      for rights in [1, 3, 5] as [UInt8] {
        let machine = try machine(text, rights: rights, psr: Self.virtual | PSR.vm)
        try expectIntercept(machine, at: Self.page, text)
      }
    }
  }

  @Test("With PSR.it = 0") func physical() throws {
    for text in ["vmsw.0", "vmsw.1"] {
      let machine = try GuestMachine.make("{ .mib\n nop 0\n nop 0\n \(text) ;;\n }", psr: GuestMachine.psr)
      try expectIntercept(machine, at: TestMachine.code, text)
    }
  }

  @Test("d_vmsw, whatever PSR.vm is") func disabled() throws {
    for text in ["vmsw.0", "vmsw.1"] {
      for vm in [0, PSR.vm] {
        let machine = try machine(text, psr: Self.virtual | vm, vdc: .vmsw)
        #expect(machine.run() == .interruption(.virtualization))
        #expect(machine[gr: 24] == 40)
        #expect(machine.interruption.ipsr == Self.virtual | vm | 2 << PSR.riShift)
        let others = try self.machine(text, psr: Self.virtual | vm, vdc: .implemented.subtracting(.vmsw))
        #expect(others.run() == .interruption(.breakInstruction))
      }
    }
  }

  @Test("Below level 0: Privileged Operation") func privilege() throws {
    for text in ["vmsw.0", "vmsw.1"] {
      for level in 1...3 as ClosedRange<UInt64> {
        for vm in [0, PSR.vm] {
          let machine = try machine(text, level: 0, psr: Self.virtual | level << PSR.cplShift | vm)
          #expect(machine.run() == .interruption(.generalException))
          #expect(machine.interruption.isr == 0x10 | 2 << ISR.eiShift)
        }
      }
    }
  }

  @Test("Without an environment, and with the feature or all of them switched off: the fault, not Illegal Operation")
  func unavailable() throws {
    let changes: [(inout VirtualEnvironment) -> Void] = [{ $0.isActive = false }, { $0.hasVMSW = false }]
    for change in changes {
      for text in ["vmsw.0", "vmsw.1"] {
        let machine = try machine(text)
        machine.each { change(&$0.state.pointee.virtualEnvironment) }
        #expect(machine.run() == .interruption(.virtualization))
        #expect(machine.interruption.ipsr == Self.virtual | 2 << PSR.riShift)
        #expect(machine.interruption.iip == Self.page)
      }
    }
  }
}
