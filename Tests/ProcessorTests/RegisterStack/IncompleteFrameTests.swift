import Processor
import Testing

/// Faults of mandatory register-stack references: Volume 2, section 6.6 and table 6-6.
@Suite("Register stack faults")
struct IncompleteFrameTests {
  /// The backing store lies across the boundary of two pages of region 1, 16 KiB each.
  static let boundary = TestMachine.region(1) + 0x4000

  /// Maps the faulting page and returns, as a TLB handler does: no cover, only static and banked registers. r17 is the entry of the page at
  /// `boundary` - 0x4000; the pages lie one behind the other.
  static let miss = """
    mov r20=cr.ifa
    movl r21=0x4000 ;;
    and r22=r20,r21
    mov cr.itir=r18
    adds r19=1,r19 ;;
    add r22=r22,r17 ;;
    itc.d r22 ;;
    rfi ;;
    """

  /// The same with cover: the frame is complete afterwards, its missing part below BSPSTORE; rfi brings it back.
  static let coveringMiss = """
    mov r20=cr.ifa
    movl r21=0x4000 ;;
    and r22=r20,r21
    mov cr.itir=r18
    adds r19=1,r19 ;;
    add r22=r22,r17 ;;
    itc.d r22 ;;
    { .bbb
      nop 0
      nop 0
      cover
    } ;;
    mov r23=ar.bsp
    mov r24=ar.bspstore ;;
    rfi ;;
    """

  private func machine(_ source: String, handler: String?, start: UInt64 = boundary - 40 * 8, psr: UInt64 = TestMachine.virtual)
    throws
    -> TestMachine
  {
    let machine = try TestMachine(source, psr: psr, handlers: handler.map { [.alternateDataTLB: $0] } ?? [:])
    machine.separateRegions()
    machine.mapMemory()
    machine.each { p in
      p.setCFM(0)
      p.state.pointee.bsp = start
      p.state.pointee.bspStore = start
    }
    machine[gr: 17] = TestMachine.Insert(physical: TestMachine.data).word
    machine[gr: 18] = 14 << 2
    return machine
  }

  /// A frame of 90 locals is left by a call, flushed, forgotten with loadrs, and returned to with nothing mapped.
  static let deepReturn = """
    alloc r4=ar.pfs,0,90,0,0 ;;
    mov r32=r8
    adds r33=1,r8
    adds r72=2,r8
    adds r120=3,r8
    adds r121=4,r8 ;;
    br.call.sptk.many b6=inner ;;
    back:
    mov r10=r32
    mov r11=r33
    mov r12=r72
    mov r13=r120
    mov r14=r121 ;;
    br.cond.sptk.many done ;;
    inner:
    flushrs ;;
    alloc r5=ar.pfs,0,0,0,0 ;;
    loadrs ;;
    ptc.e r0 ;;
    srlz.i ;;
    br.ret.sptk.many b6 ;;
    done: { .bbb
      br.cond.sptk.many done
      nop 0
      nop 0
    }
    """

  /// Keeps the code and stack pages: ptc.e takes the cache, not the registers.
  private func pin(_ machine: TestMachine) throws {
    for (text, slot) in [("itr.i itr[r9]=r8", 1), ("itr.d dtr[r9]=r8", 2)] as [(String, UInt64)] {
      machine[cr: CR.ifa] = 0
      machine[cr: CR.itir] = 22 << 2
      try machine.perform(text, [8: TestMachine.Insert().word, 9: slot])
    }
  }

  @Test(arguments: [miss, coveringMiss]) func returnFillsThatMiss(_ handler: String) throws {
    let machine = try machine(Self.deepReturn, handler: handler)
    try pin(machine)
    machine[gr: 8] = 0x1000
    #expect(machine.run() == .done)
    #expect([10, 11, 12, 13, 14].map { machine[gr: $0] } == [0x1000, 0x1001, 0x1002, 0x1003, 0x1004])
    // Two pages in flushrs (spills), two in the return (fills).
    #expect(machine[gr: 19] == 4)
    #expect(machine.blocks.cfm == 90 | 90 << 7)
    #expect(machine[ar: AR.bsp] == Self.boundary - 40 * 8)
    if handler == Self.coveringMiss {
      // After cover BSP is at the frame's end, BSPSTORE where the loads had got to.
      let end = BackingStore.advance(Self.boundary - 40 * 8, 90)
      #expect(machine[gr: 23] == end)
      #expect(machine[gr: 24] == Self.boundary)
    }
  }

