import Hypervisor
import Testing

/// Two domains with grant tables.
struct GrantFixture {
  let pool: FramePool
  let grants: GrantTables
  let one: ServiceDomain
  let two: ServiceDomain
  static let frame = FramePool.frameSize

  init() throws {
    pool = try FramePool(size: 16 << 20, kept: 1 << 20)
    grants = GrantTables(pool: pool)
    one = try ServiceDomain(1, pool: pool)
    two = try ServiceDomain(2, pool: pool)
    try grants.add(one, tableAt: GrantTables.paravirtualizedPlace)
    try grants.add(two, tableAt: GrantTables.paravirtualizedPlace)
  }

  /// Writes an entry as a guest does: frame and domid, then flags.
  func grant(_ reference: UInt32, in domain: ServiceDomain, flags: UInt16, to: UInt16, frame: UInt32) {
    let entry = GrantTables.paravirtualizedPlace + UInt64(reference) * 8
    domain.store(entry + 4, frame)
    domain.store(entry + 2, to)
    domain.store(entry, flags)
  }
  func flags(_ reference: UInt32, in domain: ServiceDomain) -> UInt16? {
    domain.load(GrantTables.paravirtualizedPlace + UInt64(reference) * 8)
  }
}

/// Expected values: xen/include/public/grant_table.h, and section by section what xen/common/grant_table.c answers.
@Suite("Grant tables") struct GrantTableTests {
  let fixture: GrantFixture
  var grants: GrantTables { fixture.grants }
  var pool: FramePool { fixture.pool }
  var one: ServiceDomain { fixture.one }
  var two: ServiceDomain { fixture.two }
  private static let frame = FramePool.frameSize
  /// Outside of RAM.
  private static let window: UInt64 = 0x200_0000_0000

  init() throws { fixture = try GrantFixture() }

  @Test func tablesAreShownAndGrow() throws {
    #expect(try grants.size(of: 1) == (1, 32))
    #expect(one.load(GrantTables.paravirtualizedPlace, as: UInt64.self) == 0)
    #expect(one.load(GrantTables.paravirtualizedPlace + Self.frame, as: UInt64.self) == nil)
    let first = GrantTables.paravirtualizedPlace >> 14
    #expect(try grants.setUp(4, in: 1) == [first, first + 1, first + 2, first + 3])
    #expect(try grants.size(of: 1) == (4, 32))
    #expect(throws: GrantStatus.generalError) { try grants.setUp(33, in: 1) }
    // An entry of the last frame.
    fixture.grant(3 * 2048 + 5, in: one, flags: 1, to: 2, frame: 9)
    _ = try grants.map(3 * 2048 + 5, of: 1, at: Self.window, flags: .host, by: 2)
    #expect(throws: GrantStatus.badReference) { try grants.map(4 * 2048, of: 1, at: Self.window + Self.frame, flags: .host, by: 2) }
  }

  @Test func aTableIsShownWhereAnHVMDomainWantsIt() throws {
    let three = try ServiceDomain(3, pool: pool)
    try grants.add(three)
    #expect(try grants.setUp(1, in: 3) == [0])
    try grants.showTable(1, at: 20, in: 3)
    #expect(try grants.setUp(2, in: 3) == [0, 20])
    three.store(20 * Self.frame, 7 as UInt32)
    try grants.showTable(1, at: 30, in: 3)
    #expect(three.load(20 * Self.frame, as: UInt32.self) == nil && three.load(30 * Self.frame, as: UInt32.self) == 7)
    #expect(throws: XenError.invalid) { try grants.showTable(32, at: 31, in: 3) }
  }

  @Test func mappingSharesAFrame() throws {
    one.store(9 * Self.frame, 0x1234 as UInt64)
    fixture.grant(8, in: one, flags: 1, to: 2, frame: 9)
    let map = try grants.map(8, of: 1, at: Self.window, flags: .host, by: 2)
    #expect(map.machineAddress == one.memory.machine(9 * Self.frame))
    // permit_access, reading, writing.
    #expect(fixture.flags(8, in: one) == 0b11001)
    #expect(two.load(Self.window, as: UInt64.self) == 0x1234)
    two.store(Self.window + 8, 5 as UInt64)
    #expect(one.load(9 * Self.frame + 8, as: UInt64.self) == 5)
    try grants.unmap(map.handle, at: Self.window, by: 2)
    #expect(fixture.flags(8, in: one) == 1 && two.load(Self.window, as: UInt64.self) == nil)
    #expect(throws: GrantStatus.badHandle) { try grants.unmap(map.handle, at: Self.window, by: 2) }
  }

