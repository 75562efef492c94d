import Processor
import Testing

/// The virtual hash page table and its walker: Volume 2, sections 4.1.5 to 4.1.8; Volume 3, thash and ttag.
@Suite("VHPT")
struct VHPTTests {
  static let page = TestMachine.region(1) | 0x3456_4000
  /// Where the table of region 1 lies: 2^32 bytes at this offset in the region.
  static let table: UInt64 = 0x1F00_0000_0000_0000 >> 1
  static let size: UInt64 = 32
  static let pta = table | size << 2 | 1

  /// VHPT_ENTRY by section 4.1.5.7: bits of the table's base above the size, of the entry's offset below.
  static func shortEntry(_ address: UInt64, shift: UInt64, pta: UInt64) -> UInt64 {
    let size = pta >> 2 & 0x3F
    let offset = ((address & (1 << 61 - 1)) >> shift) << 3
    var entry = address & 7 << 61
    for bit in 0..<61 as Range<UInt64> {
      let source = bit < size ? offset : pta & ~0x7FFF
      entry |= source & 1 << bit
    }
    return entry
  }

  @Test func shortFormatHash() throws {
    let machine = try TestMachine("thash r4=r5 ;;")
    var generator = SplitMix(state: 1)
    for _ in 0..<200 {
      let address = generator.next()
      let shift = TranslationInsertTests.sizes[Int(generator.next() % 12)]
      let pta = generator.next() & ~0x7FFF | (15 + generator.next() % 47) << 2 | generator.next() & 1
      machine.each {
        $0.state.cr[CR.pta] = pta
        $0.state.rr[Int(address >> 61)] = generator.state & 0xFF_FFFF << 8 | shift << 2
      }
      machine[gr: 5] = address
      machine.restart(psr: PSR.ic)
      #expect(machine.run() == .done)
      let expected = Self.shortEntry(address, shift: shift, pta: pta)
      #expect(machine[gr: 4] == expected, "thash of \(address), pta \(pta), ps \(shift)")
    }
    // Any privilege level; a NaT goes through.
    machine[nat: 5] = true
    machine.restart(psr: PSR.ic | TestMachine.level(3))
    #expect(machine.run() == .done)
    #expect(machine[nat: 4])
  }

