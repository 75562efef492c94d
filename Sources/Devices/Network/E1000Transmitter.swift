/// Offsets and lengths for offloading, from a context descriptor (manual, section 3.3.5). The chip keeps two: one for packets that are
/// only given checksums, one for packets that are cut into segments.
struct E1000Context: Sendable, Equatable, Codable {
  var ipStart = 0
  var ipOffset = 0
  var ipEnd = 0
  var transportStart = 0
  var transportOffset = 0
  var transportEnd = 0
  var payloadLength = 0
  var headerLength = 0
  var segmentSize = 0
  var isTCP = false
  var isIPv4 = false

  init() {}
  init(low: UInt64, high: UInt64) {
    func byte(_ value: UInt64, _ shift: UInt64) -> Int { Int(value >> shift & 0xFF) }
    ipStart = byte(low, 0)
    ipOffset = byte(low, 8)
    ipEnd = Int(low >> 16 & 0xFFFF)
    transportStart = byte(low, 32)
    transportOffset = byte(low, 40)
    transportEnd = Int(low >> 48)
    payloadLength = Int(high & 0xF_FFFF)
    isTCP = high >> 24 & 1 != 0
    isIPv4 = high >> 25 & 1 != 0
    headerLength = byte(high, 40)
    segmentSize = Int(high >> 48)
  }

  var segmentation: FrameSegmentation {
    FrameSegmentation(
      ipStart: ipStart, transportStart: transportStart, headerLength: headerLength, payloadLength: payloadLength,
      segmentSize: segmentSize, isTCP: isTCP, isIPv4: isIPv4)
  }
}

/// A packet on its way from descriptors to the wire.
struct E1000Transmitter: Sendable, Equatable, Codable {
  /// What is done with the packet, from its descriptors.
  struct Options: Sendable, Equatable, Codable {
    var insertsCheckSequence = false
    var insertsIPChecksum = false
    var insertsTransportChecksum = false
    var segments = false
    var vlanTag: UInt16?
    /// The legacy descriptor's checksum: where it starts and where it goes.
    var legacyChecksum: LegacyChecksum?
  }
  struct LegacyChecksum: Sendable, Equatable, Codable { var start: Int, offset: Int }

  var checksumContext = E1000Context()
  var segmentContext = E1000Context()
  var options = Options()
  /// The first data descriptor of a packet was seen, the last one not yet.
  var isGathering = false
  /// The packet can not be sent: too long, or part of it was not to be had.
  var isSpoilt = false
  var packet: [UInt8] = []
  /// The packet is complete; segments up to this one have been cut off.
  var nextSegment: Int?
  /// The frame whose bits are on the wire.
  var onWire: [UInt8]?
  /// The ring could not be read: nothing goes on before software touches it.
  var isHalted = false

  /// The longest packet that the manual allows (section 3.3.3), and the longest that can be cut into segments.
  static let largestPacket = 16288
  private static let largestSegmented = 0xF_FFFF + 0xFF

  /// How many more bytes the packet may have.
  var room: Int { (options.segments ? Self.largestSegmented : Self.largestPacket) - packet.count }

  // MARK: Frames

  /// The next frame of the complete packet; nil: none is left, or nothing that could be sent.
  mutating func nextFrame() -> [UInt8]? {
    guard let segment = nextSegment else { return nil }
    var frame: [UInt8]
    if options.segments {
      guard let cut = cut(segment) else {
        finish()
        return nil
      }
      frame = cut
      nextSegment = segment + 1
    } else {
      frame = packet
      insertChecksums(&frame, checksumContext, length: nil)
      if let legacy = options.legacyChecksum {
        frame.setWord16(legacy.offset, ~InternetChecksum.sum(frame, legacy.start, frame.count))
      }
    }
    let tag = options.vlanTag
    if !options.segments { finish() }
    if let tag, frame.count >= 12 { frame.insert(contentsOf: [UInt8(tag >> 8), UInt8(truncatingIfNeeded: tag)], at: 12) }
    return frame
  }

  private mutating func finish() {
    nextSegment = nil
    packet.removeAll(keepingCapacity: packet.capacity <= 65536 + 256)
    isGathering = false
    isSpoilt = false
  }

  mutating func drop() { finish() }

  /// Segment `n` (section 3.5.9).
  private func cut(_ n: Int) -> [UInt8]? {
    let c = segmentContext
    guard var frame = c.segmentation.segment(n, of: packet) else { return nil }
    insertChecksums(&frame, c, length: max(0, frame.count - c.transportStart))
    return frame
  }

  /// What is in the field counts: software has put the sum of the pseudo header there. For segments that sum lacks the length.
  private func insertChecksums(_ frame: inout [UInt8], _ c: E1000Context, length: Int?) {
    func end(_ inclusive: Int) -> Int { inclusive == 0 ? frame.count : inclusive + 1 }
    if options.insertsIPChecksum {
      // The field itself was left zero by software.
      frame.setWord16(c.ipOffset, ~InternetChecksum.sum(frame, c.ipStart, end(c.ipEnd)))
    }
    if options.insertsTransportChecksum {
      let seed = length.map { UInt32(truncatingIfNeeded: $0) } ?? 0
      frame.setWord16(c.transportOffset, ~InternetChecksum.sum(frame, c.transportStart, end(c.transportEnd), seed: seed))
    }
  }
}
