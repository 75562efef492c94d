/// Command codes (ATA/ATAPI-6, section 8).
enum ATACommand {
  static let nop: UInt8 = 0x00
  static let deviceReset: UInt8 = 0x08
  static let recalibrate: ClosedRange<UInt8> = 0x10...0x1F
  static let readSectors: UInt8 = 0x20
  static let readSectorsNoRetry: UInt8 = 0x21
  static let readSectorsExt: UInt8 = 0x24
  static let readDMAExt: UInt8 = 0x25
  static let readNativeMaxExt: UInt8 = 0x27
  static let readMultipleExt: UInt8 = 0x29
  static let writeSectors: UInt8 = 0x30
  static let writeSectorsNoRetry: UInt8 = 0x31
  static let writeSectorsExt: UInt8 = 0x34
  static let writeDMAExt: UInt8 = 0x35
  static let writeMultipleExt: UInt8 = 0x39
  static let writeDMAFUAExt: UInt8 = 0x3D
  static let verify: UInt8 = 0x40
  static let verifyNoRetry: UInt8 = 0x41
  static let verifyExt: UInt8 = 0x42
  static let seek: ClosedRange<UInt8> = 0x70...0x7F
  static let executeDeviceDiagnostic: UInt8 = 0x90
  static let initializeDeviceParameters: UInt8 = 0x91
  static let packet: UInt8 = 0xA0
  static let identifyPacketDevice: UInt8 = 0xA1
  static let smart: UInt8 = 0xB0
  static let readMultiple: UInt8 = 0xC4
  static let writeMultiple: UInt8 = 0xC5
  static let setMultiple: UInt8 = 0xC6
  static let readDMA: UInt8 = 0xC8
  static let readDMANoRetry: UInt8 = 0xC9
  static let writeDMA: UInt8 = 0xCA
  static let writeDMANoRetry: UInt8 = 0xCB
  static let writeMultipleFUAExt: UInt8 = 0xCE
  static let standbyImmediate: UInt8 = 0xE0
  static let idleImmediate: UInt8 = 0xE1
  static let standby: UInt8 = 0xE2
  static let idle: UInt8 = 0xE3
  static let checkPowerMode: UInt8 = 0xE5
  static let sleep: UInt8 = 0xE6
  static let flushCache: UInt8 = 0xE7
  static let flushCacheExt: UInt8 = 0xEA
  static let identifyDevice: UInt8 = 0xEC
  static let setFeatures: UInt8 = 0xEF
  static let readNativeMax: UInt8 = 0xF8

  /// The power management commands have older codes, too, which some systems still use.
  static func current(_ command: UInt8) -> UInt8 {
    switch command {
    case 0x94: standbyImmediate
    case 0x95: idleImmediate
    case 0x96: standby
    case 0x97: idle
    case 0x98: checkPowerMode
    case 0x99: sleep
    default: command
    }
  }
}

/// Subcommands of SET FEATURES (section 8.46).
enum ATAFeature {
  static let enableWriteCache: UInt8 = 0x02
  static let setTransferMode: UInt8 = 0x03
  static let disableLookAhead: UInt8 = 0x55
  static let keepOnReset: UInt8 = 0x66
  static let disableWriteCache: UInt8 = 0x82
  static let enableLookAhead: UInt8 = 0xAA
  static let revertOnReset: UInt8 = 0xCC
}

/// The transfer mode that SET FEATURES chooses: kind in bits 7:3, number in bits 2:0.
struct ATATransferMode: Sendable, Equatable, Codable {
  /// Ultra DMA, or nil: multiword DMA.
  var ultra: UInt8?
  var multiword: UInt8? = 2

  static let highestUltra: UInt8 = 5
  static let highestMultiword: UInt8 = 2
  private static let highestPIO: UInt8 = 4

  /// False: there is no such mode.
  mutating func set(_ value: UInt8) -> Bool {
    let number = value & 7
    switch value >> 3 {
    case 0: return number <= 1  // default programmed mode, with or without IORDY
    case 1: return number <= Self.highestPIO
    case 4 where number <= Self.highestMultiword: (ultra, multiword) = (nil, number)
    case 8 where number <= Self.highestUltra: (ultra, multiword) = (number, nil)
    default: return false
    }
    return true
  }

  /// Words 63 and 88 of the identification: modes that exist, and the chosen one.
  var multiwordWord: UInt16 { 0x07 | (multiword.map { 0x100 << UInt16($0) } ?? 0) }
  var ultraWord: UInt16 { 0x3F | (ultra.map { 0x100 << UInt16($0) } ?? 0) }
}
