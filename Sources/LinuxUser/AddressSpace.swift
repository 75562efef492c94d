import Processor

/// What a program may do with a page; the bits are those of `mmap`.
struct Protection: OptionSet, Sendable {
  let rawValue: UInt8
  static let read = Protection(rawValue: 1)
  static let write = Protection(rawValue: 2)
  static let execute = Protection(rawValue: 4)

  init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The access rights field of a translation (Volume 2, table 4-4); the hardware knows neither write-only nor execute-only
  /// user pages.
  var accessRights: UInt8 {
    contains(.write) ? (contains(.execute) ? 3 : 2) : contains(.execute) ? 1 : 0
  }
  /// What the access rights allow.
  var effective: Protection {
    isEmpty ? [] : contains(.write) || contains(.execute) ? union(.read) : self
  }
}

/// A range of virtual addresses that the program has mapped.
struct Area: Sendable {
  var start: UInt64
  /// First address behind it.
  var end: UInt64
  var protection: Protection
  /// Pages are shared with the processes that `fork` makes; all of them exist from the start.
  var isShared = false
  /// Changes go back to a file.
  var sharedFile: SharedFile?
}

/// A program's virtual memory: areas, and a physical page for each page that has been touched.
final class AddressSpace {
  /// Where `mmap` looks for room first (TASK_UNMAPPED_BASE).
  static let mapBase: UInt64 = 0x2000_0000_0000_0000
  /// Bytes usable in each of the regions 0...4: three levels of page tables with 16 KiB pages (RGN_MAP_LIMIT).
  static let regionLimit: UInt64 = 1 << 44 - PagePool.pageSize
  static let regions: UInt64 = 5
  /// vm.max_map_count.
  static let maximumAreas = 65530

  let processor: LogicalProcessor
  var pool: PagePool
  /// Sorted by address, disjoint.
  private(set) var areas: [Area] = []
  /// Physical address by virtual page number.
  private(set) var pages: [UInt64: UInt64] = [:]

  init(processor: LogicalProcessor) {
    self.processor = processor
    pool = PagePool(memory: processor.memory)
  }

  /// Drops everything (a program is replaced).
  func clear() {
    for area in areas { release(area, area.start, area.end) }
    for page in pages.values { pool.release(page) }
    pages.removeAll()
    areas.removeAll()
    processor.purgeAllTranslations()
  }

  // MARK: Looking up

  /// Index of the first area that ends behind `address`.
  private func firstIndex(endingAfter address: UInt64) -> Int {
    var low = 0
    var high = areas.count
    while low < high {
      let middle = (low + high) / 2
      if areas[middle].end > address { high = middle } else { low = middle + 1 }
    }
    return low
  }

  func area(at address: UInt64) -> Area? {
    let index = firstIndex(endingAfter: address)
    return index < areas.count && areas[index].start <= address ? areas[index] : nil
  }

  /// Areas that intersect a range.
  func areas(from start: UInt64, to end: UInt64) -> ArraySlice<Area> {
    let first = firstIndex(endingAfter: start)
    var last = first
    while last < areas.count && areas[last].start < end { last += 1 }
    return areas[first..<last]
  }

  /// Whether every page of the range is mapped.
  func covers(from start: UInt64, to end: UInt64) -> Bool {
    var next = start
    for area in areas(from: start, to: end) {
      if area.start > next { return false }
      next = area.end
    }
    return next >= end
  }

  /// Whether a range lies in user space: inside one region, below the limit of its page tables.
  static func isValid(_ start: UInt64, _ length: UInt64) -> Bool {
    let offset = start & 0x1FFF_FFFF_FFFF_FFFF
    return start >> 61 < regions && length <= regionLimit && offset <= regionLimit - length
  }

