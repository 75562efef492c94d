import IA64
import Processor
import Testing

/// A processor that executes one instruction at a time for the random tests, by blocks or by steps.
final class RegisterStackRig {
  enum Engine: CaseIterable, Sendable { case blocks, steps }

  static let memorySize: UInt64 = 0x80_0000
  static let psr = PSR.it | PSR.dt | PSR.rt
  let processor: LogicalProcessor
  let engine: Engine
  /// Data translations vanish at random; what misses is mapped by the test.
  let translated: Bool
  private var places: [String: UInt64] = [:]
  private var nextPlace: UInt64 = 0x1_0000
  /// A branch to itself, where every transfer leads.
  let resting: UInt64 = 0x8000
  private(set) var faults = 0
  var generator: SplitMix

  init(engine: Engine, translated: Bool, bigEndian: Bool, seed: UInt64) throws {
    self.engine = engine
    self.translated = translated
    generator = SplitMix(state: seed)
    processor = LogicalProcessor(memory: try PhysicalMemory(layout: [(base: 0, size: Self.memorySize)]), bus: nil)
    processor.hostHandlesInterruptions = true
    processor.state.ar[AR.rsc] = bigEndian ? 0x10 : 0
    try place("{ .bbb\n br.cond.sptk.many 0x8000\n nop 0\n nop 0\n }", at: resting)
    if translated {
      for megabyte in 0..<(Self.memorySize >> 20) { map(megabyte << 20, instruction: true) }
      processor.setPSR(Self.psr)
    }
  }

  var state: State { processor.state }

  private func place(_ text: String, at address: UInt64) throws {
    let bundles = try Assembler.program(text, at: address, symbols: [:]).bundles
    for (i, bundle) in bundles.enumerated() {
      processor.memory.store(address + UInt64(i) * 16, bundle.low)
      processor.memory.store(address + UInt64(i) * 16 + 8, bundle.high)
    }
  }

  private func map(_ address: UInt64, instruction: Bool = false) {
    processor.insertTranslation(
      instruction: instruction, virtual: address, physical: address, pageShift: instruction ? 20 : 12, accessRights: 3,
      privilegeLevel: 3)
  }

  /// Executes one instruction, and the mandatory loads behind it.
  func execute(_ text: String) throws {
    let address: UInt64
    if let known = places[text] {
      address = known
    } else {
      address = nextPlace
      nextPlace += 64
      try place(text + " ;;\nbr.cond.sptk.many 0x8000 ;;", at: address)
      places[text] = address
    }
    if translated && generator.next() % 4 == 0 { processor.purgeTranslations(virtual: 0x40_0000, pageShift: 22) }
    state.pointee.ip = address
    processor.setPSR(state.pointee.psr & ~PSR.riMask)
    var budget = 400
    repeat {
      budget -= 1
      let reason = engine == .steps ? processor.step() : processor.run(until: state.cycles + 1)
      if reason == .interruption { try mapMissing() }
    } while budget > 0 && (state.pointee.ip != resting || state.pointee.frameIncomplete)
    #expect(budget > 0, "\(text) never ends")
  }

  private struct Unexpected: Error { var fault: PendingInterruption }

  private func mapMissing() throws {
    let fault = state.pointee.fault
    faults += 1
    guard translated, fault.vector == .alternateDataTLB || fault.vector == .dataNestedTLB, fault.isr & ISR.rs != 0 || fault.isr == 0
    else { throw Unexpected(fault: fault) }
    // A nested miss reports nothing: the next backing-store word in either direction is what misses.
    let bspStore = state.pointee.bspStore
    for address in [bspStore &- 8, bspStore] { map(address & ~0xFFF) }
  }
}

/// A small generator with a seed, the same on every host (SplitMix64).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
