/// The Internet checksum (RFC 1071) over parts of frames; no offset is trusted.
enum InternetChecksum {
  /// Sum of the big-endian words from `start` up to `end`, cut to the frame, on top of `seed`; folded to 16 bits, not inverted.
  static func sum(_ bytes: [UInt8], _ start: Int, _ end: Int, seed: UInt32 = 0) -> UInt16 {
    var sum = UInt64(seed)
    let end = min(end, bytes.count)
    var i = max(0, start)
    bytes.withUnsafeBufferPointer { b in
      while i + 1 < end {
        sum += UInt64(b[i]) << 8 | UInt64(b[i + 1])
        i += 2
      }
      if i < end { sum += UInt64(b[i]) << 8 }
    }
    while sum >> 16 != 0 { sum = sum & 0xFFFF + sum >> 16 }
    return UInt16(sum)
  }

  /// The seed for TCP and UDP: addresses, protocol and length (RFC 793). `isVersion6` says which header is at `header`.
  static func pseudoHeader(_ bytes: [UInt8], header: Int, isVersion6: Bool, proto: UInt8, length: Int) -> UInt32 {
    let addresses = isVersion6 ? header + 8..<header + 40 : header + 12..<header + 20
    return UInt32(sum(bytes, addresses.lowerBound, addresses.upperBound)) + UInt32(proto) + UInt32(length & 0xFFFF)
      + UInt32(length >> 16)
  }
}

extension [UInt8] {
  /// Big-endian; zero outside.
  func word16(_ offset: Int) -> UInt16 {
    offset >= 0 && offset + 1 < count ? UInt16(self[offset]) << 8 | UInt16(self[offset + 1]) : 0
  }
  /// Nothing happens outside.
  mutating func setWord16(_ offset: Int, _ value: UInt16) {
    guard offset >= 0, offset + 1 < count else { return }
    self[offset] = UInt8(value >> 8)
    self[offset + 1] = UInt8(truncatingIfNeeded: value)
  }
  func word32(_ offset: Int) -> UInt32 { UInt32(word16(offset)) << 16 | UInt32(word16(offset + 2)) }
  mutating func setWord32(_ offset: Int, _ value: UInt32) {
    guard offset >= 0, offset + 3 < count else { return }
    setWord16(offset, UInt16(value >> 16))
    setWord16(offset + 2, UInt16(truncatingIfNeeded: value))
  }
}
