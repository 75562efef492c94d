import IA64

/// Translated blocks by physical address and start slot. All processors of one memory share them, unless they run in parallel: nothing in a
/// block depends on who runs it, and links lead to the same physical page only.
///
/// Blocks lie in one arena that is emptied as a whole when it is full. A store to a page with code makes its blocks invalid; who comes to one
/// finds ``MicroTag/stale`` at its beginning.
final class BlockCache {
  static let arenaBytes = 96 << 20
  static let buckets = 1 << 14

  let arena: UnsafeMutableRawPointer
  private(set) var used = 0
  /// Times that the arena was emptied: pointers to blocks from before are void.
  private(set) var emptied: UInt64 = 0
  /// For the profile of the engine: blocks that were translated, that a store has made invalid, and that were translated again for that reason.
  var built: UInt64 = 0
  private(set) var invalidated: UInt64 = 0
  var renewed: UInt64 = 0
  let table: UnsafeMutablePointer<UnsafeMutablePointer<Block>?>
  /// First block of each physical page with code.
  var pages: [UInt64: UnsafeMutablePointer<Block>] = [:]

  init() {
    arena = .allocate(byteCount: Self.arenaBytes, alignment: 64)
    table = .allocate(capacity: Self.buckets)
    table.initialize(repeating: nil, count: Self.buckets)
  }

  deinit {
    arena.deallocate()
    table.deallocate()
  }

  @inline(__always) static func bucket(_ physical: UInt64, _ slot: UInt64) -> Int {
    let key = physical >> 4 ^ slot << 9
    return Int((key ^ key >> 14) & UInt64(buckets - 1))
  }

  /// Takes blocks that are no longer valid out of the bucket: code that stores to its own page makes a new one each time, and
  /// the search would become longer and longer.
  func find(_ physical: UInt64, _ slot: UInt64) -> UnsafeMutablePointer<Block>? {
    let bucket = table + Self.bucket(physical, slot)
    var previous: UnsafeMutablePointer<Block>?
    var block = bucket.pointee
    while let b = block {
      block = b.pointee.bucketNext
      if !b.pointee.valid {
        if let previous { previous.pointee.bucketNext = block } else { bucket.pointee = block }
        continue
      }
      if b.pointee.physical == physical && UInt64(b.pointee.startSlot) == slot { return b }
      previous = b
    }
    return nil
  }

  func empty() {
    used = 0
    emptied &+= 1
    for i in 0..<Self.buckets { table[i] = nil }
    pages.removeAll(keepingCapacity: true)
  }

  /// Room for the largest block behind `groupBytes` of records of its issue groups; nil when the arena is full. It becomes the block's by
  /// ``take(_:count:)``.
  func room(groupBytes: Int) -> UnsafeMutablePointer<Block>? {
    let most = groupBytes + MemoryLayout<Block>.stride + Translator.bufferCapacity * MemoryLayout<MicroOp>.stride
    if used + most > Self.arenaBytes { return nil }
    return (arena + used + groupBytes).assumingMemoryBound(to: Block.self)
  }

  /// `block`, which lies in the room that is left, has `count` units behind its header.
  func take(_ block: UnsafeMutablePointer<Block>, count: Int) {
    let end = UnsafeMutableRawPointer(Block.head(block) + count)
    used = (end - arena + 15) & ~15
  }

  func invalidate(page: UInt64) {
    var block = pages.removeValue(forKey: page)
    while let b = block {
      b.pointee.valid = false
      invalidated &+= 1
      Block.head(b).pointee.handler = LoopLabels.of(.stale)
      Block.operations(b).pointee.handler = LoopLabels.of(.stale)
      block = b.pointee.pageNext
    }
  }
}

/// A processor's way from virtual addresses to blocks. 32 bytes.
struct JumpEntry {
  static let count = 1 << 12
  /// Virtual address; ``EngineContext/jumpContext`` when it was made.
  var key: UInt64
  var context: UInt64
  /// The block's first micro-operation.
  var entry: UnsafeMutableRawPointer?
  var block: UnsafeMutablePointer<Block>?
  static var none: JumpEntry { JumpEntry(key: 0, context: 0, entry: nil, block: nil) }
}

extension LogicalProcessor {
  /// What the jump cache says of the meaning of addresses.
  private var jumpContext: UInt64 { engine.pointee.jumpContext & ~3 | PSR.cpl(state.pointee.psr) }

