import IA64

/// How the pipeline sees an instruction: which ports take it, and how soon its result can be used. The classes are those of the
/// published machine descriptions.
enum InstructionClass: UInt8, CaseIterable, Sendable {
  /// Integer ALU, logic, addp4; compares.
  case alu, compare
  /// Multimedia on any ALU port; on I ports; multiplies and popcnt.
  case multimediaALU, multimedia, multimediaMultiply, popcnt
  /// Fixed shifts, extracts, deposits; sign and zero extension; bit tests; movl.
  case shift, extend, bitTest, long
  case fromPredicates, toPredicates, fromBranch, toBranch, fromLoop, toLoop, fromIP
  case nopM, nopI, nopF, nopB
  case load, checkLoad, floatLoad, floatLoadPair, floatCheckLoad, prefetch
  case store, floatStore, semaphore
  case checkSpeculationM, checkSpeculationI, checkAdvanced
  case setf, getf
  case fma, floatMiscellaneous, floatConvert, floatCompare, floatParallel, floatStatus
  case alloc, fromApplication, toApplication, fromControl, toControl, fromStatus, toStatus, systemMask, userMask
  case fromIndirect, toIndirect
  case probe, hash, insert, purgeLocal, purgeGlobal, flushLine
  case flushStack, loadStack
  case fence, acceptanceFence, serializeData, serializeInstruction, invalidateALAT, breakM, breakI, breakF, breakB
  case branch, loopBranch, call, indirect, indirectCall, returnBranch, longBranch
  case cover, clearRename, returnFromInterruption, bankSwitch, enterPrivileged, machineSwitch

