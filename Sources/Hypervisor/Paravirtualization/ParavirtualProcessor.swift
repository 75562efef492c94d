import Platform
import Processor
import SystemFirmware

/// One virtual processor of a PV domain: its kernel runs at privilege level 1, with PSR.vm = 0, and asks for what it may not do: by hypercalls,
/// by hyperprivops, or by privileged instructions that fault and are done for it (`xen/arch/ia64/xen/faults.c`, `privop.c`, `vcpu.c`).
public final class ParavirtualProcessor: VirtualProcessor {
  let registers: ParavirtualRegisters
  /// Of the machine: where ``registers`` are.
  let registersFrame: UInt32
  /// Where the guest wants to be called when events are pending; 0: they are external interrupts.
  var eventCallback: UInt64 = 0
  /// It has been given a state to start with.
  private(set) var isInitialised = false
  /// It takes part in what the domain does.
  private(set) var isUp = false

  /// Where guests see shared_info and, behind it, the mapped registers until they choose another place.
  private static let defaultSharedAddress: UInt64 = 0xF500_0000_0000_0000
  private var sharedAddress = ParavirtualProcessor.defaultSharedAddress
  /// From shared_info to the mapped registers.
  private static let registersOffset: UInt64 = 0x4000

  init(index: Int, domain: Domain, bus: SystemBus, placement: Placement, registersFrame: UInt32) {
    let pool = domain.memory.pool
    guard let page = pool.memory.host(UInt64(registersFrame) << FramePool.frameShift, count: ParavirtualRegisters.size) else {
      preconditionFailure("a frame of the pool is not memory")
    }
    registers = ParavirtualRegisters(page: page, mask: domain.sharedInfo.upcallMask(index))
    self.registersFrame = registersFrame
    super.init(index: index, domain: domain, bus: bus, placement: placement) { [registers] processor in
      processor.setPSR(PSR.ac | ParavirtualRegisters.kernelLevel << PSR.cplShift)
      registers.reset(processor, index: index)
      return GuestContext(paravirtual: registers, memory: domain.memory)
    }
    registers[word: ParavirtualRegisters.Field.interruptMaskAddress] = maskAddress
    processor.state.pointee.halted = true
  }

  /// Stores where the guest may store at any time: `offset` is in the mapped registers, a multiple of 8.
  public func scribble(at offset: Int, _ value: UInt64) { registers[word: offset] = value }

  /// Where the guest finds its `evtchn_upcall_mask`.
  private var maskAddress: UInt64 {
    sharedAddress &+ UInt64(index * SharedInfo.Field.processorInfoSize + SharedInfo.Field.upcallMask)
  }

  override func machineRegions() -> (registers: InlineArray<8, UInt64>, virtual: UInt8) {
    let metaphysical = registers.isMetaphysical
    return (identifiers.registers(metaphysical: metaphysical, mapped: guest.regionRegisters), metaphysical ? 0xFE : 0xFF)
  }

  // MARK: Life

  /// As the domain builder starts processor 0, and SAL the others (section "Start state" of the ABI).
  func start(ip: UInt64, _ prepare: (State) -> Void) {
    let s = processor.state
    s.pointee.ip = ip & ~0xF
    s.ar[AR.rsc] = ParavirtualRegisters.kernelLevel << 2
    prepare(s)
    isInitialised = true
    goUp()
  }

  func initialise(_ context: VirtualProcessorContext) {
    let s = processor.state
    for n in 1..<32 { s.gr[n] = context.general[n] }
    for n in 0..<8 { s.br[n] = context.branches[n] }
    s.pointee.ip = context.ip & ~0xF
    s.ar[AR.rsc] = ParavirtualRegisters.kernelLevel << 2
    for n in 0..<8 { s.ar[AR.k0 + n] = context.application[AR.k0 + n] }
    for n in [AR.fpsr, AR.unat, AR.lc] { s.ar[n] = context.application[n] }
    for n in 0..<8 { guest.regionRegisters[n] = processor.wellFormedRegion(context.regions[n]) }
    registers.setControl(CR.iva, context.iva)
    registers.isMetaphysical = context.psr & PSR.dt == 0
    eventCallback = context.eventCallback
    isInitialised = true
    adoptMode()
  }

  func goUp() {
    guard !isUp else { return }
    isUp = true
    domain.resume(index)
  }

