import Foundation
import HostResources

/// Fails when a test says so, or now and then.
public final class FaultyStorage: BlockStorage {
  private let storage: any BlockStorage
  private var random: StorageRandom
  /// Nothing works any more.
  public var isDead = false
  /// The request with this number from now on fails: 0 is the next one.
  public var failsIn: Int?
  /// One request in so many fails; 0: none.
  public var oddsOfFailure = 0
  /// Of writes that fail, some sectors are stored.
  public var tears = true
  public private(set) var requests = 0
  public private(set) var flushes = 0

  public init(_ storage: any BlockStorage, seed: UInt64 = 1) {
    self.storage = storage
    random = StorageRandom(state: seed)
  }

  public var size: UInt64 { storage.size }
  public var isReadOnly: Bool { storage.isReadOnly }

  private func fails() -> Bool {
    requests += 1
    defer { failsIn = failsIn.flatMap { $0 == 0 ? nil : $0 - 1 } }
    return isDead || failsIn == 0 || (oddsOfFailure > 0 && random.below(oddsOfFailure) == 0)
  }

  public func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
    if fails() { throw .host(errno: EIO) }
    try storage.read(at: offset, into: buffer)
  }
  public func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    guard fails() else { return try storage.write(at: offset, from: buffer) }
    if tears, !isDead {
      for n in 0..<buffer.count / 512 where random.below(2) == 0 {
        try storage.write(at: offset + UInt64(n * 512), from: UnsafeRawBufferPointer(rebasing: buffer[n * 512..<(n + 1) * 512]))
      }
    }
    throw .host(errno: EIO)
  }
  public func flush() throws(StorageFailure) {
    flushes += 1
    if fails() { throw .host(errno: EIO) }
    try storage.flush()
  }
}
