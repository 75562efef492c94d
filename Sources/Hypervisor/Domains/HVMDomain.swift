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

  public init(_ configuration: Configuration, pool: FramePool, services: HostServices? = nil) throws {
    let memory = try DomainMemory(pool: pool, layout: configuration.machine.layout)
    try super.init(
      number: configuration.identifier ?? UInt16(configuration.number), memory: memory,
      services: services ?? HostServices(pool: pool))
    func take(_ bytes: UInt64) throws(FramePool.Failure) -> UInt64 {
      let start = try pool.takeTogether(bytes: bytes)
      tables.append((start, bytes))
      return start
    }
    try assemble(
      Machine(memory: memory) { bus in
        for index in 0..<configuration.machine.processors {
          let descriptor = try take(VirtualProcessorDescriptor.size)
          let table = try take(1 << UInt64(configuration.tableShift))
          processors.append(
            HVMProcessor(
              index: index, domain: self, bus: bus,
              placement: .init(domain: configuration.number, table: table, tableShift: configuration.tableShift),
              descriptor: descriptor, accelerations: configuration.accelerations))
        }
        isPolling = Array(repeating: false, count: processors.count)
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

  /// Drives the interrupt line by which the guest has asked to be told of events (HVM_PARAM_CALLBACK_IRQ). Set by whoever owns the interrupt
  /// controllers. Xen raises and lowers the line at each exit while there are events; here it stays up as long, so that neither kind of
  /// trigger loses one.
  public var driveCallback: ((_ via: EventCallback, _ asserted: Bool) -> Void)?
  private var assertedCallback: EventCallback?

  private var hasEvents: Bool { sharedInfo.upcallPending(0) && !sharedInfo.upcallMasked(0) }

  /// Only processor 0 is told; the guest's drivers expect no more.
  public override func upcall(_ processor: Int) {
    let waits = machine.processors[processor].isWaiting
    if waits && !services.events.isPolling(processor, in: domainNumber) && isPolling[processor] {
      isPolling[processor] = false
      machine.wake(processor) { processors[processor].processor.wake() }
    }
    guard processor == 0, hasEvents else { return }
    lowerCallback()
    guard let via = EventCallback(hypercalls.parameters[Hypercalls.Parameter.callbackLine]) else { return }
    assertedCallback = via
    driveCallback?(via, true)
  }
  /// Processors that sleep in sched_op's poll.
  var isPolling: [Bool] = []

  private func lowerCallback() {
    guard let via = assertedCallback else { return }
    assertedCallback = nil
    driveCallback?(via, false)
  }

  /// Processor 0 has been left: it may have taken what there was.
  func settleCallback() { if assertedCallback != nil && !hasEvents { lowerCallback() } }

  // MARK: XenStore

  /// Puts the domain into XenStore, with a page that its guest learns of by hvm_op.
  public func enterStore(name: String, uuid: String) throws {
    let frame = MemoryMap.hypervisorPages >> FramePool.frameShift
    let port = try services.events.allocateUnbound(in: domainNumber, for: DomainNumber.host)
    try enter(
      store: DomainNodes(
        number: domainNumber, name: name, uuid: uuid, memoryTarget: memory.frames * FramePool.frameSize >> 10,
        processors: processors.count, storeFrame: frame, storePort: port))
    hypercalls.parameters[Hypercalls.Parameter.storeFrame] = frame
    hypercalls.parameters[Hypercalls.Parameter.storePort] = UInt64(port)
  }

  // MARK: Firmware

  /// Does `body` to the state that the guest sees in the place of the processor's own.
  public func withGuest(_ index: Int, _ body: () -> Void) {
    let virtual = processors[index]
    virtual.processor.withGuest(virtual.guest, body)
  }

  /// The guest's processor has been reset by ``withGuest(_:_:)``: nothing that was cached for it holds any longer.
  public func wasReset(_ index: Int) { processors[index].wasReset() }
}
