import IA64
import Processor
import Testing

/// Vectors of instruction fetches: ISR.x, IFA the bundle, IIP the bundle that could not be fetched, IIPA the branch that led there.
@Suite("Interruption vectors: instruction fetches")
struct InstructionVectorTests {
  static let virtual = PSR.ic | PSR.it | PSR.dt | PSR.rt
  static let code = TestMachine.code
  static let target: UInt64 = 1 << 61 | 0x1_2340
  static let itir: UInt64 = 0x11 << 8 | 14 << 2

  /// A machine that branches to `target` from slot 2 of its first bundle.
  static func machine(psr: UInt64 = virtual) throws -> TestMachine {
    let machine = try TestMachine(
      """
      { .mib
        nop.m 0
        nop.i 0
        br.cond.sptk.many b6
      }
      """, psr: psr)
    machine.mapMemory()
    machine.setRegion(1, rid: 0x11)
    machine[br: 6] = target
    return machine
  }

  static func map(
    _ machine: TestMachine, rights: UInt8 = 3, level: UInt8 = 3, attribute: UInt8 = 0, accessed: Bool = true, key: UInt32 = 0
  ) {
    machine.map(
      instruction: true, virtual: target, physical: TestMachine.data, shift: 14, rights: rights, level: level,
      attribute: attribute, accessed: accessed, key: key)
  }

  static func expected(
    _ isr: UInt64 = 0, psr: UInt64 = virtual, itir: UInt64 = itir, iha: UInt64 = DeliveredInterruption.unwritten
  ) -> DeliveredInterruption {
    DeliveredInterruption(
      psr: psr, resume: (target, 0), isr: ISR.x | isr, previous: code, ifa: target, itir: itir, iha: iha)
  }

  @Test("Alternate Instruction TLB") func alternate() throws {
    try Self.machine().expect(.alternateInstructionTLB, Self.expected())
  }

  @Test("VHPT Translation: the table's own page is not mapped") func vhptInstruction() throws {
    let machine = try Self.machine()
    let table: UInt64 = 2 << 61 | 0x100_0000
    machine.setRegion(1, rid: 0x11, walker: true)
    machine.setRegion(2, rid: 0x22, pageShift: 16)
    // The short format's table is linear in each region: its entry for the target is in region 1.
    machine[cr: CR.pta] = table & 0x1FFF_FFFF_FFFF_FFFF | 52 << 2 | 1
    let entry = 1 << 61 | ((Self.target & 0x1FFF_FFFF_FFFF_FFFF) >> 14) << 3
    machine.expect(.vhptTranslation, Self.expected(iha: entry))
  }

  @Test("Instruction TLB: the table's entry is of another page") func instructionTLB() throws {
    let machine = try Self.machine()
    machine.setRegion(1, rid: 0x11, walker: true)
    machine[cr: CR.pta] = 0x38_0000 | 1 << 8 | 15 << 2 | 1
    machine.each { _ in }
    DeliveredInterruption.mark(machine)
    #expect(machine.run() == .interruption(.instructionTLB))
    let found = machine.interruption
    #expect(found == Self.expected(iha: found.iha))
    // The entry lies in the table, on a boundary of 32 bytes (the hash is the implementation's).
    #expect(found.iha & ~0x7FE0 == 0x38_0000)
  }

  @Test("The walker serves instruction misses only with PSR.dt and PSR.ic") func walkerNeedsIC() throws {
    let machine = try Self.machine(psr: PSR.it | PSR.dt | PSR.rt)
    machine.setRegion(1, rid: 0x11, walker: true)
    machine[cr: CR.pta] = 0x38_0000 | 1 << 8 | 15 << 2 | 1
    #expect(machine.run() == .interruption(.alternateInstructionTLB))
    #expect(machine.interruption.isr == ISR.x | ISR.ni)
  }

  @Test("NaT Page Consumption") func natPage() throws {
    let machine = try Self.machine()
    Self.map(machine, attribute: MemoryAttribute.natPage)
    machine.expect(.natConsumption, Self.expected(0x20))
  }

  @Test("Instruction Key Miss") func keyMiss() throws {
    let machine = try Self.machine(psr: Self.virtual | PSR.pk)
    Self.map(machine, key: 0x123)
    machine.each { $0.state.pkr[0] = 1 }
    machine.expect(.instructionKeyMiss, Self.expected(psr: Self.virtual | PSR.pk))
  }

