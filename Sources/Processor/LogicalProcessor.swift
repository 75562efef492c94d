import IA64

/// Why ``LogicalProcessor/run(until:)`` came back.
public enum ExitReason: Sendable, Equatable {
  /// `cycles` reached the deadline.
  case deadline
  /// The processor waits for an interrupt; nothing will retire until one is posted.
  case halted
  /// It waits as hint @pause asked: until `state.pointee.pausedUntil`, or an interrupt.
  case paused
  /// A firmware gate handler asked for it, or ``LogicalProcessor/requestStop()`` was called.
  case stopped
  /// Only with ``LogicalProcessor/hostHandlesInterruptions``: an interruption would have been delivered; it is in
  /// `state.pointee.fault`, and IP and PSR.ri name the instruction that caused it (a trap: the next one).
  case interruption
  /// The processor takes interruption after interruption without retiring an instruction, and always will: the handlers are not there.
  case faultLoop
}

/// One logical processor: the architectural state, its translation structures, and the engine that runs it.
///
/// Not thread-safe: one thread runs a processor and everything that it touches. With ``runInParallel()`` several take turns at what they
/// share (``ExecutionLock``).
public final class LogicalProcessor {
  /// Core frequency of the modelled processor, in Hz; one slot takes one cycle in functional timing. A property of the process: all
  /// machines in it have the same processors.
  public static var frequency: UInt64 { clock.frequency }
  /// AR.ITC counts once in so many cycles.
  public static var cyclesPerITCTick: UInt64 { clock.cyclesPerITCTick }
  nonisolated(unsafe) private static var clock: (frequency: UInt64, cyclesPerITCTick: UInt64) = (1_600_000_000, 4)

  /// Sets the clock, before the first machine is built: nothing that has looked at it is told.
  public static func setClock(frequency: UInt64, cyclesPerITCTick: UInt64) {
    precondition(frequency > 0 && cyclesPerITCTick > 0, "a clock that stands still")
    clock = (frequency, cyclesPerITCTick)
  }

  public let state: State
  public let memory: PhysicalMemory
  public weak var bus: (any ProcessorBus)?
  /// User emulation: interruptions come back from `run` instead of being delivered through CR.IVA.
  public var hostHandlesInterruptions = false
  /// Physical addresses in which `break.m 0x100000 + n` is firmware gate n.
  public var firmwareGates: Range<UInt64> = 0..<0
  /// hint @pause ends the processor's turn: `run` returns ``ExitReason/paused``. Without an owner that knows what to do meanwhile
  /// it does nothing.
  public var idlesAtPause = false
  /// Nil: nobody looks, and that costs nothing.
  public var observer: (any ProcessorObserver)?
  /// The guest whose registers and translations are in the place of the processor's own (``present(_:)``).
  var guest: GuestContext?
  /// What a debugger wants of it, if there is one.
  var debug: ProcessorDebug?
  /// With ``hostHandlesInterruptions``: the slot of the instruction that caused the interruption.
  var interruptedSlot: UInt64 = 0

  let engine: UnsafeMutablePointer<EngineContext>
  let softTLB: SoftTLB
  var dataTLB = TLB()
  var instructionTLB = TLB()
  let jumps: UnsafeMutablePointer<JumpEntry>
  let domain: CoherenceDomain
  /// Where its translated blocks are: the domain's, or its own if it runs in parallel with others.
  var blocks: BlockCache
  /// Nil: processors run one after the other.
  var parallel: ExecutionLock?
  /// Not 0 while it runs blocks without the lock. It writes it, others read it.
  let apart: UnsafeMutablePointer<UInt32>
  /// This processor among those of the domain.
  public let domainMember: Int
  // How much it knows of what the others have done (see ``CoherenceDomain``).
  var seenPurges: UInt64 = 0
  var seenCodePages: UInt64 = 0
  var seenArena: UInt64 = 0
  var seenForeignWrites: UInt64 = 0
  /// Issue groups of the block that is being translated, and of what the stepper is in.
  let groupBuffer: UnsafeMutableRawPointer
  let stepBuffer: UnsafeMutableRawPointer
  var stepPlan = StepPlan()
  static let groupBufferSize = 1 << 17
  let stepCache = StepCache()
  /// Bundles of ones: what fetching from nowhere yields.
  let voidBundles: UnsafeMutableRawPointer
  /// Where stores of the register stack go that hit no RAM.
  let sink: UnsafeMutableRawPointer
  /// Result of the last successful `translate`.
  var translated = TranslatedAddress()

  struct TranslatedAddress {
    var physical: UInt64 = 0
    var attribute: UInt8 = 0
    /// For probes: whether rights and keys allow the access.
    var permitted = true
    /// A condition of a speculative reference has been deferred.
    var deferred = false
  }

