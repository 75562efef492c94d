#if canImport(Glibc)
  import Glibc
#endif

/// Two halves with the same contents (RAID 1). What has been acknowledged and flushed is on every half that is in the mirror; a half that
/// fails is out of it, and the guest notices nothing. A record beside them knows the regions in which they may differ, so that a half
/// that comes back is brought up to date by copying those: in steps, between requests.
public final class MirroredStorage: BlockStorage {
  /// What a half is good for.
  public enum State: UInt8, Sendable {
    /// Read and written.
    case active = 1
    /// Written, and read where it is up to date already.
    case syncing
    /// Left alone.
    case failed
  }

  /// A half as the mirror gets it.
  public struct Half {
    /// Nil: it cannot be had.
    var storage: (any BlockStorage)?
    /// What it is known by: another half with the same name gets everything copied.
    var identity: UInt64
    public init(_ storage: (any BlockStorage)?, identity: UInt64) { (self.storage, self.identity) = (storage, identity) }
  }

  public let size: UInt64
  public let isReadOnly: Bool
  var halves: [(half: Half, state: State)]
  let regionSize: UInt64
  var record: MirrorRecord
  /// The record does not have the states yet: nothing is acknowledged before it has.
  var recordIsBehind = false
  /// Regions that are to be copied. With one half active: what the other one misses. With both: what may differ since the last run.
  var behind: RegionSet
  /// Of these, copied and not flushed.
  var copied: RegionSet
  /// Where copying goes on.
  var cursor = 0
  /// Regions written since the last flush, and before it but not since.
  private var recent: RegionSet
  private var older: RegionSet
  /// Regions that each request takes the occasion to copy.
  private let regionsPerRequest: Int
  /// Why a half has failed, for the user.
  private(set) var reasons: [Int: StorageFailure] = [:]

  // MARK: Opening

  /// The first half is the one whose contents count when there is no record (all zeros) yet. A half that failed in an earlier run and is
  /// here again is brought up to date.
  public init(_ first: Half, _ second: Half, record file: any BlockStorage, regionsPerRequest: Int = 1) throws {
    let old = try MirrorRecord(reading: file)
    // A half that is missing is still known by its name.
    let given = zip([first, second], old?.header.identities ?? [first.identity, second.identity]).map { half, name in
      half.storage == nil ? Half(nil, identity: name) : half
    }
    let present = given.compactMap(\.storage)
    guard let size = present.first?.size else { throw VolumeRefusal("neither half of the mirror can be opened") }
    guard present.allSatisfy({ $0.size == size }) else {
      throw VolumeRefusal(
        "the halves of the mirror have different sizes: \(present.map { "\($0.size)" }.joined(separator: " and ")) bytes")
    }
    isReadOnly = present.contains(where: \.isReadOnly) || file.isReadOnly
    self.size = size
    self.regionsPerRequest = regionsPerRequest
    if let old, old.header.mediumSize != size {
      throw VolumeRefusal("the mirror's record is one of \(old.header.mediumSize) bytes, not \(size)")
    }
    let states = try Self.states(given, old)
    record =
      old
      ?? MirrorRecord(
        new: MirrorRecord.Header(states: states, mediumSize: size, generation: 0, identities: given.map(\.identity)), in: file)
    regionSize = MirrorRecord.regionSize(size)
    let isNew = old.map { old in
      given.indices.contains { given[$0].storage != nil && given[$0].identity != old.header.identities[$0] }
    }
    behind = isNew ?? true ? .all(record.bits.capacity) : record.bits
    copied = RegionSet(capacity: behind.capacity)
    recent = copied
    older = copied
    halves = zip(given, states).map { ($0, $1) }
    guard !isReadOnly else { return }
    try record.writeAllBits(behind)
    recordIsBehind = true
    try keepRecord()
  }

  private static func states(_ given: [Half], _ old: MirrorRecord?) throws -> [State] {
    guard let old else {
      guard given.allSatisfy({ $0.storage != nil }) else { throw VolumeRefusal("a new mirror needs both halves") }
      return [.active, .syncing]
    }
    let known = zip(given, old.header.identities).map { $0.identity == $1 }
    guard zip(given, known).contains(where: { $0.storage != nil && $1 }) else {
      throw VolumeRefusal("the mirror's record belongs to other images; without it, all of the first half is copied to the second")
    }
    let states = given.indices.map { n -> State in
      if given[n].storage == nil { return .failed }
      return known[n] && old.header.states[n] == .active ? .active : .syncing
    }
    guard states.contains(.active) else { throw VolumeRefusal("the half of the mirror that is up to date is missing") }
    return states
  }

  deinit {
    guard !isReadOnly else { return }
    do throws(StorageFailure) {
      try flush()
      // Nothing has been written since: what is left is what a half misses.
      if states == [.active, .active] { try record.write(bits: behind, durably: false) }
    } catch {}
  }

  public var states: [State] { halves.map(\.state) }
  /// Regions that are to be copied yet.
  public var regionsBehind: Int { behind.count }

  // MARK: Requests

  private func regions(_ offset: UInt64, _ count: Int) -> Range<Int> {
    count == 0 ? 0..<0 : Int(offset / regionSize)..<Int((offset + UInt64(count) - 1) / regionSize) + 1
  }

