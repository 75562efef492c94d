import IA64

/// One instruction at a time: for NaT bits, PSR.ss, PSR.tb, debug registers and the one-shot bits after rfi, and as the reference
/// that the block engine is compared with.
extension LogicalProcessor {
  func stepOnce() -> LoopExit {
    guard let physical = translateFetch(state.pointee.ip) else { return .fetchFault }
    return step(at: physical)
  }

  /// The instruction at IP and PSR.ri, whose bundle lies at `physical` in the processor's own memory.
  func step(at physical: UInt64) -> LoopExit {
    let s = state
    let e = engine
    let psr = s.pointee.psr
    let ip = s.pointee.ip
    let slot = PSR.ri(psr)
    let host = memory.host(physical & ~0xF).map { UnsafeRawPointer($0) } ?? UnsafeRawPointer(voidBundles)
    if isTimed { stepTime(host, physical & ~0xF, ip, Int(slot)) }
    let entry = stepEntry(host, physical, slot)
    let block = StepCache.block(entry)
    let end = entry.pointee.end

    var propagated = false
    var incrementIsNaT = false
    var instruction: Instruction?
    if !noNaT {
      let i = entry.pointee.instruction
      let body = Block.operations(block)[i.qp == 0 ? 0 : 1].tag
      let executes = (i.qp == 0 || s.pr[Int(i.qp)] != 0) && body != .illegal && body != .disabledFP
      if executes {
        switch natCheck(i) {
        case .run(let nat):
          propagated = nat
          incrementIsNaT = i.attributes.update == .register && s.nat(i.r2)
          instruction = i
        case .fault(let isr):
          if let failure = faultsBeforeNaT(i) { return failureExit(failure, ip, slot) }
          raise(.natConsumption, isr: isr | 0x10)
          return failureExit(.fault, ip, slot)
        case .done:
          return finishWithoutBody(i, end: UInt64(end), ip: ip, slot: slot)
        }
      }
    }

    e.pointee.limit = s.pointee.instructions + 1
    let exit = runBlocks(block)
    switch exit {
    case .fault, .fetchFault, .step: return exit
    default: break
    }
    if let instruction { natUpdate(instruction, propagated, incrementIsNaT) }
    return afterInstruction(exit, psr: psr, ip: ip, slot: slot)
  }

  private func failureExit(_ result: StepResult, _ ip: UInt64, _ slot: UInt64) -> LoopExit {
    state.pointee.ip = ip
    state.pointee.psr = state.pointee.psr & ~PSR.riMask | slot << PSR.riShift
    return .fault(position: slot)
  }

  /// Faults that outrank Register NaT Consumption for system instructions and moves to application registers.
  private func faultsBeforeNaT(_ i: Instruction) -> StepResult? {
    let psr = state.pointee.psr
    switch i.operation {
    case .itcD, .itcI, .itrD, .itrI:
      if psr & (PSR.ic | PSR.vm) == PSR.ic { return illegalOperation() }
    case .movToCR:
      if let failure = controlRegisterIsIllegal(Int(i.cr3), write: true) { return failure }
    case .movToAR:
      if applicationRegisterIsIllegal(Int(i.ar3), write: true) { return illegalOperation() }
    default: break
    }
    if i.attributes.flags.contains(.privileged) && PSR.cpl(psr) != 0 {
      return privilegedOperation(i.operation == .tak ? DataAccess.NonAccess.tak : 0)
    }
    return nil
  }

  /// One-shot PSR bits end with the first instruction; then the traps that PSR.ss and PSR.tb ask for.
  private func afterInstruction(_ exit: LoopExit, psr: UInt64, ip: UInt64, slot: UInt64) -> LoopExit {
    let s = state
    // rfi takes no trap, and has just set these bits for the instruction that it returns to (Volume 3, rfi).
    if case .jumped = exit { return exit }
    if psr & PSR.oneShot != 0 { setPSR(s.pointee.psr & ~PSR.oneShot) }
    var code: UInt64 = 0
    var trapped = false
    var vector = Vector.singleStep
    if case .trap = exit {
      trapped = true
      vector = s.pointee.fault.vector
      code = s.pointee.fault.isr
    }
    let taken: Bool
    switch exit {
    case .limit(let branch): taken = branch
    case .trap(_, let branch): taken = branch
    case .attention(let branch): taken = branch
    default: taken = false
    }
    if s.pointee.psr & PSR.ss != 0 && psr & PSR.ss != 0 { code |= 8 }
    if psr & PSR.tb != 0 && s.pointee.psr & PSR.tb != 0 && taken { code |= 4 }
    if code & 0xE == 0 && !trapped { return exit }
    if !trapped { vector = code & 4 != 0 ? .takenBranch : .singleStep }
    raise(vector, isr: code)
    s.pointee.fault.isTrap = true
    return .trap(position: slot, takenBranch: taken)
  }

