import HostResources

/// A medium in memory that a test can break.
final class FaultyStorage: BlockStorage {
  var bytes: [UInt8]
  var isReadOnly = false
  /// Sectors that can neither be read nor written.
  var badSectors: Set<UInt64> = []
  /// After so many writes the host has no room; nil: never.
  var writesUntilFull: Int?
  var flushFails = false
  private(set) var flushes = 0
  private(set) var writes = 0
  /// What a crash of the host now would leave.
  private(set) var stable: [UInt8]

  var size: UInt64 { UInt64(bytes.count) }

  /// Sector n is filled with bytes that tell n.
  init(sectors: Int) {
    bytes = (0..<sectors).flatMap { sector in (0..<512).map { UInt8(truncatingIfNeeded: sector &* 7 &+ $0) } }
    stable = bytes
  }

  private func check(_ offset: UInt64, _ count: Int) throws(StorageFailure) -> Int {
    guard offset % 512 == 0, count % 512 == 0, offset + UInt64(count) <= size else { throw .outside }
    for sector in offset / 512..<(offset + UInt64(count)) / 512 where badSectors.contains(sector) { throw .host(errno: 5) }
    return Int(offset)
  }

  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
    let start = try check(offset, buffer.count)
    buffer.copyBytes(from: bytes[start..<start + buffer.count])
  }

  func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    guard !isReadOnly else { throw .readOnly }
    let start = try check(offset, buffer.count)
    if let left = writesUntilFull {
      guard left > 0 else { throw .noSpace }
      writesUntilFull = left - 1
    }
    writes += 1
    bytes.replaceSubrange(start..<start + buffer.count, with: buffer)
  }

  func flush() throws(StorageFailure) {
    if flushFails { throw .host(errno: 5) }
    flushes += 1
    stable = bytes
  }

  func sector(_ n: Int, count: Int = 1) -> [UInt8] { Array(bytes[n * 512..<(n + count) * 512]) }
}
