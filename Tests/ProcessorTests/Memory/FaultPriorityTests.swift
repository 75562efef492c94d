import Processor
import Testing

/// The order of the data reference faults: Volume 2, table 5-6 and figure 4-16.
@Suite("Fault priorities")
struct FaultPriorityTests {
  static let page = TestMachine.region(1)

  /// Everything is wrong with the page; one repair after the other brings up the next fault.
  @Test func dataReferences() throws {
    let machine = try TestMachine("cmpxchg8.acq r4=[r5],r6,ar.ccv ;;", psr: TestMachine.virtual)
    let psr = TestMachine.virtual | PSR.pk | PSR.db | TestMachine.level(3)
    machine.separateRegions()
    machine.mapMemory()
    machine[gr: 5] = Self.page + 4
    machine.each {
      $0.state.pkr[0] = 1
      $0.state.dbr[0] = Self.page
      $0.state.dbr[1] = 1 << 63 | 0xF << 56 | 0x00FF_FFFF_FFFF_FFF8
    }
    var entry = TestMachine.Insert(
      present: false, attribute: 7, accessed: false, dirty: false, level: 0, rights: 2, physical: TestMachine.data)
    func expect(_ vector: Vector, _ code: UInt64 = 0) throws {
      try machine.insert(entry, at: Self.page, key: 5)
      machine.restart(psr: psr)
      DeliveredInterruption.mark(machine)
      #expect(machine.run() == .interruption(vector))
      #expect(machine.interruption.isr == code | ISR.r | ISR.w)
      #expect(machine.interruption.ifa == Self.page + 4)
      let reportsSize = vector != .debug && vector != .unalignedReference && vector != .unsupportedReference
      #expect(machine.interruption.itir == (reportsSize ? 1 << 8 | 14 << 2 : DeliveredInterruption.unwritten))
    }
    machine.restart(psr: psr)
    #expect(machine.run() == .interruption(.alternateDataTLB))
    try expect(.pageNotPresent)
    entry.present = true
    try expect(.natConsumption, 0x20)
    entry.attribute = 4
    try expect(.dataKeyMiss)
    machine.each { $0.state.pkr[1] = 5 << 8 | 2 | 1 }
    try expect(.keyPermission)
    machine.each { $0.state.pkr[1] = 5 << 8 | 1 }
    try expect(.dataAccessRights)
    entry.level = 3
    try expect(.dirtyBit)
    entry.dirty = true
    try expect(.dataAccessBit)
    entry.accessed = true
    try expect(.debug)
    machine.each { $0.state.dbr[1] = 0 }
    try expect(.unalignedReference)
    machine[gr: 5] = Self.page
    try machine.insert(entry, at: Self.page, key: 5)
    machine.restart(psr: psr)
    #expect(machine.run() == .interruption(.unsupportedReference))
    entry.attribute = 0
    try machine.insert(entry, at: Self.page, key: 5)
    machine.restart(psr: psr)
    #expect(machine.run() == .done)
  }

  @Test func instructionFetches() throws {
    let machine = try TestMachine("nop.m 0 ;;", psr: TestMachine.virtual)
    let psr = TestMachine.virtual | PSR.pk | PSR.db | TestMachine.level(3)
    machine.separateRegions()
    machine.mapMemory()
    let target = Self.page | TestMachine.code & 0xF_FFFF
    machine.each {
      $0.state.pkr[0] = 1
      $0.state.ibr[0] = target
      $0.state.ibr[1] = 1 << 63 | 0xF << 56 | 0x00FF_FFFF_FFFF_FFFF
    }
    var entry = TestMachine.Insert(
      present: false, attribute: 7, accessed: false, dirty: false, level: 0, rights: 1, physical: TestMachine.code)
    func arrive(at vector: Vector, _ code: UInt64 = 0, insert: Bool = true) throws {
      if insert { try machine.insert(entry, at: Self.page, shift: 20, key: 5, instruction: true) }
      machine.restart(psr: psr)
      machine.each { $0.state.pointee.ip = target }
      DeliveredInterruption.mark(machine)
      #expect(machine.run() == .interruption(vector))
      #expect(machine.interruption.isr == code | ISR.x)
      #expect(machine.interruption.ifa == target)
      #expect(machine.interruption.iip == target)
    }
    try arrive(at: .alternateInstructionTLB, insert: false)
    try arrive(at: .pageNotPresent)
    entry.present = true
    try arrive(at: .natConsumption, 0x20)
    entry.attribute = 0
    try arrive(at: .instructionKeyMiss)
    machine.each { $0.state.pkr[1] = 5 << 8 | 8 | 1 }
    try arrive(at: .keyPermission)
    machine.each { $0.state.pkr[1] = 5 << 8 | 1 }
    try arrive(at: .instructionAccessRights)
    entry.level = 3
    try arrive(at: .instructionAccessBit)
    entry.accessed = true
    try arrive(at: .debug)
  }

