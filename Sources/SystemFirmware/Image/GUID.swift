/// An EFI GUID as it lies in memory: three little-endian integers, then eight bytes.
struct GUID: Hashable, Sendable, Codable {
  var a: UInt32
  var b: UInt16
  var c: UInt16
  var d: UInt64

  /// `tail` is written as it is read: 0x9a160090273fc14d is 9a16-0090273fc14d.
  init(_ a: UInt32, _ b: UInt16, _ c: UInt16, _ tail: UInt64) {
    (self.a, self.b, self.c, d) = (a, b, c, tail.byteSwapped)
  }

  init?(bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    func integer(_ range: Range<Int>) -> UInt64 {
      range.reversed().reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
    }
    a = UInt32(integer(0..<4))
    b = UInt16(integer(4..<6))
    c = UInt16(integer(6..<8))
    d = integer(8..<16)
  }

  var bytes: [UInt8] {
    var w = ByteWriter()
    w.put(a)
    w.put(b)
    w.put(c)
    w.put(d)
    return w.bytes
  }

  static let acpi20Table = GUID(0x8868_E871, 0xE4F1, 0x11D3, 0xBC22_0080_C73C_8881)
  static let salSystemTable = GUID(0xEB9D_2D32, 0x2D88, 0x11D3, 0x9A16_0090_273F_C14D)
  static let smbiosTable = GUID(0xEB9D_2D31, 0x2D88, 0x11D3, 0x9A16_0090_273F_C14D)
  static let consoleTable = GUID(0xF951_938D, 0x620B, 0x42EF, 0x8279_A84B_7961_7898)
  static let globalVariable = GUID(0x8BE4_DF61, 0x93CA, 0x11D2, 0xAA0D_00E0_9803_2B8C)
}
