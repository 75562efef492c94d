import IA64

/// System instructions (Volume 3): each body checks in the manual's order: special illegal conditions, privilege, NaT (done by the NaT
/// stepper), reserved registers and fields, virtualization, then acts.
extension LogicalProcessor {
  @inline(never) func privilegedOperation(_ code: UInt64 = 0) -> StepResult {
    raise(.generalException, isr: GeneralException.privilegedOperation | code)
    return .fault
  }

  private var cpl: UInt64 { PSR.cpl(state.pointee.psr) }

  @inline(never)
  func system(_ o: MicroOp, _ g: GeneralOperands) -> StepResult {
    let s = state
    let flags = g.attributes.flags
    // CR16...CR27, itc and itr are illegal with PSR.ic = 1, which is checked before privilege. In a guest that is not the PSR.ic that
    // counts: its own is in the VPD.
    switch g.operation {
    case .itcD, .itcI, .itrD, .itrI:
      if s.pointee.psr & (PSR.ic | PSR.vm) == PSR.ic { return illegalOperation() }
    case .movToCR, .movFromCR:
      if let failure = controlRegisterIsIllegal(Int(o.b), write: g.operation == .movToCR) { return failure }
    default: break
    }
    if flags.contains(.privileged) && cpl != 0 {
      let code = g.operation == .tpa ? DataAccess.NonAccess.tpa : g.operation == .tak ? DataAccess.NonAccess.tak : 0
      return privilegedOperation(code)
    }
    switch g.operation {
    case .breakInstruction: return breakpoint(o)
    case .flushrs: return flushRegisterStack() ? .next : .fault
    case .loadrs:
      if s.ar[AR.rsc] & 3 != 0 { return illegalOperation() }
      let bytes = s.ar[AR.rsc] >> 16 & 0x3FF8
      if s.pointee.sof != 0 && bytes != 0 { return illegalOperation() }
      if BackingStore.registers(from: s.pointee.bsp &- bytes, to: s.pointee.bsp) > 96 - s.pointee.sof { return illegalOperation() }
      guard loadRegisterStack() else { return .fault }
      return noNaT ? .next : .exit
    case .cover:
      if isVirtual { return accelerateCover(o) }
      coverFrame()
      return .next

    case .sum, .rum:
      let bits = UInt64(bitPattern: o.imm)
      if bits & ~PSR.userMask != 0 { return reservedField() }
      // PSR.up cannot be changed while PSR.sp is set.
      let allowed = s.pointee.psr & PSR.sp != 0 ? bits & ~PSR.up : bits
      setPSRInBlock(g.operation == .sum ? s.pointee.psr | allowed : s.pointee.psr & ~allowed)
      return .exit
    case .movToPSRUM:
      let value = s.gr[Int(o.a)]
      // All of the register counts: what is not in the user mask is reserved.
      if value & ~PSR.userMask != 0 { return reservedField() }
      var mask = PSR.userMask
      if s.pointee.psr & PSR.sp != 0 { mask &= ~PSR.up }
      setPSRInBlock(s.pointee.psr & ~mask | value & mask)
      return .exit
    case .movFromPSRUM:
      s.gr[Int(o.d)] = s.pointee.psr & PSR.userMask
      return .next
    case .ssm, .rsm:
      let bits = UInt64(bitPattern: o.imm)
      if bits & PSR.reserved != 0 { return reservedField() }
      if isVirtual { return accelerateSystemMask(bits, set: g.operation == .ssm, o) }
      setSystemMask(g.operation == .ssm ? s.pointee.psr | bits : s.pointee.psr & ~bits, o)
      return .exit
    case .movToPSRL:
      let value = s.gr[Int(o.a)]
      if value & 0xFFFF_FFFF & PSR.reserved != 0 { return reservedField() }
      if let fault = intercepted(.movToPSR, o) { return fault }
      setSystemMask(s.pointee.psr & ~0xFFFF_FFFF | value & 0xFFFF_FFFF, o)
      return .exit
    case .movFromPSR:
      if isVirtual { return accelerateMoveFromPSR(into: o.d, o) }
      s.gr[Int(o.d)] = s.pointee.psr & PSR.readable
      return .next
    case .bsw0, .bsw1:
      let bank = g.operation == .bsw1 ? PSR.bn : 0
      if isVirtual { return accelerateBankSwitch(to: bank, o) }
      setPSRInBlock(s.pointee.psr & ~PSR.bn | bank)
      return .exit
    case .rfi:
      if let fault = intercepted(.rfi, o) { return fault }
      return returnToInterrupted()
    case .epc: return enterPrivilegedCode(o)
    case .brIA:
      if s.pointee.bspStore != s.pointee.bsp { return illegalOperation() }
      return disabledInstructionSetTransition()
    case .vmsw: return switchVirtualMode(to: o.imm & 1 != 0 ? PSR.vm : 0, o)

    case .movToCR: return writeCR(Int(o.b), s.gr[Int(o.a)], o)
    case .movFromCR: return readCR(Int(o.b), into: o.d, o)
    case .movToIndirect: return writeIndirect(g.attributes.indirect, index: s.gr[Int(o.b)], s.gr[Int(o.a)], o)
    case .movFromIndirect: return readIndirect(g.attributes.indirect, index: s.gr[Int(o.b)], into: o.d, o)

    case .itcD, .itcI, .itrD, .itrI, .ptcL, .ptcG, .ptcGA, .ptcE, .ptrD, .ptrI: return translationInstruction(o, g)
    case .probe, .probeImmediate, .probeFault, .thash, .ttag, .tpa, .tak, .fc, .fcI: return inspectTranslation(o, g)

    default: return illegalOperation()
    }
  }

