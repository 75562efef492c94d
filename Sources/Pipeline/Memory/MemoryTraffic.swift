/// What is under way between the caches and memory.
struct MemoryTraffic {
  static let most = 16
  /// When each of the places for outstanding misses of L2 becomes free: loads, stores.
  var loadPlaces = InlineArray<16, UInt64>(repeating: 0)
  var storePlaces = InlineArray<16, UInt64>(repeating: 0)
  var nextLoadPlace = 0
  var nextStorePlace = 0
  /// Lines of L2 that are on their way: number and arrival, from `firstLine` to `nextLine`, modulo 32.
  var lines = InlineArray<32, UInt64>(repeating: 0)
  var arrivals = InlineArray<32, UInt64>(repeating: 0)
  var firstLine = 0
  var nextLine = 0
  /// Nothing is on its way from this cycle on.
  var linesUntil: UInt64 = 0
  /// From this cycle on a load has to look neither for lines that are on their way nor for recent stores.
  var quietFrom: UInt64 = 0
  /// When L3's port and the bus are free.
  var l3Free: UInt64 = 0
  var busFree: UInt64 = 0
  /// The accesses of a cycle to L2: so many, and which 16 bytes.
  var bankCycle: UInt64 = 0
  var bankCount = 0
  var bankKeys = InlineArray<8, UInt64>(repeating: 0)
  /// The last stores: eight bytes and cycle.
  var stores = InlineArray<8, UInt64>(repeating: 0)
  var storeCycles = InlineArray<8, UInt64>(repeating: 0)
  var nextStore: UInt64 = 0
  /// The line of L2 that the last store went to, while no other access has come between.
  var storeLine: UInt64 = .max
  var lastStore: UInt64 = 0
  /// When all references so far have been made, but for stores that hit L2.
  var drained: UInt64 = 0
  /// References whose translation was not there when their group issued; a walk may bring it.
  var deferred = InlineArray<4, Reference>(
    repeating: Reference(kind: .load, size: 0, base: 0, predicate: 0, target: 0, secondTarget: 0))
  var deferredAddresses = InlineArray<4, UInt64>(repeating: 0)
  var deferredCount = 0
}
