import HostResources

/// A directory as it lies on the medium, read whole.
struct FATDirectory {
  static let entrySize = 32
  /// Directories have at most 65,536 entries.
  static let largest = 65_536 * entrySize

  /// First cluster; 0: the root directory.
  let first: UInt32
  /// Clusters that hold it; empty for the root directory of FAT12 and FAT16.
  var clusters: [UInt32]
  var bytes: [UInt8]

  private static let deleted: UInt8 = 0xE5

  /// The files in it, in their order; labels and deleted entries are not among them.
  func nodes() -> [FATNode] {
    var list: [FATNode] = []
    var long = LongName()
    for offset in stride(from: 0, to: bytes.count - Self.entrySize + 1, by: Self.entrySize) {
      let lead = bytes[offset]
      if lead == 0 { break }
      let attributes = bytes[offset + 11]
      if lead == Self.deleted {
        long = LongName()
      } else if attributes & 0x3F == FATAttribute.longName {
        long.add(bytes[offset..<offset + Self.entrySize], at: offset)
      } else if attributes & FATAttribute.volumeLabel != 0 {
        long = LongName()
      } else {
        list.append(node(at: offset, long: long))
        long = LongName()
      }
    }
    return list
  }

  /// The node of the short entry at `offset`.
  private func node(at offset: Int, long: LongName) -> FATNode {
    let short = bytes[offset..<offset + 11]
    let name = long.name(for: short)
    func word(_ field: Int) -> UInt16 { bytes.littleEndian(offset + field) }
    return FATNode(
      location: FATLocation(directory: first, offset: offset),
      name: name ?? FATName.decode(short: short, flags: bytes[offset + 12]),
      attributes: bytes[offset + 11], firstCluster: UInt32(word(20)) << 16 | UInt32(word(26)),
      size: bytes.littleEndian(offset + 28), created: FATTime(date: word(16), time: word(14)),
      accessed: FATTime(date: word(18), time: 0), modified: FATTime(date: word(24), time: word(22)),
      start: name == nil ? offset : long.start)
  }

  /// The volume's name, in the root directory.
  func label() -> [UInt16]? {
    for offset in stride(from: 0, to: bytes.count - Self.entrySize + 1, by: Self.entrySize) {
      if bytes[offset] == 0 { break }
      let attributes = bytes[offset + 11]
      if bytes[offset] != Self.deleted, attributes & 0x3F != FATAttribute.longName, attributes & FATAttribute.volumeLabel != 0 {
        var units = bytes[offset..<offset + 11].map { UInt16($0) }
        while units.last == 0x20 { units.removeLast() }
        return units
      }
    }
    return nil
  }

  func hasShort(_ name: [UInt8]) -> Bool {
    for offset in stride(from: 0, to: bytes.count - Self.entrySize + 1, by: Self.entrySize) {
      if bytes[offset] == 0 { break }
      if bytes[offset] != Self.deleted, bytes[offset + 11] & 0x3F != FATAttribute.longName,
        bytes[offset..<offset + 11].elementsEqual(name)
      {
        return true
      }
    }
    return false
  }

  /// Offset of `count` free entries in a row; where they begin may be the directory's end.
  func room(for count: Int) -> Int {
    var start = 0
    var ended = false
    for offset in stride(from: 0, to: bytes.count - Self.entrySize + 1, by: Self.entrySize) {
      ended = ended || bytes[offset] == 0
      if !ended && bytes[offset] != Self.deleted { start = offset + Self.entrySize }
      if offset + Self.entrySize - start >= count * Self.entrySize { return start }
    }
    return start
  }

  /// Collects the long entries that precede a short one.
  private struct LongName {
    var start = 0
    private var parts: [[UInt16]] = []
    private var expected: UInt8 = 0
    private var sum: UInt8 = 0

    mutating func add(_ entry: ArraySlice<UInt8>, at offset: Int) {
      let raw = Array(entry)
      let order = raw[0] & 0x1F
      if raw[0] & 0x40 != 0 {
        parts = []
        start = offset
        expected = order
        sum = raw[13]
      }
      guard order > 0, order <= 20, order == expected, raw[13] == sum else {
        self = LongName()
        return
      }
      expected -= 1
      let places = Array(stride(from: 1, to: 11, by: 2)) + Array(stride(from: 14, to: 26, by: 2)) + [28, 30]
      parts.insert(places.map { raw.littleEndian($0) }, at: 0)
    }

    /// The name, if all parts were there and belong to this short name.
    func name(for short: ArraySlice<UInt8>) -> [UInt16]? {
      guard !parts.isEmpty, expected == 0, FATName.checksum(short) == sum else { return nil }
      let units = Array(parts.joined().prefix { $0 != 0 })
      return units.isEmpty || units.count > 255 ? nil : units
    }
  }

  /// Entries for a new node: long ones in front where the short name does not say all.
  static func entries(name: [UInt16], short: [UInt8], node: FATNode) -> [UInt8] {
    var list: [UInt8] = []
    if FATName.exactShort(name) == nil {
      let sum = FATName.checksum(short)
      let count = (name.count + 12) / 13
      let padded = name + [0] + [UInt16](repeating: 0xFFFF, count: 13)
      for n in (0..<count).reversed() {
        var entry = [UInt8](repeating: 0, count: entrySize)
        entry[0] = UInt8(n + 1) | (n == count - 1 ? 0x40 : 0)
        entry[11] = FATAttribute.longName
        entry[13] = sum
        let places = Array(stride(from: 1, to: 11, by: 2)) + Array(stride(from: 14, to: 26, by: 2)) + [28, 30]
        for (i, place) in places.enumerated() { entry.setLittleEndian(place, padded[13 * n + i]) }
        list += entry
      }
    }
    return list + shortEntry(short, node)
  }

  static func shortEntry(_ short: [UInt8], _ node: FATNode) -> [UInt8] {
    var entry = short + [UInt8](repeating: 0, count: entrySize - 11)
    if entry[0] == 0xE5 { entry[0] = 0x05 }
    update(&entry, node)
    return entry
  }

  /// Everything of a short entry but its name.
  static func update(_ entry: inout [UInt8], _ node: FATNode) {
    entry[11] = node.attributes
    entry.setLittleEndian(14, node.created.time)
    entry.setLittleEndian(16, node.created.date)
    entry.setLittleEndian(18, node.accessed.date)
    entry.setLittleEndian(20, UInt16(node.firstCluster >> 16))
    entry.setLittleEndian(22, node.modified.time)
    entry.setLittleEndian(24, node.modified.date)
    entry.setLittleEndian(26, UInt16(truncatingIfNeeded: node.firstCluster))
    entry.setLittleEndian(28, node.isDirectory ? UInt32(0) : node.size)
  }
}
