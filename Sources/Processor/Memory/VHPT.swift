/// The hardware walker of the virtual hash page table (Volume 2, section 4.1.5).
extension LogicalProcessor {
  enum WalkResult {
    /// An entry went into the TLB; look again.
    case inserted
    /// The page of the table itself is not in the data TLB: VHPT Translation fault, with the address of the table entry.
    case tableMiss(UInt64)
    /// Nothing usable: the miss is the software's.
    case aborted
  }

  /// Address of the VHPT entry for `address`: what `thash` returns (Volume 2, section 4.1.5.6).
  func vhptAddress(_ address: UInt64) -> UInt64 {
    vhptAddress(address, rr: state.rr[Int(address >> 61)], pta: state.cr[CR.pta])
  }

  /// The same for any contents of the region register and of PTA: a guest's, for PAL_VPS_THASH.
  public func vhptAddress(_ address: UInt64, rr: UInt64, pta: UInt64) -> UInt64 {
    let pageShift = (rr >> 2) & 0x3F
    let sizeMask = (UInt64(1) << ((pta >> 2) & 0x3F)) &- 1
    let page = offset(address) &>> pageShift
    if pta & 1 << 8 == 0 {
      // Short format: a linear table for each region, 8 bytes an entry.
      let table = pta & 0x1FFF_FFFF_FFFF_8000
      let entry = page &<< 3
      return address & 0xE000_0000_0000_0000 | (table & ~sizeMask | entry & sizeMask) & 0x1FFF_FFFF_FFFF_FFFF
    }
    // Long format: one table, 32 bytes an entry. The hash is the implementation's; the tag below makes it unique.
    let hash = page ^ (rr >> 8 & Implementation.ridMask)
    return pta & 0xE000_0000_0000_0000 | (pta & 0x1FFF_FFFF_FFFF_8000 & ~sizeMask | hash &<< 5 & sizeMask)
  }

  /// Tag of a long-format entry: what `ttag` returns. With the hash index it determines region identifier and page number.
  func vhptTag(_ address: UInt64) -> UInt64 { vhptTag(address, rr: state.rr[Int(address >> 61)]) }

  public func vhptTag(_ address: UInt64, rr: UInt64) -> UInt64 {
    let pageShift = (rr >> 2) & 0x3F
    let page = offset(address) &>> pageShift
    // 24 bits of rid and 39 of the page number; the lowest ten bits of page are covered by the index (tables have 2^10 entries at least).
    return ((rr >> 8 & Implementation.ridMask) << 39 | page >> 10 & 0x7F_FFFF_FFFF) & ~(1 << 63)
  }

  /// One search, and what it finds put into the TLB.
  @inline(never) func walk(_ address: UInt64, instruction: Bool) -> WalkResult {
    let search = searchTable(address)
    // What was read has taken its time, whatever it says.
    if isTimed, let physical = search.physical { notice(instruction ? .instructionWalk : .dataWalk, physical) }
    switch search.outcome {
    case .found(let translation):
      insertCache(translation, instruction: instruction)
      return .inserted
    case .unmapped: return .tableMiss(search.entry)
    case .obstacle: return .aborted
    }
  }

  /// A guest's table lies at guest-physical addresses.
  func tableHost(_ physical: UInt64, count: Int) -> UnsafeMutableRawPointer? {
    guard let guest else { return memory.host(physical, count: count) }
    return guest.memory.host(physical, count: count)
  }

  /// Builds a translation from the insert format (Volume 2, figure 4-5). nil: a reserved field is set.
  func makeTranslation(_ value: UInt64, itir: UInt64, address: UInt64) -> Translation? {
    let shift = (itir >> 2) & 0x3F
    guard itir & 0xFFFF_FFFF_0000_0003 == 0, Implementation.insertablePages >> shift & 1 != 0 || shift == 13 else { return nil }
    var t = Translation()
    t.valid = true
    t.mask = (1 << shift) - 1
    t.base = offset(address) & ~t.mask
    t.pageShift = UInt8(shift)
    t.rid = rid(address)
    t.key = UInt32(truncatingIfNeeded: itir >> 8 & 0xFF_FFFF)
    t.present = value & 1 != 0
    // With p = 0 all other fields of the word are software's.
    guard t.present else { return t }
    guard isTranslation(value) else { return nil }
    t.attribute = UInt8(value >> 2 & 7)
    t.accessed = value & 1 << 5 != 0
    t.dirty = value & 1 << 6 != 0
    t.privilegeLevel = UInt8(value >> 7 & 3)
    t.accessRights = UInt8(value >> 9 & 7)
    t.exceptionDeferral = value & 1 << 52 != 0
    t.physical = value & 0x0003_FFFF_FFFF_F000 & ~t.mask
    return t
  }

  /// No reserved field of the first word of a translation is set.
  func isTranslation(_ value: UInt64) -> Bool {
    let attribute = value >> 2 & 7
    return value & 1 == 0 || value & 0x000C_0000_0000_0002 == 0 && (attribute == 0 || attribute >= 4)
  }

  /// Puts a translation into the cache of one side and forgets what the software TLBs remember of its range.
  func insertCache(_ t: Translation, instruction: Bool) {
    if instruction {
      // Blocks that were found through other translations stay valid.
      if instructionTLB.insert(t) { codeMapChanged() }
    } else {
      _ = dataTLB.insert(t)
      softTLB.purge(start: t.base, last: t.base | t.mask)
    }
    if isTimed { notice(instruction ? .instructionInserted : .dataInserted, TimingModel.name(of: t)) }
  }

  /// Translations for instructions changed: older entries of the jump cache are void.
  func codeMapChanged() { engine.pointee.jumpContext &+= 4 }
}
