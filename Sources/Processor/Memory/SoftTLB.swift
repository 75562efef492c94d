/// One entry of the software TLB: what the inline load and store paths compare.
///
/// A tag is the virtual page number times 4096; the paths compare it with the address masked by
/// `~0xFFF | (size - 1)`, so a misaligned address never matches and goes to the slow path.
public struct SoftEntry: Sendable {
  public var readTag: UInt64
  public var writeTag: UInt64
  /// Host address minus virtual address.
  public var addend: Int
  /// Its memory attribute is one of the uncacheable ones, although it is RAM.
  var isUncacheable: Bool

  /// Entries of a table; an address belongs to the entry that its bits 12 and up name.
  public static let count = 512
  static let invalidTag: UInt64 = 1 << 11
  static let invalid = SoftEntry(readTag: invalidTag, writeTag: invalidTag, addend: 0, isUncacheable: false)
}

/// The software TLB: direct-mapped tables, one for each context in which data addresses mean something else.
///
/// It caches successful checks, so whatever changes the outcome of a check must purge it: inserts and purges of translations, region and
/// protection-key registers, PSR.pk, and code appearing on a page (stores to such pages must be seen).
struct SoftTLB {
  static let entries = SoftEntry.count
  static let mask = UInt64(entries - 1)
  static let bytes = entries * 5 * MemoryLayout<SoftEntry>.stride
  enum Context: Int { case physical, kernel, user, other, never }
  let tables: UnsafeMutablePointer<SoftEntry>

  init() {
    tables = .allocate(capacity: Self.entries * 5)
    tables.initialize(repeating: .invalid, count: Self.entries * 5)
  }

  func table(_ context: Context) -> UnsafeMutablePointer<SoftEntry> { tables + context.rawValue * Self.entries }

  /// Context for data accesses under `psr` at privilege `cpl`; `translate` is PSR.dt, or PSR.rt for the register stack.
  @inline(__always) static func context(translate: Bool, bigEndian: Bool, cpl: UInt64) -> Context {
    if bigEndian { return .never }
    if !translate { return .physical }
    return cpl == 0 ? .kernel : cpl == 3 ? .user : .other
  }

  func purge(_ context: Context) {
    let p = table(context)
    for i in 0..<Self.entries { p[i] = .invalid }
  }
  func purgeVirtual() {
    let p = tables + Self.entries
    for i in 0..<Self.entries * 3 { p[i] = .invalid }
  }
  func purgeAll() {
    for i in 0..<Self.entries * 5 { tables[i] = .invalid }
  }
  /// Drops the entries of all virtual contexts whose page intersects the range of offsets. The index has no region bits, so this hits every
  /// region, as purges do.
  func purge(start: UInt64, last: UInt64) {
    if last &- start >= 4096 * 64 { return purgeVirtual() }
    var page = start & ~0xFFF
    while page <= last {
      let index = Int((page >> 12) & Self.mask)
      for context in 1...3 { tables[context * Self.entries + index] = .invalid }
      page &+= 4096
    }
  }
  /// Drops write permission for a host page (code has been translated from it).
  func protect(hostPage: UInt) {
    for i in 0..<Self.entries * 4 where tables[i].writeTag & 0xFFF == 0 {
      if UInt(bitPattern: Int(truncatingIfNeeded: tables[i].writeTag) &+ tables[i].addend) == hostPage {
        tables[i].writeTag = SoftEntry.invalidTag
      }
    }
  }
  func deallocate() { tables.deallocate() }
}
