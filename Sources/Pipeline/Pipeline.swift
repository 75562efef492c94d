import Processor

/// The cycle model of one processor: an Itanium 2 as a ``MachineDescription`` says.
///
/// It watches the engine by issue group (``TimingModel``) and changes no architectural result. Front end in `FrontEnd`, which syllables
/// go together in `Dispersal`, operands and costs in `BackEnd`, caches and TLBs in `Memory`, what became of each cycle in `Accounting`.
public final class Pipeline {
  public let description: MachineDescription
  unowned let processor: LogicalProcessor
  let pipe: Pipe
  let planner: Planner
  /// Receives every group from a cycle on, while there is one.
  private var groupObserver: ((TracedGroup) -> Void)?
  private var groupsFrom: UInt64 = 0
  /// Cycles by address, while ``profiles``.
  var profile: Profile?
  /// An event of the performance monitor that the profile has by address, too.
  public var profiledEvent: MonitoredEvent?
  private var profiledCount: UInt64 = 0
  /// What a profile and a trace look at, while there is one of them.
  private var observation: Observation?
  /// Cycles that the last group's mispredicted branch has taken: a trace shows them in front of the next group.
  private var mispredictionToShow: UInt64 = 0
  private let extra: UnsafeMutablePointer<UInt8>

  /// Makes `processor` count the cycles of `description` from now on. The model must outlive the processor's last run. Unless it
  /// `setsClock`, it counts for itself only.
  public init(
    _ description: MachineDescription = MachineDescription(), watching processor: LogicalProcessor, setsClock: Bool = true
  ) {
    precondition(MemoryLayout<PipelineState>.offset(of: \.now) == 0, "the clock is not the first member")
    self.description = description
    self.processor = processor
    planner = Planner(description)
    let latencies = planner.latencies
    precondition(Producer.allCases.count <= 16 && Consumer.allCases.count <= PipelineState.causeOfWait, "the table has no room")
    extra = .allocate(capacity: 17 * 16)
    extra.initialize(repeating: 0, count: 17 * 16)
    var slack: UInt8 = 0
    for producer in Producer.allCases {
      extra[Int(producer.rawValue) * 16 + PipelineState.causeOfWait] = producer.cause.rawValue
      for consumer in Consumer.allCases {
        let cycles = UInt8(clamping: latencies.extra(producer, consumer))
        extra[Int(producer.rawValue) * 16 + Int(consumer.rawValue)] = cycles
        slack = max(slack, cycles)
        // Behind the table.
        let most = extra + 16 * 16 + Int(producer.rawValue)
        most.pointee = max(most.pointee, cycles)
      }
    }
    pipe = .allocate(capacity: 1)
    pipe.initialize(to: Pipeline.makeState(description, processor, UnsafePointer(extra), slack, Unmanaged.passUnretained(self)))
    pipe.changeStatus()
    guard let hold = MemoryLayout<PipelineState>.offset(of: \.hold) else { preconditionFailure("the field is stored") }
    var model = TimingModel(
      context: UnsafeMutableRawPointer(pipe),
      clock: UnsafeMutableRawPointer(pipe).assumingMemoryBound(to: UInt64.self),
      hold: UnsafeRawPointer(UnsafeMutableRawPointer(pipe) + hold).assumingMemoryBound(to: UInt64.self),
      plan: { context, bundles, physical, startSlot, end, isKept, records, capacity in
        let owner = context.assumingMemoryBound(to: PipelineState.self).pointee.owner
        return owner._withUnsafeGuaranteedRef {
          $0.planner.plan(
            bundles, physical: physical, startSlot: startSlot, end: end, isKept: isKept, into: records, capacity: capacity)
        }
      },
      notice: { context, event, value in
        guard let event = TimingEvent(rawValue: event) else { return }
        context.assumingMemoryBound(to: PipelineState.self).notice(event, value)
      },
      count: { context, control, level in
        context.assumingMemoryBound(to: PipelineState.self).count(CounterControl(control), level: level & 3)
      },
      increment: { context, control in
        context.assumingMemoryBound(to: PipelineState.self).increment(CounterControl(control))
      })
    model.isFollowed = setsClock
    processor.attach(model)
  }

  private static func makeState(
    _ d: MachineDescription, _ processor: LogicalProcessor, _ extra: UnsafePointer<UInt8>, _ slack: UInt8,
    _ owner: Unmanaged<Pipeline>
  ) -> PipelineState {
    func table<T>(_ count: Int, _ value: T) -> UnsafeMutablePointer<T> {
      let p = UnsafeMutablePointer<T>.allocate(capacity: count)
      p.initialize(repeating: value, count: count)
      return p
    }
    let pairs = max(1, d.frontEnd.bufferBundles / 2)
    let histories = max(1, d.branch.histories)
    var unified = d.l2i
    if unified.bytes == 0 { unified.bytes = unified.ways * unified.line }
    let buffer = table(pairs, UInt64(0))
    let cycles = table(4 * Cause.stride, UInt64(0))
    let counts = table(4 * PipelineState.countStride, UInt64(0))
    return PipelineState(
      levelCycles: cycles, levelCounts: counts, state: processor.state, dataTable: processor.dataTable,
      memoryBase: processor.memoryBase, owner: owner,
      scoreboard: table(RegisterCode.count, 0), extra: extra,
      slack: UInt64(slack), slackOfProducer: extra + 16 * 16, buffer: buffer, bufferNext: buffer,
      bufferEnd: buffer + pairs, fetchEpoch: 1 + UInt64(processor.domainMember) << 48,
      histories: table(histories, History()), historyCount: UInt64(histories), returnStack: table(max(1, d.branch.returnStack), 0),
      branchWritten: table(8, 0), l1i: CacheTags(d.l1i), l1d: CacheTags(d.l1d), l2d: CacheTags(d.l2d), l2i: CacheTags(unified),
      l3: CacheTags(d.l3), l1DTLB: PageTags(entries: d.translation.l1Entries), l1ITLB: PageTags(entries: d.translation.l1Entries),
      l2DTLB: PageTags(entries: d.translation.l2Entries),
      l2ITLB: PageTags(entries: d.translation.l2Entries), ready: table(8, 0),
      remembers: canRemember(d), causesBefore: table(Cause.stride, 0),
      cycles: cycles, counts: counts, groupNumbers: table(4 * GroupNumber.count * GroupNumber.stride, 0), costs: Costs(d))
  }

