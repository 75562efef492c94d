/// Registers of the configuration header, type 0 (PCI Local Bus Specification 3.0, section 6.1).
public enum PCIRegister {
  public static let vendorID = 0x00
  public static let deviceID = 0x02
  public static let command = 0x04
  public static let status = 0x06
  public static let revision = 0x08
  public static let classCode = 0x09
  public static let cacheLineSize = 0x0C
  public static let latencyTimer = 0x0D
  public static let headerType = 0x0E
  public static let bar0 = 0x10
  public static let subsystemVendorID = 0x2C
  public static let subsystemID = 0x2E
  public static let expansionROM = 0x30
  public static let capabilities = 0x34
  public static let interruptLine = 0x3C
  public static let interruptPin = 0x3D
  public static let minimumGrant = 0x3E
  public static let maximumLatency = 0x3F
}

/// Bits of the command register (section 6.2.2).
public enum PCICommand {
  public static let ports: UInt16 = 1 << 0
  public static let memory: UInt16 = 1 << 1
  public static let busMaster: UInt16 = 1 << 2
  public static let interruptDisable: UInt16 = 1 << 10
}

/// What a function says it is.
public struct PCIIdentity: Sendable, Equatable {
  public var vendor: UInt16
  public var device: UInt16
  public var revision: UInt8
  /// Base class, subclass, programming interface: 0x010180 is an IDE controller with bus mastering.
  public var classCode: UInt32
  public var subsystemVendor: UInt16
  public var subsystem: UInt16

  public init(
    vendor: UInt16, device: UInt16, revision: UInt8 = 0, classCode: UInt32, subsystemVendor: UInt16 = 0, subsystem: UInt16 = 0
  ) {
    self.vendor = vendor
    self.device = device
    self.revision = revision
    self.classCode = classCode
    self.subsystemVendor = subsystemVendor
    self.subsystem = subsystem
  }
}

/// An address range that a function asks for. Sizes are powers of two: at least 16 bytes of memory, 4 of ports.
public enum PCIBaseAddress: Sendable, Equatable {
  case ports(size: UInt32)
  case memory32(size: UInt32, prefetchable: Bool = false)
  /// Takes two registers.
  case memory64(size: UInt64, prefetchable: Bool = false)

  var registers: Int {
    if case .memory64 = self { 2 } else { 1 }
  }
  var size: UInt64 {
    switch self {
    case .ports(let size), .memory32(let size, _): UInt64(size)
    case .memory64(let size, _): size
    }
  }
  /// Bits 3:0 of the register as they read.
  var kind: UInt32 {
    switch self {
    case .ports: 1
    case .memory32(_, let prefetchable): prefetchable ? 8 : 0
    case .memory64(_, let prefetchable): prefetchable ? 0xC : 4
    }
  }
}

/// The 256 bytes of a function's configuration space: contents, and which bits a write changes. Everything that a saved machine needs.
public struct PCIConfiguration: Sendable, Equatable, Codable {
  public static let version = 1
  public static let size = 256

  public private(set) var bytes = [UInt8](repeating: 0, count: size)
  private var writable = [UInt8](repeating: 0, count: size)
  /// Bits that a written one clears.
  private var clearable = [UInt8](repeating: 0, count: size)

  init(_ identity: PCIIdentity, isMultifunction: Bool) {
    set(PCIRegister.vendorID, identity.vendor)
    set(PCIRegister.deviceID, identity.device)
    set(PCIRegister.revision, UInt32(identity.revision) | identity.classCode << 8)
    set(PCIRegister.subsystemVendorID, identity.subsystemVendor)
    set(PCIRegister.subsystemID, identity.subsystem)
    set(PCIRegister.headerType, UInt8(isMultifunction ? 0x80 : 0))
    set(PCIRegister.status, UInt16(0x0280))  // medium DEVSEL timing, fast back-to-back
    allow(PCIRegister.command, UInt16(0x0147) | PCICommand.interruptDisable)
    clearable[PCIRegister.status + 1] = 0xF9
    allow(PCIRegister.cacheLineSize, UInt16(0xFFFF))
    allow(PCIRegister.interruptLine, UInt8(0xFF))
  }

  /// A little-endian value inside the 256 bytes.
  public func value<T: FixedWidthInteger>(_ register: Int, as: T.Type = T.self) -> T {
    (0..<MemoryLayout<T>.size).reduce(T.zero) { $0 | T(truncatingIfNeeded: bytes[register + $1]) << T(8 * $1) }
  }

  /// Changes what the register reads, whether or not the guest may write it.
  public mutating func set<T: FixedWidthInteger>(_ register: Int, _ value: T) {
    for n in 0..<MemoryLayout<T>.size { bytes[register + n] = UInt8(truncatingIfNeeded: value >> T(8 * n)) }
  }

  /// Makes the bits of `mask` writable by the guest.
  public mutating func allow<T: FixedWidthInteger>(_ register: Int, _ mask: T) {
    for n in 0..<MemoryLayout<T>.size { writable[register + n] = UInt8(truncatingIfNeeded: mask >> T(8 * n)) }
  }

  /// Makes a written one clear the bits of `mask`.
  public mutating func allowClearing<T: FixedWidthInteger>(_ register: Int, _ mask: T) {
    for n in 0..<MemoryLayout<T>.size { clearable[register + n] = UInt8(truncatingIfNeeded: mask >> T(8 * n)) }
  }

  /// Adds a capability of `size` bytes, identifier and link included, at the head of the list (section 6.7).
  public mutating func addCapability(_ identifier: UInt8, at offset: Int) {
    set(offset, identifier)
    set(offset + 1, bytes[PCIRegister.capabilities])
    set(PCIRegister.capabilities, UInt8(offset))
    bytes[PCIRegister.status] |= 0x10
  }

  func read(_ register: Int, size: Int) -> UInt32 {
    (0..<size).reduce(UInt32(0)) { $0 | UInt32(bytes[register + $1]) << UInt32(8 * $1) }
  }

  mutating func write(_ register: Int, size: Int, _ value: UInt32) {
    for n in 0..<size {
      let byte = UInt8(truncatingIfNeeded: value >> UInt32(8 * n))
      let mask = writable[register + n]
      bytes[register + n] = bytes[register + n] & ~mask & ~(byte & clearable[register + n]) | byte & mask
    }
  }
}
