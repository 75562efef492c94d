import IA64
import Processor
import Testing

/// External interrupts (Volume 2, section 5.8): IRR, IVR, EOI, TPR, priorities, PSR.i.
@Suite("External interrupts")
struct ExternalInterruptTests {
  /// What `mov r = cr.ivr` gives, once for each EOI in between, until the spurious vector.
  private func drain(_ vectors: [UInt8], tpr: UInt64 = 0) throws -> [UInt64] {
    let machine = try TestMachine(
      "mov cr.tpr=r8 ;;\nagain: mov r4=cr.ivr ;;\nst8 [r5]=r4,8\nmov cr.eoi=r0 ;;\ncmp.ne p6,p7=15,r4 ;;\n(p6) br.cond.sptk.many again"
    )
    machine[gr: 5] = TestMachine.data
    machine[gr: 8] = tpr
    machine.each { for vector in vectors { $0.post(vector: vector) } }
    #expect(machine.run() == .done)
    return (0..<(machine[gr: 5] - TestMachine.data) / 8).map { machine.load(TestMachine.data + $0 * 8) }
  }

  @Test("Order: NMI, ExtINT, then 255 down to 16; 15 when nothing is left") func order() throws {
    #expect(try drain([16, 255, 0, 2, 0x80, 0x7F]) == [2, 0, 255, 0x80, 0x7F, 16, 15])
    #expect(try drain([]) == [15])
  }

  @Test("Vectors 1 and 3...15 do not exist") func reservedVectors() throws {
    #expect(try drain([1, 3, 8, 14, 15]) == [15])
  }

  @Test("TPR.mic masks a class and those below; mmi all but NMI") func taskPriority() throws {
    // Class 4 is 0x40...0x4F.
    #expect(try drain([0x4F, 0x50, 0x40, 0, 2], tpr: 4 << 4) == [2, 0, 0x50, 15])
    #expect(try drain([0xFF, 0, 2], tpr: 1 << 16) == [2, 15])
    #expect(try drain([0xFF, 0xEF], tpr: 0xF0) == [15])
    #expect(try drain([0x10], tpr: 0) == [0x10, 15])
  }

  @Test("IVR moves a vector from IRR into service; a vector of equal or lower priority waits for EOI, a higher one does not")
  func inService() throws {
    let machine = try TestMachine(
      "mov r4=cr.irr1\nmov r6=cr.ivr ;;\nmov r7=cr.irr1\nmov r8=cr.ivr ;;\nmov cr.eoi=r0 ;;\nmov r9=cr.ivr ;;\nmov r10=cr.ivr\nmov r11=cr.eoi"
    )
    machine.each {
      $0.post(vector: 0x60)
      $0.post(vector: 0x61)
    }
    #expect(machine.run() == .done)
    #expect(machine[gr: 4] == 3 << 32)
    #expect(machine[gr: 6] == 0x61)
    #expect(machine[gr: 7] == 1 << 32)
    #expect(machine[gr: 8] == 15)
    #expect(machine[gr: 9] == 0x60)
    #expect(machine[gr: 10] == 15)
    #expect(machine[gr: 11] == 0)
    machine.each { $0.post(vector: 0x62) }
    try machine.place("mov r4=cr.ivr ;;\nbreak.m 1", at: TestMachine.data)
    machine.each { $0.state.pointee.ip = TestMachine.data }
    #expect(machine.run() == .interruption(.breakInstruction))
    #expect(machine[gr: 4] == 0x62)
  }

  @Test("EOI ends the highest vector in service; with none in service it does nothing") func endOfInterrupt() throws {
    let machine = try TestMachine(
      "mov cr.eoi=r0 ;;\nmov r4=cr.ivr ;;\nbreak.m 1\nmov r6=cr.ivr ;;\nmov cr.eoi=r0 ;;\nmov r7=cr.ivr ;;\nmov cr.eoi=r0 ;;\nmov r8=cr.ivr ;;"
    )
    machine.each { $0.post(vector: 0x30) }
    #expect(machine.run() == .interruption(.breakInstruction))
    #expect(machine[gr: 4] == 0x30)
    // Nested: 0x90 and 0x20 arrive while 0x30 is in service.
    machine.each {
      $0.post(vector: 0x90)
      $0.post(vector: 0x20)
      $0.state.pointee.ip += 0
      $0.state.pointee.ip = TestMachine.code + 48
    }
    #expect(machine.run() == .done)
    #expect(machine[gr: 6] == 0x90)
    // Behind the EOI of 0x90, 0x30 is still in service: 0x20 waits.
    #expect(machine[gr: 7] == 15)
    #expect(machine[gr: 8] == 0x20)
  }

