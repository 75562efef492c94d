import IA64
import Processor
import Testing

/// That the harness sees what happens.
@Suite("Test machine")
struct HarnessTests {
  @Test func runsToTheEnd() throws {
    let machine = try TestMachine(
      """
      movl r4=0x123456789abcdef0 ;;
      { .mmi
        st8 [r5]=r4,8 ;;
        st4 [r5]=r4
        adds r6=1,r4 ;;
      }
      """)
    machine[gr: 5] = TestMachine.data
    #expect(machine.run() == .done)
    #expect(machine[gr: 6] == 0x1234_5678_9ABC_DEF1)
    #expect(machine.load(TestMachine.data) == 0x1234_5678_9ABC_DEF0)
    #expect(machine.load(TestMachine.data + 8) == 0x9ABC_DEF0)
  }

  @Test func seesAnInterruption() throws {
    let machine = try TestMachine("nop.m 0 ;;\n{ .mii\n nop 0\n break.i 0x1234\n nop 0\n }")
    DeliveredInterruption.mark(machine)
    #expect(machine.run() == .interruption(.breakInstruction))
    #expect(machine.interruption.iim == 0x1234)
    #expect(machine.interruption.iip == TestMachine.code + 16)
    #expect(machine.interruption.slot == 1)
    #expect(machine.interruption.ifa == DeliveredInterruption.unwritten)
  }

  @Test func seesTranslations() throws {
    let machine = try TestMachine("ld8 r4=[r5] ;;", psr: PSR.ic | PSR.it | PSR.dt | PSR.rt)
    machine.mapMemory()
    machine.map(instruction: false, virtual: 1 << 61 | 0x4000, physical: TestMachine.data, shift: 14)
    machine[gr: 5] = 1 << 61 | 0x4008
    machine.store(TestMachine.data + 8, UInt64(77))
    #expect(machine.run() == .done)
    #expect(machine[gr: 4] == 77)
  }
}
