import Arithmetic
import IA64
import Processor
import Testing

/// Each vector with everything that its page in Volume 2, chapter 8 says of the control registers: what it writes, and what it leaves.
@Suite("Interruption vectors: data references")
struct DataVectorTests {
  static let virtual = PSR.ic | PSR.it | PSR.dt | PSR.rt
  static let code = TestMachine.code
  /// An address in region 1, whose region register has rid 0x11 and pages of 16 KiB.
  static let address: UInt64 = 1 << 61 | 0x1_2340
  static let itir: UInt64 = 0x11 << 8 | 14 << 2

  /// A machine that runs translated and whose second bundle refers to `address` in slot 1, by the instruction given.
  static func machine(_ instruction: String, psr: UInt64 = virtual) throws -> TestMachine {
    let machine = try TestMachine(
      """
      nop.m 0
      { .mmi
        nop.m 0
        \(instruction)
        nop.i 0 ;;
      }
      """, psr: psr)
    machine.mapMemory()
    machine.setRegion(1, rid: 0x11)
    machine[gr: 5] = address
    machine[gr: 6] = 0x77
    return machine
  }

  static func expected(
    _ isr: UInt64, psr: UInt64 = virtual, ifa: UInt64 = address, itir: UInt64 = itir, iha: UInt64 = DeliveredInterruption.unwritten
  ) -> DeliveredInterruption {
    // Slot 0 of the same bundle was the last to execute, so IIPA names the bundle of the fault.
    DeliveredInterruption(
      psr: psr, resume: (code + 16, 1), isr: isr, previous: code + 16, ifa: ifa, itir: itir, iha: iha)
  }

  /// Maps the page of `address`.
  static func map(
    _ machine: TestMachine, rights: UInt8 = 3, level: UInt8 = 3, attribute: UInt8 = 0, accessed: Bool = true, dirty: Bool = true,
    key: UInt32 = 0
  ) {
    machine.map(
      instruction: false, virtual: address, physical: TestMachine.data, shift: 14, rights: rights, level: level,
      attribute: attribute, accessed: accessed, dirty: dirty, key: key)
  }

  /// Turns the walker on for region 1, with a long-format table of 32 KiB.
  static func walker(_ machine: TestMachine, table: UInt64) {
    machine.setRegion(1, rid: 0x11, walker: true)
    machine[cr: CR.pta] = table | 1 << 8 | 15 << 2 | 1
  }

  /// Every way to refer to data, with the ISR bits that it must show (Volume 2, tables 8-1 and 8-2).
  static let references: [(instruction: String, isr: UInt64)] = [
    ("ld8 r4=[r5]", ISR.r), ("ld1.acq r4=[r5]", ISR.r), ("ld4.bias r4=[r5],8", ISR.r), ("ld8.a r4=[r5]", ISR.r),
    ("ld8.c.nc r4=[r5]", ISR.r), ("ld8.fill r4=[r5]", ISR.r), ("ld16 r4=[r5]", ISR.r), ("ld8.s r4=[r5]", ISR.r | ISR.sp),
    ("ld8.sa r4=[r5]", ISR.r | ISR.sp), ("st8 [r5]=r6", ISR.w), ("st2.rel [r5]=r6,2", ISR.w), ("st8.spill [r5]=r6", ISR.w),
    ("st16 [r5]=r6", ISR.w), ("xchg8 r4=[r5],r6", ISR.r | ISR.w), ("cmpxchg4.acq r4=[r5],r6", ISR.r | ISR.w),
    ("cmp8xchg16.acq r4=[r5],r6", ISR.r | ISR.w), ("fetchadd8.rel r4=[r5],1", ISR.r | ISR.w), ("ldfd f6=[r5]", ISR.r),
    ("ldfs.s f6=[r5]", ISR.r | ISR.sp), ("ldf.fill f6=[r5]", ISR.r), ("ldfpd f6,f7=[r5]", ISR.r), ("stfd [r5]=f1", ISR.w),
    ("stf.spill [r5]=f1", ISR.w), ("lfetch.fault [r5]", ISR.na | ISR.r | 4), ("fc r5", ISR.na | ISR.r | 1),
    ("fc.i r5", ISR.na | ISR.r | 1), ("probe.r r4=r5,0", ISR.na | ISR.r | 2), ("probe.w r4=r5,r6", ISR.na | ISR.w | 2),
    ("probe.r.fault r5,0", ISR.na | ISR.r | 5), ("probe.w.fault r5,0", ISR.na | ISR.w | 5),
    ("probe.rw.fault r5,0", ISR.na | ISR.r | ISR.w | 5), ("tpa r4=r5", ISR.na | ISR.r),
  ]

  @Test("Alternate Data TLB", arguments: references) func alternate(_ reference: (instruction: String, isr: UInt64)) throws {
    try Self.machine(reference.instruction).expect(.alternateDataTLB, Self.expected(reference.isr))
  }

  @Test("Data TLB: the walker found a table entry with another tag") func dataTLB() throws {
    let machine = try Self.machine("ld8 r4=[r5]")
    Self.walker(machine, table: 0x38_0000)
    machine[gr: 9] = Self.address
    machine.expect(.dataTLB, Self.expected(ISR.r, iha: try thash(Self.address)))
  }

  @Test("VHPT Translation: the table's own page is not mapped") func vhptData() throws {
    let machine = try Self.machine("st4 [r5]=r6")
    let table: UInt64 = 2 << 61 | 0x100_0000
    machine.setRegion(2, rid: 0x22, pageShift: 16)
    Self.walker(machine, table: table)
    machine.expect(.vhptTranslation, Self.expected(ISR.w, itir: 0x22 << 8 | 16 << 2, iha: try thash(Self.address, table: table)))
  }

