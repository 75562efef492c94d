import Foundation
import HostResources
import StorageTestSupport
import Testing

/// A mirror's rules, one at a time.
@Suite struct MirrorTests {
  let disks = [TestDisk(size: 1 << 20), TestDisk(size: 1 << 20)]
  let record = TestDisk(size: 8192)

  private func open(
    _ first: (any BlockStorage)? = nil, _ second: (any BlockStorage)? = nil, without: Int? = nil, identities: [UInt64] = [1, 2],
    regionsPerRequest: Int = 0
  ) throws -> MirroredStorage {
    let given = [first ?? disks[0], second ?? disks[1]]
    let halves = (0..<2).map { MirroredStorage.Half($0 == without ? nil : given[$0], identity: identities[$0]) }
    return try MirroredStorage(halves[0], halves[1], record: record, regionsPerRequest: regionsPerRequest)
  }

  /// A mirror that has been copied.
  private func whole(_ first: (any BlockStorage)? = nil, _ second: (any BlockStorage)? = nil) throws -> MirroredStorage {
    let mirror = try open(first, second)
    while mirror.resync(regions: 4) > 0 {}
    #expect(mirror.states == [.active, .active])
    return mirror
  }

  /// Without a record, the first half's contents are copied to the second.
  @Test func aNewMirrorIsCopied() throws {
    try disks[0].put(0, pattern(1 << 20))
    let mirror = try open()
    #expect(mirror.states == [.active, .syncing] && mirror.regionsBehind == 16)
    #expect(try mirror.bytes(70000 & ~511, 512) == Array(pattern(1 << 20)[70000 & ~511..<(70000 & ~511) + 512]))
    try mirror.put(512, pattern(512, 9))
    var steps = 0
    while mirror.resync(regions: 3) > 0 { steps += 1 }
    #expect(steps == 5 && mirror.states == [.active, .active])
    #expect(disks[0].contents == disks[1].contents && Array(disks[1].contents[512..<1024]) == pattern(512, 9))
  }

  /// Requests take the occasion.
  @Test func copiesBetweenRequests() throws {
    let mirror = try open(regionsPerRequest: 1)
    for _ in 0..<17 { _ = try mirror.bytes(0, 512) }
    #expect(mirror.states == [.active, .active])
  }

  /// A half fails in the middle of a write: the write is done, all contents are there, and the next run knows which half is behind where.
  @Test(arguments: [0, 1]) func halfFails(_ half: Int) throws {
    do {
      _ = try whole()
    }
    let faulty = disks.map { FaultyStorage($0) }
    do {
      let mirror = try open(faulty[0], faulty[1])
      try mirror.put(0, pattern(4096, 1))
      try mirror.flush()
      faulty[half].failsIn = 0
      try mirror.put(200 * 1024, pattern(8192, 2))
      #expect(mirror.states[half] == .failed && mirror.states[1 - half] == .active)
      #expect(try mirror.bytes(200 * 1024, 8192) == pattern(8192, 2))
      try mirror.put(800 * 1024, pattern(512, 3))
      try mirror.flush()
    }
    let mirror = try open()
    #expect(mirror.states[half] == .syncing && mirror.states[1 - half] == .active)
    // The regions of the three writes, and no others: the first one was not settled yet.
    #expect(mirror.regionsBehind == 3)
    #expect(try mirror.bytes(200 * 1024, 8192) == pattern(8192, 2) && mirror.bytes(800 * 1024, 512) == pattern(512, 3))
    while mirror.resync(regions: 1) > 0 {}
    #expect(mirror.states == [.active, .active] && disks[0].contents == disks[1].contents)
  }

  @Test func bothFail() throws {
    let faulty = disks.map { FaultyStorage($0) }
    let mirror = try whole(faulty[0], faulty[1])
    faulty.forEach { $0.isDead = true }
    #expect(throws: StorageFailure.host(errno: EIO)) { try mirror.put(0, pattern(512)) }
    #expect(throws: StorageFailure.host(errno: EIO)) { try mirror.bytes(0, 512) }
    #expect(throws: StorageFailure.host(errno: EIO)) { try mirror.flush() }
    // The last half is not given up.
    faulty.forEach { $0.isDead = false }
    try mirror.put(0, pattern(512))
    #expect(try mirror.bytes(0, 512) == pattern(512))
  }

  /// The mark is durable before the write that it covers goes anywhere.
  @Test func recordComesFirst() throws {
    let faulty = FaultyStorage(record)
    let halves = disks.enumerated().map { MirroredStorage.Half($1, identity: UInt64($0 + 1)) }
    let mirror = try MirroredStorage(halves[0], halves[1], record: faulty, regionsPerRequest: 0)
    while mirror.resync(regions: 4) > 0 {}
    let flushes = faulty.flushes
    try mirror.put(0, pattern(512))
    #expect(faulty.flushes == flushes + 1)
    try mirror.put(4096, pattern(512))
    #expect(faulty.flushes == flushes + 1)
    faulty.isDead = true
    #expect(throws: StorageFailure.self) { try mirror.put(512 << 10, pattern(512)) }
    #expect(disks.allSatisfy { $0.contents[512 << 10] == 0 })
    faulty.isDead = false
  }

  /// Two flushes later a region that rests has no mark any more.
  @Test func marksGoAway() throws {
    do {
      let mirror = try whole()
      try mirror.put(0, pattern(512))
      for _ in 0..<2 { try mirror.flush() }
      // As if killed: what is in the record now is what the next run finds.
      let copy = TestDisk(record.contents)
      let next = try MirroredStorage(
        MirroredStorage.Half(disks[0], identity: 1), MirroredStorage.Half(disks[1], identity: 2), record: copy, regionsPerRequest: 0
      )
      #expect(next.regionsBehind == 0)
    }
    #expect(try open().regionsBehind == 0)
  }

