import Platform

/// Registers with a mechanism of their own.
extension E1000 {
  private typealias R = E1000Register

  func readRegister(_ offset: Int) -> UInt32 {
    guard offset >= 0, offset < R.end, offset & 3 == 0 else { return 0 }
    switch offset {
    case R.status: return deviceStatus
    case R.eecd: return state.eeprom.control
    case R.icr:
      let cause = state.cause
      state.cause = 0
      updateInterrupt()
      return cause
    case R.ims: return state.mask
    case R.ics, R.imc: return 0
    case R.rxcw: return linkIsUp ? 0x4000_0000 : 0
    case R.wus: return 0
    case R.statistics: return state.statistics.read(offset)
    default: return state[offset]
    }
  }

  private var deviceStatus: UInt32 {
    // Transmission paused; link; speed, also as it was detected; a 32-bit bus at 33 MHz.
    var value: UInt32 = isArmed(.pause) ? 1 << 4 : 0
    if linkIsUp { value |= 1 << 1 }
    let speed = linkSpeed.rawValue
    value |= speed << 6 | state.phy.speed.rawValue << 8
    let control = state[R.ctrl]
    let duplex = control & E1000Control.forceDuplex != 0 ? control & E1000Control.fullDuplex != 0 : state.phy.isFullDuplex
    return value | (duplex ? 1 : 0)
  }

  func writeRegister(_ offset: Int, _ value: UInt32) {
    guard offset >= 0, offset < R.end, offset & 3 == 0 else { return }
    switch offset {
    case R.ctrl: writeControl(value)
    case R.eecd: state.eeprom.write(value)
    case R.eerd: readEEPROM(value)
    case R.ctrlExt:
      state[offset] = value & 0x0FFF_CFFF
      // EE_RST: the EEPROM's contents are loaded again.
      if value & 1 << 13 != 0 { state[R.ral] = state[R.ral] }
    case R.mdic: accessPHY(value)
    case R.icr:
      state.cause &= ~value
      updateInterrupt()
    case R.ics: raise(value & E1000Cause.all)
    case R.ims:
      state.mask |= value & E1000Cause.all
      updateInterrupt()
    case R.imc:
      state.mask &= ~value
      updateInterrupt()
    default:
      let mask = E1000Masks.table[offset / 4]
      if mask == 0 { return }
      state[offset] = value & mask
      registerWritten(offset, value)
    }
  }

  private func registerWritten(_ offset: Int, _ value: UInt32) {
    switch offset {
    case R.rctl, R.rdt, R.rdh, R.rdlen, R.pba:
      drain()
      listen()
    case R.fcrtl, R.fcrth: updateFlowControl()
    case R.rdtr:
      // FPD: what waits for the timer is reported now.
      if value >> 31 != 0 && (isArmed(.receiveDelay) || isArmed(.receiveAbsolute)) { receiveTimerExpired() }
    case R.tidv: if value >> 31 != 0 && (isArmed(.transmitDelay) || isArmed(.transmitAbsolute)) { transmitTimerExpired() }
    case R.tctl, R.tdt, R.tdh, R.tdlen:
      state.transmitter.isHalted = false
      startTransmitter()
    default: break
    }
  }

  private func writeControl(_ value: UInt32) {
    if value & E1000Control.phyReset != 0 {
      state.phy.hardwareReset()
      negotiate()
    }
    if value & E1000Control.reset != 0 { return softwareReset() }
    let was = linkIsUp
    // RST and PHY_RST clear themselves.
    state[R.ctrl] = value & 0x59FC_1BE9 | value & E1000Control.setLinkUp
    if linkIsUp != was { raise(E1000Cause.lsc) }
    updateFlowControl()
    listen()
    startTransmitter()
  }

  /// EERD (section 13.4.4): START in bit 0, the address in bits 15:8; DONE in bit 4, the data in the upper half.
  private func readEEPROM(_ value: UInt32) {
    guard value & 1 != 0 else {
      state[R.eerd] = value & 0xFF00
      return
    }
    state[R.eerd] = UInt32(state.eeprom.word(Int(value >> 8 & 0xFF))) << 16 | value & 0xFF00 | 1 << 4
  }

  /// MDIC (section 13.4.6): a cycle on the management interface. Done when it is written.
  private func accessPHY(_ value: UInt32) {
    let register = Int(value >> 16 & 31)
    var result = value & 0x2FFF_FFFF | 1 << 28
    if value >> 21 & 31 != E1000PHY.address {
      result |= 1 << 30
    } else {
      switch value >> 26 & 3 {
      case 1:
        switch state.phy.write(register, UInt16(truncatingIfNeeded: value)) {
        case .none: break
        case .renegotiate: negotiate()
        case .powerDown: linkChanged(to: false)
        }
      case 2: result = result & 0xFFFF_0000 | UInt32(state.phy.read(register))
      default: result |= 1 << 30
      }
    }
    state[R.mdic] = result
    if value & 1 << 29 != 0 { raise(E1000Cause.mdac) }
  }

  // MARK: Interrupts (sections 3.2.7 and 13.4.17 to 13.4.22)

  func raise(_ causes: UInt32) {
    state.cause |= causes
    updateInterrupt()
  }

  func updateInterrupt() {
    guard state.cause & state.mask != 0 else {
      state.isAsserting = false
      return function.setInterrupt(false)
    }
    if state.isAsserting { return }
    if now < state.quietUntil {
      if !isArmed(.throttle) { arm(.throttle, at: state.quietUntil) }
      return
    }
    state.isAsserting = true
    // ITR counts in units of 256 ns from one interrupt to the next.
    state.quietUntil = now &+ Cycles.from(nanoseconds: 256 * UInt64(state[R.itr] & 0xFFFF))
    function.setInterrupt(true)
  }

  /// RDTR and its like count in units of 1.024 µs.
  func delay(_ register: Int) -> UInt64 { Cycles.from(nanoseconds: 1024 * UInt64(state[register] & 0xFFFF)) }

  func receiveTimerExpired() {
    disarm(.receiveDelay)
    disarm(.receiveAbsolute)
    raise(E1000Cause.rxt0)
  }

  func transmitTimerExpired() {
    disarm(.transmitDelay)
    disarm(.transmitAbsolute)
    raise(E1000Cause.txdw)
  }
}
