import Platform

/// One cable with up to two devices, as the host sees it: the command block (eight ports) and the control block (one).
public final class IDEChannel {
  /// Everything that a saved machine needs of it besides its devices and its bus master.
  struct State: Sendable, Equatable, Codable {
    static let version = 1
    /// Device 1 is selected.
    var second = false
    var control: UInt8 = 0
    /// A diagnosis of both devices is going on, which ends with an interrupt.
    var isDiagnosing = false
  }
  private(set) var state = State()
  private(set) var devices: [ATADevice?] = [nil, nil]
  let busMaster: BusMasterIDE
  private let line: any InterruptLine
  private var level = false

  private enum Control {
    static let interruptDisable: UInt8 = 0x02
    static let softReset: UInt8 = 0x04
    static let highOrderByte: UInt8 = 0x80
  }
  /// Nobody drives the bus: DD7 has a pull-down, so that BSY reads as 0 (ATA/ATAPI-6, section 4).
  private static let floating: UInt8 = 0x7F

  init(busMaster: BusMasterIDE, line: any InterruptLine) {
    self.busMaster = busMaster
    self.line = line
    busMaster.started = { [unowned self] in selected?.busMasterStarted() }
  }

  func attach(_ device: ATADevice, _ number: Int) {
    devices[number] = device
    device.channel = self
    device.beginReset(hard: true)
  }

  private var present: [ATADevice] { devices.compactMap { $0 } }
  private var selected: ATADevice? { devices[state.second ? 1 : 0] }

  /// RST# is asserted and released.
  func reset() {
    state = State()
    busMaster.reset()
    for device in present { device.beginReset(hard: true) }
    updateInterrupt()
  }

  // MARK: Command block

  func read(_ offset: UInt64, size: Int) -> UInt64 {
    if offset == ATARegisters.Offset.data {
      return selected?.readData(size: size) ?? UInt64(Self.floating) | UInt64(Self.floating) << 8
    }
    return (0..<UInt64(size)).reduce(UInt64(0)) { $0 | UInt64(readByte(offset + $1)) << (8 * $1) }
  }

  private func readByte(_ offset: UInt64) -> UInt8 {
    let isStatus = offset == ATARegisters.Offset.status
    guard let device = selected else {
      // A device 0 that is alone answers for the other one: status 0, its own registers otherwise.
      guard state.second, let first = devices[0] else { return Self.floating }
      return isStatus ? 0 : first.interface.registers.read(offset, previous: state.control & Control.highOrderByte != 0)
    }
    guard isStatus else {
      return device.interface.registers.read(offset, previous: state.control & Control.highOrderByte != 0)
    }
    let status = device.status
    device.acknowledgeInterrupt()
    return status
  }

  func write(_ offset: UInt64, size: Int, value: UInt64) {
    if offset == ATARegisters.Offset.data {
      selected?.writeData(value, size: size)
    } else {
      for n in 0..<UInt64(size) { writeByte(offset + n, UInt8(truncatingIfNeeded: value >> (8 * n))) }
    }
  }

  private func writeByte(_ offset: UInt64, _ byte: UInt8) {
    state.control &= ~Control.highOrderByte
    guard offset != ATARegisters.Offset.status else {
      if byte == ATACommand.executeDeviceDiagnostic { diagnose() } else { selected?.writeCommand(byte) }
      return
    }
    // The registers belong to the device while it works.
    if let selected, selected.isOccupied { return }
    for device in present { device.interface.registers.write(offset, byte) }
    if offset == ATARegisters.Offset.device {
      state.second = byte & ATARegisters.selectSecond != 0
      updateInterrupt()
    }
  }

  /// Both devices diagnose themselves, whichever is selected; device 0 reports for both (section 8.11).
  private func diagnose() {
    guard let selected, !selected.isOccupied else { return }
    for device in present { device.beginReset(hard: false) }
    state.second = false
    state.isDiagnosing = true
  }

  func resetIsOver(_ device: ATADevice) {
    guard state.isDiagnosing, device === devices[0] ?? devices[1] else { return }
    state.isDiagnosing = false
    device.interruptHost()
  }

  // MARK: Control block

  /// The alternate status register: reading it acknowledges nothing.
  func readControl() -> UInt8 {
    if let selected { return selected.status }
    return state.second && devices[0] != nil ? 0 : Self.floating
  }

  func writeControl(_ byte: UInt8) {
    let changed = byte ^ state.control
    state.control = byte
    if changed & Control.softReset != 0 {
      if byte & Control.softReset != 0 {
        state.second = false
        state.isDiagnosing = false
        for device in present { device.holdInReset(hard: false) }
      } else {
        for device in present { device.endReset() }
      }
    }
    updateInterrupt()
  }

  // MARK: Interrupt

  /// The selected device drives INTRQ, unless nIEN has it let go.
  func updateInterrupt() {
    let wanted = state.control & Control.interruptDisable == 0 && selected?.interface.interrupt == true
    guard wanted != level else { return }
    level = wanted
    if wanted { busMaster.interrupt() }
    line.set(wanted)
  }
}