  /// What the handler of a fill sees: IIP is the return's target, ISR.rs and ir are set, IFS is not valid, BSPSTORE is above BSP.
  @Test func reportOfAFill() throws {
    let machine = try machine(Self.deepReturn, handler: nil)
    try pin(machine)
    // The spills find their pages; ptc.e takes them away again.
    for page in [0, 0x4000] as [UInt64] {
      try machine.insertData({ $0.physical += page }, at: Self.boundary - 0x4000 + page)
    }
    DeliveredInterruption.mark(machine)
    #expect(machine.run() == .interruption(.alternateDataTLB))
    let report = machine.interruption
    #expect(report.iip == machine.labels["back"])
    #expect(report.isr == ISR.rs | ISR.ir | ISR.r)
    #expect(report.ifs == 0)
    // The uppermost register: 90 registers above the start, less one.
    #expect(report.ifa == BackingStore.advance(Self.boundary - 40 * 8, 89))
    #expect(report.itir == 1 << 8 | 14 << 2)
    #expect(machine.state.pointee.bspStore > machine.state.pointee.bsp)
    #expect(machine[ar: AR.bsp] == Self.boundary - 40 * 8)
    #expect(!machine.state.pointee.frameIncomplete, "delivery clears RSE.CFLE")
  }

  /// Page Not Present on a fill, with the same report.
  @Test func fillFromAnAbsentPage() throws {
    let machine = try machine(Self.deepReturn.replacingPtc(with: "mov cr.itir=r18 ;;\nnop.m 0"), handler: nil)
    for page in [0, 0x4000] as [UInt64] { try machine.insertData({ $0.physical += page }, at: Self.boundary - 0x4000 + page) }
    // Stop before the return, take the page away, go on.
    machine.each { $0.state.ar[AR.rsc] = 0 }
    let stop = try #require(machine.labels["inner"])
    try machine.park(stop)
    _ = machine.run()
    try machine.place("flushrs ;;\nalloc r5=ar.pfs,0,0,0,0 ;;\nloadrs ;;\nbr.ret.sptk.many b6 ;;", at: stop)
    try machine.perform("ptc.e r0")
    machine.mapMemory()
    try machine.insertData({ $0.physical += 0x4000 }, at: Self.boundary)
    try machine.insertData({ $0.present = false }, at: Self.boundary - 0x4000)
    // The upper page serves, the lower does not exist: the spills fault there first.
    #expect(machine.run() == .interruption(.pageNotPresent))
    #expect(machine.interruption.isr & (ISR.rs | ISR.w | ISR.ir) == ISR.rs | ISR.w)
  }

  /// alloc that must spill: the fault is the alloc's, RSE progress is kept, and the alloc starts over.
  @Test func allocSpillsThatMiss() throws {
    let source = """
      alloc r4=ar.pfs,0,90,0,0 ;;
      mov r32=r8 ;;
      br.call.sptk.many b6=inner ;;
      inner:
      alloc r5=ar.pfs,0,90,0,0 ;;
      mov r10=ar.bspstore ;;
      """
    let seen = try machine(source, handler: nil, start: Self.boundary - 8 * 8)
    DeliveredInterruption.mark(seen)
    #expect(seen.run() == .interruption(.alternateDataTLB))
    #expect(seen.interruption.iip == seen.labels["inner"])
    #expect(seen.interruption.isr == ISR.rs | ISR.w)
    #expect(seen.interruption.ifa == Self.boundary - 8 * 8)
    #expect(seen.blocks.cfm == 0, "the frame is still the callee's empty one")
    let machine = try machine(source, handler: Self.miss, start: Self.boundary - 8 * 8)
    machine[gr: 8] = 0xABCD
    #expect(machine.run() == .done)
    #expect(machine[gr: 19] == 2)
    #expect(machine.load(TestMachine.data + 0x4000 - 8 * 8) == 0xABCD)
    // 90 dirty, 90 wanted, 96 there: 84 must go.
    #expect(machine[gr: 10] >= BackingStore.advance(Self.boundary - 8 * 8, 84))
    #expect(machine.blocks.cfm == 90 | 90 << 7)
  }

