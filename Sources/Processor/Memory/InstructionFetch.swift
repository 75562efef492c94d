/// The instruction side of translation: fetches and their checks (Volume 2, section 5.5.2, instruction group).
extension LogicalProcessor {
  /// Translates an instruction fetch (Volume 2, section 5.5.2, instruction group). nil: a fault has been raised.
  func translateFetch(_ address: UInt64) -> UInt64? {
    let psr = state.pointee.psr
    if psr & PSR.it == 0 {
      if unimplementedPhysical(address) {
        raise(.lowerPrivilegeTransfer, isr: 0x10, address: address, itir: false)
        return nil
      }
      if failsInstructionBreakpoint(address) { return nil }
      return address & Implementation.physicalMask
    }
    if unimplementedVirtual(address) {
      raise(.lowerPrivilegeTransfer, isr: 0x10, address: address, itir: false)
      return nil
    }
    guard let entry = lookupInstruction(address) else { return nil }
    let t = entry.pointee
    if !t.present { return failFetch(.pageNotPresent, 0, address) }
    if t.attribute == MemoryAttribute.natPage { return failFetch(.natConsumption, 0x20, address) }
    if psr & PSR.pk != 0 {
      switch checkKey(t.key, 8) {
      case .pass: break
      case .miss: return failFetch(.instructionKeyMiss, 0, address)
      case .denied: return failFetch(.keyPermission, 0, address)
      }
    }
    let rights = AccessRights.granted(t.accessRights, page: UInt64(t.privilegeLevel), cpl: PSR.cpl(psr))
    if rights & AccessRights.execute == 0 { return failFetch(.instructionAccessRights, 0, address) }
    if !t.accessed && psr & PSR.ia == 0 { return failFetch(.instructionAccessBit, 0, address) }
    if failsInstructionBreakpoint(address) { return nil }
    return t.physical | address & t.mask
  }

  private func failFetch(_ vector: Vector, _ code: UInt64, _ address: UInt64) -> UInt64? {
    raise(vector, isr: ISR.x | code, address: address)
    return nil
  }

  /// Instruction Debug (Volume 2, section 7.1.1): addresses are virtual or physical as PSR.it says. True: the fault has been raised.
  private func failsInstructionBreakpoint(_ address: UInt64) -> Bool {
    let psr = state.pointee.psr
    guard psr & (PSR.db | PSR.id) == PSR.db, matchesInstructionBreakpoint(address, privilege: PSR.cpl(psr)) else { return false }
    raise(.debug, isr: ISR.x, address: address, itir: false)
    return true
  }

  /// Instruction breakpoint registers, whatever PSR.db and PSR.id say.
  func matchesInstructionBreakpoint(_ address: UInt64, privilege: UInt64) -> Bool {
    for pair in 0..<Implementation.breakpointPairs {
      let control = state.ibr[2 * pair + 1]
      guard control >> 63 != 0, control >> (56 + privilege) & 1 != 0 else { continue }
      let compared = (control & 0x00FF_FFFF_FFFF_FFFF | 0xFF00_0000_0000_0000) & ~0xF
      if (address ^ state.ibr[2 * pair]) & compared == 0 { return true }
    }
    return false
  }

  /// Finds the instruction translation, walking the VHPT if that is enabled. nil: the miss has been raised.
  func lookupInstruction(_ address: UInt64) -> UnsafeMutablePointer<Translation>? {
    if let hit = instructionTLB.lookup(offset(address), rid(address)) { return hit }
    let psr = state.pointee.psr
    let rr = state.rr[Int(address >> 61)]
    // The walker serves instruction misses only with PSR.it, PSR.dt and PSR.ic all set (Volume 2, section 4.1.5.3).
    if rr & 1 != 0 && state.cr[CR.pta] & 1 != 0 && psr & PSR.dt != 0 && psr & PSR.ic != 0 {
      switch walk(address, instruction: true) {
      case .inserted:
        if let hit = instructionTLB.lookup(offset(address), rid(address)) { return hit }
      case .tableMiss(let entryAddress):
        raise(.vhptTranslation, isr: ISR.x, address: address)
        state.pointee.fault.iha = entryAddress
        state.pointee.fault.itir = defaultITIR(entryAddress)
        state.pointee.fault.writes.insert(.iha)
        return nil
      case .aborted:
        break
      }
      raise(.instructionTLB, isr: ISR.x, address: address)
      state.pointee.fault.iha = vhptAddress(address)
      state.pointee.fault.writes.insert(.iha)
      return nil
    }
    raise(.alternateInstructionTLB, isr: ISR.x, address: address)
    return nil
  }
}
