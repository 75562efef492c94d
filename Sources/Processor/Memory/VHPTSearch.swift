/// What the walker finds for an address, before anything is done about it.
struct VHPTSearch {
  enum Outcome {
    case found(Translation)
    /// The page of the table itself is not in the data TLB.
    case unmapped
    case obstacle(WalkObstacle)
  }
  /// Virtual address of the entry.
  var entry: UInt64
  /// Where it was read; nil: it was not.
  var physical: UInt64?
  /// One word in the short format, four in the long one.
  var words = InlineArray<4, UInt64>(repeating: 0)
  var outcome = Outcome.unmapped
}

/// Why the walker gives up: the miss is the software's then (Volume 2, section 4.1.6).
public enum WalkObstacle: Sendable, Equatable {
  case tableNotPresent
  case tableNotWriteBack
  case tableNotAccessed
  case tableKey
  case tableBreakpoint
  case tableRights
  case noMemory
  /// Long format: the entry's tag is another address's.
  case tag
  /// The entry has a reserved field set.
  case reservedField
}

extension LogicalProcessor {
  /// Looks for an address in the table, which is read at privilege level 0; what would fault on its page ends the search. Changes nothing.
  func searchTable(_ address: UInt64) -> VHPTSearch {
    let isLong = state.cr[CR.pta] & 1 << 8 != 0
    var search = VHPTSearch(entry: vhptAddress(address))
    guard let page = dataTLB.lookup(offset(search.entry), rid(search.entry)) else { return search }
    let t = page.pointee
    if let obstacle = obstacle(to: search.entry, count: isLong ? 32 : 8, on: t) {
      search.outcome = .obstacle(obstacle)
      return search
    }
    let physical = t.physical | search.entry & t.mask
    guard let host = tableHost(physical, count: isLong ? 32 : 8) else {
      search.outcome = .obstacle(.noMemory)
      return search
    }
    search.physical = physical
    let swap = state.cr[CR.dcr] & DCR.be != 0
    for n in 0..<(isLong ? 4 : 1) {
      let raw = host.loadUnaligned(fromByteOffset: n * 8, as: UInt64.self)
      search.words[n] = swap ? raw.byteSwapped : raw
    }
    let rr = state.rr[Int(address >> 61)]
    if isLong && search.words[2] != vhptTag(address) {
      search.outcome = .obstacle(.tag)
    } else if let found = makeTranslation(
      search.words[0], itir: isLong ? search.words[1] : rr & 0xFFFF_FF00 | rr & 0xFC, address: address)
    {
      search.outcome = .found(found)
    } else {
      search.outcome = .obstacle(.reservedField)
    }
    return search
  }

  /// What forbids reading an entry on a page of the table's.
  private func obstacle(to entry: UInt64, count: Int, on t: Translation) -> WalkObstacle? {
    let psr = state.pointee.psr
    if !t.present { return .tableNotPresent }
    if t.attribute != MemoryAttribute.wb { return .tableNotWriteBack }
    if !t.accessed { return .tableNotAccessed }
    if psr & PSR.pk != 0, checkKey(t.key, 4) != .pass { return .tableKey }
    if psr & (PSR.db | PSR.dd) == PSR.db, matchesDataBreakpoint(entry, count, reads: true, writes: false, privilege: 0) {
      return .tableBreakpoint
    }
    guard AccessRights.granted(t.accessRights, page: UInt64(t.privilegeLevel), cpl: 0) & AccessRights.read != 0 else {
      return .tableRights
    }
    return nil
  }
}
