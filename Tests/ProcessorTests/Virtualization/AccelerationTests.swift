import IA64
import Processor
import Testing

/// Virtualization accelerations (Volume 2, section 11.7.4.2): with its bit of vac set, an instruction works on the VPD; without, or where
/// the acceleration does not reach, it is intercepted.
@Suite("Virtualization accelerations")
struct AccelerationTests {
  private typealias Field = VirtualProcessorDescriptor.Field
  private typealias Accelerations = VirtualProcessorDescriptor.Accelerations

  /// Bits of vac by their numbers, as monitors know them.
  @Test("Bit numbers") func bits() {
    let expected: [(Accelerations, UInt64)] = [
      (.interrupts, 1), (.fromInterruptionCR, 2), (.toInterruptionCR, 4), (.fromPSR, 8), (.fromCPUID, 16), (.cover, 32),
      (.bankSwitch, 64),
    ]
    for (bit, value) in expected { #expect(bit.rawValue == value) }
    #expect(
      Accelerations.names.map(\.0) == ["a_int", "a_from_int_cr", "a_to_int_cr", "a_from_psr", "a_from_cpuid", "a_cover", "a_bsw"])
    #expect(Accelerations.names.map(\.1) == expected.map(\.0))
  }

  /// Everything but this bit: an acceleration has no effect on what is another's.
  private func others(_ bit: Accelerations) -> Accelerations { Accelerations.implemented.subtracting(bit) }

  // MARK: a_from_int_cr, a_to_int_cr

  static let interruptionRegisters = [
    "ipsr": 16, "isr": 17, "iip": 19, "ifa": 20, "itir": 21, "iipa": 22, "ifs": 23, "iim": 24, "iha": 25,
  ]

  @Test("a_from_int_cr: reads of CR16 to CR25 while vpsr.ic is 0", arguments: interruptionRegisters.keys.sorted())
  func fromInterruptionCR(_ name: String) throws {
    let n = try #require(Self.interruptionRegisters[name])
    let machine = try GuestMachine.make("mov r6=cr.\(name) ;;", vac: .fromInterruptionCR)
    machine[vcr: n] = 0x1234_5678_9ABC_DEF0
    machine[cr: n] = 0x55
    machine[nat: 6] = true
    #expect(machine.run() == .done)
    #expect(machine[gr: 6] == 0x1234_5678_9ABC_DEF0)
    #expect(!machine[nat: 6])
    // IIPA follows the program while PSR.ic is 1.
    #expect(machine[cr: n] == 0x55 || name == "iipa")
    // The guest's own PSR.ic set; the acceleration off.
    for (vac, vpsr) in [(Accelerations.fromInterruptionCR, PSR.ic), (others(.fromInterruptionCR), 0)] as [(Accelerations, UInt64)] {
      try GuestMachine.make("mov r6=cr.\(name) ;;", vac: vac, vpsr: vpsr).expectIntercept(.movFromCR, bundle: TestMachine.code)
    }
  }

  @Test("a_to_int_cr: writes of them", arguments: interruptionRegisters.keys.sorted()) func toInterruptionCR(_ name: String) throws
  {
    let n = try #require(Self.interruptionRegisters[name])
    let machine = try GuestMachine.make("mov cr.\(name)=r4 ;;", vac: .toInterruptionCR)
    machine[gr: 4] = 0x4000
    machine[vcr: n] = 7
    machine[cr: n] = 0x55
    #expect(machine.run() == .done)
    #expect(machine[vcr: n] == 0x4000)
    #expect(machine[cr: n] == 0x55 || name == "iipa")
    for (vac, vpsr) in [(Accelerations.toInterruptionCR, PSR.ic), (others(.toInterruptionCR), 0)] as [(Accelerations, UInt64)] {
      let machine = try GuestMachine.make("mov cr.\(name)=r4 ;;", vac: vac, vpsr: vpsr)
      machine[vcr: n] = 7
      machine.expectIntercept(.movToCR, bundle: TestMachine.code)
      #expect(machine[vcr: n] == 7)
    }
  }

