import Processor

/// How a machine is built.
public struct MachineConfiguration: Sendable {
  /// Bytes of RAM, a multiple of 64 KiB.
  public var memorySize: UInt64
  public init(memorySize: UInt64) { self.memorySize = memorySize }

  public static let smallestMemory: UInt64 = 64 << 20
  /// Physical addresses have 50 bits; beyond this a host could not back even the page flags.
  public static let largestMemory: UInt64 = 1 << 40

  /// RAM from 0 up to the hole for devices below 4 GiB, the rest above it, and the firmware's own.
  var layout: [(base: UInt64, size: UInt64)] {
    let low = min(memorySize, MemoryMap.lowMemoryLimit)
    var list: [(base: UInt64, size: UInt64)] = [(0, low), (MemoryMap.firmware, MemoryMap.firmwareSize)]
    if memorySize > low { list.append((MemoryMap.highMemory, memorySize - low)) }
    return list
  }
}

/// The board: processors, memory, buses, interrupt controllers, clock. What is plugged into it, and its firmware, come from outside.
public final class Machine: VirtualClock {
  public let memory: PhysicalMemory
  public let processors: [LogicalProcessor]
  public let bus = SystemBus()
  public let events = EventQueue()
  public private(set) var ioSAPIC: IOSAPIC! = nil
  /// The processor whose instructions run now.
  private(set) var current: LogicalProcessor
  /// What has asked the machine to stop, until ``run(until:)`` reports it.
  private var stopRequest: StopReason?
  /// Asked when all processors wait for an interrupt: lets up to so many cycles pass in the outside world and says how many did.
  public var waitForWork: ((_ cycles: UInt64) -> UInt64)?

  public enum StopReason: Sendable, Equatable {
    /// The clock has reached the limit.
    case limit
    /// Somebody called ``stop(_:)`` with this code.
    case requested(Int)
    /// All processors wait for interrupts that nothing will ever send.
    case deadlock
    /// A processor faults for ever.
    case faultLoop
  }

  public init(_ configuration: MachineConfiguration) throws {
    memory = try PhysicalMemory(layout: configuration.layout)
    let processor = LogicalProcessor(memory: memory, bus: bus)
    processors = [processor]
    current = processor
    let sapic = IOSAPIC(sink: self)
    ioSAPIC = sapic
    bus.interrupts = self
    try bus.memoryMapped.map("I/O SAPIC", MemoryMap.ioSAPIC..<MemoryMap.ioSAPIC + 0x1000, sapic)
    events.earliestChanged = { [unowned self] cycle in current.lowerDeadline(to: cycle) }
  }

  // MARK: Time

  public var now: UInt64 { current.currentCycle }

  /// Instruction slots retired by all processors.
  public var instructions: UInt64 { processors.reduce(0) { $0 + $1.state.pointee.instructions } }

  // MARK: Running

  /// Makes ``run(until:)`` return as soon as the current block ends.
  public func stop(_ code: Int) {
    if stopRequest == nil { stopRequest = .requested(code) }
    current.requestStop()
  }

  /// Runs until the clock reaches `limit` (in cycles), or until something stops the machine.
  public func run(until limit: UInt64) -> StopReason {
    while true {
      if let reason = turn(until: limit, { $0.run(until: $1) }) { return reason }
    }
  }

  /// One turn: the events that are due, then the processor as `run` has it do, up to a deadline. Nil: the machine goes on.
  @inline(__always)
  func turn(until limit: UInt64, _ run: (LogicalProcessor, _ deadline: UInt64) -> ExitReason?) -> StopReason? {
    let processor = current
    events.run(until: processor.state.cycles)
    if let reason = stopRequest {
      stopRequest = nil
      return reason
    }
    if processor.state.cycles >= limit { return .limit }
    switch run(processor, min(limit, events.earliest ?? .max)) {
    case .deadline, .stopped, .interruption, nil: break
    case .faultLoop: return .faultLoop
    case .halted:
      let due = min(events.earliest ?? .max, processor.timerDeadline)
      // With nothing to come the limit does not matter: time would pass in vain.
      let next = due == .max ? due : min(limit, due)
      let now = processor.state.cycles
      let waited = next > now ? waitForWork?(next - now) ?? (next - now) : 0
      if stopRequest != nil || !processor.state.pointee.halted { break }
      if next == .max && waited == .max - now && events.earliest == nil { return .deadlock }
      // Waiting may have brought events.
      let end = min(limit, next, events.earliest ?? .max)
      processor.skipIdle(to: end > now && waited < end - now ? now + waited : end)
    }
    return nil
  }

  /// One turn in lockstep with another machine (see ``LogicalProcessor/turn(_:until:)``).
  public func turn(_ extent: Extent) -> StopReason? {
    turn(until: .max) { $0.turn(extent, until: $1) }
  }
}

extension Machine: InterruptSink, InterruptBlock {
  public func deliver(_ message: InterruptMessage) {
    let address = UInt64(message.id) << 24 | UInt64(message.eid) << 16
    guard let target = processors.first(where: { $0.state.cr[CR.lid] & 0xFFFF_0000 == address }) else { return }
    switch message.mode {
    case .fixed, .redirectable: target.post(vector: message.vector)
    case .nmi: target.post(vector: 2)
    case .external: target.post(vector: 0)
    // No PMI handler is ever registered with hardware here, and INIT needs the firmware's entry: both are the firmware's business.
    case .pmi, .initialize: break
    }
  }

  /// Offsets from here on are not interrupt messages: INTA at 0x1E0000, XTP at 0x1E0008.
  private static let specialPage: UInt64 = 0x10_0000

  public func readInterruptBlock(offset: UInt64, size: Int) -> UInt64 {
    // There is no 8259: an INTA cycle finds the spurious vector.
    offset == 0x1E_0000 ? 15 : 0
  }

  public func writeInterruptBlock(offset: UInt64, size: Int, value: UInt64) {
    guard offset < Self.specialPage, let message = InterruptMessage(offset: offset, data: value) else { return }
    deliver(message)
  }
}
