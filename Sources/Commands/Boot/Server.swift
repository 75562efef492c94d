import Devices
import HostResources
import Hypervisor
import Pipeline
import Platform
import Processor
import SystemFirmware

/// A complete server: the board, its devices, its firmware. Runs from power-on to power-off, resets included.
final class Server: FirmwareHost {
  let machine: Machine
  /// With full virtualization, what the machine's processors run in.
  let domain: HVMDomain?
  let uart: UART16550
  let pci: PCIRoot
  /// Disks in the order of the command line, under the names of statistics.
  var disks: [(name: String, disk: OpenDisk)] = []
  /// The machine's clock and events, for what connects it with others.
  let timeline: EventTimeline
  /// Devices that count what they do, by name.
  var statisticsSources: [(name: String, read: () -> [String: UInt64])] = []
  private(set) var power: ACPIPowerManagement! = nil
  private(set) var firmware: SystemFirmware! = nil

  /// With cycle timing, the model of each processor.
  private(set) var pipelines: [Pipeline] = []

  /// Cycle timing from now on.
  func count(cyclesOf description: MachineDescription, setsClock: Bool = true) {
    pipelines = processors.map { Pipeline(description, watching: $0, setsClock: setsClock) }
  }

  var memory: any GuestMemory { machine.memory }
  var processors: [LogicalProcessor] { machine.processors }
  private(set) var resets = 0
  /// False: a reset that the guest asks for ends the run.
  var mayReset = true
  private var pending: PowerAction?
  /// ``stop()`` counts even if the guest has asked for something in the same moment.
  private var stopping = false

  /// Codes for ``Machine/stop(_:)``.
  private enum StopCode {
    static let power = 1
    static let outside = 2
  }

  /// How a run ended.
  enum Outcome: Equatable {
    case poweredOff
    /// What was booted returned to the firmware with this EFI status.
    case imageReturned(UInt64)
    /// The guest asked for a reset, and ``mayReset`` is false.
    case resetRequested
    /// ``stop()`` was called.
    case stopped
    case limit
    case deadlock
    case faultLoop
  }

  /// `domain`: builds a virtual machine in the place of a bare one.
  init(_ configuration: MachineConfiguration, domain make: ((MachineConfiguration) throws -> HVMDomain)? = nil) throws {
    domain = try make?(configuration)
    machine = try domain?.machine ?? Machine(configuration)
    uart = UART16550(line: machine.ioSAPIC.line(MemoryMap.uartGSI))
    pci = try PCIRoot(memory: PhysicalDMA(memory: machine.memory), bus: machine.bus, interrupts: machine.ioSAPIC)
    timeline = EventTimeline(clock: machine, events: machine.events)
    power = ACPIPowerManagement(
      clock: machine, events: machine.events, line: machine.ioSAPIC.line(MemoryMap.sciGSI),
      powerOff: { [unowned self] in perform(.powerOff) })
    let reset = ResetControl { [unowned self] in perform(.coldReset) }
    func ports(_ first: UInt16, _ count: UInt64) -> Range<UInt64> { UInt64(first)..<UInt64(first) + count }
    try machine.bus.ports.map("serial port", ports(MemoryMap.uartPort, 8), uart)
    try machine.bus.ports.map("ACPI registers", ports(MemoryMap.pm1EventPort, ACPIPowerManagement.size), power)
    try machine.bus.ports.map("reset register", ports(MemoryMap.resetPort, 1), reset)
    retained = [reset]
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

  var isVirtual: Bool { domain != nil }
  func resetProcessor(_ index: Int, _ body: () -> Void) {
    guard let domain else { return body() }
    domain.withGuest(index, body)
    domain.wasReset(index)
  }

  func perform(_ action: PowerAction) {
    pending = action
    machine.stop(StopCode.power)
  }

  /// Ends the run at the next opportunity.
  func stop() {
    stopping = true
    machine.stop(StopCode.outside)
  }

  /// Runs until `limit` cycles. After `.limit` and `.stopped` it can be continued.
  func run(until limit: UInt64) throws -> Outcome {
    while true {
      if let outcome = try outcome(of: machine.run(until: limit)) { return outcome }
    }
  }

  /// One turn in lockstep with another server; nil: it goes on.
  func turn(_ extent: Extent) throws -> Outcome? {
    try machine.turn(extent).flatMap { try outcome(of: $0) }
  }

  private func outcome(of reason: Machine.StopReason) throws -> Outcome? {
    switch reason {
    case .limit: return .limit
    case .deadlock: return .deadlock
    case .faultLoop: return .faultLoop
    case .requested:
      if stopping {
        stopping = false
        return .stopped
      }
      let action = pending
      pending = nil
      switch action {
      case .powerOff: return .poweredOff
      case .imageReturned(let status): return .imageReturned(status)
      case .coldReset, .warmReset:
        guard mayReset else { return .resetRequested }
        try reset()
      case nil: break
      }
      return nil
    }
  }

  /// What the reset line does: devices, interrupt controller, and processors start over; memory keeps its contents until the
  /// firmware loads the guest again.
  private func reset() throws {
    resets += 1
    uart.reset()
    power.reset()
    machine.ioSAPIC.reset()
    pci.reset()
    machine.startTogether()
    try firmware.reset()
  }
}
