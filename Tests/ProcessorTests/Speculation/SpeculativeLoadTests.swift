import Arithmetic
import Processor
import Testing

/// Deferral of speculative loads: Volume 2, section 5.5.5 and table 5-4.
@Suite("Speculative loads")
struct SpeculativeLoadTests {
  /// A condition, the DCR bit that controls it, the fault that it is without deferral.
  struct Condition: CustomTestStringConvertible, Sendable {
    var name: String
    var bit: UInt64
    var vector: Vector
    var psr: UInt64 = 0
    var arrange: @Sendable (TestMachine) throws -> Void
    var testDescription: String { name }
  }

  static let page = TestMachine.region(1)

  static let conditions: [Condition] = [
    Condition(name: "dm", bit: DCR.dm, vector: .alternateDataTLB) { _ in },
    Condition(name: "dp", bit: DCR.dp, vector: .pageNotPresent) { try $0.insertData { $0.present = false } },
    Condition(name: "dk", bit: DCR.dk, vector: .dataKeyMiss, psr: PSR.pk) { m in
      // The code's key is 0; the data's is in no register.
      m.each { $0.state.pkr[0] = 1 }
      try m.insertData(key: 5)
    },
    Condition(name: "dx", bit: DCR.dx, vector: .keyPermission, psr: PSR.pk) { m in
      m.each {
        $0.state.pkr[0] = 1
        $0.state.pkr[1] = 5 << 8 | 4 | 1
      }
      try m.insertData(key: 5)
    },
    Condition(name: "dr", bit: DCR.dr, vector: .dataAccessRights, psr: TestMachine.level(3)) { try $0.insertData { $0.level = 0 } },
    Condition(name: "da", bit: DCR.da, vector: .dataAccessBit) { try $0.insertData { $0.accessed = false } },
    Condition(name: "dd", bit: DCR.dd, vector: .debug, psr: PSR.db) { m in
      try m.insertData()
      m.each {
        $0.state.dbr[0] = page
        $0.state.dbr[1] = 1 << 63 | 0xF << 56 | 0x00FF_FFFF_FFFF_FFFF
      }
    },
  ]

  private func machine(
    _ condition: Condition, dcr: UInt64, recoverable: Bool = true, psr: UInt64 = TestMachine.virtual,
    load: String = "ld8.s r4=[r5],16"
  ) throws -> TestMachine {
    let machine = try TestMachine("\(load) ;;\nadds r6=1,r0 ;;", psr: psr | condition.psr)
    machine.separateRegions()
    machine.mapMemory()
    if recoverable { machine.markRecoverable() }
    try condition.arrange(machine)
    machine[cr: CR.dcr] = dcr
    machine[gr: 4] = 99
    machine[gr: 5] = Self.page
    DeliveredInterruption.mark(machine)
    return machine
  }

  @Test(arguments: conditions) func isDeferredByItsBit(_ condition: Condition) throws {
    let machine = try machine(condition, dcr: condition.bit)
    #expect(machine.run() == .done)
    #expect(machine[nat: 4])
    #expect(machine[gr: 5] == Self.page + 16, "the base is updated all the same")
    #expect(!machine[nat: 5])
    #expect(machine[gr: 6] == 1)
  }

  @Test(arguments: conditions) func faultsWithAllOtherBits(_ condition: Condition) throws {
    let machine = try machine(condition, dcr: DCR.implemented & 0x7F00 & ~condition.bit)
    #expect(machine.run() == .interruption(condition.vector))
    #expect(machine.interruption.isr & (ISR.sp | ISR.r | ISR.ed) == ISR.sp | ISR.r | ISR.ed)
    #expect(machine.interruption.ifa == Self.page)
    #expect(machine[gr: 4] == 99)
    #expect(machine[gr: 5] == Self.page)
  }

  @Test(arguments: conditions) func faultsWithoutRecoveryCode(_ condition: Condition) throws {
    let machine = try machine(condition, dcr: 0x7F00, recoverable: false)
    #expect(machine.run() == .interruption(condition.vector))
    #expect(machine.interruption.isr & (ISR.sp | ISR.ed) == ISR.sp)
  }

  @Test(arguments: conditions) func isDeferredInAHandler(_ condition: Condition) throws {
    let machine = try machine(condition, dcr: 0, recoverable: false, psr: TestMachine.virtual & ~PSR.ic)
    #expect(machine.run() == .done)
    #expect(machine[nat: 4])
    #expect(machine[gr: 5] == Self.page + 16)
  }

  @Test(arguments: conditions) func floatingPointTakesNaTVal(_ condition: Condition) throws {
    let machine = try machine(condition, dcr: condition.bit, load: "ldfd.s f6=[r5],16")
    machine[fr: 6] = .one
    #expect(machine.run() == .done)
    #expect(machine[fr: 6].isNaTVal)
    #expect(machine[gr: 5] == Self.page + 16)
  }

