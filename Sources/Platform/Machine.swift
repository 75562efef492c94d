import Processor

/// How a machine is built.
public struct MachineConfiguration: Sendable {
  /// Bytes of RAM, a multiple of 64 KiB.
  public var memorySize: UInt64
  public var processors: Int
  /// There is a VGA, whose memory takes the place of RAM.
  public var hasVideo = false

  public init(memorySize: UInt64, processors: Int = 1, hasVideo: Bool = false) {
    self.memorySize = memorySize
    self.processors = processors
    self.hasVideo = hasVideo
  }

  public static let largestProcessorCount = 64

  public static let smallestMemory: UInt64 = 64 << 20
  /// Physical addresses have 50 bits; beyond this a host could not back even the page flags.
  public static let largestMemory: UInt64 = 1 << 40

  /// RAM from 0 up to the hole for devices below 4 GiB, the rest above it, and the firmware's own.
  public var layout: [(base: UInt64, size: UInt64)] {
    let low = min(memorySize, MemoryMap.lowMemoryLimit)
    var list: [(base: UInt64, size: UInt64)] = [(0, low)]
    if hasVideo {
      let hole = MemoryMap.videoMemory
      list = [(0, hole.lowerBound), (hole.upperBound, low - hole.upperBound)]
    }
    list.append((MemoryMap.firmware, MemoryMap.firmwareSize))
    if memorySize > low { list.append((MemoryMap.highMemory, memorySize - low)) }
    return list
  }
}

