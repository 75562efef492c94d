import Processor
import Testing

/// lfetch: Volume 3, its page. Without .fault nothing happens but the update of the base, with it every fault of a read, as a non-access
/// reference of kind 4.
@Suite("Prefetches")
struct PrefetchTests {
  static let cases: [(name: String, vector: Vector, change: @Sendable (inout TestMachine.Insert) -> Void)] = [
    ("not present", .pageNotPresent, { $0.present = false }), ("NaTPage", .natConsumption, { $0.attribute = 7 }),
    ("rights", .dataAccessRights, { $0.level = 0 }), ("access bit", .dataAccessBit, { $0.accessed = false }),
  ]

  @Test(arguments: ["", ".excl"]) func faults(_ exclusive: String) throws {
    let psr = TestMachine.virtual | TestMachine.level(3)
    for item in Self.cases {
      let machine = try TestMachine("lfetch.fault\(exclusive) [r5],64 ;;", psr: psr)
      machine.separateRegions()
      machine.mapMemory()
      try machine.insertData(item.change)
      machine[gr: 5] = TestMachine.region(1) + 8
      #expect(machine.run() == .interruption(item.vector), "\(item.name)")
      #expect(machine.interruption.isr & (ISR.na | ISR.r | ISR.w | 0xF) == ISR.na | ISR.r | 4)
      #expect(machine.interruption.ifa == TestMachine.region(1) + 8)
      #expect(machine[gr: 5] == TestMachine.region(1) + 8)
      // IPSR.ed set by the handler: skipped over, with the update.
      machine.restart(psr: psr | PSR.ed)
      #expect(machine.run() == .done)
      #expect(machine[gr: 5] == TestMachine.region(1) + 72)
    }
  }

  @Test(arguments: ["", ".excl", ".nt1", ".nta"]) func withoutFault(_ completer: String) throws {
    let machine = try TestMachine(
      "lfetch\(completer) [r5],-8 ;;\nlfetch\(completer) [r6],r7 ;;\nlfetch\(completer) [r8] ;;", psr: TestMachine.virtual)
    machine.separateRegions()
    machine.mapMemory()
    machine[gr: 5] = TestMachine.region(1) + 3
    machine[gr: 6] = TestMachine.region(2)
    machine[gr: 7] = 0x1_0000
    machine[gr: 8] = UInt64.max
    #expect(machine.run() == .done)
    #expect(machine[gr: 5] == TestMachine.region(1) - 5)
    #expect(machine[gr: 6] == TestMachine.region(2) + 0x1_0000)
  }
}
