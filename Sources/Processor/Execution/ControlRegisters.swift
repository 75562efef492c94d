import IA64

/// Moves to and from control registers and the indirect register files (Volume 2, chapter 3; Volume 3, mov cr, mov indirect).
extension LogicalProcessor {
  private func exists(_ n: Int) -> Bool {
    switch n {
    case 0, 1, 2, 8, 16, 17, 19...25, 64...74, 80, 81: true
    default: false
    }
  }

  /// Illegal Operation conditions, which come before the privilege check.
  func controlRegisterIsIllegal(_ n: Int, write: Bool) -> StepResult? {
    if !exists(n) { return illegalOperation() }
    if n >= 16 && n <= 27 && state.pointee.psr & PSR.ic != 0 { return illegalOperation() }
    if write && (n == CR.ivr || (n >= CR.irr0 && n <= CR.irr0 + 3)) { return illegalOperation() }
    return nil
  }

  func readCR(_ n: Int, into r1: UInt8) -> StepResult {
    let s = state
    switch n {
    case CR.ivr: s.gr[Int(r1)] = readIVR()
    case CR.irr0...CR.irr0 + 3:
      settleTimer()
      s.gr[Int(r1)] = s.pointee.interruptRequest[n - CR.irr0]
    case CR.eoi: s.gr[Int(r1)] = 0
    default: s.gr[Int(r1)] = s.cr[n]
    }
    return .next
  }

  func writeCR(_ n: Int, _ value: UInt64) -> StepResult {
    let s = state
    switch n {
    case CR.dcr:
      if value & ~DCR.implemented != 0 { return reservedField() }
      s.cr[n] = value
    case CR.itm:
      settleTimer()
      s.cr[n] = value
      armTimer()
      return .exit
    case CR.iva: s.cr[n] = value & ~0x7FFF
    case CR.pta:
      let size = value >> 2 & 0x3F
      if value & 0x7E02 != 0 || size < 15 || size > 61 { return reservedField() }
      s.cr[n] = value
    case CR.ipsr:
      if value & PSR.reserved != 0 || PSR.ri(value) == 3 { return reservedField() }
      s.cr[n] = value
    case CR.isr:
      if value & ISR.reserved != 0 || value >> ISR.eiShift & 3 == 3 { return reservedField() }
      s.cr[n] = value
    case CR.itir:
      if value & 0xFFFF_FFFF_0000_0003 != 0 { return reservedField() }
      s.cr[n] = value
    case CR.ifs:
      if value & 0x7FFF_FFC0_0000_0000 != 0 || value >> 63 != 0 && !validFrameMarker(value) { return reservedField() }
      s.cr[n] = value
    case CR.iha: s.cr[n] = value & ~3
    case CR.lid:
      if value & 0xFFFF != 0 { return reservedField() }
      s.cr[n] = value & 0xFFFF_0000
    case CR.tpr:
      if value & 0xFF00 != 0 { return reservedField() }
      s.cr[n] = value & 0x1_00F0
      updateInterruptPending()
      return .exit
    case CR.eoi:
      writeEOI()
      return .exit
    case CR.itv, CR.pmv, CR.cmcv:
      let vector = value & 0xFF
      if value & 0xEF00 & ~0x1000 != 0 || (vector != 0 && vector != 2 && vector < 16) { return reservedField() }
      settleTimer()
      s.cr[n] = value & 0x1_00FF
      return .exit
    case CR.lrr0, CR.lrr1:
      // Delivery modes 1, 3 and 6 are reserved.
      let mode = value >> 8 & 7
      if value & 0x800 != 0 || mode == 1 || mode == 3 || mode == 6 { return reservedField() }
      s.cr[n] = value & 0x1_A7FF
    default: s.cr[n] = value
    }
    return .next
  }

  // MARK: Indirect files

  func readIndirect(_ file: IndirectFile, index value: UInt64, into r1: UInt8) -> StepResult {
    let s = state
    let index = Int(value & 0xFF)
    let result: UInt64
    switch file {
    case .rr: result = s.rr[Int(value >> 61)]
    case .pkr:
      guard index < Implementation.protectionKeyRegisters else { return reservedField() }
      result = s.pkr[index]
    case .dbr:
      guard index < 8 else { return reservedField() }
      result = s.dbr[index]
    case .ibr:
      guard index < 8 else { return reservedField() }
      result = s.ibr[index]
    case .pmc: result = readMonitorControl(index)
    case .pmd: result = readMonitorData(index)
    case .cpuid:
      guard index < 5 else { return reservedField() }
      result = s.cpuid[index]
    case .none, .dahr: return illegalOperation()
    }
    s.gr[Int(r1)] = result
    return .next
  }

  func writeIndirect(_ file: IndirectFile, index value: UInt64, _ data: UInt64) -> StepResult {
    let s = state
    let index = Int(value & 0xFF)
    switch file {
    case .rr:
      let size = data >> 2 & 0x3F
      if data & 0xFFFF_FFFF_0000_0002 != 0 || !pageSizeImplemented(size) { return reservedField() }
      let region = Int(value >> 61)
      if s.rr[region] != data {
        s.rr[region] = data
        softTLB.purgeVirtual()
        codeMapChanged()
      }
      return .exit
    case .pkr:
      guard index < Implementation.protectionKeyRegisters else { return reservedField() }
      if data & 0xFFFF_FFFF_0000_00F0 != 0 { return reservedField() }
      if data & 1 != 0 {
        for i in 0..<Implementation.protectionKeyRegisters
        where i != index && s.pkr[i] & 1 != 0 && s.pkr[i] >> 8 == data >> 8 { s.pkr[i] &= ~1 }
      }
      s.pkr[index] = data
      softTLB.purgeVirtual()
      codeMapChanged()
      return .exit
    case .dbr:
      guard index < 8 else { return reservedField() }
      // Bits 61:60 of a control word are ignored, in instruction breakpoints bits 62:60.
      s.dbr[index] = index & 1 == 1 ? data & ~0x3000_0000_0000_0000 : data
      softTLB.purgeVirtual()
    case .ibr:
      guard index < 8 else { return reservedField() }
      s.ibr[index] = index & 1 == 1 ? data & ~0x7000_0000_0000_0000 : data
      codeMapChanged()
      return .exit
    case .pmc:
      writeMonitorControl(index, data)
      return .exit
    case .pmd:
      writeMonitorData(index, data)
      return .exit
    case .cpuid, .none, .dahr: return illegalOperation()
    }
    return .next
  }

  /// Page sizes that region registers and ITIR accept: 8 KiB is insertable by the manual's list as well.
  func pageSizeImplemented(_ shift: UInt64) -> Bool {
    Implementation.insertablePages >> shift & 1 != 0 || shift == 13
  }
}
