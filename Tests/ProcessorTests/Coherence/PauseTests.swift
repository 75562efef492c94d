import IA64
import Processor
import TestSupport
import Testing

/// hint @pause (Volume 3, hint: immediate 0): how long a processor waits is this machine's own rule, written in Documentation/Processors.md;
/// that blocks and steps agree on it is checked by the machine itself.
@Suite("Pauses", .ends(withinMinutes: 5)) struct PauseTests {
  /// Lengths of the pauses of a program, until it is done, by the engine or by steps.
  private func lengths(_ source: String, stepped: Bool) throws -> [UInt64] {
    let machine = try TestMachine(source)
    let processor = stepped ? machine.steps : machine.blocks
    processor.idlesAtPause = true
    var found: [UInt64] = []
    for _ in 0..<20_000 where found.count < 64 {
      let reason = stepped ? processor.step() : processor.run(until: processor.state.cycles + 100)
      if reason == .paused {
        // A step that pauses is seen as paused by the next one.
        found.append(processor.state.pointee.pausedUntil - processor.state.cycles)
        processor.skipIdle(to: processor.state.pointee.pausedUntil)
      }
      if processor.state.pointee.ip == machine.doneAddress { break }
    }
    return found
  }

  @Test(arguments: [false, true]) func waitingLoopsWaitLonger(_ stepped: Bool) throws {
    let found = try lengths(
      "adds r4=11,r0 ;;\nmov ar.lc=r4 ;;\nagain: { .mib\n hint.m 0\n nop 0\n br.cloop.sptk.few again\n } ;;", stepped: stepped)
    #expect(found == [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 4096, 4096, 4096].map(UInt64.init))
  }

  /// A loop that does something in between may be one half of a conversation.
  @Test(arguments: [false, true]) func longerLoopsDoNot(_ stepped: Bool) throws {
    let work = String(repeating: "adds r5=1,r5 ;;\n", count: 30)
    let found = try lengths(
      "adds r4=5,r0 ;;\nmov ar.lc=r4 ;;\nagain:\n\(work)\n{ .mib\n hint.m 0\n nop 0\n br.cloop.sptk.few again\n } ;;",
      stepped: stepped)
    #expect(found == [16, 16, 16, 16, 16, 16])
  }

  @Test(arguments: ["hint.m 0", "hint.i 0", "hint.f 0", "hint.b 0", "hint.x 0", "(p6) hint.m 0"]) func allUnits(_ text: String)
    throws
  {
    for stepped in [false, true] {
      let found = try lengths("cmp.eq p6,p7=r0,r0 ;;\n\(text) ;;\nadds r8=1,r0 ;;", stepped: stepped)
      #expect(found == [16], "\(text)")
    }
  }

  @Test(arguments: ["hint.m 1", "hint.i 0x100", "hint.x 0x100000000", "(p7) hint.m 0"]) func otherHints(_ text: String) throws {
    for stepped in [false, true] {
      #expect(try lengths("cmp.eq p6,p7=r0,r0 ;;\n\(text) ;;\nadds r8=1,r0 ;;", stepped: stepped) == [], "\(text)")
    }
  }

  @Test func interruptsEndPauses() throws {
    let machine = try TestMachine("hint.m 0 ;;\nadds r8=1,r0 ;;")
    machine.each { p in
      p.idlesAtPause = true
      #expect(p.run(until: 100) == .paused && p.isWaiting && p.nextCycle == p.state.pointee.pausedUntil)
      // Masked by TPR: nothing happens.
      p.state.cr[CR.tpr] = 1 << 16
      p.post(vector: 0x80)
      #expect(p.isWaiting)
      p.state.cr[CR.tpr] = 0
      // PSR.i does not matter.
      p.post(vector: 0x90)
      #expect(!p.isWaiting)
    }
  }
}
