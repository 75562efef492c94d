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

  /// All 61 bits of an offset are implemented; in a guest one less, and the highest is then a copy of the next (Volume 2, section 4.3.2).
  /// That leaves the hypervisor room in every region.
  @inline(__always) func unimplementedVirtual(_ address: UInt64) -> Bool {
    (state.pointee.psr & PSR.vm != 0 || guest?.isFullyVirtual == true) && (address >> 60 ^ address >> 59) & 1 != 0
  }

  /// Translates a data reference and makes all checks up to Data Access Bit and Debug, in the order of Volume 2, section 5.5.2
  /// (alignment and Unsupported Data Reference are the caller's). On `.done` the result is in `translated`.
  func translate(_ address: UInt64, size: Int, _ access: DataAccess) -> TranslationOutcome {
    if access.speculative && state.pointee.psr & PSR.ed != 0 { return .deferred }
    translated.deferred = false
    guard access.translate else {
      if unimplementedPhysical(address) {
        if access.speculative { return .deferred }
        raise(.generalException, isr: access.isr & ~0xF0 | GeneralException.reservedRegisterField, address: address, itir: false)
        return .fault
      }
      translated.physical = address & Implementation.physicalMask
      translated.attribute = address >> 63 != 0 ? MemoryAttribute.uc : MemoryAttribute.wb
      return finishChecks(address, size, access)
    }
    if unimplementedVirtual(address) {
      if access.speculative { return .deferred }
      raise(.generalException, isr: access.isr & ~0xF0 | GeneralException.reservedRegisterField, address: address, itir: false)
      return .fault
    }
    guard let entry = lookupData(address, access) else {
      if stands(access, DCR.dm) { return .fault }
      return checkDataBreakpoints(address, size, access)
    }
    let t = entry.pointee
    if !t.present {
      raise(.pageNotPresent, isr: access.isr, address: address)
      if stands(access, DCR.dp) { return .fault }
      return checkDataBreakpoints(address, size, access)
    }
    if t.attribute == MemoryAttribute.natPage {
      guard access.speculative else {
        raise(.natConsumption, isr: access.isr | 0x20, address: address)
        return .fault
      }
      translated.deferred = true
    }
    if access.checksKeys && state.pointee.psr & PSR.pk != 0 {
      switch checkKey(t.key, (access.reads ? 4 : 0) | (access.writes ? 2 : 0)) {
      case .pass: break
      case .miss:
        raise(.dataKeyMiss, isr: access.isr, address: address)
        if stands(access, DCR.dk) { return .fault }
      case .denied:
        if !access.faultsOnRights { translated.permitted = false; return .done }
        raise(.keyPermission, isr: access.isr, address: address)
        if stands(access, DCR.dx) { return .fault }
      }
    }
    if access.checksRights {
      let rights = AccessRights.granted(t.accessRights, page: UInt64(t.privilegeLevel), cpl: access.privilege)
      translated.permitted =
        (!access.reads || rights & AccessRights.read != 0) && (!access.writes || rights & AccessRights.write != 0)
      if !translated.permitted {
        if !access.faultsOnRights { return .done }
        raise(.dataAccessRights, isr: access.isr, address: address)
        if stands(access, DCR.dr) { return .fault }
      }
    }
    if access.checksAccessBits && state.pointee.psr & PSR.da == 0 {
      if access.writes && !t.dirty {
        raise(.dirtyBit, isr: access.isr, address: address)
        return .fault
      }
      if !t.accessed {
        raise(.dataAccessBit, isr: access.isr, address: address)
        if stands(access, DCR.da) { return .fault }
      }
    }
    translated.physical = t.physical | address & t.mask
    translated.attribute = t.attribute
    return finishChecks(address, size, access)
  }

  /// Debug, and the silent deferral of speculative references to non-speculative memory.
  private func finishChecks(_ address: UInt64, _ size: Int, _ access: DataAccess) -> TranslationOutcome {
    if access.speculative && (translated.attribute == MemoryAttribute.uc || translated.attribute == MemoryAttribute.uce) {
      translated.deferred = true
    }
    return checkDataBreakpoints(address, size, access)
  }

  private func checkDataBreakpoints(_ address: UInt64, _ size: Int, _ access: DataAccess) -> TranslationOutcome {
    if debug != nil, debuggerInterrupts(address, size, access) { return .fault }
    if state.pointee.psr & (PSR.db | PSR.dd) == PSR.db && access.checksAccessBits
      && matchesDataBreakpoint(address, size, reads: access.reads, writes: access.writes, privilege: access.privilege)
    {
      raise(.debug, isr: access.isr, address: address, itir: false)
      if stands(access, DCR.dd) { return .fault }
    }
    if translated.deferred { return .deferred }
    guard isApart, reachesOthers(size, access) else { return .done }
    // Who waits for the lock may find the page purged.
    comeTogether()
    return translate(address, size: size, access)
  }

  /// Data breakpoint registers (Volume 2, section 7.1.1), whatever PSR.db and PSR.dd say.
  func matchesDataBreakpoint(_ address: UInt64, _ size: Int, reads: Bool, writes: Bool, privilege: UInt64) -> Bool {
    for pair in 0..<Implementation.breakpointPairs {
      let control = state.dbr[2 * pair + 1]
      let enabled = (reads && control >> 63 != 0) || (writes && control & 1 << 62 != 0)
      guard enabled, control >> (56 + privilege) & 1 != 0 else { continue }
      let compared = control & 0x00FF_FFFF_FFFF_FFFF | 0xFF00_0000_0000_0000
      // Any byte of the reference counts; the mask is usually contiguous, so test every byte.
      for byte in 0..<UInt64(max(size, 1)) where (address &+ byte ^ state.dbr[2 * pair]) & compared == 0 { return true }
    }
    return false
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
  func lookupData(_ address: UInt64, _ access: DataAccess) -> UnsafeMutablePointer<Translation>? {
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
      raise(vector, isr: access.isr, address: address)
    }
  }
}
