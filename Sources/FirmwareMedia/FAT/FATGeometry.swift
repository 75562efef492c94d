import HostResources

/// What the BIOS parameter block says (Microsoft FAT specification, section 3), checked against the medium.
struct FATGeometry: Equatable, Sendable {
  enum Width: Int, Sendable { case fat12 = 12, fat16 = 16, fat32 = 32 }

  let width: Width
  let sectorSize: Int
  let clusterSize: Int
  /// Byte offsets.
  let tableStart: UInt64
  let tableSize: UInt64
  let tableCount: Int
  let rootStart: UInt64
  /// Bytes of the root directory of FAT12 and FAT16.
  let rootSize: Int
  let dataStart: UInt64
  /// Clusters are 2..<(2 + clusterCount).
  let clusterCount: UInt32
  let rootCluster: UInt32
  /// Byte offset of the FSInfo sector of FAT32.
  let informationStart: UInt64?
  /// Only this copy of the table is in use; nil: all are.
  let activeTable: Int?

  init(bootSector b: [UInt8], mediumSize: UInt64) throws(FATFailure) {
    guard b.count >= 512, b[510] == 0x55, b[511] == 0xAA else { throw .notFAT }
    let sectorSize = Int(b.littleEndian(11, UInt16.self))
    let perCluster = Int(b[13])
    let reserved = UInt64(b.littleEndian(14, UInt16.self))
    let tables = Int(b[16])
    let rootEntries = Int(b.littleEndian(17, UInt16.self))
    let small = UInt64(b.littleEndian(19, UInt16.self))
    let sectors = small != 0 ? small : UInt64(b.littleEndian(32, UInt32.self))
    let smallTable = UInt64(b.littleEndian(22, UInt16.self))
    let tableSectors = smallTable != 0 ? smallTable : UInt64(b.littleEndian(36, UInt32.self))
    guard [512, 1024, 2048, 4096].contains(sectorSize), perCluster.nonzeroBitCount == 1, sectorSize * perCluster <= 1 << 18,
      reserved > 0, 1...4 ~= tables, sectors > 0, tableSectors > 0
    else { throw .notFAT }
    let unit = UInt64(sectorSize)
    let rootSectors = (UInt64(rootEntries) * 32 + unit - 1) / unit
    let metadata = reserved + UInt64(tables) * tableSectors + rootSectors
    guard metadata < sectors, sectors * unit <= mediumSize else { throw .notFAT }
    let clusters = (sectors - metadata) / UInt64(perCluster)
    guard clusters > 0, clusters < 0x0FFF_FFF5 else { throw .notFAT }
    width = smallTable == 0 || clusters >= 65_525 ? .fat32 : clusters < 4085 ? .fat12 : .fat16
    guard width == .fat32 || rootEntries > 0 else { throw .notFAT }
    // A table that is too short has no entries for the last clusters.
    let entries = tableSectors * unit * 8 / UInt64(width.rawValue)
    guard entries > 2 else { throw .notFAT }
    clusterCount = UInt32(min(clusters, entries - 2))
    self.sectorSize = sectorSize
    clusterSize = sectorSize * perCluster
    tableStart = reserved * unit
    tableSize = tableSectors * unit
    tableCount = tables
    rootStart = tableStart + UInt64(tables) * tableSize
    rootSize = width == .fat32 ? 0 : rootEntries * 32
    dataStart = rootStart + rootSectors * unit
    if width == .fat32 {
      rootCluster = b.littleEndian(44, UInt32.self) & 0x0FFF_FFFF
      let information = UInt64(b.littleEndian(48, UInt16.self))
      informationStart = information > 0 && information < reserved ? information * unit : nil
      let flags = b.littleEndian(40, UInt16.self)
      activeTable = flags & 0x80 != 0 && Int(flags & 0xF) < tables ? Int(flags & 0xF) : nil
      guard b.littleEndian(42, UInt16.self) == 0 else { throw .notFAT }
    } else {
      rootCluster = 0
      informationStart = nil
      activeTable = nil
    }
  }

  func isCluster(_ number: UInt32) -> Bool { number >= 2 && number - 2 < clusterCount }
  func offset(ofCluster number: UInt32) -> UInt64 { dataStart + UInt64(number - 2) * UInt64(clusterSize) }
}
