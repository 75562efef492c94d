import Platform

/// Registers as processor, SCRIPTS and memory moves see them.
extension LSI53C895A {
  func readRegister(_ register: Int) -> UInt8 {
    let stored = state[register]
    switch register {
    case LSIRegister.scntl1: return stored & ~LSIBit.SCNTL1.con | (state.isConnected ? LSIBit.SCNTL1.con : 0)
    case LSIRegister.gpreg:
      // Pins that are inputs are pulled up: no serial EEPROM answers.
      let inputs = state[LSIRegister.gpcntl] & 0x1F
      return stored & ~inputs & 0x1F | inputs
    case LSIRegister.socl: return (bus.attention ? LSIBit.SOCL.atn : 0) | (bus.state.acknowledged ? LSIBit.SOCL.ack : 0)
    case LSIRegister.sbcl: return busControlLines
    case LSIRegister.dstat: return readDSTAT()
    case LSIRegister.sstat0:
      return stored | (state[LSIRegister.scntl1] & LSIBit.SCNTL1.rst != 0 ? LSIBit.SSTAT0.rst : 0)
        | (state[LSIRegister.scntl2] & LSIBit.SCNTL2.wss != 0 ? LSIBit.SSTAT0.olf : 0)
    case LSIRegister.sstat1:
      latchPhase()
      return state.phase
    case LSIRegister.sstat2: return state.isConnected ? 0 : LSIBit.SSTAT2.ldsc
    case LSIRegister.istat0: return istat0
    case LSIRegister.istat1:
      return stored & LSIBit.ISTAT1.irqDisable | (state.run != .stopped ? LSIBit.ISTAT1.scriptsRun : 0)
    case LSIRegister.ctest2:
      var value = stored & LSIBit.CTEST2.pcicie | LSIBit.CTEST2.dack
      if state.sigp { value |= LSIBit.CTEST2.sigp }
      if function.portsEnabled { value |= LSIBit.CTEST2.cio }
      if function.memoryEnabled { value |= LSIBit.CTEST2.cm }
      state.sigp = false
      return value
    case LSIRegister.ctest3: return stored & 0x03 | Self.revision << 4
    // The FIFO is empty: its byte offset is the byte counter's.
    case LSIRegister.dfifo:
      return UInt8(truncatingIfNeeded: state.dbc) & (state[LSIRegister.ctest5] & LSIBit.CTEST5.dfs != 0 ? 0xFF : 0x7F)
    case LSIRegister.ctest5: return stored & ~3 | UInt8(truncatingIfNeeded: state.dbc >> 8) & 3
    case LSIRegister.scratchA..<LSIRegister.scratchA + 4 where state[LSIRegister.ctest2] & LSIBit.CTEST2.pcicie != 0:
      return function.configuration.bytes[PCIRegister.bar0 + 4 + register - LSIRegister.scratchA]
    case LSIRegister.scratchB..<LSIRegister.scratchB + 4 where state[LSIRegister.ctest2] & LSIBit.CTEST2.pcicie != 0:
      return function.configuration.bytes[PCIRegister.bar0 + 8 + register - LSIRegister.scratchB]
    case LSIRegister.sist0: return readSIST(high: false)
    case LSIRegister.sist1: return readSIST(high: true)
    // The quadrupler locks at once.
    case LSIRegister.stest4:
      return LSIBit.STEST4.lvd | (state[LSIRegister.stest1] & LSIBit.STEST1.qen != 0 ? LSIBit.STEST4.lock : 0)
    case LSIRegister.sbdl, LSIRegister.sbdl + 1: return 0
    default: return stored
    }
  }

  func writeRegister(_ register: Int, _ value: UInt8) {
    // A chip that is held in reset takes nothing but the end of it.
    if state[LSIRegister.istat0] & LSIBit.ISTAT0.srst != 0 && register != LSIRegister.istat0 { return }
    switch register {
    case LSIRegister.ssid, LSIRegister.sbcl, LSIRegister.dstat, LSIRegister.sstat0, LSIRegister.sstat1, LSIRegister.sstat2,
      LSIRegister.ctest1, LSIRegister.dfifo, LSIRegister.sist0, LSIRegister.sist1, LSIRegister.stest0, LSIRegister.stest4,
      LSIRegister.sidl, LSIRegister.sidl + 1, LSIRegister.sbdl, LSIRegister.sbdl + 1:
      break
    case LSIRegister.scntl1:
      let old = state[register]
      state[register] = value & ~LSIBit.SCNTL1.con
      if value & ~old & LSIBit.SCNTL1.rst != 0 { resetBus() }
    case LSIRegister.scntl2:
      // Written ones clear the flags of the odd bytes.
      let flags = state[register] & ~value & (LSIBit.SCNTL2.wss | LSIBit.SCNTL2.wsr)
      state[register] = value & ~(LSIBit.SCNTL2.wss | LSIBit.SCNTL2.wsr) | flags
    case LSIRegister.socl:
      bus.attention = value & LSIBit.SOCL.atn != 0
      if value & LSIBit.SOCL.ack == 0 { releaseACK() }
    case LSIRegister.istat0: writeISTAT0(value)
    case LSIRegister.istat1:
      state[register] = value & LSIBit.ISTAT1.irqDisable
      updateInterrupt()
    case LSIRegister.ctest3: state[register] = value & 0x03
    case LSIRegister.dsp + 3:
      state[register] = value
      if state[LSIRegister.dmode] & LSIBit.DMODE.man == 0 { start() }
    case LSIRegister.dcntl:
      state[register] = value & ~LSIBit.DCNTL.std
      if value & LSIBit.DCNTL.std != 0 { start() }
      updateInterrupt()
    case LSIRegister.dien, LSIRegister.sien0, LSIRegister.sien1:
      state[register] = value
      updateInterrupt()
    case LSIRegister.slpar: state[register] = 0
    case LSIRegister.macntl: state[register] = state[register] & 0xF0 | value & 0x0F
    case LSIRegister.stime1:
      let old = state[register]
      state[register] = value
      if (old ^ value) & 0x2F != 0 { startGeneralTimer() }
    case LSIRegister.stest2: state[register] = value & ~LSIBit.STEST2.rof
    case LSIRegister.stest3:
      state[register] = value & ~LSIBit.STEST3.csf
      // What the SCSI FIFO held is gone, the odd bytes with it.
      if value & LSIBit.STEST3.csf != 0 { state[LSIRegister.scntl2] &= ~(LSIBit.SCNTL2.wss | LSIBit.SCNTL2.wsr) }
    default: state[register] = value
    }
  }

  private var busControlLines: UInt8 {
    latchPhase()
    var value: UInt8 = 0
    if bus.phase != nil { value |= LSIBit.SBCL.req }
    if bus.state.acknowledged { value |= LSIBit.SBCL.ack }
    if bus.attention { value |= LSIBit.SBCL.atn }
    if !bus.isFree { value |= LSIBit.SBCL.bsy | state.phase }
    if state.selecting != nil { value |= LSIBit.SBCL.sel }
    return value
  }

  /// SCNTL1.RST: everything on the bus starts over, and the chip sees its own signal.
  private func resetBus() {
    cancel(.selected)
    cancel(.selectionTimeout)
    state.selecting = nil
    state.isConnected = false
    bus.reset()
    raise(scsi: LSIBit.SIST0.rst)
  }
}