  @Test("PSR.i holds back delivery, NMI included, and not IVR") func interruptEnable() throws {
    for vector in [0, 2, 0x77] as [UInt8] {
      let machine = try TestMachine("nop.m 0\nssm 0x4000 ;;\nsrlz.d ;;\nnop.m 0")
      machine.each { $0.post(vector: vector) }
      #expect(machine.run() == .interruption(.externalInterrupt))
      #expect(machine.interruption.isr == 1 << ISR.eiShift)
      #expect(machine.interruption.iip == TestMachine.code + 16)
      // Delivery does not touch IRR.
      #expect(machine.state.pointee.interruptRequest[Int(vector >> 6)] == 1 << UInt64(vector & 63))
      #expect(machine.psr & PSR.i == 0)
      let masked = try TestMachine("mov r4=cr.ivr ;;")
      masked.each { $0.post(vector: vector) }
      #expect(masked.run() == .done)
      #expect(masked[gr: 4] == UInt64(vector))
    }
  }

  @Test("The window between ssm and rsm: srlz.d opens it (Volume 2, section 5.8.2.2)") func window() throws {
    let machine = try TestMachine("ssm 0x4000 ;;\nsrlz.d ;;\nrsm 0x4000 ;;\nbreak.m 1")
    machine.each { $0.post(vector: 0x40) }
    #expect(machine.run() == .interruption(.externalInterrupt))
    let closed = try TestMachine("rsm 0x4000 ;;\nnop.m 0", psr: PSR.ic | PSR.i | 0)
    closed.psr = PSR.ic
    closed.each { $0.post(vector: 0x40) }
    #expect(closed.run() == .done)
  }

  @Test("Lowering TPR, EOI and rfi let a waiting interrupt in") func unmasking() throws {
    for (text, tpr, served) in [("mov cr.tpr=r0 ;;", 0xF0, nil), ("mov cr.eoi=r0 ;;", 0, 0x80)] as [(String, UInt64, UInt8?)] {
      let machine = try TestMachine("nop.m 0\n\(text)\nnop.m 0", psr: PSR.ic)
      machine.each {
        if let served {
          $0.state.pointee.interruptInService[Int(served >> 6)] |= 1 << UInt64(served & 63)
        }
        $0.state.cr[CR.tpr] = tpr
        $0.post(vector: 0x40)
      }
      machine.psr = PSR.ic | PSR.i
      #expect(machine.run() == .interruption(.externalInterrupt), "\(text)")
      #expect(machine.interruption.iip == TestMachine.code + 16)
      #expect(machine.interruption.slot == 1)
    }
  }

  @Test("withdraw takes a level-triggered request back; IVR is spurious then") func spurious() throws {
    let machine = try TestMachine("ssm 0x4000 ;;\nsrlz.d", handlers: [.externalInterrupt: "mov r20=cr.ivr ;;\nbreak.m 7"])
    machine.each { $0.post(vector: 0x45) }
    machine.each { $0.withdraw(vector: 0x45) }
    #expect(machine.run() == .done)
    let late = try TestMachine("mov r4=cr.ivr ;;\nmov r6=cr.irr1")
    late.each {
      $0.post(vector: 0x45)
      $0.withdraw(vector: 0x45)
    }
    #expect(late.run() == .done)
    #expect(late[gr: 4] == 15)
    #expect(late[gr: 6] == 0)
  }

  @Test(
    "A device's store that raises an interrupt ends the block: delivery is behind that very instruction's block, the same each time"
  ) func middleOfBlock() throws {
    var counts: [UInt64] = []
    for _ in 0..<2 {
      let machine = try TestMachine(
        """
        adds r4=1,r4
        { .mmi
          st4 [r5]=r0
          adds r4=1,r4
          adds r4=1,r4
        }
        adds r4=1,r4
        br.cond.sptk.many next ;;
        next: adds r4=1,r4
        adds r4=1,r4
        """, psr: PSR.ic | PSR.i)
      machine[gr: 5] = 1 << 63 | 0x8000_0000
      let processor = machine.blocks
      machine.bus.blocks.onAccess = { _ in processor.post(vector: 0x99) }
      var reason = ExitReason.deadline
      while reason == .deadline && processor.state.pointee.ip != TestMachine.handlers + 0x3000 && processor.state.cycles < 1000 {
        reason = processor.run(until: processor.state.cycles + 8)
      }
      #expect(processor.state.pointee.ip == TestMachine.handlers + 0x3000)
      counts.append(processor.state.gr[4])
      // Delivered at a boundary behind the store, no later than the end of its block.
      #expect((2...5).contains(processor.state.gr[4]))
    }
    #expect(counts[0] == counts[1])
  }

  // MARK: Halt

  @Test("A halted processor sleeps until an interrupt that TPR does not mask, whatever PSR.i says") func halt() throws {
    let machine = try TestMachine("break.m 0x100007\nadds r4=1,r4")
    for bus in [machine.bus.blocks, machine.bus.steps] { bus.onGate = { number, _ in number == 7 ? .halt : .stop } }
    machine.each {
      $0.firmwareGates = TestMachine.code..<TestMachine.code + 16
      $0.state.cr[CR.tpr] = 0x50
    }
    #expect(machine.run() == .halted)
    machine.each { $0.post(vector: 0x55) }
    #expect(machine.run() == .halted)
    machine.each { $0.post(vector: 0x60) }
    #expect(machine.run() == .done)
    #expect(machine[gr: 4] == 1)
  }
}
