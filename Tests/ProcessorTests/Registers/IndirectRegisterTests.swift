import IA64
import Processor
import Testing

/// Indirect register files (Volume 2, chapters 3, 4 and 7; Volume 3, mov indirect).
@Suite("Indirect register files")
struct IndirectRegisterTests {
  private func run(_ text: String, psr: UInt64 = PSR.ic, _ prepare: (TestMachine) -> Void = { _ in }) throws -> TestMachine {
    let machine = try TestMachine("\(text) ;;", psr: psr)
    prepare(machine)
    machine.run()
    return machine
  }

  private func fault(_ machine: TestMachine) -> UInt64? {
    machine.ip == TestMachine.handlers + 0x5400 ? machine.interruption.isr & 0xFF : nil
  }

  /// Writes and reads back; nil: the write faulted with Reserved Register/Field.
  private func roundTrip(_ file: String, _ index: UInt64, _ value: UInt64) throws -> UInt64? {
    let machine = try run("mov \(file)[r5]=r6 ;;\nmov r4=\(file)[r5]") {
      $0[gr: 5] = index
      $0[gr: 6] = value
    }
    guard let code = fault(machine) else { return machine[gr: 4] }
    #expect(code == 0x30)
    return nil
  }

  @Test("Region registers: indexed by bits 63:61; ve, ps and rid; bit 1 and bits 63:32 reserved") func regions() throws {
    for region in 0..<8 as Range<UInt64> {
      let machine = try run("mov rr[r5]=r6 ;;\nmov r4=rr[r5]") {
        $0[gr: 5] = region << 61 | 0x12_3456
        $0[gr: 6] = 0x12_3400 | 16 << 2 | 1
      }
      #expect(machine[gr: 4] == 0x12_3400 | 16 << 2 | 1)
      #expect(machine.state.rr[Int(region)] == 0x12_3400 | 16 << 2 | 1)
    }
    for bit in [1] + Array(32..<64) as [UInt64] { #expect(try roundTrip("rr", 1 << 61, 14 << 2 | 1 << bit) == nil) }
    // Page sizes that the processor does not insert (Volume 2, table 4-2: all of 4K 8K 16K 64K 256K 1M 4M 16M 64M 256M must be).
    for size in 0..<64 as Range<UInt64> {
      let required: Set<UInt64> = [12, 13, 14, 16, 18, 20, 22, 24, 26, 28]
      let value = try roundTrip("rr", 1 << 61, size << 2)
      if required.contains(size) { #expect(value == size << 2) }
      if size < 12 || size > 61 { #expect(value == nil) }
    }
  }

  @Test("Protection keys: sixteen registers, v wd rd xd and key; duplicates of a valid key become invalid") func keys() throws {
    #expect(try roundTrip("pkr", 15, 0xABCDEF << 8 | 0xF) == 0xABCDEF << 8 | 0xF)
    #expect(try roundTrip("pkr", 16, 0) == nil)
    for bit in Array(4..<8) + Array(32..<64) as [UInt64] { #expect(try roundTrip("pkr", 0, 1 << bit) == nil) }
    let machine = try run("mov pkr[r5]=r6 ;;\nmov pkr[r7]=r8 ;;\nmov pkr[r9]=r8 ;;") {
      $0[gr: 5] = 3
      $0[gr: 6] = 0x77 << 8 | 5
      $0[gr: 7] = 4
      $0[gr: 8] = 0x77 << 8 | 1
      $0[gr: 9] = 5
    }
    #expect(fault(machine) == nil)
    #expect([3, 4, 5].map { machine.state.pkr[$0] } == [0x7704, 0x7700, 0x7701])
  }

  @Test("Breakpoint registers: eight of each; bits 61:60 of DBR and 62:60 of IBR control words are ignored") func breakpoints()
    throws
  {
    for index in 0..<8 as Range<UInt64> {
      let odd = index & 1 == 1
      #expect(try roundTrip("dbr", index, UInt64.max) == (odd ? UInt64.max & ~(3 << 60) : UInt64.max))
      #expect(try roundTrip("ibr", index, UInt64.max) == (odd ? UInt64.max & ~(7 << 60) : UInt64.max))
    }
    for file in ["dbr", "ibr"] { #expect(try roundTrip(file, 8, 0) == nil) }
  }

  @Test("Index bits above 7 are ignored") func indexBits() throws {
    #expect(try roundTrip("dbr", 0xFFFF_FF00, 5) == 5)
    #expect(try roundTrip("pkr", 0x1_0002, 0x500) == 0x500)
  }

  @Test("Performance monitors: unimplemented registers read 0 and ignore writes; no index faults") func monitors() throws {
    for index in [16, 20, 31, 50, 63, 64, 100, 255] as [UInt64] { #expect(try roundTrip("pmc", index, 0xFFFF) == 0, "pmc\(index)") }
    for index in [0, 3, 16, 31, 40, 47, 64, 100, 255] as [UInt64] {
      #expect(try roundTrip("pmd", index, 0xFFFF) == 0, "pmd\(index)")
    }
    // PMC0: freeze and overflow of PMD4...15. PMC4...15: the fields of Linux' table for this processor; bit 25 is always one.
    #expect(try roundTrip("pmc", 0, UInt64.max) == 0xFFF1)
    for index in 4..<16 as Range<UInt64> {
      #expect(try roundTrip("pmc", index, UInt64.max) == 0x7E7F_FF7F)
      #expect(try roundTrip("pmc", index, 0) == 0x200_0000)
    }
    // The counters of the Montecito.
    for index in 4..<16 as Range<UInt64> { #expect(try roundTrip("pmd", index, 0x1234_5678) == 0x1234_5678) }
  }

  @Test("PMD below level 0: zero for privileged monitors (pm) and with PSR.sp, writes are Privileged Operation")
  func secureMonitors() throws {
    for (level, sp, pm, visible) in [
      (0, false, true, true), (0, true, false, true), (3, false, false, true), (3, true, false, false), (3, false, true, false),
    ] as [(UInt64, Bool, Bool, Bool)] {
      let machine = try run("mov r4=pmd[r5]", psr: PSR.ic | level << PSR.cplShift | (sp ? PSR.sp : 0)) {
        $0[gr: 5] = 5
        $0.each { processor in
          processor.state.pmd[5] = 99
          processor.state.pmc[5] |= pm ? 1 << 6 : 0
        }
      }
      #expect(machine[gr: 4] == (visible ? 99 : 0))
    }
  }

  @Test("Order: Privileged Operation, NaT, reserved index or field") func order() throws {
    let prepare = { (machine: TestMachine) in
      machine[gr: 5] = 200
      machine[gr: 6] = UInt64.max
      machine[nat: 6] = true
    }
    #expect(fault(try run("mov pkr[r5]=r6", psr: PSR.ic | 3 << PSR.cplShift, prepare)) == 0x10)
    #expect(try run("mov pkr[r5]=r6", prepare).ip == TestMachine.handlers + 0x5600)
    #expect(fault(try run("mov pkr[r5]=r6") { $0[gr: 5] = 200 }) == 0x30)
  }
}