  /// ssm, rsm and mov psr.l. If they clear PSR.ic, IIPA is undefined (Volume 2, section 3.3.5.6); here it names their bundle.
  private func setSystemMask(_ psr: UInt64, _ o: MicroOp) {
    if state.pointee.psr & ~psr & PSR.ic != 0 {
      state.cr[CR.iipa] = state.pointee.ip &+ UInt64(o.position / 3) &* 16
    }
    setPSRInBlock(psr)
  }

  private func breakpoint(_ o: MicroOp) -> StepResult {
    let immediate = UInt64(bitPattern: o.imm)
    // The firmware's own pages call out of the machine with immediates that no other code can use for that.
    if immediate >= 0x10_0000 && immediate < 0x20_0000 && gateAllowed(o) {
      return firmwareGate(immediate & 0xF_FFFF, o)
    }
    raise(.breakInstruction)
    state.pointee.fault.iim = immediate
    state.pointee.fault.writes = .iim
    return .fault
  }

  /// rfi (Volume 3): PSR from IPSR, IP from IIP, the frame from IFS if that is valid.
  func returnToInterrupted() -> StepResult {
    let s = state
    let ipsr = s.cr[CR.ipsr]
    if ipsr & PSR.is != 0 { return disabledInstructionSetTransition() }
    let ifs = s.cr[CR.ifs]
    let slot = PSR.ri(ipsr)
    s.pointee.ip = s.cr[CR.iip] & ~0xF
    setPSR(ipsr & ~PSR.riMask | (slot == 3 ? 0 : slot) << PSR.riShift, after: 1)
    if ipsr & PSR.vm != 0 { lookForVirtualInterrupt() }
    if ifs >> 63 != 0 {
      // Missing registers are loaded before the target is fetched; `frameIncomplete` tells the dispatcher.
      _ = restoreFrame(ifs & 0x3F_FFFF_FFFF, preserved: Int(ifs & 0x7F))
    } else if s.pointee.dirty < 0 {
      // A handler that did not `cover` (a TLB miss of the mandatory loads themselves) returns to them (Volume 2, section 6.8).
      s.pointee.frameIncomplete = true
    }
    observer?.returned(self)
    return .jumped
  }

  /// The processor has no IA-32 instruction set (the Montecito lost it): br.ia behaves as if PSR.di were always set, and so does an rfi
  /// to IA-32 code, which the manual lets PSR.di pass.
  private func disabledInstructionSetTransition() -> StepResult {
    raise(.generalException, isr: GeneralException.disabledInstructionSetTransition)
    return .fault
  }

  /// epc: code on a gate page (access rights 7) gains the page's privilege (Volume 3).
  private func enterPrivilegedCode(_ o: MicroOp) -> StepResult {
    let s = state
    let psr = s.pointee.psr
    if s.ar[AR.pfs] >> 62 < PSR.cpl(psr) { return illegalOperation() }
    var level: UInt64 = 0
    if psr & PSR.it != 0 {
      let ip = s.pointee.ip
      // The page may have left the TLB while its code was running from a block: then this is the miss, not a missed promotion.
      guard translateFetch(ip &+ UInt64(o.position / 3) &* 16) != nil else { return .fault }
      guard let page = instructionTLB.lookup(offset(ip), rid(ip))?.pointee else { return .fault }
      level = page.accessRights == 7 ? min(UInt64(page.privilegeLevel), PSR.cpl(psr)) : PSR.cpl(psr)
    }
    setPSRInBlock(psr & ~PSR.cplMask | level << PSR.cplShift)
    return .exit
  }
}
