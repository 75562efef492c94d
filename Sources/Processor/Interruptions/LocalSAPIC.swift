/// The local SAPIC's part of the control registers (Volume 2, section 5.8).
extension LogicalProcessor {
  private static func bit(_ set: InlineArray<4, UInt64>, _ vector: Int) -> Bool { set[vector >> 6] >> UInt64(vector & 63) & 1 != 0 }

  /// Order of delivery: NMI, then ExtINT, then 255 down to 16.
  private static func rank(_ vector: Int) -> Int { vector == 2 ? 257 : vector == 0 ? 256 : vector }

  private static func highest(_ set: InlineArray<4, UInt64>) -> Int? {
    if bit(set, 2) { return 2 }
    if bit(set, 0) { return 0 }
    for word in stride(from: 3, through: 0, by: -1) where set[word] != 0 {
      let vector = word * 64 + 63 - set[word].leadingZeroBitCount
      return vector >= 16 ? vector : nil
    }
    return nil
  }

  /// The highest pending vector that no vector in service holds back.
  static func highestPending(_ request: InlineArray<4, UInt64>, inService: InlineArray<4, UInt64>) -> Int? {
    guard let vector = highest(request) else { return nil }
    if let served = highest(inService), rank(served) >= rank(vector) { return nil }
    return vector
  }

  /// IVR would return a vector.
  var hasDeliverableInterrupt: Bool { deliverable() != nil }

  /// The pending vector that IVR would return, or nil.
  private func deliverable() -> Int? {
    let (request, inService) = (state.pointee.interruptRequest, state.pointee.interruptInService)
    guard let vector = Self.highestPending(request, inService: inService) else { return nil }
    let tpr = state.cr[CR.tpr]
    if vector == 2 { return vector }
    if tpr & 1 << 16 != 0 { return nil }
    if vector >= 16 && vector >> 4 <= Int(tpr >> 4 & 0xF) { return nil }
    return vector
  }

  func updateInterruptPending() {
    state.pointee.interruptPending = deliverable() != nil
    if state.pointee.interruptPending {
      state.pointee.halted = false
      state.pointee.pausedUntil = 0
    }
    engine.pointee.limit = 0
  }

  /// Pends an external interrupt: 0 ExtINT, 2 NMI, 16...255. Others are ignored.
  public func post(vector: UInt8) {
    guard vector == 0 || vector == 2 || vector >= 16 else { return }
    state.pointee.interruptRequest[Int(vector) >> 6] |= 1 << UInt64(vector & 63)
    updateInterruptPending()
  }

  /// Withdraws a level-triggered request that its source no longer asserts.
  public func withdraw(vector: UInt8) {
    state.pointee.interruptRequest[Int(vector) >> 6] &= ~(1 << UInt64(vector & 63))
    updateInterruptPending()
  }

  /// mov r = cr.ivr: acknowledges the highest deliverable vector; 15 if there is none.
  func readIVR() -> UInt64 {
    settleTimer()
    guard let vector = deliverable() else { return 15 }
    state.pointee.interruptRequest[vector >> 6] &= ~(1 << UInt64(vector & 63))
    state.pointee.interruptInService[vector >> 6] |= 1 << UInt64(vector & 63)
    updateInterruptPending()
    return UInt64(vector)
  }

  /// mov cr.eoi = r: ends service of the highest vector in service.
  func writeEOI() {
    guard let vector = Self.highest(state.pointee.interruptInService) else { return }
    state.pointee.interruptInService[vector >> 6] &= ~(1 << UInt64(vector & 63))
    updateInterruptPending()
  }

  // MARK: Interval timer

  /// AR.ITC at this moment.
  public var itc: UInt64 {
    get { currentCycle / Self.cyclesPerITCTick &+ state.pointee.itcOffset }
    set {
      settleTimer()
      state.pointee.itcOffset =
        newValue &- currentCycle / Self.cyclesPerITCTick
      armTimer()
    }
  }

  /// After a write to ITM, ITC or ITV: finds the cycle at which ITC will equal ITM. A match in the past does not count.
  func armTimer() {
    let now = currentCycle
    let itm = state.cr[CR.itm]
    let distance = itm &- (now / Self.cyclesPerITCTick &+ state.pointee.itcOffset)
    // More than half the range away is the past: the match comes after a wrap of 64 bits, that is never.
    if distance > UInt64.max / 2 || distance == 0 {
      state.pointee.timerArmed = distance == 0
      engine.pointee.timerCycle = distance == 0 ? now : UInt64.max
    } else {
      let (cycle, overflow) = (now / Self.cyclesPerITCTick &+ distance).multipliedReportingOverflow(by: Self.cyclesPerITCTick)
      state.pointee.timerArmed = !overflow
      engine.pointee.timerCycle = overflow ? UInt64.max : cycle
    }
    engine.pointee.limit = 0
  }

  /// Makes a match happen that the running block has passed, before something that it depends on changes or is looked at.
  func settleTimer() {
    if currentCycle >= engine.pointee.timerCycle { fireTimer() }
  }

  /// Called at block boundaries once `cycles` has reached `timerCycle`.
  func fireTimer() {
    state.pointee.timerArmed = false
    engine.pointee.timerCycle = UInt64.max
    let itv = state.cr[CR.itv]
    if itv & 1 << 16 == 0 { post(vector: UInt8(truncatingIfNeeded: itv)) }
  }

  /// Cycle at which the interval timer will match, or `UInt64.max`.
  public var timerDeadline: UInt64 { engine.pointee.timerCycle }
}
