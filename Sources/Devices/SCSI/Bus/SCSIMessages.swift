import Platform

/// Messages of the parallel bus (SPI-4, section 16).
enum SCSIMessage {
  static let commandComplete: UInt8 = 0x00
  static let extended: UInt8 = 0x01
  static let saveDataPointers: UInt8 = 0x02
  static let disconnect: UInt8 = 0x04
  static let initiatorDetectedError: UInt8 = 0x05
  static let abortTaskSet: UInt8 = 0x06
  static let messageReject: UInt8 = 0x07
  static let noOperation: UInt8 = 0x08
  static let messageParityError: UInt8 = 0x09
  static let targetReset: UInt8 = 0x0C
  static let abortTask: UInt8 = 0x0D
  static let clearTaskSet: UInt8 = 0x0E
  static let logicalUnitReset: UInt8 = 0x17
  static let simpleTag: UInt8 = 0x20
  static let headOfQueueTag: UInt8 = 0x21
  static let orderedTag: UInt8 = 0x22
  static let ignoreWideResidue: UInt8 = 0x23
  static let identify: UInt8 = 0x80
  static let disconnectPrivilege: UInt8 = 0x40
  // Codes of extended messages.
  static let synchronousTransfer: UInt8 = 0x01
  static let wideTransfer: UInt8 = 0x03
  static let parallelProtocol: UInt8 = 0x04
}

/// How target and initiator transfer data: asynchronously on 8 bits until they agree on something better.
struct SCSIAgreement: Sendable, Equatable, Codable {
  /// Period factor (SPI-4, table 50), 0 for none.
  var period: UInt8 = 0
  var offset: UInt8 = 0
  var isWide = false

  /// What an Ultra2 device can: 25 ns, single transitions.
  static let fastestPeriod: UInt8 = 0x0A
  static let largestOffset: UInt8 = 31
  /// A handshake of an asynchronous transfer.
  static let asynchronousNanoseconds: UInt64 = 200

  var isSynchronous: Bool { offset != 0 }

  private var nanosecondsPerTransfer: UInt64 {
    guard isSynchronous else { return Self.asynchronousNanoseconds }
    switch period {
    case ...0x0A: return 25
    case 0x0B: return 31
    case 0x0C: return 50
    default: return UInt64(period) * 4
    }
  }

  /// Cycles that `count` bytes of data take.
  func cycles(for count: Int) -> UInt64 {
    let transfers = UInt64(isWide ? (count + 1) / 2 : count)
    return Cycles.from(nanoseconds: transfers * nanosecondsPerTransfer)
  }

  // MARK: Negotiation (section 16.3): what the initiator asks for, cut to what the device can

  mutating func answerSynchronous(period asked: UInt8, offset: UInt8) -> [UInt8] {
    self.offset = min(offset, Self.largestOffset)
    period = self.offset == 0 ? 0 : max(asked, Self.fastestPeriod)
    return [SCSIMessage.extended, 3, SCSIMessage.synchronousTransfer, max(asked, Self.fastestPeriod), self.offset]
  }

  /// A new width ends the synchronous agreement.
  mutating func answerWide(exponent: UInt8) -> [UInt8] {
    self = SCSIAgreement(isWide: exponent >= 1)
    return [SCSIMessage.extended, 2, SCSIMessage.wideTransfer, isWide ? 1 : 0]
  }

  mutating func answerParallelProtocol(period asked: UInt8, offset: UInt8, exponent: UInt8) -> [UInt8] {
    let granted = max(asked, Self.fastestPeriod)
    self = SCSIAgreement(period: 0, offset: min(offset, Self.largestOffset), isWide: exponent >= 1)
    period = self.offset == 0 ? 0 : granted
    return [SCSIMessage.extended, 6, SCSIMessage.parallelProtocol, granted, 0, self.offset, isWide ? 1 : 0, 0]
  }
}
