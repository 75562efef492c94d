import Platform

/// Interrupt status, its stack, and the pin (section 2.2.17).
extension LSI53C895A {
  private var sien: UInt16 { UInt16(state[LSIRegister.sien1]) << 8 | UInt16(state[LSIRegister.sien0]) }
  /// What stops the chip shows in ISTAT0 even if it is masked; masks keep it from the pin. Of the rest, masked conditions show in SIST0
  /// and SIST1 alone (section 2.2.17.4).
  private var sip: Bool { state.sist & (sien | Self.fatal) != 0 }
  private var dip: Bool { state.dstat != 0 }

  /// What stops SCRIPTS, enabled or not.
  private static let fatal: UInt16 = LSIBit.SIST1.sto | LSIBit.SIST0.ma | LSIBit.SIST0.sge | LSIBit.SIST0.udc | LSIBit.SIST0.rst

  /// A condition of the SCSI core. Once one is pending, those that follow wait on a second level until it has been read.
  func raise(scsi bits: UInt16) {
    if sip || dip { state.stackedSIST |= bits } else { state.sist |= bits }
    if bits & Self.fatal != 0 { stop() }
    updateInterrupt()
  }

  /// A condition of the DMA core: always stops SCRIPTS.
  func raise(dma bits: UInt8) {
    if sip || dip { state.stackedDSTAT |= bits } else { state.dstat |= bits }
    stop()
    updateInterrupt()
  }

  func updateInterrupt() {
    let disabled =
      state[LSIRegister.dcntl] & LSIBit.DCNTL.irqDisable != 0 || state[LSIRegister.istat1] & LSIBit.ISTAT1.irqDisable != 0
    let wanted = state.sist & sien != 0 || state.dstat & state[LSIRegister.dien] != 0 || state.intf
    function.setInterrupt(wanted && !disabled)
  }

  func readDSTAT() -> UInt8 {
    let value = state.dstat | LSIBit.DSTAT.dfe
    state.dstat = state.stackedDSTAT
    state.stackedDSTAT = 0
    bringUpStacked()
    updateInterrupt()
    return value
  }

  /// Nothing is pending any more: what has waited moves up.
  private func bringUpStacked() {
    guard !sip && !dip else { return }
    state.sist |= state.stackedSIST
    state.dstat |= state.stackedDSTAT
    state.stackedSIST = 0
    state.stackedDSTAT = 0
  }

  /// Half of the pair: reading takes that half's bits away, and brings up those that were stacked behind them.
  func readSIST(high: Bool) -> UInt8 {
    let mask: UInt16 = high ? 0xFF00 : 0x00FF
    let value = state.sist & mask
    state.sist = state.sist & ~mask | state.stackedSIST & mask
    state.stackedSIST &= ~mask
    bringUpStacked()
    updateInterrupt()
    return UInt8(truncatingIfNeeded: high ? value >> 8 : value)
  }

  var istat0: UInt8 {
    var value = state[LSIRegister.istat0] & (LSIBit.ISTAT0.abrt | LSIBit.ISTAT0.srst | LSIBit.ISTAT0.sem)
    if state.sigp { value |= LSIBit.ISTAT0.sigp }
    if state.isConnected { value |= LSIBit.ISTAT0.con }
    if state.intf { value |= LSIBit.ISTAT0.intf }
    if sip { value |= LSIBit.ISTAT0.sip }
    if dip { value |= LSIBit.ISTAT0.dip }
    return value
  }

  func writeISTAT0(_ value: UInt8) {
    let old = state[LSIRegister.istat0]
    if value & LSIBit.ISTAT0.srst != 0 {
      if old & LSIBit.ISTAT0.srst == 0 { softReset() }
      state[LSIRegister.istat0] = LSIBit.ISTAT0.srst
      return
    }
    state[LSIRegister.istat0] = value & (LSIBit.ISTAT0.abrt | LSIBit.ISTAT0.sem)
    if value & LSIBit.ISTAT0.intf != 0 { state.intf = false }
    state.sigp = value & LSIBit.ISTAT0.sigp != 0
    if value & LSIBit.ISTAT0.abrt != 0 && old & LSIBit.ISTAT0.abrt == 0 {
      raise(dma: LSIBit.DSTAT.abrt)
    } else if state.sigp && state.run == .waitingForReselection {
      resume()
    }
    updateInterrupt()
  }

  // MARK: Timers (STIME0, STIME1)

  /// Clocks of the divided SCSI clock in the shortest period's half. The manual gives minima for its clock; this is what chips take, by
  /// the constant with which drivers compute the clock from a period that they have measured.
  private static let timerUnit: UInt64 = 1447
  /// SCNTL3.CCF divides the clock: doubled divisors.
  private static let divisors: [UInt64] = [6, 2, 3, 4, 6, 8, 12, 16]
  static let baseClock: UInt64 = 40_000_000

  /// Hz of the SCSI clock: 40 MHz, or four times that if the quadrupler is selected.
  private var scsiClock: UInt64 {
    let both = LSIBit.STEST1.qen | LSIBit.STEST1.qsel
    return state[LSIRegister.stest1] & both == both ? 4 * Self.baseClock : Self.baseClock
  }

  /// Cycles of a timer's code; nil: it is off.
  private func period(_ code: UInt8, scaled: Bool) -> UInt64? {
    guard code & 0xF != 0 else { return nil }
    let clocks = (Self.timerUnit << UInt64(code & 0xF)) * Self.divisors[Int(state[LSIRegister.scntl3] & 7)] / 2
    return Cycles.reaching(ticks: scaled ? clocks * 16 : clocks, frequency: scsiClock)
  }

  func startGeneralTimer() {
    cancel(.generalTimer)
    let value = state[LSIRegister.stime1]
    if let cycles = period(value, scaled: value & LSIBit.STIME1.genScale != 0) { schedule(.generalTimer, after: cycles) }
  }

  func startSelectionTimer() {
    if let cycles = period(state[LSIRegister.stime0], scaled: false) { schedule(.selectionTimeout, after: cycles) }
  }

  /// Runs while the connected target keeps the chip waiting.
  func startHandshakeTimer() {
    guard state.isConnected else { return }
    let scaled = state[LSIRegister.stime1] & LSIBit.STIME1.hthScale != 0
    if let cycles = period(state[LSIRegister.stime0] >> 4, scaled: scaled) { schedule(.handshakeTimer, after: cycles) }
  }
}