  @Test("Key Permission: xd") func keyPermission() throws {
    let machine = try Self.machine(psr: Self.virtual | PSR.pk)
    Self.map(machine, key: 0x123)
    machine.each {
      $0.state.pkr[0] = 1
      $0.state.pkr[7] = 0x123 << 8 | 8 | 1
    }
    machine.expect(.keyPermission, Self.expected(psr: Self.virtual | PSR.pk))
  }

  @Test("Instruction Access Rights") func accessRights() throws {
    let machine = try Self.machine()
    Self.map(machine, rights: 2)
    machine.expect(.instructionAccessRights, Self.expected())
  }

  @Test("Instruction Access Bit") func accessBit() throws {
    let machine = try Self.machine()
    Self.map(machine, accessed: false)
    machine.expect(.instructionAccessBit, Self.expected())
  }

  @Test("Debug: an instruction breakpoint, translated") func debug() throws {
    let machine = try Self.machine(psr: Self.virtual | PSR.db)
    Self.map(machine)
    machine.each {
      $0.state.ibr[2] = Self.target
      $0.state.ibr[3] = 1 << 63 | 1 << 56 | 0x00FF_FFFF_FFFF_FFFF
    }
    machine.expect(.debug, Self.expected(psr: Self.virtual | PSR.db, itir: DeliveredInterruption.unwritten))
  }

  @Test("Order: the earlier check in the list of Volume 2, section 5.5.2 wins") func order() throws {
    // All at once, then the winner is repaired.
    var steps: [(Vector, (TestMachine) -> Void)] = []
    steps.append((.natConsumption, { Self.map($0, rights: 2, attribute: MemoryAttribute.natPage, accessed: false, key: 0x123) }))
    steps.append((.instructionKeyMiss, { Self.map($0, rights: 2, accessed: false, key: 0x123) }))
    steps.append(
      (
        .keyPermission,
        {
          Self.map($0, rights: 2, accessed: false, key: 0x123)
          $0.each { $0.state.pkr[1] = 0x123 << 8 | 9 }
        }
      ))
    steps.append(
      (
        .instructionAccessRights,
        {
          Self.map($0, rights: 2, accessed: false, key: 0x123)
          $0.each { $0.state.pkr[1] = 0x123 << 8 | 1 }
        }
      ))
    steps.append((.instructionAccessBit, { Self.map($0, accessed: false) }))
    steps.append((.debug, { Self.map($0) }))
    for (vector, prepare) in steps {
      let machine = try Self.machine(psr: Self.virtual | PSR.pk | PSR.db)
      machine.each {
        $0.state.pkr[0] = 1
        $0.state.ibr[0] = Self.target
        $0.state.ibr[1] = 1 << 63 | 0xF << 56 | 0x00FF_FFFF_FFFF_FFFF
      }
      prepare(machine)
      #expect(machine.run() == .interruption(vector))
    }
  }

  @Test("Unimplemented Instruction Address, as a fault on the fetch: code ui, IFA; ISR.ei is PSR.ri") func unimplemented() throws {
    let machine = try TestMachine("{ .mib\n nop.m 0\n nop.i 0\n br.cond.sptk.many b6\n }")
    // Montecito implements 50 physical address bits.
    let target: UInt64 = 1 << 55 | 0x40
    machine[br: 6] = target
    machine.expect(
      .lowerPrivilegeTransfer,
      DeliveredInterruption(psr: PSR.ic, resume: (target, 0), isr: 0x10, previous: Self.code, ifa: target))
  }

  @Test("The last slot of a page falls through to a page that is not mapped") func fallsThrough() throws {
    let machine = try TestMachine("br.cond.sptk.many b6", psr: Self.virtual)
    machine.mapMemory()
    machine.setRegion(1, rid: 0x11, pageShift: 12)
    machine.map(instruction: true, virtual: 1 << 61, physical: TestMachine.data, shift: 12)
    try machine.place("{ .mii\n nop.m 0\n nop.i 0\n nop.i 0\n }", at: TestMachine.data + 0xFF0)
    machine[br: 6] = 1 << 61 | 0xFF0
    machine.expect(
      .alternateInstructionTLB,
      DeliveredInterruption(
        psr: Self.virtual, resume: (1 << 61 | 0x1000, 0), isr: ISR.x, previous: 1 << 61 | 0xFF0, ifa: 1 << 61 | 0x1000,
        itir: 0x11 << 8 | 12 << 2))
  }
}