  // MARK: NaT rules

  enum NaTAction {
    /// The body may run; the flag is what its target's NaT bit becomes.
    case run(Bool)
    /// Register NaT Consumption with these ISR bits.
    case fault(UInt64)
    /// The instruction is finished by `finishWithoutBody`.
    case done
  }

  /// Which NaT bits an instruction reads and what they do to it (Volume 3, each page's pseudo-code).
  private func natCheck(_ i: Instruction) -> NaTAction {
    let s = state
    let n2 = s.nat(i.r2)
    let n3 = s.nat(i.r3)
    let na = ISR.na
    switch i.operation {
    case .add, .addOne, .sub, .subOne, .addp4, .and, .andcm, .or, .xor, .shladd, .shladdp4, .paddElements, .psubElements, .pavg,
      .pavgsub, .pcmp, .pshladd2, .pshradd2, .pmpyshr2, .pmpy2, .mix, .unpack, .pack, .pmin1, .pmax1, .pmin2, .pmax2, .psad1,
      .pshr, .pshl, .mpy4, .mpyshl4, .shr, .shl, .shrp, .dep:
      return .run(n2 || n3)
    case .subImmediate, .andImmediate, .andcmImmediate, .orImmediate, .xorImmediate, .addImmediate14, .addp4Immediate,
      .pshrImmediate, .popcnt, .clz, .extr, .depImmediate, .sxt, .zxt, .czx, .thash, .ttag:
      return .run(n3)
    case .addImmediate22: return .run(s.nat(i.r3Short))
    case .mux1, .mux2, .pshlImmediate, .depZ: return .run(n2)

    case .compare: return n2 || n3 ? .done : .run(false)
    case .compareZero, .compareImmediate, .testBit: return n3 ? .done : .run(false)

    case .movToBR, .movToPredicates, .movToAR, .movToCR, .movToPSRL, .movToPSRUM, .itcD, .itcI:
      return n2 ? .fault(0) : .run(false)
    case .movToIndirect, .itrD, .itrI, .ptcL, .ptcG, .ptcGA, .ptrD, .ptrI: return n2 || n3 ? .fault(0) : .run(false)
    case .movFromIndirect, .ptcE: return n3 ? .fault(0) : .run(false)
    case .probe: return n2 || n3 ? .fault(na | probeBits(i) | DataAccess.NonAccess.probe) : .run(false)
    case .probeImmediate: return n3 ? .fault(na | probeBits(i) | DataAccess.NonAccess.probe) : .run(false)
    case .probeFault: return n3 ? .fault(na | probeBits(i) | DataAccess.NonAccess.probeFault) : .run(false)
    case .tpa: return n3 ? .fault(na | ISR.r | DataAccess.NonAccess.tpa) : .run(false)
    case .tak: return n3 ? .fault(na | ISR.r | DataAccess.NonAccess.tak) : .run(false)
    case .fc, .fcI: return n3 ? .fault(na | ISR.r | DataAccess.NonAccess.fc) : .run(false)
    case .lfetch:
      if n3 && i.attributes.flags.contains(.fault) && s.pointee.psr & PSR.ed == 0 {
        return .fault(na | ISR.r | DataAccess.NonAccess.lfetch)
      }
      return n3 ? .done : .run(false)

    case .load, .loadFP, .loadFPPair:
      if !n3 { return .run(false) }
      switch i.attributes.access {
      case .speculative, .speculativeAdvanced: return .done
      default: return .fault(ISR.r)
      }
    case .loadFill, .loadFPFill, .load16: return n3 ? .fault(ISR.r) : .run(false)
    case .store, .store16: return n2 || n3 ? .fault(ISR.w) : .run(false)
    case .storeSpill, .storeFP, .storeFPSpill: return n3 ? .fault(ISR.w) : .run(false)
    case .exchange, .compareExchange, .compareExchange16: return n2 || n3 ? .fault(ISR.r | ISR.w) : .run(false)
    case .fetchAdd: return n3 ? .fault(ISR.r | ISR.w) : .run(false)
    case .setf: return n2 ? .done : .run(false)
    default: return .run(false)
    }
  }

