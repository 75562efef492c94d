#if canImport(Glibc)
  import Glibc
#endif

/// Video memory. The four planes of the legacy modes are its first 256 KiB, with the planes' bytes of one address side by side.
final class VGAMemory {
  static let size = 16 << 20
  private static let pageShift = 12
  let bytes: UnsafeMutablePointer<UInt8>
  /// Pages of 4 KiB that have been written since the picture was made.
  private var dirty = [Bool](repeating: false, count: size >> pageShift)

  init() {
    // Zero, and paid for by the host as it is used.
    guard let memory = calloc(1, Self.size) else { preconditionFailure("the host is out of memory") }
    bytes = memory.bindMemory(to: UInt8.self, capacity: Self.size)
  }
  deinit { free(bytes) }

  func clear() {
    bytes.update(repeating: 0, count: Self.size)
    markAll()
  }

  func markAll() { for n in dirty.indices { dirty[n] = true } }

  /// Whether a range has been written; ``forgetDirty()`` makes all of it clean.
  func isDirty(_ range: Range<Int>) -> Bool {
    guard !range.isEmpty else { return false }
    return (range.lowerBound >> Self.pageShift...(range.upperBound - 1) >> Self.pageShift).contains { dirty[$0] }
  }
  func forgetDirty() { for n in dirty.indices { dirty[n] = false } }

  // MARK: The linear frame buffer

  func read(_ offset: Int, size: Int) -> UInt64 {
    guard offset >= 0, offset + size <= Self.size else { return .max }
    return (0..<size).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
  }

  func write(_ offset: Int, size: Int, _ value: UInt64) {
    guard offset >= 0, offset + size <= Self.size else { return }
    for n in 0..<size { bytes[offset + n] = UInt8(truncatingIfNeeded: value >> UInt64(8 * n)) }
    dirty[offset >> Self.pageShift] = true
    dirty[(offset + size - 1) >> Self.pageShift] = true
  }

  // MARK: Planes

  static let planeSize = 64 << 10

  func planes(_ address: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[4 * address + $1]) << UInt32(8 * $1) }
  }

  /// Stores the planes of `mask`.
  func setPlanes(_ address: Int, _ value: UInt32, mask: UInt8) {
    for plane in 0..<4 where mask >> UInt8(plane) & 1 != 0 {
      bytes[4 * address + plane] = UInt8(truncatingIfNeeded: value >> UInt32(8 * plane))
    }
    dirty[4 * address >> Self.pageShift] = true
  }
}
