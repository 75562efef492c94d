import IA64
import Processor
import Testing

/// M34: legality and effect of alloc (Volume 3, page alloc). Spills and fills are tested with the register stack.
@Suite("Allocation")
struct AllocationTests {
  private func machine(_ sof: UInt64, _ sol: UInt64, _ sor: UInt64, r1: UInt64 = 33, qp: UInt64 = 0) throws -> TestMachine {
    let machine = try TestMachine("nop.m 0")
    let plain = try Assembler.encode("alloc r33=ar.pfs,0,2,0,0", unit: .m).slot
    let fields: UInt64 = 0x3F | 0x7F << 6 | 0x7F << 13 | 0x7F << 20 | 0xF << 27
    let bits = plain & ~fields | qp | r1 << 6 | sof << 13 | sol << 20 | sor << 27
    let nop = try Assembler.encode("nop.i 0", unit: .i).slot
    machine.place([Bundle(template: 0, slots: (bits, nop, nop))], at: TestMachine.code)
    machine[ar: AR.pfs] = 5 | 3 << 7 | 9 << 52
    return machine
  }

  @Test func legal() throws {
    for (sof, sol, sor) in [(2, 0, 0), (96, 96, 12), (20, 10, 2), (16, 0, 2)] as [(UInt64, UInt64, UInt64)] {
      let machine = try machine(sof, sol, sor)
      machine[nat: 33] = true
      #expect(machine.run() == .done)
      #expect(machine.blocks.cfm == sof | sol << 7 | sor << 14)
      #expect(machine[gr: 33] == 5 | 3 << 7 | 9 << 52)
      #expect(!machine[nat: 33])
    }
  }

  /// A frame that cannot be, a target outside the new frame, r0, and any qualifying predicate but p0, whatever it holds.
  @Test func illegal() throws {
    let cases: [(UInt64, UInt64, UInt64, UInt64, UInt64)] = [
      (97, 0, 0, 33, 0), (20, 21, 0, 33, 0), (15, 0, 2, 33, 0), (1, 0, 0, 33, 0), (20, 0, 0, 0, 0), (20, 0, 0, 33, 6),
      (20, 0, 0, 33, 7),
    ]
    for (sof, sol, sor, r1, qp) in cases {
      let machine = try machine(sof, sol, sor, r1: r1, qp: qp)
      machine[pr: 6] = true
      #expect(machine.run() == .interruption(.generalException), "alloc \(sof), \(sol), \(sor) r\(r1) p\(qp)")
      #expect(machine.interruption.code == 0)
    }
  }

  /// Another size of the rotating part needs rename bases of zero.
  @Test func rotation() throws {
    for (marker, fault) in [(1 << 18, true), (1 << 25, true), (1 << 32, true), (0, false)] as [(UInt64, Bool)] {
      let machine = try machine(20, 10, 2)
      machine.each { $0.setCFM(16 | 8 << 7 | 1 << 14 | marker) }
      #expect(machine.run() == (fault ? .interruption(.generalException) : .done))
      if fault { #expect(machine.interruption.code == 0x30) }
    }
  }
}
