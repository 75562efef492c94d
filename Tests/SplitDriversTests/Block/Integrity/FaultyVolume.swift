import HostResources
import StorageTestSupport

/// What the campaign's volume is: a mirrored pair, each half of which is reached over two paths. The disks are in memory and have write
/// caches; paths, halves and the mirror's record fail when they are told to.
final class FaultyVolume {
  // 64 regions of the mirror.
  static let size = 4 << 20
  private var random: StorageRandom
  /// Only one half at a time has failures, and the record none: then no request may be refused.
  private let isGentle: Bool
  /// The one that has them.
  private var weakHalf: Int?
  private var disks = [TestDisk(size: size), TestDisk(size: size)]
  private var identities: [UInt64] = [1, 2]
  private let record = TestDisk(size: 8192)
  private var paths: [[FaultyStorage]] = []
  private var recordPath: FaultyStorage
  /// What a back end gets; nil while the volume is closed.
  private(set) var mirror: MirroredStorage?
  private(set) var counts: [String: Int] = [:]

  init(seed: UInt64, isGentle: Bool) throws {
    random = StorageRandom(state: seed)
    self.isGentle = isGentle
    recordPath = FaultyStorage(record)
    try open()
  }

  private func count(_ event: String) { counts[event, default: 0] += 1 }

  // MARK: Opening

  private func half(_ n: Int) throws -> MultipathStorage {
    try MultipathStorage(
      paths[n].map { MultipathStorage.Path($0) }, policy: random.below(2) == 0 ? .failover : .roundRobin, probeInterval: 16)
  }

  private func connect(_ n: Int) { paths[n] = (0..<2).map { _ in FaultyStorage(disks[n], seed: random.next()) } }

  func open() throws {
    paths = [[], []]
    for n in 0..<2 { connect(n) }
    recordPath = FaultyStorage(record, seed: random.next())
    // Some host starts with a cable pulled.
    if random.below(4) == 0, let n = victim() { paths[n][random.below(2)].isDead = true }
    let missing = random.below(8) == 0 ? victim() : nil
    let speed = random.below(2)
    func halves(without missing: Int?) throws -> [MirroredStorage.Half] {
      try (0..<2).map { MirroredStorage.Half($0 == missing ? nil : try half($0), identity: identities[$0]) }
    }
    do {
      let halves = try halves(without: missing)
      mirror = try MirroredStorage(halves[0], halves[1], record: recordPath, regionsPerRequest: speed)
      if missing != nil { count("halves missing at start") }
    } catch is VolumeRefusal {
      // The missing half is the one that is up to date, or the mirror is new.
      let halves = try halves(without: nil)
      mirror = try MirroredStorage(halves[0], halves[1], record: recordPath, regionsPerRequest: speed)
    }
  }

  /// As when the machine is switched off: flushed, as far as that works.
  func close() { mirror = nil }

  /// The process ends at once, and perhaps the host with it: nothing that would be done later reaches a disk.
  func stop(host: Bool) {
    (paths.joined() + [recordPath]).forEach { $0.isDead = true }
    mirror = nil
    if host { (disks + [record]).forEach { $0.crash(&random) } }
  }

  // MARK: Failures

  /// A half that may have a failure now.
  private func victim() -> Int? {
    guard isGentle else { return random.below(2) }
    // While the other one is not known to be whole, this one is the only one.
    if weakHalf == nil, mirror?.states == [.active, .active] { weakHalf = random.below(2) }
    return weakHalf
  }

  private func path() -> FaultyStorage? { victim().map { paths[$0][random.below(2)] } }

  func failOnce() {
    path()?.failsIn = random.below(4)
    count("single errors")
  }

  func makeFlaky() {
    path()?.oddsOfFailure = 10
    count("flaky paths")
  }

  func breakPath() {
    path()?.isDead = true
    count("dead paths")
  }

  /// One path is there again.
  func mendPath() {
    let path = paths[random.below(2)][random.below(2)]
    if path.isDead { count("paths back") }
    (path.isDead, path.oddsOfFailure) = (false, 0)
  }

  func breakHalf() {
    guard let n = victim() else { return }
    for path in paths[n] { path.isDead = true }
    count("dead halves")
  }

  func breakRecord() {
    guard !isGentle else { return }
    recordPath.failsIn = random.below(3)
    count("errors of the record")
  }

  /// All paths work, and a half that the mirror has given up comes back: sometimes as a new disk.
  func repair() throws {
    for path in paths.joined() { (path.isDead, path.failsIn, path.oddsOfFailure) = (false, nil, 0) }
    recordPath.failsIn = nil
    guard let mirror else { return }
    if let failed = mirror.states.firstIndex(of: .failed) {
      let isNew = random.below(4) == 0
      if isNew {
        disks[failed] = TestDisk(size: Self.size)
        identities[failed] = random.next()
        connect(failed)
      }
      try mirror.readmit(failed, half(failed), identity: identities[failed], isEmpty: isNew)
      count(isNew ? "replacements" : "readmissions")
    }
    if isGentle {
      while mirror.resync(regions: 16) > 0 {}
      weakHalf = nil
    }
  }

  /// The mirror copies a little of what a half misses.
  func resync() { mirror?.resync(regions: random.below(20)) }

  /// After a repair and a flush: both halves are copied, and in use. True: they have the same contents.
  func areHalvesEqual() -> Bool {
    guard let mirror else { return false }
    while mirror.resync(regions: 16) > 0 {}
    return mirror.states == [.active, .active] && disks[0].contents == disks[1].contents
  }
}
