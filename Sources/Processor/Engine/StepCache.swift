import IA64

/// Instructions that the stepper has translated, by their bits and by what else a translation depends on. Nothing that happens to memory or
/// to translations makes one stale. Who steps does it where blocks cannot run, over and over in the same place: with NaT bits, and for
/// every instruction that a hypervisor emulates.
struct StepCache {
  struct Key: Equatable {
    var low: UInt64
    var high: UInt64
    var slot: UInt8
    /// 32 + sof; 0 is that of no instruction.
    var top: UInt8
    var floatDisabled: UInt8
  }

  struct Entry {
    var key: Key
    /// Slot behind the instruction.
    var end: Int
    var instruction: Instruction
  }

  private static let count = 256
  /// More than any instruction becomes.
  private static let operations = 32
  private static var blockOffset: Int { (MemoryLayout<Entry>.size + 15) & ~15 }
  private static var stride: Int {
    (blockOffset + MemoryLayout<Block>.stride + operations * MemoryLayout<MicroOp>.stride + 63) & ~63
  }

  private let memory: UnsafeMutableRawPointer

  init() {
    memory = .allocate(byteCount: Self.count * Self.stride, alignment: 64)
    for i in 0..<Self.count {
      (memory + i * Self.stride).initializeMemory(
        as: Entry.self,
        to: Entry(
          key: Key(low: 0, high: 0, slot: 0, top: 0, floatDisabled: 0), end: 0,
          instruction: Instruction(operation: .reserved, unit: .m, row: -1, encoding: 0)))
    }
  }

  func deallocate() { memory.deallocate() }

  /// The place of the instruction in slot `slot` of the bundle at `physical`, whatever is there.
  func entry(_ physical: UInt64, _ slot: UInt64) -> UnsafeMutablePointer<Entry> {
    let index = Int(((physical >> 4) &* 3 &+ slot) & UInt64(Self.count - 1))
    return (memory + index * Self.stride).assumingMemoryBound(to: Entry.self)
  }

  /// The block that belongs to an entry.
  static func block(_ entry: UnsafeMutablePointer<Entry>) -> UnsafeMutablePointer<Block> {
    (UnsafeMutableRawPointer(entry) + blockOffset).assumingMemoryBound(to: Block.self)
  }
}

extension LogicalProcessor {
  /// The instruction in slot `slot` of the bundle at `host`, as a block of its own that leads nowhere.
  func stepEntry(_ host: UnsafeRawPointer, _ physical: UInt64, _ slot: UInt64) -> UnsafeMutablePointer<StepCache.Entry> {
    let e = engine
    let key = StepCache.Key(
      low: host.loadUnaligned(as: UInt64.self), high: host.loadUnaligned(fromByteOffset: 8, as: UInt64.self), slot: UInt8(slot),
      top: e.pointee.frameTop, floatDisabled: e.pointee.floatDisabled)
    let entry = stepCache.entry(physical, slot)
    let block = StepCache.block(entry)
    if entry.pointee.key != key {
      var translator = Translator(
        block: block, offset: physical & 0xFF0, .all, single: (top: e.pointee.frameTop, floatDisabled: e.pointee.floatDisabled))
      let end = translator.run(host, startSlot: Int(slot), limitBundles: 1)
      entry.pointee = StepCache.Entry(
        key: key, end: end,
        instruction: Decoder.decode(bundle: Bundle(low: key.low, high: key.high), slot: Int(slot)))
    }
    block.pointee = Block(
      physical: physical, bucketNext: nil, pageNext: nil, need: 0, startSlot: UInt8(slot), highestTarget: 0,
      floatUse: 0, valid: true)
    return entry
  }
}
