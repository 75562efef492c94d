/// What a paravirtualized kernel asks of its hypervisor by `break` with these numbers in the place of a privileged, or of a sensitive
/// unprivileged instruction (`xen/arch/ia64/xen/hyperprivop.S`, `privop.c`).
public enum Hyperprivop: UInt64, CaseIterable, Sendable, Codable {
  case rfi = 0x01
  case rsmDT = 0x02
  case ssmDT = 0x03
  case cover = 0x04
  case itcD = 0x05
  case itcI = 0x06
  case ssmI = 0x07
  case getIVR = 0x08
  case getTPR = 0x09
  case setTPR = 0x0A
  case eoi = 0x0B
  case setITM = 0x0C
  case thash = 0x0D
  case ptcGA = 0x0E
  case itrD = 0x0F
  case getRR = 0x10
  case setRR = 0x11
  case setKR = 0x12
  case fc = 0x13
  case getCPUID = 0x14
  case getPMD = 0x15
  case getEFLAG = 0x16
  case setEFLAG = 0x17
  case rsmBE = 0x18
  case getPSR = 0x19
  /// Only since Xen 4.
  case setRR0ToRR4 = 0x1A

  /// Short and stable: a key of statistics.
  public var name: String {
    switch self {
    case .rfi: "rfi"
    case .rsmDT: "rsm dt"
    case .ssmDT: "ssm dt"
    case .cover: "cover"
    case .itcD: "itc.d"
    case .itcI: "itc.i"
    case .ssmI: "ssm i"
    case .getIVR: "get ivr"
    case .getTPR: "get tpr"
    case .setTPR: "set tpr"
    case .eoi: "eoi"
    case .setITM: "set itm"
    case .thash: "thash"
    case .ptcGA: "ptc.ga"
    case .itrD: "itr.d"
    case .getRR: "get rr"
    case .setRR: "set rr"
    case .setKR: "set kr"
    case .fc: "fc"
    case .getCPUID: "get cpuid"
    case .getPMD: "get pmd"
    case .getEFLAG: "get eflag"
    case .setEFLAG: "set eflag"
    case .rsmBE: "rsm be"
    case .getPSR: "get psr"
    case .setRR0ToRR4: "set rr0 to rr4"
    }
  }
}

extension LogicalProcessor {
  /// Does one for the guest whose `break` has come back from ``run(until:)``, and goes on behind it; if it faults, the guest is in its handler,
  /// and the `break` has not happened.
  public func perform(_ operation: Hyperprivop, of g: GuestContext) {
    guard let registers = g.paravirtual else { preconditionFailure("only paravirtualized guests ask for this") }
    let s = state
    switch operation {
    // These do not look at what is presented.
    case .rsmDT:
      registers.isMetaphysical = true
      skipInstruction()
    case .ssmDT:
      registers.isMetaphysical = false
      skipInstruction()
    case .cover:
      registers.descriptor.vcr[CR.ifs] = 1 << 63 | cfm
      coverFrame(recording: false)
      skipInstruction()
    case .rsmBE:
      skipInstruction()
      setPSR(s.pointee.psr & ~PSR.be)
    case .ssmI:
      registers[half: ParavirtualRegisters.Field.interruptCollection] = 1
      registers.mask.pointee = 0
      skipInstruction()
    // There is no IA-32 code whose flags these would be.
    case .setEFLAG: skipInstruction()
    case .getEFLAG:
      setResult(0)
      skipInstruction()
    default:
      present(g)
      performPresented(operation)
      conceal(g)
    }
  }

  private func setResult(_ value: UInt64) {
    state.gr[8] = value
    state.setNaT(8, false)
  }

  private func performPresented(_ operation: Hyperprivop) {
    let s = state
    if case .rfi = operation {
      skipInstruction()
      if case .fault = returnToInterrupted() { deliverPending(slot: PSR.ri(s.pointee.psr)) }
      return
    }
    guard case .next = result(of: operation, s.gr[8], s.gr[9]) else { return deliverPending(slot: interruptedSlot) }
    skipInstruction()
  }

