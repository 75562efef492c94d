import IA64
import Processor
import Testing

/// Which of several concurrent conditions is reported (Volume 2, table 5-6).
@Suite("Priority of concurrent faults")
struct DataPriorityTests {
  static let psr = PSR.ic | PSR.it | PSR.dt | PSR.rt | PSR.pk | PSR.db | PSR.ac
  static let page: UInt64 = 1 << 61 | 0x4000

  /// What is wrong with the page of the reference; the order of the cases is that of the priorities.
  struct Wrong {
    var natPage = true
    var keyMiss = true
    var keyDenied = true
    var rights = true
    var dirty = true
    var accessed = true
    var debug = true
    var unaligned = true
    var unsupported = true
  }

  private func machine(_ wrong: Wrong, _ instruction: String = "xchg8 r4=[r5],r6") throws -> TestMachine {
    let machine = try TestMachine("nop.m 0\n\(instruction) ;;", psr: Self.psr)
    machine.mapMemory()
    machine[gr: 5] = Self.page | (wrong.unaligned ? 4 : 0)
    machine.each {
      $0.state.pkr[0] = 1
      if !wrong.keyMiss { $0.state.pkr[1] = 0x99 << 8 | (wrong.keyDenied ? 6 : 0) | 1 }
      if wrong.debug {
        $0.state.dbr[0] = Self.page
        $0.state.dbr[1] = 3 << 62 | 1 << 56 | 0x00FF_FFFF_FFFF_F000
      }
    }
    machine.map(
      instruction: false, virtual: Self.page, physical: TestMachine.data, shift: 14, rights: wrong.rights ? 0 : 3,
      attribute: wrong.natPage ? MemoryAttribute.natPage : wrong.unsupported ? MemoryAttribute.uc : MemoryAttribute.wb,
      accessed: !wrong.accessed, dirty: !wrong.dirty, key: 0x99)
    return machine
  }

  @Test("Data reference group: each fault hides all that come after it") func dataGroup() throws {
    var wrong = Wrong()
    // The order: NaT page, key miss, key permission, access rights, dirty, access bit, debug, unaligned, unsupported.
    #expect(try machine(wrong).run() == .interruption(.natConsumption))
    wrong.natPage = false
    #expect(try machine(wrong).run() == .interruption(.dataKeyMiss))
    wrong.keyMiss = false
    #expect(try machine(wrong).run() == .interruption(.keyPermission))
    wrong.keyDenied = false
    #expect(try machine(wrong).run() == .interruption(.dataAccessRights))
    wrong.rights = false
    #expect(try machine(wrong).run() == .interruption(.dirtyBit))
    wrong.dirty = false
    #expect(try machine(wrong).run() == .interruption(.dataAccessBit))
    wrong.accessed = false
    #expect(try machine(wrong).run() == .interruption(.debug))
    wrong.debug = false
    #expect(try machine(wrong).run() == .interruption(.unalignedReference))
    wrong.unaligned = false
    #expect(try machine(wrong).run() == .interruption(.unsupportedReference))
    wrong.unsupported = false
    #expect(try machine(wrong).run() == .done)
  }

  @Test("A TLB miss comes before everything that only a translation can tell") func miss() throws {
    let machine = try TestMachine("xchg8 r4=[r5],r6 ;;", psr: Self.psr)
    machine.mapMemory()
    machine.each { $0.state.pkr[0] = 1 }
    machine[gr: 5] = 2 << 61 | 3
    #expect(machine.run() == .interruption(.alternateDataTLB))
  }

  @Test("Register NaT before the data reference; Illegal before NaT; Privileged before NaT") func execution() throws {
    let nat = try machine(Wrong())
    nat[nat: 5] = true
    #expect(nat.run() == .interruption(.natConsumption))
    #expect(nat.interruption.isr == ISR.r | ISR.w | 0x10)
    let illegal = try machine(Wrong(), "xchg8 r0=[r5],r6")
    illegal[nat: 5] = true
    #expect(illegal.run() == .interruption(.generalException))
    let privileged = try TestMachine("tpa r4=r5 ;;", psr: PSR.ic | 3 << 32)
    privileged[nat: 5] = true
    #expect(privileged.run() == .interruption(.generalException))
    #expect(privileged.interruption.isr == 0x10)
  }

