/// What a mirror remembers beside its halves, in 8192 bytes: which halves are up to date, and in which regions they may differ. All
/// numbers are little-endian.
///
/// | offset | contents |
/// | --- | --- |
/// | 0, 512 | the header, twice: the older one is overwritten, so that a torn write leaves one |
/// | 4096 | one bit for each region, the first one in bit 0 of the first byte |
///
/// | offset | header |
/// | --- | --- |
/// | 0 | `EPICMIR` and a zero |
/// | 8 | version, 4 bytes: 1 |
/// | 12 | states of the halves, a byte each: 1 active, 2 being copied to, 3 failed |
/// | 16 | size of the medium, 8 bytes |
/// | 24 | generation, 8 bytes: one more with each header that is written |
/// | 32, 40 | what the halves are known by, 8 bytes each |
/// | 48 | checksum of the bytes before, 8 bytes: FNV-1a |
///
/// A bit is durable before the regions that it stands for are written, and is taken back some time after they are durable on both halves.
/// With both halves active, a region whose bit is set has a write that the host's crash may have cut short; otherwise the half that is
/// not active misses something there.
struct MirrorRecord {
  struct Header: Equatable {
    var states: [MirroredStorage.State]
    var mediumSize: UInt64
    var generation: UInt64
    var identities: [UInt64]
  }
  static let size = 8192
  private static let bitmapStart = 4096
  private static let bitmapSize = 4096
  private static let magic: [UInt8] = Array("EPICMIR\0".utf8)
  private static let version: UInt32 = 1
  private static let checked = 48
  private static let sector = BlockSize.sector
  private static let smallestRegion: UInt64 = 64 << 10

  /// Bytes of a region: the smallest power of two, from 64 KiB on, with which the bitmap has room for all regions.
  static func regionSize(_ mediumSize: UInt64) -> UInt64 {
    var size = smallestRegion
    while (mediumSize + size - 1) / size > UInt64(bitmapSize * 8) { size *= 2 }
    return size
  }

  private let storage: any BlockStorage
  private(set) var header: Header
  /// The bits, as they have been written last.
  private(set) var bits: RegionSet

  static func regionCount(_ mediumSize: UInt64) -> Int {
    let region = regionSize(mediumSize)
    return Int((mediumSize + region - 1) / region)
  }

  /// A record that nobody has written yet: the halves differ everywhere.
  init(new header: Header, in storage: any BlockStorage) {
    self.storage = storage
    self.header = header
    bits = .all(Self.regionCount(header.mediumSize))
  }

  /// Nil: there is none, only zeros.
  init?(reading storage: any BlockStorage) throws {
    guard storage.size >= UInt64(Self.size) else { throw VolumeRefusal("the mirror's record has been cut off") }
    var bytes = [UInt8](repeating: 0, count: Self.size)
    try storage.read(at: 0, into: &bytes, 0..<Self.size)
    let headers = [0, Self.sector].compactMap { Self.header(bytes[$0..<$0 + Self.sector]) }
    guard let newest = headers.max(by: { $0.generation < $1.generation }) else {
      guard bytes[0..<2 * Self.sector].allSatisfy({ $0 == 0 }) else { throw VolumeRefusal("the mirror's record is damaged") }
      return nil
    }
    self.storage = storage
    header = newest
    bits = RegionSet(capacity: Self.regionCount(newest.mediumSize))
    for region in 0..<bits.capacity where bytes[Self.bitmapStart + region >> 3] >> UInt8(region & 7) & 1 != 0 {
      bits.insert(region)
    }
  }

  private static func header(_ sector: ArraySlice<UInt8>) -> Header? {
    let bytes = Array(sector)
    let states = bytes[12..<14].compactMap { MirroredStorage.State(rawValue: $0) }
    guard bytes.starts(with: magic), bytes.littleEndian(8, UInt32.self) == version, states.count == 2,
      bytes.littleEndian(checked, UInt64.self) == FNV1a.hash(bytes[..<checked])
    else { return nil }
    return Header(
      states: states, mediumSize: bytes.littleEndian(16), generation: bytes.littleEndian(24),
      identities: [bytes.littleEndian(32), bytes.littleEndian(40)])
  }

  /// Comes back when the header is on stable storage.
  mutating func write(states: [MirroredStorage.State], identities: [UInt64]) throws(StorageFailure) {
    var next = header
    (next.states, next.identities) = (states, identities)
    next.generation &+= 1
    var bytes = [UInt8](repeating: 0, count: Self.sector)
    bytes.replaceSubrange(0..<8, with: Self.magic)
    bytes.setLittleEndian(8, Self.version)
    for n in 0..<2 {
      bytes[12 + n] = states[n].rawValue
      bytes.setLittleEndian(32 + 8 * n, identities[n])
    }
    bytes.setLittleEndian(16, next.mediumSize)
    bytes.setLittleEndian(24, next.generation)
    bytes.setLittleEndian(Self.checked, FNV1a.hash(bytes[..<Self.checked]))
    // Also if this fails the other one is left alone: the next attempt goes to the same place.
    try storage.write(at: (next.generation & 1) * UInt64(Self.sector), from: bytes, 0..<bytes.count)
    try storage.flush()
    header = next
  }

  /// Writes the sectors of the bitmap in which it changes. `durably`: comes back when they are on stable storage.
  mutating func write(bits next: RegionSet, durably: Bool) throws(StorageFailure) {
    let wordsInSector = Self.sector / 8
    for first in stride(from: 0, to: next.words.count, by: wordsInSector) {
      let words = first..<min(first + wordsInSector, next.words.count)
      guard next.words[words] != bits.words[words] else { continue }
      try write(sector: first / wordsInSector, of: next)
    }
    if durably { try storage.flush() }
    bits = next
  }

  /// All of the bitmap, whatever was there before.
  mutating func writeAllBits(_ next: RegionSet) throws(StorageFailure) {
    for sector in 0..<Self.bitmapSize / Self.sector { try write(sector: sector, of: next) }
    try storage.flush()
    bits = next
  }

  private func write(sector: Int, of set: RegionSet) throws(StorageFailure) {
    var bytes = [UInt8](repeating: 0, count: Self.sector)
    let first = sector * Self.sector / 8
    for (n, word) in set.words.dropFirst(first).prefix(Self.sector / 8).enumerated() { bytes.setLittleEndian(8 * n, word) }
    try storage.write(at: UInt64(Self.bitmapStart + sector * Self.sector), from: bytes, 0..<bytes.count)
  }
}
