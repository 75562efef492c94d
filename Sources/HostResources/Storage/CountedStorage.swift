/// What a device did with its medium.
public struct StorageStatistics: Sendable, Equatable, Codable {
  public var reads: UInt64 = 0
  public var writes: UInt64 = 0
  public var flushes: UInt64 = 0
  public var bytesRead: UInt64 = 0
  public var bytesWritten: UInt64 = 0
  /// Requests that the host refused.
  public var errors: UInt64 = 0
}

/// Counts requests on their way to another medium.
public final class CountedStorage: BlockStorage {
  private let storage: any BlockStorage
  public private(set) var statistics = StorageStatistics()

  public enum Request: UInt8, Sendable { case read, write, flush }
  /// Told of every request that has been made; nil: nobody looks.
  public var observer: ((_ request: Request, _ offset: UInt64, _ bytes: Int, _ succeeded: Bool) -> Void)?

  public init(_ storage: any BlockStorage) { self.storage = storage }

  public var size: UInt64 { storage.size }
  public var isReadOnly: Bool { storage.isReadOnly }

  private func counted(
    _ kind: Request, _ offset: UInt64, _ bytes: Int, _ request: () throws(StorageFailure) -> Void
  ) throws(StorageFailure) {
    do throws(StorageFailure) { try request() } catch {
      statistics.errors += 1
      observer?(kind, offset, bytes, false)
      throw error
    }
    observer?(kind, offset, bytes, true)
  }

  public func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
    statistics.reads += 1
    try counted(.read, offset, buffer.count) { () throws(StorageFailure) in try storage.read(at: offset, into: buffer) }
    statistics.bytesRead += UInt64(buffer.count)
  }

  public func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    statistics.writes += 1
    try counted(.write, offset, buffer.count) { () throws(StorageFailure) in try storage.write(at: offset, from: buffer) }
    statistics.bytesWritten += UInt64(buffer.count)
  }

  public func flush() throws(StorageFailure) {
    statistics.flushes += 1
    try counted(.flush, 0, 0) { () throws(StorageFailure) in try storage.flush() }
  }
}
