import IA64

/// itc, itr, ptc, ptr, probe, tak, tpa, thash, ttag, fc (Volume 3).
extension LogicalProcessor {
  func translationInstruction(_ o: MicroOp, _ g: GeneralOperands) -> StepResult {
    let s = state
    if isVirtual { return interceptTranslation(o, g.operation) }
    switch g.operation {
    case .itcD, .itcI:
      guard let t = makeTranslation(s.gr[Int(o.a)], itir: s.cr[CR.itir], address: s.cr[CR.ifa]) else { return reservedField() }
      insertCache(t, instruction: g.operation == .itcI)
      observer?.inserted(self, t, address: s.cr[CR.ifa], register: nil, instruction: g.operation == .itcI)
      guest?.changes.append(.purged(start: t.base, last: t.base | t.mask, rid: t.rid, isGlobal: false))
      return .exit
    case .itrD, .itrI:
      let slot = Int(s.gr[Int(o.b)] & 0xFF)
      guard slot < TLB.registerCount,
        let t = makeTranslation(s.gr[Int(o.a)], itir: s.cr[CR.itir], address: s.cr[CR.ifa])
      else { return reservedField() }
      if g.operation == .itrI {
        instructionTLB.insertRegister(slot, t)
      } else {
        dataTLB.insertRegister(slot, t)
      }
      mapsChanged()
      observer?.inserted(self, t, address: s.cr[CR.ifa], register: slot, instruction: g.operation == .itrI)
      guest?.changes.append(.purged(start: t.base, last: t.base | t.mask, rid: t.rid, isGlobal: false))
      return .exit
    case .ptcE:
      guest?.changes.append(.purgedAll)
      observer?.purged(self, TranslationPurge(kind: .everything))
      instructionTLB.purgeAllCache()
      dataTLB.purgeAllCache()
      mapsChanged()
      return .exit
    case .ptcL, .ptcG, .ptcGA, .ptrD, .ptrI:
      let address = s.gr[Int(o.b)]
      let shift = s.gr[Int(o.a)] >> 2 & 0x3F
      // Purge sizes are the insertable ones and 4 GiB; others are reserved.
      guard pageSizeImplemented(shift) else { return reservedField() }
      let start = offset(address) & ~((1 << shift) - 1)
      let last = start | ((1 << shift) - 1)
      if g.operation == .ptrD {
        dataTLB.purgeRegisters(start, last, rid(address))
        dataTLB.purgeCache(start, last, rid(address))
      } else if g.operation == .ptrI {
        instructionTLB.purgeRegisters(start, last, rid(address))
        instructionTLB.purgeCache(start, last, rid(address))
      } else {
        purge(start, last, rid(address))
        // The others lose their ALAT entries as well, ptc.ga or not: they do so whenever this one has run (Volume 3, ptc.ga).
        if g.operation != .ptcL && guest == nil {
          parallel?.stopOthers()
          seenPurges = domain.announce(purge: .init(start: start, last: last, rid: rid(address)))
        }
      }
      let isGlobal = g.operation == .ptcG || g.operation == .ptcGA
      observer?.purged(
        self,
        TranslationPurge(
          kind: Self.purgeKind(g.operation), start: address ^ offset(address) | start, last: address ^ offset(address) | last,
          rid: rid(address)))
      guest?.changes.append(.purged(start: start, last: last, rid: rid(address), isGlobal: isGlobal))
      if g.operation != .ptrI { softTLB.purge(start: start, last: last) }
      if g.operation != .ptrD { codeMapChanged() }
      return .exit
    default: return illegalOperation()
    }
  }

  /// In a guest: reserved operands first, as far as they are the guest's own. The page size of an insert is not, because CR.ITIR is the
  /// monitor's (Volume 3, itr, ptc.l: virtualization_fault() is what comes before the action).
  private func interceptTranslation(_ o: MicroOp, _ operation: Operation) -> StepResult {
    let s = state
    switch operation {
    case .itrD, .itrI:
      if Int(s.gr[Int(o.b)] & 0xFF) >= TLB.registerCount || !isTranslation(s.gr[Int(o.a)]) { return reservedField() }
    case .itcD, .itcI:
      if !isTranslation(s.gr[Int(o.a)]) { return reservedField() }
    case .ptcE: break
    default:
      if !pageSizeImplemented(s.gr[Int(o.a)] >> 2 & 0x3F) { return reservedField() }
    }
    return intercept(Self.cause(of: operation), o)
  }

  private static func purgeKind(_ operation: Operation) -> TranslationPurge.Kind {
    switch operation {
    case .ptcL: .local
    case .ptcG: .global
    case .ptcGA: .globalALAT
    case .ptrD: .dataRegisters
    case .ptrI: .instructionRegisters
    default: .everything
    }
  }

