/// hint @pause (Volume 3, hint): "this processor waits for another one".
///
/// A waiting loop costs the host as much as any other code, so a pause lets time pass instead: the processor retires nothing for a number
/// of cycles. Waits are short or long, and the first kind must stay short (processors that hand something to and fro, delays of
/// microseconds), so the number starts small and doubles as long as the processor does nothing but wait: as long as it does not retire
/// more slots from one pause to the next than it did before. All of that is part of the processor's state and depends on nothing else.
extension LogicalProcessor {
  private static let shortestPause: UInt64 = 16
  /// Two and a half microseconds.
  private static let longestPause: UInt64 = 4096

  func pause() -> StepResult {
    guard idlesAtPause else { return .next }
    let s = state
    let now = currentInstructions()
    let distance = now &- s.pointee.lastPause
    let goesOn = distance <= s.pointee.pauseDistance && s.pointee.pauseLength != 0
    s.pointee.pauseLength = goesOn ? min(2 * s.pointee.pauseLength, Self.longestPause) : Self.shortestPause
    s.pointee.lastPause = now
    s.pointee.pauseDistance = distance
    // The hint itself still retires.
    s.pointee.pausedUntil = now &+ 1 &+ s.pointee.idleCycles &+ s.pointee.pauseLength
    return .exit
  }
}
