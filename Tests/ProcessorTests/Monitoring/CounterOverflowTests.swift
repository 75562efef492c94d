import IA64
import Processor
import Testing

/// Width and overflow of the counters, and the interrupt (Volume 2, sections 7.2.1 and 7.2.2).
@Suite("Performance counter overflow")
struct CounterOverflowTests {
  /// One slot a round, so that both engines look at the clock after each of them.
  private static let spin = "spin: { .bbb\n br.cond.sptk.many spin\n nop 0\n nop 0\n }"
  private static let vector: UInt64 = 0xC3

  private func machine(
    _ rest: String, events: UInt64, oi: Bool = true, pmv: UInt64 = vector, psr: UInt64 = PSR.ic | PSR.i | PSR.up
  ) throws -> TestMachine {
    let machine = try TestMachine("mov cr.pmv=r9 ;;\n\(CounterTests.start)\n\(rest)", psr: psr)
    machine[gr: 5] = 12
    machine[gr: 6] = CounterTests.control(CounterTests.instructions, oi: oi)
    machine[gr: 7] = 0 &- events
    machine[gr: 9] = pmv
    return machine
  }

  @Test("The interrupt comes with the event that overflows, and everything freezes", arguments: [3, 4, 5, 100, 5000] as [UInt64])
  func interrupts(events: UInt64) throws {
    let machine = try machine(Self.spin, events: events)
    #expect(machine.run() == .interruption(.externalInterrupt))
    #expect(machine.state.pointee.interruptRequest[3] == 1 << (Self.vector - 192))
    #expect(machine.state.pmc[0] == 1 << 12 | 1)
    #expect(machine.state.pmd[12] == 0)
    #expect(machine.interruption.iip == machine.labels["spin"])
  }

  @Test("Delivered before the next instruction, however the run is cut", arguments: [1, 7, 64, 100_000] as [UInt64])
  func place(piece: UInt64) throws {
    // Two slots behind the write of PMD, then three a round: the last event is the last slot of round 166.
    let rounds = "round: { .mib\n adds r8=1,r8\n nop 0\n br.cond.sptk.few round ;;\n }"
    let machine = try machine(rounds, events: 500)
    for processor in [machine.blocks, machine.steps] {
      while processor.state.pointee.ip != TestMachine.handlers + 0x3000 && processor.state.cycles < 200_000 {
        if processor === machine.blocks { _ = processor.run(until: processor.state.cycles + piece) } else { _ = processor.step() }
      }
      #expect(processor.state.gr[8] == 166)
      #expect(processor.state.cr[CR.iip] == machine.labels["round"])
      #expect(processor.state.pmd[12] == 0)
    }
  }

  @Test("Without oi the overflow bit is set and counting goes on") func withoutInterrupt() throws {
    let machine = try machine("\(CounterTests.loop)\n\(CounterTests.read)\nmov r10=pmc[r0] ;;", events: 10, oi: false)
    machine[ar: AR.lc] = 9
    #expect(machine.run() == .done)
    #expect(machine[gr: 4] == 2 + 30 - 10)
    #expect(machine[gr: 10] == 1 << 12)
    #expect(machine.state.pointee.interruptRequest[3] == 0)
  }

  @Test("PMV.m: frozen, but no interrupt is pended") func masked() throws {
    let machine = try machine(
      "\(CounterTests.loop)\nmov r10=pmc[r0] ;;\nmov cr.pmv=r11 ;;\n\(CounterTests.loop.replacing("again", with: "more"))",
      events: 11,
      pmv: 1 << 16 | Self.vector)
    machine[gr: 11] = Self.vector
    machine[ar: AR.lc] = 9
    #expect(machine.run() == .done)
    #expect(machine[gr: 10] == 1 << 12 | 1)
    #expect(machine.state.pointee.interruptRequest[3] == 0)
  }

  @Test("Two that overflow together make one interrupt and two bits") func together() throws {
    let both = try TestMachine(
      "mov cr.pmv=r9 ;;\nmov pmc[r4]=r6 ;;\nmov pmd[r4]=r7 ;;\nmov pmc[r5]=r6 ;;\nmov pmd[r5]=r8 ;;\n\(Self.spin)",
      psr: PSR.ic | PSR.i | PSR.up)
    both[gr: 4] = 4
    both[gr: 5] = 15
    both[gr: 6] = CounterTests.control(CounterTests.instructions, oi: true)
    both[gr: 9] = Self.vector
    // Find how many slots lie between the two writes, then let both come to zero at once.
    both[gr: 7] = 0
    both[gr: 8] = 0
    both.run(slots: 100)
    let distance = both.state.pmd[4] - both.state.pmd[15]
    let again = try TestMachine(
      "mov cr.pmv=r9 ;;\nmov pmc[r4]=r6 ;;\nmov pmd[r4]=r7 ;;\nmov pmc[r5]=r6 ;;\nmov pmd[r5]=r8 ;;\n\(Self.spin)",
      psr: PSR.ic | PSR.i | PSR.up)
    again[gr: 4] = 4
    again[gr: 5] = 15
    again[gr: 6] = CounterTests.control(CounterTests.instructions, oi: true)
    again[gr: 9] = Self.vector
    again[gr: 7] = 0 &- (200 + distance)
    again[gr: 8] = 0 &- 200
    #expect(again.run() == .interruption(.externalInterrupt))
    #expect(again.state.pmc[0] == 1 << 15 | 1 << 4 | 1)
    #expect(again.interruption.iip == again.labels["spin"])
  }

