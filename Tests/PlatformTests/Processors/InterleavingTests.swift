import IA64
import Platform
import Processor
import TestSupport
import Testing

/// Several processors by turns. The rules are this machine's own (Documentation/Processors.md); what they must guarantee is that a run is a
/// function of its inputs and not of the pieces in which it is run.
@Suite("Interleaving", .ends(withinMinutes: 5)) struct InterleavingTests {
  private static let counter: UInt64 = 0x20_0000
  private static let interruptBlock = MemoryMap.interruptBlock

  /// Processors of one program: r4 is their number, r5 the counter's address, r6 the interrupt block.
  private func machine(_ count: Int, _ source: String) throws -> Machine {
    let machine = try Machine(MachineConfiguration(memorySize: 64 << 20, processors: count))
    for (i, bundle) in try Assembler.assemble(source).enumerated() {
      machine.memory.store(0x10_0000 + UInt64(i) * 16, bundle.low)
      machine.memory.store(0x10_0008 + UInt64(i) * 16, bundle.high)
    }
    for (i, p) in machine.processors.enumerated() {
      p.setCFM(0)
      p.setPSR(PSR.ic)
      p.state.cr[CR.lid] = UInt64(i) << 24
      p.state.pointee.ip = 0x10_0000
      p.state.gr[4] = UInt64(i)
      p.state.gr[5] = Self.counter
      p.state.gr[6] = 1 << 63 | Self.interruptBlock
    }
    return machine
  }

  /// Counts, waits for its number to come, sends interrupts to the next processor, which it does not take (PSR.i = 0) but acknowledges.
  private static let busy = """
    again: fetchadd8.acq r8=[r5],1
    adds r9=1,r4 ;;
    and r9=3,r9
    adds r11=0x55,r0 ;;
    shl r10=r9,12 ;;
    add r10=r6,r10 ;;
    and r12=7,r8 ;;
    cmp.eq p6,p7=r12,r4 ;;
    (p6) st8 [r10]=r11
    mov r13=cr.ivr ;;
    cmp.eq p8,p9=0x55,r13 ;;
    (p8) mov cr.eoi=r0
    (p8) adds r14=1,r14
    (p7) hint.m 0 ;;
    xor r15=r15,r8
    br.cond.sptk.many again ;;
    """

  @Test func piecesDoNotMatter() throws {
    let end: UInt64 = 300_000
    let whole = try machine(4, Self.busy)
    #expect(whole.run(until: end) == .limit)
    for seed in 1...3 as ClosedRange<UInt64> {
      let pieces = try machine(4, Self.busy)
      var limit: UInt64 = 0
      var random = seed
      while limit < end {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        limit = min(end, limit + random >> 33 % 9000 + 1)
        #expect(pieces.run(until: limit) == .limit)
        #expect(pieces.now >= limit)
      }
      for (a, b) in zip(whole.processors, pieces.processors) { #expect(a.difference(from: b) == nil, "seed \(seed)") }
      #expect(whole.memory.contentHash() == pieces.memory.contentHash(), "seed \(seed)")
    }
    // All have come to the end, none much further than a slice.
    for p in whole.processors {
      #expect(p.state.cycles >= end && p.state.cycles < end + 8192 + 100)
      #expect(p.state.gr[14] > 2)
    }
  }

  /// Blocks and steps, several processors.
  @Test func lockstep() throws {
    let (fast, stepped) = (try machine(3, Self.busy), try machine(3, Self.busy))
    for _ in 0..<20_000 {
      _ = fast.turn(.block)
      let processor = fast.processors[fast.currentProcessor]
      _ = stepped.turn(.steps(processor.goal(after: nil)))
      #expect(stepped.currentProcessor == fast.currentProcessor)
      guard processor.difference(from: stepped.processors[fast.currentProcessor]) == nil else {
        Issue.record("\(processor.difference(from: stepped.processors[fast.currentProcessor]) ?? "")")
        return
      }
    }
    #expect(fast.memory.contentHash() == stepped.memory.contentHash())
  }

  /// A processor that sleeps is woken at the moment of the message, and runs before the slice is over.
  @Test func wakesAtOnce() throws {
    let machine = try machine(2, "again: br.cond.sptk.many again ;;")
    let sleeper = machine.processors[1]
    sleeper.state.pointee.halted = true
    #expect(machine.run(until: 100_000) == .limit)
    #expect(sleeper.state.pointee.instructions == 0 && sleeper.state.cycles >= 100_000)
    let sender = machine.processors[0]
    let code = try Assembler.assemble("st8 [r10]=r11 ;;\nback: br.cond.sptk.many back ;;")
    for (i, bundle) in code.enumerated() {
      machine.memory.store(0x11_0000 + UInt64(i) * 16, bundle.low)
      machine.memory.store(0x11_0008 + UInt64(i) * 16, bundle.high)
    }
    sender.state.pointee.ip = 0x11_0000
    sender.setPSR(PSR.ic)
    sender.state.gr[10] = 1 << 63 | Self.interruptBlock | 1 << 12
    sender.state.gr[11] = 0x77
    let sent = sender.state.cycles
    #expect(machine.run(until: sent + 20_000) == .limit)
    #expect(!sleeper.state.pointee.halted)
    #expect(sleeper.state.pointee.idleCycles >= sent && sleeper.state.pointee.idleCycles <= sent + 10)
    #expect(sleeper.state.pointee.instructions > 10_000)
  }

  @Test func allAsleep() throws {
    let machine = try machine(64, "again: br.cond.sptk.many again ;;")
    for p in machine.processors { p.state.pointee.halted = true }
    #expect(machine.run(until: .max) == .deadlock)
    var happened: [UInt64] = []
    let handler = machine.events.register { cycle, _ in
      happened.append(cycle)
      machine.bus.write(physical: Self.interruptBlock | 63 << 12, size: 8, value: 0x40)
    }
    machine.events.schedule(handler, at: 5_000_000)
    #expect(machine.run(until: 5_001_000) == .limit)
    #expect(happened == [5_000_000])
    #expect(machine.processors[63].state.pointee.idleCycles == 5_000_000)
    #expect(machine.processors[62].state.pointee.instructions == 0)
  }

  /// Events happen when all processors have come to them, and before any goes on.
  @Test func eventsAreInTime() throws {
    let machine = try machine(4, "again: adds r8=1,r8\nbr.cond.sptk.many again ;;")
    var seen: [[UInt64]] = []
    let handler = machine.events.register { _, _ in seen.append(machine.processors.map(\.state.cycles)) }
    for cycle in [1000, 1001, 5000, 70_000] as [UInt64] { machine.events.schedule(handler, at: cycle) }
    #expect(machine.run(until: 100_000) == .limit)
    for (cycles, due) in zip(seen, [1000, 1001, 5000, 70_000] as [UInt64]) {
      for c in cycles { #expect(c >= due && c < due + 10) }
    }
  }

  /// A processor that spins with hint @pause leaves the work to others and costs few instructions.
  @Test func spinningIsCheap() throws {
    let machine = try machine(
      2,
      "cmp.eq p6,p7=0,r4 ;;\n(p6) br.cond.sptk.many work\nwait: ld8.acq r8=[r5]\nhint.m 0 ;;\ncmp.eq p8,p9=0,r8\n(p8) br.cond.sptk.many wait ;;\nover: br.cond.sptk.many over\nwork: br.cond.sptk.many work ;;"
    )
    #expect(machine.run(until: 10_000_000) == .limit)
    #expect(machine.processors[1].state.pointee.instructions < 10_000_000 / 4096 * 40)
    #expect(machine.processors[0].state.pointee.instructions > 9_900_000)
  }
}
