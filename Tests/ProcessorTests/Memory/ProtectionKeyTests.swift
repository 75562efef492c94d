import Processor
import Testing

/// Protection keys: Volume 2, section 4.1.3.
@Suite("Protection keys")
struct ProtectionKeyTests {
  static let page = TestMachine.region(1)
  static let psr = TestMachine.virtual | PSR.pk

  private func machine(_ text: String, psr: UInt64 = Self.psr) throws -> TestMachine {
    let machine = try TestMachine("\(text) ;;", psr: psr)
    machine.separateRegions()
    machine.mapMemory()
    machine[gr: 5] = Self.page
    machine.each { $0.state.pkr[3] = 1 }
    try machine.insertData(key: 0x55)
    return machine
  }

  /// Disable bits: rd stops reads, wd writes, semaphores either; xd is the instruction side's.
  @Test func permissions() throws {
    let references: [(text: String, stopped: UInt64)] = [
      ("ld8 r4=[r5]", 4), ("st8 [r5]=r4", 2), ("xchg8 r4=[r5],r6", 6), ("ldfd f6=[r5]", 4), ("stfd [r5]=f6", 2),
      ("lfetch.fault [r5]", 4),
      ("probe.r.fault r5,0", 4), ("probe.w.fault r5,0", 2), ("probe.rw.fault r5,0", 6), ("fc r5", 0), ("fc.i r5", 0),
      ("tpa r4=r5", 0),
      ("tak r4=r5", 0),
    ]
    for (text, stopped) in references {
      let machine = try machine(text)
      // fc, tpa and tak do no key checks (Volume 3, fc; tlb_translate_nonaccess).
      #expect(machine.run() == (stopped == 0 ? .done : .interruption(.dataKeyMiss)), "\(text)")
      for disable in [0, 2, 4, 6, 8] as [UInt64] {
        try machine.perform("mov pkr[r9]=r8", [8: 0x55 << 8 | disable | 1, 9: 9])
        machine.restart(psr: Self.psr)
        #expect(machine.run() == (disable & stopped == 0 ? .done : .interruption(.keyPermission)), "\(text) with \(disable)")
      }
      machine.restart(psr: TestMachine.virtual)
      #expect(machine.run() == .done, "keys count only with PSR.pk")
    }
  }

  /// A regular probe answers 0 where the key forbids, and faults where it is missing (Volume 3, probe).
  @Test func probes() throws {
    for (text, bit) in [("probe.r r4=r5,0", 4), ("probe.w r4=r5,0", 2)] as [(String, UInt64)] {
      let machine = try machine(text)
      #expect(machine.run() == .interruption(.dataKeyMiss))
      #expect(machine.interruption.isr & (ISR.na | 0xF) == ISR.na | 2)
      for disable in [0, 2, 4, 6] as [UInt64] {
        try machine.perform("mov pkr[r9]=r8", [8: 0x55 << 8 | disable | 1, 9: 9])
        machine.restart(psr: Self.psr)
        #expect(machine.run() == .done)
        #expect(machine[gr: 4] == (disable & bit == 0 ? 1 : 0))
      }
    }
  }

  /// A key is in one register: a write of it elsewhere makes the older one invalid. Reserved: 7:4 and 63:32, and registers from 16 on.
  @Test func registers() throws {
    let machine = try TestMachine("mov pkr[r9]=r8 ;;\nmov r10=pkr[r9] ;;")
    func write(_ index: UInt64, _ value: UInt64) -> TestMachine.Outcome {
      machine[gr: 8] = value
      machine[gr: 9] = index
      machine.restart(psr: PSR.ic)
      return machine.run()
    }
    #expect(write(2, 0x1234_5601) == .done)
    #expect(write(0xF05, 0x1234_5607) == .done)
    #expect(machine[gr: 10] == 0x1234_5607)
    #expect(machine.state.pkr[2] & 1 == 0)
    // One that is not valid leaves the others alone.
    #expect(write(7, 0x1234_5600) == .done)
    #expect(machine.state.pkr[5] & 1 == 1)
    for bit in [4, 5, 6, 7] + Array(32..<64) as [UInt64] { #expect(write(1, 1 << bit) == .interruption(.generalException)) }
    for index in [16, 17, 255] as [UInt64] {
      #expect(write(index, 0) == .interruption(.generalException))
      #expect(machine.interruption.code == 0x30)
    }
  }

  /// A change of a key register or of PSR.pk is seen by the next reference, cached checks or not.
  @Test func changesTakeEffect() throws {
    let machine = try machine(
      """
      ld8 r4=[r5] ;;
      mov pkr[r9]=r8 ;;
      srlz.d ;;
      st8 [r5]=r10 ;;
      """)
    machine.each { $0.state.pkr[9] = 0x55 << 8 | 1 }
    machine[gr: 9] = 9
    machine[gr: 8] = 0x55 << 8 | 2 | 1
    #expect(machine.run() == .interruption(.keyPermission))
    #expect(machine.interruption.isr & (ISR.r | ISR.w) == ISR.w)
    let off = try self.machine("ld8 r4=[r5] ;;\nssm 0x8000 ;;\nsrlz.d ;;\nld8 r4=[r5] ;;", psr: TestMachine.virtual)
    #expect(off.run() == .interruption(.dataKeyMiss))
  }
}
