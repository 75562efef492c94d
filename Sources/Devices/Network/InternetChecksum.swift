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

/// Whether the checksums of a frame with an IPv4 packet in it are right; nil for other frames, and for packets that are not whole.
struct FrameChecksums {
  let isHeaderRight: Bool
  /// Nil: the packet has none. Fragments have none of their own, and UDP need not have one.
  let isTransportRight: Bool?

  init?(_ bytes: [UInt8]) {
    let header = bytes.word16(12) == 0x8100 ? 18 : 14
    guard bytes.word16(header - 2) == 0x0800, bytes.count >= header + 20, bytes[header] >> 4 == 4 else { return nil }
    let headerLength = Int(bytes[header] & 0xF) * 4
    let total = Int(bytes.word16(header + 2))
    guard headerLength >= 20, total >= headerLength, header + total <= bytes.count else { return nil }
    isHeaderRight = InternetChecksum.sum(bytes, header, header + headerLength) == 0xFFFF
    let proto = bytes[header + 9]
    let transport = header + headerLength
    let length = total - headerLength
    guard bytes.word16(header + 6) & 0x3FFF == 0, proto == 6 && length >= 20 || proto == 17 && length >= 8,
      proto == 6 || bytes.word16(transport + 6) != 0
    else {
      isTransportRight = nil
      return
    }
    let seed = InternetChecksum.pseudoHeader(bytes, header: header, isVersion6: false, proto: proto, length: length)
    isTransportRight = InternetChecksum.sum(bytes, transport, header + total, seed: seed) == 0xFFFF
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
