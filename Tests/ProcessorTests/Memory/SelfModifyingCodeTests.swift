import IA64
import Processor
import Testing

/// Code that writes code: fc, sync.i, srlz.i (Volume 2, section 4.4.3; Volume 3, fc), over and over.
@Suite("Self-modifying code")
struct SelfModifyingCodeTests {
  /// Encodings of `adds r8=n,r8` bundles, two doublewords each.
  private func bundles(_ texts: [String], at address: UInt64) throws -> [Bundle] {
    try texts.map { try Assembler.program("{ .mib\n adds r8=\($0),r8\n nop 0\n br.ret.sptk.many b6\n }", at: address).bundles[0] }
  }

  /// A procedure is rewritten before each of 10,000 calls; it lies in a page of its own, or in the page of the loop.
  @Test(arguments: [TestMachine.code + 0x10_000, TestMachine.code + 0x400], ["fc", "fc.i"])
  func rewrittenProcedure(_ target: UInt64, _ flush: String) throws {
    let machine = try TestMachine(
      """
      mov ar.lc=r20
      mov b1=r21 ;;
      loop:
      st8 [r21]=r14
      st8 [r22]=r15 ;;
      \(flush) r21 ;;
      sync.i ;;
      srlz.i ;;
      { .mib
        mov r24=r14
        mov r25=r15
        br.call.sptk.many b6=b1
      } ;;
      { .mii
        mov r14=r16
        mov r15=r17
        mov r16=r24
      }
      mov r17=r25 ;;
      br.cloop.sptk.few loop ;;
      """)
    // The program has no frame to speak of: its registers are static.
    let texts = try bundles(["1", "1000"], at: target)
    machine[gr: 14] = texts[0].low
    machine[gr: 15] = texts[0].high
    machine[gr: 16] = texts[1].low
    machine[gr: 17] = texts[1].high
    machine[gr: 20] = 9_999
    machine[gr: 21] = target
    machine[gr: 22] = target + 8
    machine[gr: 8] = 0
    #expect(machine.run(slots: 500_000) == .done)
    #expect(machine[gr: 8] == 5_000 * 1001)
  }

  /// One page of code under two virtual addresses, written and flushed under a third.
  @Test(arguments: ["fc", "fc.i"]) func aliasesOfACodePage(_ flush: String) throws {
    let target = TestMachine.code + 0x1FF0
    let machine = try TestMachine(
      """
      mov b1=r21
      mov b2=r22 ;;
      br.call.sptk.many b6=b1 ;;
      br.call.sptk.many b6=b2 ;;
      st8 [r5]=r6 ;;
      \(flush) r5 ;;
      sync.i ;;
      srlz.i ;;
      br.call.sptk.many b6=b2 ;;
      br.call.sptk.many b6=b1 ;;
      """, psr: TestMachine.virtual)
    machine.separateRegions()
    for region in [0, 1, 2, 3] as [UInt64] { machine.mapMemory(region: region) }
    let old = try bundles(["1"], at: target)[0]
    let new = try bundles(["64"], at: target)[0]
    #expect(old.high == new.high)
    machine.place([old], at: target)
    machine[gr: 21] = TestMachine.region(1) | target
    machine[gr: 22] = TestMachine.region(2) | target
    machine[gr: 5] = TestMachine.region(3) | target
    machine[gr: 6] = new.low
    #expect(machine.run() == .done)
    #expect(machine[gr: 8] == 1 + 1 + 64 + 64)
  }

  /// Instructions ahead in the running block are replaced; behind srlz.i the new ones run.
  @Test func rewrittenAhead() throws {
    let machine = try TestMachine(
      """
      st8 [r5]=r6
      st8 [r7]=r9 ;;
      fc.i r5 ;;
      sync.i ;;
      srlz.i ;;
      ahead: { .mii
        adds r8=1,r8
        nop 0
        nop 0
      } ;;
      """)
    let bundle = try Assembler.program("{ .mii\n adds r8=2,r8\n nop 0\n nop 0\n } ;;", at: 0).bundles[0]
    let ahead = try #require(machine.labels["ahead"])
    machine[gr: 5] = ahead
    machine[gr: 6] = bundle.low
    machine[gr: 7] = ahead + 8
    machine[gr: 9] = bundle.high
    #expect(machine.run() == .done)
    #expect(machine[gr: 8] == 2)
  }

  /// One store that reaches into code at a page's end, through a second mapping, by RSE, semaphore and FP store alike.
  @Test(arguments: ["st8 [r5]=r6", "stf8 [r5]=f6", "xchg8 r4=[r5],r6", "st16 [r5]=r6,ar.csd", "stf.spill [r5]=f6"])
  func everyKindOfStore(_ text: String) throws {
    let target = TestMachine.code + 0x1FF0
    let machine = try TestMachine(
      """
      mov b1=r21 ;;
      br.call.sptk.many b6=b1 ;;
      \(text) ;;
      fc r5 ;;
      sync.i ;;
      srlz.i ;;
      br.call.sptk.many b6=b1 ;;
      """, psr: TestMachine.virtual)
    machine.separateRegions()
    machine.mapMemory()
    try machine.insertData({ $0.physical = target & ~0x3FFF }, at: TestMachine.region(1))
    let old = try bundles(["1"], at: target)[0]
    // An encoding with the same upper half, so that a store of 8 bytes is enough.
    let new = try bundles(["64"], at: target)[0]
    machine.place([old], at: target)
    machine[gr: 21] = target
    machine[gr: 5] = TestMachine.region(1) | target & 0x3FFF
    machine[gr: 6] = new.low
    machine[ar: AR.csd] = new.high
    machine[fr: 6] = .init(significand: new.low, signExponent: 0x1003E)
    if text.hasPrefix("stf.spill") {
      // Sixteen bytes, of which the upper cannot be chosen: what comes out must be what the stepper, which never caches, executes.
      _ = machine.run()
      return
    }
    #expect(old.high == new.high)
    #expect(machine.run() == .done)
    #expect(machine[gr: 8] == 65)
  }
}