  /// `a`, `b`: r8 and r9. `.next` or `.fault`.
  private func result(of operation: Hyperprivop, _ a: UInt64, _ b: UInt64) -> StepResult {
    let s = state
    switch operation {
    case .itcD, .itcI, .itrD:
      let isRegister = operation == .itrD
      guard let t = makeTranslation(isRegister ? b : a, itir: s.cr[CR.itir], address: s.cr[CR.ifa]), !isRegister || a < 12 else {
        return reservedField()
      }
      if isRegister { dataTLB.insertRegister(Int(a), t) } else { insertCache(t, instruction: operation == .itcI) }
      observer?.inserted(self, t, address: s.cr[CR.ifa], register: isRegister ? Int(a) : nil, instruction: operation == .itcI)
      guest?.changes.append(.purged(start: t.base, last: t.base | t.mask, rid: t.rid, isGlobal: false))
    case .ptcGA:
      let shift = b >> 2 & 0x3F
      guard pageSizeImplemented(shift) else { return reservedField() }
      let start = offset(a) & ~((1 << shift) - 1)
      let last = start | ((1 << shift) - 1)
      purge(start, last, rid(a))
      guest?.changes.append(.purged(start: start, last: last, rid: rid(a), isGlobal: true))
      observer?.purged(
        self, TranslationPurge(kind: .globalALAT, start: a ^ offset(a) | start, last: a ^ offset(a) | last, rid: rid(a)))
    case .getIVR: setResult(readIVR())
    case .getTPR: setResult(s.cr[CR.tpr])
    case .setTPR:
      guard let value = written(CR.tpr, a) else { return reservedField() }
      s.cr[CR.tpr] = value
      updateInterruptPending()
    case .eoi: writeEOI()
    case .setITM:
      settleTimer()
      s.cr[CR.itm] = a
      armTimer()
    case .thash: setResult(vhptAddress(a))
    case .getRR: setResult(s.rr[Int(a >> 61)])
    case .setRR:
      guard isRegion(b) else { return reservedField() }
      s.rr[Int(a >> 61)] = b
    case .setRR0ToRR4:
      let values = [a, b, s.gr[10], s.gr[11], s.gr[14]]
      guard values.allSatisfy(isRegion) else { return reservedField() }
      for (region, value) in values.enumerated() { s.rr[region] = value }
    case .setKR:
      guard a < 8 else { return reservedField() }
      s.ar[AR.k0 + Int(a)] = b
    case .fc:
      // Translated code follows memory by itself; that there is a page is what remains.
      var access = DataAccess(
        isr: ISR.na | ISR.r | DataAccess.NonAccess.fc, reads: true, writes: false, privilege: 0,
        translate: s.pointee.psr & PSR.dt != 0)
      (access.checksAccessBits, access.checksKeys, access.checksRights) = (false, false, false)
      guard translate(a, size: 1, access) == .done else { return .fault }
    case .getCPUID:
      switch a {
      // "Xen/ia64", and no serial number (`vcpu_get_cpuid`).
      case 0: setResult(0x3436_6169_2F6E_6558)
      case 1, 2: setResult(0)
      case 3, 4: setResult(s.cpuid[Int(a)])
      default: return reservedField()
      }
    case .getPMD: setResult(readMonitorData(Int(a & 0xFF)))
    case .getPSR: setResult(s.pointee.psr & PSR.readable)
    case .rfi, .rsmDT, .ssmDT, .cover, .ssmI, .rsmBE, .getEFLAG, .setEFLAG: preconditionFailure("done by the caller")
    }
    return .next
  }

  /// What a guest may put into a region register.
  private func isRegion(_ value: UInt64) -> Bool {
    value & 0xFFFF_FFFF_0000_0002 == 0 && pageSizeImplemented(value >> 2 & 0x3F)
      && value >> (8 + GuestContext.regionIdentifierBits) == 0
  }
}

extension LogicalProcessor {
  /// Returns the guest to what ``run(until:)`` would go on with behind the `break` that it has come back with, with `value` in r8.
  public func returnFromCall(_ value: UInt64) {
    setResult(value)
    skipInstruction()
  }

  /// r8 and, of PAL and SAL, r9 to r11.
  public func setResults(_ values: [UInt64]) {
    for (n, value) in values.prefix(4).enumerated() {
      state.gr[8 + n] = value
      state.setNaT(UInt8(8 + n), false)
    }
  }

  /// Calls the guest's handler of events, as an interruption would be delivered: the hypervisor says where (`callback`). The guest's PSR.ic
  /// must be set.
  public func deliverEvents(to g: GuestContext, callback: UInt64) {
    present(g)
    raise(.externalInterrupt)
    deliverPending(slot: PSR.ri(state.pointee.psr))
    state.pointee.ip = callback & ~0xF
    conceal(g)
  }
}
