/// Advanced loads and their checks (Volume 1, section 4.4.5; Volume 2, section 4.4.5.3).
extension LogicalProcessor {
  /// Tag of general register `n`: the physical register, so that rotation, calls and bank switches rename entries as they rename
  /// registers.
  func alatTag(gr n: UInt8) -> UInt32 {
    if n < 16 { return 0x100 | UInt32(n) }
    if n < 32 { return 0x100 | UInt32(n) | (state.pointee.psr & PSR.bn != 0 ? 0x20 : 0) }
    return 0x200 | UInt32(stackedIndex(n))
  }

  func alatTag(fr n: UInt8) -> UInt32 {
    if n < 32 { return 0x400 | UInt32(n) }
    return 0x400 | UInt32(32 + (Int(n) - 32 + state.pointee.rrbFR) % 96)
  }

  /// Physical stacked register (0...95) of GR `n`.
  func stackedIndex(_ n: UInt8) -> Int {
    var logical = Int(n) - 32
    let rotating = state.pointee.sor * 8
    if logical < rotating { logical = (logical + state.pointee.rrbGR) % rotating }
    return (state.pointee.bottomOfFrame + logical) % 96
  }

  private func filterBits(_ address: UInt64, _ size: Int) -> UInt64 {
    1 << (address >> 4 & 63) | 1 << ((address &+ UInt64(size) &- 1) >> 4 & 63)
  }

  /// The entries in use, one after the other, until `body` says true.
  @inline(__always) private func anyEntry(_ body: (Int) -> Bool) -> Bool {
    var left = state.pointee.alat.used
    while left != 0 {
      let i = left.trailingZeroBitCount
      if body(i) { return true }
      left &= left &- 1
    }
    return false
  }

  private func dropEntry(_ i: Int) {
    state.pointee.alat.entries[i].tag = 0
    state.pointee.alat.used &= ~(1 << UInt32(i))
  }

  func alatInsert(_ tag: UInt32, _ host: UnsafeMutableRawPointer, _ size: Int) {
    // Stores of others are not heard in time, and an entry may vanish at any moment: so there are none.
    if parallel != nil { return }
    if seenForeignWrites != domain.foreignWrites { alatMissedWrites() }
    alatRemove(tag)
    var slot = (~state.pointee.alat.used).trailingZeroBitCount
    if slot == 32 {
      slot = Int(state.pointee.alat.victim)
      state.pointee.alat.victim = UInt32((slot + 1) % 32)
      dropEntry(slot)
      rebuildFilter()
    }
    let address = UInt64(UInt(bitPattern: host))
    state.pointee.alat.entries[slot].tag = tag
    state.pointee.alat.entries[slot].address = address
    state.pointee.alat.entries[slot].size = UInt32(size)
    state.pointee.alat.used |= 1 << UInt32(slot)
    state.pointee.alat.filter |= filterBits(address, size)
  }

  func alatContains(_ tag: UInt32) -> Bool {
    if state.pointee.alat.filter == 0 { return false }
    if seenForeignWrites != domain.foreignWrites { alatMissedWrites() }
    return anyEntry { state.pointee.alat.entries[$0].tag == tag }
  }

  /// Devices have written to memory meanwhile: what they wrote over is unknown, so all entries go, as any entry may at any time.
  @inline(never) private func alatMissedWrites() {
    seenForeignWrites = domain.foreignWrites
    alatClear()
  }

  func alatRemove(_ tag: UInt32) {
    if state.pointee.alat.filter == 0 { return }
    let found = anyEntry {
      guard state.pointee.alat.entries[$0].tag == tag else { return false }
      dropEntry($0)
      return true
    }
    if found { rebuildFilter() }
  }

  /// Entries of stacked general registers go when the register stack engine refills physical registers.
  func alatRemoveStacked() {
    if state.pointee.alat.filter == 0 { return }
    _ = anyEntry {
      if state.pointee.alat.entries[$0].tag & 0x200 != 0 { dropEntry($0) }
      return false
    }
    rebuildFilter()
  }

  func alatClear() {
    if state.pointee.alat.filter == 0 { return }
    _ = anyEntry {
      dropEntry($0)
      return false
    }
    state.pointee.alat.filter = 0
  }

  /// A store of `size` bytes: overlapping entries vanish.
  @inline(never) func alatStore(_ host: UnsafeMutableRawPointer, _ size: Int) {
    let address = UInt64(UInt(bitPattern: host))
    if state.pointee.alat.filter & filterBits(address, size) == 0 { return }
    var removed = false
    _ = anyEntry {
      let entry = state.pointee.alat.entries[$0]
      if entry.address < address &+ UInt64(size) && address < entry.address &+ UInt64(entry.size) {
        dropEntry($0)
        removed = true
      }
      return false
    }
    if removed { rebuildFilter() }
  }

  private func rebuildFilter() {
    var filter: UInt64 = 0
    _ = anyEntry {
      filter |= filterBits(state.pointee.alat.entries[$0].address, Int(state.pointee.alat.entries[$0].size))
      return false
    }
    state.pointee.alat.filter = filter
  }
}
