import HostResources

/// The file allocation table, with the sectors of it that have been looked at. Changes go to the medium at once, to every copy that
/// is in use.
struct FATTable {
  private let medium: MediumRange
  private let geometry: FATGeometry
  private var cache: [UInt64: [UInt8]] = [:]
  /// Where the search for a free cluster goes on.
  private var hint: UInt32 = 2

  private static let cachedSectors = 8192

  init(_ medium: MediumRange, _ geometry: FATGeometry) {
    self.medium = medium
    self.geometry = geometry
  }

  private mutating func sector(_ number: UInt64) throws(FATFailure) -> [UInt8] {
    if let known = cache[number] { return known }
    let unit = UInt64(geometry.sectorSize)
    let start = geometry.tableStart + UInt64(geometry.activeTable ?? 0) * geometry.tableSize
    let bytes: [UInt8]
    do throws(StorageFailure) { bytes = try medium.read(at: start + number * unit, count: geometry.sectorSize) } catch {
      throw .storage(error)
    }
    if cache.count >= Self.cachedSectors, dirty.isEmpty { cache.removeAll() }
    cache[number] = bytes
    return bytes
  }

  private mutating func store(_ offset: UInt64, _ value: UInt8) throws(FATFailure) {
    let unit = UInt64(geometry.sectorSize)
    var bytes = try sector(offset / unit)
    guard bytes[Int(offset % unit)] != value else { return }
    bytes[Int(offset % unit)] = value
    cache[offset / unit] = bytes
    dirty.insert(offset / unit)
  }
  private var dirty: Set<UInt64> = []

  /// Writes the sectors that have changed.
  mutating func flush() throws(FATFailure) {
    let unit = UInt64(geometry.sectorSize)
    for number in dirty.sorted() {
      guard let bytes = cache[number] else { continue }
      for copy in 0..<geometry.tableCount where geometry.activeTable == nil || geometry.activeTable == copy {
        do throws(StorageFailure) {
          try medium.write(at: geometry.tableStart + UInt64(copy) * geometry.tableSize + number * unit, bytes)
        } catch { throw .storage(error) }
      }
    }
    dirty.removeAll()
  }

  private mutating func byte(_ offset: UInt64) throws(FATFailure) -> UInt32 {
    let unit = UInt64(geometry.sectorSize)
    return UInt32(try sector(offset / unit)[Int(offset % unit)])
  }

  /// The table's entry of a cluster.
  mutating func entry(_ cluster: UInt32) throws(FATFailure) -> UInt32 {
    let n = UInt64(cluster)
    switch geometry.width {
    case .fat12:
      let pair = try byte(n + n / 2) | byte(n + n / 2 + 1) << 8
      return cluster & 1 == 0 ? pair & 0xFFF : pair >> 4
    case .fat16: return try byte(2 * n) | byte(2 * n + 1) << 8
    case .fat32: return try (byte(4 * n) | byte(4 * n + 1) << 8 | byte(4 * n + 2) << 16 | byte(4 * n + 3) << 24) & 0x0FFF_FFFF
    }
  }

  private mutating func set(_ cluster: UInt32, _ value: UInt32) throws(FATFailure) {
    let n = UInt64(cluster)
    switch geometry.width {
    case .fat12:
      let place = n + n / 2
      let old = try byte(place) | byte(place + 1) << 8
      let new = cluster & 1 == 0 ? old & 0xF000 | value & 0xFFF : old & 0xF | (value & 0xFFF) << 4
      try store(place, UInt8(truncatingIfNeeded: new))
      try store(place + 1, UInt8(truncatingIfNeeded: new >> 8))
    case .fat16:
      for i in 0..<2 as Range<UInt64> { try store(2 * n + i, UInt8(truncatingIfNeeded: value >> UInt32(8 * i))) }
    case .fat32:
      // The upper four bits are not the entry's.
      let kept = try byte(4 * n + 3) & 0xF0
      let new = value & 0x0FFF_FFFF | kept << 24
      for i in 0..<4 as Range<UInt64> { try store(4 * n + i, UInt8(truncatingIfNeeded: new >> UInt32(8 * i))) }
    }
  }

  private var endMark: UInt32 {
    switch geometry.width {
    case .fat12: 0xFFF
    case .fat16: 0xFFFF
    case .fat32: 0x0FFF_FFFF
    }
  }

  /// The cluster that follows; nil at the end of the chain.
  mutating func next(_ cluster: UInt32) throws(FATFailure) -> UInt32? {
    let value = try entry(cluster)
    if value >= endMark & ~7 { return nil }
    guard geometry.isCluster(value) else { throw .corrupted }
    return value
  }

  /// All clusters of a chain, at most `limit`: one that is longer, or turns back on itself, is damaged.
  mutating func chain(_ first: UInt32, limit: Int) throws(FATFailure) -> [UInt32] {
    guard first != 0 else { return [] }
    guard geometry.isCluster(first) else { throw .corrupted }
    var clusters = [first]
    while let next = try next(clusters[clusters.count - 1]) {
      guard clusters.count < min(limit, Int(geometry.clusterCount)) else { throw .corrupted }
      clusters.append(next)
    }
    return clusters
  }

  /// Takes `count` free clusters and appends them to the chain that ends in `last` (nil: a new chain).
  mutating func extend(_ last: UInt32?, by count: Int) throws(FATFailure) -> [UInt32] {
    var found: [UInt32] = []
    var candidate = hint
    var looked: UInt32 = 0
    while found.count < count {
      guard looked < geometry.clusterCount else { throw .full }
      if !geometry.isCluster(candidate) { candidate = 2 }
      if try entry(candidate) == 0 { found.append(candidate) }
      candidate += 1
      looked += 1
    }
    hint = candidate
    for (n, cluster) in found.enumerated() { try set(cluster, n + 1 < found.count ? found[n + 1] : endMark) }
    if let last, let first = found.first { try set(last, first) }
    return found
  }

  mutating func end(_ cluster: UInt32) throws(FATFailure) { try set(cluster, endMark) }

  mutating func release(_ clusters: some Sequence<UInt32>) throws(FATFailure) {
    for cluster in clusters {
      try set(cluster, 0)
      hint = min(hint, cluster)
    }
  }

  /// Counts the free clusters.
  mutating func freeCount() throws(FATFailure) -> UInt32 {
    var free: UInt32 = 0
    for cluster in 2..<2 + geometry.clusterCount where try entry(cluster) == 0 { free += 1 }
    return free
  }
}
