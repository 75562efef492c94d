import Foundation
import HostResources
import StorageTestSupport
import Synchronization
import TestSupport
import Testing

@Suite(.ends(withinMinutes: 5)) struct MultipathTests {
  private static let seed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 20_261_130
  let disk = TestDisk(size: 1 << 20)

  private func paths(_ count: Int) -> [FaultyStorage] { (0..<count).map { FaultyStorage(disk, seed: UInt64($0 + 1)) } }
  private func open(
    _ paths: [FaultyStorage], _ policy: MultipathStorage.Policy = .failover, queueing: MultipathStorage.Queueing = .none,
    probeInterval: Int = 10
  ) throws -> MultipathStorage {
    try MultipathStorage(
      paths.map { MultipathStorage.Path($0) }, policy: policy, queueing: queueing, probeInterval: probeInterval)
  }

  /// Requests beyond the look at the first sectors, when the paths are compared.
  private func requests(_ paths: [FaultyStorage]) -> [Int] { paths.map { $0.requests - 1 } }

  @Test func policies() throws {
    let first = paths(3)
    let failover = try open(first)
    for _ in 0..<9 { try failover.put(0, pattern(512)) }
    #expect(requests(first) == [9, 0, 0])
    let second = paths(3)
    let roundRobin = try open(second, .roundRobin)
    for _ in 0..<9 { _ = try roundRobin.bytes(0, 512) }
    #expect(requests(second) == [3, 3, 3])
  }

  /// A torn write is repeated as a whole on the next path; the first one is asked again later, and used when it answers.
  @Test func failsOverAndBack() throws {
    let paths = paths(2)
    let volume = try open(paths)
    paths[0].failsIn = 0
    try volume.put(4096, pattern(8192))
    #expect(Array(disk.contents[4096..<12288]) == pattern(8192))
    #expect(volume.workingPaths == [false, true])
    paths[0].isDead = true
    for _ in 0..<15 { try volume.put(0, pattern(512)) }
    #expect(volume.workingPaths == [false, true])
    paths[0].isDead = false
    let before = requests(paths)
    for _ in 0..<15 { try volume.put(0, pattern(512)) }
    #expect(volume.workingPaths == [true, true])
    #expect(requests(paths)[0] > before[0] + 1)
    #expect(volume.statistics.map { $0.failures > 0 } == [true, false])
  }

  @Test func allDown() throws {
    let paths = paths(2)
    let volume = try open(paths)
    paths.forEach { $0.isDead = true }
    #expect(throws: StorageFailure.host(errno: EIO)) { try volume.bytes(0, 512) }
    #expect(throws: StorageFailure.host(errno: EIO)) { try volume.flush() }
    // The first that is back is found by the request itself.
    paths[1].isDead = false
    try volume.put(0, pattern(512))
    #expect(volume.workingPaths == [false, true])
  }

  /// Requests wait for a path, up to a limit.
  @Test func queueing() throws {
    let paths = paths(2)
    let waits = Mutex(0)
    let volume = try open(paths, queueing: MultipathStorage.Queueing(attempts: 5) { waits.withLock { $0 += 1 } })
    // Both fail once: the request is repeated without waiting.
    paths.forEach { $0.failsIn = 0 }
    try volume.put(0, pattern(512))
    #expect(waits.withLock { $0 } == 0)
    paths.forEach { $0.isDead = true }
    #expect(throws: StorageFailure.host(errno: EIO)) { try volume.put(0, pattern(512)) }
    #expect(waits.withLock { $0 } == 5)
  }

  /// The volume's own answers are no failures of a path.
  @Test func answersOfTheVolume() throws {
    let paths = paths(2)
    let volume = try open(paths)
    #expect(throws: StorageFailure.outside) { try volume.bytes(1 << 20, 512) }
    #expect(volume.workingPaths == [true, true])
  }

  @Test func reopens() throws {
    let first = FaultyStorage(disk)
    let volume = try MultipathStorage([MultipathStorage.Path(first) { [disk] in FaultyStorage(disk) }], probeInterval: 3)
    first.isDead = true
    #expect(try volume.bytes(0, 512) == [UInt8](repeating: 0, count: 512))
    #expect(volume.workingPaths == [true] && volume.statistics[0].failures > 0)
  }

  @Test func differentVolumes() throws {
    let other = TestDisk(size: 1 << 20)
    try other.put(0, pattern(512))
    #expect(
      problem { _ = try MultipathStorage([disk, other].map { MultipathStorage.Path($0) }) }
        == "the paths lead to different volumes: their contents differ")
    #expect(
      problem { _ = try MultipathStorage([disk, TestDisk(size: 512)].map { MultipathStorage.Path($0) }) }
        == "the paths lead to different volumes: their sizes differ")
  }

  @Test(arguments: [MultipathStorage.Policy.failover, .roundRobin]) func tenThousandRequests(_ policy: MultipathStorage.Policy)
    throws
  {
    print("seed \(Self.seed)")
    var random = StorageRandom(state: Self.seed)
    var model = SectorModel(sectors: (1 << 20) / 512)
    var paths = paths(3)
    var volume = try open(paths, policy)
    var failures = 0
    for _ in 0..<10_000 {
      let first = random.below(model.sectors)
      let range = first..<min(model.sectors, first + 1 + random.below(32))
      do {
        switch random.below(100) {
        case 0..<45:
          let (value, bytes) = model.data(range)
          do {
            try volume.put(UInt64(first * 512), bytes)
            model.written(range, value, acknowledged: true)
          } catch {
            model.written(range, value, acknowledged: false)
            throw error
          }
        case 45..<80:
          let bytes = try volume.bytes(UInt64(first * 512), range.count * 512)
          let isRight = model.accepts(bytes, at: first)
          #expect(isRight, "seed \(Self.seed)")
        case 80..<90:
          try volume.flush()
          model.flushed()
        case 90..<94: paths[random.below(3)].failsIn = random.below(3)
        case 94..<96: paths[random.below(3)].isDead = true
        case 96..<99: paths[random.below(3)].isDead = false
        default:
          // Killed, or the host has stopped: everything is opened again.
          paths.forEach { $0.isDead = true }
          model.killed()
          if random.below(2) == 0 {
            disk.crash(&random)
            model.crashed()
          }
          paths = self.paths(3)
          volume = try open(paths, policy)
        }
      } catch is StorageFailure { failures += 1 }
    }
    print("\(policy.rawValue): \(failures) requests with no path left")
    paths.forEach { $0.isDead = false }
    let bytes = try volume.bytes(0, 1 << 20)
    let isRight = model.accepts(bytes, at: 0)
    #expect(isRight, "seed \(Self.seed)")
  }
}
