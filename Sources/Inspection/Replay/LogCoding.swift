/// Numbers and bytes of a recording: seven bits to a byte, the lowest first; the top bit says that more follow (LEB128).
package struct LogEncoder {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func put(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  package mutating func put(byte: UInt8) { bytes.append(byte) }
  package mutating func put(fixed value: UInt64) { withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) } }
  /// What is behind it is the rest of the record: no length is needed.
  package mutating func put(rest: some Sequence<UInt8>) { bytes.append(contentsOf: rest) }
}

/// The other way. Everything is nil that is not there, whatever a file may hold.
package struct LogDecoder {
  private let bytes: [UInt8]
  private var position = 0

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package mutating func byte() -> UInt8? {
    guard position < bytes.count else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  package mutating func number() -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while let next = byte() {
      guard shift < 63 || next <= 1 else { return nil }
      value |= UInt64(next & 0x7F) << shift
      if next & 0x80 == 0 { return value }
      shift += 7
      guard shift <= 63 else { return nil }
    }
    return nil
  }

  package mutating func fixed() -> UInt64? {
    guard bytes.count - position >= 8 else { return nil }
    defer { position += 8 }
    return bytes[position..<position + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  package mutating func rest() -> [UInt8] {
    defer { position = bytes.count }
    return Array(bytes[position...])
  }
}
