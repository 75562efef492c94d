#if canImport(Glibc)
  import Glibc
#endif

/// Several ways to one volume. A request that fails on one is repeated on the next; ways that have failed are tried again later.
///
/// The ways lead to the same contents, caches included: a flush over one covers what was written over the others, as with a disk array.
public final class MultipathStorage: BlockStorage {
  public enum Policy: String, Sendable, CaseIterable {
    /// Requests go over all ways in turns.
    case roundRobin = "round-robin"
    /// They go over the first way that works, in the order of the command line.
    case failover
  }

  /// What becomes of a request that no way serves.
  public struct Queueing: Sendable {
    /// It is tried again so many times before the guest sees an error.
    public var attempts: Int
    /// What is done between attempts.
    var wait: @Sendable () -> Void

    public init(attempts: Int, wait: @escaping @Sendable () -> Void) { (self.attempts, self.wait) = (attempts, wait) }
    public static let none = Queueing(attempts: 0) {}
    /// Ten attempts in each second.
    public static func seconds(_ seconds: Int) -> Queueing { Queueing(attempts: seconds * 10) { usleep(100_000) } }
  }

  public struct PathStatistics: Sendable, Equatable {
    public var requests: UInt64 = 0
    public var failures: UInt64 = 0
  }

  /// A way to the volume.
  public struct Path {
    var storage: any BlockStorage
    /// Goes the way again from its beginning, for connections that do not come back by themselves.
    let reopen: (() throws -> any BlockStorage)?
    var isWorking = true
    var statistics = PathStatistics()

    public init(_ storage: any BlockStorage, reopen: (() throws -> any BlockStorage)? = nil) {
      (self.storage, self.reopen) = (storage, reopen)
    }
  }

  public let size: UInt64
  public let isReadOnly: Bool
  private var paths: [Path]
  private let policy: Policy
  private let queueing: Queueing
  /// After so many requests, ways that have failed are tried.
  private let probeInterval: Int
  private var requestsUntilProbe: Int
  private var turn = 0

  /// Throws a reason if the paths cannot lead to one volume.
  public init(
    _ paths: [Path], policy: Policy = .failover, queueing: Queueing = .none, probeInterval: Int = 256
  ) throws(VolumeRefusal) {
    guard let first = paths.first?.storage else { throw VolumeRefusal("there is no path") }
    guard paths.allSatisfy({ $0.storage.size == first.size && $0.storage.isReadOnly == first.isReadOnly }) else {
      throw VolumeRefusal("the paths lead to different volumes: their sizes differ")
    }
    size = first.size
    isReadOnly = first.isReadOnly
    self.paths = paths
    (self.policy, self.queueing, self.probeInterval) = (policy, queueing, probeInterval)
    requestsUntilProbe = probeInterval
    guard Set(paths.compactMap { Self.start(of: $0.storage) }).count <= 1 else {
      throw VolumeRefusal("the paths lead to different volumes: their contents differ")
    }
  }

  /// The first bytes, which have the partition table or the file system's header. Nil: they cannot be read.
  private static func start(of storage: any BlockStorage) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: Int(min(storage.size, 64 << 10)))
    do throws(StorageFailure) { try storage.read(at: 0, into: &bytes, 0..<bytes.count) } catch { return nil }
    return bytes
  }

  public var statistics: [PathStatistics] { paths.map(\.statistics) }
  public var workingPaths: [Bool] { paths.map(\.isWorking) }

  // MARK: Requests

  public func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
    try check(offset, buffer.count)
    try request { (storage) throws(StorageFailure) in try storage.read(at: offset, into: buffer) }
  }

  public func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    guard !isReadOnly else { throw .readOnly }
    try check(offset, buffer.count)
    try request { (storage) throws(StorageFailure) in try storage.write(at: offset, from: buffer) }
  }

  public func flush() throws(StorageFailure) {
    try request { (storage) throws(StorageFailure) in try storage.flush() }
  }

  private func request(_ body: (any BlockStorage) throws(StorageFailure) -> Void) throws(StorageFailure) {
    probe()
    // The first time at once: a way that has failed may have come back since it was tried.
    var waits = -1
    while true {
      let failure: StorageFailure
      do throws(StorageFailure) { return try once(body) } catch { failure = error }
      guard case .host = failure, waits < queueing.attempts else { throw failure }
      if waits >= 0 { queueing.wait() }
      waits += 1
      requestsUntilProbe = 0
      probe()
    }
  }

  /// Over each way once, those that work first.
  private func once(_ body: (any BlockStorage) throws(StorageFailure) -> Void) throws(StorageFailure) {
    var last = StorageFailure.host(errno: EIO)
    for n in order() {
      paths[n].statistics.requests &+= 1
      do throws(StorageFailure) {
        try body(paths[n].storage)
        paths[n].isWorking = true
        return
      } catch {
        // The volume's own answer is the same on every way.
        guard case .host = error else { throw error }
        paths[n].statistics.failures &+= 1
        paths[n].isWorking = false
        last = error
      }
    }
    throw last
  }

  private func order() -> [Int] {
    var first = 0
    if policy == .roundRobin {
      first = turn
      turn = (turn + 1) % paths.count
    }
    let all = paths.indices.map { (first + $0) % paths.count }
    return all.filter { paths[$0].isWorking } + all.filter { !paths[$0].isWorking }
  }

  /// Tries the ways that have failed, if it is time.
  private func probe() {
    requestsUntilProbe -= 1
    guard requestsUntilProbe <= 0 else { return }
    requestsUntilProbe = probeInterval
    for n in paths.indices where !paths[n].isWorking {
      if Self.answers(paths[n].storage) {
        paths[n].isWorking = true
      } else if let fresh = try? paths[n].reopen?(), fresh.size == size, Self.answers(fresh) {
        paths[n].storage = fresh
        paths[n].isWorking = true
      } else {
        paths[n].statistics.failures &+= 1
      }
    }
  }

  private static func answers(_ storage: any BlockStorage) -> Bool {
    var sector = [UInt8](repeating: 0, count: BlockSize.sector)
    do throws(StorageFailure) { try storage.read(at: 0, into: &sector, 0..<sector.count) } catch { return false }
    return true
  }
}
