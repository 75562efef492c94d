import Platform

/// ACPI fixed hardware (ACPI 3.0b, section 4.7): PM1 event and control registers, power management timer, GPE0 block. Mapped as one
/// range of 32 ports.
public final class ACPIPowerManagement: BusDevice {
  public static let size: UInt64 = 0x20

  /// Everything that a saved machine needs of it.
  public struct State: Sendable, Equatable, Codable {
    public static let version = 1
    var status: UInt16 = 0
    var enable: UInt16 = 0
    var control: UInt16 = 0
    /// Half-periods of the timer's top bit that the operating system has acknowledged.
    var acknowledgedCarries: UInt64 = 0
    var generalStatus: UInt32 = 0
    var generalEnable: UInt32 = 0
  }
  public private(set) var state = State()

  private unowned let clock: any VirtualClock
  private let events: EventQueue
  private let line: any InterruptLine
  private var carryEvent: EventHandlerID?
  /// The operating system has asked for soft-off.
  private let powerOff: () -> Void

  private static let timerFrequency: UInt64 = 3_579_545
  private static let timerStatus: UInt16 = 1 << 0
  private static let powerButton: UInt16 = 1 << 8
  private static let sciEnable: UInt16 = 1 << 0
  private static let sleepEnable: UInt16 = 1 << 13
  /// The type that the DSDT names for S5.
  private static let softOff: UInt16 = 5

  public init(clock: any VirtualClock, events: EventQueue, line: any InterruptLine, powerOff: @escaping () -> Void) {
    self.clock = clock
    self.events = events
    self.line = line
    self.powerOff = powerOff
    carryEvent = events.register { [unowned self] _, _ in
      update()
      scheduleCarry()
    }
  }

  public func reset() {
    state = State(acknowledgedCarries: carries)
    if let carryEvent { events.cancel(carryEvent) }
    update()
  }

  /// Somebody presses the machine's power button.
  public func pressPowerButton() {
    state.status |= Self.powerButton
    update()
  }

  // MARK: Timer

  private var timer: UInt64 { Cycles.ticks(clock.now, frequency: Self.timerFrequency) }
  /// Times that bit 31 has changed: each sets the timer's status bit.
  private var carries: UInt64 { timer >> 31 }

  private var status: UInt16 {
    state.status | (carries != state.acknowledgedCarries ? Self.timerStatus : 0)
  }

  private func scheduleCarry() {
    guard let carryEvent else { return }
    events.cancel(carryEvent)
    guard state.enable & Self.timerStatus != 0 else { return }
    events.schedule(carryEvent, at: Cycles.reaching(ticks: (carries + 1) << 31, frequency: Self.timerFrequency))
  }

  private func update() {
    let fixed = status & state.enable != 0
    let general = state.generalStatus & state.generalEnable != 0
    line.set(fixed || general)
  }

  // MARK: Registers, byte by byte: each may be read and written with any width

  public func read(offset: UInt64, size: Int) -> UInt64 {
    (0..<UInt64(size)).reduce(UInt64(0)) { $0 | UInt64(readByte(offset + $1)) << (8 * $1) }
  }

  private func readByte(_ offset: UInt64) -> UInt8 {
    func byte(_ value: UInt64, _ base: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: value >> (8 * (offset - base))) }
    switch offset {
    case 0x00..<0x02: return byte(UInt64(status), 0x00)
    case 0x02..<0x04: return byte(UInt64(state.enable), 0x02)
    // There is no other mode than ACPI.
    case 0x04..<0x06: return byte(UInt64(state.control | Self.sciEnable), 0x04)
    case 0x08..<0x0C: return byte(timer & 0xFFFF_FFFF, 0x08)
    case 0x10..<0x14: return byte(UInt64(state.generalStatus), 0x10)
    case 0x14..<0x18: return byte(UInt64(state.generalEnable), 0x14)
    default: return offset < Self.size ? 0 : 0xFF
    }
  }

  public func write(offset: UInt64, size: Int, value: UInt64) {
    for n in 0..<UInt64(size) { writeByte(offset + n, UInt8(truncatingIfNeeded: value >> (8 * n))) }
    update()
  }

  private func writeByte(_ offset: UInt64, _ byte: UInt8) {
    func merged(_ old: UInt32, _ base: UInt64) -> UInt32 {
      let shift = UInt32(8 * (offset - base))
      return old & ~(0xFF << shift) | UInt32(byte) << shift
    }
    switch offset {
    case 0x00..<0x02:
      // Ones clear.
      let cleared = UInt16(merged(0, 0x00))
      if cleared & Self.timerStatus != 0 { state.acknowledgedCarries = carries }
      state.status &= ~cleared
    case 0x02..<0x04:
      state.enable = UInt16(truncatingIfNeeded: merged(UInt32(state.enable), 0x02))
      scheduleCarry()
    case 0x04..<0x06:
      let value = UInt16(truncatingIfNeeded: merged(UInt32(state.control), 0x04))
      state.control = value & ~Self.sleepEnable
      if offset == 0x05, value & Self.sleepEnable != 0, value >> 10 & 7 == Self.softOff { powerOff() }
    case 0x10..<0x14: state.generalStatus &= ~merged(0, 0x10)
    case 0x14..<0x18: state.generalEnable = merged(state.generalEnable, 0x14)
    default: break
    }
  }
}

/// The reset register that the FADT names.
public final class ResetControl: BusDevice {
  private let reset: () -> Void
  public init(reset: @escaping () -> Void) { self.reset = reset }
  public func read(offset: UInt64, size: Int) -> UInt64 { 0 }
  public func write(offset: UInt64, size: Int, value: UInt64) {
    if UInt8(truncatingIfNeeded: value) == MemoryMap.resetValue { reset() }
  }
}
