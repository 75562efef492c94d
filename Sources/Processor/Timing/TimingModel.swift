/// How a model of time watches the engine. The engine stays what it is: it calls the model before each issue group, and the model moves
/// the clock.
///
/// Plain pointers and C functions, so that a call costs what a call costs: no existential, no reference counting.
public struct TimingModel {
  /// Writes the issue groups of the instructions from `startSlot` (in bundle 0) up to slot position `end` into `records`, one
  /// ``IssueGroupHeader`` and its payload after the other; returns how many bytes, at most `capacity`. `isKept`: they will be copied to a
  /// place where they stay, behind each other, until ``TimingEvent/blocksDropped``.
  public typealias Plan =
    @convention(c) (
      _ context: UnsafeMutableRawPointer, _ bundles: UnsafeRawPointer, _ physical: UInt64, _ startSlot: Int, _ end: Int,
      _ isKept: Bool,
      _ records: UnsafeMutableRawPointer, _ capacity: Int
    ) -> Int
  /// What a group's header has: the group is about to execute. `block` is the virtual address that the offset in its payload counts from; the
  /// model may write there. Returns the cycle at which it issues.
  public typealias Issue =
    @convention(c) (_ context: UnsafeMutableRawPointer, _ group: UnsafeRawPointer, _ block: UInt64) -> UInt64
  /// Something that costs time and is not an instruction has happened.
  public typealias Notice = @convention(c) (_ context: UnsafeMutableRawPointer, _ event: UInt32, _ value: UInt64) -> Void
  /// How often an event of the performance monitor has happened at a privilege level; `control` is the counter's configuration
  /// (``CounterControl``). The difference of two answers is what a counter counts.
  public typealias CountEvent = @convention(c) (_ context: UnsafeMutableRawPointer, _ control: UInt64, _ level: Int) -> UInt64
  /// The most by which that grows in a cycle; 0: the model does not know the event.
  public typealias Increment = @convention(c) (_ context: UnsafeMutableRawPointer, _ control: UInt64) -> UInt64

  public var context: UnsafeMutableRawPointer
  /// Cycle of the last issue group. The engine moves it on when time has passed without instructions.
  public var clock: UnsafeMutablePointer<UInt64>
  /// Nothing issues up to and including this cycle, whatever for.
  public var hold: UnsafePointer<UInt64>
  /// False: the model watches and counts for itself; the processor's time stays functional. For comparisons.
  public var isFollowed = true
  public var plan: Plan
  public var notice: Notice
  public var count: CountEvent
  public var increment: Increment

  public init(
    context: UnsafeMutableRawPointer, clock: UnsafeMutablePointer<UInt64>, hold: UnsafePointer<UInt64>, plan: @escaping Plan,
    notice: @escaping Notice, count: @escaping CountEvent, increment: @escaping Increment
  ) {
    self.context = context
    self.clock = clock
    self.hold = hold
    self.plan = plan
    self.notice = notice
    self.count = count
    self.increment = increment
  }
}

extension TimingModel {
  /// A number for a translation: its page and size.
  static func name(of t: Translation) -> UInt64 { t.physical | UInt64(t.pageShift) }
}

/// What the engine needs to know of an issue group; the model's own data follow.
public struct IssueGroupHeader {
  /// Bytes from this header to the next one, a multiple of 8.
  public var byteCount: UInt16
  /// Position of its first slot: 3 * bundle + slot, from the first bundle that was planned.
  public var start: UInt8
  /// Position behind its last slot.
  public var end: UInt8
  /// The model is not told of it: it issues with the next group, whose record follows.
  public var isLead = false
  /// Tells the model that the group issues.
  public var issue: TimingModel.Issue

  public init(byteCount: UInt16, start: UInt8, end: UInt8, issue: @escaping TimingModel.Issue) {
    self.byteCount = byteCount
    self.start = start
    self.end = end
    self.issue = issue
  }
}

/// What ``TimingModel/notice`` tells.
public enum TimingEvent: UInt32, Sendable {
  /// An interruption has been delivered.
  case interruption
  /// The VHPT walker has read an entry for a data reference; the value is the entry's physical address.
  case dataWalk
  /// The same for an instruction fetch.
  case instructionWalk
  /// The register stack engine has stored so many registers.
  case stackStores
  /// It has loaded so many.
  case stackLoads
  /// All blocks were dropped, and with them the records of their issue groups.
  case blocksDropped
  /// Time has passed without instructions: the value is the new cycle.
  case timePassed
  /// What performance counters count may change; each is asked for afterwards.
  case monitorsChange
  /// PSR.cpl or PSR.dt has changed.
  case statusChanged
  /// A check load, chk.a (value 1) or chk.s (0) has failed.
  case checkFailed
  /// A translation was put into the cache for data; the value names it (``TimingModel/name(of:)``).
  case dataInserted
  case instructionInserted
  /// A hypervisor in the host has done something for the guest; the value says what (``HypervisorWork``).
  case hypervisor
}

