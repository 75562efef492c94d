import Processor

/// The model's hot state: one struct behind one pointer, trivial members only, tables behind pointers that never change.
struct PipelineState {
  // MARK: Time

  /// Cycle in which the last group issued: the processor's clock. First, so that the engine's pointer to it is this struct's.
  var now: UInt64 = 0
  /// The last group, and the address that its positions count from.
  var lastGroup: UnsafePointer<IssueGroup>?
  var lastBlock: UInt64 = 0
  /// Nothing issues up to and including this cycle, because of `holdCause`.
  var hold: UInt64 = 0
  var holdCause = Cause.memoryOrder

  /// The counts of cycles and of other things at the privilege level of now, and PSR.dt.
  var levelCycles: UnsafeMutablePointer<UInt64>
  var levelCounts: UnsafeMutablePointer<UInt64>
  var translates = false
  /// Syllables << 32 and nops since they were last added to the counts.
  var slots: UInt64 = 0

  // MARK: What the model sees of the processor

  let state: State
  let dataTable: UnsafeMutablePointer<UnsafeMutablePointer<SoftEntry>>
  let memoryBase: UInt
  /// An unretained reference, for what is rare.
  let owner: Unmanaged<Pipeline>

  // MARK: Back end

  /// For each ``RegisterCode``: cycle in which its quickest consumer can issue << 8, and the ``Producer`` << 4.
  let scoreboard: UnsafeMutablePointer<UInt64>
  /// Extra cycles, 15 consumers for each producer, and the ``Cause`` of a wait for it.
  let extra: UnsafePointer<UInt8>
  static let causeOfWait = 15
  /// The most of them.
  let slack: UInt64
  /// The same for each ``Producer``.
  let slackOfProducer: UnsafePointer<UInt8>
  /// Registers that may be waited for, by their names with the frame and rotation of `lateFrame` and `lateRotation`.
  var late = LateRegisters()
  var lateFrame: UInt64 = 0
  var lateRotation = 0
  /// Branch, application and system registers are late until then.
  var othersUntil: UInt64 = 0
  /// No register is waited for from this cycle on.
  var pendingUntil: UInt64 = 0
  /// The same for predicates: most are computed in time.
  var predicatesUntil: UInt64 = 0
  /// FP instructions wait for AR.FPSR until then.
  var floatHold: UInt64 = 0
  /// When the last group issued, and the one before that, for multimedia instructions that read quick results.
  var previousTime: UInt64 = 0
  var beforePrevious: UnsafePointer<IssueGroup>?
  var beforePreviousTime: UInt64 = 0

  // MARK: Front end

  /// Cycle in which the last bundle pair that was fetched can issue, and what it last waited for.
  var fetched: UInt64 = 0
  var fetchCause = Cause.fetchBandwidth
  /// When the last pairs issued: the buffer has room for so many.
  let buffer: UnsafeMutablePointer<UInt64>
  var bufferNext: UnsafeMutablePointer<UInt64>
  let bufferEnd: UnsafeMutablePointer<UInt64>
  /// Number of the line of L1I that was fetched last, and its virtual page.
  var fetchLine: UInt64 = .max
  var fetchPage: UInt64 = .max
  /// A number for the time since another page was fetched from, or a set of L1I got another line or another order. No two processors of a machine
  /// have the same.
  var fetchEpoch: UInt64

  // MARK: Branches

  /// The branches of the last group whose outcome the next group's address tells.
  var pending = PendingBranches()
  let histories: UnsafeMutablePointer<History>
  let historyCount: UInt64
  let returnStack: UnsafeMutablePointer<UInt64>
  var returnTop = 0
  /// When each branch register was written, and the loop registers.
  let branchWritten: UnsafeMutablePointer<UInt64>
  var loopWritten: UInt64 = 0
  /// Fetching behind the loop branch of the last group waits for its count until then; 0: it has none.
  var loopReady: UInt64 = 0

  // MARK: Memory

  var l1i: CacheTags
  var l1d: CacheTags
  var l2d: CacheTags
  var l2i: CacheTags
  var l3: CacheTags
  var l1DTLB: PageTags
  let recentPages = RecentPages()
  var l1ITLB: PageTags
  var l2DTLB: PageTags
  var l2ITLB: PageTags
  var memory = MemoryTraffic()
  /// When the results of a group's references come; 0: there is none.
  let ready: UnsafeMutablePointer<UInt64>

  // MARK: What is remembered

  /// What stands in the back and front end, if that is one of the known configurations. The state's own members for it, and for late registers,
  /// say then what was some groups ago.
  var configuration: Known?
  /// What has to be looked at before the next group: branches that are pending (bit 0), and whether the frame has moved (bit 1).
  var looksAround: UInt8 = 0
  /// What names of registers in the configuration depend on.
  var frame = FrameNames()
  let remembers: Bool
  var memo = Memo()
  /// Cycles by cause before the group that is being learned.
  let causesBefore: UnsafeMutablePointer<UInt64>

  // MARK: Counts

