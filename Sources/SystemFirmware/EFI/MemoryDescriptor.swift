/// EFI_MEMORY_TYPE (EFI 1.10, AllocatePages).
struct EFIMemoryType: RawRepresentable, Hashable, Sendable, Codable {
  var rawValue: UInt32

  static let reserved = EFIMemoryType(rawValue: 0)
  static let loaderCode = EFIMemoryType(rawValue: 1)
  static let loaderData = EFIMemoryType(rawValue: 2)
  static let bootServicesCode = EFIMemoryType(rawValue: 3)
  static let bootServicesData = EFIMemoryType(rawValue: 4)
  static let runtimeServicesCode = EFIMemoryType(rawValue: 5)
  static let runtimeServicesData = EFIMemoryType(rawValue: 6)
  static let conventional = EFIMemoryType(rawValue: 7)
  static let unusable = EFIMemoryType(rawValue: 8)
  static let acpiReclaim = EFIMemoryType(rawValue: 9)
  static let acpiNVS = EFIMemoryType(rawValue: 10)
  static let memoryMappedIO = EFIMemoryType(rawValue: 11)
  static let portSpace = EFIMemoryType(rawValue: 12)
  static let palCode = EFIMemoryType(rawValue: 13)

  /// What AllocatePages and AllocatePool give: not conventional memory itself, nor what the hardware decides; operating systems'
  /// and manufacturers' own types from 0x70000000 on.
  var isAllocatable: Bool { rawValue < 14 && self != .conventional || rawValue >= 0x7000_0000 }
  var isRuntime: Bool { self == .runtimeServicesCode || self == .runtimeServicesData }
}

/// Attributes of a memory descriptor.
enum EFIMemoryAttribute {
  static let uncacheable: UInt64 = 1
  static let writeBack: UInt64 = 8
  static let runtime: UInt64 = 1 << 63
  /// What all RAM can do. One value for all of it, so that an operating system may map whole granules.
  static let memory = writeBack | uncacheable
}

/// EFI_MEMORY_DESCRIPTOR.
struct EFIMemoryDescriptor: Equatable {
  static let version: UInt64 = 1
  /// Size of the fields; firmware says how far the descriptors are really apart, and that it need not be this.
  static let minimumSize = 40
  static let stride = 48

  var type: UInt32
  var physical: UInt64
  var virtual: UInt64 = 0
  /// In units of 4 KiB.
  var pages: UInt64
  var attribute: UInt64

  init(_ type: EFIMemoryType, _ range: Range<UInt64>, _ attribute: UInt64) {
    self.type = type.rawValue
    physical = range.lowerBound
    pages = (range.upperBound - range.lowerBound) >> 12
    self.attribute = attribute
  }

  init(decoding bytes: ArraySlice<UInt8>) {
    func integer(_ offset: Int, _ size: Int) -> UInt64 {
      (0..<size).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[bytes.startIndex + offset + $1]) }
    }
    type = UInt32(integer(0, 4))
    physical = integer(8, 8)
    virtual = integer(16, 8)
    pages = integer(24, 8)
    attribute = integer(32, 8)
  }

  var bytes: [UInt8] {
    var w = ByteWriter()
    w.put(type)
    w.put(UInt32(0))
    w.put(physical)
    w.put(virtual)
    w.put(pages)
    w.put(attribute)
    w.zeros(Self.stride - Self.minimumSize)
    return w.bytes
  }
}
