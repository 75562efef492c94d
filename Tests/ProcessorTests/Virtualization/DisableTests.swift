import IA64
import Processor
import Testing

/// Virtualization disables (Volume 2, table 11-46): with its bit of vdc set, a guest works on the processor's own registers.
@Suite("Virtualization disables")
struct DisableTests {
  private typealias Disables = VirtualProcessorDescriptor.Disables

  @Test("Bit numbers") func bits() {
    let expected: [(Disables, UInt64)] = [
      (.vmsw, 1), (.externalInterrupts, 2), (.breakpoints, 4), (.performanceControls, 8), (.performanceData, 16),
      (.intervalTimer, 32),
    ]
    for (bit, value) in expected { #expect(bit.rawValue == value) }
    #expect(Disables.names.map(\.0) == ["d_vmsw", "d_extint", "d_ibr_dbr", "d_pmc", "d_to_pmd", "d_itm"])
    #expect(Disables.names.map(\.1) == expected.map(\.0))
  }

  @Test("a_int excludes d_extint; unknown bits are refused") func combinations() throws {
    let machine = try GuestMachine.make("nop 0")
    let vpd = try #require(machine.blocks.virtualProcessor)
    let cases: [(UInt64, UInt64, Bool)] = [
      (0, 0, true), (0x7F, 0x3D, true), (0x7E, 0x3F, true), (1, 2, false), (0x7F, 0x3F, false), (0x80, 0, false), (0, 0x40, false),
      (1 << 63, 0, false), (0, 1 << 63, false),
    ]
    for (vac, vdc, valid) in cases {
      machine[vpd: 0] = vac
      machine[vpd: 8] = vdc
      #expect(vpd.hasValidControls == valid, "\(vac), \(vdc)")
    }
  }

  /// Instructions that each bit frees: with it they end without an intercept, with all others they do not.
  static let freedInstructions: [(UInt64, String, UInt64)] = [
    (2, "mov r6=cr.ivr", 5), (2, "mov r6=cr.tpr", 5), (2, "mov cr.tpr=r0", 4), (2, "mov r6=cr.eoi", 5), (2, "mov cr.eoi=r0", 4),
    (2, "mov r6=cr.irr0", 5), (2, "mov r6=cr.irr1", 5), (2, "mov r6=cr.irr2", 5), (2, "mov r6=cr.irr3", 5),
    (4, "mov r6=dbr[r0]", 19), (4, "mov dbr[r0]=r0", 11), (4, "mov r6=ibr[r0]", 20), (4, "mov ibr[r0]=r0", 12),
    (8, "mov r6=pmc[r5]", 22), (8, "mov pmc[r5]=r0", 14), (16, "mov pmd[r5]=r0", 15), (32, "mov r6=cr.itm", 5),
    (32, "mov cr.itm=r4", 4),
  ]

  @Test("Each bit, on and off", arguments: freedInstructions) func freed(_ bit: UInt64, _ text: String, _ cause: UInt64) throws {
    for on in [true, false] {
      let machine = try GuestMachine.make("\(text) ;;", vdc: Disables(rawValue: on ? bit : 0x3F & ~bit))
      machine[gr: 4] = 1 << 40
      machine[gr: 5] = 5
      if on {
        #expect(machine.run() == .done)
      } else {
        machine.expectIntercept(try #require(InterceptCause(rawValue: UInt8(cause))), bundle: TestMachine.code)
      }
    }
  }

  @Test("What the bits do not name stays virtualized", arguments: VirtualizedInstruction.all) func others(
    _ instruction: VirtualizedInstruction
  ) throws {
    let text = instruction.text
    let named = ["cr.itm", "cr.tpr", "cr.eoi", "cr.ivr", "cr.irr", "dbr[", "ibr[", "pmc[", "pmd["].contains { text.contains($0) }
    if named { return }
    let machine = try GuestMachine.make("nop.m 0 ;;\n\(text) ;;", vdc: .implemented, psr: GuestMachine.psr | instruction.psr)
    instruction.prepare(machine)
    machine.expectIntercept(try #require(InterceptCause(rawValue: UInt8(instruction.cause))))
  }

  @Test("The registers are the processor's own") func ownRegisters() throws {
    let machine = try GuestMachine.make(
      """
      mov dbr[r0]=r4
      mov ibr[r0]=r4
      mov cr.tpr=r5
      mov cr.itm=r6 ;;
      mov r7=dbr[r0]
      mov r8=ibr[r0]
      mov r9=cr.tpr
      mov r10=cr.itm ;;
      """, vdc: [.breakpoints, .externalInterrupts, .intervalTimer])
    machine[gr: 4] = 0x1230
    machine[gr: 5] = 0x1_0070
    machine[gr: 6] = 1 << 50
    machine[vcr: 66] = 0x30
    #expect(machine.run() == .done)
    #expect((7...10).map { machine[gr: $0] } == [0x1230, 0x1230, 0x1_0070, 1 << 50])
    #expect(
      [machine.state.dbr[0], machine.state.ibr[0], machine[cr: CR.tpr], machine[cr: CR.itm]] == [0x1230, 0x1230, 0x1_0070, 1 << 50])
    #expect(machine[vcr: 66] == 0x30)
  }

  @Test("d_extint: the guest takes its vector from the processor's IVR") func ownVector() throws {
    let machine = try GuestMachine.make("mov r6=cr.ivr\nmov cr.eoi=r0 ;;\nmov r7=cr.irr0", vdc: .externalInterrupts)
    machine.each { $0.post(vector: 0x31) }
    #expect(machine.run() == .done)
    #expect(machine[gr: 6] == 0x31)
    #expect(machine[gr: 7] == 0)
  }

  @Test("Reserved fields and read-only registers are checked before") func checks() throws {
    let tpr = try GuestMachine.make("mov cr.tpr=r4 ;;", vdc: .externalInterrupts)
    tpr[gr: 4] = 0x100
    #expect(tpr.run() == .interruption(.generalException))
    #expect(tpr.interruption.isr == 0x30)
    let ivr = try GuestMachine.make("mov cr.ivr=r4 ;;", vdc: .externalInterrupts)
    #expect(ivr.run() == .interruption(.generalException))
    #expect(ivr.interruption.isr == 0)
  }
}