  /// Cycles by privilege level and cause.
  let cycles: UnsafeMutablePointer<UInt64>
  /// By privilege level and ``Count``.
  let counts: UnsafeMutablePointer<UInt64>
  static let countStride = 80
  /// Groups by how many of something they have (``GroupNumber``), by privilege level, while a performance counter wants that.
  let groupNumbers: UnsafeMutablePointer<UInt64>
  var countsGroups = false
  /// Somebody wants every group: a profile, a trace, a performance counter.
  var isObserved = false

  // MARK: Parameters that the hot paths need

  let costs: Costs
}

/// What the hot paths need of a ``MachineDescription``, in cycles.
struct Costs {
  var takenBubble, recomputedTargetBubble, returnBubble, indirectBubble: UInt64
  var mispredict, branchAhead, loopAhead: UInt64
  var loadHit, floatExtra, l2, l2i, l3, memory, lineOnBus, l3Line: UInt64
  var bankConflict, storeWindow, uncached: UInt64
  var l1DataMiss, l1InstructionMiss, walk: UInt64
  var semaphore, fence, acceptance, flushLine, serialize, interruption, returnFromInterruption: UInt64
  var insert, purgeLocal, purgeGlobal, bankSwitch, enterPrivileged, vmsw, checkRecovery: UInt64
  var intercept, fastHandler, handler, resume, deviceModel, contextSwitch: UInt64
  var registersPerCycle: UInt64
  var integerToMultimedia: UInt64
  var returnStackSize: Int
  var historyBits: UInt8
  var loadMisses, storeMisses: Int
  var bankMask: UInt64
  var l2IsUnified: Bool

  init(_ d: MachineDescription) {
    func cycles(_ n: Int) -> UInt64 { UInt64(max(0, n)) }
    takenBubble = cycles(d.frontEnd.takenBubble)
    recomputedTargetBubble = cycles(d.frontEnd.recomputedTargetBubble)
    returnBubble = cycles(d.frontEnd.returnBubble)
    indirectBubble = cycles(d.frontEnd.indirectBubble)
    mispredict = cycles(d.branch.mispredict)
    branchAhead = cycles(d.latency.movToBranchAhead)
    loopAhead = cycles(d.branch.loopCountAhead)
    loadHit = cycles(d.l1d.latency)
    floatExtra = cycles(d.memory.floatExtra)
    l2 = cycles(d.l2d.latency)
    l2i = cycles(d.l2i.bytes == 0 ? d.l2d.latency : d.l2i.latency)
    l3 = cycles(d.l3.latency)
    memory = d.cycles(nanoseconds: d.memory.nanoseconds)
    lineOnBus = d.cycles(nanoseconds: Double(d.l3.line) * 1000 / d.memory.busMegabytesPerSecond)
    l3Line = cycles(d.l3.line / max(1, d.memory.l3BytesPerCycle))
    bankConflict = cycles(d.memory.bankConflict)
    storeWindow = cycles(d.memory.storeForwardWindow)
    uncached = d.cycles(nanoseconds: d.memory.uncachedNanoseconds)
    l1DataMiss = cycles(d.translation.l1DataMiss)
    l1InstructionMiss = cycles(d.translation.l1InstructionMiss)
    walk = cycles(d.translation.walk)
    semaphore = cycles(d.system.semaphore)
    fence = cycles(d.system.fence)
    acceptance = d.cycles(nanoseconds: d.system.acceptanceNanoseconds)
    flushLine = d.cycles(nanoseconds: d.system.flushNanoseconds)
    serialize = cycles(d.system.instructionSerialize)
    interruption = cycles(d.system.interruption)
    returnFromInterruption = cycles(d.system.returnFromInterruption)
    insert = cycles(d.system.insert)
    purgeLocal = cycles(d.system.purgeLocal)
    purgeGlobal = d.cycles(nanoseconds: d.system.purgeGlobalNanoseconds)
    bankSwitch = cycles(d.system.bankSwitch)
    enterPrivileged = cycles(d.system.enterPrivilegedCode)
    vmsw = cycles(d.virtualization.vmsw)
    intercept = cycles(d.virtualization.intercept)
    fastHandler = cycles(d.virtualization.fastHandler)
    handler = cycles(d.virtualization.handler)
    resume = cycles(d.virtualization.resume)
    deviceModel = cycles(d.virtualization.deviceModel)
    contextSwitch = cycles(d.virtualization.contextSwitch)
    checkRecovery = cycles(d.system.checkRecovery)
    registersPerCycle = UInt64(max(1, d.stack.registersPerCycle))
    integerToMultimedia = cycles(d.latency.integerToMultimedia)
    returnStackSize = max(1, d.branch.returnStack)
    historyBits = UInt8(max(1, min(4, d.branch.historyBits)))
    loadMisses = max(1, min(MemoryTraffic.most, d.memory.loadMisses))
    storeMisses = max(1, min(MemoryTraffic.most, d.memory.storeMisses))
    bankMask = UInt64(max(1, d.memory.banks)) - 1
    l2IsUnified = d.l2i.bytes == 0
  }
}

/// Pointer to the model's state: what all of its parts work on.
typealias Pipe = UnsafeMutablePointer<PipelineState>
