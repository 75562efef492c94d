import IA64
import Processor
import TestSupport
import Testing

/// INIT (Volume 2, sections 5.8.4 and 11.4); the layout of the save area: figure 11-12, as Linux's struct pal_min_state_area has it.
@Suite("INIT", .ends(withinMinutes: 5)) struct InitializationTests {
  private final class Bus: ProcessorBus {
    var taken = 0
    var area: [UInt64] = Array(repeating: 0, count: 128)
    static let entry: UInt64 = 0x1_8000
    static let address: UInt64 = 0x4000
    func read(physical: UInt64, size: Int) -> UInt64 { .max }
    func write(physical: UInt64, size: Int, value: UInt64) {}
    func firmwareGate(_ number: UInt64, processor: LogicalProcessor) -> GateOutcome { .proceed }
    func initialization(of processor: LogicalProcessor) {
      taken += 1
      area.withUnsafeMutableBufferPointer { words in
        guard let base = words.baseAddress else { return }
        processor.enterInitializationHandler(at: Self.entry, saving: base, address: Self.address)
      }
    }
  }

  @Test func savesAndResumes() throws {
    let memory = try PhysicalMemory(layout: [(base: 0, size: 0x40_0000)])
    let bus = Bus()
    let p = LogicalProcessor(memory: memory, bus: bus)
    let loop = try Assembler.assemble("here: { .bbb\n br.cond.sptk.many here\n nop 0\n nop 0\n }")[0]
    for address in [0x1_0000, Bus.entry] as [UInt64] {
      memory.store(address, loop.low)
      memory.store(address + 8, loop.high)
    }
    p.state.pointee.ip = 0x1_0000
    p.state.pointee.bspStore = 0x3_0000
    p.state.pointee.bsp = 0x3_0000
    p.setCFM(20 | 8 << 7)
    // Bank 1 is the visible one from here on.
    let psr = PSR.ic | PSR.bn | PSR.i
    p.setPSR(psr)
    for n in 1..<52 { p.state.gr[n] = 0x1000 + UInt64(n) }
    for n in 0..<16 { p.state.otherBank[n] = 0x2000 + UInt64(n) }
    p.state.br[0] = 0xB0
    p.state.br[1] = 0xB1
    p.state.ar[AR.rsc] = 3
    p.state.setNaT(5, true)
    (p.state.cr[CR.iip], p.state.cr[CR.ipsr], p.state.cr[CR.ifs]) = (0x777, 0x10, 1 << 63 | 5)
    p.setPredicateWord(0xF0F1, mask: ~0)

    p.state.pointee.halted = true
    p.postInitialization()
    #expect(!p.isWaiting)
    _ = p.run(until: 50)
    #expect(bus.taken == 1)
    #expect(p.state.pointee.ip == Bus.entry && p.state.pointee.psr & ~PSR.riMask == PSR.mc && p.cfm == 0)
    #expect(bus.area[0] == 1 << ((Bus.address / 8 + 5) & 63))
    for n in 1...15 { #expect(bus.area[n] == 0x1000 + UInt64(n)) }
    for n in 0..<16 {
      #expect(bus.area[16 + n] == 0x2000 + UInt64(n))  // bank 0
      #expect(bus.area[32 + n] == 0x1010 + UInt64(n))
    }
    let valid: UInt64 = 1 << 63
    let frame: UInt64 = valid | 20 | 8 << 7
    let saved: [UInt64] = [0xF0F1, 0xB0, 3, 0x1_0000, psr, frame, 0x777, 0x10, valid | 5, 0xB1]
    #expect(Array(bus.area[48...57]) == saved)

    // Masked while the first one is handled.
    p.postInitialization()
    _ = p.run(until: p.state.cycles + 50)
    #expect(bus.taken == 1)
    for n in 1..<32 { p.state.gr[n] = 0 }
    p.state.pointee.initPending = false
    #expect(bus.area.withUnsafeBufferPointer { p.resume(from: $0.baseAddress ?? UnsafePointer(p.state.gr), address: Bus.address) })
    #expect(p.state.pointee.ip == 0x1_0000 && p.state.pointee.psr == psr && p.cfm == 20 | 8 << 7)
    for n in 1..<52 { #expect(p.state.gr[n] == 0x1000 + UInt64(n), "r\(n)") }
    #expect(p.state.nat(5) && p.state.ar[AR.rsc] == 3 && p.state.br[0] == 0xB0 && p.predicateWord() == 0xF0F1)
    #expect(p.state.cr[CR.iip] == 0x777 && p.state.cr[CR.ifs] == 1 << 63 | 5)
    #expect(p.state.pointee.dirty == 0)
  }

  @Test func refusesContextsThatAreNone() throws {
    let p = LogicalProcessor(memory: try PhysicalMemory(layout: [(base: 0, size: 0x10000)]), bus: nil)
    var area = [UInt64](repeating: 0, count: 128)
    area[53] = 1 << 63 | 127  // a frame of 127 registers
    let refused = area.withUnsafeBufferPointer { words in words.baseAddress.map { p.resume(from: $0, address: 0) } }
    #expect(refused == false)
    area[53] = 0
    area[52] = 1 << 6  // a reserved bit of PSR
    let again = area.withUnsafeBufferPointer { words in words.baseAddress.map { p.resume(from: $0, address: 0) } }
    #expect(again == false)
  }
}