  public init(memory: PhysicalMemory, bus: (any ProcessorBus)?) {
    StateLayout.verify()
    self.memory = memory
    self.bus = bus
    typealias Context = EngineContext
    precondition(MemoryLayout<ProcessorState>.stride % MemoryLayout<Context>.alignment == 0, "the context is not aligned")
    state = UnsafeMutableRawPointer.allocate(
      byteCount: MemoryLayout<ProcessorState>.stride + MemoryLayout<Context>.stride, alignment: 64
    ).bindMemory(to: ProcessorState.self, capacity: 1)
    state.initialize(to: ProcessorState())
    domain = memory.domain
    domainMember = domain.join()
    blocks = domain.blocks
    apart = .allocate(capacity: 16)
    apart.initialize(repeating: 0, count: 16)
    jumps = .allocate(capacity: JumpEntry.count)
    jumps.initialize(repeating: .none, count: JumpEntry.count)
    softTLB = SoftTLB()
    engine = Context.of(state)
    let ways = UnsafeMutablePointer<MicroOp>.allocate(capacity: 2)
    ways.initialize(to: MicroOp(.leave, 0))
    (ways + 1).initialize(to: MicroOp(.limit, 0))
    engine.initialize(
      to: EngineContext(dataTable: softTLB.table(.physical), jumps: jumps, leave: ways, limitReached: ways + 1))
    groupBuffer = .allocate(byteCount: Self.groupBufferSize, alignment: 16)
    stepBuffer = .allocate(byteCount: 2 * StepPlan.bufferSize, alignment: 16)
    voidBundles = .allocate(byteCount: 16, alignment: 16)
    voidBundles.initializeMemory(as: UInt8.self, repeating: 0xFF, count: 16)
    sink = .allocate(byteCount: 16, alignment: 16)
    sink.initializeMemory(as: UInt8.self, repeating: 0, count: 16)
    engine.pointee.owner = .passUnretained(self)
    reset()
  }

  deinit {
    if let parallel {
      parallel.remove(self)
      domain.drop(blocks)
    }
    apart.deallocate()
    engine.pointee.leave.deallocate()
    engine.deinitialize(count: 1)
    UnsafeMutableRawPointer(state).deallocate()
    softTLB.deallocate()
    dataTLB.deallocate()
    instructionTLB.deallocate()
    jumps.deallocate()
    groupBuffer.deallocate()
    stepBuffer.deallocate()
    stepCache.deallocate()
    voidBundles.deallocate()
    sink.deallocate()
  }

  /// Architected reset state (Volume 2, section 11.2.2 and table 3-2); registers that the manual leaves undefined are zero.
  public func reset() {
    standStill()
    let time = (state.pointee.instructions, state.pointee.idleCycles)
    let environment = state.pointee.virtualEnvironment
    state.pointee = ProcessorState()
    // A guest's reset leaves alone what its hypervisor has set up.
    if guest != nil { state.pointee.virtualEnvironment = environment }
    (state.pointee.instructions, state.pointee.idleCycles) = time
    state.pr[0] = 1
    state.f(0).value = .zero
    state.f(1).value = .one
    state.ar[AR.fpsr] = 0x9804C_0270033F
    // "GenuineIntel"; Montecito: family 0x20, model 0, five CPUID registers; long branches and 16-byte atomics.
    state.cpuid[0] = 0x4965_6E69_756E_6547
    state.cpuid[1] = 0x6C65_746E
    state.cpuid[3] = 4 | 7 << 8 | 0 << 16 | 0x20 << 24
    state.cpuid[4] = 5
    for i in 0..<64 { state.pmc[i] = PerformanceMonitors.reset(control: i) }
    engine.pointee.monitors = MonitorContext()
    if guest == nil { engine.pointee.descriptor = nil }
    // Systems write back what they found (Linux, when it returns a processor to the firmware): all of it must be writable. No table is
    // smaller than 32 KiB.
    state.cr[CR.pta] = 15 << 2
    state.cr[CR.itv] = 1 << 16
    state.cr[CR.pmv] = 1 << 16
    state.cr[CR.cmcv] = 1 << 16
    state.cr[CR.lrr0] = 1 << 16
    state.cr[CR.lrr1] = 1 << 16
    for i in 0..<8 { state.rr[i] = 14 << 2 }
    debug?.reset()
    dataTLB.reset()
    instructionTLB.reset()
    softTLB.purgeAll()
    engine.pointee.timerCycle = .max
    engine.pointee.frameTop = 128
    engine.pointee.position = 0
    engine.pointee.stopRequested = false
    codeMapChanged()
    setPSR(0)
  }

  // MARK: Processor status

  /// Sets the whole PSR, `ri` included, and what derives from it.
  public func setPSR(_ value: UInt64) { setPSR(value, after: 0) }