  init(_ i: Instruction) {
    self =
      switch i.operation {
      case .add, .addOne, .sub, .subOne, .addp4, .and, .andcm, .or, .xor, .shladd, .shladdp4, .subImmediate, .andImmediate,
        .andcmImmediate, .orImmediate, .xorImmediate, .addImmediate14, .addp4Immediate, .addImmediate22:
        .alu
      case .compare, .compareZero, .compareImmediate: .compare
      case .paddElements, .psubElements, .pavg, .pavgsub, .pcmp, .pshladd2, .pshradd2: .multimediaALU
      case .pmpyshr2, .pmpy2, .mpy4, .mpyshl4: .multimediaMultiply
      case .popcnt, .clz: .popcnt
      case .mix, .unpack, .pack, .pmin1, .pmax1, .pmin2, .pmax2, .psad1, .mux1, .mux2, .pshr, .pshrImmediate, .pshl,
        .pshlImmediate, .shr, .shl:
        .multimedia
      case .shrp, .extr, .depZ, .depZImmediate, .depImmediate, .dep: .shift
      case .testBit, .testNaT, .testFeature: .bitTest
      case .sxt, .zxt, .czx: .extend
      case .movToBR: .toBranch
      case .movFromBR: .fromBranch
      case .movToPredicates, .movToPredicatesRotating: .toPredicates
      case .movFromPredicates: .fromPredicates
      case .movFromIP: .fromIP
      case .movToAR, .movToARImmediate: i.unit == .i ? .toLoop : .toApplication
      case .movFromAR: i.unit == .i ? .fromLoop : .fromApplication
      case .movLong: .long
      case .load, .load16, .loadFill: i.isCheck ? .checkLoad : .load
      case .store, .store16, .storeSpill: .store
      case .loadFP: i.isCheck ? .floatCheckLoad : i.isAdvanced ? .floatLoadPair : .floatLoad
      case .loadFPFill: .floatLoad
      case .storeFP, .storeFPSpill: .floatStore
      case .loadFPPair: i.isCheck ? .floatCheckLoad : .floatLoadPair
      case .lfetch: .prefetch
      case .exchange, .compareExchange, .compareExchange16, .fetchAdd: .semaphore
      case .setf: .setf
      case .getf: .getf
      case .checkS: i.unit == .i ? .checkSpeculationI : .checkSpeculationM
      case .checkSFP: .checkSpeculationM
      case .checkA, .checkAFP: .checkAdvanced
      case .invala, .invalaEntry, .invalaEntryFP: .invalidateALAT
      case .flushrs: .flushStack
      case .loadrs: .loadStack
      case .fwb, .mf: .fence
      case .mfa: .acceptanceFence
      case .srlzI, .syncI: .serializeInstruction
      case .srlzD: .serializeData
      case .fc, .fcI: .flushLine
      case .alloc: .alloc
      case .movToPSRL: .toStatus
      case .movToPSRUM, .sum, .rum: .userMask
      case .movFromPSR, .movFromPSRUM: .fromStatus
      case .movToCR: .toControl
      case .movFromCR: .fromControl
      case .movToIndirect, .movToDAHRImmediate: .toIndirect
      case .movFromIndirect: .fromIndirect
      case .ptcL, .ptrD, .ptrI, .ptcE: .purgeLocal
      case .ptcG, .ptcGA: .purgeGlobal
      case .itcD, .itcI, .itrD, .itrI: .insert
      case .probe, .probeImmediate, .probeFault: .probe
      case .thash, .ttag, .tpa, .tak: .hash
      case .ssm, .rsm: .systemMask
      case .vmsw: .machineSwitch
      case .brCond, .brWexit, .brWtop, .brCloop, .brCexit, .brCtop:
        i.operation == .brCond ? .branch : .loopBranch
      case .brCall: .call
      case .brCondIndirect, .brIA: .indirect
      case .brRet: .returnBranch
      case .brCallIndirect: .indirectCall
      case .brp, .brpIndirect, .brpRet: .nopB
      case .brlCond, .brlCall: .longBranch
      case .cover: .cover
      case .clrrrb, .clrrrbPR: .clearRename
      case .rfi: .returnFromInterruption
      case .bsw0, .bsw1: .bankSwitch
      case .epc: .enterPrivileged
      case .fma, .fms, .fnma, .xma: .fma
      case .fselect, .frcpa, .frsqrta, .fmin, .fmax, .famin, .famax, .fmerge, .fmix, .fsxt, .fpack, .fswap, .fand, .fandcm, .for_,
        .fxor:
        .floatMiscellaneous
      case .fpma, .fpms, .fpnma, .fprcpa, .fprsqrta, .fpmin, .fpmax, .fpamin, .fpamax, .fpcmp, .fpmerge, .fpcvtFX:
        .floatParallel
      case .fcmp, .fclass: .floatCompare
      case .fcvtFX, .fcvtXF: .floatConvert
      case .fsetc, .fclrf, .fchkf: .floatStatus
      case .nop, .hint, .reserved, .reservedIfPredicated, .breakInstruction:
        Self.idle(i)
      }
  }

  private static func idle(_ i: Instruction) -> InstructionClass {
    let breaks = i.operation == .breakInstruction
    switch i.unit {
    case .m: return breaks ? .breakM : .nopM
    case .i, .l, .x: return breaks ? .breakI : .nopI
    case .f: return breaks ? .breakF : .nopF
    case .b: return breaks ? .breakB : .nopB
    }
  }

  var isBranch: Bool {
    switch self {
    case .branch, .loopBranch, .call, .indirect, .indirectCall, .returnBranch, .longBranch: true
    default: false
    }
  }

  /// An issue group ends behind it without a stop (semaphores, mf.a, invala), or it must be the last of its group.
  var endsGroup: Bool {
    switch self {
    case .semaphore, .acceptanceFence, .invalidateALAT, .cover, .clearRename, .returnFromInterruption, .bankSwitch,
      .enterPrivileged, .machineSwitch, .breakM, .breakI, .breakF, .breakB, .longBranch:
      true
    default: false
    }
  }

  /// It must be the first of its group.
  var beginsGroup: Bool { self == .alloc || self == .flushStack || self == .loadStack }
}

extension Instruction {
  var isCheck: Bool {
    switch attributes.access {
    case .checkClear, .checkNoClear, .checkClearAcquire: true
    default: false
    }
  }
  var isAdvanced: Bool { attributes.access == .advanced || attributes.access == .speculativeAdvanced }
}