  @Test("Accelerated writes check reserved fields as the registers do; what is ignored reads as zero") func reservedFields() throws
  {
    for (name, value) in [("ipsr", UInt64(1) << 47), ("isr", 1 << 63), ("itir", 1), ("ifs", 1 << 40)] as [(String, UInt64)] {
      let machine = try GuestMachine.make("mov cr.\(name)=r4 ;;", vac: .toInterruptionCR)
      machine[gr: 4] = value
      #expect(machine.run() == .interruption(.generalException), "\(name)")
      #expect(machine.interruption.isr == 0x30)
    }
    let machine = try GuestMachine.make("mov cr.iha=r4 ;;", vac: .toInterruptionCR)
    machine[gr: 4] = 7
    #expect(machine.run() == .done)
    #expect(machine[vcr: 25] == 4)
  }

  @Test("Other control registers are intercepted with all accelerations set, but TPR by a_int") func otherCR() throws {
    for name in ["dcr", "itm", "iva", "pta", "lid", "ivr", "eoi", "irr0", "itv", "pmv", "cmcv", "lrr0"] {
      let machine = try GuestMachine.make("mov r6=cr.\(name) ;;", vac: .implemented)
      machine.expectIntercept(.movFromCR, bundle: TestMachine.code)
      guard name != "ivr", name != "irr0" else { continue }
      let writer = try GuestMachine.make("mov cr.\(name)=r4 ;;", vac: .implemented)
      writer[gr: 4] = name == "pta" ? 15 << 2 : 0
      writer.expectIntercept(.movToCR, bundle: TestMachine.code)
    }
  }

  // MARK: a_from_psr, a_from_cpuid

  @Test("a_from_psr: vpsr{36:35,31:0}, the user mask from PSR itself") func fromPSR() throws {
    let all = ~UInt64(0)
    for mask in [0, PSR.mfl | PSR.up, PSR.ac | PSR.mfh] as [UInt64] {
      let machine = try GuestMachine.make("mov r6=psr ;;", vac: .fromPSR, vpsr: all, psr: GuestMachine.psr | mask)
      machine[nat: 6] = true
      #expect(machine.run() == .done)
      #expect(machine[gr: 6] == 0x18_FFFF_FFC1 | mask)
      #expect(!machine[nat: 6])
    }
    let zero = try GuestMachine.make("mov r6=psr ;;", vac: .fromPSR, vpsr: 0)
    #expect(zero.run() == .done)
    #expect(zero[gr: 6] == 0)
    try GuestMachine.make("mov r6=psr ;;", vac: others(.fromPSR)).expectIntercept(.movFromPSR, bundle: TestMachine.code)
    try GuestMachine.make("mov psr.l=r0 ;;", vac: .implemented).expectIntercept(.movToPSR, bundle: TestMachine.code)
  }

  @Test("a_from_cpuid: vcpuid[n] at every level, up to the number in vcpuid[3]") func fromCPUID() throws {
    for level in [0, 3] as [UInt64] {
      for n in 0..<5 {
        for last in [4, 2] {
          let machine = try GuestMachine.make("mov r6=cpuid[r5] ;;", vac: .fromCPUID, psr: GuestMachine.psr | level << PSR.cplShift)
          for i in 0..<5 { machine[vpd: Field.cpuid + 8 * i] = 0xC0DE_0000 + UInt64(i) << 8 }
          machine[vpd: Field.cpuid + 24] = 0xC0DE_0300 + UInt64(last)
          machine[gr: 5] = 0xFF00 + UInt64(n)
          if n <= last {
            #expect(machine.run() == .done)
            #expect(machine[gr: 6] == 0xC0DE_0000 + UInt64(n) << 8 + (n == 3 ? UInt64(last) : 0))
          } else {
            machine.expectIntercept(.movFromCPUID, bundle: TestMachine.code)
          }
        }
      }
    }
    let off = try GuestMachine.make("mov r6=cpuid[r5] ;;", vac: others(.fromCPUID))
    off[gr: 5] = 0
    off.expectIntercept(.movFromCPUID, bundle: TestMachine.code)
    // A register that no processor of this model has is a reserved one first.
    let beyond = try GuestMachine.make("mov r6=cpuid[r5] ;;", vac: .fromCPUID)
    beyond[gr: 5] = 5
    #expect(beyond.run() == .interruption(.generalException))
    #expect(beyond.interruption.isr == 0x30)
  }

