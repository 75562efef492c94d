#if canImport(Glibc)
  import Glibc
#endif

/// Configurations and transitions that are known.
///
/// Configurations are kept until there is no room for another; then all is forgotten. A transition has two places, and goes when others need
/// them.
struct Memo {
  private let configurations: Known
  private let table: UnsafeMutablePointer<UInt16>
  private var count = 0
  private(set) var isFull = false
  let transitions: KnownTransition

  private static let mostConfigurations = 1 << 15
  private static let placesForTransitions = 1 << 16

  /// Scoreboard entries that somebody may still wait for, and more; and whether there was no room for all.
  let finished: UnsafeMutablePointer<UInt16>
  var finishedCount = 0
  var hasLostResults = false
  static let mostFinished = 32

  /// The clock when the configuration of the moment was taken from the state.
  var capturedAt: UInt64 = .max
  /// Groups that go without, because too many were not known lately; how many those were, and the cycle of the last one.
  var pause = 0
  var strangers = 0
  var lastStranger: UInt64 = 0

  init() {
    configurations = .allocate(capacity: Self.mostConfigurations)
    table = Self.zeros(2 * Self.mostConfigurations)
    transitions = Self.zeros(Self.placesForTransitions)
    finished = .allocate(capacity: Self.mostFinished)
    finished.initialize(repeating: 0, count: Self.mostFinished)
  }

  func deallocate() {
    configurations.deallocate()
    free(table)
    free(transitions)
    finished.deallocate()
  }

  /// Memory that takes none of the host's before it is used: a processor that does little knows little.
  private static func zeros<T: BitwiseCopyable>(_ count: Int) -> UnsafeMutablePointer<T> {
    guard let memory = calloc(count, MemoryLayout<T>.stride) else { preconditionFailure("the host is out of memory") }
    return memory.bindMemory(to: T.self, capacity: count)
  }

  /// Nothing is known any more.
  mutating func empty() {
    guard count != 0 else { return }
    count = 0
    table.update(repeating: 0, count: 2 * Self.mostConfigurations)
    transitions.update(repeating: Transition(), count: Self.placesForTransitions)
    isFull = false
  }

  /// The kept configuration that equals `c`. Nil: there is no room for another.
  mutating func intern(_ c: inout Configuration) -> Known? {
    let mask = 2 * Self.mostConfigurations - 1
    let hash = c.hash
    var place = Int(truncatingIfNeeded: hash) & mask
    while table[place] != 0 {
      let known = configurations + Int(table[place] &- 1)
      if known.pointee == c { return known }
      place = (place &+ 1) & mask
    }
    guard count < Self.mostConfigurations - 1 else {
      isFull = true
      return nil
    }
    c.salt = hash &>> 32
    let known = configurations + count
    known.initialize(to: c)
    count &+= 1
    table[place] = UInt16(truncatingIfNeeded: count)
    return known
  }

  /// The other place of a transition.
  @inline(__always) private func beside(_ place: KnownTransition) -> KnownTransition {
    transitions + ((place - transitions) ^ 1)
  }

  /// Looks for a transition in its other place; from there it comes to its first.
  @inline(never)
  func bringForward(_ place: KnownTransition, _ known: Known, _ group: UnsafePointer<IssueGroup>, _ key: Outcome) -> Bool {
    let other = beside(place)
    guard other.pointee.isFor(known, group, key) else { return false }
    swap(&place.pointee, &other.pointee)
    return true
  }

  @inline(__always)
  func find(_ known: Known, _ group: UnsafePointer<IssueGroup>, _ key: Outcome) -> KnownTransition? {
    let first = place(known, group, key)
    if first.pointee.isFor(known, group, key) { return first }
    let other = beside(first)
    return other.pointee.isFor(known, group, key) ? other : nil
  }

  func keep(_ transition: Transition, _ place: KnownTransition) {
    let isFree =
      place.pointee.from == 0
      || place.pointee.from == transition.from && place.pointee.group == transition.group && place.pointee.key == transition.key
    if !isFree { beside(place).pointee = place.pointee }
    place.pointee = transition
  }

  /// The first place of a transition.
  @inline(__always) func place(_ known: Known, _ group: UnsafePointer<IssueGroup>, _ key: Outcome) -> KnownTransition {
    let name = known.pointee.salt ^ UInt64(UInt(bitPattern: group)) &>> 3 ^ UInt64(key.bits &>> 15 ^ key.bits &<< 1)
    return transitions + Int(truncatingIfNeeded: name & UInt64(Self.placesForTransitions &- 1))
  }
}
