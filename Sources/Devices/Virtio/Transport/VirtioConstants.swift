/// Device types (Virtual I/O Device Version 1.2, section 5), and what the PCI transport says of each (section 4.1.2).
public enum VirtioKind: UInt16, Sendable, Codable {
  case net = 1
  case block = 2
  case console = 3
  case entropy = 4
  case balloon = 5
  case scsi = 8

  /// Device number of a transitional device (section 4.1.2.1).
  var transitionalID: UInt16 {
    switch self {
    case .net: 0x1000
    case .block: 0x1001
    case .balloon: 0x1002
    case .console: 0x1003
    case .scsi: 0x1004
    case .entropy: 0x1005
    }
  }
  /// Device number of one without the legacy interface.
  var modernID: UInt16 { 0x1040 + rawValue }

  /// The specification leaves the class open: what drivers of other devices of this sort would look for.
  var classCode: UInt32 {
    switch self {
    case .net: 0x02_0000
    case .block, .scsi: 0x01_0000
    case .console: 0x07_8000
    case .entropy, .balloon: 0xFF_0000
    }
  }
}

/// Feature bits that belong to no device type (section 6), as masks.
enum VirtioFeature {
  /// Legacy drivers alone: no device assumes a framing of messages (section 2.7.4.3).
  static let anyLayout: UInt64 = 1 << 27
  static let indirectDescriptors: UInt64 = 1 << 28
  static let eventIndex: UInt64 = 1 << 29
  static let version1: UInt64 = 1 << 32
}

/// Bits of the device status (section 2.1).
enum VirtioStatus {
  static let acknowledge: UInt8 = 1
  static let driver: UInt8 = 2
  static let driverOK: UInt8 = 4
  static let featuresOK: UInt8 = 8
  static let needsReset: UInt8 = 64
  static let failed: UInt8 = 128
}

/// Bits of the ISR status (section 4.1.4.5).
enum VirtioISR {
  static let queue: UInt8 = 1
  static let configuration: UInt8 = 2
}

/// Little-endian fields of virtio's structures.
extension [UInt8] {
  mutating func append<T: FixedWidthInteger>(little value: T) {
    for n in 0..<MemoryLayout<T>.size { append(UInt8(truncatingIfNeeded: value >> T(8 * n))) }
  }
  /// Zeros where the array has ended.
  func little<T: FixedWidthInteger>(_ offset: Int, as: T.Type = T.self) -> T {
    (0..<MemoryLayout<T>.size).reduce(T.zero) {
      $0 | T(truncatingIfNeeded: offset + $1 < count ? self[offset + $1] : 0) << T(8 * $1)
    }
  }
}
