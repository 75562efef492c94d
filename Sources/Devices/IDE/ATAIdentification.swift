/// The 256 words that IDENTIFY DEVICE and IDENTIFY PACKET DEVICE return (ATA/ATAPI-6, sections 8.15 and 8.16).
struct ATAIdentification {
  private(set) var words = [UInt16](repeating: 0, count: 256)

  subscript(word: Int) -> UInt16 {
    get { words[word] }
    set { words[word] = newValue }
  }

  /// Strings have the first character of each pair in the high byte, and blanks behind.
  mutating func set(_ range: ClosedRange<Int>, _ text: String) {
    let length = 2 * range.count
    let characters = Array(text.utf8.prefix(length)) + [UInt8](repeating: 0x20, count: max(0, length - text.utf8.count))
    for n in 0..<range.count { words[range.lowerBound + n] = UInt16(characters[2 * n]) << 8 | UInt16(characters[2 * n + 1]) }
  }

  mutating func set32(_ word: Int, _ value: UInt64) {
    words[word] = UInt16(truncatingIfNeeded: value)
    words[word + 1] = UInt16(truncatingIfNeeded: value >> 16)
  }

  /// Word 255 makes the sum of all bytes zero.
  var bytes: [UInt8] {
    var bytes = words.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    bytes[510] = 0xA5
    bytes[511] = 0
    bytes[511] = 0 &- bytes.reduce(0, &+)
    return bytes
  }

  /// What disks and packet devices say alike.
  init(model: String, serial: String, firmware: String, mode: ATATransferMode, isSecond: Bool) {
    set(10...19, serial)
    set(23...26, firmware)
    set(27...46, model)
    words[53] = 0x0006  // words 64 to 70 and 88 are valid
    words[63] = mode.multiwordWord
    words[64] = 0x0003  // PIO 3 and 4
    for cycleTime in 65...68 { words[cycleTime] = 120 }
    words[80] = 0x007C  // ATA-2 to ATA/ATAPI-6
    words[88] = mode.ultraWord
    // Hardware reset result: device number from a jumper, a cable with 40 conductors, which is what the PIIX4's speeds need.
    words[93] = isSecond ? 0x4300 : 0x4003
  }
}
