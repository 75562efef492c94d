import Hypervisor

/// vscsiif (`xen/include/public/io/vscsiif.h`): a private copy of one request.
struct SCSIRingRequest: Equatable {
  static let size = 0xFC
  static let segmentLimit = 26
  static let commandLimit = 16
  static let senseSize = 96

  enum Action: UInt8 {
    case command = 1
    case abort = 2
    case reset = 3
  }
  /// Linux's results: driver, host, message and status in one number.
  enum Result {
    static let noConnection: Int32 = 0x0001_0000
    static let driverError: Int32 = 0x0400_0000
    static let driverSense: Int32 = 0x0800_0000
    /// What Linux's error handlers return.
    static let resetDone: Int32 = 0x2002
    static let failed: Int32 = 0x2003
  }
  struct Segment: Equatable {
    var reference: UInt32
    var offset: UInt16
    var count: UInt16
    var isLegal: Bool { Int(offset) + Int(count) <= Int(FramePool.frameSize) }
    var range: Range<Int> { Int(offset)..<Int(offset) + Int(count) }
  }

  let id: UInt16
  let action: UInt8
  let commandLength: Int
  let command: [UInt8]
  let address: SCSIBackEnd.Address
  /// The data come from the front end (sc_data_direction, DMA_TO_DEVICE).
  let isWrite: Bool
  let segmentCount: Int
  var segments: [Segment] = []

  init(_ bytes: [UInt8]) {
    (id, action, commandLength) = (bytes.field(0), bytes[2], Int(bytes[3]))
    command = [UInt8](bytes[4..<4 + min(commandLength, Self.commandLimit)])
    address = .init(channel: bytes.field(0x16), target: bytes.field(0x18), unit: bytes.field(0x1A))
    isWrite = bytes[0x1E] == 1
    segmentCount = Int(bytes[0x1F])
    for index in 0..<min(segmentCount, Self.segmentLimit) {
      let offset = 0x20 + index * 8
      segments.append(.init(reference: bytes.field(offset), offset: bytes.field(offset + 4), count: bytes.field(offset + 6)))
    }
  }

  /// Why it cannot be done at all; nil: it can.
  var defect: String? {
    if commandLength == 0 || commandLength > Self.commandLimit { return "a command of \(commandLength) bytes" }
    if segmentCount > Self.segmentLimit { return "\(segmentCount) segments" }
    return segments.allSatisfy(\.isLegal) ? nil : "a segment outside of its frame"
  }

  func response(_ result: Int32, sense: [UInt8] = [], residual: Int = 0) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.size)
    bytes.setField(0, id)
    if !sense.isEmpty {
      bytes[3] = UInt8(Self.senseSize)
      bytes.replaceSubrange(4..<4 + min(sense.count, Self.senseSize), with: sense.prefix(Self.senseSize))
    }
    bytes.setField(0x64, result)
    bytes.setField(0x68, UInt32(residual))
    return bytes
  }
}
