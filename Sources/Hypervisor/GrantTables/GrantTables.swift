import Processor

/// Grant tables, version 1, of all domains of a host: which frames a domain lets others see, copy, or have.
///
/// - ``add(_:tableAt:)`` and ``remove(_:)``: domains come and go.
/// - ``map(_:of:at:flags:by:)``, ``unmap(_:at:by:)``, ``unmapAndReplace(_:at:with:by:)``, ``transfer(_:to:reference:by:)``,
///   ``copy(_:by:)``: the operations of guests. ``perform(_:element:for:frameList:)`` takes their arguments as bytes.
/// - ``setUp(_:in:)``, ``size(of:)``, ``showTable(_:at:in:)``: the tables themselves.
/// - ``mapForHost(_:of:readOnly:)``, ``mapFrameForHost(_:of:)``, ``unmapForHost(_:)``, ``copyForHost(from:count:)``,
///   ``copyForHost(to:_:)``: domain 0's side, which is Swift code here.
///
/// Whatever an entry says is read once and looked at before anything happens; an operation that ends with another status than 0 has changed
/// nothing. A frame that somebody has mapped is held (``FramePool/hold(_:)``): its owner may give it up or die, and it still goes to nobody
/// else before the last mapping is undone. The rest of a dead domain's memory is free at once.
public final class GrantTables {
  let pool: FramePool
  private var tables: [UInt16: GrantTable] = [:]
  public internal(set) var statistics = GrantStatistics()

  public init(pool: FramePool) { self.pool = pool }

  // MARK: Domains

  /// Where Xen/ia64 puts the tables of paravirtualized domains.
  public static let paravirtualizedPlace: UInt64 = 0x100_0010_4000

  /// `place`: where the table is shown, ascending and contiguous; nil: nowhere until ``showTable(_:at:in:)``.
  public func add(_ domain: any ServicedDomain, tableAt place: UInt64? = nil) throws(XenError) {
    precondition(tables[domain.domainNumber] == nil, "a domain of this number has a grant table")
    let table = GrantTable(memory: domain.memory, place: place, pool: pool)
    guard table.grow(to: 1) else { throw .noMemory }
    tables[domain.domainNumber] = table
  }

  /// The domain is gone, and none of its processors runs any more: what it had mapped is unmapped.
  public func remove(_ number: UInt16) {
    guard let table = tables.removeValue(forKey: number) else { return }
    for (handle, mapping) in table.mappings {
      _ = conceal(mapping, table)
      table.removeMapping(handle)
    }
    table.die()
  }

  func table(_ number: UInt16) throws(GrantStatus) -> GrantTable {
    guard let table = tables[number] else { throw .badDomain }
    return table
  }

  // MARK: Tables

  /// setup_table: makes the table at least `count` frames long. Returns where the domain sees the first `count` of them, in its own frame
  /// numbers; 0 for one that is not shown.
  public func setUp(_ count: Int, in domain: UInt16) throws(GrantStatus) -> [UInt64] {
    let table = try table(domain)
    guard count >= 0, table.grow(to: count) else { throw .generalError }
    return table.places.prefix(count).map { $0 ?? 0 }
  }

  /// query_size: frames that a table has, and how many it may have.
  public func size(of domain: UInt16) throws(GrantStatus) -> (frames: Int, limit: Int) {
    (try table(domain).frames.count, GrantTable.frameLimit)
  }

  /// add_to_physmap of a grant table's frame: the table grows to it. It is no longer shown where it was.
  public func showTable(_ index: UInt64, at frame: UInt64, in domain: UInt16) throws(XenError) {
    guard let table = tables[domain] else { throw .noSuchDomain }
    guard index < UInt64(GrantTable.frameLimit), table.grow(to: Int(index) + 1) else { throw .invalid }
    table.show(Int(index), at: frame)
  }

  /// dump_table: every entry that is in use, one a line.
  public func dump(_ domain: UInt16) throws(GrantStatus) -> [String] {
    let table = try table(domain)
    return table.uses.sorted { $0.key < $1.key }.map { reference, use in
      "reference \(reference): frame \(use.frame) for domain \(use.domain), \(use.readers) read, \(use.writers) write"
    }
  }

  // MARK: Use of an entry

  /// Checks that an entry permits an access, marks it as in use, and holds its frame: the machine's number of that.
  func acquire(_ reference: UInt32, of granter: GrantTable, by user: UInt16, readOnly: Bool, plain: Bool) throws(GrantStatus)
    -> UInt32
  {
    guard let entry = granter.entry(reference) else { throw .badReference }
    let current = granter.uses[reference]
    if let current {
      let limit = GrantTable.Use.limit
      guard current.domain == user, current.readers < limit, current.writers < limit else { throw .generalError }
    }
    if current == nil || (!readOnly && current?.writers == 0) {
      guard entry.flags & GrantEntry.Flags.type == GrantEntry.Flags.permitAccess, entry.domain == user else { throw .generalError }
      guard readOnly || entry.flags & GrantEntry.Flags.readOnly == 0 else { throw .generalError }
    }
    guard !plain || entry.flags & GrantEntry.Flags.cacheability == 0 else { throw .generalError }
    // What the entry led to at the first use is what counts, as long as that is the domain's.
    let frame = current?.frame ?? UInt64(entry.frame)
    guard let machine = machine(frame, of: granter), current == nil || current?.machine == machine else { throw .generalError }
    var use = current ?? GrantTable.Use(domain: user, frame: frame, machine: machine)
    granter.setFlags(reference, entry.flags | GrantEntry.Flags.reading | (readOnly ? 0 : GrantEntry.Flags.writing))
    if readOnly { use.readers += 1 } else { use.writers += 1 }
    granter.uses[reference] = use
    pool.hold(use.machine)
    return use.machine
  }

  /// The end of one use.
  func release(_ reference: UInt32, of granter: GrantTable, machine: UInt32, readOnly: Bool) {
    pool.letGo(machine)
    guard var use = granter.uses[reference] else { return }
    if readOnly { use.readers -= 1 } else { use.writers -= 1 }
    let isOver = use.readers + use.writers == 0
    granter.uses[reference] = isOver ? nil : use
    guard let entry = granter.entry(reference) else { return }
    var flags = entry.flags
    if !readOnly && use.writers == 0 { flags &= ~GrantEntry.Flags.writing }
    if isOver { flags &= ~GrantEntry.Flags.reading }
    granter.setFlags(reference, flags)
  }

  /// The machine's frame of what is a domain's own RAM.
  func machine(_ frame: UInt64, of table: GrantTable) -> UInt32? {
    guard let memory = table.memory, memory.isOwn(frame), let address = memory.machine(frame << FramePool.frameShift) else {
      return nil
    }
    return UInt32(address >> FramePool.frameShift)
  }

  // MARK: Mappings

  /// Takes a mapping out of the domain that has it. False: something else was there already.
  func conceal(_ mapping: GrantTable.Mapping, _ mapper: GrantTable) -> Bool {
    let frame = mapping.address >> FramePool.frameShift
    var wasShown = false
    if let memory = mapper.memory, memory.shown(at: frame) == mapping.machine { wasShown = memory.hide(frame) }
    release(mapping.reference, of: mapping.granter, machine: mapping.machine, readOnly: mapping.isReadOnly)
    return wasShown
  }

  /// Runs one operation, and counts it if it is refused.
  func counted<T>(_ operation: () throws(GrantStatus) -> T) throws(GrantStatus) -> T {
    do throws(GrantStatus) { return try operation() } catch {
      statistics.refusals &+= 1
      throw error
    }
  }
}
