/// The partition table in a disk's first sector, and the chain of tables in extended partitions.
enum MBR {
  private static let extended: Set<UInt8> = [0x05, 0x0F, 0x85]
  /// Logical partitions that are looked for: a chain may be a circle.
  private static let maximumLogical = 64

  private struct Entry {
    var type: UInt8
    var start: UInt64
    var count: UInt64
  }

  private static func entries(_ sector: [UInt8]) -> [Entry]? {
    guard sector[510] == 0x55, sector[511] == 0xAA else { return nil }
    let list = (0..<4).map { n in
      let offset = 446 + 16 * n
      return (
        status: sector[offset],
        entry: Entry(
          type: sector[offset + 4], start: UInt64(sector.littleEndian(offset + 8, UInt32.self)),
          count: UInt64(sector.littleEndian(offset + 12, UInt32.self)))
      )
    }
    // A file system's boot sector has its code there.
    guard list.allSatisfy({ $0.status & 0x7F == 0 }) else { return nil }
    return list.map(\.entry)
  }

  /// A GPT's protective entry covers the disk.
  static func isProtective(_ sector: [UInt8]) -> Bool { entries(sector)?.contains { $0.type == 0xEE } ?? false }

  static func read(_ medium: MediumRange) -> [Partition] {
    guard medium.size >= 512, let sector = try? medium.read(at: 0, count: 512), let primary = entries(sector) else { return [] }
    let signature: UInt32 = sector.littleEndian(440)
    let sectors = medium.size / 512
    var list: [Partition] = []
    func add(_ entry: Entry, number: UInt32, offset: UInt64) {
      let start = entry.start + offset
      guard entry.type != 0, entry.count > 0, start < sectors, entry.count <= sectors - start else { return }
      list.append(
        Partition(
          kind: .mbr(signature: signature, type: entry.type), number: number, start: start, count: entry.count, blockSize: 512))
    }
    for (n, entry) in primary.enumerated() where !extended.contains(entry.type) { add(entry, number: UInt32(n + 1), offset: 0) }
    // Each table of the chain names one partition, and the next table, both relative: to itself, to the extended partition.
    guard let container = primary.first(where: { extended.contains($0.type) }) else { return list }
    var table = container.start
    for n in 0..<maximumLogical {
      guard table < sectors, let sector = try? medium.read(at: table * 512, count: 512), let pair = entries(sector) else { break }
      if !extended.contains(pair[0].type) { add(pair[0], number: UInt32(5 + n), offset: table) }
      guard let next = pair.first(where: { extended.contains($0.type) }), next.start > 0 else { break }
      table = container.start + next.start
    }
    return list
  }
}
