import Hypervisor

/// What an adapter would do to a packet on its way out: checksums of TCP and UDP over IPv4, and the cutting of long TCP segments.
enum PacketCompletion {
  private static let tcp: UInt8 = 6
  private static let udp: UInt8 = 17
  static let ethernetHeader = 14

  /// Where the parts of an IPv4 packet are. Nil: it is not one, or its lengths do not fit.
  private struct Layout {
    let transport: Int
    let end: Int
    let transportProtocol: UInt8

    init?(_ frame: [UInt8]) {
      let start = PacketCompletion.ethernetHeader
      guard frame.count >= start + 20, frame[12] == 0x08, frame[13] == 0, frame[start] >> 4 == 4 else { return nil }
      transport = start + Int(frame[start] & 0xF) * 4
      end = start + (Int(frame[start + 2]) << 8 | Int(frame[start + 3]))
      transportProtocol = frame[start + 9]
      guard transport >= start + 20, end <= frame.count, transport <= end else { return nil }
    }
  }

  /// The Internet checksum of a part of a frame, with what comes before it.
  private static func sum(_ frame: [UInt8], _ range: Range<Int>, _ start: UInt32 = 0) -> UInt32 {
    var sum = UInt64(start)
    var index = range.lowerBound
    while index + 1 < range.upperBound {
      sum += UInt64(frame[index]) << 8 | UInt64(frame[index + 1])
      index += 2
    }
    if index < range.upperBound { sum += UInt64(frame[index]) << 8 }
    while sum >> 16 != 0 { sum = (sum & 0xFFFF) + sum >> 16 }
    return UInt32(sum)
  }

  private static func setBig(_ frame: inout [UInt8], _ offset: Int, _ value: UInt16) {
    (frame[offset], frame[offset + 1]) = (UInt8(value >> 8), UInt8(value & 0xFF))
  }

  /// Fills in the checksum of TCP or UDP. False: the packet is neither.
  static func fillChecksum(_ frame: inout [UInt8]) -> Bool {
    guard let layout = Layout(frame) else { return false }
    let length = layout.end - layout.transport
    let field: Int
    switch layout.transportProtocol {
    case tcp where length >= 20: field = layout.transport + 16
    case udp where length >= 8: field = layout.transport + 6
    default: return false
    }
    setBig(&frame, field, 0)
    // The pseudo header: both addresses, protocol, length.
    let addresses = sum(frame, ethernetHeader + 12..<ethernetHeader + 20, UInt32(layout.transportProtocol) + UInt32(length))
    let value = ~UInt16(truncatingIfNeeded: sum(frame, layout.transport..<layout.end, addresses))
    setBig(&frame, field, layout.transportProtocol == udp && value == 0 ? 0xFFFF : value)
    return true
  }

  /// Cuts a long TCP segment into such of `size` bytes of data. Nil: it is not one.
  static func segments(_ frame: [UInt8], size: Int) -> [[UInt8]]? {
    guard size > 0, let layout = Layout(frame), layout.transportProtocol == tcp, layout.end - layout.transport >= 20 else {
      return nil
    }
    let data = layout.transport + Int(frame[layout.transport + 12] >> 4) * 4
    guard data >= layout.transport + 20, data <= layout.end else { return nil }
    guard layout.end - data > size else {
      var whole = frame
      return fillChecksum(&whole) ? [whole] : nil
    }
    let sequence = frame[layout.transport + 4..<layout.transport + 8].reduce(0) { $0 << 8 | UInt32($1) }
    let identification = UInt16(frame[ethernetHeader + 4]) << 8 | UInt16(frame[ethernetHeader + 5])
    var list: [[UInt8]] = []
    for start in stride(from: data, to: layout.end, by: size) {
      let end = min(start + size, layout.end)
      var segment = [UInt8](frame[..<data]) + frame[start..<end]
      setBig(&segment, ethernetHeader + 2, UInt16(segment.count - ethernetHeader))
      setBig(&segment, ethernetHeader + 4, identification &+ UInt16(list.count))
      let number = sequence &+ UInt32(start - data)
      setBig(&segment, layout.transport + 4, UInt16(number >> 16))
      setBig(&segment, layout.transport + 6, UInt16(number & 0xFFFF))
      // FIN and PSH belong to the last one, CWR to the first.
      if end < layout.end { segment[layout.transport + 13] &= ~0x09 }
      if start > data { segment[layout.transport + 13] &= ~0x80 }
      setBig(&segment, ethernetHeader + 10, 0)
      setBig(&segment, ethernetHeader + 10, ~UInt16(sum(segment, ethernetHeader..<layout.transport)))
      guard fillChecksum(&segment) else { return nil }
      list.append(segment)
    }
    return list
  }
}
