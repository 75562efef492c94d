/// Cylinders, heads and sectors: how the oldest commands name a sector (ATA-5, annex B).
struct ATAGeometry: Sendable, Equatable, Codable {
  /// As the disk has it by default.
  let defaultCylinders: UInt64
  /// Chosen by INITIALIZE DEVICE PARAMETERS.
  private(set) var heads: UInt64 = defaultHeads
  private(set) var sectorsPerTrack: UInt64 = defaultSectors
  private let sectors: UInt64

  static let defaultHeads: UInt64 = 16
  static let defaultSectors: UInt64 = 63
  private static let mostDefaultCylinders: UInt64 = 16_383

  init(sectors: UInt64) {
    self.sectors = sectors
    defaultCylinders = min(Self.mostDefaultCylinders, max(1, sectors / (Self.defaultHeads * Self.defaultSectors)))
  }

  var cylinders: UInt64 { min(65_535, sectors / (heads * sectorsPerTrack)) }
  /// Sectors that can be named this way.
  var capacity: UInt64 { cylinders * heads * sectorsPerTrack }

  /// `heads`: 1 to 16. False: impossible.
  mutating func set(heads: UInt8, sectorsPerTrack: UInt8) -> Bool {
    guard (1...16).contains(heads), sectorsPerTrack > 0 else { return false }
    self.heads = UInt64(heads)
    self.sectorsPerTrack = UInt64(sectorsPerTrack)
    return true
  }

  /// Nil: there is no such head or sector. Sectors are counted from 1.
  func lba(_ registers: ATARegisters) -> UInt64? {
    let cylinder = UInt64(registers.lbaMid & 0xFF) | UInt64(registers.lbaHigh & 0xFF) << 8
    let head = UInt64(registers.device & 0xF)
    let sector = UInt64(registers.lbaLow & 0xFF)
    guard head < heads, sector >= 1, sector <= sectorsPerTrack else { return nil }
    return (cylinder * heads + head) * sectorsPerTrack + sector - 1
  }

  func set(_ registers: inout ATARegisters, _ lba: UInt64) {
    let track = lba / sectorsPerTrack
    let cylinder = track / heads
    registers.lbaLow = UInt16(lba % sectorsPerTrack + 1)
    registers.device = registers.device & 0xF0 | UInt8(track % heads)
    registers.lbaMid = UInt16(cylinder & 0xFF)
    registers.lbaHigh = UInt16(cylinder >> 8 & 0xFF)
  }
}