  @Test func aReadOnlyMappingSetsReadingOnly() throws {
    fixture.grant(8, in: one, flags: 1 | 4, to: 2, frame: 9)
    #expect(throws: GrantStatus.generalError) { try grants.map(8, of: 1, at: Self.window, flags: .host, by: 2) }
    #expect(fixture.flags(8, in: one) == 0b00101)
    let first = try grants.map(8, of: 1, at: Self.window, flags: [.host, .readOnly], by: 2)
    let second = try grants.map(8, of: 1, at: Self.window + Self.frame, flags: [.host, .readOnly], by: 2)
    #expect(fixture.flags(8, in: one) == 0b01101 && !two.memory.isWritable(Self.window))
    #expect(!two.store(Self.window, 1 as UInt8))
    try grants.unmap(first.handle, at: Self.window, by: 2)
    #expect(fixture.flags(8, in: one) == 0b01101)
    try grants.unmap(second.handle, at: Self.window + Self.frame, by: 2)
    #expect(fixture.flags(8, in: one) == 0b00101)
  }

  @Test func whatWasThereIsReleased() throws {
    two.store(5 * Self.frame, 1 as UInt8)
    let free = pool.free
    fixture.grant(8, in: one, flags: 1, to: 2, frame: 9)
    one.store(9 * Self.frame, 0x77 as UInt8)
    let map = try grants.map(8, of: 1, at: 5 * Self.frame, flags: .host, by: 2)
    #expect(pool.free == free + Self.frame && two.load(5 * Self.frame, as: UInt8.self) == 0x77)
    // The page of frame 6 takes its place.
    two.store(6 * Self.frame, 0x66 as UInt8)
    try grants.unmapAndReplace(map.handle, at: 5 * Self.frame, with: 6 * Self.frame, by: 2)
    #expect(two.load(5 * Self.frame, as: UInt8.self) == 0x66 && two.load(6 * Self.frame, as: UInt8.self) == nil)
    #expect(fixture.flags(8, in: one) == 1)
  }

  @Test func wrongArgumentsHaveTheirStatus() throws {
    fixture.grant(8, in: one, flags: 1, to: 2, frame: 9)
    func map(_ reference: UInt32 = 8, of: UInt16 = 1, at: UInt64 = Self.window, flags: UInt32) throws {
      _ = try grants.map(reference, of: of, at: at, flags: GrantMapFlags(rawValue: flags), by: 2)
    }
    #expect(throws: GrantStatus.badDomain) { try map(of: 7, flags: 2) }
    #expect(throws: GrantStatus.badDomain) { try map(of: 0x7FF0, flags: 2) }
    #expect(throws: GrantStatus.badReference) { try map(flags: 0) }
    #expect(throws: GrantStatus.badReference) { try map(flags: 4) }
    #expect(throws: GrantStatus.badReference) { try map(2048, flags: 2) }
    #expect(throws: GrantStatus.badReference) { try map(.max, flags: 2) }
    for flags in [1, 3, 2 | 8, 2 | 0x10] as [UInt32] { #expect(throws: GrantStatus.generalError) { try map(flags: flags) } }
    #expect(throws: GrantStatus.badAddress) { try map(at: Self.window + 8, flags: 2) }
    #expect(throws: GrantStatus.addressTooBig) { try map(at: 1 << 47, flags: 2) }
    // The hypervisor's own pages are not to be covered.
    #expect(throws: GrantStatus.badAddress) { try map(at: GrantTables.paravirtualizedPlace, flags: 2) }
    fixture.grant(9, in: one, flags: 1, to: 3, frame: 9)
    #expect(throws: GrantStatus.generalError) { try map(9, flags: 2) }
    for bits in [0, 2, 3, 1 | 0x20, 1 | 0x40, 1 | 0x80] as [UInt16] {
      fixture.grant(9, in: one, flags: bits, to: 2, frame: 9)
      #expect(throws: GrantStatus.generalError) { try map(9, flags: 2) }
      #expect(fixture.flags(9, in: one) == bits)
    }
    #expect(throws: GrantStatus.badHandle) { try grants.unmap(0, at: Self.window, by: 2) }
    let handle = try grants.map(8, of: 1, at: Self.window, flags: .host, by: 2).handle
    #expect(throws: GrantStatus.generalError) { try grants.unmap(handle, at: Self.window + Self.frame, by: 2) }
    #expect(throws: GrantStatus.badHandle) { try grants.unmap(handle, at: Self.window, by: 1) }
    #expect(throws: GrantStatus.badAddress) { try map(flags: 2) }
    #expect(grants.statistics.maps == 1)
    try grants.unmap(handle, at: Self.window, by: 2)
  }

  @Test func onlyOwnMemoryCanBeGranted() throws {
    // Not RAM, given up, the table itself, and another domain's.
    #expect(one.memory.giveUp(10))
    fixture.grant(8, in: two, flags: 1, to: 1, frame: 4)
    _ = try grants.map(8, of: 2, at: 12 * Self.frame, flags: .host, by: 1)
    for frame in [64, UInt32.max, UInt32(truncatingIfNeeded: GrantTables.paravirtualizedPlace >> 14), 10, 12] {
      fixture.grant(8, in: one, flags: 1, to: 2, frame: frame)
      #expect(throws: GrantStatus.generalError) { try grants.map(8, of: 1, at: Self.window, flags: .host, by: 2) }
      #expect(throws: GrantStatus.generalError) {
        try grants.copy(
          .init(from: .init(.granted(8), of: 1, offset: 0), to: .init(.frame(1), of: 0x7FF0, offset: 0), length: 8), by: 2)
      }
      #expect(fixture.flags(8, in: one) == 1)
    }
  }

