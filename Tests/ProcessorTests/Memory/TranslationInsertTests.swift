import Processor
import Testing

/// itc, itr, ptc, ptr: Volume 2, sections 4.1.1 and 4.1.2; Volume 3, their pages.
@Suite("Translation inserts and purges")
struct TranslationInsertTests {
  /// 4K 8K 16K 64K 256K 1M 4M 16M 64M 256M (Volume 2, table 4-5), and the Itanium 2's 1G and 4G.
  static let sizes: [UInt64] = [12, 13, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32]
  static let base: UInt64 = TestMachine.region(1) | 3 << 33

  @Test(arguments: sizes) func eachPageSize(_ shift: UInt64) throws {
    let machine = try TestMachine("tpa r4=r5 ;;\ntpa r6=r7 ;;\ntpa r8=r9 ;;")
    machine.separateRegions()
    let mask: UInt64 = 1 << shift - 1
    let physical: UInt64 = 0x2_5A00_0000_0000
    // Bits of ppn and vpn below the page size are ignored.
    try machine.insert(.init(physical: physical | (mask & ~0xFFF)), at: Self.base | (mask & ~0xFFF), shift: shift)
    machine[gr: 5] = Self.base
    machine[gr: 7] = Self.base | mask
    machine[gr: 9] = Self.base + mask + 1
    #expect(machine.run() == .interruption(.alternateDataTLB))
    #expect(machine[gr: 4] == physical)
    #expect(machine[gr: 6] == physical | mask)
    #expect(machine.interruption.ifa == Self.base + mask + 1)
    #expect(machine.interruption.itir == 1 << 8 | 14 << 2)
    #expect(machine.interruption.isr & (ISR.na | ISR.r | ISR.w) == ISR.na | ISR.r)
  }

  @Test func otherPageSizesAreReserved() throws {
    let machine = try TestMachine("itc.d r8 ;;", psr: 0)
    for shift in 0..<64 as Range<UInt64> where !Self.sizes.contains(shift) {
      machine[cr: CR.itir] = shift << 2
      machine[gr: 8] = TestMachine.Insert().word
      machine.restart(psr: 0)
      #expect(machine.run() == .interruption(.generalException), "\(shift)")
      #expect(machine[cr: CR.isr] & 0xFFFF == 0x30)
    }
  }

  @Test func reservedFields() throws {
    let machine = try TestMachine("itc.d r8 ;;\nitc.i r8 ;;\nitr.d dtr[r0]=r8 ;;", psr: 0)
    machine[cr: CR.itir] = 14 << 2
    let good = TestMachine.Insert().word
    let bad: [UInt64] = [1 << 1, 1 << 50, 1 << 51, 1 << 2, 2 << 2, 3 << 2]
    for bits in bad {
      machine[gr: 8] = good | bits
      machine.restart(psr: 0)
      #expect(machine.run() == .interruption(.generalException), "\(bits)")
      #expect(machine[cr: CR.isr] & 0xFFFF == 0x30)
      // With p = 0 these fields are software's (figure 4-6).
      machine[gr: 8] = good & ~1 | bits
      machine.restart(psr: 0)
      #expect(machine.run() == .done, "\(bits)")
    }
    for attribute in [0, 4, 5, 6, 7] as [UInt64] {
      machine[gr: 8] = TestMachine.Insert(attribute: attribute).word | 0xFFE0_0000_0000_0000
      machine.restart(psr: 0)
      #expect(machine.run() == .done, "\(attribute)")
    }
  }

  /// Inserts are for handlers: Illegal Operation with PSR.ic = 1, which comes before the privilege check; purges do not care.
  @Test func insertsNeedCollectionOff() throws {
    for text in ["itc.d r8", "itc.i r8", "itr.d dtr[r9]=r8", "itr.i itr[r9]=r8"] {
      let machine = try TestMachine("\(text) ;;")
      machine[cr: CR.itir] = 14 << 2
      machine[gr: 8] = TestMachine.Insert().word
      for level in [0, 3] as [UInt64] {
        machine.restart(psr: PSR.ic | TestMachine.level(level))
        #expect(machine.run() == .interruption(.generalException))
        #expect(machine.interruption.code == 0)
      }
      machine.restart(psr: TestMachine.level(3))
      #expect(machine.run() == .interruption(.generalException))
      #expect(machine[cr: CR.isr] & 0xFFFF == 0x10)
      machine.restart(psr: 0)
      #expect(machine.run() == .done)
    }
    for text in ["ptc.l r8,r9", "ptc.g r8,r9", "ptc.ga r8,r9", "ptc.e r8", "ptr.d r8,r9", "ptr.i r8,r9"] {
      let machine = try TestMachine("\(text) ;;")
      machine[gr: 8] = TestMachine.region(2)
      machine[gr: 9] = 14 << 2
      #expect(machine.run() == .done)
      machine.restart(psr: PSR.ic | TestMachine.level(3))
      #expect(machine.run() == .interruption(.generalException))
      #expect(machine.interruption.code == 0x10)
    }
  }

