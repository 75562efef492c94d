import Platform

/// Intel 82371AB (PIIX4) as far as this board has it: function 0, the bridge to the board's own ports, and function 1, the IDE
/// controller.
public final class PIIX4 {
  public static let primaryInterrupt = 14
  public static let secondaryInterrupt = 15

  /// What a channel's ports are on every board since the PC/AT.
  private static let commandBlocks: [UInt64] = [0x1F0, 0x170]
  private static let controlBlocks: [UInt64] = [0x3F6, 0x376]

  public let ide: PIIX4IDE
  private let bridge = ISABridge()
  private var ports: [AnyObject] = []

  /// `interrupts`: the lines of ISA interrupts 14 and 15.
  public init(interrupts: [any InterruptLine]) { ide = PIIX4IDE(interrupts: interrupts) }

  /// Plugs both functions in at `device` and maps the channels' fixed ports.
  public func attach(to root: PCIRoot, bus: SystemBus, device: UInt8) throws {
    try root.attach(bridge.function, model: bridge, device: device)
    try root.attach(ide.function, model: ide, device: device, function: 1)
    for n in 0..<2 {
      let command = IDEPorts(ide, channel: n, isControl: false)
      let control = IDEPorts(ide, channel: n, isControl: true)
      try bus.ports.map("IDE channel \(n)", Self.commandBlocks[n]..<Self.commandBlocks[n] + 8, command)
      try bus.ports.map("IDE control \(n)", Self.controlBlocks[n]..<Self.controlBlocks[n] + 1, control)
    }
  }
}

/// Function 0. Only configuration space: what it bridges to is mapped by the board.
private final class ISABridge: PCIDeviceModel {
  let function = PCIFunction(
    PCIIdentity(vendor: 0x8086, device: 0x7110, revision: 1, classCode: 0x06_0100), isMultifunction: true)
  func read(bar: Int, offset: UInt64, size: Int) -> UInt64 { .max }
  func write(bar: Int, offset: UInt64, size: Int, value: UInt64) {}
  func reset() {}
}

/// Function 1: timing registers in configuration space, bus master registers in base address 4, two channels.
public final class PIIX4IDE: PCIDeviceModel {
  public let function: PCIFunction
  public let channels: [IDEChannel]

  /// Configuration registers (data sheet, section 4.1).
  private enum Register {
    /// One for each channel; bit 15 has the channel's ports decoded.
    static let timing = [0x40, 0x42]
    static let slaveTiming = 0x44
    static let ultraControl = 0x48
    static let ultraTiming = 0x4A
  }
  private static let decodeEnable: UInt16 = 0x8000

  init(interrupts: [any InterruptLine]) {
    let function = PCIFunction(
      PCIIdentity(vendor: 0x8086, device: 0x7111, revision: 1, classCode: 0x01_0180), baseAddresses: [4: .ports(size: 16)]
    ) { configuration in
      for register in Register.timing {
        // After a reset the ports are not decoded; this board's firmware switches both channels on.
        configuration.set(register, Self.decodeEnable)
        configuration.allow(register, UInt16(0xF3FF))
      }
      configuration.allow(Register.slaveTiming, UInt8(0xFF))
      configuration.allow(Register.ultraControl, UInt8(0x0F))
      configuration.allow(Register.ultraTiming, UInt16(0x3333))
    }
    self.function = function
    channels = interrupts.map { line in
      let master = BusMasterIDE(memory: function)
      master.masterAbort = { [unowned function] in
        let status: UInt16 = function.configuration.value(PCIRegister.status)
        function.configuration.set(PCIRegister.status, status | 0x2000)
      }
      return IDEChannel(busMaster: master, line: line)
    }
  }

  /// `unit`: 0 and 1 are the primary channel's.
  public func attach(_ device: ATADevice, unit: Int) { channels[unit / 2].attach(device, unit % 2) }

  func decodes(_ channel: Int) -> Bool {
    let timing: UInt16 = function.configuration.value(Register.timing[channel])
    return function.portsEnabled && timing & Self.decodeEnable != 0
  }

  public func reset() { for channel in channels { channel.reset() } }

  // MARK: Bus master registers: eight bytes for each channel, any width

  public func read(bar: Int, offset: UInt64, size: Int) -> UInt64 {
    (0..<UInt64(size)).reduce(UInt64(0)) { value, n in
      let at = offset + n
      return value | UInt64(channels[Int(at >> 3 & 1)].busMaster.read(at & 7)) << (8 * n)
    }
  }

  public func write(bar: Int, offset: UInt64, size: Int, value: UInt64) {
    for n in 0..<UInt64(size) {
      let at = offset + n
      channels[Int(at >> 3 & 1)].busMaster.write(at & 7, UInt8(truncatingIfNeeded: value >> (8 * n)))
    }
  }
}

/// The fixed ports of a channel, while the controller decodes them.
private final class IDEPorts: BusDevice {
  private unowned let controller: PIIX4IDE
  private let number: Int
  private let isControl: Bool
  private var channel: IDEChannel { controller.channels[number] }

  init(_ controller: PIIX4IDE, channel: Int, isControl: Bool) {
    (self.controller, number, self.isControl) = (controller, channel, isControl)
  }

  func read(offset: UInt64, size: Int) -> UInt64 {
    guard controller.decodes(number) else { return UInt64.max >> UInt64(64 - 8 * size) }
    return isControl ? UInt64(channel.readControl()) : channel.read(offset, size: size)
  }

  func write(offset: UInt64, size: Int, value: UInt64) {
    guard controller.decodes(number) else { return }
    if isControl {
      channel.writeControl(UInt8(truncatingIfNeeded: value))
    } else {
      channel.write(offset, size: size, value: value)
    }
  }
}