  private static func cause(of operation: Operation) -> InterceptCause {
    switch operation {
    case .itcD: .itcD
    case .itcI: .itcI
    case .itrD: .itrD
    case .itrI: .itrI
    case .ptcL: .ptcL
    case .ptcG: .ptcG
    case .ptcGA: .ptcGA
    case .ptrD: .ptrD
    case .ptrI: .ptrI
    default: .ptcE
    }
  }

  /// Purges both caches; true if the one for instructions held something of the range.
  @discardableResult
  func purge(_ start: UInt64, _ last: UInt64, _ rid: UInt32) -> Bool {
    dataTLB.purgeCache(start, last, rid)
    return instructionTLB.purgeCache(start, last, rid)
  }

  func mapsChanged() {
    softTLB.purgeVirtual()
    codeMapChanged()
  }

  func inspectTranslation(_ o: MicroOp, _ g: GeneralOperands) -> StepResult {
    let s = state
    let psr = s.pointee.psr
    let address = s.gr[Int(o.b)]
    switch g.operation {
    case .thash:
      if let fault = intercepted(.thash, o) { return fault }
      s.gr[Int(o.d)] = vhptAddress(address)
      return .next
    case .ttag:
      if let fault = intercepted(.ttag, o) { return fault }
      s.gr[Int(o.d)] = vhptTag(address)
      return .next

    case .tpa:
      if let fault = intercepted(.tpa, o) { return fault }
      var access = DataAccess(
        isr: ISR.na | ISR.r | DataAccess.NonAccess.tpa, reads: true, writes: false, privilege: 0, translate: true)
      access.checksAccessBits = false
      access.checksKeys = false
      access.checksRights = false
      switch translate(address, size: 1, access) {
      case .done:
        s.gr[Int(o.d)] = translated.physical
        return .next
      case .fault, .deferred: return .fault
      }

    case .tak:
      if let fault = intercepted(.tak, o) { return fault }
      // A miss that the walker cannot serve is an answer, not a fault.
      let access = DataAccess(isr: 0, reads: true, writes: false, privilege: 0, translate: true)
      let page = lookupData(address, access)?.pointee
      s.gr[Int(o.d)] = page.map { $0.present ? UInt64($0.key) << 8 : 1 } ?? 1
      return .next

    case .probe, .probeImmediate:
      let requested = g.operation == .probe ? s.gr[Int(o.a)] & 3 : UInt64(bitPattern: o.imm) & 3
      let writes = g.attributes.variant == .write
      var access = DataAccess(
        isr: ISR.na | (writes ? ISR.w : ISR.r) | DataAccess.NonAccess.probe, reads: !writes, writes: writes,
        privilege: max(PSR.cpl(psr), requested), translate: true)
      access.checksAccessBits = false
      access.faultsOnRights = false
      switch translate(address, size: 1, access) {
      case .done:
        s.gr[Int(o.d)] = translated.permitted ? 1 : 0
        return .next
      case .fault, .deferred: return .fault
      }

    case .probeFault:
      let reads = g.attributes.variant != .write
      let writes = g.attributes.variant != .read
      let access = DataAccess(
        isr: ISR.na | (reads ? ISR.r : 0) | (writes ? ISR.w : 0) | DataAccess.NonAccess.probeFault, reads: reads, writes: writes,
        privilege: max(PSR.cpl(psr), UInt64(bitPattern: o.imm) & 3), translate: psr & PSR.dt != 0)
      return translate(address, size: 1, access) == .done ? .next : .fault

    case .fc, .fcI:
      var access = DataAccess(
        isr: ISR.na | ISR.r | DataAccess.NonAccess.fc, reads: true, writes: false, privilege: PSR.cpl(psr),
        translate: psr & PSR.dt != 0)
      access.checksAccessBits = false
      access.checksKeys = false
      access.checksRights = PSR.cpl(psr) != 0
      guard translate(address, size: 1, access) == .done else { return .fault }
      // Stores to translated code drop it at once, so there is nothing stale to flush; the reference has been checked.
      return .next

    default: return illegalOperation()
    }
  }

  /// lfetch (Volume 3): without .fault it never faults.
  func prefetch(_ o: MicroOp, _ g: GeneralOperands) -> StepResult {
    guard g.attributes.flags.contains(.fault) else { return .next }
    let psr = state.pointee.psr
    if psr & PSR.ed != 0 { return .next }
    let access = DataAccess(
      isr: ISR.na | ISR.r | DataAccess.NonAccess.lfetch, reads: true, writes: false, privilege: PSR.cpl(psr),
      translate: psr & PSR.dt != 0)
    return translate(state.gr[Int(o.b)], size: 1, access) == .done ? .next : .fault
  }
}
