import HostResources
import Platform

/// Intel 82540EM, the "PRO/1000 MT Desktop Adapter", between the PCI bus and a port of a network.
///
/// Time: a frame takes as long on the wire as its bits do, in virtual time, both ways; descriptors and data are moved in the moment in
/// which a frame's first bit leaves or its last bit has arrived. Each event moves a bounded number of descriptors.
public final class E1000: PCIDeviceModel {
  public static let intel: UInt16 = 0x8086
  static let device: UInt16 = 0x100E
  static let subsystem: UInt16 = 0x001E

  /// From the write of the tail register to the first descriptor in the chip: a PCI burst at 33 MHz.
  static let descriptorFetch = Cycles.from(nanoseconds: 500)
  /// How long two transceivers take to agree. Real ones need a second or two, for pulses that are not modelled.
  static let negotiation = Cycles.from(nanoseconds: 200_000_000)
  /// Preamble and gap between frames, in bytes (IEEE 802.3, section 4.4.2).
  static let frameOverhead = 20
  static let smallestFrame = 60
  static let checkSequence = 4

  public internal(set) var state: State
  public let function: PCIFunction
  let port: any NetworkPort
  private unowned let clock: any VirtualClock
  private let events: EventQueue
  private var handler: EventHandlerID?

  /// What events are about; the event's tag.
  enum TimerKind: Int, CaseIterable {
    case transmit, receive, throttle, receiveDelay, receiveAbsolute, transmitDelay, transmitAbsolute, link, pause
  }

  public init(address: MACAddress, port: any NetworkPort, clock: any VirtualClock, events: EventQueue) {
    state = State(eeprom: E1000EEPROM(address: address))
    self.port = port
    self.clock = clock
    self.events = events
    let identity = PCIIdentity(
      vendor: Self.intel, device: Self.device, revision: 2, classCode: 0x020000, subsystemVendor: Self.intel,
      subsystem: Self.subsystem)
    // The memory range of the flash, base address 1, does not exist without a flash.
    function = PCIFunction(
      identity, baseAddresses: [0: .memory32(size: 0x20000), 2: .ports(size: 64)], interruptPin: 1, messageCapability: 0xF0,
      setUp: Self.addCapabilities)
    handler = events.register { [unowned self] cycle, tag in timerFired(cycle, tag) }
    // The port may outlive the adapter.
    port.frameArrived = { [weak self] in self?.listen() }
    resetRegisters()
    negotiate()
  }

  /// Power management and PCI-X (manual, section 4.1.4): the adapter works on either bus.
  private static func addCapabilities(_ c: inout PCIConfiguration) {
    c.set(PCIRegister.minimumGrant, UInt8(0xFF))
    c.set(PCIRegister.status, c.value(PCIRegister.status, as: UInt16.self) | 0x0020)  // 66 MHz
    c.addCapability(0x07, at: 0xE4)
    c.set(0xE6, UInt16(0x0002))
    c.allow(0xE6, UInt16(0x007F))
    c.set(0xE8, UInt32(0x0040_FFF8))
    c.addCapability(0x01, at: 0xDC)
    c.set(0xDE, UInt16(0xC822))  // PME# from D3 hot and cold, version 1.1, device specific initialization
    c.set(0xE0, UInt16(0x2000))
    c.allow(0xE0, UInt16(0x1F03))
    c.allowClearing(0xE0, UInt16(0x8000))
  }

  // MARK: Time

  var now: UInt64 { clock.now }

  func arm(_ kind: TimerKind, at cycle: UInt64) {
    let n = kind.rawValue
    state.timers[n].deadline = cycle
    if let scheduled = state.timers[n].scheduled, scheduled <= cycle { return }
    guard let handler else { return }
    state.timers[n].scheduled = cycle
    events.schedule(handler, tag: UInt64(n), at: cycle)
  }

  func isArmed(_ kind: TimerKind) -> Bool { state.timers[kind.rawValue].deadline != nil }
  func disarm(_ kind: TimerKind) { state.timers[kind.rawValue].deadline = nil }

  private func timerFired(_ cycle: UInt64, _ tag: UInt64) {
    guard let n = Int(exactly: tag), state.timers.indices.contains(n), let kind = TimerKind(rawValue: n),
      state.timers[n].scheduled == cycle
    else { return }
    state.timers[n].scheduled = nil
    guard let deadline = state.timers[n].deadline else { return }
    if deadline > cycle { return arm(kind, at: deadline) }
    state.timers[n].deadline = nil
    switch kind {
    case .transmit: transmitDue()
    case .receive: receiveDue()
    case .throttle: updateInterrupt()
    case .receiveDelay, .receiveAbsolute: receiveTimerExpired()
    case .transmitDelay, .transmitAbsolute: transmitTimerExpired()
    case .link: linkChanged(to: state.isConnected && !state.phy.isPoweredDown)
    case .pause: startTransmitter()
    }
  }

  /// Cycles that so many bytes, preamble, gap and check sequence included, take on the wire.
  func wireTime(_ frame: [UInt8]) -> UInt64 {
    let bytes = UInt64(max(frame.count, Self.smallestFrame) + Self.checkSequence + Self.frameOverhead)
    let bitsPerSecond: UInt64 =
      switch linkSpeed {
      case .ten: 10_000_000
      case .hundred: 100_000_000
      case .thousand: 1_000_000_000
      }
    return Cycles.reaching(ticks: bytes * 8, frequency: bitsPerSecond)
  }