  func goDown() {
    isUp = false
    processor.state.pointee.halted = true
  }

  /// Something for the guest has happened.
  func notice() {
    guard isUp, !isInExit else { return }
    processor.post(vector: MachineVector.attention)
  }

  // MARK: Exits

  /// What happens meanwhile is seen at its end.
  private var isInExit = false

  override var upcomingExit: (ExitKind, detail: UInt64)? {
    let fault = processor.state.pointee.fault
    switch fault.vector {
    case .externalInterrupt: return (.externalInterrupt, 0)
    case .breakInstruction where isKernel:
      if let operation = Hyperprivop(rawValue: fault.iim) { return (.hyperprivop(operation), 0) }
      if fault.iim == Hypercalls.breakImmediate {
        return (.hypercall(processor.state.gr[2]), processor.state.gr[2])
      }
      return (.reflected(fault.vector.rawValue), fault.ifa)
    case .generalException where isKernel && fault.isr & 0xF0 <= 0x20: return (.privilegedOperation, 0)
    // What a miss, or a right that the kernel has not, turns out to be is seen when it is handled.
    case .instructionTLB, .alternateInstructionTLB, .dataTLB, .alternateDataTLB, .vhptTranslation, .dataAccessRights: return nil
    default: return (.reflected(fault.vector.rawValue), fault.ifa)
    }
  }

  override func handleExit() -> ExitReason? {
    isInExit = true
    defer { isInExit = false }
    let reason = handle(processor.state.pointee.fault)
    if reason == nil { deliverEvents() }
    return reason
  }

  private var isKernel: Bool { PSR.cpl(processor.state.pointee.psr) == ParavirtualRegisters.kernelLevel }

  private func handle(_ fault: PendingInterruption) -> ExitReason? {
    switch fault.vector {
    case .externalInterrupt:
      note(.externalInterrupt, 0)
      serviceMachineInterrupts()
    case .instructionTLB, .alternateInstructionTLB, .dataTLB, .alternateDataTLB, .vhptTranslation:
      if !reachShared(fault) { miss(fault) }
    case .breakInstruction where isKernel: return breakInKernel(fault.iim)
    // Privileged operations and registers; and instructions that are illegal with the machine's PSR.ic, but maybe not with the guest's.
    case .generalException where isKernel && fault.isr & 0xF0 <= 0x20:
      note(.privilegedOperation, 0)
      emulate()
    case .dataAccessRights where isKernel: kernelMay(fault)
    default: reflect(fault.vector)
    }
    return nil
  }

  /// shared_info and the mapped registers are in the guest's address space whatever it has mapped. True: that is what it has missed.
  private func reachShared(_ fault: PendingInterruption) -> Bool {
    let offset = fault.ifa &- sharedAddress
    guard offset < Self.registersOffset + UInt64(ParavirtualRegisters.size) else { return false }
    note(.dataMiss, fault.ifa)
    let isShared = offset < Self.registersOffset
    let frame = UInt64(isShared ? domain.sharedInfo.machineFrame : registersFrame) << FramePool.frameShift
    processor.insertShared(
      address: fault.ifa, physical: frame | offset & (FramePool.frameSize - 1),
      pageShift: isShared ? UInt8(FramePool.frameShift) : 12)
    return true
  }

  /// What level 0 may do on a page is not always granted to level 1 (access rights 5): then the instruction has a translation for itself.
  private func kernelMay(_ fault: PendingInterruption) {
    // The register stack engine works between instructions.
    guard fault.isr & ISR.rs == 0 else { return reflect(fault.vector) }
    switch processor.translateMiss(of: guest) {
    case .delivered:
      note(.reflected(fault.vector.rawValue), fault.ifa)
      adoptMode()
    case .deferred: note(.dataMiss, fault.ifa)
    case .page(let page):
      let physical = page.physical | fault.ifa & page.mask
      guard let machine = memory.machine(physical), fault.isr & ISR.w == 0 || memory.isWritable(physical) else {
        return reflect(fault.vector)
      }
      note(.dataMiss, fault.ifa)
      processor.insertMachineTranslation(
        page.allowingKernel, address: fault.ifa, physical: machine, instruction: false, inTable: false)
      let interrupted = processor.stepGuest()
      processor.forgetMachineTranslation(fault.ifa)
      if interrupted { pendingInterruption = true }
    }
  }

