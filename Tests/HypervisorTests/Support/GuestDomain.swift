import Hypervisor
import IA64
import Platform
import Processor
import SystemFirmware

/// An HVM domain with a small program in it, as the hypervisor's loop sees one.
final class GuestDomain: ScheduledDomain, FirmwareHost {
  static let code: UInt64 = 0x10_0000
  static let data: UInt64 = 0x20_0000
  static let handlers: UInt64 = 0x8000
  static let backingStore: UInt64 = 0x30_0000

  let domain: HVMDomain
  private(set) var firmware: SystemFirmware?
  /// What has ended the domain.
  private(set) var end: Machine.StopReason?

  init(number: Int, pool: FramePool, processors: Int = 1, withFirmware: Bool = false) throws {
    domain = try HVMDomain(
      HVMDomain.Configuration(
        machine: MachineConfiguration(memorySize: MachineConfiguration.smallestMemory, processors: processors), number: number),
      pool: pool)
    guard withFirmware else { return }
    let firmware = try SystemFirmware(host: self)
    self.firmware = firmware
    try firmware.install()
    domain.machine.bus.firmware = { [unowned self] number, processor in self.firmware?.gate(number, processor: processor) ?? .stop }
    domain.machine.bus.initialization = { [unowned self] in self.firmware?.initialize($0) }
  }

  /// Assembles a program and lets every processor begin with it, in physical mode.
  func load(_ program: String) throws {
    place(try Assembler.program(program, at: Self.code, symbols: [:]).bundles, at: Self.code)
    for index in domain.processors.indices { restart(index) { _ in } }
  }

  func place(_ bundles: [Bundle], at address: UInt64) {
    for (i, bundle) in bundles.enumerated() {
      domain.memory.store(address + UInt64(i) * 16, bundle.low)
      domain.memory.store(address + UInt64(i) * 16 + 8, bundle.high)
    }
  }

  /// Resets a processor, with what `body` does to its guest's state.
  func restart(_ index: Int, _ body: (LogicalProcessor) -> Void) {
    let processor = domain.processors[index].processor
    domain.withGuest(index) {
      processor.reset()
      processor.state.cr[CR.iva] = Self.handlers
      processor.state.pointee.bsp = Self.backingStore
      processor.state.pointee.bspStore = Self.backingStore
      processor.state.pointee.ip = Self.code
      processor.state.gr[1] = UInt64(index)
      body(processor)
    }
    domain.wasReset(index)
    // It has something to do at once.
    hasWork?(0)
  }

  // MARK: ScheduledDomain

  var virtualProcessorCount: Int { domain.processors.count }
  var nextEvent: UInt64 { end == nil ? domain.machine.nextEvent : .max }
  var hasWork: ((UInt64) -> Void)? {
    get { domain.machine.hasWork }
    set { domain.machine.hasWork = newValue }
  }
  func nextCycle(of index: Int) -> UInt64? { end == nil ? domain.machine.nextCycle(of: index) : nil }
  func setMayRun(_ allowed: Bool, processor index: Int, at cycle: UInt64) {
    domain.machine.setMayRun(allowed, processor: index, at: cycle)
  }
  func advance(to cycle: UInt64) {
    guard end == nil else { return }
    switch domain.machine.run(until: cycle) {
    case .limit, .deadlock: break
    case let reason: end = reason
    }
  }

  /// A hostile guest that has come to an end starts over.
  func revive() { end = nil }

  // MARK: FirmwareHost

  var memory: any GuestMemory { domain.memory }
  var processors: [LogicalProcessor] { domain.machine.processors }
  var isVirtual: Bool { true }
  func resetProcessor(_ index: Int, _ body: () -> Void) {
    domain.withGuest(index, body)
    domain.wasReset(index)
  }
  func perform(_ action: PowerAction) { domain.machine.stop(1) }

  /// Everything that can be seen of the domain: its memory, and its processors' registers and clocks.
  var fingerprint: [UInt64] {
    var words = [domain.memory.contentHash()]
    for virtual in domain.processors {
      let state = virtual.processor.state
      words += [state.pointee.instructions, state.cycles, state.pointee.ip, virtual.exits.total]
      domain.withGuest(virtual.index) { words += (0..<32).map { state.gr[$0] } }
    }
    return words
  }
}
