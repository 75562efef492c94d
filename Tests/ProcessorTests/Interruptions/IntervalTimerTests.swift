import IA64
import Processor
import TestSupport
import Testing

/// The interval timer (Volume 2, sections 3.3.4.2 and 5.8.3.8): when ITC reaches ITM, ITV's vector becomes pending.
@Suite("Interval timer", .ends(withinMinutes: 5))
struct IntervalTimerTests {
  /// Blocks of one branch, so that both engines look at the clock after each slot.
  static let spin = "spin: { .bbb\n br.cond.sptk.many spin\n nop 0\n nop 0\n }"

  private func machine(_ program: String, itv: UInt64 = 0xEF, itm: UInt64) throws -> TestMachine {
    let machine = try TestMachine("mov cr.itv=r4\nmov cr.itm=r5\nmov ar.itc=r0 ;;\nsrlz.d ;;\n\(program)", psr: PSR.ic | PSR.i)
    machine[gr: 4] = itv
    machine[gr: 5] = itm
    return machine
  }

  @Test("Fires when ITC equals ITM, with the vector of ITV") func fires() throws {
    for itm in [4, 5, 100, 1000] as [UInt64] {
      let machine = try machine(Self.spin, itm: itm)
      #expect(machine.run() == .interruption(.externalInterrupt))
      #expect(machine.state.pointee.interruptRequest[3] == 1 << (0xEF - 192))
      // The handler is entered in the very tick.
      #expect(machine.blocks.itc >= itm && machine.blocks.itc < itm + 64)
    }
  }

  @Test("Delivered at the first slot whose tick matches, in either engine") func exact() throws {
    let machine = try machine(Self.spin, itm: 500)
    var ticks: [UInt64] = []
    for processor in [machine.blocks, machine.steps] {
      while processor.state.pointee.ip != TestMachine.handlers + 0x3000 && processor.state.cycles < 10_000 {
        if processor === machine.blocks { _ = processor.run(until: processor.state.cycles + 1) } else { _ = processor.step() }
      }
      ticks.append(processor.itc)
    }
    #expect(ticks == [500, 500])
  }

  @Test("A masked match is discarded, not kept for later") func masked() throws {
    // All of it is one block: the match lies behind its beginning and before the write that unmasks.
    let late = try TestMachine(
      "mov cr.itm=r5\nmov ar.itc=r0 ;;\n\(String(repeating: "nop.m 0\n", count: 20))mov cr.itv=r6 ;;\n\(Self.spin)",
      psr: PSR.ic | PSR.i)
    late[gr: 5] = 4
    late[gr: 6] = 0xEF
    #expect(late.run(slots: 2000) != .interruption(.externalInterrupt))
    #expect(late.state.pointee.interruptRequest[3] == 0)
  }

  @Test("An ITM that ITC has passed does not match") func passed() throws {
    let machine = try TestMachine("mov cr.itv=r4\nmov ar.itc=r6 ;;\nmov cr.itm=r5 ;;\n\(Self.spin)", psr: PSR.ic | PSR.i)
    machine[gr: 4] = 0xEF
    machine[gr: 5] = 0xFFF
    machine[gr: 6] = 0x1000
    #expect(machine.run(slots: 4000) != .interruption(.externalInterrupt))
  }

  @Test("One match is one interrupt: behind EOI nothing follows until ITM is written") func once() throws {
    let machine = try machine(
      Self.spin, itm: 50)
    try machine.place("mov r16=cr.ivr ;;\nmov cr.eoi=r0 ;;\nadds r17=1,r17 ;;\nrfi ;;", at: TestMachine.handlers + 0x3000)
    machine.run(slots: 3000)
    #expect(machine.state.otherBank[1] == 1 || machine[gr: 17] == 1)
  }

  @Test("An idle processor's timer has a deadline in cycles") func deadline() throws {
    let machine = try machine("break.m 1", itm: 1000)
    #expect(machine.run() == .interruption(.breakInstruction))
    // ITC was written as 0; it counts once in four cycles.
    let wait = machine.blocks.timerDeadline - machine.state.cycles
    #expect(wait > 3900 && wait <= 4000)
    machine.each { $0.skipIdle(to: $0.timerDeadline) }
    machine.each { _ = $0.run(until: $0.state.cycles + 1) }
    #expect(machine.state.pointee.interruptPending)
  }
}