  @Test func aFrameInUseIsWhatItWas() throws {
    fixture.grant(8, in: one, flags: 1, to: 2, frame: 9)
    one.store(9 * Self.frame, 0x99 as UInt8)
    _ = try grants.map(8, of: 1, at: Self.window, flags: .host, by: 2)
    // The entry's frame changes: the first use counts.
    fixture.grant(8, in: one, flags: 0, to: 2, frame: 11)
    let second = try grants.map(8, of: 1, at: Self.window + Self.frame, flags: [.host, .readOnly], by: 2)
    #expect(two.load(Self.window + Self.frame, as: UInt8.self) == 0x99)
    try grants.unmap(second.handle, at: Self.window + Self.frame, by: 2)
    // The frame is given up: it is nobody's as long as it is mapped.
    let free = pool.free
    #expect(one.memory.giveUp(9) && pool.free == free)
    #expect(throws: GrantStatus.generalError) {
      try grants.map(8, of: 1, at: Self.window + Self.frame, flags: [.host, .readOnly], by: 2)
    }
    #expect(two.load(Self.window, as: UInt8.self) == 0x99)
    try grants.unmap(0, at: Self.window, by: 2)
    #expect(pool.free == free + Self.frame)
  }

  @Test func handlesAndPinsAreBounded() throws {
    fixture.grant(8, in: one, flags: 1, to: 2, frame: 9)
    for index in 0..<127 as Range<UInt64> {
      _ = try grants.map(8, of: 1, at: Self.window + index * Self.frame, flags: .host, by: 2)
    }
    #expect(throws: GrantStatus.generalError) {
      try grants.map(8, of: 1, at: Self.window + 127 * Self.frame, flags: .host, by: 2)
    }
    // Handles are given out again.
    try grants.unmap(5, at: Self.window + 5 * Self.frame, by: 2)
    #expect(try grants.map(8, of: 1, at: Self.window + 5 * Self.frame, flags: .host, by: 2).handle == 5)
  }

  @Test func deadDomainsLeaveNothing() throws {
    let start = pool.free
    var three: ServiceDomain? = try ServiceDomain(3, pool: pool)
    let alive = pool.free
    if let three {
      try grants.add(three, tableAt: GrantTables.paravirtualizedPlace)
      fixture.grant(8, in: three, flags: 1, to: 2, frame: 9)
      three.store(9 * Self.frame, 0x3333 as UInt16)
      fixture.grant(8, in: one, flags: 1, to: 3, frame: 7)
      _ = try grants.map(8, of: 1, at: Self.window, flags: .host, by: 3)
      #expect(fixture.flags(8, in: one) == 0b11001)
    }
    let map = try grants.map(8, of: 3, at: Self.window, flags: .host, by: 2)
    let host = try grants.mapForHostOfTwo(fixture)
    grants.remove(3)
    three = nil
    // What the dead one had mapped is unmapped; what is mapped of it stays, and nothing else does (its shared_info is the test's).
    #expect(fixture.flags(8, in: one) == 1)
    #expect(pool.free == start - 2 * Self.frame && alive < start)
    #expect(two.load(Self.window, as: UInt16.self) == 0x3333)
    try grants.unmap(map.handle, at: Self.window, by: 2)
    #expect(pool.free == start - Self.frame)
    grants.unmapForHost(host)
    #expect(fixture.flags(9, in: two) == 1)
  }

  @Test func aCoveredMappingEndsToo() throws {
    fixture.grant(8, in: one, flags: 1, to: 2, frame: 9)
    let map = try grants.map(8, of: 1, at: Self.window, flags: .host, by: 2)
    #expect(two.memory.hide(Self.window >> 14))
    #expect(throws: GrantStatus.generalError) { try grants.unmap(map.handle, at: Self.window, by: 2) }
    #expect(fixture.flags(8, in: one) == 1)
    #expect(throws: GrantStatus.badHandle) { try grants.unmap(map.handle, at: Self.window, by: 2) }
  }
}

extension GrantTables {
  fileprivate func mapForHostOfTwo(_ fixture: GrantFixture) throws(GrantStatus) -> HostMapping {
    fixture.grant(9, in: fixture.two, flags: 1, to: 0, frame: 3)
    return try mapForHost(9, of: 2)
  }
}