  /// Data Nested TLB: with PSR.ic = 0 nothing at all is written, ISR included (Volume 2, section 8.3).
  @Test func nestedMissesWriteNothing() throws {
    let machine = try TestMachine("ld8 r4=[r5] ;;", psr: TestMachine.virtual & ~PSR.ic)
    machine.separateRegions()
    machine.mapMemory()
    machine[gr: 5] = Self.page
    DeliveredInterruption.mark(machine)
    #expect(machine.run() == .interruption(.dataNestedTLB))
    for register in [CR.ipsr, CR.isr, CR.iip, CR.ifa, CR.itir, CR.iipa, CR.ifs, CR.iim, CR.iha] {
      #expect(machine[cr: register] == DeliveredInterruption.unwritten)
    }
    // Any other fault has its vector, and writes ISR alone.
    try machine.insertData { $0.accessed = false }
    machine.restart(psr: TestMachine.virtual & ~PSR.ic)
    #expect(machine.run() == .interruption(.dataAccessBit))
    #expect(machine.interruption.isr == ISR.ni | ISR.r)
    #expect(machine.interruption.ifa == DeliveredInterruption.unwritten)
  }

  /// PSR.da lets one instruction by the access and dirty bits, PSR.dd by the data breakpoints, PSR.ia by the instruction access bit,
  /// PSR.id by the instruction breakpoints (Volume 2, table 3-2).
  @Test func oneShotBits() throws {
    let machine = try TestMachine("st8 [r5]=r4 ;;\nst8 [r5]=r6 ;;", psr: TestMachine.virtual)
    machine.separateRegions()
    machine.mapMemory()
    try machine.insertData {
      $0.accessed = false
      $0.dirty = false
    }
    machine[gr: 4] = 4
    machine[gr: 6] = 6
    machine[gr: 5] = Self.page
    machine.restart(psr: TestMachine.virtual | PSR.da)
    #expect(machine.run() == .interruption(.dirtyBit))
    #expect(machine.load(TestMachine.data) == 4)
    try machine.insertData()
    machine.each {
      $0.state.dbr[0] = Self.page
      $0.state.dbr[1] = 1 << 62 | 0xF << 56 | 0x00FF_FFFF_FFFF_FFFF
    }
    machine.restart(psr: TestMachine.virtual | PSR.db | PSR.dd)
    #expect(machine.run() == .interruption(.debug))
    #expect(machine.load(TestMachine.data) == 4)
  }

  /// Instruction breakpoints compare physical addresses where PSR.it is 0 (Volume 2, section 7.1.1).
  @Test func instructionBreakpointWithoutTranslation() throws {
    let machine = try TestMachine("nop.m 0 ;;\n{ .mii\n nop 0\n nop 0\n nop 0\n } ;;", psr: PSR.ic | PSR.db)
    machine.each {
      $0.state.ibr[2] = TestMachine.code + 16
      $0.state.ibr[3] = 1 << 63 | 1 << 56 | 0x00FF_FFFF_FFFF_FFFF
    }
    #expect(machine.run() == .interruption(.debug))
    #expect(machine.interruption.ifa == TestMachine.code + 16)
    #expect(machine.interruption.isr & ISR.x != 0)
    // PSR.id: once past it.
    machine.restart(psr: PSR.ic | PSR.db | PSR.id)
    machine.each { $0.state.pointee.ip = TestMachine.code + 16 }
    let outcome = machine.run()
    #expect(outcome == .interruption(.debug), "slot 1 of the same bundle matches again")
    #expect(machine.interruption.slot == 1)
  }
}
