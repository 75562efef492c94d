/// Where the headers of a packet are that is cut into frames by its adapter, and how large the pieces are.
struct FrameSegmentation: Sendable, Equatable, Codable {
  var ipStart: Int
  var transportStart: Int
  /// Bytes before the data, all headers together.
  var headerLength: Int
  var payloadLength: Int
  var segmentSize: Int
  var isTCP: Bool
  var isIPv4: Bool

  /// Segment `n`: the header with lengths, identification, sequence number and flags brought up to date, checksums left alone; nil: there
  /// are fewer. The first one is there without data, too.
  func segment(_ n: Int, of packet: [UInt8]) -> [UInt8]? {
    let payload = min(payloadLength, packet.count - headerLength)
    let start = n.multipliedReportingOverflow(by: segmentSize)
    guard segmentSize > 0, payload >= 0, !start.overflow, start.partialValue < payload || n == 0 else { return nil }
    let size = min(segmentSize, payload - start.partialValue)
    let isLast = start.partialValue + size >= payload
    var frame = Array(packet[0..<headerLength])
    frame.reserveCapacity(headerLength + size + 8)
    frame += packet[(headerLength + start.partialValue)..<(headerLength + start.partialValue + size)]
    let ipLength = max(0, frame.count - ipStart)
    if isIPv4 {
      frame.setWord16(ipStart + 2, UInt16(truncatingIfNeeded: ipLength))
      frame.setWord16(ipStart + 4, frame.word16(ipStart + 4) &+ UInt16(truncatingIfNeeded: n))
    } else {
      frame.setWord16(ipStart + 4, UInt16(truncatingIfNeeded: max(0, ipLength - 40)))
    }
    if isTCP {
      frame.setWord32(transportStart + 4, frame.word32(transportStart + 4) &+ UInt32(truncatingIfNeeded: start.partialValue))
      // FIN and PSH belong to the last segment.
      if !isLast && transportStart + 13 < frame.count { frame[transportStart + 13] &= ~0x09 }
    } else {
      frame.setWord16(transportStart + 4, UInt16(truncatingIfNeeded: max(0, frame.count - transportStart)))
    }
    return frame
  }
}
