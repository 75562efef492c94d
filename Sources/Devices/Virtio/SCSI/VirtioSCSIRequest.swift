import Platform

/// A command to a virtio SCSI host (section 5.6.6.1): its header, read once, and how far the unit has got.
struct VirtioSCSIRequest: Sendable, Equatable, Codable {
  enum Response: UInt8, Sendable, Codable {
    case ok = 0
    case overrun = 1
    case aborted = 2
    case badTarget = 3
    case reset = 4
    case functionSucceeded = 10
    case functionRejected = 11
    case incorrectUnit = 12
  }
  /// Unit, identifier, attribute, priority, reference number.
  static let headerSize = 19
  /// Length of sense data, residual count, qualifier, status, response.
  static let answerSize = 12

  let serial: UInt64
  let chain: VirtqueueChain
  let unit: VirtioSCSIUnitNumber?
  /// The driver's, for task management.
  let identifier: UInt64
  let command: [UInt8]
  /// Where data begin, in both directions.
  let readableStart: Int
  let writableStart: Int
  /// Nil: no unit was asked.
  var task: SCSITask?
  /// Bytes that have gone either way.
  var moved = 0

  init(_ chain: VirtqueueChain, serial: UInt64, commandSize: Int, senseSize: Int, _ memory: any DMAPort) throws(VirtqueueFault) {
    readableStart = Self.headerSize + commandSize
    writableStart = Self.answerSize + senseSize
    guard chain.readableCount >= readableStart, chain.writableCount >= writableStart else { throw .malformed }
    let header = try chain.bytes(count: readableStart, memory)
    self.serial = serial
    self.chain = chain
    unit = VirtioSCSIUnitNumber(header)
    identifier = header.little(8)
    command = Array(header[Self.headerSize...])
  }

  var target: UInt8? { unit?.target }
  /// Room for, or bytes of, data.
  var readableData: Int { chain.readableCount - readableStart }
  var writableData: Int { chain.writableCount - writableStart }

  /// Response and sense data as the driver gets them.
  func answer(_ response: Response) -> [UInt8] {
    let senseSize = writableStart - Self.answerSize
    var sense = task?.sense.map { Array($0.fixedFormat.prefix(senseSize)) } ?? []
    if response != .ok { sense = [] }
    var bytes: [UInt8] = []
    bytes.append(little: UInt32(sense.count))
    bytes.append(little: UInt32(max(readableData, writableData) - moved))
    bytes.append(little: UInt16(0))
    bytes += [response == .ok ? (task?.status ?? .good).rawValue : 0, response.rawValue]
    return bytes + sense + [UInt8](repeating: 0, count: senseSize - sense.count)
  }
}

/// Eight bytes that name a unit (section 5.6.6.1): 1, the target, and a single level number.
struct VirtioSCSIUnitNumber: Sendable, Equatable, Codable {
  let target: UInt8
  let number: UInt16

  init(target: UInt8) { (self.target, number) = (target, 0) }

  /// Nil: another form, which names nothing here.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 8, bytes[0] == 1, [0, 0x40].contains(bytes[2] & 0xC0) else { return nil }
    target = bytes[1]
    number = UInt16(bytes[2] & 0x3F) << 8 | UInt16(bytes[3])
  }

  var bytes: [UInt8] { [1, target, UInt8(number >> 8) | 0x40, UInt8(truncatingIfNeeded: number), 0, 0, 0, 0] }
}

/// What a host says of its own accord (section 5.6.6.3).
enum VirtioSCSIEvent: UInt32 {
  case none = 0
  case transportReset = 1
  case parameterChange = 3

  static let size = 16
  static let missed: UInt32 = 0x8000_0000
  // Reasons of a transport reset.
  static let rescan: UInt32 = 1
  static let removed: UInt32 = 2
}
