/// I/O instructions: SELECT, WAIT DISCONNECT, WAIT RESELECT, SET, CLEAR (section 5.3).
extension LSI53C895A {
  private var isTarget: Bool { state[LSIRegister.scntl0] & LSIBit.SCNTL0.targetMode != 0 }

  func executeSelect(_ command: UInt8) {
    // Arbitration needs a free bus.
    guard state.selecting == nil, !state.isConnected else { return wait() }
    if !isTarget, mayBeReselected, bus.reselector != nil {
      // Another was faster: the chip is selected itself, and goes on at the alternative.
      let destination = alternate
      acceptReselection()
      if state.run == .running { state.dsp = destination }
      return
    }
    var id = UInt8(truncatingIfNeeded: state.dbc >> 16)
    if command & 0x02 != 0 {
      guard let entry = loadLong(address(LSIRegister.drs, state.long(LSIRegister.dsa) &+ signed(state.dbc))) else {
        busFault()
        return
      }
      state[LSIRegister.sxfer] = UInt8(truncatingIfNeeded: entry >> 8)
      id = UInt8(truncatingIfNeeded: entry >> 16)
      state[LSIRegister.scntl3] = UInt8(truncatingIfNeeded: entry >> 24)
    }
    id &= 0xF
    state[LSIRegister.sdid] = id
    state[LSIRegister.sstat0] |= LSIBit.SSTAT0.woa
    state.selecting = id
    state.selectsWithAttention = command & 0x01 != 0
    // SCRIPTS go on meanwhile. No target of this bus answers a reselection.
    if !isTarget && bus.answers(id) { schedule(.selected, after: Self.selectionTime) } else { startSelectionTimer() }
  }

  /// The target has answered.
  func selected() {
    guard let id = state.selecting else { return }
    state.selecting = nil
    bus.select(id, attention: state.selectsWithAttention)
    connected()
    busChanged()
  }

  private func connected() {
    state.isConnected = true
    // A bus that gets free is an error, until SCRIPTS say that they expect it.
    state[LSIRegister.scntl2] |= LSIBit.SCNTL2.sdu
    noteBus()
  }

  private var mayBeReselected: Bool { state[LSIRegister.scid] & LSIBit.SCID.rre != 0 }

  /// Lets the target that has won arbitration reselect the chip.
  func acceptReselection() {
    guard mayBeReselected, let id = bus.reselector else { return }
    bus.acceptReselection(of: id)
    statistics.reselections &+= 1
    state[LSIRegister.ssid] = 0x80 | id
    if state[LSIRegister.dcntl] & LSIBit.DCNTL.com == 0 {
      // As the 53C700 did it: both identifiers' bits.
      state[LSIRegister.sfbr] = UInt8(truncatingIfNeeded: 1 << UInt16(id) | 1 << UInt16(SCSIBus.controllerID))
    }
    connected()
    raise(scsi: LSIBit.SIST0.rsl)
  }

  /// The target may have freed the bus.
  func noteBus() {
    guard state.isConnected, bus.isFree else { return }
    state.isConnected = false
    if state[LSIRegister.scntl2] & LSIBit.SCNTL2.sdu != 0 { raise(scsi: LSIBit.SIST0.udc) }
  }

  func executeWaitDisconnect() {
    if state.selecting != nil || state.isConnected { wait() }
  }

  func executeWaitReselect() {
    guard state.selecting == nil else { return wait() }
    // A target that has reselected the chip already, as it does when it wins against a selection, comes before SIGP.
    if state.isConnected { return }
    if state.sigp {
      state.dsp = alternate
    } else if !isTarget, mayBeReselected, bus.reselector != nil {
      acceptReselection()
    } else {
      wait(for: .waitingForReselection)
    }
  }

  func executeSetOrClear(_ value: Bool) {
    let flags = state.dbc
    let (carry, target, ack, atn) = (flags & 0x400 != 0, flags & 0x200 != 0, flags & 0x40 != 0, flags & 0x08 != 0)
    // Signals belong to a connection that exists.
    if ack || atn, state.selecting != nil { return wait() }
    if carry { state.carry = value }
    if target { state[LSIRegister.scntl0] = state[LSIRegister.scntl0] & ~1 | (value ? 1 : 0) }
    if atn { bus.attention = value }
    if ack {
      if value { bus.hold() } else { releaseACK() }
    }
    noteBus()
  }

  func releaseACK() {
    bus.release()
    noteBus()
  }
}
