/// One translation: what `itc`, `itr` or the VHPT walker inserted (Volume 2, section 4.1.1).
public struct Translation: Sendable {
  /// First byte it maps, without region bits (VA{60:0} aligned to the page size).
  public var base: UInt64 = 0
  /// Page size minus one.
  public var mask: UInt64 = 0
  public var physical: UInt64 = 0
  public var rid: UInt32 = 0
  public var key: UInt32 = 0
  public var valid = false
  /// The p bit: an entry may be in the TLB only to say that its page is not present.
  public var present = false
  public var accessed = false
  public var dirty = false
  public var exceptionDeferral = false
  public var pageShift: UInt8 = 0
  public var accessRights: UInt8 = 0
  public var privilegeLevel: UInt8 = 0
  public var attribute: UInt8 = 0
  public init() {}

  @inline(__always) func matches(_ offset: UInt64, _ rid: UInt32) -> Bool {
    valid && self.rid == rid && offset & ~mask == base
  }
  @inline(__always) func overlaps(_ start: UInt64, _ last: UInt64, _ rid: UInt32) -> Bool {
    valid && self.rid == rid && base <= last && start <= base | mask
  }
}

/// Memory attributes (Volume 2, table 4-10).
public enum MemoryAttribute {
  public static let wb: UInt8 = 0
  public static let uc: UInt8 = 4
  public static let uce: UInt8 = 5
  public static let wc: UInt8 = 6
  public static let natPage: UInt8 = 7
}

/// Translation registers and translation cache of one side, instruction or data (Volume 2, section 4.1.1).
///
/// The cache is four-way set-associative with round-robin replacement; a lookup probes one set for each page size that is in
/// use. PAL reports the Montecito's geometry; how a cache replaces its entries is not architected.
struct TLB {
  static let registerCount = 64
  static let sets = 64
  static let ways = 4

  let registers: UnsafeMutablePointer<Translation>
  let cache: UnsafeMutablePointer<Translation>
  private let nextWay: UnsafeMutablePointer<UInt8>
  /// One more than the highest translation register in use.
  private var registersInUse = 0
  /// Bit n: entries of page size 2^n may be in the cache.
  private var pageSizes: UInt64 = 0

  init() {
    registers = .allocate(capacity: Self.registerCount)
    registers.initialize(repeating: Translation(), count: Self.registerCount)
    cache = .allocate(capacity: Self.sets * Self.ways)
    cache.initialize(repeating: Translation(), count: Self.sets * Self.ways)
    nextWay = .allocate(capacity: Self.sets)
    nextWay.initialize(repeating: 0, count: Self.sets)
  }

  func deallocate() {
    registers.deallocate()
    cache.deallocate()
    nextWay.deallocate()
  }

  @inline(__always) private static func set(_ offset: UInt64, _ shift: UInt64, _ rid: UInt32) -> Int {
    let page = offset &>> shift
    return Int((page ^ (page &>> 6) ^ UInt64(rid) ^ shift) & UInt64(sets - 1)) &* ways
  }

  /// The translation of `offset` (VA{60:0}) in address space `rid`, or nil.
  func lookup(_ offset: UInt64, _ rid: UInt32) -> UnsafeMutablePointer<Translation>? {
    var i = 0
    while i < registersInUse {
      if registers[i].matches(offset, rid) { return registers + i }
      i &+= 1
    }
    var sizes = pageSizes
    while sizes != 0 {
      let shift = UInt64(sizes.trailingZeroBitCount)
      sizes &= sizes &- 1
      let first = Self.set(offset, shift, rid)
      var way = first
      while way < first &+ Self.ways {
        if UInt64(cache[way].pageShift) == shift && cache[way].matches(offset, rid) { return cache + way }
        way &+= 1
      }
    }
    return nil
  }

  /// Whether a result of ``lookup(_:_:)`` is a translation register.
  func isRegister(_ t: UnsafeMutablePointer<Translation>) -> Bool { t >= registers && t < registers + Self.registerCount }

  /// Inserts into the cache, after removing what it overlaps. Returns true if a live entry had to make room.
  mutating func insert(_ t: Translation) -> Bool {
    let overlapped = purgeCache(t.base, t.base | t.mask, t.rid)
    let shift = UInt64(t.pageShift)
    pageSizes |= 1 << shift
    let first = Self.set(t.base, shift, t.rid)
    for way in first..<first + Self.ways where !cache[way].valid {
      cache[way] = t
      return overlapped
    }
    let set = first / Self.ways
    let way = Int(nextWay[set])
    nextWay[set] = UInt8((way + 1) % Self.ways)
    cache[first + way] = t
    return true
  }

  mutating func insertRegister(_ slot: Int, _ t: Translation) {
    purgeCache(t.base, t.base | t.mask, t.rid)
    for i in 0..<registersInUse where i != slot && registers[i].overlaps(t.base, t.base | t.mask, t.rid) {
      registers[i].valid = false
    }
    registers[slot] = t
    registersInUse = max(registersInUse, slot + 1)
  }

  /// True if anything was removed.
  @discardableResult
  func purgeCache(_ start: UInt64, _ last: UInt64, _ rid: UInt32) -> Bool {
    var removed = false
    var sizes = pageSizes
    // A range inside one page of every size in use touches one set for each; anything larger is a sweep.
    if sizes != 0, (start ^ last) >> UInt64(sizes.trailingZeroBitCount) == 0 {
      while sizes != 0 {
        let shift = UInt64(sizes.trailingZeroBitCount)
        sizes &= sizes &- 1
        let first = Self.set(start, shift, rid)
        for way in first..<first + Self.ways where cache[way].overlaps(start, last, rid) {
          cache[way].valid = false
          removed = true
        }
      }
      return removed
    }
    for i in 0..<Self.sets * Self.ways where cache[i].overlaps(start, last, rid) {
      cache[i].valid = false
      removed = true
    }
    return removed
  }

  func purgeRegisters(_ start: UInt64, _ last: UInt64, _ rid: UInt32) {
    for i in 0..<registersInUse where registers[i].overlaps(start, last, rid) { registers[i].valid = false }
  }

  mutating func purgeAllCache() {
    for i in 0..<Self.sets * Self.ways { cache[i].valid = false }
    pageSizes = 0
  }

  mutating func reset() {
    purgeAllCache()
    for i in 0..<Self.registerCount { registers[i].valid = false }
    for i in 0..<Self.sets { nextWay[i] = 0 }
    registersInUse = 0
  }
}

/// Sizes and limits this processor reports through PAL_VM_SUMMARY and checks in hardware.
public enum Implementation {
  /// Highest implemented bit of an offset in a region, and of a physical address.
  public static let virtualMSB: UInt64 = 60
  public static let physicalMSB: UInt64 = 49
  public static let physicalMask: UInt64 = (1 << 50) - 1
  public static let ridMask: UInt64 = 0xFF_FFFF
  /// Bit n: pages of 2^n bytes can be inserted (4K 16K 64K 256K 1M 4M 16M 64M 256M 1G 4G, and 8K as the manual requires).
  public static let insertablePages: UInt64 = 0x1_5555_7000
  public static let protectionKeyRegisters = 16
  public static let breakpointPairs = 4
}