  /// After a crash the halves differ where the last write was. What is read of it then is there for good.
  @Test func whatHasBeenReadStays() throws {
    let mirror = try whole()
    try mirror.put(0, pattern(512))
    let first = FaultyStorage(TestDisk(disks[0].contents))
    let next = try MirroredStorage(
      MirroredStorage.Half(first, identity: 1), MirroredStorage.Half(TestDisk(size: 1 << 20), identity: 2),
      record: TestDisk(record.contents), regionsPerRequest: 0)
    #expect(next.states == [.active, .active] && next.regionsBehind == 1)
    #expect(try next.bytes(0, 512) == pattern(512))
    first.isDead = true
    #expect(try next.bytes(0, 512) == pattern(512) && next.states == [.failed, .active])
    withExtendedLifetime(mirror) {}
  }

  /// A run is killed before it flushes, the next one copies what it wrote, and then the host crashes: where the record has no mark any
  /// more, the halves are the same.
  @Test func copiesOfAnotherRunsWritesAreDurable() throws {
    let killed = try whole()
    try killed.put(0, pattern(64 * 512))
    let record = TestDisk(record.contents)
    let names = (0..<2).map { MirroredStorage.Half(disks[$0], identity: UInt64($0 + 1)) }
    let next = try MirroredStorage(names[0], names[1], record: record, regionsPerRequest: 0)
    #expect(next.regionsBehind == 1)
    while next.resync(regions: 1) > 0 {}
    var random = StorageRandom(state: 1)
    (disks + [record]).forEach { $0.crash(&random) }
    let last = try MirroredStorage(names[0], names[1], record: record, regionsPerRequest: 0)
    while last.resync(regions: 1) > 0 {}
    #expect(disks[0].contents == disks[1].contents)
    withExtendedLifetime((killed, next)) {}
  }

  @Test func aHalfIsMissing() throws {
    do { try whole().put(0, pattern(512)) }
    do {
      let mirror = try open(without: 0)
      #expect(mirror.states == [.failed, .active])
      try mirror.put(512, pattern(512, 2))
      // It comes back while the mirror is in use.
      try mirror.readmit(0, disks[0], identity: 1, isEmpty: false)
      #expect(mirror.states == [.syncing, .active] && mirror.regionsBehind == 1)
      try mirror.put(1024, pattern(512, 3))
    }
    // The half that is behind does not do alone.
    #expect(problem { _ = try open(without: 1) } == "the half of the mirror that is up to date is missing")
    let mirror = try open()
    while mirror.resync(regions: 1) > 0 {}
    #expect(disks[0].contents == disks[1].contents)
  }

  @Test func aHalfIsReplaced() throws {
    do { try whole().put(0, pattern(512)) }
    let new = TestDisk(size: 1 << 20)
    let mirror = try open(new, identities: [3, 2])
    #expect(mirror.states == [.syncing, .active] && mirror.regionsBehind == 16)
    #expect(try mirror.bytes(0, 512) == pattern(512))
    while mirror.resync(regions: 1) > 0 {}
    #expect(new.contents == disks[1].contents && Array(new.contents[0..<512]) == pattern(512))
  }

  /// A sector that the only active half cannot read comes from the other one, where that is up to date.
  @Test func theOtherHalfHelps() throws {
    let faulty = disks.map { FaultyStorage($0) }
    let mirror = try whole(faulty[0], faulty[1])
    try mirror.put(0, pattern(512))
    try mirror.put(512 << 10, pattern(512))
    for _ in 0..<3 { try mirror.flush() }
    faulty[0].failsIn = 0
    #expect(try mirror.bytes(0, 512) == pattern(512))
    #expect(mirror.states == [.failed, .active])
    try mirror.put(0, pattern(512, 2))
    faulty[1].failsIn = 0
    #expect(throws: StorageFailure.self) { try mirror.bytes(0, 512) }
    faulty[1].failsIn = 0
    #expect(try mirror.bytes(512 << 10, 512) == pattern(512))
  }

  @Test func refusals() throws {
    do { _ = try whole() }
    #expect(problem { _ = try open(TestDisk(size: 2 << 20)) }.hasPrefix("the halves of the mirror have different sizes"))
    #expect(problem { _ = try open(identities: [7, 8]) }.hasPrefix("the mirror's record belongs to other images"))
    #expect(problem { _ = try open(without: 0, identities: [1, 8]) }.hasPrefix("the mirror's record belongs to other images"))
    let other = [TestDisk(size: 2 << 20), TestDisk(size: 2 << 20)]
    #expect(problem { _ = try open(other[0], other[1]) } == "the mirror's record is one of 1048576 bytes, not 2097152")
    try record.put(0, pattern(1024))
    #expect(problem { _ = try open() } == "the mirror's record is damaged")
    #expect(
      problem {
        _ = try MirroredStorage(
          MirroredStorage.Half(disks[0], identity: 1), MirroredStorage.Half(disks[1], identity: 2), record: TestDisk(size: 512))
      } == "the mirror's record has been cut off")
  }

  /// One of the two headers is always whole.
  @Test func tornHeader() throws {
    do { try whole().put(0, pattern(512)) }
    for header in [0, 512] {
      let torn = TestDisk(record.contents)
      try torn.put(UInt64(header), pattern(512))
      let mirror = try MirroredStorage(
        MirroredStorage.Half(disks[0], identity: 1), MirroredStorage.Half(disks[1], identity: 2), record: torn)
      #expect(mirror.states.contains(.active))
      #expect(try mirror.bytes(0, 512) == pattern(512))
    }
  }
}
