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
  /// What a profile and a trace look at, while there is one of them.
  private var observation: Observation?
  /// Cycles that the last group's mispredicted branch has taken: a trace shows them in front of the next group.
  private var mispredictionToShow: UInt64 = 0
  private let extra: UnsafeMutablePointer<UInt8>

  /// Makes `processor` count the cycles of `description` from now on. The model must outlive the processor's last run.
  public init(_ description: MachineDescription = MachineDescription(), watching processor: LogicalProcessor) {
    precondition(MemoryLayout<PipelineState>.offset(of: \.now) == 0, "the clock is not the first member")
    self.description = description
    self.processor = processor
    planner = Planner(description)
    let latencies = planner.latencies
    extra = .allocate(capacity: 16 * 16)
    extra.initialize(repeating: 0, count: 256)
    for producer in Producer.allCases {
      for consumer in Consumer.allCases {
        extra[Int(producer.rawValue) * 16 + Int(consumer.rawValue)] = UInt8(
          max(0, min(2, latencies.extra(producer, consumer))))
      }
    }
    pipe = .allocate(capacity: 1)
    pipe.initialize(to: Pipeline.makeState(description, processor, UnsafePointer(extra), Unmanaged.passUnretained(self)))
    processor.attach(
      TimingModel(
        context: UnsafeMutableRawPointer(pipe),
        clock: UnsafeMutableRawPointer(pipe).assumingMemoryBound(to: UInt64.self),
        plan: { context, bundles, physical, startSlot, end, records, capacity in
          let owner = context.assumingMemoryBound(to: PipelineState.self).pointee.owner
          return owner._withUnsafeGuaranteedRef {
            $0.planner.plan(bundles, physical: physical, startSlot: startSlot, end: end, into: records, capacity: capacity)
          }
        },
        issue: { context, group, block in
          context.assumingMemoryBound(to: PipelineState.self).issue(group.assumingMemoryBound(to: IssueGroup.self), block)
        },
        notice: { context, event, value in
          guard let event = TimingEvent(rawValue: event) else { return }
          context.assumingMemoryBound(to: PipelineState.self).notice(event, value)
        }))
  }

  private static func makeState(
    _ d: MachineDescription, _ processor: LogicalProcessor, _ extra: UnsafePointer<UInt8>, _ owner: Unmanaged<Pipeline>
  ) -> PipelineState {
    func table<T>(_ count: Int, _ value: T) -> UnsafeMutablePointer<T> {
      let p = UnsafeMutablePointer<T>.allocate(capacity: count)
      p.initialize(repeating: value, count: count)
      return p
    }
    let pairs = max(1, d.frontEnd.bufferBundles / 2)
    // A power of two: the index is masked.
    let histories = 1 << (Int.bitWidth - 1 - max(1, d.branch.histories).leadingZeroBitCount)
    var unified = d.l2i
    if unified.bytes == 0 { unified.bytes = unified.ways * unified.line }
    return PipelineState(
      state: processor.state, dataTable: processor.dataTable, memoryBase: processor.memoryBase, owner: owner,
      scoreboard: table(RegisterCode.count, 0), extra: extra, buffer: table(pairs, 0), bufferPairs: pairs,
      histories: table(histories, History()), historyMask: histories - 1, returnStack: table(max(1, d.branch.returnStack), 0),
      branchWritten: table(8, 0), l1i: CacheTags(d.l1i), l1d: CacheTags(d.l1d), l2d: CacheTags(d.l2d), l2i: CacheTags(unified),
      l3: CacheTags(d.l3), l1DTLB: PageTags(entries: d.translation.l1Entries), l1ITLB: PageTags(entries: d.translation.l1Entries),
      cycles: table(4 * Cause.stride, 0), counts: table(4 * PipelineState.countStride, 0), costs: Costs(d))
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
    s.l1ITLB.deallocate()
    s.cycles.deallocate()
    s.counts.deallocate()
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
    pipe.pointee.isObserved = isObserved
    if isObserved == (observation != nil) { return }
    observation?.deallocate()
    observation = isObserved ? Observation(pipe) : nil
    mispredictionToShow = 0
  }

  /// A group has issued in cycle `t`, and somebody wants to know.
  func observe(_ group: UnsafePointer<IssueGroup>, _ address: UInt64, _ t: UInt64) {
    let psr = pipe.pointee.state.pointee.psr
    let level = Int(truncatingIfNeeded: psr &>> 32 & 3)
    observation?.look(pipe, level: level, issued: t)
    guard let observation else { return }
    profile?.add(address, isPhysical: psr & PSR.it == 0, observation)
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
        group, address: address, issued: t, waits: waits, level: level, interruptions: interruptions, processor))
  }

  // MARK: What the hot state asks for

  enum Place {
    case memory(UInt64)
    case uncached
    case unknown
  }

  /// Where an address leads that the engine's own table does not have.
  func place(of address: UInt64) -> Place {
    guard let (physical, attribute) = processor.peekData(address) else { return .unknown }
    guard attribute != MemoryAttribute.uc, let host = processor.memory.host(physical) else { return .uncached }
    return .memory(UInt64(UInt(bitPattern: host) &- pipe.pointee.memoryBase))
  }

}
