import IA64
import Processor
import Testing

/// a_int: the guest's interrupts are masked and unmasked without intercepts, and the highest pending one takes the Virtual External Interrupt
/// vector, 0x3400, when it is unmasked (Volume 2, section 11.7.4.2 and page 2:187).
@Suite("Virtual external interrupts")
struct VirtualInterruptTests {
  /// vhpi: none, classes of vectors, ExtINT, NMI.
  static let pending: [UInt64] = Array(0...16) + [32]

  /// Volume 2, section 5.8.2 on the guest's registers: NMI passes all but PSR.i; ExtINT and the classes are held back by TPR.mmi, a class
  /// by any class that is not below it too.
  static func isUnmasked(vhpi: UInt64, i: Bool, mmi: Bool, mic: UInt64) -> Bool {
    guard i else { return false }
    switch vhpi {
    case 0: return false
    case 32: return true
    case 16: return !mmi
    default: return !mmi && vhpi > mic
    }
  }

  private static func tpr(mmi: Bool, mic: UInt64) -> UInt64 { (mmi ? 1 << 16 : 0) | mic << 4 }

  private func machine(_ source: String, vhpi: UInt64, i: Bool, tpr: UInt64, psr: UInt64 = GuestMachine.psr) throws -> TestMachine {
    let machine = try GuestMachine.make(source, vac: .interrupts, vpsr: i ? PSR.i : 0, psr: psr)
    machine[vpd: 0x100] = vhpi
    machine[vcr: 66] = tpr
    return machine
  }

  @Test("PAL_VPS_SET_PENDING_INTERRUPT: every vhpi, vpsr.i and TPR", arguments: pending) func setPending(_ vhpi: UInt64) throws {
    for mic in 0..<16 as Range<UInt64> {
      for mmi in [false, true] {
        for i in [false, true] {
          let machine = try machine("nop.m 0", vhpi: 0, i: i, tpr: Self.tpr(mmi: mmi, mic: mic))
          machine[vpd: 0x100] = vhpi
          machine.each { $0.lookForVirtualInterrupt() }
          let expected = Self.isUnmasked(vhpi: vhpi, i: i, mmi: mmi, mic: mic)
          #expect(
            machine.run() == (expected ? .interruption(.virtualExternalInterrupt) : .done),
            "vhpi \(vhpi), i \(i), mmi \(mmi), mic \(mic)")
          if expected { #expect(machine.interruption.iip == TestMachine.code) }
        }
      }
    }
  }

  @Test("ssm of PSR.i alone: the interrupt comes behind it", arguments: pending) func enabling(_ vhpi: UInt64) throws {
    for mic in [0, 1, 7, 14, 15] as [UInt64] {
      for mmi in [false, true] {
        let machine = try machine(
          "nop.m 0 ;;\n{ .mmi\n ssm 0x4000 ;;\n nop 0\n nop 0\n }", vhpi: vhpi, i: false, tpr: Self.tpr(mmi: mmi, mic: mic))
        DeliveredInterruption.mark(machine)
        let expected = Self.isUnmasked(vhpi: vhpi, i: true, mmi: mmi, mic: mic)
        #expect(machine.run() == (expected ? .interruption(.virtualExternalInterrupt) : .done))
        #expect(machine.vpsr == PSR.i)
        guard expected else { continue }
        // As an external interrupt: ISR is zero but for ei; IIP and IPSR.ri name the instruction to go on with.
        let found = machine.interruption
        #expect((found.iip, found.slot, PSR.ri(found.ipsr)) == (TestMachine.code + 16, 1, 1))
        #expect(found.isr == 1 << ISR.eiShift)
        #expect(found.ipsr & ~PSR.riMask == GuestMachine.psr)
        #expect([found.ifa, found.itir, found.iim, found.iha].allSatisfy { $0 == DeliveredInterruption.unwritten })
        #expect(machine.ip == TestMachine.handlers + 0x3400)
        #expect(machine.psr & (PSR.vm | PSR.ic | PSR.bn) == 0)
      }
    }
  }

  @Test("A lower TPR: the interrupt comes behind the write", arguments: pending) func loweringTPR(_ vhpi: UInt64) throws {
    for mic in [0, 1, 7, 14, 15] as [UInt64] {
      for i in [false, true] {
        let machine = try machine("mov cr.tpr=r4 ;;\nnop.m 0", vhpi: vhpi, i: i, tpr: Self.tpr(mmi: true, mic: 15))
        // An NMI would come at once.
        if vhpi == 32 && i { continue }
        machine[gr: 4] = mic << 4
        machine[cr: CR.tpr] = 0x1_0000
        let expected = Self.isUnmasked(vhpi: vhpi, i: i, mmi: false, mic: mic)
        #expect(machine.run() == (expected ? .interruption(.virtualExternalInterrupt) : .done))
        #expect(machine[vcr: 66] == mic << 4)
        // The host's own register stays.
        #expect(machine[cr: CR.tpr] == 0x1_0000)
      }
    }
  }

