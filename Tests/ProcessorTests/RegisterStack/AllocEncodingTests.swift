import IA64
import Processor
import Testing

/// alloc with parameters that no assembler makes (Volume 3, alloc: Illegal Operation).
@Suite("Encodings of alloc")
struct AllocEncodingTests {
  /// alloc r4=ar.pfs with sof, sol and sor as given: format M34, fields at bits 13, 20 and 27 of the slot, which is bits 45:5.
  private func bundle(sof: UInt64, sol: UInt64, sor: UInt64, r1: UInt64 = 4) throws -> Bundle {
    let plain = try Assembler.program("{ .mii\n alloc r4=ar.pfs,0,0,0,0\n nop 0\n nop 0\n } ;;", at: 0).bundles[0]
    let r4: UInt64 = 4 << (5 + 6)
    return Bundle(low: plain.low & ~r4 | (r1 << 6 | sof << 13 | sol << 20 | sor << 27) << 5, high: plain.high)
  }

  @Test func limits() throws {
    let machine = try TestMachine("{ .mii\n nop 0\n nop 0\n nop 0\n } ;;")
    let cases: [(sof: UInt64, sol: UInt64, sor: UInt64, r1: UInt64, fine: Bool)] = [
      (0, 0, 0, 4, true), (96, 96, 12, 4, true), (96, 0, 12, 127, true), (8, 0, 1, 39, true), (97, 0, 0, 4, false),
      (127, 0, 0, 4, false),
      (8, 9, 0, 4, false), (7, 0, 1, 4, false), (96, 0, 13, 4, false), (0, 1, 0, 4, false), (8, 0, 0, 0, false),
      (8, 0, 0, 40, false),
      (0, 0, 0, 32, false),
    ]
    for item in cases {
      machine.place([try bundle(sof: item.sof, sol: item.sol, sor: item.sor, r1: item.r1)], at: TestMachine.code)
      machine.each { $0.setCFM(0) }
      machine.restart(psr: PSR.ic)
      #expect(machine.run() == (item.fine ? .done : .interruption(.generalException)), "\(item)")
      if item.fine {
        #expect(machine.blocks.cfm == item.sof | item.sol << 7 | item.sor << 14)
      } else {
        #expect(machine.interruption.code == 0)
      }
    }
  }
}