/// What a hypervisor in the host spends time on: what its code would do if it ran on the processor.
public enum HypervisorWork: UInt64, Sendable {
  /// An exit that a few lines of assembly handle, up to where the guest goes on.
  case fastExit
  /// One that goes through the hypervisor's C code.
  case exit
  /// An exit that ends in the model of a device.
  case deviceVisit
  /// A virtual processor takes the place of another one on the physical processor.
  case contextSwitch
}

extension LogicalProcessor {
  /// Whether a timing model watches.
  @inline(__always) public var isTimed: Bool { engine.pointee.timing != nil }
  /// Whether its clock is the processor's; otherwise a slot takes a cycle.
  @inline(__always) public var followsModel: Bool { engine.pointee.timing?.isFollowed ?? false }

  /// Lets a model count cycles from now on. What has been translated is dropped: it has no issue groups.
  public func attach(_ model: TimingModel) {
    settleMonitors()
    defer { resumeMonitors() }
    engine.pointee.timing = model
    model.clock.pointee = state.cycles
    domain.isTimed = true
    emptyBlocks()
    codeMapChanged()
  }

  @inline(never) func notice(_ event: TimingEvent, _ value: UInt64 = 0) {
    guard let timing = engine.pointee.timing else { return }
    timing.notice(timing.context, event.rawValue, value)
  }

  /// Charges the guest for what its hypervisor does. In functional timing that costs nothing.
  public func charge(_ work: HypervisorWork) {
    guard isTimed else { return }
    startClock()
    notice(.hypervisor, work.rawValue)
    stopClock()
  }

  /// The model's clock follows what has passed outside of the engine.
  @inline(__always) func startClock() {
    guard let timing = engine.pointee.timing, timing.isFollowed else { return }
    let now = state.cycles
    if timing.clock.pointee != now { timing.notice(timing.context, TimingEvent.timePassed.rawValue, now) }
  }

  /// The cycle from which on the next instruction may issue: with cycle timing, when all is over that has been charged for.
  public var settledCycle: UInt64 {
    guard let timing = engine.pointee.timing, timing.isFollowed else { return state.cycles }
    return max(state.cycles, timing.hold.pointee)
  }

  /// `cycles` becomes what the model has counted.
  @inline(__always) func stopClock() {
    guard let timing = engine.pointee.timing, timing.isFollowed else { return }
    state.pointee.idleCycles = timing.clock.pointee &- state.pointee.instructions
  }

  // MARK: What a model may look at

  /// The table that data addresses are looked up in now (it changes with the privilege level and PSR.dt).
  public var dataTable: UnsafeMutablePointer<UnsafeMutablePointer<SoftEntry>> {
    guard let offset = MemoryLayout<EngineContext>.offset(of: \.dataTable) else { preconditionFailure("the table is stored") }
    return (UnsafeMutableRawPointer(engine) + offset).assumingMemoryBound(to: UnsafeMutablePointer<SoftEntry>.self)
  }

  /// Host address of RAM's first byte: what lies above it counts as physical address for caches.
  public var memoryBase: UInt { memory.firstByte }

  /// What L2 DTLB or ITLB would hold for an address: a name of its translation, and whether that is pinned by a translation register. Nil:
  /// there is none.
  public func peekTranslation(_ address: UInt64, instruction: Bool) -> (name: UInt64, pinned: Bool)? {
    let tlb = instruction ? instructionTLB : dataTLB
    guard let t = tlb.lookup(offset(address), rid(address)) else { return nil }
    return (TimingModel.name(of: t.pointee), tlb.isRegister(t))
  }

  /// Physical address of the VHPT entry that the walker would read for `address`; nil if it would not walk.
  public func peekWalk(_ address: UInt64) -> UInt64? {
    guard state.rr[Int(address >> 61)] & 1 != 0, state.cr[CR.pta] & 1 != 0 else { return nil }
    let entry = vhptAddress(address)
    guard let t = dataTLB.lookup(offset(entry), rid(entry))?.pointee, t.present else { return nil }
    return t.physical | entry & t.mask
  }

  /// Where data address `address` leads, as the translations stand, without faults, walks or side effects; nil: nowhere.
  public func peekData(_ address: UInt64) -> (physical: UInt64, attribute: UInt8)? {
    if state.pointee.psr & PSR.dt == 0 {
      return (address & Implementation.physicalMask, address >> 63 != 0 ? MemoryAttribute.uc : MemoryAttribute.wb)
    }
    guard let t = dataTLB.lookup(offset(address), rid(address))?.pointee, t.present else { return nil }
    return (t.physical | address & t.mask, t.attribute)
  }
}
