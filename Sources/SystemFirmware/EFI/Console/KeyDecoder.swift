/// Makes keys of what a terminal sends: characters in UTF-8, and the sequences of function keys (EFI 1.10, tables 10-1 and 10-3;
/// ECMA-48, and what xterm sends).
enum KeyDecoder {
  typealias Key = ConsoleState.Key

  enum ScanCode {
    static let up: UInt16 = 1
    static let down: UInt16 = 2
    static let right: UInt16 = 3
    static let left: UInt16 = 4
    static let home: UInt16 = 5
    static let end: UInt16 = 6
    static let insert: UInt16 = 7
    static let delete: UInt16 = 8
    static let pageUp: UInt16 = 9
    static let pageDown: UInt16 = 10
    static let f1: UInt16 = 11
    static let escape: UInt16 = 0x17
  }

  enum Result: Equatable {
    /// A key, and how many bytes it took; nil: bytes that mean nothing.
    case key(Key?, bytes: Int)
    case needsMore
  }

  private static let finals: [UInt8: UInt16] = [
    0x41: ScanCode.up, 0x42: ScanCode.down, 0x43: ScanCode.right, 0x44: ScanCode.left, 0x48: ScanCode.home, 0x46: ScanCode.end,
    0x50: ScanCode.f1, 0x51: ScanCode.f1 + 1, 0x52: ScanCode.f1 + 2, 0x53: ScanCode.f1 + 3,
  ]
  private static let numbers: [Int: UInt16] = [
    1: ScanCode.home, 2: ScanCode.insert, 3: ScanCode.delete, 4: ScanCode.end, 5: ScanCode.pageUp, 6: ScanCode.pageDown,
    7: ScanCode.home, 8: ScanCode.end, 11: 11, 12: 12, 13: 13, 14: 14, 15: 15, 17: 16, 18: 17, 19: 18, 20: 19, 21: 20, 23: 21,
    24: 22,
  ]

  /// The first key of `bytes`.
  static func decode(_ bytes: [UInt8]) -> Result {
    guard let first = bytes.first else { return .needsMore }
    switch first {
    case 0x1B: return escape(bytes)
    case 0x7F: return .key(Key(character: 8), bytes: 1)
    case 0: return .key(nil, bytes: 1)
    case 0x01..<0x80: return .key(Key(character: UInt16(first)), bytes: 1)
    case 0xC2..<0xF5:
      let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
      let tail = bytes.dropFirst().prefix(length - 1)
      guard tail.allSatisfy({ $0 & 0xC0 == 0x80 }) else { return .key(nil, bytes: 1) }
      guard tail.count == length - 1 else { return .needsMore }
      let units = Array(String(decoding: bytes.prefix(length), as: UTF8.self).utf16)
      return .key(units.count == 1 ? Key(character: units[0]) : nil, bytes: length)
    default: return .key(nil, bytes: 1)
    }
  }

  private static func escape(_ bytes: [UInt8]) -> Result {
    guard bytes.count > 1 else { return .needsMore }
    let alone = Result.key(Key(scanCode: ScanCode.escape), bytes: 1)
    guard bytes[1] == 0x5B || bytes[1] == 0x4F else { return alone }
    guard bytes.count > 2 else { return .needsMore }
    // Parameters, then a final character.
    guard let end = bytes[2...].firstIndex(where: { 0x40...0x7E ~= $0 }) else { return bytes.count > 16 ? alone : .needsMore }
    let length = end + 1
    if bytes[end] == 0x7E {
      let number = bytes[2..<end].prefix { 0x30...0x39 ~= $0 }.prefix(3).reduce(0) { $0 * 10 + Int($1 - 0x30) }
      return .key(numbers[number].map { Key(scanCode: $0) }, bytes: length)
    }
    return .key(finals[bytes[end]].map { Key(scanCode: $0) }, bytes: length)
  }
}
