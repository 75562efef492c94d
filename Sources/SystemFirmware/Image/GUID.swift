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
  static let loadedImage = GUID(0x5B1B_31A1, 0x9562, 0x11D2, 0x8E3F_00A0_C969_723B)
  static let devicePath = GUID(0x0957_6E91, 0x6D3F, 0x11D2, 0x8E39_00A0_C969_723B)
  static let simpleTextInput = GUID(0x3874_77C1, 0x69C7, 0x11D2, 0x8E39_00A0_C969_723B)
  static let simpleTextInputEx = GUID(0xDD9E_7534, 0x7762, 0x4698, 0x8C14_F585_17A6_25AA)
  static let simpleTextOutput = GUID(0x3874_77C2, 0x69C7, 0x11D2, 0x8E39_00A0_C969_723B)
  static let blockIO = GUID(0x964E_5B21, 0x6459, 0x11D2, 0x8E39_00A0_C969_723B)
  static let diskIO = GUID(0xCE34_5171, 0xBA0B, 0x11D2, 0x8E4F_00A0_C969_723B)
  static let simpleFileSystem = GUID(0x964E_5B22, 0x6459, 0x11D2, 0x8E39_00A0_C969_723B)
  static let fileInfo = GUID(0x0957_6E92, 0x6D3F, 0x11D2, 0x8E39_00A0_C969_723B)
  static let fileSystemInfo = GUID(0x0957_6E93, 0x6D3F, 0x11D2, 0x8E39_00A0_C969_723B)
  static let volumeLabel = GUID(0xDB47_D7D3, 0xFE81, 0x11D3, 0x9A35_0090_273F_C14D)
  static let unicodeCollation = GUID(0x1D85_CD7F, 0xF43D, 0x11D2, 0x9A0C_0090_273F_C14D)
  static let unicodeCollation2 = GUID(0xA4C7_51FC, 0x23AE, 0x4C3E, 0x92E9_4964_CF63_F349)
  static let softwareAssist = GUID(0xC41B_6531, 0x97B9, 0x11D3, 0x9A29_0090_273F_C14D)
  static let driverBinding = GUID(0x18A0_31AB, 0xB443, 0x4D1A, 0xA5C0_0C09_261E_9F71)
  static let devicePathToText = GUID(0x8B84_3E20, 0x8132, 0x4852, 0x90CC_551A_4E4A_7F1C)
  static let devicePathFromText = GUID(0x05C9_9A21, 0xC70F, 0x4AD2, 0x8A5F_35DF_3343_F51E)
  static let exitBootServicesGroup = GUID(0x27AB_F055, 0xB1B8, 0x4C26, 0x8048_748F_37BA_A2DF)
  static let espPartition = GUID(0xC12A_7328, 0xF81F, 0x11D2, 0xBA4B_00A0_C93E_C93B)
  static let globalVariable = GUID(0x8BE4_DF61, 0x93CA, 0x11D2, 0xAA0D_00E0_9803_2B8C)
}
