import Platform
import Processor

/// One virtual processor of an HVM domain: it runs with PSR.vm = 1, on a VPD.
public final class HVMProcessor: VirtualProcessor {
  var initializationPending = false

  /// `descriptor`: where the pool has put the VPD.
  init(
    index: Int, domain: HVMDomain, bus: SystemBus, placement: Placement, descriptor: UInt64,
    accelerations: VirtualProcessorDescriptor.Accelerations
  ) {
    let memory = domain.memory
    hvmDomain = domain
    super.init(index: index, domain: domain, bus: bus, placement: placement) { processor in
      processor.setVirtualProcessor(descriptor)
      guard let vpd = processor.virtualProcessor else { preconditionFailure("the VPD is in the machine's memory") }
      vpd.vac = accelerations
      vpd.vdc = .vmsw
      let s = processor.state
      for n in 0..<5 { vpd.vcpuid[n] = s.cpuid[n] }
      for n in 0..<128 { vpd.vcr[n] = s.cr[n] }
      for region in 0..<8 { vpd.vrr[region] = s.rr[region] }
      return GuestContext(descriptor: vpd, memory: memory)
    }
  }

  private unowned let hvmDomain: HVMDomain
  var vpd: VirtualProcessorDescriptor { guest.descriptor }

  override func machineRegions() -> (registers: InlineArray<8, UInt64>, virtual: UInt8) {
    let translation = PSR.it | PSR.dt | PSR.rt
    return (
      identifiers.registers(psr: vpd.vpsr, mapped: guest.regionRegisters), vpd.vpsr & translation == translation ? 0xFF : 0
    )
  }

  override func prepare() { if initializationPending && vpd.vpsr & PSR.mc == 0 { takeInitialization() } }

  private func takeInitialization() {
    initializationPending = false
    processor.withGuest(guest) { bus.initialization(of: processor) }
    adoptMode()
  }

  override var upcomingExit: (ExitKind, detail: UInt64)? {
    let fault = processor.state.pointee.fault
    switch fault.vector {
    case .virtualization: return InterceptCause(rawValue: fault.cause).map { (.instruction($0), fault.opcode) }
    case .externalInterrupt: return (.externalInterrupt, 0)
    case .virtualExternalInterrupt: return (.virtualExternalInterrupt, 0)
    case .instructionTLB, .alternateInstructionTLB, .dataTLB, .alternateDataTLB, .vhptTranslation: return nil
    case .breakInstruction where PSR.cpl(processor.state.pointee.psr) == 0:
      if Self.gates.contains(fault.iim) { return (.firmware, fault.iim & 0xF_FFFF) }
      if fault.iim == Hypercalls.breakImmediate {
        return (.hypercall(processor.state.gr[2]), processor.state.gr[2])
      }
      return (.reflected(fault.vector.rawValue), fault.ifa)
    default: return (.reflected(fault.vector.rawValue), fault.ifa)
    }
  }

  override func handleExit() -> ExitReason? {
    let reason = handle(processor.state.pointee.fault)
    if index == 0 { hvmDomain.settleCallback() }
    return reason
  }

  private func handle(_ fault: PendingInterruption) -> ExitReason? {
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
      if let outcome = hypercall(fault.iim) { return finish(outcome) }
      reflect(fault.vector)
    case .natConsumption where fault.isr & (ISR.r | ISR.w | ISR.na | ISR.x) == 0:
      // Illegal operations that depend on the guest's own PSR.ic come before it.
      note(.reflected(fault.vector.rawValue), 0)
      emulate()
    default: reflect(fault.vector)
    }
    return nil
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
    let ip = processor.state.pointee.ip | PSR.ri(processor.state.pointee.psr)
    guard let outcome = processor.performGate(number, of: guest, bus) else { return nil }
    note(.firmware, number, ip: ip)
    adoptMode()
    return outcome
  }

  // MARK: Hypercalls

  /// Nil: the break is not one. Guests with paravirtualized drivers make them at level 0.
  private func hypercall(_ immediate: UInt64) -> Hypercalls.Outcome? {
    let s = processor.state
    guard immediate == Hypercalls.breakImmediate, PSR.cpl(s.pointee.psr) == 0 else { return nil }
    let number = s.gr[2]
    note(.hypercall(number), number)
    guard !s.nat(2) else { return .result(XenError.invalid.result) }
    return domain.hypercalls.perform(number, processor.stackedArguments(5), processor: index)
  }

  private func finish(_ outcome: Hypercalls.Outcome) -> ExitReason? {
    switch outcome {
    case .result(let value): processor.returnFromCall(value)
    // An interrupt ends it, of events or of devices; the guest must have a way to take it.
    case .wait:
      processor.returnFromCall(0)
      hvmDomain.isPolling[index] = true
      if !processor.hasPendingInterrupt(guest) { processor.sleep() }
    case .yield:
      processor.returnFromCall(0)
      processor.rest()
    case .stay: break
    case .stop:
      processor.returnFromCall(0)
      if domain.shutdownReason != nil { return .stopped }
    }
    adoptMode()
    return nil
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
