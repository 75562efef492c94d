import HostResources

/// What each command starts.
extension ATADisk {
  func begin(_ code: UInt8) {
    let command = ATACommand.current(code)
    switch command {
    case ATACommand.readSectors, ATACommand.readSectorsNoRetry: startTransfer(.read, extended: false)
    case ATACommand.readSectorsExt: startTransfer(.read, extended: true)
    case ATACommand.readMultiple: startMultiple(.read, extended: false)
    case ATACommand.readMultipleExt: startMultiple(.read, extended: true)
    case ATACommand.writeSectors, ATACommand.writeSectorsNoRetry: startTransfer(.write, extended: false)
    case ATACommand.writeSectorsExt: startTransfer(.write, extended: true)
    case ATACommand.writeMultiple: startMultiple(.write, extended: false)
    case ATACommand.writeMultipleExt: startMultiple(.write, extended: true)
    case ATACommand.writeMultipleFUAExt: startMultiple(.write, extended: true, forced: true)
    case ATACommand.readDMA, ATACommand.readDMANoRetry: startTransfer(.readDMA, extended: false)
    case ATACommand.readDMAExt: startTransfer(.readDMA, extended: true)
    case ATACommand.writeDMA, ATACommand.writeDMANoRetry: startTransfer(.writeDMA, extended: false)
    case ATACommand.writeDMAExt: startTransfer(.writeDMA, extended: true)
    case ATACommand.writeDMAFUAExt: startTransfer(.writeDMA, extended: true, forced: true)
    case ATACommand.verify, ATACommand.verifyNoRetry: startTransfer(.verify, extended: false)
    case ATACommand.verifyExt: startTransfer(.verify, extended: true)
    case ATACommand.flushCache, ATACommand.flushCacheExt: start(Operation(kind: .flush))
    case ATACommand.identifyDevice: answer(identification.bytes)
    case ATACommand.setFeatures: setFeatures()
    case ATACommand.setMultiple: setMultiple()
    case ATACommand.initializeDeviceParameters:
      let registers = interface.registers
      let heads = (registers.device & 0xF) + 1
      if state.geometry.set(heads: heads, sectorsPerTrack: ATARegisters.low(registers.count)) { finish() } else { abort() }
    case ATACommand.readNativeMax:
      guard interface.registers.device & ATARegisters.useLBA != 0 else { return abort() }
      interface.registers.setLBA28(min(sectors, Self.reach28) - 1)
      finish()
    case ATACommand.readNativeMaxExt:
      interface.registers.setLBA48(sectors - 1)
      finish()
    case ATACommand.smart: smart()
    case ATACommand.recalibrate, ATACommand.seek: start(Operation(kind: .nothing))
    case ATACommand.standbyImmediate, ATACommand.standby:
      // The cache is emptied before the disk stops.
      state.isStandingBy = true
      start(Operation(kind: .flush))
    case ATACommand.idleImmediate, ATACommand.idle:
      state.isStandingBy = false
      finish()
    case ATACommand.checkPowerMode:
      interface.registers.count = state.isStandingBy ? 0x00 : 0xFF
      finish()
    case ATACommand.sleep: start(Operation(kind: .sleep))
    // NOP's answer is "aborted", too (section 8.23).
    default: abort()
    }
  }

  private func answer(_ bytes: [UInt8]) {
    interface.buffer = bytes
    interface.position = 0
    start(Operation(kind: .answer))
  }

  private func startMultiple(_ kind: Operation.Kind, extended: Bool, forced: Bool = false) {
    guard state.multiple > 0 else { return abort() }
    startTransfer(kind, extended: extended, block: Int(state.multiple), forced: forced)
  }

  private func setMultiple() {
    let count = ATARegisters.low(interface.registers.count)
    guard count <= Self.largestMultiple, count & (count &- 1) == 0 else {
      // What was set before is gone as well (section 8.47).
      state.multiple = 0
      return abort()
    }
    state.multiple = count
    finish()
  }

  private func setFeatures() {
    let registers = interface.registers
    switch ATARegisters.low(registers.features) {
    case ATAFeature.enableWriteCache: state.writeCache = true
    case ATAFeature.disableWriteCache:
      state.writeCache = false
      return start(Operation(kind: .flush))
    case ATAFeature.setTransferMode: guard state.mode.set(ATARegisters.low(registers.count)) else { return abort() }
    case ATAFeature.enableLookAhead: state.lookAhead = true
    case ATAFeature.disableLookAhead: state.lookAhead = false
    case ATAFeature.keepOnReset: state.revertsOnReset = false
    case ATAFeature.revertOnReset: state.revertsOnReset = true
    default: return abort()
    }
    finish()
  }

  // MARK: SMART (section 8.54): a disk that is well

  private enum Smart {
    static let readData: UInt8 = 0xD0
    static let autosave: UInt8 = 0xD2
    static let enable: UInt8 = 0xD8
    static let disable: UInt8 = 0xD9
    static let returnStatus: UInt8 = 0xDA
  }

  private func smart() {
    let registers = interface.registers
    guard registers.lbaMid & 0xFF == 0x4F, registers.lbaHigh & 0xFF == 0xC2 else { return abort() }
    let subcommand = ATARegisters.low(registers.features)
    if subcommand == Smart.enable {
      state.smart = true
      return finish()
    }
    guard state.smart else { return abort() }
    switch subcommand {
    case Smart.disable: state.smart = false
    case Smart.autosave: break
    // 4F and C2 stay where they are: no threshold exceeded.
    case Smart.returnStatus: break
    case Smart.readData: return answer(Self.smartData)
    default: return abort()
    }
    finish()
  }

  /// No attributes, no self-test; the last byte makes the sum zero.
  private static let smartData: [UInt8] = {
    var bytes = [UInt8](repeating: 0, count: 512)
    bytes[0] = 0x10
    bytes[511] = 0 &- bytes.reduce(0, &+)
    return bytes
  }()

  // MARK: Identification

  private var identification: ATAIdentification {
    var id = ATAIdentification(
      model: "EPICURE DISK", serial: serial, firmware: "1.0", mode: state.mode, isSecond: channel?.devices[1] === self)
    let geometry = state.geometry
    id[0] = 0x0040  // not removable
    id[1] = UInt16(geometry.defaultCylinders)
    id[3] = UInt16(ATAGeometry.defaultHeads)
    id[6] = UInt16(ATAGeometry.defaultSectors)
    id[47] = 0x8000 | UInt16(Self.largestMultiple)
    id[49] = 0x0F00  // IORDY, LBA, DMA
    id[50] = 0x4000
    id[53] |= 0x0001  // words 54 to 58 are valid
    id[54] = UInt16(geometry.cylinders)
    id[55] = UInt16(geometry.heads)
    id[56] = UInt16(geometry.sectorsPerTrack)
    id.set32(57, geometry.capacity)
    id[59] = state.multiple > 0 ? 0x0100 | UInt16(state.multiple) : 0
    id.set32(60, min(sectors, Self.reach28 - 1))
    let feature: UInt16 = 0x0069  // look-ahead, write cache, power management, SMART
    id[82] = feature | 0x4000  // NOP
    id[83] = 0x7400  // FLUSH CACHE EXT, FLUSH CACHE, 48-bit addresses
    id[84] = 0x4040  // forced unit access
    id[85] = 0x4008 | (state.lookAhead ? 0x40 : 0) | (state.writeCache ? 0x20 : 0) | (state.smart ? 1 : 0)
    id[86] = 0x3400
    id[87] = 0x4040
    id.set32(100, sectors)
    id.set32(102, sectors >> 32)
    return id
  }
}
