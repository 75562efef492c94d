import IA64

/// Virtualized instructions with PSR.vm = 1 (Volume 2, table 3-10): what the accelerations do, and the intercept where they do not.
///
/// Bodies call ``intercepted(_:_:)`` or one of the functions below at the place where the manual's pseudo-code has
/// virtualization_fault(), behind the checks that come before it.
extension LogicalProcessor {
  /// A guest runs.
  @inline(__always) var isVirtual: Bool { state.pointee.psr & PSR.vm != 0 }

  /// Nil outside of guests, else the Virtualization fault.
  @inline(__always) func intercepted(_ cause: InterceptCause, _ o: MicroOp) -> StepResult? {
    isVirtual ? intercept(cause, o) : nil
  }

  /// Virtualization fault. PAL hands over the opcode; if the page of the code has just left the TLB, that miss comes first.
  @inline(never) func intercept(_ cause: InterceptCause, _ o: MicroOp) -> StepResult {
    let bundle = state.pointee.ip &+ UInt64(o.position / 3) &* 16
    guard let physical = translateFetch(bundle) else { return .fault }
    let host = memory.host(physical & ~0xF).map { UnsafeRawPointer($0) } ?? UnsafeRawPointer(voidBundles)
    raise(.virtualization)
    state.pointee.fault.cause = cause.rawValue
    state.pointee.fault.opcode = Bundle(
      low: host.loadUnaligned(as: UInt64.self), high: host.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    ).slot(Int(o.position % 3))
    return .fault
  }

  // MARK: Accelerations

  /// ssm and rsm that change nothing but PSR.i.
  func accelerateSystemMask(_ bits: UInt64, set: Bool, _ o: MicroOp) -> StepResult {
    guard bits == PSR.i, let vpd = engine.pointee.descriptor, vpd.vac.contains(.interrupts) else {
      return intercept(set ? .ssm : .rsm, o)
    }
    vpd.vpsr = set ? vpd.vpsr | PSR.i : vpd.vpsr & ~PSR.i
    lookForVirtualInterrupt()
    return .exit
  }

  func accelerateMoveFromPSR(into r1: UInt8, _ o: MicroOp) -> StepResult {
    guard let vpd = engine.pointee.descriptor, vpd.vac.contains(.fromPSR) else { return intercept(.movFromPSR, o) }
    let visible = vpd.vpsr & ~PSR.userMask | state.pointee.psr & PSR.userMask
    state.gr[Int(r1)] = visible & PSR.readable
    return .next
  }

  func accelerateCover(_ o: MicroOp) -> StepResult {
    guard let vpd = engine.pointee.descriptor, vpd.vac.contains(.cover) else { return intercept(.cover, o) }
    if vpd.vpsr & PSR.ic == 0 { vpd.vcr[CR.ifs] = cfm | 1 << 63 }
    coverFrame(recording: false)
    return .next
  }

  func accelerateBankSwitch(to bank: UInt64, _ o: MicroOp) -> StepResult {
    guard let vpd = engine.pointee.descriptor, vpd.vac.contains(.bankSwitch) else {
      return intercept(bank == 0 ? .bsw0 : .bsw1, o)
    }
    if vpd.vpsr & PSR.bn != bank {
      typealias Field = VirtualProcessorDescriptor.Field
      let toBank1 = bank != 0
      let saved = vpd.pointer(toBank1 ? Field.bank0 : Field.bank1)
      let loaded = vpd.pointer(toBank1 ? Field.bank1 : Field.bank0)
      for i in 0..<16 {
        saved[i] = state.gr[16 + i]
        state.gr[16 + i] = loaded[i]
      }
      vpd.setSavedNaTs(bank1: !toBank1, state.pointee.natLow >> 16 & 0xFFFF)
      state.pointee.natLow = state.pointee.natLow & ~0xFFFF_0000 | vpd.savedNaTs(bank1: toBank1) << 16
      vpd.vpsr = vpd.vpsr & ~PSR.bn | bank
    }
    return .exit
  }