  // MARK: Reset

  public func reset() {
    state.phy.hardwareReset()
    state.window = 0
    softwareReset()
    negotiate()
  }

  /// CTRL.RST: all but the transceiver and the EEPROM.
  func softwareReset() {
    for kind in TimerKind.allCases where kind != .link { disarm(kind) }
    state.cause = 0
    state.mask = 0
    state.quietUntil = 0
    state.transmitter = E1000Transmitter()
    state.arriving = nil
    state.received.removeAll()
    state.receivedBytes = 0
    state.hasPausedPeer = false
    state.statistics = E1000Statistics()
    resetRegisters()
    updateInterrupt()
    listen()
  }

  /// Values after reset (manual, chapter 13). The first receive address comes from the EEPROM.
  private func resetRegisters() {
    typealias R = E1000Register
    state.registers = [UInt32](repeating: 0, count: R.end / 4)
    state[R.ctrl] = 0x0000_0A41  // full duplex, link up, speed 1000, from the EEPROM's control word
    state[R.tipg] = 0x0060_2008
    state[R.ledctl] = 0x0706_8302
    state[R.pba] = 0x0010_0030
    state[R.txdctl] = 0
    state[R.rxdctl] = 0x0001_0000
    state[R.rxcsum] = 0
    state[R.fcrtl] = 0
    let address = state.eeprom.stationAddress.bytes
    state[R.ral] = (0..<4).reduce(UInt32(0)) { $0 | UInt32(address[$1]) << UInt32(8 * $1) }
    state[R.ral + 4] = UInt32(address[4]) | UInt32(address[5]) << 8 | 1 << 31
  }

  // MARK: Link

  /// Plugs the cable in, or pulls it.
  public func setConnected(_ connected: Bool) {
    guard state.isConnected != connected else { return }
    state.isConnected = connected
    if connected { negotiate() } else { linkChanged(to: false) }
  }

  /// The link goes away and, if there is somebody at the other end, comes back.
  func negotiate() {
    linkChanged(to: false)
    if state.isConnected && !state.phy.isPoweredDown { arm(.link, at: now &+ Self.negotiation) }
  }

  func linkChanged(to up: Bool) {
    let was = linkIsUp
    if !up { disarm(.link) }
    state.phy.setLink(up)
    if linkIsUp != was { raise(E1000Cause.lsc) }
    if state.phy.interruptPending { raise(E1000Cause.phyint) }
    if up {
      listen()
      startTransmitter()
    }
  }

  /// The MAC takes the transceiver's word for it once software has set SLU (section 13.4.1).
  public var linkIsUp: Bool { state.phy.isUp && state[E1000Register.ctrl] & E1000Control.setLinkUp != 0 }

  var linkSpeed: E1000PHY.Speed {
    let control = state[E1000Register.ctrl]
    return control & E1000Control.forceSpeed != 0
      ? E1000PHY.Speed(rawValue: min(2, control >> 8 & 3)) ?? .thousand : state.phy.speed
  }

  /// Frames come back without having been on the cable: through the MAC or through the transceiver.
  var isLoopback: Bool { state[E1000Register.rctl] & E1000Receive.loopback != 0 || state.phy.isLoopback }

  // MARK: Bus

  public func read(bar: Int, offset: UInt64, size: Int) -> UInt64 {
    if bar == 2 { return readPort(offset, size) }
    if size == 8 {
      // Two cycles of a bus of 32 bits.
      return UInt64(readRegister(Int(offset))) | UInt64(readRegister(Int(offset) + 4)) << 32
    }
    // Parts of a register take the byte enables; the register's side effects happen all the same.
    let value = readRegister(Int(offset & ~3))
    return UInt64(value) >> (8 * (offset & 3)) & (UInt64.max >> UInt64(64 - 8 * size))
  }

  public func write(bar: Int, offset: UInt64, size: Int, value: UInt64) {
    if bar == 2 { return writePort(offset, size, value) }
    if size == 8 {
      writeRegister(Int(offset), UInt32(truncatingIfNeeded: value))
      writeRegister(Int(offset) + 4, UInt32(truncatingIfNeeded: value >> 32))
    } else if size == 4 {
      writeRegister(Int(offset), UInt32(truncatingIfNeeded: value))
    }
    // Registers are written as a whole (section 13.1): nothing else is defined.
  }

  // IOADDR and IODATA (section 13.2.2): a window onto the memory range.

  private func readPort(_ offset: UInt64, _ size: Int) -> UInt64 {
    let value: UInt32
    switch offset & ~3 {
    case 0: value = state.window
    case 4: value = state.window < 0x20000 ? readRegister(Int(state.window & ~3)) : 0
    default: value = 0
    }
    return UInt64(value) >> (8 * (offset & 3)) & (UInt64.max >> UInt64(64 - 8 * size))
  }

  private func writePort(_ offset: UInt64, _ size: Int, _ value: UInt64) {
    guard size == 4 else { return }
    switch offset {
    case 0: state.window = UInt32(truncatingIfNeeded: value)
    case 4: if state.window < 0x20000 { writeRegister(Int(state.window & ~3), UInt32(truncatingIfNeeded: value)) }
    default: break
    }
  }

  // MARK: DMA

  /// A descriptor that cannot be had is a master abort, which the configuration's status register keeps.
  func noteAbort() {
    let status: UInt16 = function.configuration.value(PCIRegister.status)
    function.configuration.set(PCIRegister.status, status | 0x2000)
  }
}
