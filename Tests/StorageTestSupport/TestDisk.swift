import HostResources

/// A disk in memory with a write cache: what a crash of the host loses of it, and what a killed process leaves.
public final class TestDisk: BlockStorage {
  private var durable: [UInt8]
  private var cache: [Int: [UInt8]] = [:]
  public let isReadOnly = false

  public init(_ bytes: [UInt8]) { durable = bytes }
  public convenience init(size: Int) { self.init([UInt8](repeating: 0, count: size)) }

  public var size: UInt64 { UInt64(durable.count) }
  public var contents: [UInt8] {
    var bytes = durable
    for (sector, data) in cache { bytes.replaceSubrange(Self.bytes(of: sector), with: data) }
    return bytes
  }
  private static func bytes(of sector: Int) -> Range<Int> { sector * 512..<(sector + 1) * 512 }

  public func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
    guard offset <= size, UInt64(buffer.count) <= size - offset else { throw .outside }
    for n in 0..<buffer.count / 512 {
      let sector = Int(offset) / 512 + n
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[n * 512..<(n + 1) * 512])
      if let data = cache[sector] { part.copyBytes(from: data) } else { part.copyBytes(from: durable[Self.bytes(of: sector)]) }
    }
  }
  public func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    guard offset <= size, UInt64(buffer.count) <= size - offset else { throw .outside }
    for n in 0..<buffer.count / 512 { cache[Int(offset) / 512 + n] = Array(buffer[n * 512..<(n + 1) * 512]) }
  }
  public func flush() throws(StorageFailure) {
    for (sector, data) in cache { durable.replaceSubrange(Self.bytes(of: sector), with: data) }
    cache = [:]
  }

  /// The host stops: each sector of the cache has been stored, or not.
  public func crash(_ random: inout StorageRandom) {
    for (sector, data) in cache.sorted(by: { $0.key < $1.key }) where random.below(2) == 0 {
      durable.replaceSubrange(Self.bytes(of: sector), with: data)
    }
    cache = [:]
  }
}