  /// Index and tag together identify region identifier and page (Volume 3, ttag); the tag's bit 63 is 0, the index stays in the table.
  @Test func longFormatIsUnique() throws {
    let machine = try TestMachine("thash r4=r5\nttag r6=r5 ;;")
    var seen: [[UInt64]: [UInt64]] = [:]
    let base: UInt64 = TestMachine.region(5) | 0x0123_4567_8000_0000
    for rid in [0, 1, 0x400, 0xFF_FFFF] as [UInt64] {
      for shift in [12, 14, 16] as [UInt64] {
        for bit in shift..<61 {
          let address = TestMachine.region(2) | 1 << bit
          machine.each {
            $0.state.cr[CR.pta] = base | 1 << 8 | 15 << 2
            $0.state.rr[2] = rid << 8 | shift << 2
          }
          machine[gr: 5] = address
          machine.restart(psr: PSR.ic)
          #expect(machine.run() == .done)
          #expect(machine[gr: 4] & ~0x7FE0 == base, "32-byte entries of a table of 32 KiB")
          #expect(machine[gr: 6] >> 63 == 0)
          let identity = [rid, (address & (1 << 61 - 1)) >> shift]
          if let other = seen.updateValue(identity, forKey: [machine[gr: 4], machine[gr: 6]]) { #expect(other == identity) }
        }
      }
    }
  }

  /// A machine whose region 1 has the walker, with the table's page for `page` mapped to the data area.
  private func machine(
    _ source: String = "ld8 r4=[r5],8 ;;", psr: UInt64 = TestMachine.virtual, walker: Bool = true, pta: UInt64 = Self.pta,
    mapTable: Bool = true, entry: TestMachine.Insert? = .init(physical: TestMachine.data + 0x1_0000),
    table change: (inout TestMachine.Insert) -> Void = { _ in }
  ) throws -> TestMachine {
    let machine = try TestMachine(source, psr: psr)
    machine.separateRegions()
    machine.mapMemory()
    machine.each {
      $0.state.rr[1] = 1 << 8 | 14 << 2 | (walker ? 1 : 0)
      $0.state.cr[CR.pta] = pta
    }
    machine[gr: 5] = Self.page
    let address = Self.shortEntry(Self.page, shift: 14, pta: Self.pta)
    if mapTable {
      var page = TestMachine.Insert(level: 0, rights: 2, physical: TestMachine.data)
      change(&page)
      try machine.insert(page, at: address & ~0x3FFF)
    }
    if let entry { machine.store(TestMachine.data | address & 0x3FFF, entry.word) }
    machine.store(TestMachine.data + 0x1_0000, UInt64(0x7788))
    DeliveredInterruption.mark(machine)
    return machine
  }

  @Test func servesData() throws {
    let machine = try machine()
    #expect(machine.run() == .done)
    #expect(machine[gr: 4] == 0x7788)
    #expect(machine[gr: 5] == Self.page + 8)
  }

  @Test func entriesTakeKeyAndSizeFromTheRegion() throws {
    let machine = try machine("tak r4=r5 ;;")
    machine.each { $0.state.rr[1] = 0xABCDE << 8 | 14 << 2 | 1 }
    let address = Self.shortEntry(Self.page, shift: 14, pta: Self.pta)
    try machine.insert(.init(level: 0, rights: 2, physical: TestMachine.data), at: address & ~0x3FFF)
    #expect(machine.run() == .done)
    #expect(machine[gr: 4] == 0xABCDE << 8, "tak searches the VHPT (Volume 3, tak)")
  }

  @Test func walksForNonAccessReferences() throws {
    for text in ["tpa r4=r5", "probe.r r4=r5,0", "probe.w.fault r5,0", "fc r5", "lfetch.fault [r5]"] {
      #expect(try machine("\(text) ;;").run() == .done, "\(text)")
    }
    // Without PSR.dt the TLB alone is asked (Volume 3, tpa, probe, tak).
    for (text, psr) in [("tpa r4=r5", 0), ("probe.r r4=r5,0", 0)] as [(String, UInt64)] {
      #expect(try machine("\(text) ;;", psr: PSR.ic | psr).run() == .interruption(.alternateDataTLB))
    }
    let tak = try machine("tak r4=r5 ;;", psr: PSR.ic)
    #expect(tak.run() == .done)
    #expect(tak[gr: 4] == 1)
  }

  /// An entry that is not present goes into the TLB and faults there (section 4.1.8).
  @Test func absentPages() throws {
    let machine = try machine(entry: .init(present: false))
    #expect(machine.run() == .interruption(.pageNotPresent))
    #expect(machine.interruption.ifa == Self.page)
  }

  /// What ends the search: reserved encodings in the entry, and what would fault on the table's page (section 4.1.6).
  @Test func abortedSearches() throws {
    func expectMiss(_ machine: TestMachine, psr: UInt64 = TestMachine.virtual, _ what: String) {
      machine.restart(psr: psr)
      #expect(machine.run() == .interruption(.dataTLB), "\(what)")
      #expect(machine.interruption.ifa == Self.page)
      #expect(machine.interruption.itir == 1 << 8 | 14 << 2)
      #expect(machine.interruption.iha == Self.shortEntry(Self.page, shift: 14, pta: Self.pta))
      #expect(machine.interruption.isr == ISR.r)
    }
    for bits in [2, 1 << 50, 1 << 51, 1 << 2, 2 << 2, 3 << 2] as [UInt64] {
      let machine = try machine()
      let address = TestMachine.data | Self.shortEntry(Self.page, shift: 14, pta: Self.pta) & 0x3FFF
      machine.store(address, machine.load(address) | bits)
      expectMiss(machine, "reserved \(bits)")
    }
    expectMiss(try machine { $0.present = false }, "table not present")
    expectMiss(try machine { $0.accessed = false }, "table not accessed")
    for attribute in [4, 5, 6, 7] as [UInt64] { expectMiss(try machine { $0.attribute = attribute }, "attribute \(attribute)") }
    let keyed = try machine()
    keyed.each { $0.state.pkr[0] = 1 }
    try keyed.insert(
      .init(level: 0, rights: 2, physical: TestMachine.data), at: Self.shortEntry(Self.page, shift: 14, pta: Self.pta) & ~0x3FFF,
      key: 9)
    expectMiss(keyed, psr: TestMachine.virtual | PSR.pk, "key miss")
    keyed.each { $0.state.pkr[1] = 9 << 8 | 4 | 1 }
    expectMiss(keyed, psr: TestMachine.virtual | PSR.pk, "key permission")
    let watched = try machine()
    watched.each {
      $0.state.dbr[0] = Self.shortEntry(Self.page, shift: 14, pta: Self.pta)
      $0.state.dbr[1] = 1 << 63 | 1 << 56 | 0x00FF_FFFF_FFFF_FFFF
    }
    expectMiss(watched, psr: TestMachine.virtual | PSR.db, "data breakpoint")
  }

  /// The table's own page misses: VHPT Translation, with both addresses (section 8.3).
  @Test func tableMisses() throws {
    let machine = try machine(mapTable: false)
    #expect(machine.run() == .interruption(.vhptTranslation))
    #expect(machine.interruption.ifa == Self.page)
    #expect(machine.interruption.iha == Self.shortEntry(Self.page, shift: 14, pta: Self.pta))
    #expect(machine.interruption.itir == 1 << 8 | 14 << 2)
    #expect(machine.interruption.isr == ISR.r)
    let nested = try self.machine(psr: TestMachine.virtual & ~PSR.ic, mapTable: false)
    #expect(nested.run() == .interruption(.dataNestedTLB))
    #expect(nested.interruption.iha == DeliveredInterruption.unwritten)
  }

  /// RR.ve and PTA.ve both.
  @Test func enabling() throws {
    #expect(try machine(walker: false).run() == .interruption(.alternateDataTLB))
    #expect(try machine(pta: Self.pta & ~1).run() == .interruption(.alternateDataTLB))
    let machine = try machine(walker: false)
    #expect(machine.run() == .interruption(.alternateDataTLB))
    #expect(machine.interruption.iha == DeliveredInterruption.unwritten)
  }

  @Test func bigEndianTable() throws {
    let machine = try machine()
    let address = TestMachine.data | Self.shortEntry(Self.page, shift: 14, pta: Self.pta) & 0x3FFF
    machine.store(address, machine.load(address).byteSwapped)
    machine[cr: CR.dcr] = DCR.be
    #expect(machine.run() == .done)
    #expect(machine[gr: 4] == 0x7788)
  }

  /// Instruction fetches need PSR.it, PSR.dt and PSR.ic (section 4.1.5.3).
  @Test func servesInstructions() throws {
    let code = TestMachine.Insert(rights: 1, physical: TestMachine.code)
    for (psr, expected) in [
      (TestMachine.virtual, .done), (TestMachine.virtual & ~PSR.ic, .interruption(.alternateInstructionTLB)),
      (PSR.it | PSR.ic, .interruption(.alternateInstructionTLB)),
    ] as [(UInt64, TestMachine.Outcome)] {
      let machine = try machine("{ .mib\n nop 0\n nop 0\n br.cond.sptk.many b1\n } ;;", psr: psr, entry: code)
      machine.each { $0.state.pointee.ip = Self.page }
      machine[br: 1] = TestMachine.code + 16
      #expect(machine.run() == expected)
    }
    let missing = try machine("nop.m 0 ;;", mapTable: false)
    missing.each { $0.state.pointee.ip = Self.page }
    #expect(missing.run() == .interruption(.vhptTranslation))
    #expect(missing.interruption.isr == ISR.x)
    #expect(missing.interruption.ifa == Self.page)
  }

  /// The register stack engine's references walk as well.
  @Test func servesTheRegisterStack() throws {
    let machine = try machine("flushrs ;;")
    machine.each { p in
      p.state.pointee.bsp = Self.page + 0x80
      p.state.pointee.bspStore = Self.page + 0x80
      p.setCFM(8 | 8 << 7)
      p.state.gr[32] = 0x1111
    }
    try machine.perform("{ .bbb\n br.call.sptk.many b7=0x3f0000\n nop 0\n nop 0\n }")
    #expect(machine.run() == .done)
    #expect(machine.load(TestMachine.data + 0x1_0080) == 0x1111)
  }

  /// The long format: 32 bytes with key, page size and tag of their own.
  @Test func longFormat() throws {
    let base: UInt64 = TestMachine.region(2) | 0x10_0000
    func machine(_ source: String = "thash r6=r5\nttag r7=r5 ;;\ntak r8=r5 ;;\ntpa r9=r10 ;;") throws -> TestMachine {
      let machine = try self.machine(source, pta: base | 1 << 8 | 15 << 2 | 1, mapTable: false)
      try machine.insert(.init(level: 0, rights: 2, physical: TestMachine.data), at: base, shift: 16)
      machine[gr: 10] = Self.page + 0x1_2345
      return machine
    }
    let first = try machine()
    #expect(first.run() == .interruption(.dataTLB))
    let (entry, tag) = (first[gr: 6] - base + TestMachine.data, first[gr: 7])
    #expect(first[gr: 8] == 1)
    func fill(_ machine: TestMachine, tag: UInt64, itir: UInt64 = 0x1234 << 8 | 16 << 2) {
      machine.store(entry, TestMachine.Insert(physical: TestMachine.data + 0x1_0000).word)
      machine.store(entry + 8, itir)
      machine.store(entry + 16, tag)
      machine.store(entry + 24, UInt64.max)
    }
    let hit = try machine()
    // A page of 64 KiB around an address in a region of 16 KiB pages.
    fill(hit, tag: tag)
    hit[gr: 10] = Self.page + 0x5
    #expect(hit.run() == .done)
    #expect(hit[gr: 8] == 0x1234 << 8)
    let expected: UInt64 = TestMachine.data + 0x1_0000 + (Self.page & 0xFFFF) + 5
    #expect(hit[gr: 9] == expected)
    for bad in [tag ^ 1, tag | 1 << 63] {
      let miss = try machine("ld8 r4=[r5] ;;")
      fill(miss, tag: bad)
      #expect(miss.run() == .interruption(.dataTLB))
      let address: UInt64 = entry - TestMachine.data + base
      #expect(miss.interruption.iha == address)
    }
    for itir in [1, 2, 17 << 2, 14 << 2 | 1 << 32] as [UInt64] {
      let miss = try machine("ld8 r4=[r5] ;;")
      fill(miss, tag: tag, itir: itir)
      #expect(miss.run() == .interruption(.dataTLB), "\(itir)")
    }
  }

  /// PTA: bits 1 and 14:9 are reserved, sizes below 2^15 and above 2^61 as well (Volume 2, section 3.3.4.4).
  @Test func tableRegister() throws {
    let machine = try TestMachine("mov cr.pta=r8 ;;")
    for size in 0..<64 as Range<UInt64> {
      machine[gr: 8] = size << 2
      machine.restart(psr: PSR.ic)
      #expect(machine.run() == ((15...61).contains(size) ? .done : .interruption(.generalException)))
    }
    for bit in [1, 9, 10, 11, 12, 13, 14] as [UInt64] {
      machine[gr: 8] = 20 << 2 | 1 << bit
      machine.restart(psr: PSR.ic)
      #expect(machine.run() == .interruption(.generalException))
      #expect(machine.interruption.code == 0x30)
    }
  }
}
