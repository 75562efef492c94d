/// Builds a firmware table byte by byte, little-endian.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []
  var count: Int { bytes.count }

  mutating func put<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }
  mutating func put(bytes more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }
  /// ASCII, cut or padded to `width`.
  mutating func put(_ text: String, width: Int, padding: UInt8 = 0) {
    let characters = Array(text.utf8.prefix(width))
    bytes += characters
    bytes += repeatElement(padding, count: width - characters.count)
  }
  mutating func zeros(_ count: Int) { bytes += repeatElement(0, count: count) }
  mutating func align(_ alignment: Int) { while bytes.count % alignment != 0 { bytes.append(0) } }

  mutating func set<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
  }
  /// Sets the byte at `offset` so that all bytes of `range` (default: all) add up to zero.
  mutating func checksum(at offset: Int, over range: Range<Int>? = nil) {
    bytes[offset] = 0
    let sum = bytes[range ?? 0..<bytes.count].reduce(UInt8(0), &+)
    bytes[offset] = 0 &- sum
  }
}
