import IA64
import Processor
import TestSupport
import Testing

/// Two processors on one memory: what one does to the other's translations, code and advanced loads (Volume 2, sections 4.1.1.2, 4.4.3 and
/// 4.4.5.3; Volume 3, ptc.g, ptc.ga, fc).
@Suite("Two processors, one memory", .ends(withinMinutes: 5)) struct SharedMemoryTests {
  private let memory: PhysicalMemory
  private let first: LogicalProcessor
  private let second: LogicalProcessor
  private static let data: UInt64 = 0x20_0000

  init() throws {
    memory = try PhysicalMemory(layout: [(base: 0, size: 0x40_0000)])
    let memory = memory
    (first, second) = (LogicalProcessor(memory: memory, bus: nil), LogicalProcessor(memory: memory, bus: nil))
    for p in [first, second] {
      p.state.cr[CR.iva] = 0x8000
      for region in 0..<8 { p.state.rr[region] = UInt64(region) << 8 | 14 << 2 }
      p.setPSR(PSR.ic)
      p.setCFM(0)
    }
  }

  private func place(_ source: String, at address: UInt64) throws {
    for (i, bundle) in try Assembler.assemble(source + "\nstop: { .bbb\n br.cond.sptk.many stop\n nop 0\n nop 0\n }").enumerated() {
      memory.store(address + UInt64(i) * 16, bundle.low)
      memory.store(address + UInt64(i) * 16 + 8, bundle.high)
    }
  }

  private func run(_ processor: LogicalProcessor, at address: UInt64, slots: UInt64 = 200) {
    processor.state.pointee.ip = address
    processor.setPSR(processor.state.pointee.psr & ~PSR.riMask)
    _ = processor.run(until: processor.state.cycles + slots)
  }

  /// Whether the processor can load from a virtual address; what it finds is in r8.
  private func loads(_ processor: LogicalProcessor, _ address: UInt64) throws -> Bool {
    try place("ld8 r8=[r9] ;;", at: 0x10_0000)
    processor.state.gr[9] = address
    processor.setPSR(PSR.ic | PSR.dt)
    run(processor, at: 0x10_0000, slots: 40)
    defer { processor.setPSR(PSR.ic) }
    return processor.state.pointee.ip == 0x10_0010
  }

  private func map(_ processor: LogicalProcessor, _ virtual: UInt64) {
    processor.insertTranslation(
      instruction: false, virtual: virtual, physical: Self.data, pageShift: 14, accessRights: 3, privilegeLevel: 0)
  }

  @Test(arguments: ["ptc.g", "ptc.ga"]) func globalPurges(_ name: String) throws {
    let page: UInt64 = 0x4000_0000
    for p in [first, second] { map(p, page) }
    // The same offsets in another address space stay.
    let other = 3 << 61 | page
    map(second, other)
    #expect(try loads(second, page) && loads(second, other))
    try place("\(name) r4,r5 ;;\nsrlz.d ;;", at: 0x11_0000)
    first.state.gr[4] = page + 0x123
    first.state.gr[5] = 14 << 2
    run(first, at: 0x11_0000)
    #expect(try !loads(second, page))
    #expect(try loads(second, other))
    #expect(try !loads(first, page))
  }

  /// The address space is the one of the processor that purges.
  @Test func regionsOfTheIssuer() throws {
    let page: UInt64 = 0x4000_0000
    map(second, page)
    first.state.rr[0] = 77 << 8 | 14 << 2
    try place("ptc.ga r4,r5 ;;", at: 0x11_0000)
    first.state.gr[4] = page
    first.state.gr[5] = 14 << 2
    run(first, at: 0x11_0000)
    #expect(try loads(second, page))
    first.state.rr[5] = 0 << 8 | 14 << 2
    first.state.gr[4] = 5 << 61 | page
    run(first, at: 0x11_0000)
    #expect(try !loads(second, page))
  }

  /// More purges than the second processor remembers while it sleeps: none is lost.
  @Test func sleepsThroughManyPurges() throws {
    let pages = (0..<200).map { 0x4000_0000 + UInt64($0) << 14 }
    for page in pages.prefix(20) { map(second, page) }
    try place(
      "adds r6=199,r0\nmovl r4=0x40000000 ;;\nmov ar.lc=r6 ;;\nmore: ptc.ga r4,r5 ;;\nadd r4=r7,r4\nbr.cloop.sptk.few more ;;",
      at: 0x11_0000)
    first.state.gr[5] = 14 << 2
    first.state.gr[7] = 1 << 14
    run(first, at: 0x11_0000, slots: 4000)
    for page in pages.prefix(20) { #expect(try !loads(second, page)) }
  }

  @Test func storesOfTheOtherEmptyTheALAT() throws {
    try place("ld8.a r4=[r9] ;;", at: 0x12_0000)
    try place("chk.a.nc r4,miss ;;\nadds r8=1,r0 ;;\nmiss: nop.m 0 ;;", at: 0x12_1000)
    try place("st8 [r9]=r5 ;;", at: 0x12_2000)
    for p in [first, second] { p.state.gr[9] = Self.data }
    run(first, at: 0x12_0000)
    run(first, at: 0x12_1000)
    #expect(first.state.gr[8] == 1)
    run(second, at: 0x12_2000)
    first.state.gr[8] = 0
    run(first, at: 0x12_1000)
    #expect(first.state.gr[8] == 0)
  }

  @Test func devicesEmptyTheALAT() throws {
    try place("ld8.a r4=[r9] ;;", at: 0x12_0000)
    try place("chk.a.nc r4,miss ;;\nadds r8=1,r0 ;;\nmiss: nop.m 0 ;;", at: 0x12_1000)
    first.state.gr[9] = Self.data
    run(first, at: 0x12_0000)
    memory.store(Self.data, UInt64(5))
    run(first, at: 0x12_1000)
    #expect(first.state.gr[8] == 0)
  }

  /// Code that one processor has run and the other overwrites, through an entry of its software TLB that is older than the code.
  @Test func overwrittenCode() throws {
    let code: UInt64 = 0x13_0000
    try place("st8 [r9]=r5 ;;\nst8 [r10]=r6 ;;", at: 0x12_0000)
    second.state.gr[9] = code + 0x800
    second.state.gr[10] = code + 0x808
    run(second, at: 0x12_0000)
    for value in 1...6 as ClosedRange<UInt64> {
      try place("adds r8=\(value),r0 ;;", at: code)
      run(first, at: code)
      #expect(first.state.gr[8] == value)
      let bundle = try Assembler.assemble("adds r8=\(value + 100),r0 ;;")[0]
      second.state.gr[9] = code
      second.state.gr[10] = code + 8
      second.state.gr[5] = bundle.low
      second.state.gr[6] = bundle.high
      run(second, at: 0x12_0000)
      run(first, at: code)
      #expect(first.state.gr[8] == value + 100)
    }
  }

  @Test func hashOfMemory() throws {
    let empty = memory.contentHash()
    memory.store(0x2000, UInt64(0))
    #expect(memory.contentHash() == empty)
    memory.store(0x2000, UInt64(1))
    let low = memory.contentHash()
    memory.store(0x2000, UInt64(0))
    memory.store(0x3000, UInt64(1))
    #expect(low != empty && memory.contentHash() != empty && memory.contentHash() != low)
  }
}
