/// The boot catalog of a CD ("El Torito", version 1.0): images that the firmware may treat as disks.
enum ElTorito {
  private static let sector = 2048
  private static let platformEFI: UInt8 = 0xEF

  static func entries(on medium: MediumRange) -> [Partition] {
    // Volume descriptors begin at sector 16; the boot record is the second.
    guard medium.size >= 18 * 2048, let primary = try? medium.read(at: 16 * 2048, count: sector),
      Array(primary[1..<6]) == Array("CD001".utf8), let record = try? medium.read(at: 17 * 2048, count: sector), record[0] == 0,
      Array(record[1..<6]) == Array("CD001".utf8), record[7...].starts(with: "EL TORITO SPECIFICATION".utf8)
    else { return [] }
    let place = UInt64(record.littleEndian(0x47, UInt32.self))
    guard place < medium.size / 2048, let catalog = try? medium.read(at: place * 2048, count: sector), isValid(catalog) else {
      return []
    }
    var list: [Partition] = []
    var number: UInt32 = 0
    func add(_ offset: Int, platform: UInt8) {
      defer { number += 1 }
      // Bootable, no emulation. An image's size counts virtual sectors of 512 bytes; 0 and 1 say nothing of EFI images.
      guard catalog[offset] == 0x88, catalog[offset + 1] & 0xF == 0 else { return }
      let start = UInt64(catalog.littleEndian(offset + 8, UInt32.self))
      let virtual = UInt64(catalog.littleEndian(offset + 6, UInt16.self))
      guard start > 0, start < medium.size / 2048 else { return }
      let rest = medium.size / 2048 - start
      let count = virtual <= 1 ? rest : min(rest, (virtual + 3) / 4)
      list.append(Partition(kind: .bootImage(platform: platform), number: number, start: start, count: count, blockSize: sector))
    }
    add(32, platform: catalog[1])
    var offset = 64
    // Section headers, each with its entries.
    while offset + 32 <= sector, catalog[offset] == 0x90 || catalog[offset] == 0x91 {
      let isLast = catalog[offset] == 0x91
      let platform = catalog[offset + 1]
      let count = Int(catalog.littleEndian(offset + 2, UInt16.self))
      offset += 32
      for _ in 0..<count {
        guard offset + 32 <= sector else { return list }
        add(offset, platform: platform)
        offset += 32
      }
      if isLast { break }
    }
    return list
  }

  /// The validation entry: its words add up to zero.
  private static func isValid(_ catalog: [UInt8]) -> Bool {
    guard catalog[0] == 1, catalog[30] == 0x55, catalog[31] == 0xAA else { return false }
    return stride(from: 0, to: 32, by: 2).reduce(UInt16(0)) { $0 &+ catalog.littleEndian($1, UInt16.self) } == 0
  }
}
