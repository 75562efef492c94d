import CHostAtomics
import IA64

/// What a body tells the loop.
enum StepResult {
  /// Go on with the next instruction.
  case next
  /// `state.pointee.fault` is to be delivered; the instruction did not happen.
  case fault
  /// The instruction happened; `state.pointee.fault` is a trap.
  case trap
  /// The instruction happened; look at the machine before the next one (PSR, interrupts, NaT mode, translations).
  case exit
  /// The body has set IP and PSR.ri; look at the machine.
  case jumped
  /// A taken branch to `engine.pointee.branchTarget`.
  case branch
}

extension LogicalProcessor {
  /// Rare instructions. `op[1]` holds ``GeneralOperands``.
  @inline(never)
  func general(_ op: UnsafeMutablePointer<MicroOp>) -> StepResult {
    let g = UnsafeMutableRawPointer(op + 1).load(as: GeneralOperands.self)
    let o = op.pointee
    switch g.operation {
    case .addp4, .addp4Immediate, .shladdp4, .paddElements, .psubElements, .pavg, .pavgsub, .pcmp, .pshladd2, .pshradd2,
      .pmpyshr2, .pmpy2, .mix, .unpack, .pack, .pmin1, .pmax1, .pmin2, .pmax2, .psad1, .mux1, .mux2, .pshr, .pshrImmediate,
      .pshl, .pshlImmediate, .popcnt, .czx:
      state.gr[Int(o.d)] = parallel(o, g)
      return .next

    case .testBit:
      let bit = state.gr[Int(o.b)] >> UInt64(o.imm & 63) & 1 != 0
      setPredicates(o, g.attributes.comparison, g.attributes.relation == .nz ? bit : !bit)
      return .next
    case .testNaT:
      let bit = state.nat(o.b)
      setPredicates(o, g.attributes.comparison, g.attributes.relation == .nz ? bit : !bit)
      return .next
    case .testFeature:
      let bit = state.cpuid[4] >> UInt64(o.imm & 63) & 1 != 0
      setPredicates(o, g.attributes.comparison, g.attributes.relation == .nz ? bit : !bit)
      return .next

    case .hint:
      concernsOthers()
      return pause()
    case .alloc: return alloc(o)
    case .movFromPredicates:
      state.gr[Int(o.d)] = predicateWord()
      return .next
    case .movToPredicates:
      // mask17: bit n selects PR n for 1...15, bit 16 selects all of PR16...PR63.
      let mask = UInt64(bitPattern: o.imm) & 0xFFFE
      setPredicateWord(state.gr[Int(o.a)], mask: mask | (o.imm >> 16 & 1 != 0 ? ~0xFFFF : 0))
      return .next
    case .movToPredicatesRotating:
      setPredicateWord(UInt64(bitPattern: o.imm), mask: ~0xFFFF)
      return .next
    case .movFromIP:
      state.gr[Int(o.d)] = state.pointee.ip &+ UInt64(o.position / 3) &* 16
      return .next
    case .movToAR:
      concernsOthers()
      return writeAR(Int(o.b), state.gr[Int(o.a)], o, .movToAR)
    case .movToARImmediate:
      concernsOthers()
      return writeAR(Int(o.b), UInt64(bitPattern: o.imm), o, .movToARImmediate)
    case .movFromAR:
      concernsOthers()
      return readAR(Int(o.b), into: o.d, o)

    case .checkS:
      if !state.nat(o.a) { return .next }
      return recover(o)
    case .checkSFP:
      if !state.f(o.a).value.isNaTVal { return .next }
      return recover(o)
    case .checkA:
      if alatContains(alatTag(gr: o.d)) {
        if g.attributes.variant == .clear { alatRemove(alatTag(gr: o.d)) }
        return .next
      }
      return recover(o, 1)
    case .checkAFP:
      if alatContains(alatTag(fr: o.d)) {
        if g.attributes.variant == .clear { alatRemove(alatTag(fr: o.d)) }
        return .next
      }
      return recover(o, 1)
    case .invala:
      alatClear()
      return .next
    case .invalaEntry:
      alatRemove(alatTag(gr: o.d))
      return .next
    case .invalaEntryFP:
      alatRemove(alatTag(fr: o.d))
      return .next

    case .clrrrb:
      rotateGR(to: 0)
      rotateFR(to: 0)
      rotatePR(to: 0)
      return .next
    case .clrrrbPR:
      rotatePR(to: 0)
      return .next

    case .exchange, .compareExchange, .compareExchange16, .fetchAdd, .load16, .store16: return semaphore(o, g)
    case .lfetch: return prefetch(o, g)
    case .loadFPPair: return loadPair(o, g)
    case .load, .loadFill: return loadOverIncrement(o, g)

    case .fwb: return .next
    case .mf, .mfa:
      epicure_fence()
      return .next
    case .syncI, .srlzI, .srlzD:
      return .exit

    case .setf, .getf, .fpma, .fpms, .fpnma, .fselect, .fmin, .fmax, .famin, .famax, .fpmin, .fpmax, .fpamin, .fpamax, .fpcmp,
      .fmerge, .fmix, .fsxt, .fpack, .fswap, .fand, .fandcm, .for_, .fxor, .fpmerge, .fcvtFX, .fpcvtFX, .fcvtXF, .frcpa,
      .fprcpa, .frsqrta, .fprsqrta, .fcmp, .fclass, .fsetc, .fclrf, .fchkf:
      return floating(o, g)

    default:
      concernsOthers(g.operation)
      return system(o, g)
    }
  }

