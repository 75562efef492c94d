/// Delivery of interruptions (Volume 2, section 5.5 and table 3-2).
extension LogicalProcessor {
  /// Delivers `state.pointee.fault`. On entry IP and PSR.ri name the instruction at which execution will resume (the faulting
  /// one; for traps the next), `slot` is the slot of the instruction that caused it.
  @inline(never) func deliverPending(slot: UInt64) {
    let s = state
    let fault = s.pointee.fault
    let psr = s.pointee.psr
    let collects = psr & PSR.ic != 0
    defer { observer?.interrupted(self, fault.vector, slot: slot) }
    if fault.vector == .dataNestedTLB {
      enter(fault.vector)
      return
    }
    var isr = fault.isr | slot << ISR.eiShift
    if !collects { isr |= ISR.ni }
    if s.pointee.frameIncomplete { isr |= ISR.ir }
    s.cr[CR.isr] = isr
    if collects {
      s.cr[CR.ipsr] = psr
      s.cr[CR.iip] = s.pointee.ip
      recordPreviousBundle()
      s.cr[CR.ifs] = 0
      guest?.paravirtual?.interrupted(unat: s.ar[AR.unat], frame: cfm)
      if fault.writes.contains(.ifa) { s.cr[CR.ifa] = fault.ifa }
      if fault.writes.contains(.itir) { s.cr[CR.itir] = fault.itir }
      if fault.writes.contains(.iha) { s.cr[CR.iha] = fault.iha }
      if fault.writes.contains(.iim) { s.cr[CR.iim] = fault.iim }
    }
    enter(fault.vector)
    if fault.vector == .virtualization && s.pointee.virtualEnvironment.isActive { handOver(fault) }
  }

  /// PAL takes virtualization faults first, and says in bank 0 what was intercepted (Volume 2, section 11.7.3).
  private func handOver(_ fault: PendingInterruption) {
    let environment = state.pointee.virtualEnvironment
    if environment.givesCause { state.gr[24] = UInt64(fault.cause) }
    state.gr[25] = fault.opcode
    state.setNaT(24, false)
    state.setNaT(25, false)
    if environment.interceptHandler != 0 { state.pointee.ip = environment.interceptHandler & ~0xF }
  }

  /// CR.IIPA: the bundle of the last instruction that executed while PSR.ic was set (Volume 2, section 3.3.5.6). The engine keeps
  /// it as the place where it was last; it becomes the register when somebody may look, or PSR.ic is cleared.
  func recordPreviousBundle() {
    state.cr[CR.iipa] = engine.pointee.previousIP &+ engine.pointee.previousPosition / 3 &* 16
  }

  private func enter(_ vector: Vector) {
    let s = state
    let psr = s.pointee.psr
    let dcr = s.cr[CR.dcr]
    s.pointee.frameIncomplete = false
    setPSR(psr & PSR.keptByInterruption | (dcr & DCR.be != 0 ? PSR.be : 0) | (dcr & DCR.pp != 0 ? PSR.pp : 0))
    s.pointee.ip = s.cr[CR.iva] & ~0x7FFF &+ UInt64(vector.rawValue)
    engine.pointee.interruptions &+= 1
    if isTimed { notice(.interruption) }
    if engine.pointee.deliveredAt == s.pointee.instructions {
      engine.pointee.fruitlessDeliveries &+= 1
    } else {
      engine.pointee.deliveredAt = s.pointee.instructions
      engine.pointee.fruitlessDeliveries = 0
    }
  }

  /// Takes the virtual external interrupt that the VPD's vhpi has promised.
  func deliverVirtualInterrupt() {
    state.pointee.virtualInterruptPending = false
    raise(.virtualExternalInterrupt)
    deliverPending(slot: PSR.ri(state.pointee.psr))
  }

  /// Takes the external interrupt if one is pending, unmasked and PSR.i is set.
  func deliverExternalInterrupt() {
    raise(.externalInterrupt)
    deliverPending(slot: PSR.ri(state.pointee.psr))
  }
}