  /// TR numbers are GR{7:0}; those that are not implemented are reserved (Volume 3, itr).
  @Test func registerNumbers() throws {
    let machine = try TestMachine("itr.d dtr[r9]=r8 ;;\nitr.i itr[r9]=r8 ;;", psr: 0)
    machine[cr: CR.itir] = 14 << 2
    machine[gr: 8] = TestMachine.Insert().word
    for (number, good) in [(0, true), (63, true), (0xABCD_0000_0000_0105, true), (64, false), (255, false)] as [(UInt64, Bool)] {
      machine[cr: CR.ifa] = TestMachine.region(1) + (number & 63) << 14
      machine[gr: 9] = number
      machine.restart(psr: 0)
      #expect(machine.run() == (good ? .done : .interruption(.generalException)))
    }
  }

  private func present(_ machine: TestMachine, _ addresses: [UInt64]) throws -> [Bool] {
    try addresses.map {
      try machine.perform("tak r8=r9", [9: $0])
      // `perform` restores only what it sets; r8 is the answer.
      return machine[gr: 8] != 1
    }
  }

  @Test func insertsRemoveWhatTheyOverlap() throws {
    let machine = try TestMachine("nop.m 0 ;;")
    machine.separateRegions()
    let base = Self.base
    try machine.insert(.init(), at: base, shift: 20)
    #expect(try present(machine, [base, base + 0x8_0000, base + 0xF_FFFF]) == [true, true, true])
    // A page inside: the rest of the large one goes as well.
    try machine.insert(.init(), at: base + 0x8_0000, shift: 12)
    #expect(try present(machine, [base, base + 0x8_0000, base + 0x8_1000, base + 0xF_FFFF]) == [false, true, false, false])
    // A page around several small ones.
    for i in 0..<8 as Range<UInt64> { try machine.insert(.init(), at: base + i << 14, shift: 14) }
    try machine.insert(.init(), at: base, shift: 16)
    let pages = (0..<8 as Range<UInt64>).map { base + $0 << 14 }
    #expect(try present(machine, pages) == [true, true, true, true, true, true, true, true])
    try machine.perform("ptc.l r9,r10", [9: base + 0x4000, 10: 12 << 2])
    #expect(try present(machine, pages) == [false, false, false, false, true, true, true, true])
    // The other side keeps its own.
    try machine.insert(.init(), at: base, shift: 14)
    try machine.insert(.init(), at: base, shift: 14, instruction: true)
    try machine.perform("ptr.i r9,r10", [9: base, 10: 14 << 2])
    #expect(try present(machine, [base]) == [true])
    try machine.perform("ptr.d r9,r10", [9: base, 10: 14 << 2])
    #expect(try present(machine, [base]) == [false])
  }

  @Test(arguments: ["ptc.l", "ptc.g", "ptc.ga"]) func purgesHitEveryOverlap(_ text: String) throws {
    for purge in Self.sizes {
      let machine = try TestMachine("nop.m 0 ;;")
      machine.separateRegions()
      machine.each { $0.state.rr[3] = 1 << 8 | 14 << 2 }
      let base = Self.base
      let beyond = base + 1 << purge
      for shift in Self.sizes {
        try machine.insert(.init(), at: base, shift: shift)
        // Another address space: stays. (Region 2 has identifier 2.)
        let other = base & ~(7 << 61) | TestMachine.region(2)
        try machine.insert(.init(), at: other, shift: shift)
        // Through another region with the same identifier, from the last byte.
        try machine.perform("\(text) r9,r10", [9: (beyond - 1) & ~(7 << 61) | TestMachine.region(3), 10: purge << 2])
        #expect(try present(machine, [base, other]) == [false, true], "page \(shift), purge \(purge)")
      }
      // Neighbours stay.
      try machine.insert(.init(), at: beyond, shift: 12)
      try machine.insert(.init(), at: base - 0x1000, shift: 12)
      try machine.perform("\(text) r9,r10", [9: base, 10: purge << 2])
      #expect(try present(machine, [beyond, base - 0x1000]) == [true, true], "\(purge)")
    }
  }