  @Test(arguments: conditions) func pairsTakeNaTVals(_ condition: Condition) throws {
    let machine = try machine(condition, dcr: condition.bit, load: "ldfpd.s f6,f7=[r5],16")
    #expect(machine.run() == .done)
    #expect(machine[fr: 6].isNaTVal && machine[fr: 7].isNaTVal)
    #expect(machine[gr: 5] == Self.page + 16)
  }

  /// NaTPages and non-speculative memory defer whatever DCR and ITLB.ed say.
  @Test(arguments: [MemoryAttribute.natPage, MemoryAttribute.uc, MemoryAttribute.uce], [true, false])
  func attributesDefer(_ attribute: UInt8, _ recoverable: Bool) throws {
    for load in ["ld4.s r4=[r5],16", "ld4.sa r4=[r5],16"] {
      let condition = Condition(name: "", bit: 0, vector: .debug) { try $0.insertData { $0.attribute = UInt64(attribute) } }
      let machine = try machine(condition, dcr: 0, recoverable: recoverable, load: load)
      #expect(machine.run() == .done)
      #expect(machine[nat: 4])
      #expect(machine[gr: 5] == Self.page + 16)
    }
  }

  @Test func misalignmentIsDeferredByTheCodePageAlone() throws {
    for (recoverable, size) in [(true, 2), (true, 4), (true, 8), (false, 2), (false, 4), (false, 8)] {
      let condition = Condition(name: "", bit: 0, vector: .unalignedReference) { try $0.insertData() }
      let machine = try machine(condition, dcr: 0, recoverable: recoverable, load: "ld\(size).s r4=[r5],16")
      // Across a 16-byte boundary, which no implementation has to complete.
      machine[gr: 5] = Self.page + 15
      if recoverable {
        #expect(machine.run() == .done)
        #expect(machine[nat: 4])
        #expect(machine[gr: 5] == Self.page + 31)
      } else {
        #expect(machine.run() == .interruption(.unalignedReference))
        #expect(machine.interruption.isr & (ISR.sp | ISR.ed) == ISR.sp)
        #expect(machine[gr: 5] == Self.page + 15)
      }
    }
  }

  /// PSR.ed: NaT without looking, for one instruction.
  @Test func exceptionDeferralOfTheInstruction() throws {
    let machine = try TestMachine("ld8.s r4=[r5],8 ;;\nld8.s r6=[r5] ;;", psr: TestMachine.virtual | PSR.ed)
    machine.separateRegions()
    machine.mapMemory()
    try machine.insertData()
    machine.store(TestMachine.data + 8, UInt64(7))
    machine[gr: 5] = Self.page
    #expect(machine.run() == .done)
    #expect(machine[nat: 4])
    #expect(!machine[nat: 6])
    #expect(machine[gr: 6] == 7)
  }

  /// A deferred miss does not hide a Data Debug that is not deferred (section 5.5.5: qualification, deferral, prioritization).
  @Test func lowerConditionsStillFault() throws {
    let missAndBreakpoint = Condition(name: "", bit: 0, vector: .debug, psr: PSR.db) { m in
      m.each {
        $0.state.dbr[0] = Self.page
        $0.state.dbr[1] = 1 << 63 | 0xF << 56 | 0x00FF_FFFF_FFFF_FFFF
      }
    }
    let first = try machine(missAndBreakpoint, dcr: DCR.dm)
    #expect(first.run() == .interruption(.debug))
    let second = try machine(missAndBreakpoint, dcr: DCR.dm | DCR.dd)
    #expect(second.run() == .done)
    let keyAndRights = Condition(name: "", bit: 0, vector: .debug, psr: PSR.pk | TestMachine.level(3)) { m in
      m.each { $0.state.pkr[0] = 1 }
      try m.insertData({ $0.level = 0 }, key: 5)
    }
    #expect(try machine(keyAndRights, dcr: DCR.dk).run() == .interruption(.dataAccessRights))
    #expect(try machine(keyAndRights, dcr: DCR.dk | DCR.dr).run() == .done)
  }

  /// A NaT address defers, keeps the base NaT, and adds to it (Volume 3, ld).
  @Test func naTAddress() throws {
    let machine = try TestMachine("ld8.s r4=[r5],24 ;;\nldfd.s f6=[r7],8 ;;")
    machine[gr: 5] = 100
    machine[nat: 5] = true
    machine[gr: 7] = 200
    machine[nat: 7] = true
    #expect(machine.run() == .done)
    #expect(machine[nat: 4] && machine[nat: 5] && machine[nat: 7])
    #expect(machine[gr: 5] == 124)
    #expect(machine[gr: 7] == 208)
    #expect(machine[fr: 6].isNaTVal)
  }

  /// An illegal target faults even in a speculative load (section 5.5.5).
  @Test func illegalTargetsAreNotDeferred() throws {
    let machine = try TestMachine("ld8.s r120=[r5] ;;")
    #expect(machine.run() == .interruption(.generalException))
    let disabled = try TestMachine("ldfd.s f40=[r5] ;;", psr: PSR.ic | PSR.dfh)
    #expect(disabled.run() == .interruption(.disabledFP))
  }
}
