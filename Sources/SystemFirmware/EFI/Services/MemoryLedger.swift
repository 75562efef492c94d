/// Which pages of RAM are in use, and for what: the source of the EFI memory map.
struct MemoryLedger: Sendable, Equatable, Codable {
  struct Span: Sendable, Equatable, Codable {
    var start: UInt64
    var end: UInt64
    var type: EFIMemoryType
  }
  static let pageSize: UInt64 = 4096

  /// A map with more parts is only made on purpose.
  private static let mostSpans = 1 << 18

  /// RAM that can be allocated, ascending.
  let ram: [Range<UInt64>]
  /// Ascending and disjoint; neighbours of one type are one.
  private(set) var spans: [Span] = []
  /// Changes with every change of the map.
  private(set) var key: UInt64 = 1

  init(ram: [Range<UInt64>]) { self.ram = ram }

  /// The index of the first span that ends behind `address`.
  private func index(at address: UInt64) -> Int {
    var low = 0
    var high = spans.count
    while low < high {
      let middle = (low + high) / 2
      if spans[middle].end > address { high = middle } else { low = middle + 1 }
    }
    return low
  }

  func isFree(_ range: Range<UInt64>) -> Bool {
    guard ram.contains(where: { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound }) else { return false }
    let next = index(at: range.lowerBound)
    return next == spans.count || spans[next].start >= range.upperBound
  }

  /// False if a page of the range is in use or not RAM.
  mutating func take(_ range: Range<UInt64>, _ type: EFIMemoryType) -> Bool {
    guard !range.isEmpty, isFree(range), spans.count < Self.mostSpans else { return false }
    key &+= 1
    var index = index(at: range.lowerBound)
    var new = Span(start: range.lowerBound, end: range.upperBound, type: type)
    if index < spans.count, spans[index].start == new.end, spans[index].type == type {
      new.end = spans[index].end
      spans.remove(at: index)
    }
    if index > 0, spans[index - 1].end == new.start, spans[index - 1].type == type {
      new.start = spans[index - 1].start
      index -= 1
      spans.remove(at: index)
    }
    spans.insert(new, at: index)
    return true
  }

  /// The highest free pages that end at or below `limit`; below 4 GiB if there are some.
  mutating func take(pages: UInt64, below limit: UInt64, _ type: EFIMemoryType) -> UInt64? {
    guard pages > 0, pages < 1 << 40 else { return nil }
    let size = pages * Self.pageSize
    for top in limit > 1 << 32 ? [1 << 32, limit] : [limit] {
      for region in ram.reversed() where region.lowerBound < top {
        var end = min(region.upperBound, top) & ~(Self.pageSize - 1)
        // Downwards through the gaps between spans.
        var index = index(at: end)
        while end >= size, end - size >= region.lowerBound {
          if index < spans.count, spans[index].start < end {
            end = min(end, spans[index].start)
          }
          let floor = max(region.lowerBound, index > 0 ? spans[index - 1].end : 0)
          // Page 0 stays empty: a null pointer.
          if end >= size, end - size >= max(floor, Self.pageSize) {
            let start = end - size
            return take(start..<end, type) ? start : nil
          }
          guard index > 0 else { break }
          index -= 1
          end = min(end, spans[index].start)
        }
      }
    }
    return nil
  }

  /// False unless every page of the range is in use.
  mutating func release(_ range: Range<UInt64>) -> Bool {
    var position = range.lowerBound
    let first = index(at: position)
    var last = first
    while position < range.upperBound {
      guard last < spans.count, spans[last].start <= position else { return false }
      position = spans[last].end
      last += 1
    }
    guard last > first else { return false }
    key &+= 1
    var rest: [Span] = []
    if spans[first].start < range.lowerBound {
      rest.append(Span(start: spans[first].start, end: range.lowerBound, type: spans[first].type))
    }
    if spans[last - 1].end > range.upperBound {
      rest.append(Span(start: range.upperBound, end: spans[last - 1].end, type: spans[last - 1].type))
    }
    spans.replaceSubrange(first..<last, with: rest)
    return true
  }
}

/// Pool memory: what AllocatePool has given out. Small pieces share pages by size; large ones have pages of their own.
struct PoolLedger: Sendable, Equatable, Codable {
  struct Block: Sendable, Equatable, Codable {
    var size: UInt64
    var type: EFIMemoryType
  }
  struct Shelf: Hashable, Sendable, Codable {
    var type: EFIMemoryType
    var size: UInt64
  }
  var blocks: [UInt64: Block] = [:]
  var free: [Shelf: [UInt64]] = [:]

  static let largestSmall: UInt64 = 1024
  /// Pieces that may be in use at a time: they cost the host more than the guest.
  static let mostBlocks = 1 << 20
  static func rounded(_ size: UInt64) -> UInt64 {
    var rounded: UInt64 = 32
    while rounded < size { rounded *= 2 }
    return rounded
  }
}
