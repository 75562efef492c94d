import Platform
import Processor

/// One virtual processor: a processor whose interruptions come to the hypervisor, and the guest's side of its state. What its exits mean
/// is the subclass's: ``HVMProcessor``, ``ParavirtualProcessor``.
public class VirtualProcessor {
  public let processor: LogicalProcessor
  public let guest: GuestContext
  public let index: Int
  unowned let domain: Domain
  let memory: DomainMemory
  let identifiers: RegionIdentifiers
  let bus: SystemBus
  /// The machine side's access to devices; the processor holds it weakly.
  private let guestBus: GuestBus
  public private(set) var exits = ExitLog()
  /// The exit that is being handled has brought another one: it is in the processor's state.
  var pendingInterruption = false
  /// Preferred page sizes of the machine's region registers, for the VHPT's hash.
  private var preferredShifts = InlineArray<8, UInt64>(repeating: 0)

  /// The hypervisor's own vectors of the machine's local SAPIC.
  enum MachineVector {
    static let timer: UInt8 = 0xEF
    static let monitor: UInt8 = 0xEE
    /// Something for the guest has happened elsewhere: it is to be left, or to wake up.
    static let attention: UInt8 = 0xED
  }

  /// Where the pool has put what belongs to a virtual processor.
  struct Placement {
    var domain: Int
    /// The machine VHPT, of 2^`tableShift` bytes.
    var table: UInt64
    var tableShift: Int
  }

  init(index: Int, domain: Domain, bus: SystemBus, placement: Placement, guest makeGuest: (LogicalProcessor) -> GuestContext) {
    self.index = index
    self.domain = domain
    memory = domain.memory
    self.bus = bus
    identifiers = RegionIdentifiers(domain: UInt64(placement.domain))
    guestBus = GuestBus(bus)
    processor = LogicalProcessor(memory: memory.pool.memory, bus: guestBus)
    processor.hostHandlesInterruptions = true
    guest = makeGuest(processor)
    let s = processor.state
    s.cr[CR.itv] = UInt64(MachineVector.timer)
    s.cr[CR.pmv] = UInt64(MachineVector.monitor)
    s.cr[CR.tpr] = 0
    processor.setMachineTable(physical: placement.table, shift: placement.tableShift)
    processor.withGuest(guest) {}
    adoptMode()
  }

  // MARK: Running

  /// As ``LogicalProcessor/run(until:)``, exits included.
  func run(until cycle: UInt64) -> ExitReason {
    var limit = cycle
    while true {
      if let end = turn(until: limit, { $0.run(until: $1) }) { return end }
      // A device that the exit has led to may have asked for the turn to end earlier.
      limit = min(limit, processor.deadline)
    }
  }

  /// One turn of the engine (``LogicalProcessor/turn(_:until:)``), and the exit that it has ended with. Nil: nothing needs the caller.
  func turn(_ extent: Extent, until cycle: UInt64) -> ExitReason? { turn(until: cycle) { $0.turn(extent, until: $1) } }

  @inline(__always)
  private func turn(until cycle: UInt64, _ run: (LogicalProcessor, UInt64) -> ExitReason?) -> ExitReason? {
    prepare()
    if !pendingInterruption {
      let reason = run(processor, cycle)
      guard reason == .interruption else { return reason }
    }
    pendingInterruption = false
    if let observer = domain.exitObserver, observer.holdsExits, let (kind, detail) = upcomingExit,
      observer.holds(self, kind, detail: detail)
    {
      pendingInterruption = true
      return .stopped
    }
    let end = handleExit()
    domain.settleTranslations()
    domain.exitObserver?.resumed(self)
    if let end { return end }
    return makesProgress ? nil : .faultLoop
  }

  /// What is to be done before the guest goes on.
  func prepare() {}

  /// What the interruption in the processor's state will be counted as, if that can be said without doing anything about it.
  var upcomingExit: (ExitKind, detail: UInt64)? { nil }

  /// Does what the interruption in the processor's state asks for. Not nil: the run ends.
  func handleExit() -> ExitReason? { preconditionFailure("each kind of guest has its own") }