  /// The guest's level 0 is the machine's level 1.
  override func machineView(_ page: Translation) -> Translation { page.forParavirtualKernel }

  // MARK: Breaks

  private func breakInKernel(_ immediate: UInt64) -> ExitReason? {
    if let operation = Hyperprivop(rawValue: immediate) {
      note(.hyperprivop(operation), 0)
      processor.perform(operation, of: guest)
      followChanges()
      adoptMode()
      return nil
    }
    guard immediate == Hypercalls.breakImmediate else {
      reflect(.breakInstruction)
      return nil
    }
    let number = processor.state.gr[2]
    note(.hypercall(number), number)
    return finish(call(number))
  }

  private func call(_ number: UInt64) -> Hypercalls.Outcome {
    guard !processor.state.nat(2) else { return .result(XenError.invalid.result) }
    if number < 0x100 || number == Hypercalls.Number.optFeature.rawValue {
      return domain.hypercalls.perform(number, processor.stackedArguments(5), processor: index)
    }
    switch number {
    // SET_SHARED_INFO_VA: region 7, outside of the hypervisor's part of it.
    case 0x600:
      let address = processor.state.gr[28]
      guard address >> 61 == 7, address & 0xFFFF == 0, !(0xF000_0000_0000_0000..<0xF800_0000_0000_0000).contains(address) else {
        return .result(XenError.invalid.result)
      }
      (domain as? ParavirtualDomain)?.moveShared(to: address)
      return .result(0)
    case 0x400:
      (domain as? ParavirtualDomain)?.interrupt(processor.state.gr[14], vector: processor.state.gr[15])
      return .result(processor.state.gr[8])
    default: return (domain as? ParavirtualDomain)?.firmwareCall(number, self) ?? .result(XenError.notImplemented.result)
    }
  }

  /// The guest sees shared_info somewhere else from now on.
  func moveShared(to address: UInt64) {
    processor.purgeMachine()
    sharedAddress = address
    registers[word: ParavirtualRegisters.Field.interruptMaskAddress] = maskAddress
  }

  private func finish(_ outcome: Hypercalls.Outcome) -> ExitReason? {
    switch outcome {
    case .result(let value): processor.returnFromCall(value)
    case .wait:
      processor.returnFromCall(0)
      if !hasEvent { processor.sleep() }
    case .yield:
      processor.returnFromCall(0)
      processor.rest()
    case .stay: adoptMode()
    case .stop:
      processor.returnFromCall(0)
      if domain.shutdownReason != nil { return .stopped }
      processor.state.pointee.halted = true
    }
    return nil
  }

  // MARK: Events

  private func serviceMachineInterrupts() {
    while true {
      switch processor.serviceInterrupt() {
      case MachineVector.timer: timerIsDue()
      case MachineVector.monitor: pend(registers.control(CR.pmv))
      case 15: return
      default: break
      }
    }
  }

  private func timerIsDue() {
    guard eventCallback != 0 else { return pend(registers.control(CR.itv)) }
    guard registers.control(CR.itv) & 1 << 16 == 0 else { return }
    domain.services.events.raise(VirtualInterrupt.intervalTimer, in: domain.domainNumber, processor: index)
  }

  /// Of a guest without a callback: an external interrupt, unless the register masks it.
  private func pend(_ register: UInt64) {
    if register & 1 << 16 == 0 { pend(vector: UInt8(truncatingIfNeeded: register)) }
  }

  func pend(vector: UInt8) { processor.post(vector: vector, to: guest) }

  private var hasEvent: Bool {
    domain.sharedInfo.upcallPending(index) || processor.hasPendingInterrupt(guest)
  }

  /// The guest is about to go on: what has happened and is not masked comes first.
  private func deliverEvents() {
    let shared = domain.sharedInfo
    guard !registers.isMasked, registers.collectsInterruptions else { return }
    if eventCallback != 0 {
      guard shared.upcallPending(index) else { return }
      note(.event, eventCallback)
      processor.deliverEvents(to: guest, callback: eventCallback)
    } else {
      if shared.upcallPending(index) { pend(vector: UInt8(truncatingIfNeeded: shared.halfWord(SharedInfo.Field.eventVector))) }
      guard processor.deliverExternalInterrupt(to: guest) else { return }
      note(.event, 0)
    }
    adoptMode()
  }
}
