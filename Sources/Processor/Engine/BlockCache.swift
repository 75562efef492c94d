import IA64

/// Translated blocks by physical address and start slot. All processors of one memory share them: nothing in a block depends on who runs
/// it, and links lead to the same physical page only.
///
/// Blocks lie in one arena that is emptied as a whole when it is full. A store to a page with code makes its blocks invalid; links to them
/// notice by `valid`.
struct BlockCache {
  static let arenaBytes = 64 << 20
  static let buckets = 1 << 14

  let arena: UnsafeMutableRawPointer
  var used = 0
  let table: UnsafeMutablePointer<UnsafeMutablePointer<Block>?>
  /// First block of each physical page with code.
  var pages: [UInt64: UnsafeMutablePointer<Block>] = [:]

  init() {
    arena = .allocate(byteCount: Self.arenaBytes, alignment: 64)
    table = .allocate(capacity: Self.buckets)
    table.initialize(repeating: nil, count: Self.buckets)
  }

  func deallocate() {
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

  mutating func reset() {
    used = 0
    for i in 0..<Self.buckets { table[i] = nil }
    pages.removeAll(keepingCapacity: true)
  }

  /// Makes room for a block of `count` micro-operations; nil when the arena is full.
  /// In front of its header are the records of its issue groups.
  mutating func allocate(_ count: Int, groupBytes: Int) -> UnsafeMutablePointer<Block>? {
    let bytes = groupBytes + (MemoryLayout<Block>.stride + count * MemoryLayout<MicroOp>.stride + 15) & ~15
    if used + bytes > Self.arenaBytes { return nil }
    let block = (arena + used + groupBytes).assumingMemoryBound(to: Block.self)
    used += bytes
    return block
  }

  mutating func invalidate(page: UInt64) {
    var block = pages.removeValue(forKey: page)
    while let b = block {
      b.pointee.valid = false
      block = b.pointee.pageNext
    }
  }
}

/// A processor's way from virtual addresses to blocks.
struct JumpEntry {
  static let count = 1 << 12
  /// Virtual address, with the start slot in bits 1:0 and cpl in bits 3:2.
  var key: UInt64
  var generation: UInt64
  var block: UnsafeMutablePointer<Block>?
  static var none: JumpEntry { JumpEntry(key: 1 << 63 | 3, generation: 0, block: nil) }
}

extension LogicalProcessor {
  /// The block at virtual address `target`, slot 0, by the jump cache. nil: the fetch faults.
  @inline(__always) func findBlock(_ target: UInt64) -> UnsafeMutablePointer<Block>? {
    let entry = jumps + Int((target &>> 4) & UInt64(JumpEntry.count - 1))
    let key = target | PSR.cpl(state.pointee.psr) << 2
    if entry.pointee.key == key && entry.pointee.generation == engine.pointee.generation, let block = entry.pointee.block,
      block.pointee.valid
    {
      return block
    }
    return findBlockSlow(target, 0)
  }

  @inline(never) func findBlockSlow(_ target: UInt64, _ slot: UInt64) -> UnsafeMutablePointer<Block>? {
    guard let physical = translateFetch(target) else { return nil }
    let block = blockAt(physical, slot)
    if slot == 0 {
      let entry = jumps + Int((target >> 4) & UInt64(JumpEntry.count - 1))
      entry.pointee = JumpEntry(
        key: target | PSR.cpl(state.pointee.psr) << 2, generation: engine.pointee.generation, block: block)
    }
    return block
  }

  /// A transfer inside the page of `from`: its physical page is the target's.
  @inline(never) func linkBlock(
    _ link: UnsafeMutablePointer<Link>, from: UnsafeMutablePointer<Block>, ip: UInt64, target: UInt64, slot: UInt64
  ) -> UnsafeMutablePointer<Block> {
    let arenaBefore = domain.blocks.used
    let block = blockAt(from.pointee.physical & ~0xFFF | target & 0xFF0, slot)
    // If the arena was emptied, `from` and its link are gone.
    if domain.blocks.used >= arenaBefore { link.pointee.block = block }
    return block
  }

  /// The block at a physical address, translated now if need be.
  func blockAt(_ physical: UInt64, _ slot: UInt64) -> UnsafeMutablePointer<Block> {
    if let block = domain.blocks.find(physical, slot) { return block }
    return translateBlock(physical, slot)
  }

  private func translateBlock(_ physical: UInt64, _ slot: UInt64) -> UnsafeMutablePointer<Block> {
    let host = memory.host(physical & ~0xF)
    var translator = Translator(buffer: translationBuffer, single: nil)
    let source = host ?? voidBundles
    let bundlesLeft = host == nil ? 1 : Int(256 - (physical >> 4 & 0xFF))
    let end = translator.run(source, startSlot: Int(slot), limitBundles: bundlesLeft)
    var groupBytes = 0
    if let timing = engine.pointee.timing {
      // Where the block ends is known now; the second time with its issue groups.
      let used = timing.plan(
        timing.context, source, physical & ~0xF, Int(slot), end, groupBuffer, Self.groupBufferSize)
      groupBytes = (used + 15) & ~15
      translator = Translator(buffer: translationBuffer, single: nil)
      translator.setGroups(groupBuffer, byteCount: used, offset: -groupBytes)
      _ = translator.run(source, startSlot: Int(slot), limitBundles: bundlesLeft)
    }
    var block = domain.blocks.allocate(translator.count, groupBytes: groupBytes)
    if block == nil {
      domain.emptyArena()
      seenArena = domain.arena
      if isTimed { notice(.blocksDropped) }
      codeMapChanged()
      block = domain.blocks.allocate(translator.count, groupBytes: groupBytes)
    }
    guard let block else { preconditionFailure("the block arena cannot hold one block") }
    let page = physical & ~0xFFF
    let bucket = BlockCache.bucket(physical, slot)
    let stops = domain.debugControl?.hasBreakpoint(physical: physical, positions: Int(slot)..<max(end, Int(slot) + 1)) == true
    block.pointee = Block(
      physical: physical, bucketNext: domain.blocks.table[bucket], pageNext: domain.blocks.pages[page],
      need: stops ? Block.neverFits : UInt32(translator.highestTarget) | UInt32(translator.floatUse) << 16,
      startSlot: UInt8(slot), highestTarget: translator.highestTarget, floatUse: translator.floatUse, valid: true)
    Block.operations(block).update(from: translationBuffer, count: translator.count)
    (UnsafeMutableRawPointer(block) - groupBytes).copyMemory(from: groupBuffer, byteCount: groupBytes)
    domain.blocks.table[bucket] = block
    domain.blocks.pages[page] = block
    if let host {
      let index = memory.pageIndex(host)
      if memory.pageFlags[index] & PhysicalMemory.holdsCode == 0 {
        memory.pageFlags[index] |= PhysicalMemory.holdsCode
        let hostPage = UInt(bitPattern: host) & ~0xFFF
        softTLB.protect(hostPage: hostPage)
        seenCodePages = domain.announce(codePage: hostPage)
      }
    }
    return block
  }
}
