/// Bytes of one ACPI system description table: the common header, then what the table adds (ACPI 3.0b, section 5.2.6).
struct ACPITable {
  private var writer = ByteWriter()

  static let oem = "EPICUR"
  static let oemTable = "EPICURE"

  init(_ signature: String, revision: UInt8) {
    writer.put(signature, width: 4)
    writer.put(UInt32(0))  // length
    writer.put(revision)
    writer.put(UInt8(0))  // checksum
    writer.put(Self.oem, width: 6, padding: 0x20)
    writer.put(Self.oemTable, width: 8, padding: 0x20)
    writer.put(UInt32(1))
    writer.put("EPIC", width: 4)
    writer.put(UInt32(1))
  }

  mutating func put<T: FixedWidthInteger>(_ value: T) { writer.put(value) }
  mutating func put(bytes: some Sequence<UInt8>) { writer.put(bytes: bytes) }
  mutating func zeros(_ count: Int) { writer.zeros(count) }
  var count: Int { writer.count }

  /// The finished table.
  var bytes: [UInt8] {
    var w = writer
    w.set(UInt32(w.count), at: 4)
    w.checksum(at: 9)
    return w.bytes
  }
}

/// Generic address structure (ACPI 3.0b, section 5.2.3.1).
struct GenericAddress {
  enum Space: UInt8 { case memory = 0, io = 1 }
  /// Log2 of the access in bytes, plus one; 0 leaves it to the operating system.
  enum AccessSize: UInt8 { case undefined = 0, byte, word, doubleWord, quadWord }
  var space = Space.io
  var width: UInt8
  var access: AccessSize
  var address: UInt64

  static func port(_ port: UInt16, bytes: UInt8, _ access: AccessSize) -> GenericAddress {
    GenericAddress(width: bytes * 8, access: access, address: UInt64(port))
  }

  var bytes: [UInt8] {
    var w = ByteWriter()
    w.put(space.rawValue)
    w.put(width)
    w.put(UInt8(0))
    w.put(access.rawValue)
    w.put(address)
    return w.bytes
  }
  static let none = [UInt8](repeating: 0, count: 12)
}
