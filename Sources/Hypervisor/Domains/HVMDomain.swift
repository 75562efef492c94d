import Platform
import Processor

/// A fully virtualized domain: a machine whose processors are virtual, and whose memory is what the hypervisor gives it.
public final class HVMDomain: Domain {
  public struct Configuration {
    public var machine: MachineConfiguration
    /// 1...63: the domain's block of region identifiers.
    public var number: Int
    /// Xen's domid; nil: the same number.
    public var identifier: UInt16?
    /// log2 of the bytes of each virtual processor's machine VHPT: 16, 18, 20, 22 or 24.
    public var tableShift = 20
    /// Instructions that the processor executes on the VPD, without an exit.
    public var accelerations = VirtualProcessorDescriptor.Accelerations.implemented

    public init(machine: MachineConfiguration, number: Int = 1) {
      self.machine = machine
      self.number = number
    }
  }

  /// Bytes of the machine's memory that a domain takes: its own, and for each virtual processor VPD and VHPT, with what aligning them
  /// costs at most.
  public static func memoryNeeded(_ machine: MachineConfiguration, tableShift: Int = 20) -> UInt64 {
    let own = machine.layout.reduce(0) { $0 + $1.size }
    let table = UInt64(1) << UInt64(tableShift)
    return own + FramePool.frameSize + UInt64(machine.processors) * (2 * table + VirtualProcessorDescriptor.size)
  }

  public private(set) var processors: [HVMProcessor] = []
  public override var virtualProcessors: [VirtualProcessor] { processors }

  /// What the domain has of the machine's memory besides its own.
  private var tables: [(start: UInt64, bytes: UInt64)] = []

  public init(_ configuration: Configuration, pool: FramePool, services: HostServices = HostServices()) throws {
    let memory = try DomainMemory(pool: pool, layout: configuration.machine.layout)
    try super.init(number: configuration.identifier ?? UInt16(configuration.number), memory: memory, services: services)
    func take(_ bytes: UInt64) throws(FramePool.Failure) -> UInt64 {
      let start = try pool.takeTogether(bytes: bytes)
      tables.append((start, bytes))
      return start
    }
    assemble(
      try Machine(memory: memory) { bus in
        for index in 0..<configuration.machine.processors {
          let descriptor = try take(VirtualProcessorDescriptor.size)
          let table = try take(1 << UInt64(configuration.tableShift))
          processors.append(
            HVMProcessor(
              index: index, domain: self, bus: bus,
              placement: .init(domain: configuration.number, table: table, tableShift: configuration.tableShift),
              descriptor: descriptor, accelerations: configuration.accelerations))
        }
        return processors.map(\.processor)
      })
  }

  deinit {
    for table in tables { memory.pool.giveBackTogether(table.start, bytes: table.bytes) }
  }

  public override func postInitialization(to index: Int) {
    let virtual = processors[index]
    virtual.initializationPending = true
    if virtual.vpd.vpsr & PSR.mc == 0 { virtual.processor.wake() }
  }

  // MARK: Event channels

  /// The interrupt that tells a guest with paravirtualized drivers of events; nil: it has not asked for one.
  public internal(set) var callbackLine: (() -> Void)?

  public override func upcall(_ processor: Int) { if processor == 0 { callbackLine?() } }

  // MARK: Firmware

  /// Does `body` to the state that the guest sees in the place of the processor's own.
  public func withGuest(_ index: Int, _ body: () -> Void) {
    let virtual = processors[index]
    virtual.processor.withGuest(virtual.guest, body)
  }

  /// The guest's processor has been reset by ``withGuest(_:_:)``: nothing that was cached for it holds any longer.
  public func wasReset(_ index: Int) { processors[index].wasReset() }
}