  deinit {
    let s = pipe.pointee
    s.scoreboard.deallocate()
    s.buffer.deallocate()
    s.histories.deallocate()
    s.returnStack.deallocate()
    s.branchWritten.deallocate()
    for cache in [s.l1i, s.l1d, s.l2d, s.l2i, s.l3] { cache.deallocate() }
    s.l1DTLB.deallocate()
    s.recentPages.deallocate()
    s.l1ITLB.deallocate()
    s.l2DTLB.deallocate()
    s.l2ITLB.deallocate()
    s.ready.deallocate()
    s.causesBefore.deallocate()
    s.memo.deallocate()
    s.cycles.deallocate()
    s.counts.deallocate()
    s.groupNumbers.deallocate()
    profile?.deallocate()
    observation?.deallocate()
    pipe.deallocate()
    extra.deallocate()
  }

  // MARK: Observers

  /// Calls `observer` with every group that issues in cycle `from` or later.
  public func observeGroups(from: UInt64 = 0, _ observer: @escaping (TracedGroup) -> Void) {
    groupObserver = observer
    groupsFrom = from
    noteObservers()
  }

  public func stopObservingGroups() {
    groupObserver = nil
    noteObservers()
  }

  func noteObservers() {
    let isObserved = groupObserver != nil || profile != nil
    pipe.leaveConfiguration()
    pipe.pointee.isObserved = isObserved || pipe.pointee.countsGroups
    if isObserved == (observation != nil) { return }
    observation?.deallocate()
    observation = isObserved ? Observation(pipe) : nil
    mispredictionToShow = 0
  }

  /// Numbers fit where configurations and outcomes have them.
  private static func canRemember(_ d: MachineDescription) -> Bool {
    d.frontEnd.bufferBundles / 2 <= Configuration.mostPairs && d.latency.integerToMultimedia <= Outcome.mostMultimediaWait
  }

  /// A group has issued in cycle `t`, or what was left of one, and somebody wants to know.
  func observe(_ group: UnsafePointer<IssueGroup>, _ address: UInt64, _ t: UInt64, goesOn: Bool) {
    let psr = pipe.pointee.state.pointee.psr
    let level = Int(truncatingIfNeeded: psr &>> 32 & 3)
    observation?.look(pipe, level: level, issued: t, goesOn: goesOn)
    guard let observation else { return }
    if profile != nil {
      let slot = UInt64(group.pointee.header.start) % 3
      profile?.add(address, slot: slot, isPhysical: psr & PSR.it == 0, goesOn: goesOn, events: eventsSinceLastGroup(), observation)
    }
    guard let groupObserver, t >= groupsFrom else { return }
    var waits = CauseCounts()
    if !observation.isPlain {
      waits = observation.causes
      waits[.issue] = 0
    }
    waits[.mispredict] = waits[.mispredict] &- observation.ownMisprediction &+ mispredictionToShow
    mispredictionToShow = observation.ownMisprediction
    let interruptions = (0..<4).reduce(0) { $0 &+ count(.interruptions, level: $1) }
    groupObserver(
      TracedGroup(
        group, address: address, issued: t, waits: waits, level: level, interruptions: interruptions, goesOn: goesOn,
        processor))
  }

  /// A group is charged with what has happened since the one before it, at whatever level.
  private func eventsSinceLastGroup() -> UInt64 {
    guard let event = profiledEvent else { return 0 }
    let control = CounterControl(UInt64(PerformanceEvent.code(event.select, event.umask)) << 8)
    let now = (0..<4).reduce(0) { $0 &+ pipe.count(control, level: $1) }
    defer { profiledCount = now }
    return now &- profiledCount
  }

  /// Cycles by address, so far, while ``profiles``.
  public var profileEntries: [Profile.Entry] { profile?.entries ?? [] }

  // MARK: What the hot state asks for

  enum Place {
    case memory(UInt64)
    case uncached
    case unknown
  }

  /// A first-level TLB has missed: does the second have the translation? If not, the physical address of the VHPT entry that is read, or 0.
  func missesLevel2(_ address: UInt64, instruction: Bool) -> UInt64? {
    guard let (name, pinned) = processor.peekTranslation(address, instruction: instruction), !pinned else { return nil }
    let hit = instruction ? pipe.pointee.l2ITLB.touch(name, 0) : pipe.pointee.l2DTLB.touch(name, 0)
    return hit ? nil : processor.peekWalk(address) ?? 0
  }

  /// Where an address leads that the engine's own table does not have.
  func place(of address: UInt64) -> Place {
    guard let (physical, attribute) = processor.peekData(address) else { return .unknown }
    guard attribute != MemoryAttribute.uc, let host = processor.memory.host(physical) else { return .uncached }
    return .memory(UInt64(UInt(bitPattern: host) &- pipe.pointee.memoryBase))
  }
}
