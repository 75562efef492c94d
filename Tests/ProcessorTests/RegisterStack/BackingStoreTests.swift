import Processor
import Testing

/// Addresses of the backing store: one NaT collection after 63 registers (Volume 2, section 6.1).
@Suite("Backing store")
struct BackingStoreTests {
  /// By walking.
  private func next(_ address: UInt64) -> UInt64 { (address + 8) >> 3 & 0x3F == 0x3F ? address + 16 : address + 8 }

  @Test func arithmetic() {
    for slot in 0..<63 as Range<UInt64> {
      let base: UInt64 = 0x10_0000 + slot * 8
      var address = base
      for count in 0...300 {
        #expect(BackingStore.advance(base, count) == address)
        #expect(BackingStore.retreat(address, count) == base)
        #expect(BackingStore.registers(from: base, to: address) == count)
        address = next(address)
      }
    }
  }

  /// flushrs at every alignment: each register, each collection, AR.RNAT; nothing else in memory changes.
  @Test(arguments: [false, true]) func flushAtEachAlignment(_ bigEndian: Bool) throws {
    let machine = try TestMachine(
      """
      br.call.sptk.many b6=inner ;;
      inner: flushrs ;;
      mov r4=ar.bsp
      mov r5=ar.bspstore
      mov r6=ar.rnat ;;
      """)
    for slot in 0..<63 as Range<UInt64> {
      let base = TestMachine.backingStore + 0x400 + slot * 8
      for word in 0..<512 as Range<UInt64> { machine.store(TestMachine.backingStore + 8 * word, UInt64.max) }
      machine.each { p in
        p.setCFM(96 | 96 << 7)
        p.state.ar[AR.rsc] = bigEndian ? 0x10 : 0
        p.state.pointee.bsp = base
        p.state.pointee.bspStore = base
        p.state.pointee.dirty = 0
        p.state.pointee.clean = 0
        p.state.pointee.rnat = 0
        for n in 32..<128 {
          p.state.gr[n] = UInt64(n) &* 0x0123_4567_89AB_CDEF
          p.state.setNaT(UInt8(n), n % 5 == 0)
        }
      }
      machine.restart(psr: PSR.ic)
      #expect(machine.run() == .done)
      var address = base
      var nats: UInt64 = 0
      var expected: [UInt64: UInt64] = [:]
      for n in 32..<128 as Range<UInt64> {
        expected[address] = n &* 0x0123_4567_89AB_CDEF
        if n % 5 == 0 { nats |= 1 << (address >> 3 & 0x3F) }
        address += 8
        if address >> 3 & 0x3F == 0x3F {
          expected[address] = nats
          nats = 0
          address += 8
        }
      }
      #expect(machine[gr: 4] == address && machine[gr: 5] == address)
      let defined: UInt64 = 1 << (address >> 3 & 0x3F) - 1
      #expect(machine[gr: 6] & defined == nats & defined)
      for word in 0..<512 as Range<UInt64> {
        let place = TestMachine.backingStore + 8 * word
        let value = expected[place].map { bigEndian ? $0.byteSwapped : $0 } ?? UInt64.max
        #expect(machine.load(place) == value, "slot \(slot), \(String(place, radix: 16))")
      }
    }
  }

  /// The engine's references have the privilege of RSC.pl and the translation of PSR.rt (Volume 2, section 6.4).
  @Test func privilegeAndTranslation() throws {
    let source = "br.call.sptk.many b6=inner ;;\ninner: flushrs ;;"
    func machine(_ psr: UInt64, pl: UInt64) throws -> TestMachine {
      let machine = try TestMachine(source, psr: psr)
      machine.separateRegions()
      machine.mapMemory()
      try machine.insertData {
        $0.level = 1; $0.rights = 2
      }
      machine.each { p in
        p.state.ar[AR.rsc] = pl << 2
        p.state.pointee.bsp = TestMachine.region(1) + 0x100
        p.state.pointee.bspStore = TestMachine.region(1) + 0x100
        p.state.gr[32] = 77
      }
      return machine
    }
    for pl in 0...3 as ClosedRange<UInt64> {
      let machine = try machine(TestMachine.virtual, pl: pl)
      #expect(machine.run() == (pl <= 1 ? .done : .interruption(.dataAccessRights)))
      if pl <= 1 {
        #expect(machine.load(TestMachine.data + 0x100) == 77)
      } else {
        #expect(machine.interruption.isr & (ISR.rs | ISR.w | ISR.r | ISR.ir) == ISR.rs | ISR.w)
        #expect(machine.interruption.ifa == TestMachine.region(1) + 0x100)
      }
    }
    // PSR.dt alone does not translate them, PSR.rt alone does.
    #expect(try machine(PSR.ic | PSR.rt, pl: 0).run() == .done)
    let physical = try machine(PSR.ic | PSR.it | PSR.dt, pl: 0)
    #expect(physical.run() == .interruption(.generalException), "region bits are unimplemented in a physical address")
    #expect(physical.interruption.isr & (ISR.rs | ISR.w | 0xFF) == ISR.rs | ISR.w | 0x30)
  }

  /// PSR.da is good for one mandatory reference: the second spill to a page without access bit faults (Volume 2, table 3-2).
  @Test func oneReferenceWithoutAccessBit() throws {
    let machine = try TestMachine("flushrs ;;", psr: TestMachine.virtual)
    machine.separateRegions()
    machine.mapMemory()
    try machine.insertData {
      $0.accessed = false; $0.dirty = false
    }
    let base = TestMachine.region(1)
    machine.each { p in
      p.state.pointee.bsp = base
      p.state.pointee.bspStore = base
    }
    try machine.perform("{ .bbb\n br.call.sptk.many b7=0x3f0000\n nop 0\n nop 0\n }")
    machine.restart(psr: TestMachine.virtual | PSR.da)
    #expect(machine.run() == .interruption(.dirtyBit))
    #expect(machine.interruption.ifa == base + 8)
    #expect(machine.state.pointee.bspStore == base + 8)
  }
}