  /// What the guest's own thash says, for the tables of `walker`.
  private func thash(_ address: UInt64, table: UInt64 = 0x38_0000) throws -> UInt64 {
    let machine = try TestMachine("thash r4=r5 ;;")
    machine.setRegion(1, rid: 0x11, walker: true)
    machine[cr: CR.pta] = table | 1 << 8 | 15 << 2 | 1
    machine[gr: 5] = address
    #expect(machine.run() == .done)
    return machine[gr: 4]
  }

  @Test("Data Page Not Present", arguments: references)
  func notPresent(_ reference: (instruction: String, isr: UInt64)) throws {
    // A translation with p = 0, which only itc can make.
    let machine = try TestMachine(
      """
      { .mmi
        rsm 0x2000 ;;
        mov cr.itir=r8
        nop.i 0
      }
      mov cr.ifa=r5 ;;
      itc.d r0 ;;
      ssm 0x2000 ;;
      srlz.d ;;
      { .mmi
        nop.m 0
        \(reference.instruction)
        nop.i 0 ;;
      }
      """, psr: Self.virtual)
    machine.mapMemory()
    machine.setRegion(1, rid: 0x11)
    machine[gr: 5] = Self.address
    machine[gr: 6] = 0x77
    machine[gr: 8] = 14 << 2
    let bundle = Self.code + 5 * 16
    machine.expect(
      .pageNotPresent,
      DeliveredInterruption(
        psr: Self.virtual, resume: (bundle, 1), isr: reference.isr, previous: bundle, ifa: Self.address, itir: Self.itir))
  }

  @Test("Data NaT Page Consumption") func natPage() throws {
    for (instruction, isr) in Self.references where isr & ISR.sp == 0 {
      let machine = try Self.machine(instruction)
      Self.map(machine, attribute: MemoryAttribute.natPage)
      machine.expect(.natConsumption, Self.expected(isr | 0x20))
    }
  }

  @Test("Data Key Miss") func keyMiss() throws {
    // fc and tpa do not look at keys.
    for (instruction, isr) in Self.references {
      let machine = try Self.machine(instruction, psr: Self.virtual | PSR.pk)
      Self.map(machine, key: 0x123)
      machine.each { $0.state.pkr[0] = 1 }
      if instruction.hasPrefix("fc") || instruction.hasPrefix("tpa") {
        #expect(machine.run() == .done)
        continue
      }
      machine.expect(.dataKeyMiss, Self.expected(isr, psr: Self.virtual | PSR.pk))
    }
  }

  @Test("Data Key Permission: wd and rd") func keyPermission() throws {
    for (instruction, isr) in Self.references where isr & ISR.na == 0 || isr & 0xF == 5 || isr & 0xF == 4 {
      let machine = try Self.machine(instruction, psr: Self.virtual | PSR.pk)
      Self.map(machine, key: 0x123)
      machine.each {
        $0.state.pkr[0] = 1
        $0.state.pkr[3] = 0x123 << 8 | (isr & ISR.w != 0 ? 2 : 4) | 1
      }
      machine.expect(.keyPermission, Self.expected(isr, psr: Self.virtual | PSR.pk))
    }
  }

  @Test("Data Access Rights") func accessRights() throws {
    for (instruction, isr) in Self.references where isr & ISR.w != 0 && isr & 0xF != 2 {
      let machine = try Self.machine(instruction)
      Self.map(machine, rights: 0)
      machine.expect(.dataAccessRights, Self.expected(isr))
    }
  }

  @Test("Dirty Bit") func dirty() throws {
    for (instruction, isr) in Self.references where isr & ISR.w != 0 && isr & 0xF != 2 {
      let machine = try Self.machine(instruction)
      Self.map(machine, dirty: false)
      machine.expect(.dirtyBit, Self.expected(isr))
    }
  }

  @Test("Data Access Bit") func access() throws {
    for (instruction, isr) in Self.references where isr & ISR.na == 0 || isr & 0xF == 5 || isr & 0xF == 4 {
      let machine = try Self.machine(instruction)
      Self.map(machine, accessed: false)
      machine.expect(.dataAccessBit, Self.expected(isr))
    }
  }

  @Test("Unaligned Data Reference: ISR as the access, IFA the address") func unaligned() throws {
    for (instruction, isr) in [("ld8 r4=[r5]", ISR.r), ("st4 [r5]=r6", ISR.w), ("xchg2 r4=[r5],r6", ISR.r | ISR.w)] {
      let machine = try Self.machine(instruction, psr: Self.virtual | PSR.ac)
      Self.map(machine)
      machine[gr: 5] = Self.address + 1
      machine.expect(
        .unalignedReference,
        Self.expected(isr, psr: Self.virtual | PSR.ac, ifa: Self.address + 1, itir: DeliveredInterruption.unwritten))
    }
  }

  @Test("Unsupported Data Reference: semaphores and 16-byte references to uncacheable memory") func unsupported() throws {
    for (instruction, isr) in Self.references
    where instruction.contains("chg") || instruction.hasPrefix("fetchadd") || instruction.contains("16 ") {
      let machine = try Self.machine(instruction)
      Self.map(machine, attribute: MemoryAttribute.uc)
      machine.expect(.unsupportedReference, Self.expected(isr, itir: DeliveredInterruption.unwritten))
    }
  }
}
