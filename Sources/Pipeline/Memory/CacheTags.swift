/// Which lines a cache holds. Tags of a set lie in the order of their last use, so that the line used last is found by one comparison.
struct CacheTags {
  /// Line numbers plus one, shifted left by one; bit 0: the line is dirty. 0: empty.
  let tags: UnsafeMutablePointer<UInt64>
  let ways: Int
  let setMask: UInt64
  let lineShift: UInt64

  init(_ d: MachineDescription.Cache) {
    ways = max(1, d.ways)
    // Descriptions have powers of two only.
    setMask = UInt64(d.sets - 1)
    lineShift = UInt64(max(16, d.line).trailingZeroBitCount)
    tags = .allocate(capacity: d.sets * ways)
    tags.initialize(repeating: 0, count: d.sets * ways)
  }

  func deallocate() { tags.deallocate() }

  /// Whether the line of `key` is there; it becomes the one used last.
  @inline(__always) func touch(_ key: UInt64) -> Bool {
    let line = key &>> lineShift
    let set = tags + Int(truncatingIfNeeded: line & setMask) &* ways
    if set[0] | 1 == (line &+ 1) &<< 1 | 1 { return true }
    return Self.search(set, (line &+ 1) &<< 1, ways)
  }

  /// Whether the line of `key` is the one of its set that was used last.
  @inline(__always) func isLast(_ key: UInt64) -> Bool {
    let line = key &>> lineShift
    return tags[Int(truncatingIfNeeded: line & setMask) &* ways] | 1 == (line &+ 1) &<< 1 | 1
  }

  @inline(__always) func isLast(line: UInt64) -> Bool {
    tags[Int(truncatingIfNeeded: line & setMask) &* ways] | 1 == (line &+ 1) &<< 1 | 1
  }

  /// Behind the first way.
  @inline(never) private static func search(_ set: UnsafeMutablePointer<UInt64>, _ tag: UInt64, _ ways: Int) -> Bool {
    var way = 1
    while way < ways {
      let found = set[way]
      if found & ~1 == tag {
        while way > 0 {
          set[way] = set[way &- 1]
          way &-= 1
        }
        set[0] = found
        return true
      }
      way &+= 1
    }
    return false
  }

  /// Puts a line in place of the one that was used longest ago. Returns true if that was dirty.
  @inline(never) func fill(_ key: UInt64) -> Bool {
    let line = key &>> lineShift
    let set = tags + Int(truncatingIfNeeded: line & setMask) &* ways
    var way = ways &- 1
    let dirty = set[way] & 1 != 0
    while way > 0 {
      set[way] = set[way &- 1]
      way &-= 1
    }
    set[0] = (line &+ 1) &<< 1
    return dirty
  }

  /// Marks the line that was used last, which is that of `key`, as dirty.
  @inline(__always) func soil(_ key: UInt64) {
    tags[Int(truncatingIfNeeded: key &>> lineShift & setMask) &* ways] |= 1
  }

  /// Takes a line out. True if it was there.
  @discardableResult
  func remove(_ key: UInt64) -> Bool {
    let line = key >> lineShift
    let set = tags + Int(line & setMask) * ways
    for way in 0..<ways where set[way] & ~1 == (line + 1) << 1 {
      for later in way..<ways - 1 { set[later] = set[later + 1] }
      set[ways - 1] = 0
      return true
    }
    return false
  }
}

/// Pages that are known to be in L1 DTLB, marked as used there, and the addends that the engine's table had for them: they need not be looked
/// up. All are forgotten when an entry is replaced.
struct RecentPages {
  private struct Entry {
    var page: UInt64 = .max
    var addend = 0
  }
  private let entries: UnsafeMutablePointer<Entry>
  private static let count = 16

  init() {
    entries = .allocate(capacity: Self.count)
    forget()
  }

  func deallocate() { entries.deallocate() }

  func forget() { entries.initialize(repeating: Entry(), count: Self.count) }

  @inline(__always) private func place(_ page: UInt64) -> UnsafeMutablePointer<Entry> {
    entries + Int(truncatingIfNeeded: page &>> 12 & UInt64(Self.count &- 1))
  }

  @inline(__always) func has(_ page: UInt64, _ addend: Int) -> Bool {
    let entry = place(page)
    return entry.pointee.page == page && entry.pointee.addend == addend
  }

  @inline(__always) func note(_ page: UInt64, _ addend: Int) { place(page).pointee = Entry(page: page, addend: addend) }
}

/// A TLB, fully associative: 4 KB pages at the first level, translations by name at the second. An entry is named by its virtual and physical page, so that a translation that
/// has changed is another entry, and purges need not be followed.
struct PageTags {
  let entries: UnsafeMutablePointer<UInt64>
  let used: UnsafeMutablePointer<Bool>
  /// Where an entry is most likely to be found.
  let hints: UnsafeMutablePointer<UInt8>
  let count: Int
  /// The clock's hand, and the page used last.
  var hand = 0
  var last: UInt64 = 0
  static let hintCount = 256

  init(entries count: Int) {
    self.count = max(1, min(255, count))
    entries = .allocate(capacity: self.count)
    entries.initialize(repeating: 0, count: self.count)
    used = .allocate(capacity: self.count)
    used.initialize(repeating: false, count: self.count)
    hints = .allocate(capacity: Self.hintCount)
    hints.initialize(repeating: 0, count: Self.hintCount)
  }

  func deallocate() {
    entries.deallocate()
    used.deallocate()
    hints.deallocate()
  }

  /// Whether the page is there; it is afterwards.
  @inline(__always) mutating func touch(_ address: UInt64, _ key: UInt64) -> Bool {
    let name = address &>> 12 &* 0x9E37_79B9_7F4A_7C15 ^ key &>> 12
    if name == last { return true }
    last = name
    let hint = hints + Int(truncatingIfNeeded: name &>> 32 & UInt64(Self.hintCount &- 1))
    let guess = Int(hint.pointee)
    if entries[guess] == name {
      used[guess] = true
      return true
    }
    return search(name, hint)
  }

  @inline(never) private mutating func search(_ name: UInt64, _ hint: UnsafeMutablePointer<UInt8>) -> Bool {
    for i in 0..<count where entries[i] == name {
      used[i] = true
      hint.pointee = UInt8(i)
      return true
    }
    // Not used since the hand came by: that one goes.
    while used[hand] {
      used[hand] = false
      hand = hand &+ 1 == count ? 0 : hand &+ 1
    }
    entries[hand] = name
    used[hand] = true
    hint.pointee = UInt8(hand)
    hand = hand &+ 1 == count ? 0 : hand &+ 1
    return false
  }
}
