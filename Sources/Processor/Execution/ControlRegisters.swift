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
    if !exists(n) && !(n == CR.ito && state.pointee.virtualEnvironment.acceleratesITC) { return illegalOperation() }
    if n >= 16 && n <= 27 && state.pointee.psr & (PSR.ic | PSR.vm) == PSR.ic { return illegalOperation() }
    if write && (n == CR.ivr || (n >= CR.irr0 && n <= CR.irr0 + 3)) { return illegalOperation() }
    return nil
  }

  func readCR(_ n: Int, into r1: UInt8, _ o: MicroOp) -> StepResult {
    let s = state
    if isVirtual, let result = virtualReadCR(n, into: r1, o) { return result }
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

  /// What a control register holds after a write of `value`; nil: a reserved field is set.
  func written(_ n: Int, _ value: UInt64) -> UInt64? {
    switch n {
    case CR.dcr: return value & ~DCR.implemented == 0 ? value : nil
    case CR.iva: return value & ~0x7FFF
    case CR.pta:
      let size = value >> 2 & 0x3F
      return value & 0x7E02 == 0 && size >= 15 && size <= 61 ? value : nil
    case CR.ipsr: return value & PSR.reserved == 0 && PSR.ri(value) != 3 ? value : nil
    case CR.isr: return value & ISR.reserved == 0 && value >> ISR.eiShift & 3 != 3 ? value : nil
    case CR.itir: return value & 0xFFFF_FFFF_0000_0003 == 0 ? value : nil
    case CR.ifs: return value & 0x7FFF_FFC0_0000_0000 == 0 && (value >> 63 == 0 || validFrameMarker(value)) ? value : nil
    case CR.iha: return value & ~3
    case CR.lid: return value & 0xFFFF == 0 ? value & 0xFFFF_0000 : nil
    case CR.tpr: return value & 0xFF00 == 0 ? value & 0x1_00F0 : nil
    case CR.itv, CR.pmv, CR.cmcv:
      let vector = value & 0xFF
      return value & 0xEF00 & ~0x1000 == 0 && (vector == 0 || vector == 2 || vector >= 16) ? value & 0x1_00FF : nil
    case CR.lrr0, CR.lrr1:
      // Delivery modes 1, 3 and 6 are reserved.
      let mode = value >> 8 & 7
      return value & 0x800 == 0 && mode != 1 && mode != 3 && mode != 6 ? value & 0x1_A7FF : nil
    default: return value
    }
  }

  func writeCR(_ n: Int, _ given: UInt64, _ o: MicroOp) -> StepResult {
    guard let value = written(n, given) else { return reservedField() }
    if isVirtual, let result = virtualWriteCR(n, value, o) { return result }
    switch n {
    case CR.itm:
      settleTimer()
      state.cr[n] = value
      armTimer()
      return .exit
    case CR.tpr:
      state.cr[n] = value
      updateInterruptPending()
      return .exit
    case CR.eoi:
      writeEOI()
      return .exit
    case CR.itv, CR.pmv, CR.cmcv:
      settleTimer()
      state.cr[n] = value
      return .exit
    default: state.cr[n] = value
    }
    return .next
  }

  // MARK: Indirect files

  func readIndirect(_ file: IndirectFile, index value: UInt64, into r1: UInt8, _ o: MicroOp) -> StepResult {
    let s = state
    let index = Int(value & 0xFF)
    let result: UInt64
    switch file {
    case .rr:
      if let fault = intercepted(.movFromRR, o) { return fault }
      result = s.rr[Int(value >> 61)]
    case .pkr:
      guard index < Implementation.protectionKeyRegisters else { return reservedField() }
      if let fault = intercepted(.movFromPKR, o) { return fault }
      result = s.pkr[index]
    case .dbr:
      guard index < 8 else { return reservedField() }
      if isVirtual && !disables(.breakpoints) { return intercept(.movFromDBR, o) }
      result = s.dbr[index]
    case .ibr:
      guard index < 8 else { return reservedField() }
      if isVirtual && !disables(.breakpoints) { return intercept(.movFromIBR, o) }
      result = s.ibr[index]
    case .pmc:
      if isVirtual && !disables(.performanceControls) { return intercept(.movFromPMC, o) }
      result = readMonitorControl(index)
    case .pmd: result = readMonitorData(index)
    case .cpuid:
      guard index < 5 else { return reservedField() }
      if isVirtual { return accelerateMoveFromCPUID(index, into: r1, o) }
      result = s.cpuid[index]
    case .none, .dahr: return illegalOperation()
    }
    s.gr[Int(r1)] = result
    return .next
  }

  func writeIndirect(_ file: IndirectFile, index value: UInt64, _ data: UInt64, _ o: MicroOp) -> StepResult {
    let s = state
    let index = Int(value & 0xFF)
    switch file {
    case .rr:
      let size = data >> 2 & 0x3F
      if data & 0xFFFF_FFFF_0000_0002 != 0 || !pageSizeImplemented(size) { return reservedField() }
      if let fault = intercepted(.movToRR, o) { return fault }
      if guest != nil && data >> (8 + GuestContext.regionIdentifierBits) != 0 { return reservedField() }
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
      if let fault = intercepted(.movToPKR, o) { return fault }
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
      if isVirtual && !disables(.breakpoints) { return intercept(.movToDBR, o) }
      // Bits 61:60 of a control word are ignored, in instruction breakpoints bits 62:60.
      s.dbr[index] = index & 1 == 1 ? data & ~0x3000_0000_0000_0000 : data
      softTLB.purgeVirtual()
    case .ibr:
      guard index < 8 else { return reservedField() }
      if isVirtual && !disables(.breakpoints) { return intercept(.movToIBR, o) }
      s.ibr[index] = index & 1 == 1 ? data & ~0x7000_0000_0000_0000 : data
      codeMapChanged()
      return .exit
    case .pmc:
      if isVirtual && !disables(.performanceControls) { return intercept(.movToPMC, o) }
      writeMonitorControl(index, data)
      return .exit
    case .pmd:
      if isVirtual && !disables(.performanceData) { return intercept(.movToPMD, o) }
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