  public func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
    try check(offset, buffer.count)
    let regions = regions(offset, buffer.count)
    // What the guest has seen once it is to see again, whichever half is left then.
    if states == [.active, .active], !isReadOnly {
      for region in regions where behind.contains(region) && !copied.contains(region) { copy(region) }
    }
    var failure = StorageFailure.host(errno: EIO)
    for n in readOrder(regions) {
      guard let storage = halves[n].half.storage else { continue }
      do throws(StorageFailure) {
        try storage.read(at: offset, into: buffer)
        proceed()
        return
      } catch {
        failure = error
        fail(n, error)
      }
    }
    throw failure
  }

  /// Active halves first; then the other one, where it misses nothing.
  private func readOrder(_ regions: Range<Int>) -> [Int] {
    let active = halves.indices.filter { halves[$0].state == .active }
    let rest = halves.indices.filter { halves[$0].state != .active }
    return behind.intersects(regions) ? active : active + rest
  }

  public func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    guard !isReadOnly else { throw .readOnly }
    try check(offset, buffer.count)
    try keepRecord()
    let regions = regions(offset, buffer.count)
    try cover(regions)
    recent.insert(regions)
    var failures: [(half: Int, failure: StorageFailure)] = []
    var isStored = false
    for n in halves.indices where halves[n].state != .failed {
      guard let storage = halves[n].half.storage else { continue }
      do throws(StorageFailure) {
        try storage.write(at: offset, from: buffer)
        if halves[n].state == .active { isStored = true }
      } catch { failures.append((n, error)) }
    }
    for (half, failure) in failures { fail(half, failure) }
    // Also what the last half has refused may be on the other one.
    if !isStored || states.contains(.failed) {
      behind.insert(regions)
      for region in regions { copied.remove(region) }
    }
    guard isStored else { throw failures.last?.failure ?? .host(errno: EIO) }
    try keepRecord()
    proceed()
  }

  /// The record has the bits of these regions before anything else happens to them.
  private func cover(_ regions: Range<Int>) throws(StorageFailure) {
    guard !regions.allSatisfy(record.bits.contains) else { return }
    var bits = record.bits
    bits.insert(regions)
    try record.write(bits: bits, durably: true)
  }

  public func flush() throws(StorageFailure) {
    guard !isReadOnly else { return }
    try keepRecord()
    let failures = flushHalves()
    guard halves.indices.contains(where: { n in halves[n].state == .active && !failures.contains { $0.half == n } }) else {
      throw failures.last?.failure ?? .host(errno: EIO)
    }
    try keepRecord()
    // A region that is written again and again keeps its bit: taking it back each time would cost a flush of the record for each write.
    var settled = older
    settled.subtract(recent)
    settled.subtract(behind)
    older = recent
    recent.removeAll()
    guard !settled.isEmpty else { return }
    var bits = record.bits
    bits.subtract(settled)
    try record.write(bits: bits, durably: false)
  }

  private func flushHalves() -> [(half: Int, failure: StorageFailure)] {
    var failures: [(half: Int, failure: StorageFailure)] = []
    for n in halves.indices where halves[n].state != .failed {
      guard let storage = halves[n].half.storage else { continue }
      do throws(StorageFailure) { try storage.flush() } catch { failures.append((n, error)) }
    }
    for (half, failure) in failures { fail(half, failure) }
    return failures
  }

  private func proceed() {
    if regionsPerRequest > 0, !isReadOnly { _ = resync(regions: regionsPerRequest) }
  }

  // MARK: Failures

  /// Takes a half out of the mirror; the last one stays, and its failures are the guest's.
  func fail(_ n: Int, _ failure: StorageFailure) {
    guard halves[n].state != .failed, halves.indices.contains(where: { $0 != n && halves[$0].state == .active }) else { return }
    halves[n].state = .failed
    reasons[n] = failure
    // What it was told and has not flushed need not be there.
    behind.formUnion(recent)
    behind.formUnion(older)
    copied.removeAll()
    recordIsBehind = true
    // Whoever acknowledges something tries again.
    try? keepRecord()
  }

  func keepRecord() throws(StorageFailure) {
    guard recordIsBehind, !isReadOnly else { return }
    try record.write(states: states, identities: halves.map(\.half.identity))
    recordIsBehind = false
  }

  /// A half that had failed is there again, or another one in its place: `isEmpty`, with nothing of the mirror's contents on it.
  public func readmit(_ n: Int, _ storage: any BlockStorage, identity: UInt64, isEmpty: Bool) throws {
    guard halves[n].state == .failed else { throw VolumeRefusal("this half of the mirror has not failed") }
    guard storage.size == size else { throw VolumeRefusal("a half of this mirror has \(size) bytes, not \(storage.size)") }
    if isEmpty {
      behind = .all(behind.capacity)
      try record.write(bits: behind, durably: true)
    }
    copied.removeAll()
    halves[n] = (Half(storage, identity: identity), .syncing)
    reasons[n] = nil
    recordIsBehind = true
    try keepRecord()
  }

  /// Regions that may have been written to one half only, if the host stops now.
  var unsettled: RegionSet {
    var set = recent
    set.formUnion(older)
    return set
  }
}
