import Platform
import Processor

/// One virtual processor of an HVM domain: a processor that runs with PSR.vm = 1, its VPD, and the guest's side of its state.
public final class VirtualProcessor {
  public let processor: LogicalProcessor
  public let guest: GuestContext
  public let index: Int
  let memory: DomainMemory
  let identifiers: RegionIdentifiers
  let bus: SystemBus
  /// The machine side's access to devices; the processor holds it weakly.
  private let guestBus: GuestBus
  public private(set) var exits = ExitLog()
  var initializationPending = false
  /// The exit that is being handled has brought another one: it is in the processor's state.
  var pendingInterruption = false
  /// Preferred page sizes of the machine's region registers, for the VHPT's hash.
  private var preferredShifts = InlineArray<8, UInt64>(repeating: 0)

  /// The hypervisor's own vectors of the machine's local SAPIC.
  enum MachineVector {
    static let timer: UInt8 = 0xEF
    static let monitor: UInt8 = 0xEE
  }

  /// `descriptor`, `table`: where the pool has put the VPD and the machine VHPT of 2^`tableShift` bytes.
  init(
    index: Int, memory: DomainMemory, domain: Int, bus: SystemBus, descriptor: UInt64, table: UInt64, tableShift: Int,
    accelerations: VirtualProcessorDescriptor.Accelerations
  ) {
    self.index = index
    self.memory = memory
    self.bus = bus
    identifiers = RegionIdentifiers(domain: UInt64(domain))
    guestBus = GuestBus(bus)
    processor = LogicalProcessor(memory: memory.pool.memory, bus: guestBus)
    processor.hostHandlesInterruptions = true
    processor.setVirtualProcessor(descriptor)
    guard let vpd = processor.virtualProcessor else { preconditionFailure("the VPD is in the machine's memory") }
    vpd.vac = accelerations
    vpd.vdc = .vmsw
    guest = GuestContext(descriptor: vpd, memory: memory)
    let s = processor.state
    for n in 0..<5 { vpd.vcpuid[n] = s.cpuid[n] }
    for n in 0..<128 { vpd.vcr[n] = s.cr[n] }
    for region in 0..<8 { vpd.vrr[region] = s.rr[region] }
    s.cr[CR.itv] = UInt64(MachineVector.timer)
    s.cr[CR.pmv] = UInt64(MachineVector.monitor)
    s.cr[CR.tpr] = 0
    processor.setMachineTable(physical: table, shift: tableShift)
    processor.withGuest(guest) {}
    adoptMode()
  }

  var vpd: VirtualProcessorDescriptor { guest.descriptor }

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
    if initializationPending && vpd.vpsr & PSR.mc == 0 { takeInitialization() }
    if !pendingInterruption {
      let reason = run(processor, cycle)
      guard reason == .interruption else { return reason }
    }
    pendingInterruption = false
    if let end = handleExit() { return end }
    return makesProgress ? nil : .faultLoop
  }

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

  private func takeInitialization() {
    initializationPending = false
    processor.withGuest(guest) { bus.initialization(of: processor) }
    adoptMode()
  }

  /// Does what the interruption in the processor's state asks for. Not nil: the run ends.
  private func handleExit() -> ExitReason? {
    let fault = processor.state.pointee.fault
    switch fault.vector {
    case .virtualization:
      guard let cause = InterceptCause(rawValue: fault.cause) else { preconditionFailure("an intercept without cause") }
      note(.instruction(cause), fault.opcode)
      emulate()
    case .externalInterrupt:
      note(.externalInterrupt, 0)
      serviceMachineInterrupts()
    case .virtualExternalInterrupt:
      note(.virtualExternalInterrupt, 0)
      _ = processor.deliverExternalInterrupt(to: guest)
      adoptMode()
    case .instructionTLB, .alternateInstructionTLB, .dataTLB, .alternateDataTLB, .vhptTranslation: miss(fault)
    case .breakInstruction:
      if let outcome = firmwareCall(fault.iim) { return outcome == .stop ? .stopped : nil }
      reflect(fault.vector)
    case .natConsumption where fault.isr & (ISR.r | ISR.w | ISR.na | ISR.x) == 0:
      // Illegal operations that depend on the guest's own PSR.ic come before it.
      note(.reflected(fault.vector.rawValue), 0)
      emulate()
    default: reflect(fault.vector)
    }
    return nil
  }

  func note(_ kind: ExitKind, _ detail: UInt64) {
    exits.note(.init(cycle: processor.state.cycles, kind: kind, ip: processor.state.pointee.ip, detail: detail))
    processor.charge(kind.work)
  }

  private func reflect(_ vector: Vector) {
    note(.reflected(vector.rawValue), processor.state.pointee.fault.ifa)
    processor.deliverToGuest(guest)
    adoptMode()
  }

  /// The guest's translation switches or region registers may have changed: the machine's region registers follow.
  func adoptMode() {
    let registers = identifiers.registers(psr: vpd.vpsr, mapped: vpd.vrr)
    var sizesChanged = false
    for region in 0..<8 {
      let shift = registers[region] >> 2 & 0x3F
      // In the modes without translation the entries of the others stay as they were hashed.
      if vpd.vpsr & (PSR.it | PSR.dt | PSR.rt) == PSR.it | PSR.dt | PSR.rt, preferredShifts[region] != shift {
        preferredShifts[region] = shift
        sizesChanged = true
      }
    }
    processor.setMachineRegions(registers)
    if sizesChanged { processor.clearMachineTable() }
  }

  // MARK: Instructions

  private func emulate() {
    let outcome = processor.emulateInstruction(of: guest)
    if case .fetchMiss = outcome { return miss(processor.state.pointee.fault) }
    if !guest.changes.isEmpty { followChanges() }
    adoptMode()
  }

  /// What the guest has done to its TLB is done to the machine's.
  private func followChanges() {
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

  /// The firmware has reset the guest's processor.
  func wasReset() {
    guest.changes.removeAll()
    processor.purgeMachine()
    adoptMode()
  }

  // MARK: Firmware

  private static let gates: Range<UInt64> = 0x10_0000..<0x20_0000

  private func firmwareCall(_ immediate: UInt64) -> GateOutcome? {
    guard Self.gates.contains(immediate), PSR.cpl(processor.state.pointee.psr) == 0 else { return nil }
    let number = immediate & 0xF_FFFF
    let ip = processor.state.pointee.ip
    guard let outcome = processor.performGate(number, of: guest, bus) else { return nil }
    exits.note(.init(cycle: processor.state.cycles, kind: .firmware, ip: ip, detail: number))
    processor.charge(ExitKind.firmware.work)
    adoptMode()
    return outcome
  }

  // MARK: Interrupts

  /// The machine's local SAPIC has interrupted: what stands for the guest's timer and monitor becomes the guest's interrupt.
  private func serviceMachineInterrupts() {
    while true {
      switch processor.serviceInterrupt() {
      case MachineVector.timer: forward(vpd.vcr[CR.itv])
      case MachineVector.monitor: forward(vpd.vcr[CR.pmv])
      case 15:
        _ = processor.deliverExternalInterrupt(to: guest)
        adoptMode()
        return
      default: break
      }
    }
  }

  private func forward(_ vector: UInt64) {
    if vector & 1 << 16 == 0 { processor.post(vector: UInt8(truncatingIfNeeded: vector), to: guest) }
  }
}
