/// The command block of an ATA device (ATA/ATAPI-6, section 7). Each register but the device register is two deep: the second write
/// pushes the first one back, and 48-bit commands use both.
public struct ATARegisters: Sendable, Equatable, Codable {
  public static let version = 1
  var features: UInt16 = 0
  var count: UInt16 = 0
  var lbaLow: UInt16 = 0
  var lbaMid: UInt16 = 0
  var lbaHigh: UInt16 = 0
  var device: UInt8 = 0
  var error: UInt8 = 0

  enum Offset {
    static let data: UInt64 = 0
    /// Read: error. Written: features.
    static let error: UInt64 = 1
    static let count: UInt64 = 2
    static let lbaLow: UInt64 = 3
    static let lbaMid: UInt64 = 4
    static let lbaHigh: UInt64 = 5
    static let device: UInt64 = 6
    /// Read: status. Written: command.
    static let status: UInt64 = 7
  }

  /// Bits of the device register.
  static let useLBA: UInt8 = 0x40
  static let selectSecond: UInt8 = 0x10

  mutating func write(_ offset: UInt64, _ byte: UInt8) {
    func push(_ register: inout UInt16) { register = register << 8 | UInt16(byte) }
    switch offset {
    case Offset.error: push(&features)
    case Offset.count: push(&count)
    case Offset.lbaLow: push(&lbaLow)
    case Offset.lbaMid: push(&lbaMid)
    case Offset.lbaHigh: push(&lbaHigh)
    case Offset.device: device = byte
    default: break
    }
  }

  /// `previous`: what the last write pushed back.
  func read(_ offset: UInt64, previous: Bool) -> UInt8 {
    func part(_ register: UInt16) -> UInt8 { UInt8(truncatingIfNeeded: previous ? register >> 8 : register) }
    switch offset {
    case Offset.error: return error
    case Offset.count: return part(count)
    case Offset.lbaLow: return part(lbaLow)
    case Offset.lbaMid: return part(lbaMid)
    case Offset.lbaHigh: return part(lbaHigh)
    // Bits 7 and 5 are obsolete and read as ones, as drives have always had them.
    case Offset.device: return device | 0xA0
    default: return 0xFF
    }
  }

  static func low(_ register: UInt16) -> UInt8 { UInt8(truncatingIfNeeded: register) }

  // MARK: Addresses

  var lba28: UInt64 {
    UInt64(lbaLow & 0xFF) | UInt64(lbaMid & 0xFF) << 8 | UInt64(lbaHigh & 0xFF) << 16 | UInt64(device & 0xF) << 24
  }
  var lba48: UInt64 {
    let current = UInt64(lbaLow & 0xFF) | UInt64(lbaMid & 0xFF) << 8 | UInt64(lbaHigh & 0xFF) << 16
    let previous = UInt64(lbaLow >> 8) | UInt64(lbaMid >> 8) << 8 | UInt64(lbaHigh >> 8) << 16
    return current | previous << 24
  }
  var count28: UInt64 { count & 0xFF == 0 ? 256 : UInt64(count & 0xFF) }
  var count48: UInt64 { count == 0 ? 65536 : UInt64(count) }

  mutating func setLBA28(_ lba: UInt64) {
    setLow(lba)
    device = device & 0xF0 | UInt8(lba >> 24 & 0xF)
  }
  mutating func setLBA48(_ lba: UInt64) {
    setLow(lba)
    lbaLow |= UInt16(lba >> 24 & 0xFF) << 8
    lbaMid |= UInt16(lba >> 32 & 0xFF) << 8
    lbaHigh |= UInt16(lba >> 40 & 0xFF) << 8
  }
  private mutating func setLow(_ lba: UInt64) {
    lbaLow = UInt16(lba & 0xFF)
    lbaMid = UInt16(lba >> 8 & 0xFF)
    lbaHigh = UInt16(lba >> 16 & 0xFF)
  }

  /// What a device shows after a reset (section 9.12).
  mutating func setSignature(isPacketDevice: Bool) {
    count = 1
    lbaLow = 1
    lbaMid = isPacketDevice ? 0x14 : 0
    lbaHigh = isPacketDevice ? 0xEB : 0
  }
}

/// Bits of the status register.
enum ATAStatus {
  static let busy: UInt8 = 0x80
  static let ready: UInt8 = 0x40
  static let seekComplete: UInt8 = 0x10
  static let dataRequest: UInt8 = 0x08
  static let error: UInt8 = 0x01
}

/// Bits of the error register.
enum ATAError {
  static let aborted: UInt8 = 0x04
  static let notFound: UInt8 = 0x10
  static let uncorrectable: UInt8 = 0x40
}
