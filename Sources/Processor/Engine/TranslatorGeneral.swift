import IA64

extension Translator {
  /// Instructions that the loop hands to `LogicalProcessor.general`: legality that the encoding alone decides, then the call.
  mutating func emitGeneral(_ i: Instruction, _ position: UInt8) -> Flow {
    if let flow = emitShortForm(i, position) { return flow }
    switch i.operation {
    // Integer results in r1.
    case .addp4, .addp4Immediate, .shladdp4, .paddElements, .psubElements, .pavg, .pavgsub, .pcmp, .pshladd2, .pshradd2,
      .pmpyshr2, .pmpy2, .mix, .unpack, .pack, .pmin1, .pmax1, .pmin2, .pmax2, .psad1, .mux1, .mux2, .pshr, .pshrImmediate,
      .pshl, .pshlImmediate, .popcnt, .czx:
      guard legal(gr: i.r1) else { return illegal(position) }
      let usesImmediate2: Bool
      switch i.operation {
      case .shladdp4, .pshladd2, .pshradd2, .pmpyshr2, .mux1, .mux2, .pshrImmediate, .pshlImmediate: usesImmediate2 = true
      default: usesImmediate2 = false
      }
      generalOp(i, position, imm: usesImmediate2 ? i.immediate2 : i.immediate)
      return .next
    case .clz, .mpy4, .mpyshl4, .movToDAHRImmediate:
      // Later than Montecito: CPUID[4] says so.
      return illegal(position)
    case .testFeature, .testNaT:
      guard i.p1 != i.p2 else { return illegal(position) }
      generalOp(i, position)
      return .next

    case .movToAR, .movToARImmediate, .movFromAR:
      // K0...AR47 belong to the M unit, AR64...AR111 to the I unit, the ignored ones to both (Volume 1, table 3-3).
      let ar = i.ar3
      let wrongUnit = i.unit == .m ? ar >= 64 && ar < 112 : ar < 48
      if wrongUnit { return illegal(position) }
      if i.operation == .movFromAR { guard legal(gr: i.r1) else { return illegal(position) } }
      generalOp(i, position)
      return .next
    case .movFromPredicates, .movFromIP, .movFromPSR, .movFromPSRUM, .movFromCR, .movFromIndirect, .probe,
      .probeImmediate, .thash, .ttag, .tpa, .tak, .exchange, .compareExchange, .compareExchange16, .fetchAdd, .load16:
      guard legal(gr: i.r1) else { return illegal(position) }
      generalOp(i, position)
      return .next

    case .alloc: return emitAlloc(i, position)

    case .checkS, .checkA:
      generalOp(i, position)
      return .next
    case .checkSFP:
      uses(fr: i.f2)
      generalOp(i, position)
      return .next
    case .checkAFP:
      // f1 is only a name here; the disabled check applies all the same.
      uses(fr: i.f1)
      generalOp(i, position)
      return .next
    case .lfetch:
      if i.attributes.update != .none { guard legal(gr: i.r3) else { return illegal(position) } }
      // Without .fault it has no effect that could be seen.
      if exact || i.attributes.flags.contains(.fault) { generalOp(i, position) }
      emitUpdate(i, position)
      return .next
    case .loadFPPair:
      guard i.f1 > 1, i.f2 > 1, i.f1 & 1 != i.f2 & 1 else { return illegal(position) }
      if i.attributes.update != .none { guard legal(gr: i.r3) else { return illegal(position) } }
      uses(fr: i.f1, i.f2)
      generalOp(i, position)
      emitUpdate(i, position)
      return .next

    case .breakInstruction:
      // break.b reports no immediate, break.x the lower 21 bits of its own (Volume 3, break).
      generalOp(i, position, imm: i.unit == .b ? 0 : i.immediate & 0x1F_FFFF)
      return i.qp == 0 ? .ends : .next
    case .rfi, .epc, .bsw0, .bsw1, .vmsw:
      generalOp(i, position)
      return i.qp == 0 ? .ends : .next
    case .brIA:
      guard i.qp == 0 else { return illegal(position) }
      generalOp(i, position)
      return .ends
    case .cover, .clrrrb, .clrrrbPR:
      generalOp(i, position)
      if i.operation == .cover { setKnownTop(32) }
      return .next

    // Floating point with a target f1.
    case .fpma, .fpms, .fpnma, .fselect, .fmin, .fmax, .famin, .famax, .fpmin, .fpmax, .fpamin, .fpamax, .fpcmp, .fmerge, .fmix,
      .fsxt, .fpack, .fswap, .fand, .fandcm, .for_, .fxor, .fpmerge, .fcvtFX, .fpcvtFX, .fcvtXF, .frcpa, .fprcpa, .frsqrta,
      .fprsqrta:
      guard i.f1 > 1 else { return illegal(position) }
      switch i.operation {
      case .fpma, .fpms, .fpnma, .fselect: uses(fr: i.f1, i.f2, i.f3, i.f4)
      case .fcvtFX, .fpcvtFX, .fcvtXF: uses(fr: i.f1, i.f2)
      case .frsqrta, .fprsqrta: uses(fr: i.f1, i.f3)
      default: uses(fr: i.f1, i.f2, i.f3)
      }
      switch i.operation {
      case .fcvtXF: append(MicroOp(.fcvtXF, position, d: i.f1, a: i.f2))
      case .fcvtFX:
        let kind: UInt8 = (i.attributes.variant == .unsigned ? 1 : 0) | (i.attributes.flags.contains(.truncate) ? 2 : 0)
        append(MicroOp(.fcvtFX, position, d: i.f1, a: i.f2, c: kind, e: i.statusField))
      case .fmerge where i.attributes.variant == .sign:
        append(MicroOp(.fmergeS, position, d: i.f1, a: i.f2, b: i.f3))
      case .frcpa: generalOp(i, position, tag: .frcpa)
      default: generalOp(i, position, tag: .floating)
      }
      return .next
    case .fcmp, .fclass:
      guard i.p1 != i.p2 else { return illegal(position) }
      if i.operation == .fcmp { uses(fr: i.f2, i.f3) } else { uses(fr: i.f2) }
      generalOp(i, position, tag: .floating)
      return .next
    case .fsetc:
      generalOp(i, position, imm: i.immediate | i.immediate2 << 8)
      return .next

    default:
      generalOp(i, position)
      return .next
    }
  }

