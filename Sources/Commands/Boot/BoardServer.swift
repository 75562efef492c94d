import Devices
import HostResources
import Hypervisor
import Platform
import Processor
import SystemFirmware

/// A complete server: the board, its devices, its firmware.
final class BoardServer: Server, FirmwareHost {
  let uart: UART16550
  let pci: PCIRoot
  private let adapter: VGA?
  private(set) var power: ACPIPowerManagement! = nil
  private(set) var firmware: SystemFirmware! = nil

  /// `domain`: whose machine it is, in the place of a bare one.
  init(_ configuration: MachineConfiguration, domain: HVMDomain? = nil, name: String = "guest") throws {
    let machine = try domain?.machine ?? Machine(configuration)
    uart = UART16550(line: machine.ioSAPIC.line(MemoryMap.uartGSI))
    pci = try PCIRoot(memory: PhysicalDMA(memory: machine.memory), bus: machine.bus, interrupts: machine.ioSAPIC)
    adapter = configuration.hasVideo ? VGA(clock: machine) : nil
    super.init(machine: machine, domain: domain, name: name)
    power = ACPIPowerManagement(
      clock: machine, events: machine.events, line: machine.ioSAPIC.line(MemoryMap.sciGSI),
      powerOff: { [unowned self] in perform(.powerOff) })
    let reset = ResetControl { [unowned self] in perform(.coldReset) }
    func ports(_ first: UInt16, _ count: UInt64) -> Range<UInt64> { UInt64(first)..<UInt64(first) + count }
    try machine.bus.ports.map("serial port", ports(MemoryMap.uartPort, 8), uart)
    try machine.bus.ports.map("ACPI registers", ports(MemoryMap.pm1EventPort, ACPIPowerManagement.size), power)
    try machine.bus.ports.map("reset register", ports(MemoryMap.resetPort, 1), reset)
    retained = [reset]
    try adapter?.attach(to: pci, bus: machine.bus, device: Self.videoDevice)
    let bridge = HostBridge()
    try pci.attach(bridge.function, model: bridge, device: 0)
    firmware = try SystemFirmware(host: self)
    firmware.pci = pci
    machine.bus.initialization = { [unowned self] in firmware.initialize($0) }
    machine.bus.firmware = { [unowned self] number, processor in firmware.gate(number, processor: processor) }
  }
  /// The bus holds its devices only as long as nothing else must: this one has no other owner.
  private var retained: [AnyObject] = []
  func retain(_ object: AnyObject) { retained.append(object) }

  /// Out of the way of disks and adapters, which keep their numbers with and without a screen.
  private static let videoDevice: UInt8 = 31
  override var screen: (any FrameBufferSource)? { adapter }

  override var console: any ConsoleLine { uart }
  override func pressPowerButton() { power.pressPowerButton() }

  var isVirtual: Bool { domain != nil }
  func resetProcessor(_ index: Int, _ body: () -> Void) {
    guard let domain = domain as? HVMDomain else { return body() }
    domain.withGuest(index, body)
    domain.wasReset(index)
  }

  /// What the reset line does: devices, interrupt controller, and processors start over; memory keeps its contents until the
  /// firmware loads the guest again.
  override func restart() throws {
    uart.reset()
    power.reset()
    machine.ioSAPIC.reset()
    pci.reset()
    machine.startTogether()
    domain?.restarted()
    try firmware.reset()
  }
}
