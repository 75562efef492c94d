import IA64
import Platform
import Processor
import TestSupport
import Testing

/// Processors that run at the same time on several threads of the host: what the architecture promises them about each other (Volume 2,
/// sections 4.4.7 and 4.4.8; Volume 3, ptc.ga, fc, mf, ld16). The host decides what happens when, so each test goes through many rounds.
@Suite("Processors in parallel", .ends(withinMinutes: 10)) struct ParallelTests {
  private static let data: UInt64 = 0x20_0000
  private static let vectors: UInt64 = 0x8000

  /// `sources`: a program for each processor, or one for all. r4 is its number; r32 to r39 what `prepare` says.
  private func machine(
    _ count: Int, threads: Int, _ sources: [String], _ prepare: (_ index: Int, State) -> Void = { _, _ in }
  ) throws -> Machine {
    let machine = try Machine(MachineConfiguration(memorySize: 64 << 20, processors: count))
    for (index, source) in sources.enumerated() { try place(source, at: entry(index), machine) }
    for (index, p) in machine.processors.enumerated() {
      p.setCFM(0)
      p.setPSR(PSR.ic)
      p.state.cr[CR.lid] = UInt64(index) << 24
      p.state.cr[CR.iva] = Self.vectors
      for region in 0..<8 { p.state.rr[region] = UInt64(region) << 8 | 14 << 2 }
      p.state.pointee.ip = entry(sources.count == 1 ? 0 : index)
      p.state.gr[4] = UInt64(index)
      prepare(index, p.state)
    }
    if threads > 0 { machine.runInParallel(on: HostThreads(threads)) }
    return machine
  }

  private func entry(_ index: Int) -> UInt64 { 0x10_0000 + UInt64(index) * 0x1_0000 }

  private func place(_ source: String, at address: UInt64, _ machine: Machine) throws {
    for (i, bundle) in try Assembler.assemble(source).enumerated() {
      machine.memory.store(address + UInt64(i) * 16, bundle.low)
      machine.memory.store(address + UInt64(i) * 16 + 8, bundle.high)
    }
  }

  /// Runs until every processor in `those` has set its r31, which programs do at their end.
  private func finish(_ machine: Machine, _ those: [Int]? = nil) {
    for _ in 0..<2000 {
      #expect(machine.run(until: machine.now + 500_000) == .limit)
      if (those ?? Array(machine.processors.indices)).allSatisfy({ machine.processors[$0].state.gr[31] == 1 }) { return }
    }
    Issue.record("the processors do not come to an end")
  }

  private static let end = """
    done: adds r31=1,r0 ;;
    stop: br.cond.sptk.many stop ;;
    """

  private func word(_ machine: Machine, _ address: UInt64) -> UInt64 { machine.memory.load(address) ?? 0 }

  // MARK: Semaphores

  private static let rounds: UInt64 = 20_000

  /// fetchadd, cmpxchg, and a lock of xchg and st.rel around a plain counter. 0: by turns; 1: in parallel, but only one at a time.
  @Test(arguments: [0, 1, 2, 4]) func counters(_ threads: Int) throws {
    let source = """
      mov ar.lc=r10 ;;
      again: fetchadd8.acq r8=[r5],1 ;;
      retry: ld8 r11=[r6] ;;
      mov ar.ccv=r11
      adds r12=3,r11 ;;
      cmpxchg8.acq r13=[r6],r12,ar.ccv ;;
      cmp.ne p6,p7=r13,r11
      (p6) br.cond.spnt.few retry ;;
      adds r14=1,r0 ;;
      wait: xchg8 r15=[r7],r14 ;;
      cmp.ne p6,p7=r0,r15
      (p6) br.cond.spnt.few wait ;;
      ld8 r16=[r9] ;;
      adds r16=1,r16 ;;
      st8 [r9]=r16 ;;
      st8.rel [r7]=r0
      br.cloop.sptk.few again ;;
      \(Self.end)
      """
    let machine = try machine(4, threads: threads, [source]) { _, s in
      s.gr[5] = Self.data
      s.gr[6] = Self.data + 0x100
      s.gr[7] = Self.data + 0x200
      s.gr[9] = Self.data + 0x300
      s.gr[10] = Self.rounds - 1
    }
    finish(machine)
    #expect(word(machine, Self.data) == 4 * Self.rounds)
    #expect(word(machine, Self.data + 0x100) == 12 * Self.rounds)
    #expect(word(machine, Self.data + 0x300) == 4 * Self.rounds)
  }

  /// Narrow ones beside each other in one word, in either byte order.
  @Test(arguments: [1, 2, 4], [false, true]) func narrow(_ size: Int, bigEndian: Bool) throws {
    let source = """
      mov ar.lc=r10 ;;
      again: \(bigEndian ? "sum 2 ;;" : "nop.m 0 ;;")
      retry: ld\(size) r11=[r6] ;;
      mov ar.ccv=r11
      adds r12=1,r11 ;;
      cmpxchg\(size).rel r13=[r6],r12,ar.ccv ;;
      cmp.ne p6,p7=r13,r11
      (p6) br.cond.spnt.few retry ;;
      br.cloop.sptk.few again ;;
      \(Self.end)
      """
    let machine = try machine(2, threads: 2, [source]) { index, s in
      s.gr[6] = Self.data + UInt64(index) * UInt64(size)
      s.gr[10] = Self.rounds - 1
    }
    finish(machine)
    let mask = UInt64.max >> UInt64(64 - 8 * size)
    for index in 0..<2 {
      let address = Self.data + UInt64(index * size)
      let bytes = (0..<size).map { (machine.memory.load(address + UInt64($0)) ?? 0) as UInt8 }
      let value = (bigEndian ? bytes : bytes.reversed()).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
      #expect(value == Self.rounds & mask, "processor \(index)")
    }
  }

  /// ld16 reads both halves at one moment. They come from one st16; or of two st8 the one that was made later (in csd) is not there without
  /// the other.
  @Test(arguments: [
    ("mov ar.csd=r8 ;;\nst16 [r5]=r8,ar.csd", "cmp.ne", 1), ("st8 [r5]=r8 ;;\nst8.rel [r6]=r8", "cmp.ltu", 50),
  ])
  func sixteenBytes(_ store: String, isTorn: String, length: UInt64) throws {
    let writer = """
      mov ar.lc=r10 ;;
      again: adds r8=1,r8 ;;
      \(store)
      br.cloop.sptk.few again ;;
      \(Self.end)
      """
    let reader = """
      again: ld16 r8,ar.csd=[r5] ;;
      mov r9=ar.csd ;;
      \(isTorn) p6,p7=r8,r9 ;;
      (p6) adds r20=1,r20
      (p7) adds r21=1,r21
      br.cond.sptk.many again ;;
      """
    let machine = try machine(2, threads: 2, [writer, reader]) { _, s in
      s.gr[5] = Self.data
      s.gr[6] = Self.data + 8
      s.gr[10] = length * Self.rounds - 1
    }
    finish(machine, [0])
    #expect(machine.processors[1].state.gr[20] == 0)
    #expect(machine.processors[1].state.gr[21] > 100)
  }

  // MARK: Order

  /// Peterson's lock: without what mf does, both processors may be in at the same time. (The host rarely moves a store so far behind a load
  /// that a missing fence would show here.)
  @Test func fences() throws {
    let source = """
      mov ar.lc=r10 ;;
      again: st8 [r5]=r13
      st8 [r7]=r11 ;;
      mf ;;
      wait: ld8.acq r14=[r6] ;;
      ld8.acq r15=[r7] ;;
      cmp.eq p6,p7=r0,r14
      cmp.ne p8,p9=r15,r11
      (p6) br.cond.dptk.few enter
      (p8) br.cond.dptk.few enter
      br.cond.sptk.few wait ;;
      enter: ld8 r16=[r9] ;;
      adds r16=1,r16 ;;
      st8 [r9]=r16 ;;
      st8.rel [r5]=r0
      br.cloop.sptk.few again ;;
      \(Self.end)
      """
    let machine = try machine(2, threads: 2, [source]) { index, s in
      s.gr[5] = Self.data + UInt64(index) * 0x100
      s.gr[6] = Self.data + UInt64(1 - index) * 0x100
      s.gr[7] = Self.data + 0x200
      s.gr[9] = Self.data + 0x300
      s.gr[10] = Self.rounds - 1
      s.gr[11] = UInt64(1 - index)
      s.gr[13] = 1
    }
    finish(machine)
    #expect(word(machine, Self.data + 0x300) == 2 * Self.rounds)
  }

  // MARK: Translations

  /// One processor moves a page to and fro between two places and spoils the one that it has left. The other one must never see that:
  /// when ptc.ga is over, nobody uses the old translation.
  @Test(arguments: [0, 1, 2]) func globalPurges(_ threads: Int) throws {
    let table = Self.data
    let (placeA, placeB) = (Self.data + 0x1_0000, Self.data + 0x2_0000)
    let page: UInt64 = 0x4000_0000
    let mover = """
      mov ar.lc=r10 ;;
      again: st8 [r5]=r7 ;;
      mf ;;
      ptc.ga r9,r11 ;;
      srlz.d ;;
      st8 [r12]=r0
      adds r14=40,r0 ;;
      gone: adds r14=-1,r14 ;;
      cmp.ne p6,p7=r0,r14
      (p6) br.cond.dptk.few gone ;;
      st8 [r12]=r8 ;;
      mf ;;
      st8 [r5]=r6 ;;
      mf ;;
      ptc.ga r9,r11 ;;
      srlz.d ;;
      st8 [r13]=r0
      adds r14=40,r0 ;;
      goneToo: adds r14=-1,r14 ;;
      cmp.ne p6,p7=r0,r14
      (p6) br.cond.dptk.few goneToo ;;
      st8 [r13]=r8 ;;
      mf
      br.cloop.sptk.few again ;;
      \(Self.end)
      """
    let reader = """
      again: ld8 r14=[r9] ;;
      cmp.ne p6,p7=r14,r8 ;;
      (p6) adds r24=1,r24
      (p7) adds r25=1,r25
      br.cond.sptk.many again ;;
      """
    // As an operating system does it: who has inserted looks whether that is still what the table says.
    let handler = """
      movl r16=0x\(String(table, radix: 16)) ;;
      rsm 0x20000 ;;
      srlz.d ;;
      retry: ld8 r17=[r16] ;;
      itc.d r17 ;;
      srlz.d ;;
      mf ;;
      ld8 r18=[r16]
      mov r19=cr.ifa
      mov r20=cr.itir ;;
      cmp.ne p14,p15=r17,r18 ;;
      (p14) ptc.l r19,r20
      (p14) br.cond.spnt.few retry ;;
      rfi ;;
      """
    // Present, accessed, dirty, rights 3: read and write (Volume 2, figure 4-5).
    func entry(_ physical: UInt64) -> UInt64 { physical | 3 << 9 | 1 << 6 | 1 << 5 | 1 }
    let machine = try machine(2, threads: 0, [mover, reader]) { _, s in
      s.gr[5] = table
      s.gr[6] = entry(placeA)
      s.gr[7] = entry(placeB)
      s.gr[8] = 0x600D
      s.gr[9] = page
      s.gr[10] = 10_000 - 1
      s.gr[11] = 14 << 2
      s.gr[12] = placeA
      s.gr[13] = placeB
    }
    // Alternate Data TLB.
    try place(handler, at: Self.vectors + 0x1000, machine)
    machine.memory.store(table, entry(placeA))
    machine.memory.store(placeA, UInt64(0x600D))
    machine.memory.store(placeB, UInt64(0x600D))
    machine.processors[1].setPSR(PSR.ic | PSR.dt)
    if threads > 0 { machine.runInParallel(on: HostThreads(threads)) }
    finish(machine, [0])
    let s = machine.processors[1].state
    #expect(s.gr[24] == 0, "\(s.gr[24]) of \(s.gr[25]) loads through a translation that was gone")
    #expect(s.gr[25] > 1000)
    #expect(machine.processors[1].interruptionCount > 50)
  }

  // MARK: Code

  /// One processor rewrites a procedure and says so; the other one calls it, and must get what was said, or newer.
  @Test func rewrittenCode() throws {
    let (published, words, procedure) = (Self.data, Self.data + 0x1_0000, Self.data + 0x10_0000)
    let writer = """
      mov ar.lc=r10 ;;
      again: ld8 r14=[r6],8 ;;
      st8 [r7]=r14 ;;
      fc.i r7 ;;
      sync.i ;;
      mf ;;
      st8.rel [r5]=r8
      adds r8=1,r8
      br.cloop.sptk.few again ;;
      \(Self.end)
      """
    let reader = """
      mov b6=r7 ;;
      again: ld8.acq r14=[r5] ;;
      srlz.i ;;
      br.call.sptk.many b0=b6 ;;
      cmp.lt p6,p7=r15,r14 ;;
      (p6) adds r20=1,r20
      (p7) adds r21=1,r21
      br.cond.sptk.many again ;;
      """
    let count: UInt64 = 20_000
    let machine = try machine(2, threads: 2, [writer, reader]) { _, s in
      s.gr[5] = published
      s.gr[6] = words
      s.gr[7] = procedure
      s.gr[8] = 1
      s.gr[10] = count - 1
    }
    for value in 0...count {
      let bundle = try Assembler.assemble("{ .mib\n addl r15=\(value),r0\n nop 0\n br.ret.sptk.many b0 ;;\n }")
      #expect(bundle.count == 1)
      if value == 0 {
        machine.memory.store(procedure, bundle[0].low)
        machine.memory.store(procedure + 8, bundle[0].high)
      } else {
        machine.memory.store(words + (value - 1) * 8, bundle[0].low)
      }
    }
    finish(machine, [0])
    let s = machine.processors[1].state
    _ = machine.run(until: machine.now + 10_000)
    #expect(s.gr[20] == 0, "\(s.gr[20]) of \(s.gr[21]) calls of code that was gone")
    #expect(s.gr[15] == count)
  }

  // MARK: Interrupts

  /// Messages to and fro between processors that sleep until one comes: none is lost.
  @Test(arguments: [1, 2, 4]) func messages(_ threads: Int) throws {
    let source = """
      cmp.ne p8,p9=r0,r4
      mov ar.lc=r10 ;;
      (p8) br.cond.dptk.few wait ;;
      again: adds r14=1,r14
      st8 [r5]=r11 ;;
      wait: mov r13=cr.ivr ;;
      cmp.eq p6,p7=r11,r13
      (p7) br.cond.dptk.few wait ;;
      mov cr.eoi=r0
      br.cloop.sptk.few again ;;
      st8 [r5]=r11
      \(Self.end)
      """
    let machine = try machine(2, threads: threads, [source]) { index, s in
      s.gr[5] = 1 << 63 | MemoryMap.interruptBlock | UInt64(1 - index) << 12
      s.gr[10] = 500 - 1
      s.gr[11] = 0x55
    }
    finish(machine)
    #expect(machine.processors[0].state.gr[14] == 500)
    #expect(machine.processors[1].state.gr[14] == 499)
  }

  /// Without threads nothing has changed: two runs are one.
  @Test func turnsStayRepeatable() throws {
    let source = "again: fetchadd8.acq r8=[r5],1 ;;\nxor r15=r15,r8\nbr.cond.sptk.many again ;;"
    let runs = try (0..<2).map { _ in
      let machine = try machine(3, threads: 0, [source]) { _, s in s.gr[5] = Self.data }
      #expect(machine.run(until: 200_000) == .limit)
      return machine
    }
    for (a, b) in zip(runs[0].processors, runs[1].processors) { #expect(a.difference(from: b) == nil) }
  }
}
