import Processor

/// The one clock of a machine: cycles of its processors since power-on.
public protocol VirtualClock: AnyObject {
  /// The cycle at which the running processor is, also in the middle of a device access.
  var now: UInt64 { get }
}

/// Conversions between cycles and other units.
public enum Cycles {
  public static var perSecond: UInt64 { LogicalProcessor.frequency }

  public static func seconds(_ cycles: UInt64) -> Double { Double(cycles) / Double(perSecond) }

  /// Ticks of a clock of `frequency` Hz in `cycles`, rounded down; exact for runs of centuries.
  public static func ticks(_ cycles: UInt64, frequency: UInt64) -> UInt64 {
    let (high, low) = cycles.multipliedFullWidth(by: frequency)
    return high < perSecond ? perSecond.dividingFullWidth((high, low)).quotient : .max
  }

  /// First cycle at which a clock of `frequency` Hz has reached `ticks`.
  public static func reaching(ticks: UInt64, frequency: UInt64) -> UInt64 {
    let (high, low) = ticks.multipliedFullWidth(by: perSecond)
    guard high < frequency else { return .max }
    let (quotient, remainder) = frequency.dividingFullWidth((high, low))
    return remainder == 0 ? quotient : quotient + 1
  }

  public static func from(nanoseconds: UInt64) -> UInt64 { reaching(ticks: nanoseconds, frequency: 1_000_000_000) }
  public static func nanoseconds(_ cycles: UInt64) -> UInt64 { ticks(cycles, frequency: 1_000_000_000) }
}
