/// A PE32+ image for IA-64 (Microsoft Portable Executable and Common Object File Format Specification; EFI 1.10, section 2.1.1):
/// checked when it is parsed, so that placing and relocating it stay within its size.
struct PEImage: Sendable {
  enum Failure: Error, Equatable {
    /// Not an image that can be loaded.
    case damaged
    /// An image for another machine, or of a kind that EFI does not start.
    case unsupported
  }
  enum Subsystem: UInt16, Sendable, Codable {
    case application = 10
    case bootServiceDriver = 11
    case runtimeDriver = 12

    var codeType: EFIMemoryType {
      switch self {
      case .application: .loaderCode
      case .bootServiceDriver: .bootServicesCode
      case .runtimeDriver: .runtimeServicesCode
      }
    }
    var dataType: EFIMemoryType { EFIMemoryType(rawValue: codeType.rawValue + 1) }
  }
  private struct Section {
    var address: Int
    var contents: Range<Int>
  }

  /// No image is larger.
  static let largest = 1 << 28
  static let machine: UInt16 = 0x0200

  let subsystem: Subsystem
  /// Bytes in memory.
  let size: Int
  let alignment: UInt64
  private let preferredBase: UInt64
  private let entry: Int
  private let headerSize: Int
  private let sections: [Section]
  private let relocations: Range<Int>
  private let isFixed: Bool
  private let file: [UInt8]

  static func looksLikeOne(_ bytes: [UInt8]) -> Bool { bytes.count > 64 && bytes[0] == 0x4D && bytes[1] == 0x5A }

  init(_ file: [UInt8]) throws(Failure) {
    func integer<T: FixedWidthInteger & UnsignedInteger>(_ offset: Int, _: T.Type = T.self) throws(Failure) -> T {
      guard offset >= 0, offset <= file.count - MemoryLayout<T>.size else { throw .damaged }
      return (0..<MemoryLayout<T>.size).reversed().reduce(T(0)) { $0 << 8 | T(file[offset + $1]) }
    }
    guard Self.looksLikeOne(file), file.count <= Self.largest else { throw .damaged }
    let header = Int(try integer(0x3C, UInt32.self))
    guard try integer(header, UInt32.self) == 0x4550 else { throw .damaged }
    guard try integer(header + 4, UInt16.self) == Self.machine else { throw .unsupported }
    let sectionCount = Int(try integer(header + 6, UInt16.self))
    let optionalSize = Int(try integer(header + 20, UInt16.self))
    let characteristics = try integer(header + 22, UInt16.self)
    let optional = header + 24
    guard try integer(optional, UInt16.self) == 0x20B else { throw .unsupported }
    // Executable, and no library.
    guard characteristics & 2 != 0, optionalSize >= 112 else { throw .damaged }
    entry = Int(try integer(optional + 16, UInt32.self))
    preferredBase = try integer(optional + 24)
    alignment = UInt64(try integer(optional + 32, UInt32.self))
    size = Int(try integer(optional + 56, UInt32.self))
    headerSize = Int(try integer(optional + 60, UInt32.self))
    guard let subsystem = Subsystem(rawValue: try integer(optional + 68)) else { throw .unsupported }
    self.subsystem = subsystem
    guard alignment.nonzeroBitCount == 1, alignment <= 1 << 20, size > 0, size <= Self.largest, headerSize <= file.count,
      headerSize <= size, entry % 8 == 0, entry <= size - 16
    else { throw .damaged }
    let directories = Int(try integer(optional + 108, UInt32.self))
    isFixed = characteristics & 1 != 0
    if directories > 5, optionalSize >= 112 + 6 * 8 {
      let start = Int(try integer(optional + 152, UInt32.self))
      let count = Int(try integer(optional + 156, UInt32.self))
      guard start <= size, count <= size - start else { throw .damaged }
      relocations = start..<start + count
    } else {
      relocations = 0..<0
    }
    var list: [Section] = []
    for n in 0..<sectionCount {
      let place = optional + optionalSize + 40 * n
      let virtualSize = Int(try integer(place + 8, UInt32.self))
      let address = Int(try integer(place + 12, UInt32.self))
      let rawSize = Int(try integer(place + 16, UInt32.self))
      let offset = Int(try integer(place + 20, UInt32.self))
      let stored = virtualSize == 0 ? rawSize : min(rawSize, virtualSize)
      guard address <= size, max(virtualSize, stored) <= size - address else { throw .damaged }
      guard stored == 0 || offset <= file.count && stored <= file.count - offset else { throw .damaged }
      if stored > 0 { list.append(Section(address: address, contents: offset..<offset + stored)) }
    }
    sections = list
    self.file = file
  }

