import IA64
import Pipeline
import Processor
import Testing

/// A processor with the cycle model, and programs that its own performance counters measure.
final class CounterBench {
  static let handlers: UInt64 = 0x8000
  static let code: UInt64 = 0x10_0000
  static let data: UInt64 = 0x20_0000
  let processor: LogicalProcessor
  let pipeline: Pipeline?
  let labels: Assembler.SymbolTable

  /// A counter: its event as `umask << 8 | select`, and what else PMC has.
  struct Counter {
    var event: UInt64
    var threshold: UInt64 = 0
    var plm: UInt64 = 1
    var oi = false
    /// What PMD begins with.
    var value: UInt64 = 0

    var control: UInt64 { (event & 0xFF) << 8 | (event >> 8) << 16 | threshold << 20 | (oi ? 1 << 5 : 0) | plm }
  }

  init(_ source: String, counters: [Counter], timed: Bool = true, psr: UInt64 = PSR.ic | PSR.up) throws {
    let memory = try PhysicalMemory(layout: [(base: 0, size: 0x40_0000)])
    processor = LogicalProcessor(memory: memory, bus: nil)
    var text = "mov r14=1 ;;\nmov pmc[r0]=r14 ;;\n"
    for (n, counter) in counters.enumerated() {
      text += "mov r8=\(n + 4) ;;\nmovl r9=\(counter.control) ;;\nmov pmc[r8]=r9 ;;\n"
      text += "movl r9=0x\(String(counter.value, radix: 16)) ;;\nmov pmd[r8]=r9 ;;\n"
    }
    text += "{ .mii\n mov pmc[r0]=r0\n nop 0\n nop 0 ;;\n }\n{ .mii\n srlz.d\n nop 0\n nop 0 ;;\n }\n\(source)\n"
    text += "{ .mii\n mov pmc[r0]=r14\n nop 0\n nop 0 ;;\n }\ndone: { .bbb\n br.cond.sptk.many done\n nop 0\n nop 0\n }"
    let program = try Assembler.program(text, at: Self.code, symbols: [:])
    labels = program.labels
    func place(_ bundles: [Bundle], _ address: UInt64) {
      for (i, bundle) in bundles.enumerated() {
        memory.store(address + UInt64(i) * 16, bundle.low)
        memory.store(address + UInt64(i) * 16 + 8, bundle.high)
      }
    }
    place(program.bundles, Self.code)
    let spin = try Assembler.assemble("here: { .bbb\n br.cond.sptk.many here\n nop 0\n nop 0\n }")
    for offset in (0..<20).map({ UInt64($0) * 0x400 }) + (0..<48).map({ 0x5000 + UInt64($0) * 0x100 }) {
      place(spin, Self.handlers + offset)
    }
    processor.state.cr[CR.iva] = Self.handlers
    processor.state.cr[CR.pmv] = 0xC3
    processor.setCFM(16 | 8 << 7)
    processor.state.pointee.bsp = 0x30_0000
    processor.state.pointee.bspStore = 0x30_0000
    processor.state.pointee.ip = Self.code
    processor.state.gr[21] = Self.data
    processor.state.gr[22] = Self.data + 0x1000
    processor.setPSR(psr)
    pipeline = timed ? Pipeline(watching: processor) : nil
  }

  /// Runs to `place`, in pieces of so many cycles.
  func run(to place: UInt64? = nil, pieces: UInt64 = 1000, limit: UInt64 = 1_000_000) {
    let end = place ?? labels["done"] ?? 0
    while processor.state.pointee.ip != end && processor.state.cycles < limit {
      _ = processor.run(until: processor.state.cycles + pieces)
    }
  }

  /// What counter `n` of those that the program has set up holds.
  subscript(n: Int) -> UInt64 { processor.state.pmd[4 + n] }
}
