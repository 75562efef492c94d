import HostResources

/// The serial EEPROM: a 93C46 of 64 words of 16 bits, read by EERD or, bit by bit, through EECD (manual, sections 5.3 and 5.6; the
/// part's Microwire protocol).
struct E1000EEPROM: Sendable, Equatable, Codable {
  static let count = 64
  private static let addressBits = 6
  private static let checksumWord = 0x3F
  /// Sum of all words.
  static let checksum: UInt16 = 0xBABA

  private(set) var words = [UInt16](repeating: 0xFFFF, count: count)

  // EECD (section 13.4.3).
  static let clock: UInt32 = 1 << 0
  static let select: UInt32 = 1 << 1
  static let dataIn: UInt32 = 1 << 2
  static let dataOut: UInt32 = 1 << 3
  static let request: UInt32 = 1 << 6
  static let grant: UInt32 = 1 << 7
  static let present: UInt32 = 1 << 8
  private static let flashEnable: UInt32 = 3 << 4

  /// What software drives.
  private var pins: UInt32 = 0
  /// Flash writes disabled.
  private var flash: UInt32 = 1 << 4
  /// Bits since the start bit, the start bit included.
  private var shifted: UInt32 = 0
  private var shiftedCount = 0
  private var output = true
  /// Bits that READ still shifts out of the word at `address`.
  private var outputBits = 0
  private var address = 0
  private var writesEnabled = false
  /// A write waits for the end of selection.
  private var pendingWrite: PendingWrite?

  private struct PendingWrite: Sendable, Equatable, Codable {
    var address: Int?
    var value: UInt16
  }

  /// Contents as the factory leaves them (section 5.6).
  init(address: MACAddress) {
    let bytes = address.bytes
    for n in 0..<3 { words[n] = UInt16(bytes[2 * n]) | UInt16(bytes[2 * n + 1]) << 8 }
    words[0x03] = 0x0000  // compatibility: no LOM, an Ethernet adapter
    words[0x08] = 0x0000  // PBA number
    words[0x09] = 0x0000
    words[0x0A] = 0x6403  // initialization control 1: signature 01, load device IDs, internal VREG, 1000 Mb/s link
    words[0x0B] = E1000.subsystem
    words[0x0C] = E1000.intel
    words[0x0D] = E1000.device
    words[0x0E] = E1000.intel
    words[0x0F] = 0x3040  // initialization control 2: signature valid, APM PME# enable
    words[0x20] = 0x000C  // software-defined pins
    words[0x21] = 0x0100  // D0 and D3 power, from the flash size word's upper half on
    words[0x22] = 0x280C  // management capabilities off
    words[0x23] = 0x0000
    words[0x24] = 0x1400  // initialization control 3: PHY address 1, power-up
    words[0x2F] = 0x0602  // LED defaults
    fixChecksum()
  }

  private mutating func fixChecksum() {
    let sum = words[0..<Self.checksumWord].reduce(UInt16(0), &+)
    words[Self.checksumWord] = Self.checksum &- sum
  }

  /// EERD of a word; software that asks for one that does not exist gets the address modulo the size, as from the part.
  func word(_ address: Int) -> UInt16 { words[address & (Self.count - 1)] }

  var stationAddress: MACAddress {
    MACAddress(value: (0..<3).reduce(UInt64(0)) { $0 << 16 | UInt64(words[$1].byteSwapped) })
  }

  // MARK: Microwire

  var control: UInt32 {
    // The EEPROM has one master only: a request is granted at once.
    var value = pins | flash | Self.present
    if pins & Self.request != 0 { value |= Self.grant }
    if output { value |= Self.dataOut }
    return value
  }

  mutating func write(_ value: UInt32) {
    let before = pins
    pins = value & (Self.clock | Self.select | Self.dataIn | Self.request)
    flash = value & Self.flashEnable
    if pins & Self.select == 0 {
      if before & Self.select != 0 { deselect() }
      return
    }
    if before & Self.select == 0 { begin() }
    if pins & Self.clock != 0 && before & Self.clock == 0 { shift(pins & Self.dataIn != 0) }
  }

  private mutating func begin() {
    shifted = 0
    shiftedCount = 0
    outputBits = 0
    // Ready: writes take no time.
    output = true
  }

  private mutating func deselect() {
    if let write = pendingWrite, writesEnabled {
      if let address = write.address {
        words[address] = write.value
      } else {
        words = .init(repeating: write.value, count: Self.count)
      }
    }
    pendingWrite = nil
    output = true
  }

  private mutating func shift(_ bit: Bool) {
    if outputBits > 0 {
      outputBits -= 1
      output = words[address] >> UInt16(outputBits) & 1 != 0
      // Reading goes on with the next word.
      if outputBits == 0 {
        address = (address + 1) % Self.count
        outputBits = 16
      }
      return
    }
    if shiftedCount == 0 && !bit { return }  // leading zeros
    // Nothing is longer than start, opcode, address and data.
    guard shiftedCount < 3 + Self.addressBits + 16 else { return }
    shifted = shifted << 1 | (bit ? 1 : 0)
    shiftedCount += 1
    if shiftedCount == 3 + Self.addressBits { command() }
    if shiftedCount == 3 + Self.addressBits + 16 { data() }
  }

  private var opcode: UInt32 { shifted >> UInt32(shiftedCount - 3) & 3 }

  private mutating func command() {
    address = Int(shifted) & (Self.count - 1)
    switch opcode {
    case 0b10:
      output = false  // the dummy bit in front of the data
      outputBits = 16
    case 0b11: pendingWrite = PendingWrite(address: address, value: 0xFFFF)
    case 0b00:
      switch address >> (Self.addressBits - 2) {
      case 0b11: writesEnabled = true
      case 0b00: writesEnabled = false
      case 0b10: pendingWrite = PendingWrite(address: nil, value: 0xFFFF)
      default: break
      }
    default: break
    }
  }

  private mutating func data() {
    let value = UInt16(truncatingIfNeeded: shifted)
    if opcode == 0b01 { pendingWrite = PendingWrite(address: address, value: value) }
    if opcode == 0b00 && address >> (Self.addressBits - 2) == 0b01 { pendingWrite = PendingWrite(address: nil, value: value) }
  }
}
