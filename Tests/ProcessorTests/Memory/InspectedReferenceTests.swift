import IA64
import Processor
import Testing

/// What is said about a reference is what happens to it: the oracle is the processor, which makes the reference afterwards.
@Suite("Inspected references")
struct InspectedReferenceTests {
  static let page = TestMachine.region(1)

  private static func outcome(_ r: InspectedReference) -> TestMachine.Outcome { r.faults.first.map { .interruption($0) } ?? .done }

  /// Loads and stores of a byte on random pages, under random keys, levels, and walkers.
  @Test(arguments: [1, 2] as [UInt64]) func data(seed: UInt64) throws {
    let load = try TestMachine("ld1 r4=[r5] ;;", psr: TestMachine.virtual)
    let store = try TestMachine("st1 [r5]=r4 ;;", psr: TestMachine.virtual)
    for machine in [load, store] {
      machine.separateRegions()
      machine.mapMemory()
      machine[gr: 5] = Self.page + 4
    }
    var generator = SplitMix(state: seed)
    func chance(_ n: UInt64) -> Bool { generator.next() % n == 0 }
    var outcomes: Set<String> = []
    for round in 0..<1500 {
      let isStore = chance(2)
      let machine = isStore ? store : load
      let key = generator.next() % 3
      let level = generator.next() % 4
      let psr =
        TestMachine.virtual & ~(chance(8) ? PSR.ic : 0) | (chance(2) ? PSR.pk : 0) | (chance(2) ? PSR.db : 0)
        | (chance(8) ? PSR.dd : 0)
        | (chance(8) ? PSR.da : 0) | TestMachine.level(level)
      let entry = TestMachine.Insert(
        present: !chance(8), attribute: chance(8) ? 7 : 0, accessed: !chance(4), dirty: !chance(4), level: generator.next() % 4,
        rights: generator.next() % 8, physical: TestMachine.data)
      let hasEntry = !chance(6)
      let usesWalker = !hasEntry && chance(2)
      let table = VHPTTests.pta & ~(chance(4) ? 1 : 0)
      let keyRegister = 1 << 8 | generator.next() & 6 | 1
      let enabled: UInt64 = (chance(2) ? 1 << 63 : 0) | (chance(2) ? 1 << 62 : 0)
      machine.each {
        $0.state.rr[1] = 1 << 8 | 14 << 2 | (usesWalker ? 1 : 0)
        $0.state.cr[CR.pta] = table
        $0.state.pkr[0] = 1
        $0.state.pkr[1] = keyRegister
        $0.state.dbr[0] = Self.page
        $0.state.dbr[1] = enabled | 0xF << 56 | 0x00FF_FFFF_FFFF_FFF8
      }
      try machine.perform("ptc.l r5,r6", [6: 14 << 2])
      if hasEntry { try machine.insert(entry, at: Self.page, key: key) }
      if usesWalker && chance(2) {
        let address = VHPTTests.shortEntry(Self.page, shift: 14, pta: VHPTTests.pta)
        let tablePage = TestMachine.Insert(
          present: !chance(6), accessed: !chance(6), level: generator.next() % 4, rights: chance(6) ? 7 : 2,
          physical: TestMachine.data + 0x4_0000)
        try machine.insert(tablePage, at: address & ~0x3FFF)
        machine.store((TestMachine.data + 0x4_0000) | address & 0x3FFF, entry.word)
      } else if usesWalker {
        try machine.perform("ptc.l r7,r6", [6: 14 << 2, 7: VHPTTests.shortEntry(Self.page, shift: 14, pta: VHPTTests.pta)])
      }
      machine.restart(psr: psr)
      let before = machine.blocks.state.pointee.fault.vector
      let said = machine.blocks.inspectedReference(Self.page + 4, isStore ? .write : .read)
      #expect(machine.blocks.state.pointee.fault.vector == before, "looking raises nothing")
      let outcome = machine.run()
      #expect(outcome == Self.outcome(said), "seed \(seed), round \(round): \(said)")
      if outcome == .done { #expect(said.physical == TestMachine.data + 4) }
      outcomes.insert("\(outcome)")
    }
    // Each fault of a reference has come up: nested, alternate, VHPT, TLB, present, NaT page, two of keys, rights, dirty, access, debug; and none.
    #expect(outcomes.count == 13, "\(outcomes.sorted())")
  }

  /// A fetch from a random page: the program lies on it.
  @Test(arguments: [3] as [UInt64]) func fetches(seed: UInt64) throws {
    var generator = SplitMix(state: seed)
    func chance(_ n: UInt64) -> Bool { generator.next() % n == 0 }
    let machine = try TestMachine("br.cond.sptk.many b6 ;;", psr: TestMachine.virtual)
    machine.separateRegions()
    machine.mapMemory()
    machine.each { $0.state.br[6] = Self.page }
    try machine.park(TestMachine.data)
    var outcomes: Set<String> = []
    for round in 0..<500 {
      let key = generator.next() % 3
      let level = generator.next() % 4
      let psr = TestMachine.virtual | (chance(2) ? PSR.pk : 0) | (chance(2) ? PSR.db : 0) | TestMachine.level(level)
      let entry = TestMachine.Insert(
        present: !chance(8), attribute: chance(8) ? 7 : 0, accessed: !chance(4), level: generator.next() % 4,
        rights: generator.next() % 8,
        physical: TestMachine.data)
      let control = chance(3) ? 1 << 63 | 0xF << 56 | 0x00FF_FFFF_FFFF_FFF0 : 0 as UInt64
      let keyRegister = 1 << 8 | (chance(2) ? 8 : 0) | 1 as UInt64
      machine.each {
        $0.state.rr[1] = 1 << 8 | 14 << 2
        $0.state.pkr[0] = 1
        $0.state.pkr[1] = keyRegister
        $0.state.ibr[0] = Self.page
        $0.state.ibr[1] = control
      }
      try machine.perform("ptc.l r5,r6", [5: Self.page, 6: 14 << 2])
      if !chance(6) { try machine.insert(entry, at: Self.page, key: key, instruction: true) }
      machine.restart(psr: psr)
      let said = machine.blocks.inspectedReference(Self.page, .execute)
      let outcome = machine.run()
      if let fault = said.faults.first {
        #expect(outcome == .interruption(fault), "seed \(seed), round \(round): \(said)")
      } else {
        #expect(machine.blocks.state.pointee.ip == Self.page, "seed \(seed), round \(round): \(outcome), \(said)")
      }
      outcomes.insert(said.faults.first.map { "\($0)" } ?? "none")
    }
    // Alternate, present, NaT page, two of keys, rights, access, debug; and none.
    #expect(outcomes.count == 9, "\(outcomes.sorted())")
  }
}