  /// rfi to a frame that lies in memory, with an external interrupt pending: it is taken before the loads, with ISR.ir and without rs.
  @Test func interruptBeforeTheLoads() throws {
    let machine = try machine("rfi ;;", handler: nil, psr: TestMachine.virtual & ~PSR.ic)
    machine[cr: CR.ifs] = 1 << 63 | 20 | 20 << 7
    machine[cr: CR.iip] = TestMachine.code + 0x100
    machine[cr: CR.ipsr] = TestMachine.virtual | PSR.i
    try machine.park(TestMachine.code + 0x100)
    machine.each { $0.post(vector: 0x40) }
    #expect(machine.run() == .interruption(.externalInterrupt))
    #expect(machine.interruption.isr == ISR.ir)
    #expect(machine.interruption.iip == TestMachine.code + 0x100)
    #expect(machine.blocks.cfm == 20 | 20 << 7)
    #expect(machine.state.pointee.bspStore > machine.state.pointee.bsp)
  }

  /// rfi from a handler that did not cover, to the incomplete frame that was interrupted: the loads go on where they stopped.
  @Test func rfiToAnIncompleteFrame() throws {
    let machine = try machine("rfi ;;", handler: Self.miss, psr: TestMachine.virtual & ~PSR.ic)
    for i in 0..<64 as Range<UInt64> { machine.store(TestMachine.data + 0x4000 - 64 * 8 + 8 * i, 0x9000 + i) }
    for i in 0..<64 as Range<UInt64> { machine.store(TestMachine.data + 0x4000 + 8 * i, 0xA000 + i) }
    machine[cr: CR.ifs] = 1 << 63 | 30 | 30 << 7
    machine[cr: CR.iip] = TestMachine.code + 0x100
    machine[cr: CR.ipsr] = TestMachine.virtual
    machine.each { p in
      // Ten registers above the boundary, nineteen and the collection below it... and one more.
      p.state.pointee.bsp = Self.boundary + 10 * 8
      p.state.pointee.bspStore = Self.boundary + 10 * 8
      p.state.pointee.rnat = 0
    }
    try machine.park(TestMachine.code + 0x100)
    machine.store(TestMachine.data + 0x4000 - 8, 1 << 62 | 1 << 50 as UInt64)
    _ = machine.run()
    #expect(machine.state.pointee.ip == TestMachine.code + 0x100)
    #expect(machine[gr: 19] == 2)
    for n in 0..<30 {
      // Register n from the bottom: 20 words are below the boundary, the collection not counted.
      let expected = n < 20 ? 0x9000 + UInt64(n) + 43 : 0xA000 + UInt64(n) - 20
      #expect(machine[gr: 32 + n] == expected, "r\(32 + n)")
      // Slots 43 to 62 of the collection.
      #expect(machine[nat: UInt8(32 + n)] == (n == 7 || n == 19))
    }
    #expect(machine[ar: AR.bsp] == Self.boundary - 21 * 8)
  }

  /// loadrs that misses starts over and keeps its progress.
  @Test func loadrsThatMisses() throws {
    let machine = try machine("loadrs ;;\nmov r10=ar.bspstore ;;", handler: Self.miss)
    machine.each { p in
      p.state.pointee.bsp = Self.boundary + 10 * 8
      p.state.pointee.bspStore = Self.boundary + 10 * 8
      p.state.ar[AR.rsc] = 40 * 8 << 16
    }
    #expect(machine.run() == .done)
    #expect(machine[gr: 19] == 2)
    #expect(machine[gr: 10] == Self.boundary - 30 * 8)
    #expect(machine.state.pointee.dirty == 39)
  }
}

extension String {
  /// The program without its purge.
  fileprivate func replacingPtc(with text: String) -> String {
    split(separator: "\n").map { $0.contains("ptc.e") ? "nop.m 0 ;;" : String($0) }.joined(separator: "\n")
  }
}