  private func probeBits(_ i: Instruction) -> UInt64 {
    switch i.attributes.variant {
    case .write: ISR.w
    case .readWrite: ISR.r | ISR.w
    default: ISR.r
    }
  }

  /// Target NaT bits after a body has run.
  private func natUpdate(_ i: Instruction, _ propagated: Bool, _ incrementIsNaT: Bool) {
    switch i.operation {
    case .add, .addOne, .sub, .subOne, .addp4, .and, .andcm, .or, .xor, .shladd, .shladdp4, .paddElements, .psubElements, .pavg,
      .pavgsub, .pcmp, .pshladd2, .pshradd2, .pmpyshr2, .pmpy2, .mix, .unpack, .pack, .pmin1, .pmax1, .pmin2, .pmax2, .psad1,
      .pshr, .pshl, .mpy4, .mpyshl4, .shr, .shl, .shrp, .dep, .subImmediate, .andImmediate, .andcmImmediate, .orImmediate,
      .xorImmediate, .addImmediate14, .addp4Immediate, .pshrImmediate, .popcnt, .clz, .extr, .depImmediate, .sxt, .zxt, .czx,
      .thash, .ttag, .addImmediate22, .mux1, .mux2, .pshlImmediate, .depZ, .depZImmediate, .movLong, .movFromBR, .movFromIP,
      .movFromPredicates, .movFromAR, .movFromPSR, .movFromPSRUM, .movFromCR, .movFromIndirect, .alloc, .probe, .probeImmediate,
      .tpa, .tak, .load16, .exchange, .compareExchange, .compareExchange16, .fetchAdd:
      state.setNaT(i.r1, propagated)
    case .load:
      // Speculative forms have set it themselves.
      switch i.attributes.access {
      case .normal, .bias, .acquire, .release: state.setNaT(i.r1, false)
      default: break
      }
    case .getf: state.setNaT(i.r1, state.f(i.f2).value.isNaTVal)
    default: break
    }
    // A NaT increment makes the base NaT.
    if incrementIsNaT { state.setNaT(i.r3, true) }
  }

  /// Instructions that a NaT source turns into something else than their body.
  private func finishWithoutBody(_ i: Instruction, end: UInt64, ip: UInt64, slot: UInt64) -> LoopExit {
    let s = state
    switch i.operation {
    case .compare, .compareZero, .compareImmediate, .testBit:
      switch i.attributes.comparison {
      case .normal, .unc, .and:
        if i.p1 != 0 { s.pr[Int(i.p1)] = 0 }
        if i.p2 != 0 { s.pr[Int(i.p2)] = 0 }
      case .or, .orAndcm: break
      }
    case .setf:
      s.f(i.f1).value = .natVal
      s.pointee.psr |= i.f1 < 32 ? PSR.mfl : PSR.mfh
    case .load:
      update(i)
      s.gr[Int(i.r1)] = 0
      s.setNaT(i.r1, true)
      if i.attributes.access == .speculativeAdvanced { alatRemove(alatTag(gr: i.r1)) }
    case .loadFP:
      s.f(i.f1).value = .natVal
      s.pointee.psr |= i.f1 < 32 ? PSR.mfl : PSR.mfh
      if i.attributes.access == .speculativeAdvanced { alatRemove(alatTag(fr: i.f1)) }
      update(i)
    case .loadFPPair:
      s.f(i.f1).value = .natVal
      s.f(i.f2).value = .natVal
      s.pointee.psr |= i.f1 < 32 ? PSR.mfl : PSR.mfh
      s.pointee.psr |= i.f2 < 32 ? PSR.mfl : PSR.mfh
      if i.attributes.access == .speculativeAdvanced { alatRemove(alatTag(fr: i.f1)) }
      update(i)
    case .lfetch: update(i)
    default: break
    }
    s.pointee.instructions &+= end - slot
    s.pointee.ip = ip &+ end / 3 &* 16
    s.pointee.psr = s.pointee.psr & ~PSR.riMask | (end % 3) << PSR.riShift
    engine.pointee.previousIP = ip
    engine.pointee.previousPosition = slot
    return afterInstruction(.limit(takenBranch: false), psr: s.pointee.psr, ip: ip, slot: slot)
  }

  /// Base update of a reference whose address is NaT: the base stays NaT.
  private func update(_ i: Instruction) {
    switch i.attributes.update {
    case .none: break
    case .register:
      state.gr[Int(i.r3)] &+= state.gr[Int(i.r2)]
    case .immediate:
      state.gr[Int(i.r3)] &+= UInt64(bitPattern: i.immediate)
    }
  }
}