  /// Instructions that had retired at the last exit, and exits since then.
  private var lastProgress: UInt64 = .max
  private var fruitlessExits = 0
  /// An honest guest needs a handful of exits for one instruction: misses of code, data and VHPT, and its own handlers for them.
  private static let fruitlessLimit = 1000

  /// A guest that is left again and again without executing anything is lost, and must not keep its hypervisor busy for ever.
  private var makesProgress: Bool {
    let retired = processor.state.pointee.instructions
    fruitlessExits = retired == lastProgress ? fruitlessExits + 1 : 0
    lastProgress = retired
    guard fruitlessExits > Self.fruitlessLimit else { return true }
    fruitlessExits = 0
    return false
  }

  /// `ip`: where the guest was left, if that is not where it is.
  func note(_ kind: ExitKind, _ detail: UInt64, ip: UInt64? = nil) {
    let s = processor.state
    let exit = ExitLog.Entry(cycle: s.cycles, kind: kind, ip: ip ?? s.pointee.ip | PSR.ri(s.pointee.psr), detail: detail)
    exits.note(exit)
    domain.exitObserver?.exited(self, exit)
    processor.charge(kind.work)
  }

  func reflect(_ vector: Vector) {
    note(.reflected(vector.rawValue), processor.state.pointee.fault.ifa)
    processor.deliverToGuest(guest)
    adoptMode()
  }

  /// The guest's translation switches or region registers may have changed: the machine's region registers follow.
  func adoptMode() {
    let (registers, virtual) = machineRegions()
    var sizesChanged = false
    for region in 0..<8 {
      let shift = registers[region] >> 2 & 0x3F
      // In the modes without translation the entries of the others stay as they were hashed.
      if virtual >> UInt8(region) & 1 != 0, preferredShifts[region] != shift {
        preferredShifts[region] = shift
        sizesChanged = true
      }
    }
    processor.setMachineRegions(registers)
    if sizesChanged { processor.clearMachineTable() }
  }

  /// The machine's region registers for the guest's, and a bit for each that stands for a virtual address space of the guest's.
  func machineRegions() -> (registers: InlineArray<8, UInt64>, virtual: UInt8) {
    preconditionFailure("each kind of guest has its own")
  }

  /// How the machine's translation of a page of the guest's has to look.
  func machineView(_ page: Translation) -> Translation { page }

  // MARK: Instructions

  func emulate() {
    let outcome = processor.emulateInstruction(of: guest)
    if case .fetchMiss = outcome { return miss(processor.state.pointee.fault) }
    if !guest.changes.isEmpty { followChanges() }
    adoptMode()
  }

  /// What the guest has done to its TLB is done to the machine's.
  func followChanges() {
    let changes = guest.changes
    guest.changes.removeAll(keepingCapacity: true)
    for change in changes {
      switch change {
      case .purged(let start, let last, let rid, let isGlobal):
        purge(start: start, last: last, rid: rid)
        if isGlobal { purgeElsewhere?(index, start, last, rid) }
      case .purgedAll: processor.purgeMachine()
      }
    }
  }

  /// Set by the domain: a global purge reaches its other processors.
  var purgeElsewhere: ((_ from: Int, _ start: UInt64, _ last: UInt64, _ rid: UInt32) -> Void)?

  /// Another processor of the domain has purged globally.
  func purgeByOther(start: UInt64, last: UInt64, rid: UInt32) {
    guest.purge(start: start, last: last, rid: rid)
    purge(start: start, last: last, rid: rid)
  }

  private func purge(start: UInt64, last: UInt64, rid: UInt32) {
    // All regions of one page size hash alike; a range may be seen through any of them.
    var done: UInt64 = 0
    for region in 0..<8 {
      let shift = preferredShifts[region]
      guard shift != 0, done >> shift & 1 == 0 else { continue }
      done |= 1 << shift
      processor.purgeMachine(
        start: start, last: last, rid: UInt32(truncatingIfNeeded: identifiers.machine(UInt64(rid))), preferredShift: shift)
    }
  }
}