  @Test("rsm of PSR.i alone; TPR reads from the VPD") func masking() throws {
    let machine = try machine("rsm 0x4000 ;;\nmov r6=cr.tpr", vhpi: 0, i: true, tpr: 0x1_0050)
    machine[vpd: 0x100] = 9
    #expect(machine.run() == .done)
    #expect(machine.vpsr == 0)
    #expect(machine[gr: 6] == 0x1_0050)
    #expect(machine.psr == GuestMachine.psr)
  }

  @Test("Masks with other bits are intercepted, even if they have PSR.i") func otherBits() throws {
    for (text, cause) in [("ssm 0x6000", InterceptCause.ssm), ("rsm 0x6000", .rsm), ("ssm 0x4002", .ssm), ("rsm 0x2000", .rsm)] {
      let machine = try machine("\(text) ;;", vhpi: 9, i: false, tpr: 0)
      machine.expectIntercept(cause, bundle: TestMachine.code)
      #expect(machine.vpsr == 0)
    }
  }

  @Test("Without a_int everything is intercepted, and vhpi is nobody's") func disabled() throws {
    let others = VirtualProcessorDescriptor.Accelerations.implemented.subtracting(.interrupts)
    for (text, cause) in [
      ("ssm 0x4000", InterceptCause.ssm), ("rsm 0x4000", .rsm), ("mov r6=cr.tpr", .movFromCR), ("mov cr.tpr=r0", .movToCR),
    ] {
      let machine = try GuestMachine.make("\(text) ;;", vac: others, vpsr: PSR.i)
      machine[vpd: 0x100] = 32
      machine.each { $0.lookForVirtualInterrupt() }
      machine.expectIntercept(cause, bundle: TestMachine.code)
    }
  }

  @Test("rfi to the guest with an unmasked interrupt pending takes it before the first instruction") func returning() throws {
    for vhpi in [0, 5] as [UInt64] {
      let machine = try machine("rfi ;;", vhpi: vhpi, i: true, tpr: 0, psr: 0)
      try machine.place("break.m 3 ;;", at: TestMachine.data)
      machine[cr: CR.ipsr] = GuestMachine.psr
      machine[cr: CR.iip] = TestMachine.data
      #expect(machine.run() == .interruption(vhpi == 0 ? .breakInstruction : .virtualExternalInterrupt))
      #expect(machine.interruption.iip == TestMachine.data)
      #expect(machine.interruption.ipsr == GuestMachine.psr)
    }
  }

  @Test("The host is not interrupted by it") func hostUndisturbed() throws {
    let machine = try machine("nop.m 0 ;;\nnop.m 0", vhpi: 32, i: true, tpr: 0, psr: PSR.ic)
    machine.each { $0.lookForVirtualInterrupt() }
    #expect(machine.run() == .done)
  }

  @Test("An external interrupt of the host comes first; the guest's is taken when it goes on") func afterHost() throws {
    let handler = "mov r8=cr.ivr ;;\nmov cr.eoi=r0\nmov cr.tpr=r0 ;;\nrfi ;;"
    let machine = try GuestMachine.make(
      "nop.m 0 ;;\nnop.m 0", vac: .interrupts, vpsr: PSR.i, psr: GuestMachine.psr | PSR.i, handlers: [.externalInterrupt: handler])
    machine[vpd: 0x100] = 3
    machine.each {
      $0.lookForVirtualInterrupt()
      $0.post(vector: 0x41)
    }
    #expect(machine.run() == .interruption(.virtualExternalInterrupt))
    #expect(machine[gr: 8] == 0x41)
    #expect(machine.interruption.iip == TestMachine.code)
  }

  @Test("A guest loop that waits for its interrupt, at each distance") func waiting() throws {
    for count in 0..<6 {
      let nops = Array(repeating: "{ .mii\n nop 0\n adds r6=1,r6\n nop 0\n }", count: count).joined(separator: "\n")
      let machine = try machine("\(nops)\n{ .mmi\n ssm 0x4000 ;;\n rsm 0x4000\n adds r7=1,r7 ;;\n }", vhpi: 4, i: false, tpr: 0)
      #expect(machine.run() == .interruption(.virtualExternalInterrupt))
      #expect(machine[gr: 6] == UInt64(count))
      #expect(machine[gr: 7] == 0)
      #expect(machine.interruption.iip == TestMachine.code + UInt64(count) * 16)
      #expect(machine.interruption.slot == 1)
    }
  }
}