  /// A free range of `length` bytes, the lowest at or above `start`.
  func findFree(_ length: UInt64, from start: UInt64 = AddressSpace.mapBase) -> UInt64? {
    var candidate = start
    var index = firstIndex(endingAfter: candidate)
    while candidate >> 61 < Self.regions {
      guard Self.isValid(candidate, length) else {
        candidate = (candidate >> 61 + 1) << 61
        index = firstIndex(endingAfter: candidate)
        continue
      }
      guard index < areas.count, areas[index].start < candidate + length else { return candidate }
      candidate = areas[index].end
      index += 1
    }
    return nil
  }

  // MARK: Changing areas. Addresses and lengths are multiples of the page size.

  /// Makes a new area where nothing is mapped any more. False: too many areas.
  func map(_ area: Area) -> Bool {
    unmap(from: area.start, to: area.end)
    var area = area
    var index = firstIndex(endingAfter: area.start)
    // Neighbours that differ in nothing become one, so that a heap growing by small steps stays one area.
    if index > 0, Self.joins(areas[index - 1], area) {
      area.start = areas[index - 1].start
      index -= 1
      areas.remove(at: index)
    }
    if index < areas.count, Self.joins(area, areas[index]) {
      area.end = areas[index].end
      areas.remove(at: index)
    }
    guard areas.count < Self.maximumAreas else { return false }
    areas.insert(area, at: index)
    return true
  }

  private static func joins(_ low: Area, _ high: Area) -> Bool {
    low.end == high.start && low.protection == high.protection && !low.isShared && !high.isShared
      && low.sharedFile == nil && high.sharedFile == nil
  }

  func unmap(from start: UInt64, to end: UInt64) {
    guard split(at: start), split(at: end) else { return }
    let range = areas(from: start, to: end)
    for area in range { release(area, area.start, area.end) }
    areas.removeSubrange(range.startIndex..<range.endIndex)
  }

  /// False: part of the range is not mapped, or there would be too many areas.
  func protect(from start: UInt64, to end: UInt64, _ protection: Protection) -> Bool {
    guard covers(from: start, to: end), split(at: start), split(at: end) else { return false }
    let range = areas(from: start, to: end)
    for index in range.startIndex..<range.endIndex { areas[index].protection = protection }
    purge(from: start, to: end)
    return true
  }

  /// Makes `address` a boundary between areas.
  private func split(at address: UInt64) -> Bool {
    let index = firstIndex(endingAfter: address)
    guard index < areas.count, areas[index].start < address else { return true }
    guard areas.count < Self.maximumAreas else { return false }
    var low = areas[index]
    low.end = address
    areas[index].start = address
    areas[index].sharedFile?.offset &+= address - low.start
    areas.insert(low, at: index)
    return true
  }

  /// Gives back the pages of a part of an area.
  private func release(_ area: Area, _ start: UInt64, _ end: UInt64) {
    if area.sharedFile != nil { writeBack(area, from: start, to: end) }
    forEachPage(from: start, to: end) { number, physical in
      pages[number] = nil
      if area.isShared { detachShared(physical) } else { pool.release(physical) }
    }
    purge(from: start, to: end)
  }

  /// Calls `body` for the pages of a range that exist, by whichever way is shorter.
  func forEachPage(from start: UInt64, to end: UInt64, _ body: (UInt64, UInt64) -> Void) {
    let first = start >> PagePool.shift
    let last = (end - 1) >> PagePool.shift
    if last - first < UInt64(pages.count) {
      for number in first...last {
        if let physical = pages[number] { body(number, physical) }
      }
    } else {
      for (number, physical) in pages where number >= first && number <= last { body(number, physical) }
    }
  }

  private func purge(from start: UInt64, to end: UInt64) {
    if (end - start) >> PagePool.shift > 32 { return processor.purgeAllTranslations() }
    var address = start
    while address < end {
      processor.purgeTranslations(virtual: address, pageShift: Int(PagePool.shift))
      address += PagePool.pageSize
    }
  }

  func setPage(_ number: UInt64, _ physical: UInt64?) { pages[number] = physical }
}