  /// The block at virtual address `target`, slot 0, by the jump cache. nil: the fetch faults.
  @inline(__always) func findBlock(_ target: UInt64) -> UnsafeMutablePointer<Block>? {
    let entry = jumps + Int((target &>> 4) & UInt64(JumpEntry.count - 1))
    if entry.pointee.key == target && entry.pointee.context == jumpContext, let block = entry.pointee.block, block.pointee.valid {
      return block
    }
    return findBlockSlow(target, 0)
  }

  @inline(never) func findBlockSlow(_ target: UInt64, _ slot: UInt64) -> UnsafeMutablePointer<Block>? {
    guard let physical = translateFetch(target) else { return nil }
    if isApart && blocks.find(physical, slot) == nil {
      // Who waits for the lock may find the page purged.
      comeTogether()
      return findBlockSlow(target, slot)
    }
    let block = blockAt(physical, slot)
    if slot == 0 {
      let entry = jumps + Int((target >> 4) & UInt64(JumpEntry.count - 1))
      entry.pointee = JumpEntry(
        key: target, context: jumpContext, entry: UnsafeMutableRawPointer(Block.entry(block)), block: block)
    }
    return block
  }

  /// The block at a physical address, translated now if need be.
  func blockAt(_ physical: UInt64, _ slot: UInt64) -> UnsafeMutablePointer<Block> {
    if let block = blocks.find(physical, slot) { return block }
    concernsOthers()
    return translateBlock(physical, slot)
  }

  /// Room for a block in the arena, which is emptied if it is full. It is nobody's until it is taken.
  func room(groupBytes: Int) -> UnsafeMutablePointer<Block> {
    if let block = blocks.room(groupBytes: groupBytes) { return block }
    emptyBlocks()
    if isTimed { notice(.blocksDropped) }
    codeMapChanged()
    guard let block = blocks.room(groupBytes: groupBytes) else { preconditionFailure("the arena cannot hold one block") }
    return block
  }

  /// Forgets all translated code; the caller knows what else must hear of it.
  func emptyBlocks() {
    blocks.empty()
    seenArena = blocks.emptied
  }

  private func translateBlock(_ physical: UInt64, _ slot: UInt64) -> UnsafeMutablePointer<Block> {
    let host = memory.host(physical & ~0xF)
    let source = host ?? voidBundles
    let bundlesLeft = host == nil ? 1 : Int(256 - (physical >> 4 & 0xFF))
    // Nobody may write to the page unnoticed from the moment on at which it is read.
    if let host { protectCode(host) }
    var block = room(groupBytes: 0)
    var translator = Translator(block: block, offset: physical & 0xFF0, domain.specialisations)
    let end = translator.run(source, startSlot: Int(slot), limitBundles: bundlesLeft)
    if let timing = engine.pointee.timing {
      // Where the block ends is known now; the second time with its issue groups.
      let used = timing.plan(
        timing.context, source, physical & ~0xF, Int(slot), end, domain.specialisations.contains(.transitions),
        groupBuffer, Self.groupBufferSize)
      let groupBytes = (used + 15) & ~15
      block = room(groupBytes: groupBytes)
      translator = Translator(block: block, offset: physical & 0xFF0, domain.specialisations)
      translator.setGroups(groupBuffer, byteCount: used, offset: -groupBytes)
      _ = translator.run(source, startSlot: Int(slot), limitBundles: bundlesLeft)
      (UnsafeMutableRawPointer(block) - groupBytes).copyMemory(from: groupBuffer, byteCount: used)
    }
    blocks.take(block, count: translator.count + 1)
    blocks.built &+= 1
    let page = physical & ~0xFFF
    let bucket = BlockCache.bucket(physical, slot)
    let stops = domain.debugControl?.hasBreakpoint(physical: physical, positions: Int(slot)..<max(end, Int(slot) + 1)) == true
    block.pointee = Block(
      physical: physical, bucketNext: blocks.table[bucket], pageNext: blocks.pages[page],
      need: stops ? Block.neverFits : UInt32(translator.highestTarget) | UInt32(translator.floatUse) << 16,
      startSlot: UInt8(slot), highestTarget: translator.highestTarget, floatUse: translator.floatUse, valid: true)
    Block.head(block).pointee = MicroOp(.enter, UInt8(slot))
    blocks.table[bucket] = block
    blocks.pages[page] = block
    return block
  }

  private func protectCode(_ host: UnsafeMutableRawPointer) {
    let index = memory.pageIndex(host)
    if memory.pageFlags[index] & PhysicalMemory.holdsCode != 0 { return }
    parallel?.stopOthers()
    memory.pageFlags[index] |= PhysicalMemory.holdsCode
    let hostPage = UInt(bitPattern: host) & ~0xFFF
    softTLB.protect(hostPage: hostPage)
    seenCodePages = domain.announce(codePage: hostPage)
  }
}