  func accelerateMoveFromCPUID(_ index: Int, into r1: UInt8, _ o: MicroOp) -> StepResult {
    guard let vpd = engine.pointee.descriptor, vpd.vac.contains(.fromCPUID), index < 5,
      index <= Int(truncatingIfNeeded: vpd.vcpuid[3] & 0xFF)
    else { return intercept(.movFromCPUID, o) }
    state.gr[Int(r1)] = vpd.vcpuid[index]
    return .next
  }

  /// The interruption control registers that the accelerations cover: IPSR to IHA.
  private static func isInterruptionCR(_ n: Int) -> Bool { n >= CR.ipsr && n <= CR.iha }

  /// Nil: the guest may read the processor's own register.
  func virtualReadCR(_ n: Int, into r1: UInt8, _ o: MicroOp) -> StepResult? {
    guard let vpd = engine.pointee.descriptor else { return intercept(.movFromCR, o) }
    if isNotVirtualized(n, vpd.vdc) { return nil }
    let accelerated =
      Self.isInterruptionCR(n) && vpd.vac.contains(.fromInterruptionCR) && vpd.vpsr & PSR.ic == 0
      || n == CR.tpr && vpd.vac.contains(.interrupts)
    guard accelerated else { return intercept(.movFromCR, o) }
    state.gr[Int(r1)] = vpd.vcr[n]
    return .next
  }

  /// Nil: the guest may write the processor's own register. `value` has passed the checks of its fields.
  func virtualWriteCR(_ n: Int, _ value: UInt64, _ o: MicroOp) -> StepResult? {
    guard let vpd = engine.pointee.descriptor else { return intercept(.movToCR, o) }
    if isNotVirtualized(n, vpd.vdc) { return nil }
    if Self.isInterruptionCR(n) && vpd.vac.contains(.toInterruptionCR) && vpd.vpsr & PSR.ic == 0 {
      vpd.vcr[n] = value
      return .next
    }
    if n == CR.tpr && vpd.vac.contains(.interrupts) {
      vpd.vcr[n] = value
      lookForVirtualInterrupt()
      return .exit
    }
    return intercept(.movToCR, o)
  }

  // MARK: Disables

  private func isNotVirtualized(_ cr: Int, _ vdc: VirtualProcessorDescriptor.Disables) -> Bool {
    VirtualProcessorDescriptor.Disables.covering(controlRegister: cr).map { vdc.contains($0) } ?? false
  }

  /// The current VPD has this disable set.
  func disables(_ bit: VirtualProcessorDescriptor.Disables) -> Bool { engine.pointee.descriptor?.vdc.contains(bit) == true }

  // MARK: AR.ITC and vmsw

  /// mov r = ar.itc in a guest (Volume 2, table 11-25; the rows with gitc = 1 and PSR.si = 1 are inferred). Nil: it reads ITC itself.
  func virtualReadITC(into r1: UInt8, _ o: MicroOp) -> StepResult? {
    if state.pointee.virtualEnvironment.acceleratesITC {
      if PSR.cpl(state.pointee.psr) != 0, let vpd = engine.pointee.descriptor, vpd.vpsr & PSR.si != 0 {
        return privilegedRegister()
      }
      state.gr[Int(r1)] = itc &+ state.cr[CR.ito]
      return .next
    }
    return state.pointee.psr & PSR.si == 0 ? nil : intercept(.movFromAR, o)
  }

  /// vmsw.0 and vmsw.1 at level 0 (Volume 3): only on a page with access rights 7, which also promote (epc). PSR.vm is implemented, so that
  /// vmsw is never illegal. Without an environment nobody has enabled virtual machines, which is the fault for that.
  func switchVirtualMode(to vm: UInt64, _ o: MicroOp) -> StepResult {
    let psr = state.pointee.psr
    let environment = state.pointee.virtualEnvironment
    let bundle = state.pointee.ip &+ UInt64(o.position / 3) &* 16
    guard psr & PSR.it != 0, environment.isActive, environment.hasVMSW, !disables(.vmsw) else { return intercept(.vmsw, o) }
    guard translateFetch(bundle) != nil else { return .fault }
    guard let page = instructionTLB.lookup(offset(bundle), rid(bundle))?.pointee, page.accessRights == 7 else {
      return intercept(.vmsw, o)
    }
    setPSRInBlock(psr & ~PSR.vm | vm)
    if vm != 0 { lookForVirtualInterrupt() }
    return .exit
  }
}