/// The board: processors, memory, buses, interrupt controllers, clock. What is plugged into it, and its firmware, come from outside.
public final class Machine: VirtualClock {
  public let memory: any GuestMemory
  public let processors: [LogicalProcessor]
  public let bus = SystemBus()
  public let events = EventQueue()
  public private(set) var ioSAPIC: IOSAPIC! = nil
  private var schedule: Schedule
  /// Whether each processor may run: virtual ones need a physical one.
  private var mayRun: [Bool]
  /// The processor whose instructions run now; nil between turns, while events happen.
  private var running: LogicalProcessor? {
    get { concurrent.isEmpty ? turnOf : parallel?.holder(among: processors) }
    set { turnOf = newValue }
  }
  private var turnOf: LogicalProcessor?
  /// Those that run at the same time, in parallel, and until when.
  private var concurrent: [Int] = []
  private var windowEnd: UInt64 = 0
  private var parallel: ParallelRunning?
  /// The latest cycle that anything outside of the processors has seen.
  private var time: UInt64 = 0
  /// When the last of the processors that are halted began to wait.
  private var lastHalt: UInt64 = 0
  /// What runs the processors if they are virtual ones.
  public weak var monitor: (any VirtualizationMonitor)?
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
    /// The processor ``currentProcessor`` faults for ever.
    case faultLoop
  }

  public convenience init(_ configuration: MachineConfiguration) throws {
    let memory = try PhysicalMemory(layout: configuration.layout)
    try self.init(memory: memory) { bus in
      (0..<configuration.processors).map { _ in LogicalProcessor(memory: memory, bus: bus) }
    }
  }

  /// A machine of which somebody else makes the memory and, given the bus, the processors.
  public init(memory: any GuestMemory, processors make: (SystemBus) throws -> [LogicalProcessor]) throws {
    self.memory = memory
    processors = try make(bus)
    schedule = Schedule(processors: processors.count)
    mayRun = Array(repeating: true, count: processors.count)
    for processor in processors { processor.idlesAtPause = true }
    let sapic = IOSAPIC(sink: self)
    ioSAPIC = sapic
    bus.interrupts = self
    try bus.memoryMapped.map("I/O SAPIC", MemoryMap.ioSAPIC..<MemoryMap.ioSAPIC + 0x1000, sapic)
    events.earliestChanged = { [unowned self] cycle in
      endTurn(by: cycle)
      hasWork?(cycle)
    }
  }

  deinit { schedule.deallocate() }

  // MARK: Time

  /// Does not go back when a processor's turn comes that is behind the others.
  public var now: UInt64 {
    if let running { time = max(time, running.currentCycle) }
    return time
  }

  /// Instruction slots retired by all processors.
  public var instructions: UInt64 { processors.reduce(0) { $0 + $1.state.pointee.instructions } }

  /// Index of the processor that runs, or ran last.
  public var currentProcessor: Int { schedule.current }

  /// The cycle at which something happens in this machine without anything from outside; nil: nothing ever will. While a processor runs
  /// that is now.
  public var nextActivity: UInt64? {
    guard schedule.allHalted else { return now }
    let next = min(schedule.earliest, events.earliest ?? .max)
    return next == .max ? nil : next
  }

  /// Before power-on: time has passed up to `cycle`. For a machine that joins others which are running already.
  public func skip(to cycle: UInt64) {
    for processor in processors { processor.skipIdle(to: cycle) }
    time = max(time, cycle)
  }

  /// After a reset all processors start at the same moment.
  public func startTogether() {
    let moment = processors.reduce(now) { max($0, $1.state.cycles) }
    for processor in processors { processor.skipIdle(to: moment) }
  }

  // MARK: Physical processors

  /// Gives a virtual processor a physical one from `cycle` on, or takes it away. Between runs only. Time that passes while it has none is
  /// stolen from it.
  public func setMayRun(_ allowed: Bool, processor index: Int, at cycle: UInt64) {
    let processor = processors[index]
    if allowed && !processor.isWaiting { processor.skipIdle(to: cycle) }
    if allowed && !mayRun[index] { processor.charge(.contextSwitch) }
    mayRun[index] = allowed
    note(index)
  }

  /// Told the cycle of anything new to do: an event, or a processor that has been woken.
  public var hasWork: ((_ cycle: UInt64) -> Void)?

  /// When the next event is due; `UInt64.max`: none is.
  public var nextEvent: UInt64 { events.earliest ?? .max }

  /// The cycle at which a processor has something to do, were it allowed to run; nil: it waits for somebody else.
  public func nextCycle(of index: Int) -> UInt64? {
    let cycle = processors[index].nextCycle
    return cycle == .max ? nil : cycle
  }

  // MARK: Running

  /// A processor executes something at this moment.
  public var isExecuting: Bool { running != nil }

  /// Makes ``run(until:)`` return as soon as the current block ends.
  public func stop(_ code: Int) {
    if stopRequest == nil { stopRequest = .requested(code) }
    turnOf?.requestStop()
    for index in concurrent { processors[index].requestStop() }
  }

  /// Runs until all processors have reached `limit` (in cycles), or until something stops the machine.
  public func run(until limit: UInt64) -> StopReason {
    if let parallel { return parallel.lock.whileHeld { runAlone(until: limit) } }
    return runAlone(until: limit)
  }

  private func runAlone(until limit: UInt64) -> StopReason {
    noteAll()
    while true {
      if let reason = turn(until: limit, { [monitor] in monitor?.run($0, until: $1) ?? processors[$0].run(until: $1) }) {
        settle(limit)
        return reason
      }
    }
  }

  /// From now on processors run at the same time, on these threads. Not with cycle timing, nor with a debugger.
  public func runInParallel(on threads: HostThreads) {
    guard let first = processors.first else { return }
    for processor in processors { processor.runInParallel() }
    parallel = ParallelRunning(threads: threads, lock: first.memory.executionLock)
  }

  /// One turn in lockstep with another machine (see ``LogicalProcessor/turn(_:until:)``).
  public func turn(_ extent: Extent) -> StopReason? {
    noteAll()
    return turn(until: .max) { [monitor] index, deadline in
      guard let monitor else { return processors[index].turn(extent, until: deadline) }
      return monitor.turn(index, extent, until: deadline)
    }
  }

  /// One turn: the events of one cycle, or a processor as `run` has it do, up to a deadline, or time that passes while all wait. Nil: the
  /// machine goes on.
  @inline(__always)
  private func turn(until limit: UInt64, _ run: (_ index: Int, _ deadline: UInt64) -> ExitReason?) -> StopReason? {
    if let reason = stopRequest {
      stopRequest = nil
      return reason
    }
    // A processor that its debugger has stopped in the middle of a block comes to the end of it first.
    if !schedule.goesOn && !processors[schedule.current].isInsideBlock {
      let event = events.earliest ?? .max
      let due = schedule.earliest
      if event >= limit && due >= limit && !schedule.allHalted { return .limit }
      if schedule.allHalted && time < min(event, due) { return idle(until: min(event, due), limit: limit) }
      if event <= due {
        time = max(time, event)
        events.run(until: event)
        return nil
      }
      if due >= limit { return .limit }
      if let parallel, !parallel.threads.isBusy {
        let end = min(event, limit, ParallelRunning.endOfWindow(due))
        let ready = schedule.ready(before: end)
        if ready.count > 1 { return turn(of: ready, until: end, parallel) }
      }
      let cycle = schedule.choose(event: event)
      processors[schedule.current].skipIdle(to: cycle)
    }
    let index = schedule.current
    let processor = processors[index]
    // The limit must not bring others to their turn before this one is over.
    let stopsAtLimit = limit < schedule.sliceEnd && schedule.othersHaveReached(limit)
    if stopsAtLimit && processor.state.cycles >= limit { return .limit }
    running = processor
    let reason = run(index, stopsAtLimit ? limit : schedule.sliceEnd)
    running = nil
    note(index)
    return reason == .faultLoop ? .faultLoop : nil
  }

  /// The turn of several processors at the same time.
  @inline(never)
  private func turn(of ready: [Int], until end: UInt64, _ parallel: ParallelRunning) -> StopReason? {
    for index in ready { processors[index].skipIdle(to: schedule.nextCycle(of: index)) }
    concurrent = ready
    windowEnd = end
    var isLost = false
    parallel.run(ready.map { processors[$0] }) { [unowned self, monitor] part in
      let index = ready[part]
      // Somebody may have asked all to come back before this one has begun.
      let reason = monitor?.run(index, until: windowEnd) ?? processors[index].run(until: windowEnd)
      if reason == .faultLoop { isLost = true }
    }
    concurrent = []
    for index in ready { note(index) }
    return isLost ? .faultLoop : nil
  }

  /// All processors are halted, and nothing is due before `due` (`.max`: ever).
  @inline(never)
  private func idle(until due: UInt64, limit: UInt64) -> StopReason? {
    if time >= limit { return .limit }
    // With nothing to come the limit does not matter: time would pass in vain.
    let next = due == .max ? due : min(limit, due)
    let waited = waitForWork?(next - time) ?? (next - time)
    if stopRequest != nil || !schedule.allHalted { return nil }
    if next == .max && waited == .max - time && events.earliest == nil { return .deadlock }
    // Waiting may have brought events.
    let end = max(time, min(limit, next, events.earliest ?? .max))
    time = waited < end - time ? time + waited : end
    return nil
  }

  /// Takes down what a processor does next.
  private func note(_ index: Int) {
    let processor = processors[index]
    schedule.note(index, processor, mayRun: mayRun[index])
    if processor.state.pointee.halted {
      lastHalt = max(lastHalt, processor.state.cycles)
      if schedule.allHalted { time = max(time, lastHalt) }
    }
  }

  /// The same for all: between runs, others may have changed anything.
  private func noteAll() { for index in processors.indices { note(index) } }

  /// Lets the time that has passed for all pass for those that wait as well: between runs, others may look.
  private func settle(_ limit: UInt64) {
    // Who has something to do and may not run does not keep time from passing, but no further than was asked for.
    let passed = schedule.allHalted ? time : min(schedule.earliest, events.earliest ?? .max, limit)
    // Nobody that has something to do may do it.
    if passed == .max { return }
    for processor in processors where processor.isWaiting { processor.skipIdle(to: min(passed, processor.nextCycle)) }
    // Nothing that is still to come happens before.
    time = max(time, passed)
  }

  /// Whoever runs now comes back no later than `cycle`.
  private func endTurn(by cycle: UInt64) {
    schedule.end(by: cycle)
    turnOf?.lowerDeadline(to: cycle)
    windowEnd = min(windowEnd, cycle)
    for index in concurrent { processors[index].lowerDeadline(to: cycle) }
  }

  /// Does to a processor what may wake it, and if it does: time has passed for it up to now, and its turn comes.
  public func wake(_ index: Int, _ action: () -> Void) {
    let processor = processors[index]
    let waited = processor.isWaiting
    action()
    guard waited, !processor.isWaiting else { return }
    let cycle = running?.currentCycle ?? time
    processor.skipIdle(to: cycle)
    note(index)
    hasWork?(cycle)
    if running != nil { endTurn(by: Schedule.endOfSlice(cycle)) }
  }
}

extension Machine: InterruptSink, InterruptBlock {
  public func deliver(_ message: InterruptMessage) {
    let address = UInt64(message.id) << 24 | UInt64(message.eid) << 16
    guard let target = processors.indices.first(where: { localIdentifier($0) & 0xFFFF_0000 == address }) else { return }
    switch message.mode {
    case .fixed, .redirectable: wake(target) { post(message.vector, to: target) }
    case .nmi: wake(target) { post(2, to: target) }
    case .external: wake(target) { post(0, to: target) }
    case .initialize:
      wake(target) {
        if let monitor { monitor.postInitialization(to: target) } else { processors[target].postInitialization() }
      }
    // The firmware's PMI handler has nothing to do for this platform: taking a PMI and returning from it changes nothing.
    case .pmi: break
    }
  }

  private func localIdentifier(_ index: Int) -> UInt64 {
    monitor?.localIdentifier(of: index) ?? processors[index].state.cr[CR.lid]
  }

  private func post(_ vector: UInt8, to index: Int) {
    if let monitor { monitor.post(vector, to: index) } else { processors[index].post(vector: vector) }
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
