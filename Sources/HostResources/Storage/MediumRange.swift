/// A part of a medium: a whole disk, or a partition of one. Offsets outside it fail; what is stored never reaches beyond it.
public struct MediumRange {
  public let storage: any BlockStorage
  /// First byte on the medium, and how many there are.
  public let offset: UInt64
  public let size: UInt64

  public init(_ storage: any BlockStorage) {
    self.storage = storage
    offset = 0
    size = storage.size
  }

  /// Clipped to this range.
  public func part(offset: UInt64, size: UInt64) -> MediumRange {
    let start = min(offset, self.size)
    return MediumRange(storage: storage, offset: self.offset + start, size: min(size, self.size - start))
  }

  private init(storage: any BlockStorage, offset: UInt64, size: UInt64) {
    (self.storage, self.offset, self.size) = (storage, offset, size)
  }

  private func check(_ offset: UInt64, _ count: Int) throws(StorageFailure) {
    guard offset <= size, UInt64(count) <= size - offset else { throw .outside }
  }

  public func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
    try check(position, buffer.count)
    if buffer.count > 0 { try storage.read(at: offset + position, into: buffer) }
  }

  public func write(at position: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    try check(position, buffer.count)
    if buffer.count > 0 { try storage.write(at: offset + position, from: buffer) }
  }

  public func read(at position: UInt64, count: Int) throws(StorageFailure) -> [UInt8] {
    try check(position, count)
    var bytes = [UInt8](repeating: 0, count: count)
    let failure = bytes.withUnsafeMutableBytes { buffer -> StorageFailure? in
      do throws(StorageFailure) { try read(at: position, into: buffer) } catch { return error }
      return nil
    }
    if let failure { throw failure }
    return bytes
  }

  public func write(at position: UInt64, _ bytes: [UInt8]) throws(StorageFailure) {
    let failure = bytes.withUnsafeBytes { buffer -> StorageFailure? in
      do throws(StorageFailure) { try write(at: position, from: buffer) } catch { return error }
      return nil
    }
    if let failure { throw failure }
  }
}

extension [UInt8] {
  /// A little-endian integer; the caller vouches for the offset.
  package func littleEndian<T: FixedWidthInteger>(_ offset: Int, _: T.Type = T.self) -> T {
    (0..<MemoryLayout<T>.size).reversed().reduce(T(0)) { $0 << 8 | T(truncatingIfNeeded: self[offset + $1]) }
  }

  package mutating func setLittleEndian<T: FixedWidthInteger>(_ offset: Int, _ value: T) {
    for n in 0..<MemoryLayout<T>.size { self[offset + n] = UInt8(truncatingIfNeeded: value >> T(8 * n)) }
  }
}
