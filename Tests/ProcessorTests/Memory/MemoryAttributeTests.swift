import Processor
import Testing

/// Memory attributes and physical addresses: Volume 2, sections 4.2, 4.3 and 4.4; Volume 3, the pages of semaphores.
@Suite("Memory attributes")
struct MemoryAttributeTests {
  static let page = TestMachine.region(1)

  /// Semaphores need write-back memory; fetchadd may be exported from UCE. ld16, st16 and cmp8xchg16 likewise need write-back.
  @Test(arguments: [
    "xchg1 r4=[r5],r6", "xchg8 r4=[r5],r6", "cmpxchg4.rel r4=[r5],r6,ar.ccv", "cmp8xchg16.acq r4=[r5],r6,ar.csd,ar.ccv",
    "ld16 r4,ar.csd=[r5]",
    "st16 [r5]=r6,ar.csd", "fetchadd8.rel r4=[r5],16", "fetchadd4.acq r4=[r5],-1",
  ]) func semaphores(_ text: String) throws {
    let isr = text.hasPrefix("ld16") ? ISR.r : text.hasPrefix("st16") ? ISR.w : ISR.r | ISR.w
    for attribute in [0, 4, 5, 6, 7] as [UInt64] {
      let machine = try TestMachine("\(text) ;;", psr: TestMachine.virtual)
      machine.separateRegions()
      machine.mapMemory()
      try machine.insertData { $0.attribute = attribute }
      machine[gr: 5] = Self.page
      machine[gr: 4] = 99
      let fine = attribute == 0 || attribute == 5 && text.hasPrefix("fetchadd")
      let vector: Vector = attribute == 7 ? .natConsumption : .unsupportedReference
      #expect(machine.run() == (fine ? .done : .interruption(vector)), "attribute \(attribute)")
      if !fine {
        #expect(machine.interruption.isr & (ISR.r | ISR.w) == isr)
        #expect(machine.interruption.ifa == Self.page)
        #expect(machine[gr: 4] == 99)
        #expect(machine.load(TestMachine.data) == 0)
      }
    }
    // Physical addresses: bit 63 means uncacheable.
    let physical = try TestMachine("\(text) ;;")
    physical[gr: 5] = TestMachine.data
    #expect(physical.run() == .done)
    physical[gr: 5] = TestMachine.data | 1 << 63
    physical.restart(psr: PSR.ic)
    #expect(physical.run() == .interruption(.unsupportedReference))
  }

  /// Ordinary loads and stores work with every attribute but NaTPage.
  @Test func ordinaryReferences() throws {
    for text in [
      "ld8 r4=[r5]", "st8 [r5]=r6", "ldfd f6=[r5]", "stf8 [r5]=f6", "ld8.fill r4=[r5]", "ld8.acq r4=[r5]", "st8.rel [r5]=r6",
    ] {
      for attribute in [0, 4, 5, 6, 7] as [UInt64] {
        let machine = try TestMachine("\(text) ;;", psr: TestMachine.virtual)
        machine.separateRegions()
        machine.mapMemory()
        try machine.insertData { $0.attribute = attribute }
        machine[gr: 5] = Self.page
        #expect(machine.run() == (attribute == 7 ? .interruption(.natConsumption) : .done), "\(text), attribute \(attribute)")
        if attribute == 7 { #expect(machine.interruption.code == 0x20) }
      }
    }
  }

  /// An advanced load from non-speculative memory returns 0 and makes no entry (Volume 3, ld).
  @Test func advancedLoadsFromNonSpeculativeMemory() throws {
    for (attribute, advances) in [(0, true), (6, true), (4, false), (5, false)] as [(UInt64, Bool)] {
      let machine = try TestMachine(
        """
        ld8.a r4=[r5] ;;
        mov r6=r4 ;;
        st8 [r7]=r8 ;;
        ld8.c.nc r4=[r5] ;;
        chk.a.nc r4,miss ;;
        adds r9=1,r0 ;;
        miss: nop.m 0 ;;
        """, psr: TestMachine.virtual)
      machine.separateRegions()
      machine.mapMemory()
      try machine.insertData { $0.attribute = attribute }
      machine.store(TestMachine.data, UInt64(5))
      machine[gr: 5] = Self.page
      machine[gr: 7] = TestMachine.data + 0x100
      #expect(machine.run() == .done)
      #expect(machine[gr: 6] == (advances ? 5 : 0))
      #expect(machine[gr: 4] == 5, "the check load reads again")
      #expect(machine[gr: 9] == (advances ? 1 : 0))
    }
  }

  /// Unimplemented physical addresses: bits 62:50 of a 50-bit processor. General Exception with code 3, and IFA (section 4.3.3).
  @Test func unimplementedPhysicalAddresses() throws {
    for bit in 50...62 as ClosedRange<UInt64> {
      for (text, isr) in [("ld4 r4=[r5]", ISR.r), ("st4 [r5]=r4", ISR.w), ("xchg4 r4=[r5],r6", ISR.r | ISR.w)] {
        let machine = try TestMachine("\(text) ;;")
        machine[gr: 5] = 1 << bit | TestMachine.data
        DeliveredInterruption.mark(machine)
        #expect(machine.run() == .interruption(.generalException))
        #expect(machine.interruption.isr == isr | 0x30)
        #expect(machine.interruption.ifa == 1 << bit | TestMachine.data)
        #expect(machine.interruption.itir == DeliveredInterruption.unwritten)
      }
      let deferred = try TestMachine("ld4.s r4=[r5] ;;")
      deferred[gr: 5] = 1 << bit
      #expect(deferred.run() == .done)
      #expect(deferred[nat: 4])
    }
  }

  /// The whole implemented physical space is reachable, bit 63 aside.
  @Test func devicesAtHighAddresses() throws {
    let machine = try TestMachine("ld4 r4=[r5] ;;\nst2 [r5]=r6 ;;")
    for address in [1 << 49 | 0x10, 1 << 63 | 1 << 49 | 0x10, 1 << 63 | 0x3_FFFF_FFFF_FFF0] as [UInt64] {
      for bus in [machine.bus.blocks, machine.bus.steps] { bus.registers[address & ~(1 << 63)] = 0xFFFF_FFFF_1234_5678 }
      machine[gr: 5] = address
      machine[gr: 6] = 0xABCD_EF01
      machine.restart(psr: PSR.ic)
      #expect(machine.run() == .done)
      #expect(machine[gr: 4] == 0x1234_5678)
      let bus: UInt64 = address & ~(1 << 63)
      let expected = [TestBus.Access(address: bus, size: 4, value: nil), TestBus.Access(address: bus, size: 2, value: 0xEF01)]
      #expect(Array(machine.bus.blocks.log.suffix(2)) == expected)
    }
  }

  /// With PSR.dt = 0 no translation, right, key or bit counts.
  @Test func physicalMode() throws {
    let machine = try TestMachine("st8 [r5]=r4 ;;\nld8 r6=[r5] ;;\nprobe.rw.fault r5,3 ;;", psr: PSR.ic | PSR.pk)
    try machine.insert(.init(present: false), at: TestMachine.data, shift: 14)
    machine[gr: 4] = 12
    machine[gr: 5] = TestMachine.data
    #expect(machine.run() == .done)
    #expect(machine[gr: 6] == 12)
  }
}
