import Processor

/// What has been charged since the last group that was looked at. The hot path only adds to the processor's table of causes; what two
/// looks at it differ in lies between them.
struct Observation {
  /// The table of causes as it was at the last look, and the clock.
  private let seen: UnsafeMutablePointer<UInt64>
  private var seenClock: UInt64 = 0
  /// What is new at this look.
  private(set) var causes = CauseCounts()
  /// The new cycles are one, and a group issued in it: `causes` are not set.
  private(set) var isPlain = false
  /// Cycles that the group's own mispredicted branch has taken, where that is known already.
  private(set) var ownMisprediction: UInt64 = 0

  private static let count = 4 * Cause.stride

  init(_ pipe: Pipe) {
    seen = .allocate(capacity: Self.count)
    seen.initialize(from: pipe.pointee.cycles, count: Self.count)
    seenClock = pipe.pointee.now
  }

  func deallocate() { seen.deallocate() }

  /// A group has issued in cycle `issued` at privilege level `level`, or, if it `goesOn`, the rest of the last one. Nearly all have waited for nothing: then there is no need to
  /// compare the tables.
  mutating func look(_ pipe: Pipe, level: Int, issued: UInt64, goesOn: Bool) {
    let now = pipe.pointee.now
    let new = now &- seenClock
    seenClock = now
    ownMisprediction = now &- issued
    isPlain = new == 1 && !goesOn
    if isPlain {
      seen[level &* Cause.stride &+ Int(Cause.issue.rawValue)] &+= 1
      return
    }
    causes = CauseCounts()
    if new == 0 { return }
    if compare(pipe, level) == new { return }
    for other in 0..<4 where other != level { _ = compare(pipe, other) }
  }

  /// Adds what is new at a privilege level; returns how many cycles.
  private mutating func compare(_ pipe: Pipe, _ level: Int) -> UInt64 {
    var sum: UInt64 = 0
    for cause in Cause.allCases {
      let index = level &* Cause.stride &+ Int(cause.rawValue)
      let new = pipe.pointee.cycles[index] &- seen[index]
      guard new != 0 else { continue }
      causes[cause] &+= new
      sum &+= new
      seen[index] = pipe.pointee.cycles[index]
    }
    return sum
  }
}
