import Processor

/// Whose turn it is: a deterministic interleaving of the processors on one thread.
///
/// Time is divided into slices at multiples of ``quantum``. Who is furthest behind runs next (the first in order among equals), until
/// the end of the slice that it is in; if nobody else has anything to do in that slice, until the slice in which somebody has. That is no
/// difference: it would be chosen again and again. A turn ends early at the next event, which all processors reach before it happens, and
/// at the end of the slice in which another processor is woken.
///
/// `waiting` processors have nothing to do before a cycle that is known (timer, end of a pause) or before somebody wakes them. No time
/// passes for them until then.
struct Schedule {
  /// Cycles of a slice. Shorter ones follow real time more closely, longer ones spare the host's caches.
  static let quantum: UInt64 = 4096

  /// For each processor, the cycle at which it has something to do; `.max`: never, as things are.
  private let next: UnsafeMutablePointer<UInt64>
  private let halted: UnsafeMutablePointer<Bool>
  private let count: Int
  private var haltedCount = 0

  /// Whose turn it is, and until when. A limit of ``Machine/run(until:)`` interrupts a turn, it does not end it: the interleaving is the
  /// same however a run is cut into pieces.
  private(set) var current = 0
  private(set) var sliceEnd: UInt64 = 0

  init(processors: Int) {
    count = processors
    next = .allocate(capacity: processors)
    next.initialize(repeating: 0, count: processors)
    halted = .allocate(capacity: processors)
    halted.initialize(repeating: false, count: processors)
  }

  func deallocate() {
    next.deallocate()
    halted.deallocate()
  }

  /// Takes down what a processor is about to do. One that waits has ended its turn; one that has been woken ends the turn of another
  /// with the slice.
  ///
  /// `mayRun`: false for a virtual processor that has no physical one; it does nothing until it gets one.
  mutating func note(_ index: Int, _ processor: LogicalProcessor, mayRun: Bool = true) {
    let cycle = mayRun ? processor.nextCycle : .max
    if cycle < next[index] { end(by: Self.endOfSlice(cycle)) }
    next[index] = cycle
    let halts = processor.state.pointee.halted
    if halts != halted[index] {
      halted[index] = halts
      haltedCount += halts ? 1 : -1
    }
    if index == current && (processor.isWaiting || !mayRun) { sliceEnd = 0 }
  }

  var allHalted: Bool { haltedCount == count }

  /// The earliest cycle at which any processor has something to do.
  var earliest: UInt64 {
    var least = next[0]
    for i in 1..<count { least = min(least, next[i]) }
    return least
  }

  func nextCycle(of index: Int) -> UInt64 { next[index] }

  /// Those that have something to do before `cycle`. Afterwards it is nobody's turn.
  mutating func ready(before cycle: UInt64) -> [Int] {
    sliceEnd = 0
    return (0..<count).filter { next[$0] < cycle }
  }

  /// The turn that is going on is not over.
  var goesOn: Bool { next[current] < sliceEnd }

  /// Nobody but the one whose turn it is has anything to do before `cycle`.
  func othersHaveReached(_ cycle: UInt64) -> Bool {
    for i in 0..<count where i != current && next[i] < cycle { return false }
    return true
  }

  /// Gives the turn to the processor that is furthest behind, until `event` at the latest. Returns the cycle at which it has something
  /// to do.
  mutating func choose(event: UInt64) -> UInt64 {
    var first = next[0]
    var second = UInt64.max
    current = 0
    for i in 1..<count {
      let cycle = next[i]
      if cycle < first {
        second = first
        first = cycle
        current = i
      } else if cycle < second {
        second = cycle
      }
    }
    // Alone until the beginning of the slice in which somebody else has something to do.
    let alone = second == .max ? second : second & ~(Self.quantum - 1)
    sliceEnd = min(event, max(Self.endOfSlice(first), alone))
    return first
  }

  /// The turn ends at `cycle` at the latest.
  mutating func end(by cycle: UInt64) { sliceEnd = min(sliceEnd, cycle) }

  /// End of the slice that `cycle` is in.
  static func endOfSlice(_ cycle: UInt64) -> UInt64 {
    let last = cycle | (quantum - 1)
    return last == .max ? last : last + 1
  }
}