  @Test("A handler that sets the counter again and clears PMC0 is interrupted again, once for each overflow") func again() throws {
    // The handler acknowledges, counts in r17, and lets the next 100 events come.
    let machine = try TestMachine(
      "mov cr.pmv=r9 ;;\n\(CounterTests.start)\n\(Self.spin)", psr: PSR.ic | PSR.i | PSR.up,
      handlers: [
        .externalInterrupt: """
        mov r16=cr.ivr ;;
        mov cr.eoi=r0 ;;
        adds r17=1,r17 ;;
        mov pmd[r5]=r7 ;;
        mov pmc[r0]=r0 ;;
        rfi ;;
        """
      ])
    machine[gr: 5] = 12
    machine[gr: 6] = CounterTests.control(CounterTests.instructions, oi: true)
    machine[gr: 7] = 0 &- 100
    machine[gr: 9] = Self.vector
    machine.run(slots: 2000)
    // PSR.up survives the interruption, so that the handler's last instructions count among the 100; the others come on top.
    let times = machine[gr: 17]
    #expect(times >= 2000 / 120 && times <= 2000 / 100, "\(times)")
    #expect(machine.state.pointee.interruptRequest[3] == 0)
  }

  @Test("47 bits: writes ignore the rest, reads copy bit 46 into it (table 7-3, the sign-extending kind)") func width() throws {
    for (written, expected) in [
      (1 << 46, UInt64.max << 46), (UInt64.max, UInt64.max), (1 << 46 - 1, 1 << 46 - 1), (1 << 47, 0), (1 << 63 | 5, 5),
    ] as [(UInt64, UInt64)] {
      let machine = try TestMachine("mov pmd[r5]=r6 ;;\nmov r4=pmd[r5] ;;")
      machine[gr: 5] = 9
      machine[gr: 6] = written
      machine.run()
      #expect(machine[gr: 4] == expected)
    }
  }

  @Test("Configuration after reset and what software changes of it: Linux' table for this processor") func configuration() throws {
    let table: [(UInt64, reset: UInt64, writable: UInt64)] = [
      (4, 0x200_0000, 0x7C7F_FF7F), (15, 0x200_0000, 0x7C7F_FF7F), (32, 0x30F_01FF_FFFF_FFFF, 0x30F_01FF_FFFF_FFFF),
      (33, 0, 0x1FF_FFFF_FFFF), (34, 0xF_01FF_FFFF_FFFF, 0xF_01FF_FFFF_FFFF), (35, 0, 0x1FF_FFFF_FFFF), (36, 0xFFFF_FFF0, 0xF),
      (37, 0, 0x3FFF), (38, 0xDB6, 0x2492), (39, 0, 0xFFCF), (40, 0x200_0000, 0xF_01CF), (41, 0x2078_FEFE_FEFE, 0x1_E000_1818_1818),
      (42, 0, 0x7_FF4F),
    ]
    for (index, reset, writable) in table {
      for value in [0, UInt64.max] {
        let machine = try TestMachine("mov r10=pmc[r5] ;;\nmov pmc[r5]=r6 ;;\nmov r4=pmc[r5] ;;")
        machine[gr: 5] = index
        machine[gr: 6] = value
        machine.run()
        #expect(machine[gr: 10] == reset, "pmc\(index)")
        #expect(machine[gr: 4] == value & writable | reset & ~writable, "pmc\(index)")
      }
    }
  }

  @Test("Data registers of event address registers and trace buffer are privileged with their configuration's pm") func privileged()
    throws
  {
    for (data, control, bit) in [(32, 40, 6), (33, 40, 6), (36, 40, 6), (34, 37, 4), (35, 37, 4), (38, 39, 6), (63, 39, 6)] {
      for pm in [false, true] {
        let machine = try TestMachine("mov r4=pmd[r5] ;;", psr: PSR.ic | 3 << PSR.cplShift)
        machine[gr: 5] = UInt64(data)
        machine.each {
          $0.state.pmd[data] = 77
          if pm { $0.state.pmc[control] |= 1 << UInt64(bit) }
        }
        machine.run()
        #expect(machine[gr: 4] == (pm ? 0 : 77), "pmd\(data)")
      }
    }
  }
}
