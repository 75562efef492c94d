/// The header in front of each frame (section 5.1.6), copied out of the guest's memory once.
struct VirtioNetHeader: Sendable, Equatable, Codable {
  enum Flag {
    static let needsChecksum: UInt8 = 1
    static let dataValid: UInt8 = 2
  }
  enum Segmentation {
    static let none: UInt8 = 0
    static let tcp4: UInt8 = 1
    static let tcp6: UInt8 = 4
  }

  var flags: UInt8 = 0
  var segmentation: UInt8 = 0
  var segmentSize: UInt16 = 0
  var checksumStart: UInt16 = 0
  var checksumOffset: UInt16 = 0
  /// Of a frame that is received: the buffers that it lies in.
  var bufferCount: UInt16 = 0

  init() {}

  init(_ bytes: [UInt8]) {
    flags = bytes.little(0)
    segmentation = bytes.little(1)
    segmentSize = bytes.little(4)
    checksumStart = bytes.little(6)
    checksumOffset = bytes.little(8)
  }

  /// Cut to the header that was negotiated, 10 or 12 bytes.
  func bytes(count: Int) -> [UInt8] {
    var bytes = [flags, segmentation, 0, 0]
    for field in [segmentSize, checksumStart, checksumOffset, bufferCount] { bytes.append(little: field) }
    return Array(bytes.prefix(count))
  }
}

/// A packet of the guest on its way to the wire: one frame, or as many as it is to be cut into.
struct VirtioNetPacket: Sendable, Equatable, Codable {
  private var packet: [UInt8]
  private var segmentation: FrameSegmentation?
  private var nextSegment = 0

  private static let version4: UInt16 = 0x0800
  private static let version6: UInt16 = 0x86DD
  private static let vlan: UInt16 = 0x8100
  private static let tcp: UInt8 = 6

  /// Nil: what the header says cannot be done to the packet.
  init?(_ header: VirtioNetHeader, _ packet: [UInt8]) {
    self.packet = packet
    let start = Int(header.checksumStart)
    if header.segmentation == VirtioNetHeader.Segmentation.none {
      guard header.flags & VirtioNetHeader.Flag.needsChecksum != 0 else { return }
      let field = start + Int(header.checksumOffset)
      guard start < packet.count, field + 2 <= packet.count else { return nil }
      // The field has the sum of the pseudo header. Zero would mean that there is no checksum (RFC 768).
      let sum = ~InternetChecksum.sum(packet, start, packet.count)
      self.packet.setWord16(field, sum == 0 ? 0xFFFF : sum)
      return
    }
    // Section 5.1.6.2: what is cut has no checksum yet.
    guard header.flags & VirtioNetHeader.Flag.needsChecksum != 0, header.segmentSize > 0 else { return nil }
    let isVersion4 = header.segmentation == VirtioNetHeader.Segmentation.tcp4
    let ip = packet.word16(12) == Self.vlan ? 18 : 14
    guard packet.word16(ip - 2) == (isVersion4 ? Self.version4 : Self.version6), start + 20 <= packet.count else { return nil }
    if isVersion4 {
      guard packet[ip] >> 4 == 4, start == ip + Int(packet[ip] & 0xF) * 4, start >= ip + 20, packet[ip + 9] == Self.tcp else {
        return nil
      }
    } else {
      // Extension headers may lie between.
      guard packet[ip] >> 4 == 6, start >= ip + 40 else { return nil }
    }
    let headerLength = start + Int(packet[start + 12] >> 4) * 4
    guard headerLength >= start + 20, headerLength < packet.count else { return nil }
    segmentation = FrameSegmentation(
      ipStart: ip, transportStart: start, headerLength: headerLength, payloadLength: packet.count - headerLength,
      segmentSize: Int(header.segmentSize), isTCP: true, isIPv4: isVersion4)
  }

  /// The next frame; nil: that was all.
  mutating func nextFrame() -> [UInt8]? {
    defer { nextSegment += 1 }
    guard let segmentation else { return nextSegment == 0 ? packet : nil }
    guard var frame = segmentation.segment(nextSegment, of: packet) else { return nil }
    let (ip, tcp) = (segmentation.ipStart, segmentation.transportStart)
    if segmentation.isIPv4 {
      frame.setWord16(ip + 10, 0)
      frame.setWord16(ip + 10, ~InternetChecksum.sum(frame, ip, tcp))
    }
    // What the driver has left in the field covers the length of the whole.
    frame.setWord16(tcp + 16, 0)
    let seed = InternetChecksum.pseudoHeader(
      frame, header: ip, isVersion6: !segmentation.isIPv4, proto: Self.tcp, length: frame.count - tcp)
    frame.setWord16(tcp + 16, ~InternetChecksum.sum(frame, tcp, frame.count, seed: seed))
    return frame
  }
}