  private mutating func emitAlloc(_ i: Instruction, _ position: UInt8) -> Flow {
    let (sof, sol, sor) = i.allocFrame
    // It reads no predicate; one that is named all the same makes it illegal (Volume 3, alloc).
    guard i.encoding & 0x3F == 0, i.r1 != 0, sof <= 96, sol <= sof, Int(sor) * 8 <= Int(sof), i.r1 < 32 + sof else {
      return illegal(position)
    }
    // The short way knows no NaT bits.
    generalOp(i, position, imm: Int64(sof) | Int64(sol) << 8 | Int64(sor) << 16, tag: exact ? .general : .alloc)
    setKnownTop(32 + sof)
    return .next
  }

  /// Frequent instructions with a micro-operation of their own; nil for the others.
  private mutating func emitShortForm(_ i: Instruction, _ position: UInt8) -> Flow? {
    var op: MicroOp
    switch i.operation {
    case .addp4: op = MicroOp(.addp4, position, d: i.r1, a: i.r2, b: i.r3)
    case .addp4Immediate: op = MicroOp(.addp4Imm, position, d: i.r1, b: i.r3, imm: i.immediate)
    case .shladdp4: op = MicroOp(.shladdp4, position, d: i.r1, a: i.r2, b: i.r3, c: UInt8(truncatingIfNeeded: i.immediate2))
    case .mix where i.attributes.size == 4:
      op = MicroOp(i.attributes.variant == .left ? .mixHigh4 : .mixLow4, position, d: i.r1, a: i.r2, b: i.r3)
    case .unpack where i.attributes.size == 4:
      op = MicroOp(i.attributes.variant == .high ? .mixHigh4 : .mixLow4, position, d: i.r1, a: i.r2, b: i.r3)
    case .unpack where i.attributes.size < 4:
      op = MicroOp(
        i.attributes.size == 1 ? .unpack1 : .unpack2, position, d: i.r1, a: i.r2, b: i.r3,
        c: i.attributes.variant == .high ? 32 : 0)
    case .mux1 where i.immediate2 == 0xB: op = MicroOp(.byteSwap, position, d: i.r1, a: i.r2)
    case .popcnt: op = MicroOp(.popcnt, position, d: i.r1, b: i.r3)
    case .movFromAR where isPlain(i.ar3, of: i.unit): op = MicroOp(.movFromARPlain, position, d: i.r1, a: i.ar3)
    case .movToAR where i.ar3 == AR.pfs && i.unit == .i:
      generalOp(i, position, tag: .movToPFS)
      return .next
    case .movToAR where isPlain(i.ar3, of: i.unit) && i.ar3 != AR.ec && i.ar3 != AR.pfs && i.ar3 != AR.fpsr:
      append(MicroOp(.movToARPlain, position, d: i.ar3, a: i.r2))
      return .next
    case .checkS where !exact:
      // Blocks run only while no register has a NaT; what makes one leaves its block.
      return .next
    default: return nil
    }
    guard legal(gr: op.d) else { return illegal(position) }
    append(op)
    return .next
  }

  /// Application registers that are storage and no more, at every privilege level, and belong to the unit.
  private func isPlain(_ ar: UInt8, of unit: SlotUnit) -> Bool {
    switch Int(ar) {
    case AR.csd, AR.ssd, AR.ccv, AR.unat, AR.fpsr: unit == .m
    case AR.pfs, AR.lc, AR.ec: unit == .i
    default: false
    }
  }
}
