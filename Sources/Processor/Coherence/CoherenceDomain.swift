/// What the processors of one memory share, and what they have to tell each other: translated blocks, global purges, new pages of code.
///
/// One processor runs at a time, or several of them apart (``ExecutionLock``). What it does to the others takes effect when they run next, and that is before they can notice: each
/// then looks how far the domain has got since it last ran. So a processor that sleeps costs nothing.
final class CoherenceDomain {
  /// What ptc.g and ptc.ga remove: offsets without region bits, in one address space.
  struct Purge {
    var start: UInt64 = 0
    var last: UInt64 = 0
    var rid: UInt32 = 0
  }

  let blocks = BlockCache()
  /// All there are: the common one, and those of processors that run in parallel.
  private(set) var caches: [BlockCache]
  var parallel: ExecutionLock?
  var specialisations = Specialisations.standard
  /// A timing model watches: blocks have issue groups.
  var isTimed = false
  /// A debugger: blocks with a breakpoint in them are made so that they cannot be run.
  weak var debugControl: DebugControl?
  /// Writes by devices and firmware, which ALATs do not see.
  var foreignWrites: UInt64 = 0
  /// The processor that ran last.
  fileprivate(set) var runs = 0

  /// Who is further behind than this loses its whole translation cache, which the architecture allows at any time.
  static let remembered = 64
  private var purges = [Purge](repeating: Purge(), count: remembered)
  private(set) var purgeCount: UInt64 = 0
  /// Pages of the host's memory from which code was translated: nobody may write to them unnoticed. That is the engine's business,
  /// not the architecture's, so the two lists are apart.
  private var codePages = [UInt](repeating: 0, count: remembered)
  private(set) var codePageCount: UInt64 = 0
  private var members = 0

  init() { caches = [blocks] }

  func addCache() -> BlockCache {
    let cache = BlockCache()
    caches.append(cache)
    return cache
  }

  func drop(_ cache: BlockCache) { caches.removeAll { $0 === cache } }

  /// The number of a new processor.
  func join() -> Int {
    members += 1
    return members - 1
  }

  /// Somebody writes to a page with code.
  func invalidate(page: UInt64) {
    parallel?.stopOthers()
    for cache in caches { cache.invalidate(page: page) }
  }

  /// Both return how much there is to know now.
  func announce(purge: Purge) -> UInt64 {
    purges[Int(purgeCount % UInt64(Self.remembered))] = purge
    purgeCount &+= 1
    return purgeCount
  }

  func announce(codePage: UInt) -> UInt64 {
    codePages[Int(codePageCount % UInt64(Self.remembered))] = codePage
    codePageCount &+= 1
    return codePageCount
  }

  /// The announcements from `seen` on; nil if they are no longer remembered.
  func purges(since seen: UInt64) -> [Purge]? {
    guard purgeCount - seen <= UInt64(Self.remembered) else { return nil }
    return (seen..<purgeCount).map { purges[Int($0 % UInt64(Self.remembered))] }
  }

  func codePages(since seen: UInt64) -> [UInt]? {
    guard codePageCount - seen <= UInt64(Self.remembered) else { return nil }
    return (seen..<codePageCount).map { codePages[Int($0 % UInt64(Self.remembered))] }
  }
}

extension LogicalProcessor {
  /// Called before this processor executes anything.
  @inline(__always) func comesToRun() {
    if domain.runs != domainMember { takesOver() }
  }

  /// Another processor ran last. It has written to memory that this one's advanced loads may have read: entries of the ALAT may vanish
  /// at any time, so all do.
  @inline(never) private func takesOver() {
    domain.runs = domainMember
    alatClear()
    if seenPurges != domain.purgeCount { hearPurges() }
    if seenCodePages != domain.codePageCount { hearCodePages() }
    if seenArena != blocks.emptied {
      seenArena = blocks.emptied
      if isTimed { notice(.blocksDropped) }
      codeMapChanged()
    }
  }

  private func hearPurges() {
    let news = domain.purges(since: seenPurges)
    seenPurges = domain.purgeCount
    guard let news else { return purgeAllTranslations() }
    var codeRemoved = false
    for p in news {
      if purge(p.start, p.last, p.rid) { codeRemoved = true }
      softTLB.purge(start: p.start, last: p.last)
    }
    // Every insertion voids the jump cache, so it knows only what the translation cache still has.
    if codeRemoved { codeMapChanged() }
  }

  private func hearCodePages() {
    let news = domain.codePages(since: seenCodePages)
    seenCodePages = domain.codePageCount
    // Looking through the table costs more than filling it again.
    guard let news, news.count <= 4 else { return softTLB.purgeAll() }
    for page in news { softTLB.protect(hostPage: page) }
  }
}