  func setPredicates(_ o: MicroOp, _ type: Comparison, _ result: Bool) {
    let p1 = Int(o.d & 63) == 0 ? 64 : Int(o.d & 63)
    let p2 = Int(o.c & 63) == 0 ? 64 : Int(o.c & 63)
    switch type {
    case .normal, .unc:
      state.pr[p1] = result ? 1 : 0
      state.pr[p2] = result ? 0 : 1
    case .and:
      if !result {
        state.pr[p1] = 0
        state.pr[p2] = 0
      }
    case .or:
      if result {
        state.pr[p1] = 1
        state.pr[p2] = 1
      }
    case .orAndcm:
      if result {
        state.pr[p1] = 1
        state.pr[p2] = 0
      }
    }
  }

  /// All predicates as `mov r = pr` shows them: the moves of all predicates ignore rotation (Volume 3, mov pr: pr_phys_to_virt), so that
  /// a procedure can save them before a pipelined loop and restore them behind it.
  public func predicateWord() -> UInt64 {
    var word: UInt64 = 0
    for i in 0..<8 {
      // The lowest bits of eight bytes, side by side.
      let bytes = UnsafeRawPointer(state.pr).load(fromByteOffset: i &* 8, as: UInt64.self)
      word |= ((bytes &* 0x0102_0408_1020_4080) &>> 56) &<< UInt64(i &* 8)
    }
    return rotated(word, left: state.pointee.rrbPR) | 1
  }

  public func setPredicateWord(_ value: UInt64, mask: UInt64) {
    let value = rotated(value, left: 48 - state.pointee.rrbPR)
    let mask = rotated(mask, left: 48 - state.pointee.rrbPR) & ~1
    for i in 0..<8 {
      let place = UnsafeMutableRawPointer(state.pr) + i * 8
      let changed = Self.bytes(mask &>> UInt64(i &* 8)) &* 0xFF
      let bytes = Self.bytes(value &>> UInt64(i &* 8))
      place.storeBytes(of: place.load(as: UInt64.self) & ~changed | bytes & changed, as: UInt64.self)
    }
  }

  /// Eight bits as the lowest of eight bytes.
  private static func bytes(_ bits: UInt64) -> UInt64 {
    let apart = ((bits & 0xFF) &* 0x0101_0101_0101_0101) & 0x8040_2010_0804_0201
    return ((apart &+ 0x7F7F_7F7F_7F7F_7F7F) &>> 7) & 0x0101_0101_0101_0101
  }

  /// Bits 63:16, the rotating predicates, moved around by `count` (0...48).
  private func rotated(_ word: UInt64, left count: Int) -> UInt64 {
    let high = word >> 16
    return word & 0xFFFF | (high << UInt64(count) | high >> UInt64(48 - count)) << 16
  }

  /// chk and fchkf branch to recovery code; a target that is not implemented is a matter of the fetch there.
  func branchRelative(_ o: MicroOp) -> StepResult {
    let bundle = state.pointee.ip &+ UInt64(o.position / 3) &* 16
    engine.pointee.branchTarget = bundle &+ UInt64(bitPattern: o.imm)
    return .branch
  }

  private func alloc(_ o: MicroOp) -> StepResult {
    let s = state
    let sof = Int(o.imm & 0xFF)
    let sor = Int(o.imm >> 16 & 0xFF)
    if sor != s.pointee.sor && (s.pointee.rrbGR | s.pointee.rrbFR | s.pointee.rrbPR) != 0 {
      raise(.generalException, isr: GeneralException.reservedRegisterField)
      return .fault
    }
    guard newFrame(sof: sof) else { return .fault }
    s.pointee.sol = Int(o.imm >> 8 & 0xFF)
    s.pointee.sor = sor
    s.gr[Int(o.d)] = s.ar[AR.pfs]
    return .next
  }

  /// A check that has failed: to the recovery code.
  private func recover(_ o: MicroOp, _ kind: UInt64 = 0) -> StepResult {
    if isTimed { notice(.checkFailed, kind) }
    return branchRelative(o)
  }
}
