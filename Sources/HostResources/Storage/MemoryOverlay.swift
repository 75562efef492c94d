#if canImport(Glibc)
  import Glibc
#endif

/// Copy on write in memory: what is written is forgotten with this object, and a process that is forked has its own.
public final class MemoryOverlay: BlockStorage {
  private let base: any BlockStorage
  private var clusters: [UInt64: [UInt8]] = [:]
  public var size: UInt64 { base.size }
  public let isReadOnly = false

  private static let cluster: UInt64 = 65536

  public init(on base: any BlockStorage) { self.base = base }

  /// Calls `body` with each cluster of a range, the first byte in it, and the bytes of the buffer.
  private func pieces(
    _ offset: UInt64, _ count: Int, _ body: (_ cluster: UInt64, _ first: Int, _ range: Range<Int>) throws(StorageFailure) -> Void
  ) throws(StorageFailure) {
    guard offset <= size, UInt64(count) <= size - offset else { throw .outside }
    var done = 0
    while done < count {
      let place = offset + UInt64(done)
      let first = Int(place % Self.cluster)
      let length = min(count - done, Int(Self.cluster) - first)
      try body(place / Self.cluster, first, done..<done + length)
      done += length
    }
  }

  public func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
    try pieces(offset, buffer.count) { (cluster, first, range) throws(StorageFailure) in
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[range])
      guard let bytes = clusters[cluster] else {
        return try base.read(at: cluster * Self.cluster + UInt64(first), into: part)
      }
      bytes.withUnsafeBytes { part.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[first..<first + range.count])) }
    }
  }

  public func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    try pieces(offset, buffer.count) { (cluster, first, range) throws(StorageFailure) in
      if clusters[cluster] == nil {
        let start = cluster * Self.cluster
        var bytes = [UInt8](repeating: 0, count: Int(min(Self.cluster, size - start)))
        try base.read(at: start, into: &bytes, 0..<bytes.count)
        clusters[cluster] = bytes
      }
      clusters[cluster]?.replaceSubrange(first..<first + range.count, with: buffer[range])
    }
  }

  public func flush() throws(StorageFailure) {}
}