  @Test("Unimplemented physical data address: Reserved Register/Field's code, with the bits of the reference") func unimplemented()
    throws
  {
    for (instruction, isr) in [
      ("ld8 r4=[r5]", ISR.r), ("st1 [r5]=r6", ISR.w), ("xchg4 r4=[r5],r6", ISR.r | ISR.w), ("fc r5", ISR.na | ISR.r | 1),
    ] {
      let machine = try TestMachine("\(instruction) ;;")
      machine[gr: 5] = 1 << 52 | 1
      #expect(machine.run() == .interruption(.generalException), "\(instruction)")
      #expect(machine.interruption.isr == isr | 0x30, "\(instruction)")
      #expect(machine.interruption.ifa == 1 << 52 | 1)
    }
    // Bit 63 is the uncacheable attribute, not part of the address.
    let machine = try TestMachine("ld8 r4=[r5] ;;")
    machine[gr: 5] = 1 << 63 | TestMachine.data
    machine.store(TestMachine.data, UInt64(12))
    #expect(machine.run() == .done)
    #expect(machine[gr: 4] == 12)
  }

  @Test("An external interrupt comes before a fault of the next instruction, and behind the trap of the last") func interruptOrder()
    throws
  {
    let fault = try TestMachine("ssm 0x4000 ;;\nbreak.m 1")
    fault.each {
      $0.post(vector: 0x50)
      $0.state.pointee.psr |= 1 << PSR.riShift
      $0.state.pointee.psr &= ~PSR.riMask
    }
    #expect(fault.run() == .interruption(.externalInterrupt))
    let trap = try TestMachine("{ .mii\n ssm 0x4000\n nop 0\n nop 0 ;;\n }", psr: PSR.ic | PSR.ss)
    trap.each { $0.post(vector: 0x50) }
    #expect(trap.run() == .interruption(.singleStep))
    #expect(trap.interruption.ipsr == PSR.ic | PSR.i | PSR.ss | 1 << PSR.riShift)
  }

  @Test("ISR.ed with each fault of a speculative load that is not deferred; with its DCR bit it is deferred") func deferral() throws
  {
    let psr = PSR.ic | PSR.it | PSR.dt | PSR.rt | PSR.pk
    typealias Case = (vector: Vector, bit: UInt64, prepare: (TestMachine) -> Void)
    func map(_ machine: TestMachine, rights: UInt8 = 3, accessed: Bool = true, key: UInt32 = 0) {
      machine.map(
        instruction: false, virtual: Self.page, physical: TestMachine.data, shift: 14, rights: rights, accessed: accessed, key: key)
    }
    let cases: [Case] = [
      (.alternateDataTLB, DCR.dm, { _ in }), (.dataKeyMiss, DCR.dk, { map($0, key: 0x99) }),
      (
        .keyPermission, DCR.dx,
        { machine in
          map(machine, key: 0x99)
          machine.each { $0.state.pkr[1] = 0x99 << 8 | 5 }
        }
      ), (.dataAccessRights, DCR.dr, { map($0, rights: 7) }), (.dataAccessBit, DCR.da, { map($0, accessed: false) }),
    ]
    for (vector, bit, prepare) in cases {
      for (ed, dcr) in [(true, ~bit & DCR.implemented & ~3), (true, bit), (false, bit)] {
        for instruction in ["ld8.s r4=[r5]", "ldfd.s f4=[r5]", "ld4.sa r4=[r5]"] {
          let level: UInt64 = vector == .dataAccessRights ? 3 << 32 : 0
          let machine = try TestMachine("\(instruction) ;;", psr: psr | level)
          machine.mapMemory()
          machine.map(instruction: true, virtual: TestMachine.code, physical: TestMachine.code, shift: 14, ed: ed)
          machine.each { $0.state.pkr[0] = 1 }
          machine[gr: 5] = Self.page
          machine[cr: CR.dcr] = dcr
          prepare(machine)
          if ed && dcr == bit {
            #expect(machine.run() == .done, "\(instruction) \(vector)")
            #expect(instruction.hasPrefix("ldf") ? machine[fr: 4] == .natVal : machine[nat: 4])
          } else {
            #expect(machine.run() == .interruption(vector), "\(instruction)")
            #expect(machine.interruption.isr == ISR.r | ISR.sp | (ed ? ISR.ed : 0), "\(instruction) \(vector)")
          }
        }
      }
    }
  }
}