  // MARK: a_cover

  @Test("a_cover: covers; the frame goes into vIFS while vpsr.ic is 0, into no register else") func cover() throws {
    for level in [0, 3] as [UInt64] {
      for collecting in [false, true] {
        let machine = try GuestMachine.make(
          "cover ;;", vac: .cover, vpsr: collecting ? PSR.ic : 0, psr: GuestMachine.psr | level << PSR.cplShift)
        machine[cr: CR.ifs] = 0x55
        machine[vcr: 23] = 0x66
        #expect(machine.run() == .done)
        #expect(machine.blocks.cfm == 0)
        #expect(machine[ar: AR.bsp] == TestMachine.backingStore + 16 * 8)
        let frame: UInt64 = collecting ? 0x66 : 1 << 63 | 16 | 8 << 7
        #expect(machine[vcr: 23] == frame)
        #expect(machine[cr: CR.ifs] == 0x55)
      }
    }
    let off = try GuestMachine.make("cover ;;", vac: others(.cover))
    off.expectIntercept(.cover, bundle: TestMachine.code)
    #expect(off.blocks.cfm == 16 | 8 << 7)
  }

  // MARK: a_bsw

  @Test("a_bsw: GR16 to GR31 with their NaT bits go to the VPD and come from it, vpsr.bn follows") func bankSwitch() throws {
    for toBank1 in [false, true] {
      let machine = try GuestMachine.make(
        "bsw.\(toBank1 ? 1 : 0) ;;\nnop.m 0", vac: .bankSwitch, vpsr: PSR.ic | (toBank1 ? 0 : PSR.bn))
      for n in 0..<16 {
        machine[gr: 16 + n] = 0x1000 + UInt64(n)
        machine[vpd: 0x400 + 8 * n] = 0x2000 + UInt64(n)
        machine[vpd: 0x480 + 8 * n] = 0x3000 + UInt64(n)
      }
      for n in [17, 20, 31] as [UInt8] { machine[nat: n] = true }
      machine[nat: 4] = true
      // NaT bits of bank 1: bits 15:0 of vnat; of bank 0: bits 31:16 of vbnat. The rest of the words is not the processor's.
      machine[vpd: 0x500] = 0xAAAA_0000_BBBB_0005
      machine[vpd: 0x508] = 0xAAAA_0000_0003_CCCC
      #expect(machine.run() == .done)
      let saved: UInt64 = 1 << 1 | 1 << 4 | 1 << 15
      for n in 0..<16 {
        #expect(machine[vpd: 0x400 + 8 * n] == (toBank1 ? 0x2000 : 0x1000) + UInt64(n))
        #expect(machine[vpd: 0x480 + 8 * n] == (toBank1 ? 0x1000 : 0x3000) + UInt64(n))
        #expect(machine[gr: 16 + n] == (toBank1 ? 0x2000 : 0x3000) + UInt64(n))
      }
      #expect((16..<32).filter { machine[nat: UInt8($0)] } == (toBank1 ? [16, 18] : [16, 17]))
      #expect(machine[nat: 4])
      #expect(machine[vpd: 0x500] == 0xAAAA_0000_BBBB_0000 | (toBank1 ? 5 : saved))
      #expect(machine[vpd: 0x508] == 0xAAAA_0000_0000_CCCC | (toBank1 ? saved : 3) << 16)
      #expect(machine.vpsr == PSR.ic | (toBank1 ? PSR.bn : 0))
      // The processor's own banks are not touched.
      #expect(machine.psr == GuestMachine.psr)
      #expect((0..<16).allSatisfy { machine.state.otherBank[$0] == 0 })
    }
  }