  /// The image as it lies in memory at `base`.
  func placed(at base: UInt64) throws(Failure) -> [UInt8] {
    var memory = [UInt8](repeating: 0, count: size)
    memory.replaceSubrange(0..<headerSize, with: file[0..<headerSize])
    for section in sections {
      memory.replaceSubrange(section.address..<section.address + section.contents.count, with: file[section.contents])
    }
    let distance = base &- preferredBase
    if distance != 0 {
      guard !isFixed else { throw .unsupported }
      try relocate(&memory, by: distance)
    }
    return memory
  }

  /// Offset of the entry point's function descriptor.
  var entryOffset: UInt64 { UInt64(entry) }

  // MARK: Base relocations

  private enum Relocation {
    static let absolute = 0
    static let high = 1
    static let low = 2
    static let highLow = 3
    static let imm64 = 9
    static let dir64 = 10
  }

  private func relocate(_ memory: inout [UInt8], by distance: UInt64) throws(Failure) {
    func load(_ offset: Int, _ bytes: Int) -> UInt64 { (0..<bytes).reversed().reduce(0) { $0 << 8 | UInt64(memory[offset + $1]) } }
    func store(_ offset: Int, _ bytes: Int, _ value: UInt64) {
      for n in 0..<bytes { memory[offset + n] = UInt8(truncatingIfNeeded: value >> UInt64(8 * n)) }
    }
    var position = relocations.lowerBound
    while position + 8 <= relocations.upperBound {
      let page = Int(load(position, 4))
      let length = Int(load(position + 4, 4))
      // Padding behind the last block.
      if length == 0 { break }
      guard length >= 8, length <= relocations.upperBound - position else { throw .damaged }
      for entry in stride(from: position + 8, to: position + length - 1, by: 2) {
        let word = Int(load(entry, 2))
        let target = page + (word & 0xFFF)
        let kind = word >> 12
        func room(_ bytes: Int) throws(Failure) { guard target <= size - bytes else { throw .damaged } }
        switch kind {
        case Relocation.absolute: break
        case Relocation.high:
          try room(2)
          store(target, 2, load(target, 2) &+ (distance >> 16))
        case Relocation.low:
          try room(2)
          store(target, 2, load(target, 2) &+ distance)
        case Relocation.highLow:
          try room(4)
          store(target, 4, load(target, 4) &+ distance)
        case Relocation.dir64:
          try room(8)
          store(target, 8, load(target, 8) &+ distance)
        case Relocation.imm64:
          let bundle = target & ~15
          guard bundle <= size - 16 else { throw .damaged }
          var movl = MoveLong(low: load(bundle, 8), high: load(bundle + 8, 8))
          movl.immediate = movl.immediate &+ distance
          store(bundle, 8, movl.low)
          store(bundle + 8, 8, movl.high)
        default: throw .unsupported
        }
      }
      position += length
    }
  }
}

/// The immediate of a bundle with `movl` (Volume 3, format X2): slot 1 has 41 bits of it, slot 2 the rest.
struct MoveLong {
  var low: UInt64
  var high: UInt64

  private static let slotMask: UInt64 = 1 << 41 - 1
  private var middle: UInt64 {
    get { (low >> 46 | high << 18) & Self.slotMask }
    set {
      low = low & (1 << 46 - 1) | newValue << 46
      high = high & ~(1 << 23 - 1) | newValue >> 18
    }
  }
  private var last: UInt64 {
    get { high >> 23 }
    set { high = high & (1 << 23 - 1) | newValue << 23 }
  }

  /// Fields of slot 2: position and width there, position in the immediate.
  private static let fields: [(slot: UInt64, width: UInt64, value: UInt64)] = [
    (13, 7, 0), (27, 9, 7), (22, 5, 16), (21, 1, 21), (36, 1, 63),
  ]

  var immediate: UInt64 {
    get {
      Self.fields.reduce(middle << 22) { $0 | (last >> $1.slot & (1 << $1.width - 1)) << $1.value }
    }
    set {
      middle = newValue >> 22 & Self.slotMask
      for field in Self.fields {
        let mask: UInt64 = 1 << field.width - 1
        last = last & ~(mask << field.slot) | (newValue >> field.value & mask) << field.slot
      }
    }
  }
}
