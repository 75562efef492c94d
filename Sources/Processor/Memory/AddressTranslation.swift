extension LogicalProcessor {
  /// Raises an interruption: fills the pending record that delivery reads. Returns false so that bodies can `return raise(...)`.
  @inline(never)
  @discardableResult
  func raise(_ vector: Vector, isr: UInt64 = 0) -> Bool {
    state.pointee.fault = PendingInterruption()
    state.pointee.fault.vector = vector
    state.pointee.fault.isr = isr
    return false
  }

  /// Raises an interruption that reports an address in IFA, and with `itir` the default ITIR (Volume 2, section 3.3.5.5).
  @inline(never)
  @discardableResult
  func raise(_ vector: Vector, isr: UInt64, address: UInt64, itir: Bool = true) -> Bool {
    raise(vector, isr: isr)
    state.pointee.fault.ifa = address
    state.pointee.fault.writes = .ifa
    if itir {
      state.pointee.fault.itir = defaultITIR(address)
      state.pointee.fault.writes.insert(.itir)
    }
    return false
  }

  func defaultITIR(_ address: UInt64) -> UInt64 {
    let rr = state.rr[Int(address >> 61)]
    return rr & 0xFFFF_FF00 | rr & 0xFC
  }

  @inline(__always) func rid(_ address: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: (state.rr[Int(address &>> 61)] &>> 8) & Implementation.ridMask)
  }
  @inline(__always) func offset(_ address: UInt64) -> UInt64 { address & 0x1FFF_FFFF_FFFF_FFFF }

  /// True if a physical address has unimplemented bits set (bit 63 is the uncacheable bit).
  @inline(__always) func unimplementedPhysical(_ address: UInt64) -> Bool {
    address & ~(1 << 63) & ~Implementation.physicalMask != 0
  }

  /// Translates a data reference and makes all checks up to Data Access Bit and Debug, in the order of Volume 2, section 5.5.2
  /// (alignment and Unsupported Data Reference are the caller's). On `.done` the result is in `translated`.
  func translate(_ address: UInt64, size: Int, _ access: DataAccess) -> TranslationOutcome {
    let psr = state.pointee.psr
    if access.speculative && psr & PSR.ed != 0 { return .deferred }
    guard access.translate else {
      if unimplementedPhysical(address) {
        if access.speculative { return .deferred }
        raise(.generalException, isr: access.isr & ~0xF0 | GeneralException.reservedRegisterField, address: address, itir: false)
        return .fault
      }
      translated.physical = address & Implementation.physicalMask
      translated.attribute = address >> 63 != 0 ? MemoryAttribute.uc : MemoryAttribute.wb
      if access.speculative && translated.attribute == MemoryAttribute.uc { return .deferred }
      return checkDataBreakpoints(address, size, access)
    }
    guard let entry = lookupData(address, access) else {
      return access.speculative && defers(DCR.dm) ? .deferred : .fault
    }
    let t = entry.pointee
    if !t.present {
      if access.speculative && defers(DCR.dp) { return .deferred }
      raise(.pageNotPresent, isr: faultISR(access), address: address)
      return .fault
    }
    if t.attribute == MemoryAttribute.natPage {
      if access.speculative { return .deferred }
      raise(.natConsumption, isr: access.isr | 0x20, address: address)
      return .fault
    }
    if psr & PSR.pk != 0 && access.checksKeys {
      switch checkKey(t.key, (access.reads ? 4 : 0) | (access.writes ? 2 : 0)) {
      case .pass: break
      case .miss:
        if access.speculative && defers(DCR.dk) { return .deferred }
        raise(.dataKeyMiss, isr: faultISR(access), address: address)
        return .fault
      case .denied:
        if !access.checksRights { translated.permitted = false; return .done }
        if access.speculative && defers(DCR.dx) { return .deferred }
        raise(.keyPermission, isr: faultISR(access), address: address)
        return .fault
      }
    }
    let rights = AccessRights.granted(t.accessRights, page: UInt64(t.privilegeLevel), cpl: access.privilege)
    let permitted = (!access.reads || rights & AccessRights.read != 0) && (!access.writes || rights & AccessRights.write != 0)
    translated.permitted = permitted
    if !permitted {
      if !access.checksRights { return .done }
      if access.speculative && defers(DCR.dr) { return .deferred }
      raise(.dataAccessRights, isr: faultISR(access), address: address)
      return .fault
    }
    if access.checksAccessBits && psr & PSR.da == 0 {
      if access.writes && !t.dirty {
        raise(.dirtyBit, isr: faultISR(access), address: address)
        return .fault
      }
      if !t.accessed {
        if access.speculative && defers(DCR.da) { return .deferred }
        raise(.dataAccessBit, isr: faultISR(access), address: address)
        return .fault
      }
    }
    translated.physical = t.physical | address & t.mask
    translated.attribute = t.attribute
    if access.speculative && (t.attribute == MemoryAttribute.uc || t.attribute == MemoryAttribute.uce) { return .deferred }
    return checkDataBreakpoints(address, size, access)
  }

  /// Whether a fault of a speculative reference is deferred (Volume 2, table 5-4): always in a handler (PSR.ic = 0), by the DCR bit
  /// where the code page says that recovery code exists.
  @inline(never) func defers(_ bit: UInt64) -> Bool {
    let psr = state.pointee.psr
    if psr & PSR.ic == 0 { return true }
    return state.cr[CR.dcr] & bit != 0 && codePageDefersExceptions()
  }

  /// ISR of a fault of this reference: a speculative load that is not deferred shows whether its code page allows deferral.
  private func faultISR(_ access: DataAccess) -> UInt64 {
    access.isr | (access.speculative && codePageDefersExceptions() ? ISR.ed : 0)
  }

  /// ITLB.ed of the page that is executing; false with instruction translation off.
  func codePageDefersExceptions() -> Bool {
    guard state.pointee.psr & PSR.it != 0 else { return false }
    let ip = state.pointee.ip
    return instructionTLB.lookup(offset(ip), rid(ip))?.pointee.exceptionDeferral ?? false
  }

  private func checkDataBreakpoints(_ address: UInt64, _ size: Int, _ access: DataAccess) -> TranslationOutcome {
    let psr = state.pointee.psr
    guard psr & PSR.db != 0, psr & PSR.dd == 0, access.checksAccessBits else { return .done }
    for pair in 0..<Implementation.breakpointPairs {
      let control = state.dbr[2 * pair + 1]
      let enabled = (access.reads && control >> 63 != 0) || (access.writes && control & 1 << 62 != 0)
      guard enabled, control >> (56 + access.privilege) & 1 != 0 else { continue }
      let compared = control & 0x00FF_FFFF_FFFF_FFFF | 0xFF00_0000_0000_0000
      // Any byte of the reference counts; the mask is usually contiguous, so test every byte.
      for byte in 0..<UInt64(max(size, 1)) where (address &+ byte ^ state.dbr[2 * pair]) & compared == 0 {
        if access.speculative && defers(DCR.dd) { return .deferred }
        raise(.debug, isr: faultISR(access), address: address, itir: false)
        return .fault
      }
    }
    return .done
  }

  enum KeyCheck { case pass, miss, denied }

  /// Protection key check (Volume 2, section 4.1.3). `disable` is the set of PKR disable bits that matter: wd 2, rd 4, xd 8.
  func checkKey(_ key: UInt32, _ disable: UInt64) -> KeyCheck {
    for i in 0..<Implementation.protectionKeyRegisters {
      let pkr = state.pkr[i]
      if pkr & 1 != 0 && UInt32(truncatingIfNeeded: pkr >> 8 & 0xFF_FFFF) == key {
        return pkr & disable == 0 ? .pass : .denied
      }
    }
    return .miss
  }

  /// Finds the data translation, walking the VHPT if that is enabled. nil: the miss has been raised.
  private func lookupData(_ address: UInt64, _ access: DataAccess) -> UnsafeMutablePointer<Translation>? {
    if let hit = dataTLB.lookup(offset(address), rid(address)) { return hit }
    let psr = state.pointee.psr
    let rr = state.rr[Int(address >> 61)]
    let walker = rr & 1 != 0 && state.cr[CR.pta] & 1 != 0 && psr & PSR.dt != 0
    if walker {
      switch walk(address, instruction: false) {
      case .inserted:
        if let hit = dataTLB.lookup(offset(address), rid(address)) { return hit }
      case .tableMiss(let entryAddress):
        raiseDataMiss(.vhptTranslation, access, address)
        state.pointee.fault.iha = entryAddress
        state.pointee.fault.itir = defaultITIR(entryAddress)
        state.pointee.fault.writes.insert(.iha)
        return nil
      case .aborted:
        break
      }
      raiseDataMiss(.dataTLB, access, address)
      state.pointee.fault.iha = vhptAddress(address)
      state.pointee.fault.writes.insert(.iha)
      return nil
    }
    raiseDataMiss(.alternateDataTLB, access, address)
    return nil
  }

  /// TLB misses with PSR.ic = 0 become Data Nested TLB faults, which write no control register at all.
  private func raiseDataMiss(_ vector: Vector, _ access: DataAccess, _ address: UInt64) {
    if state.pointee.psr & PSR.ic == 0 {
      raise(.dataNestedTLB)
    } else {
      raise(vector, isr: faultISR(access), address: address)
    }
  }

  /// Translates an instruction fetch (Volume 2, section 5.5.2, instruction group). nil: a fault has been raised.
  func translateFetch(_ address: UInt64) -> UInt64? {
    let psr = state.pointee.psr
    if psr & PSR.it == 0 {
      if unimplementedPhysical(address) {
        raise(.lowerPrivilegeTransfer, isr: 0x10, address: address, itir: false)
        return nil
      }
      return instructionDebugFault(address) ? nil : address & Implementation.physicalMask
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
    return instructionDebugFault(address) ? nil : t.physical | address & t.mask
  }

  /// Instruction breakpoints compare virtual addresses with PSR.it set, physical ones without (Volume 2, table 7-1).
  private func instructionDebugFault(_ address: UInt64) -> Bool {
    let psr = state.pointee.psr
    guard psr & PSR.db != 0, psr & PSR.id == 0, matchesInstructionBreakpoint(address, PSR.cpl(psr)) else { return false }
    raise(.debug, isr: ISR.x, address: address, itir: false)
    return true
  }

  private func failFetch(_ vector: Vector, _ code: UInt64, _ address: UInt64) -> UInt64? {
    raise(vector, isr: ISR.x | code, address: address)
    return nil
  }

  private func matchesInstructionBreakpoint(_ address: UInt64, _ cpl: UInt64) -> Bool {
    for pair in 0..<Implementation.breakpointPairs {
      let control = state.ibr[2 * pair + 1]
      guard control >> 63 != 0, control >> (56 + cpl) & 1 != 0 else { continue }
      let compared = (control & 0x00FF_FFFF_FFFF_FFFF | 0xFF00_0000_0000_0000) & ~0xF
      if (address ^ state.ibr[2 * pair]) & compared == 0 { return true }
    }
    return false
  }

  private func lookupInstruction(_ address: UInt64) -> UnsafeMutablePointer<Translation>? {
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

/// Access rights of a page (Volume 2, table 4-4).
enum AccessRights {
  static let execute: UInt8 = 1
  static let write: UInt8 = 2
  static let read: UInt8 = 4

  /// Bits granted at privilege `cpl` on a page of rights `ar` and privilege level `page`.
  static func granted(_ ar: UInt8, page: UInt64, cpl: UInt64) -> UInt8 {
    if ar == 7 {
      if cpl == 0 { return read | execute }
      return execute
    }
    if cpl > page { return 0 }
    switch ar {
    case 0: return read
    case 1: return read | execute
    case 2: return read | write
    case 3: return read | write | execute
    case 4: return cpl < page || cpl == 0 ? read | write : read
    case 5: return cpl == 0 ? read | write | execute : read | execute
    case 6: return cpl == page && cpl != 0 ? read | write | execute : read | write
    default: return 0
    }
  }
}
