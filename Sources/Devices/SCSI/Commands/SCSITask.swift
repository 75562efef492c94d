/// A command on its way through a logical unit: what it is, how far it has come, how it ended.
///
/// A transport begins it with ``SCSIUnit/begin(_:initiator:)``, moves its data in pieces of any size, calls
/// ``SCSIUnit/proceed(_:)`` until there is a ``status``, and delivers that.
public struct SCSITask: Sendable, Equatable, Codable {
  public enum Direction: Sendable, Codable { case none, toInitiator, fromInitiator }

  /// What the data mean.
  enum Work: Sendable, Equatable, Codable {
    /// Made when the command began, or used when it has come in.
    case parameters
    /// Blocks from this byte of the medium on.
    case read(offset: UInt64)
    case write(offset: UInt64)
    /// The medium alone: bytes still to be read and thrown away.
    case verify(offset: UInt64, remaining: UInt64)
    /// Data to compare with the medium.
    case compare(offset: UInt64)
    case flush
  }

  public let command: [UInt8]
  public let initiator: UInt8
  public internal(set) var direction = Direction.none
  /// Bytes to move in all.
  public internal(set) var length: UInt64 = 0
  public internal(set) var moved: UInt64 = 0
  var work = Work.parameters
  /// Everything written must be on stable storage before the status is delivered.
  var flushesAfterwards = false
  /// Parameter data; or the part of a block that has been fetched and not delivered, or delivered and not stored.
  var buffer: [UInt8] = []
  /// Nil: the command goes on.
  public internal(set) var status: SCSIStatus?
  /// For transports that deliver sense data with the status.
  public internal(set) var sense: SCSISense?

  init(_ command: [UInt8], initiator: UInt8) {
    self.command = command
    self.initiator = initiator
  }

  /// Bytes that are still to come.
  public var remaining: UInt64 { status == nil || direction == .toInitiator ? length - moved : 0 }

  /// The medium is needed for it, which takes time.
  public var touchesMedium: Bool {
    if status != nil { return false }
    if case .parameters = work { return false } else { return true }
  }
  /// The medium is needed after the data have come in.
  public var settlesAfterData: Bool { status == nil && direction == .fromInitiator && flushesAfterwards }

  mutating func end(_ status: SCSIStatus) { self.status = status }

  mutating func fail(_ sense: SCSISense) {
    status = .checkCondition
    self.sense = sense
    length = moved
  }

  /// Sends `bytes`, cut to what the initiator has room for.
  mutating func answer(_ bytes: [UInt8], allocated: Int) {
    buffer = Array(bytes.prefix(allocated))
    length = UInt64(buffer.count)
    if length == 0 { status = .good } else { direction = .toInitiator }
  }

  /// Asks for parameters.
  mutating func ask(_ count: Int) {
    length = UInt64(count)
    if count == 0 { status = .good } else { direction = .fromInitiator }
  }
}

/// Operation codes (SPC-3, SBC-2, MMC-4).
enum SCSIOperation {
  static let testUnitReady: UInt8 = 0x00
  static let rezeroUnit: UInt8 = 0x01
  static let requestSense: UInt8 = 0x03
  static let read6: UInt8 = 0x08
  static let write6: UInt8 = 0x0A
  static let seek6: UInt8 = 0x0B
  static let inquiry: UInt8 = 0x12
  static let modeSelect6: UInt8 = 0x15
  static let reserve6: UInt8 = 0x16
  static let release6: UInt8 = 0x17
  static let modeSense6: UInt8 = 0x1A
  static let startStopUnit: UInt8 = 0x1B
  static let sendDiagnostic: UInt8 = 0x1D
  static let preventAllow: UInt8 = 0x1E
  static let readCapacity10: UInt8 = 0x25
  static let read10: UInt8 = 0x28
  static let write10: UInt8 = 0x2A
  static let seek10: UInt8 = 0x2B
  static let writeAndVerify10: UInt8 = 0x2E
  static let verify10: UInt8 = 0x2F
  static let synchronizeCache10: UInt8 = 0x35
  static let readDefectData10: UInt8 = 0x37
  static let writeBuffer: UInt8 = 0x3B
  static let readBuffer: UInt8 = 0x3C
  static let readTOC: UInt8 = 0x43
  static let getConfiguration: UInt8 = 0x46
  static let getEventStatus: UInt8 = 0x4A
  static let readDiscInformation: UInt8 = 0x51
  static let modeSelect10: UInt8 = 0x55
  static let reserve10: UInt8 = 0x56
  static let release10: UInt8 = 0x57
  static let modeSense10: UInt8 = 0x5A
  static let read16: UInt8 = 0x88
  static let write16: UInt8 = 0x8A
  static let verify16: UInt8 = 0x8F
  static let synchronizeCache16: UInt8 = 0x91
  static let serviceActionIn16: UInt8 = 0x9E
  static let reportLUNs: UInt8 = 0xA0
  static let read12: UInt8 = 0xA8
  static let write12: UInt8 = 0xAA
  static let writeAndVerify12: UInt8 = 0xAE
  static let verify12: UInt8 = 0xAF
  static let readDefectData12: UInt8 = 0xB7
  static let readCD: UInt8 = 0xBE

  /// Bytes of a command, by its group code (SPC-3, section 4.3.4.1). Groups without a length get the shortest: nobody knows them.
  public static func length(of operation: UInt8) -> Int { [6, 10, 10, 6, 16, 12, 6, 6][Int(operation >> 5)] }
}
