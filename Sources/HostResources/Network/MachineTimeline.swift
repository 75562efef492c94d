/// The clock and the event queue of one machine, as what connects machines needs them. Several machines may run in turns in one
/// process; each has a timeline of its own.
public protocol MachineTimeline: AnyObject {
  /// The cycle at which the machine is.
  var now: UInt64 { get }
  var cyclesPerSecond: UInt64 { get }
  /// Registers what happens at the cycles given to ``schedule(_:at:)``. While the machine is assembled, always in the same order.
  func register(_ action: @escaping (_ cycle: UInt64) -> Void) -> Int
  /// A cycle that has passed already means as soon as possible.
  func schedule(_ action: Int, at cycle: UInt64)
}

extension MachineTimeline {
  /// Rounded down; exact for centuries.
  func cycles(nanoseconds: UInt64) -> UInt64 {
    let (high, low) = nanoseconds.multipliedFullWidth(by: cyclesPerSecond)
    return high < 1_000_000_000 ? UInt64(1_000_000_000).dividingFullWidth((high, low)).quotient : .max
  }

  func nanoseconds(cycles: UInt64) -> UInt64 {
    let (high, low) = cycles.multipliedFullWidth(by: 1_000_000_000)
    return high < cyclesPerSecond ? cyclesPerSecond.dividingFullWidth((high, low)).quotient : .max
  }
}
