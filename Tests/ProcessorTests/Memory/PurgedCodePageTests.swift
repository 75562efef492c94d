import IA64
import Processor
import Testing

/// Code that purges the translation it runs under (Volume 2, section 4.1.1.5: a purge of instruction translations is seen by fetches behind
/// srlz.i). Blocks of the page are linked with each other, and must not lead past it.
@Suite("Purges of the page that runs")
struct PurgedCodePageTests {
  private static let rounds: UInt64 = 40

  /// The program lies in a page of 1 MiB, the handlers in another one.
  private func machine(_ purge: String, serializes: Bool) throws -> TestMachine {
    let machine = try TestMachine(
      """
      mov ar.lc=r20 ;;
      loop:
      \(purge) ;;
      \(serializes ? "srlz.i ;;" : "")
      adds r8=1,r8
      br.cond.sptk.few near ;;
      near:
      adds r9=1,r9
      br.cloop.sptk.few loop ;;
      """, psr: TestMachine.virtual,
      handlers: [
        .alternateInstructionTLB: """
        mov cr.itir=r22
        adds r10=1,r10 ;;
        itc.i r24 ;;
        rfi ;;
        """
      ])
    machine.mapMemory()
    machine[gr: 20] = Self.rounds - 1
    machine[gr: 21] = TestMachine.code
    machine[gr: 22] = 20 << 2
    // Present, accessed, dirty, for all levels, every right (Volume 2, section 4.1.1.6).
    machine[gr: 24] = TestMachine.code | 3 << 9 | 3 << 7 | 1 << 6 | 1 << 5 | 1
    return machine
  }

  @Test(arguments: ["ptc.l r21,r22", "ptc.g r21,r22", "ptc.ga r21,r22"])
  func faultsBehindSerialization(_ purge: String) throws {
    let machine = try machine(purge, serializes: true)
    #expect(machine.run(slots: 20_000) == .done)
    #expect(machine[gr: 8] == Self.rounds && machine[gr: 9] == Self.rounds)
    #expect(machine[gr: 10] == Self.rounds)
  }

  /// Without serialization a fetch may see it at any time: once in each round, or later.
  @Test(arguments: ["ptc.l r21,r22", "ptc.g r21,r22"]) func goesOnWithoutSerialization(_ purge: String) throws {
    let machine = try machine(purge, serializes: false)
    #expect(machine.run(slots: 20_000) == .done)
    #expect(machine[gr: 8] == Self.rounds && machine[gr: 9] == Self.rounds)
    #expect((1...Self.rounds).contains(machine[gr: 10]))
  }
}
