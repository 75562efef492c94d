/// Regions of a medium, by number.
struct RegionSet: Equatable {
  private(set) var words: [UInt64]
  let capacity: Int

  init(capacity: Int) {
    self.capacity = capacity
    words = [UInt64](repeating: 0, count: (capacity + 63) / 64)
  }

  static func all(_ capacity: Int) -> RegionSet {
    var set = RegionSet(capacity: capacity)
    set.insert(0..<capacity)
    return set
  }

  func contains(_ region: Int) -> Bool { words[region >> 6] >> UInt64(region & 63) & 1 != 0 }
  mutating func insert(_ region: Int) { words[region >> 6] |= 1 << UInt64(region & 63) }
  mutating func insert(_ regions: Range<Int>) { for region in regions { insert(region) } }
  mutating func remove(_ region: Int) { words[region >> 6] &= ~(1 << UInt64(region & 63)) }
  mutating func removeAll() { for n in words.indices { words[n] = 0 } }

  var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
  var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
  func intersects(_ regions: Range<Int>) -> Bool { regions.contains(where: contains) }

  mutating func formUnion(_ other: RegionSet) { for n in words.indices { words[n] |= other.words[n] } }
  mutating func subtract(_ other: RegionSet) { for n in words.indices { words[n] &= ~other.words[n] } }

  /// The first region at `start` or behind it.
  func first(from start: Int) -> Int? {
    guard start < capacity else { return nil }
    var word = start >> 6
    var bits = words[word] & (.max << UInt64(start & 63))
    while bits == 0 {
      word += 1
      guard word < words.count else { return nil }
      bits = words[word]
    }
    return word << 6 + bits.trailingZeroBitCount
  }
}