  @Test("a_bsw to the bank that is visible already does nothing") func sameBank() throws {
    for bank in [0, 1] as [UInt64] {
      let machine = try GuestMachine.make("bsw.\(bank) ;;", vac: .bankSwitch, vpsr: bank << 44)
      for n in 0..<16 { machine[gr: 16 + n] = 0x1000 + UInt64(n) }
      #expect(machine.run() == .done)
      #expect((0..<16).allSatisfy { machine[gr: 16 + $0] == 0x1000 + UInt64($0) })
      #expect((0..<32).allSatisfy { machine[vpd: 0x400 + 8 * $0] == 0 })
      #expect(machine.vpsr == bank << 44)
    }
  }

  @Test("There and back again") func thereAndBack() throws {
    let machine = try GuestMachine.make("bsw.0 ;;\nmov r16=r5\nbsw.1 ;;\nadds r6=0,r16", vac: .bankSwitch, vpsr: PSR.bn)
    machine[gr: 5] = 0x99
    machine[gr: 16] = 0x16
    #expect(machine.run() == .done)
    #expect(machine[gr: 6] == 0x16)
    #expect(machine[vpd: 0x480] == 0x99)
  }

  @Test("Without a_bsw, both are intercepted") func bankSwitchOff() throws {
    try GuestMachine.make("bsw.0 ;;", vac: others(.bankSwitch)).expectIntercept(.bsw0, bundle: TestMachine.code)
    try GuestMachine.make("bsw.1 ;;", vac: others(.bankSwitch)).expectIntercept(.bsw1, bundle: TestMachine.code)
  }

  // MARK: All of them

  @Test("Accelerations do nothing for what they do not name", arguments: VirtualizedInstruction.all) func unaccelerated(
    _ instruction: VirtualizedInstruction
  ) throws {
    let accelerated: Set<UInt64> = [7, 23, 36, 38, 39]
    let text = instruction.text
    if accelerated.contains(instruction.cause) || text.hasPrefix("ssm 0x4000") || text.hasPrefix("rsm 0x4000")
      || text.contains("cr.tpr")
    {
      return
    }
    let machine = try GuestMachine.make(
      "nop.m 0 ;;\n\(text) ;;", vac: .implemented, vpsr: PSR.ic, psr: GuestMachine.psr | instruction.psr)
    instruction.prepare(machine)
    machine.expectIntercept(try #require(InterceptCause(rawValue: UInt8(instruction.cause))))
  }

  @Test("Accelerations are for guests: without PSR.vm the VPD is not looked at") func hostUntouched() throws {
    let machine = try GuestMachine.make(
      "ssm 0x4000 ;;\nrsm 0x4000 ;;\nmov r6=psr\nmov r7=cpuid[r0]\nbsw.0 ;;\nbsw.1 ;;\ncover ;;\nmov r8=cr.tpr", vac: .implemented,
      psr: PSR.ic | PSR.bn)
    for offset in stride(from: 0x100, to: 0x1000, by: 8) { machine[vpd: offset] = 0xFFFF_0000_FFFF_0000 | UInt64(offset) }
    #expect(machine.run() == .done)
    for offset in stride(from: 0x100, to: 0x1000, by: 8) { #expect(machine[vpd: offset] == 0xFFFF_0000_FFFF_0000 | UInt64(offset)) }
    #expect(machine[gr: 6] == PSR.ic)
    #expect(machine[gr: 7] == 0x4965_6E69_756E_6547)
  }
}