  @Test func translationRegisters() throws {
    let machine = try TestMachine("nop.m 0 ;;")
    machine.separateRegions()
    let base = Self.base
    func register(_ slot: UInt64, at address: UInt64, key: UInt64) throws {
      machine[cr: CR.ifa] = address
      machine[cr: CR.itir] = key << 8 | 14 << 2
      try machine.perform("itr.d dtr[r9]=r8", [8: TestMachine.Insert().word, 9: slot])
    }
    try machine.insert(.init(), at: base, shift: 14, key: 9)
    try register(5, at: base, key: 7)
    try machine.perform("tak r8=r9", [9: base])
    #expect(machine[gr: 8] == 7 << 8, "the insert removes the entry of the cache")
    try machine.perform("ptc.e r9", [9: 0])
    #expect(try present(machine, [base]) == [true], "ptc.e is for the cache alone")
    // The same slot for something else.
    try register(5, at: base + 0x10_0000, key: 8)
    #expect(try present(machine, [base, base + 0x10_0000]) == [false, true])
    try machine.perform("ptr.i r9,r10", [9: base + 0x10_0000, 10: 14 << 2])
    #expect(try present(machine, [base + 0x10_0000]) == [true])
    try machine.perform("ptr.d r9,r10", [9: base + 0x10_0000, 10: 20 << 2])
    #expect(try present(machine, [base + 0x10_0000]) == [false])
  }

  /// rr: bit 1 and 63:32 are reserved, and so are page sizes that cannot be inserted (Volume 2, section 4.1.2.2).
  @Test func regionRegisterFormats() throws {
    let machine = try TestMachine("mov rr[r9]=r8 ;;\nmov r10=rr[r9] ;;")
    machine[gr: 9] = TestMachine.region(6) | 0x1234
    for shift in 0..<64 as Range<UInt64> {
      machine[gr: 8] = 0xFF_FFFF << 8 | shift << 2 | 1
      machine.restart(psr: PSR.ic)
      #expect(machine.run() == (Self.sizes.contains(shift) ? .done : .interruption(.generalException)), "\(shift)")
      if Self.sizes.contains(shift) { #expect(machine[gr: 10] == machine[gr: 8]) }
    }
    for bit in [1] + Array(32..<64) as [UInt64] {
      machine[gr: 8] = 14 << 2 | 1 << bit
      machine.restart(psr: PSR.ic)
      #expect(machine.run() == .interruption(.generalException))
      #expect(machine.interruption.code == 0x30)
    }
  }

  /// A new region identifier changes what an address means at once.
  @Test func regionIdentifiersSelectAddressSpaces() throws {
    let machine = try TestMachine(
      """
      ld8 r4=[r5] ;;
      mov rr[r5]=r8 ;;
      srlz.d ;;
      ld8 r6=[r5] ;;
      mov rr[r5]=r9 ;;
      srlz.d ;;
      ld8 r7=[r5] ;;
      """, psr: TestMachine.virtual)
    machine.separateRegions()
    machine.mapMemory()
    try machine.insertData()
    machine.each { $0.state.rr[1] = 77 << 8 | 14 << 2 }
    try machine.insertData { $0.physical = TestMachine.data + 0x1_0000 }
    machine.each { $0.state.rr[1] = 1 << 8 | 14 << 2 }
    machine.store(TestMachine.data, UInt64(1))
    machine.store(TestMachine.data + 0x1_0000, UInt64(2))
    machine[gr: 5] = TestMachine.region(1)
    machine[gr: 8] = 77 << 8 | 14 << 2
    machine[gr: 9] = 78 << 8 | 14 << 2
    #expect(machine.run() == .interruption(.alternateDataTLB))
    #expect(machine[gr: 4] == 1)
    #expect(machine[gr: 6] == 2)
  }
}
