/// Why a command ended with CHECK CONDITION (SPC-2, section 7.23): fixed format.
struct SenseData: Sendable, Equatable, Codable {
  var key: UInt8 = 0
  var code: UInt8 = 0
  var qualifier: UInt8 = 0
  /// The block that the error is about.
  var information: UInt32?

  static let powerOn = SenseData(key: 6, code: 0x29)
  static let mediumChanged = SenseData(key: 6, code: 0x28)
  static let noMedium = SenseData(key: 2, code: 0x3A, qualifier: 1)
  static let noMediumTrayOpen = SenseData(key: 2, code: 0x3A, qualifier: 2)
  static let invalidCommand = SenseData(key: 5, code: 0x20)
  static let blockOutOfRange = SenseData(key: 5, code: 0x21)
  static let invalidField = SenseData(key: 5, code: 0x24)
  static let savingNotSupported = SenseData(key: 5, code: 0x39)
  static let removalPrevented = SenseData(key: 5, code: 0x53, qualifier: 2)
  static func unreadable(block: UInt32) -> SenseData { SenseData(key: 3, code: 0x11, information: block) }

  var bytes: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 18)
    bytes[0] = 0x70
    if let information {
      bytes[0] |= 0x80
      bytes.replaceSubrange(3..<7, with: bigEndian(information))
    }
    bytes[2] = key
    bytes[7] = 10
    bytes[12] = code
    bytes[13] = qualifier
    return bytes
  }
}
