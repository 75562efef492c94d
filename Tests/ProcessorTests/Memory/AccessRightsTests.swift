import Processor
import Testing

/// Page access rights: Volume 2, table 4-4.
@Suite("Access rights")
struct AccessRightsTests {
  /// The table's rows: TLB.ar, TLB.pl, and what is allowed at privilege levels 3, 2, 1, 0.
  static let table: [(rights: UInt64, level: UInt64, allowed: [String])] = [
    (0, 3, ["R", "R", "R", "R"]), (0, 2, ["", "R", "R", "R"]), (0, 1, ["", "", "R", "R"]), (0, 0, ["", "", "", "R"]),
    (1, 3, ["RX", "RX", "RX", "RX"]), (1, 2, ["", "RX", "RX", "RX"]), (1, 1, ["", "", "RX", "RX"]), (1, 0, ["", "", "", "RX"]),
    (2, 3, ["RW", "RW", "RW", "RW"]), (2, 2, ["", "RW", "RW", "RW"]), (2, 1, ["", "", "RW", "RW"]), (2, 0, ["", "", "", "RW"]),
    (3, 3, ["RWX", "RWX", "RWX", "RWX"]), (3, 2, ["", "RWX", "RWX", "RWX"]), (3, 1, ["", "", "RWX", "RWX"]),
    (3, 0, ["", "", "", "RWX"]),
    (4, 3, ["R", "RW", "RW", "RW"]), (4, 2, ["", "R", "RW", "RW"]), (4, 1, ["", "", "R", "RW"]), (4, 0, ["", "", "", "RW"]),
    (5, 3, ["RX", "RX", "RX", "RWX"]), (5, 2, ["", "RX", "RX", "RWX"]), (5, 1, ["", "", "RX", "RWX"]), (5, 0, ["", "", "", "RWX"]),
    (6, 3, ["RWX", "RW", "RW", "RW"]), (6, 2, ["", "RWX", "RW", "RW"]), (6, 1, ["", "", "RWX", "RW"]), (6, 0, ["", "", "", "RW"]),
    (7, 3, ["X", "X", "X", "RX"]), (7, 2, ["X", "X", "X", "RX"]), (7, 1, ["X", "X", "X", "RX"]), (7, 0, ["X", "X", "X", "RX"]),
  ]

  static let page = TestMachine.region(1)

  private func machine(_ text: String) throws -> TestMachine {
    let machine = try TestMachine(text, psr: TestMachine.virtual)
    machine.separateRegions()
    machine.mapMemory()
    machine[gr: 5] = Self.page
    return machine
  }

  @Test func loadsStoresAndFaultingProbes() throws {
    let texts = ["ld8 r4=[r5]", "st8 [r5]=r4", "fc r5", "probe.r.fault r5,0", "probe.w.fault r5,0", "probe.rw.fault r5,0"]
    for (i, text) in texts.enumerated() {
      let machine = try machine("\(text) ;;")
      for row in Self.table {
        try machine.insertData {
          $0.rights = row.rights
          $0.level = row.level
        }
        // Upwards and downwards: what one level may must not be remembered for another.
        for level in [0, 1, 2, 3, 2, 1, 0] as [UInt64] {
          let allowed = row.allowed[Int(3 - level)]
          let (reads, writes) = (allowed.contains("R"), allowed.contains("W"))
          // fc asks for nothing at level 0 (Volume 3, fc).
          let fine = [reads, writes, level == 0 || reads, reads, writes, reads && writes][i]
          machine.restart(psr: TestMachine.virtual | TestMachine.level(level))
          let outcome = machine.run()
          #expect(
            outcome == (fine ? .done : .interruption(.dataAccessRights)), "\(text): ar \(row.rights) pl \(row.level) cpl \(level)")
        }
      }
    }
  }

  /// A probe asks for the less privileged of the current and the given level.
  @Test func probes() throws {
    let machine = try machine("probe.r r6=r5,r10\nprobe.w r7=r5,r10 ;;")
    for row in Self.table {
      try machine.insertData {
        $0.rights = row.rights
        $0.level = row.level
      }
      for level in 0...3 as ClosedRange<UInt64> {
        for asked in 0...3 as ClosedRange<UInt64> {
          machine[gr: 10] = 0xF0 | asked
          machine.restart(psr: TestMachine.virtual | TestMachine.level(level))
          #expect(machine.run() == .done)
          let allowed = row.allowed[Int(3 - max(level, asked))]
          #expect(machine[gr: 6] == (allowed.contains("R") ? 1 : 0))
          #expect(machine[gr: 7] == (allowed.contains("W") ? 1 : 0))
        }
      }
    }
  }

  @Test func immediateProbes() throws {
    let machine = try machine("probe.r r6=r5,0\nprobe.w r7=r5,1 ;;\nprobe.r r8=r5,2\nprobe.w r9=r5,3 ;;")
    for row in Self.table {
      try machine.insertData {
        $0.rights = row.rights
        $0.level = row.level
      }
      machine.restart(psr: TestMachine.virtual)
      #expect(machine.run() == .done)
      for (i, right) in ["R", "W", "R", "W"].enumerated() {
        #expect(machine[gr: 6 + i] == (row.allowed[3 - i].contains(right) ? 1 : 0))
      }
    }
  }

  @Test(arguments: table) func execution(_ row: (rights: UInt64, level: UInt64, allowed: [String])) throws {
    let machine = try TestMachine("nop.m 0 ;;", psr: TestMachine.virtual)
    machine.mapMemory()
    machine.map(
      instruction: true, virtual: TestMachine.code, physical: TestMachine.code, shift: 20, rights: UInt8(row.rights),
      level: UInt8(row.level))
    for level in [0, 1, 2, 3, 2, 1, 0] as [UInt64] {
      machine.restart(psr: TestMachine.virtual | TestMachine.level(level))
      let fine = row.allowed[Int(3 - level)].contains("X")
      #expect(
        machine.run() == (fine ? .done : .interruption(.instructionAccessRights)), "ar \(row.rights) pl \(row.level) cpl \(level)")
      if !fine {
        #expect(machine.interruption.isr & (ISR.x | ISR.r | ISR.w) == ISR.x)
        #expect(machine.interruption.ifa == TestMachine.code)
      }
    }
  }

  /// epc on a page with rights 7 takes the page's level if that is more privileged; elsewhere it changes nothing (Volume 3, epc).
  @Test func promotion() throws {
    for (rights, page) in [(7, 0), (7, 1), (7, 2), (7, 3), (1, 3), (3, 3)] as [(UInt8, UInt8)] {
      for level in 0...3 as ClosedRange<UInt64> {
        let machine = try TestMachine("{ .mib\n nop 0\n nop 0\n epc\n } ;;", psr: TestMachine.virtual | TestMachine.level(level))
        machine.mapMemory()
        machine.map(
          instruction: true, virtual: TestMachine.code, physical: TestMachine.code, shift: 20, rights: rights, level: page)
        machine[ar: AR.pfs] = 3 << 62
        #expect(machine.run() == .done)
        #expect(PSR.cpl(machine.psr) == (rights == 7 ? min(level, UInt64(page)) : level))
        // PFS.ppl more privileged than the current level: Illegal Operation.
        machine[ar: AR.pfs] = 0
        machine.restart(psr: TestMachine.virtual | TestMachine.level(level))
        #expect(machine.run() == (level == 0 ? .done : .interruption(.generalException)))
      }
    }
  }
}
