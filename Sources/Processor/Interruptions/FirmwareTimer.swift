/// What firmware that runs as host code does with control registers whose reads and writes have effects.
extension LogicalProcessor {
  /// Writes ITV and ITM: the interval timer interrupts with `vector` at `cycle` at the latest; one that is due matches at once.
  public func armIntervalTimer(at cycle: UInt64, vector: UInt8) {
    settleTimer()
    state.cr[CR.itv] = UInt64(vector)
    let now = itc
    let ticks = max(cycle, currentCycle) / Self.cyclesPerITCTick &+ state.pointee.itcOffset
    state.cr[CR.itm] = ticks > now ? ticks : now &+ 1
    armTimer()
  }

  /// Masks the interval timer.
  public func maskIntervalTimer() {
    settleTimer()
    state.cr[CR.itv] = 1 << 16
  }

  /// Reads IVR and writes EOI: the vector that was pending, or 15.
  public func serviceInterrupt() -> UInt8 {
    let vector = readIVR()
    if vector != 15 { writeEOI() }
    return UInt8(truncatingIfNeeded: vector)
  }
}
