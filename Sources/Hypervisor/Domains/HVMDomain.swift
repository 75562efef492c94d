import Platform
import Processor

/// A fully virtualized domain: a machine whose processors are virtual, and whose memory is what the hypervisor gives it.
public final class HVMDomain: VirtualizationMonitor {
  public struct Configuration {
    public var machine: MachineConfiguration
    /// 1...63: the domain's block of region identifiers.
    public var number: Int
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
    return own + UInt64(machine.processors) * (2 * table + VirtualProcessorDescriptor.size)
  }

  public let memory: DomainMemory
  public let processors: [HVMProcessor]
  public let machine: Machine

  /// What the domain has of the machine's memory besides its own.
  private let tables: [(start: UInt64, bytes: UInt64)]

  public init(_ configuration: Configuration, pool: FramePool) throws {
    let memory = try DomainMemory(pool: pool, layout: configuration.machine.layout)
    self.memory = memory
    var taken: [(start: UInt64, bytes: UInt64)] = []
    func take(_ bytes: UInt64) throws(FramePool.Failure) -> UInt64 {
      let start = try pool.takeTogether(bytes: bytes)
      taken.append((start, bytes))
      return start
    }
    var virtual: [HVMProcessor] = []
    do {
      machine = try Machine(memory: memory) { bus in
        for index in 0..<configuration.machine.processors {
          let descriptor = try take(VirtualProcessorDescriptor.size)
          let table = try take(1 << UInt64(configuration.tableShift))
          virtual.append(
            HVMProcessor(
              index: index, memory: memory, bus: bus,
              placement: .init(domain: configuration.number, table: table, tableShift: configuration.tableShift),
              descriptor: descriptor, accelerations: configuration.accelerations))
        }
        return virtual.map(\.processor)
      }
    } catch {
      for piece in taken { pool.giveBackTogether(piece.start, bytes: piece.bytes) }
      throw error
    }
    tables = taken
    processors = virtual
    for processor in virtual {
      processor.purgeElsewhere = { [unowned self] from, start, last, rid in
        for other in processors where other.index != from { other.purgeByOther(start: start, last: last, rid: rid) }
      }
    }
    machine.monitor = self
  }

  deinit {
    for table in tables { memory.pool.giveBackTogether(table.start, bytes: table.bytes) }
  }

  // MARK: VirtualizationMonitor

  public func run(_ index: Int, until cycle: UInt64) -> ExitReason { processors[index].run(until: cycle) }

  public func turn(_ index: Int, _ extent: Extent, until cycle: UInt64) -> ExitReason? {
    processors[index].turn(extent, until: cycle)
  }

  public func localIdentifier(of index: Int) -> UInt64 { processors[index].vpd.vcr[CR.lid] }

  public func post(_ vector: UInt8, to index: Int) {
    let virtual = processors[index]
    virtual.processor.post(vector: vector, to: virtual.guest)
  }

  public func postInitialization(to index: Int) {
    let virtual = processors[index]
    virtual.initializationPending = true
    if virtual.vpd.vpsr & PSR.mc == 0 { virtual.processor.wake() }
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