  /// The same by an instruction, of which `slots` retire with PSR as it was.
  func setPSR(_ value: UInt64, after slots: UInt64) {
    let old = state.pointee.psr
    let changed = old ^ value
    let monitored = changed & Self.monitoredPSR != 0 && engine.pointee.monitors.isInUse
    if monitored {
      if changed & PSR.cplMask != 0 { engine.pointee.monitors.levelChanges &+= 1 }
      settleMonitors(after: slots)
    }
    if changed & PSR.bn != 0 { swapBanks() }
    state.pointee.psr = value
    if isTimed && changed & (PSR.cplMask | PSR.dt) != 0 { notice(.statusChanged) }
    if changed & PSR.pk != 0 {
      softTLB.purgeVirtual()
      codeMapChanged()
    }
    if changed & PSR.it != 0 { codeMapChanged() }
    let level = PSR.cpl(value)
    if changed & PSR.cplMask != 0 && level != engine.pointee.otherLevel && (level == 1 || level == 2) {
      // Levels 1 and 2 share a table.
      engine.pointee.otherLevel = level
      softTLB.purge(.other)
    }
    if changed & value & PSR.ic != 0 {
      engine.pointee.previousIP = state.cr[CR.iipa]
      engine.pointee.previousPosition = 0
      engine.pointee.keepsPrevious = true
    }
    engine.pointee.dataTable = softTLB.table(
      SoftTLB.context(translate: value & PSR.dt != 0, bigEndian: value & PSR.be != 0, cpl: PSR.cpl(value)))
    engine.pointee.floatDisabled = UInt8(truncatingIfNeeded: value >> 18 & 3)
    engine.pointee.mustStep = value & PSR.stepping != 0
    if value & PSR.db != 0 && changed & PSR.db != 0 { softTLB.purgeAll() }
    if monitored { resumeMonitors(after: slots) }
  }

  /// The same from inside a block, where PSR.ri is zero by convention.
  @inline(__always) func setPSRInBlock(_ value: UInt64) { setPSR(value, after: 1) }

  /// Exchanges GR16...GR31 with the other bank (PSR.bn has changed).
  private func swapBanks() {
    for i in 0..<16 {
      let visible = state.gr[16 + i]
      state.gr[16 + i] = state.otherBank[i]
      state.otherBank[i] = visible
    }
    let visible = state.pointee.natLow >> 16 & 0xFFFF
    state.pointee.natLow = state.pointee.natLow & ~0xFFFF_0000 | state.pointee.otherBankNaT << 16
    state.pointee.otherBankNaT = visible
  }

  // MARK: Control from outside

  /// `run` returns `.stopped` at the next block boundary.
  public func requestStop() {
    engine.pointee.stopRequested = true
    engine.pointee.limit = 0
  }

  /// Ends a wait without an interrupt.
  public func wake() {
    state.pointee.halted = false
    state.pointee.pausedUntil = 0
    engine.pointee.limit = 0
  }

  /// Lets time pass for a halted processor.
  public func skipIdle(to cycle: UInt64) {
    guard cycle > state.cycles else { return }
    state.pointee.idleCycles &+= cycle - state.cycles
    startClock()
  }

  /// The cycle at which it has something to do unless others give it something: now, or when what it waits for comes to an end.
  public var nextCycle: UInt64 {
    if state.pointee.halted { return max(state.cycles, timerDeadline) }
    if state.pointee.pausedUntil != 0 { return max(state.cycles, min(state.pointee.pausedUntil, timerDeadline)) }
    return state.cycles
  }

  /// It waits, for an interrupt or the end of a pause.
  public var isWaiting: Bool { state.pointee.halted || state.pointee.pausedUntil != 0 }

  /// Slots retired before the instruction that is executing now.
  func currentInstructions() -> UInt64 { engine.pointee.blockStart &+ engine.pointee.position }

  // MARK: Translations from outside (user emulation, firmware)

  /// Inserts a translation as `itc` would, without checks. `pageShift` is log2 of an insertable page size.
  public func insertTranslation(
    instruction: Bool, virtual: UInt64, physical: UInt64, pageShift: Int, accessRights: UInt8, privilegeLevel: UInt8,
    attribute: UInt8 = 0, accessed: Bool = true, dirty: Bool = true, key: UInt32 = 0, ed: Bool = false
  ) {
    standStill()
    var t = Translation()
    t.valid = true
    t.mask = (1 << UInt64(pageShift)) - 1
    t.base = offset(virtual) & ~t.mask
    t.physical = physical & ~t.mask
    t.pageShift = UInt8(pageShift)
    t.rid = rid(virtual)
    t.key = key
    t.present = true
    t.accessed = accessed
    t.dirty = dirty
    t.exceptionDeferral = ed
    t.accessRights = accessRights
    t.privilegeLevel = privilegeLevel
    t.attribute = attribute
    insertCache(t, instruction: instruction)
  }

  /// Purges both caches for a range, as `ptc.l` does.
  public func purgeTranslations(virtual: UInt64, pageShift: Int) {
    standStill()
    let mask = (UInt64(1) << UInt64(pageShift)) - 1
    let start = offset(virtual) & ~mask
    purge(start, start | mask, rid(virtual))
    softTLB.purge(start: start, last: start | mask)
    codeMapChanged()
  }

  /// Purges both caches completely, as `ptc.e` does.
  public func purgeAllTranslations() {
    standStill()
    instructionTLB.purgeAllCache()
    dataTLB.purgeAllCache()
    mapsChanged()
  }
}
