/// hint @pause (Volume 3, hint): "this processor waits for another one".
///
/// A waiting loop costs the host as much as any other code, so a pause lets time pass instead: the processor retires nothing for a number
/// of cycles. Waits are short or long, and the first kind must stay short (processors that hand something to and fro, as Linux does to
/// synchronize its interval timers; delays of a microsecond). So the number starts small and doubles with every pause of a loop that is
/// too short to do anything but wait. A longer loop that comes by in exactly the same way each time waits as well, if it does so for
/// long. All of that is part of the processor's state and depends on nothing else.
extension LogicalProcessor {
  private static let shortestPause: UInt64 = 16
  /// Two and a half microseconds.
  private static let longestPause: UInt64 = 4096
  /// Slots of a loop that does nothing but wait: a load, a compare, a branch, and nops.
  private static let waitingLoop: UInt64 = 24
  /// Rounds of a longer loop for which the number doubles.
  private static let patience: UInt64 = 512

  func pause() -> StepResult {
    guard idlesAtPause else { return .next }
    let s = state
    let now = currentInstructions()
    let distance = now &- s.pointee.lastPause
    let before = s.pointee.pauseDistance
    let isShort = distance <= Self.waitingLoop
    let goesOn = isShort ? before <= Self.waitingLoop : distance == before
    s.pointee.pauseRound = goesOn ? s.pointee.pauseRound &+ 1 : 0
    s.pointee.lastPause = now
    s.pointee.pauseDistance = distance
    let doublings = isShort ? s.pointee.pauseRound : s.pointee.pauseRound / Self.patience
    let length = doublings < 8 ? Self.shortestPause &<< doublings : Self.longestPause
    // The hint itself still retires.
    s.pointee.pausedUntil = currentCycle &+ 1 &+ length
    return .exit
  }
}
