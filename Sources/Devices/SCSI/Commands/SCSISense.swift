/// Status of a command (SAM-3, section 5.3.1).
public enum SCSIStatus: UInt8, Sendable, Codable {
  case good = 0x00
  case checkCondition = 0x02
  case conditionMet = 0x04
  case busy = 0x08
  case reservationConflict = 0x18
  case taskSetFull = 0x28
}

/// Why a command ended with CHECK CONDITION (SPC-3, section 4.5).
public struct SCSISense: Sendable, Equatable, Codable, Error {
  public enum Key: UInt8, Sendable, Codable {
    case noSense = 0x0
    case notReady = 0x2
    case mediumError = 0x3
    case hardwareError = 0x4
    case illegalRequest = 0x5
    case unitAttention = 0x6
    case dataProtect = 0x7
    case abortedCommand = 0xB
    case miscompare = 0xE
  }

  public var key: Key
  /// Additional sense code and, in the low byte, its qualifier.
  public var additional: UInt16
  /// The block at which it went wrong.
  public var information: UInt64?
  /// The byte of the command or of its parameters that cannot be.
  public var field: Field?

  /// SPC-3, section 4.5.2.4.2.
  public struct Field: Sendable, Equatable, Codable {
    public var isInCommand: Bool
    public var byte: UInt16
  }

  public init(_ key: Key, _ additional: UInt16, information: UInt64? = nil, field: Field? = nil) {
    self.key = key
    self.additional = additional
    self.information = information
    self.field = field
  }

  public static let none = SCSISense(.noSense, 0)
  // Names and codes of SPC-3, annex D.
  public static let becomingReadyNeedsStart = SCSISense(.notReady, 0x0402)
  public static let mediumNotPresent = SCSISense(.notReady, 0x3A00)
  public static let invalidOperation = SCSISense(.illegalRequest, 0x2000, field: Field(isInCommand: true, byte: 0))
  public static let blockOutOfRange = SCSISense(.illegalRequest, 0x2100)
  public static let unitNotSupported = SCSISense(.illegalRequest, 0x2500)
  public static let parameterListLength = SCSISense(.illegalRequest, 0x1A00)
  public static let savingNotSupported = SCSISense(.illegalRequest, 0x3900)
  public static let removalPrevented = SCSISense(.illegalRequest, 0x5302)
  public static let illegalModeForTrack = SCSISense(.illegalRequest, 0x6400)
  public static let writeProtected = SCSISense(.dataProtect, 0x2700)
  public static let powerOn = SCSISense(.unitAttention, 0x2901)
  public static let busReset = SCSISense(.unitAttention, 0x2902)
  public static let deviceReset = SCSISense(.unitAttention, 0x2903)
  public static let mediumMayHaveChanged = SCSISense(.unitAttention, 0x2800)
  public static let modeParametersChanged = SCSISense(.unitAttention, 0x2A01)
  public static let commandsClearedByAnother = SCSISense(.unitAttention, 0x2F00)
  public static let miscompared = SCSISense(.miscompare, 0x1D00)
  public static let overlappedCommands = SCSISense(.abortedCommand, 0x4E00)
  public static let initiatorDetectedError = SCSISense(.abortedCommand, 0x4800)

  public static func invalidField(inCommand byte: UInt16) -> SCSISense {
    SCSISense(.illegalRequest, 0x2400, field: Field(isInCommand: true, byte: byte))
  }
  public static func invalidField(inParameters byte: UInt16) -> SCSISense {
    SCSISense(.illegalRequest, 0x2600, field: Field(isInCommand: false, byte: byte))
  }
  public static func readError(block: UInt64?) -> SCSISense { SCSISense(.mediumError, 0x1100, information: block) }
  public static func writeError(block: UInt64?) -> SCSISense { SCSISense(.mediumError, 0x0C00, information: block) }

  /// Fixed format, current error (section 4.5.3).
  public var fixedFormat: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 18)
    bytes[0] = 0x70
    bytes[2] = key.rawValue
    bytes[7] = UInt8(bytes.count - 8)
    // What does not fit into four bytes is left out, VALID with it.
    if let information, let block = UInt32(exactly: information) {
      bytes[0] |= 0x80
      bytes.put(block, at: 3)
    }
    bytes.put(additional, at: 12)
    if let field {
      bytes[15] = field.isInCommand ? 0xC0 : 0x80
      bytes.put(field.byte, at: 16)
    }
    return bytes
  }
}

/// SCSI's fields are big-endian.
extension Array where Element == UInt8 {
  mutating func put<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    for n in 0..<MemoryLayout<T>.size {
      self[offset + n] = UInt8(truncatingIfNeeded: value >> T(8 * (MemoryLayout<T>.size - 1 - n)))
    }
  }
  mutating func append<T: FixedWidthInteger>(big value: T) {
    for n in 0..<MemoryLayout<T>.size { append(UInt8(truncatingIfNeeded: value >> T(8 * (MemoryLayout<T>.size - 1 - n)))) }
  }
  /// Zeros where the array has ended.
  func get<T: FixedWidthInteger>(_ offset: Int, as: T.Type = T.self) -> T {
    (0..<MemoryLayout<T>.size).reduce(T.zero) { $0 << 8 | T(truncatingIfNeeded: offset + $1 < count ? self[offset + $1] : 0) }
  }
  /// ASCII, cut or filled with blanks.
  mutating func append(text: String, count: Int) {
    let characters = Array(text.utf8.prefix(count))
    append(contentsOf: characters + [UInt8](repeating: 0x20, count: count - characters.count))
  }
}
