import Processor

/// Cycles of the code at each address, by cause.
///
/// A wait is charged to the group that waited, a misprediction to the group with the branch. A hash table that grows with the code that
/// runs, up to a limit; what finds no place then is counted together, as "elsewhere".
public struct Profile {
  /// Bundle address of a group, which leaves the low bits free: bit 0 is set, bit 1 for addresses in physical mode, its first slot in bits 3:2.
  private var keys: UnsafeMutablePointer<UInt64>
  /// `stride` words for each place: cycles by cause, then events, then groups.
  private var words: UnsafeMutablePointer<UInt64>
  private var capacity = 1 << 12
  private var used = 0
  /// Place of the last group, for a misprediction that shows with the next one.
  private var last: Int

  private static let stride = 32
  private static let groups = stride - 1
  private static let events = stride - 2
  /// So many places take 140 MB.
  private static let largest = 1 << 19

  init() {
    precondition(Cause.allCases.count <= Self.events, "no room for the events and groups behind the causes")
    (keys, words) = Self.allocate(capacity)
    last = capacity
  }

  /// One place more than the table has, for "elsewhere".
  private static func allocate(_ capacity: Int) -> (UnsafeMutablePointer<UInt64>, UnsafeMutablePointer<UInt64>) {
    let keys = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity + 1)
    keys.initialize(repeating: 0, count: capacity + 1)
    let words = UnsafeMutablePointer<UInt64>.allocate(capacity: (capacity + 1) * stride)
    words.initialize(repeating: 0, count: (capacity + 1) * stride)
    return (keys, words)
  }

  func deallocate() {
    keys.deallocate()
    words.deallocate()
  }

  /// `events`: how often what is looked for has happened since the group before.
  mutating func add(
    _ address: UInt64, slot: UInt64, isPhysical: Bool, goesOn: Bool, events: UInt64, _ observation: Observation
  ) {
    let place = find(address & ~0xF | slot << 2 | (isPhysical ? 3 : 1))
    let entry = words + place &* Self.stride
    entry[Self.events] &+= events
    if !goesOn { entry[Self.groups] &+= 1 }
    if observation.isPlain {
      entry[Int(Cause.issue.rawValue)] &+= 1
    } else {
      for cause in Cause.allCases { entry[Int(cause.rawValue)] &+= observation.causes[cause] }
      // What is not this group's own is that of the branch before it.
      let foreign = observation.causes[.mispredict] &- observation.ownMisprediction
      entry[Int(Cause.mispredict.rawValue)] &-= foreign
      words[last &* Self.stride &+ Int(Cause.mispredict.rawValue)] &+= foreign
    }
    last = place
  }

  private mutating func find(_ key: UInt64) -> Int {
    var index = Self.hash(key) & (capacity - 1)
    // There is always a free place.
    while keys[index] != key {
      if keys[index] == 0 {
        guard used < capacity / 4 * 3 else { return growth(key) }
        used += 1
        keys[index] = key
        return index
      }
      index = (index &+ 1) & (capacity - 1)
    }
    return index
  }

  private static func hash(_ key: UInt64) -> Int { Int(truncatingIfNeeded: (key &>> 1 &* 0x9E37_79B9_7F4A_7C15) &>> 34) }

  /// Makes room for a key; without, "elsewhere" is its place.
  @inline(never) private mutating func growth(_ key: UInt64) -> Int {
    guard capacity < Self.largest else { return capacity }
    let old = (keys: keys, words: words, capacity: capacity, last: last)
    capacity *= 2
    (keys, words) = Self.allocate(capacity)
    last = capacity
    used = 0
    for place in 0...old.capacity where place == old.capacity || old.keys[place] != 0 {
      let target = place == old.capacity ? capacity : find(old.keys[place])
      (words + target * Self.stride).update(from: old.words + place * Self.stride, count: Self.stride)
      if place == old.last { last = target }
    }
    old.keys.deallocate()
    old.words.deallocate()
    return find(key)
  }

  // MARK: Reading

  /// The groups that begin at one instruction.
  public struct Entry: Sendable {
    /// Of the bundle. Nil for "elsewhere".
    public var address: UInt64?
    public var slot: UInt8
    /// In physical mode: the address is not translated.
    public var isPhysical: Bool
    public var groups: UInt64
    /// Of ``Pipeline/profiledEvent``.
    public var events: UInt64
    public var causes: CauseCounts
  }

  var entries: [Entry] {
    (0...capacity).compactMap { place in
      let entry = words + place * Self.stride
      var causes = CauseCounts()
      for cause in Cause.allCases { causes[cause] = entry[Int(cause.rawValue)] }
      guard causes.total != 0 || entry[Self.events] != 0 else { return nil }
      return Entry(
        address: place == capacity ? nil : keys[place] & ~0xF, slot: UInt8(keys[place] >> 2 & 3), isPhysical: keys[place] & 2 != 0,
        groups: entry[Self.groups], events: entry[Self.events], causes: causes)
    }
  }
}
