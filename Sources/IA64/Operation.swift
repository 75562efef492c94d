/// What an instruction does, at the granularity of the manual's instruction pages (Volume 3, chapter 2).
///
/// One case per instruction page, or per form of a page where the forms compute differently. Everything that
/// merely parametrises a page (access size, speculation, relation, saturation ...) is in ``Attributes``; what
/// changes no result (cache and branch hints) is only in the mnemonic.
public enum Operation: UInt16, CaseIterable, Sendable {
  // MARK: Reserved encodings (Volume 3, section 4.1: "reserved if PR[qp] is 1", "reserved", "reserved inside group")
  /// Illegal Operation fault if PR[qp] is 1.
  case reservedIfPredicated
  /// Illegal Operation fault whatever PR[qp] holds.
  case reserved

  // MARK: Integer ALU (A1–A5)
  case add  // A1 r1 = r2 + r3
  case addOne  // A1 r1 = r2 + r3 + 1
  case sub  // A1 r1 = r2 - r3
  case subOne  // A1 r1 = r2 - r3 - 1
  case addp4  // A1
  case and, andcm, or, xor  // A1 r1 = r2 op r3
  case shladd, shladdp4  // A2 r1 = (r2 << immediate2) + r3; immediate2 = 1...4
  case subImmediate  // A3 r1 = imm8 - r3
  case andImmediate, andcmImmediate, orImmediate, xorImmediate  // A3 r1 = imm8 op r3
  case addImmediate14  // A4 adds r1 = imm14 + r3
  case addp4Immediate  // A4 r1 = imm14, r3
  case addImmediate22  // A5 addl r1 = imm22 + r3 (r3 is 0...3)

  // MARK: Integer compare (A6 r2,r3 · A7 r0,r3 · A8 imm8,r3); attributes: size 4/8, relation, comparison
  case compare  // A6: r2 rel r3
  case compareZero  // A7: r0 rel r3
  case compareImmediate  // A8: imm8 rel r3

  // MARK: Parallel integer; attributes.size is the element size
  case paddElements, psubElements  // A9; saturation
  case pavg  // A9; variant .none or .raz
  case pavgsub  // A9
  case pcmp  // A9; relation .eq or .gt
  case pshladd2, pshradd2  // A10; immediate2 = count 1...3
  case pmpyshr2  // I1; immediate2 = 0, 7, 15 or 16; variant .none or .unsigned
  case pmpy2  // I2; variant .right or .left
  case mix, unpack  // I2; variant .right/.left, .high/.low
  case pack  // I2; size = source element (2, 4); saturation .sss or .uss
  case pmin1, pmax1  // I2 unsigned bytes
  case pmin2, pmax2  // I2 signed words
  case psad1  // I2
  case mux1  // I3; immediate2 = mbtype4
  case mux2  // I4; immediate2 = mhtype8
  case pshr  // I5 by register (r1 = r3, r2), size 2/4; variant .unsigned for .u
  case pshrImmediate  // I6 (r1 = r3, immediate2); variant as above
  case pshl  // I7 by register (r1 = r2, r3)
  case pshlImmediate  // I8 (r1 = r2, immediate2)
  case popcnt  // I9
  case clz  // I9 (not on Montecito)
  case mpy4, mpyshl4  // I2 (not on Montecito)

  // MARK: Shifts and bit fields
  case shr  // I5 r1 = r3 >> r2; variant .unsigned for shr.u
  case shl  // I7 r1 = r2 << r3
  case shrp  // I10 r1 = (r2:r3) >> immediate2
  case extr  // I11 r1 = r3, immediate = pos6, immediate2 = len6; variant .unsigned for .u
  case depZ  // I12 r1 = r2, pos, len
  case depZImmediate  // I13 r1 = imm8, pos, len: field value in `value`, see Instruction
  case depImmediate  // I14 r1 = imm1, r3, pos, len
  case dep  // I15 r1 = r2, r3, pos, len4
  case testBit  // I16 p1,p2 = r3, immediate = pos; relation .z/.nz, comparison
  case testNaT  // I17
  case testFeature  // I30 immediate = imm5 (as the assembler prints it, 32...63)
  case sxt, zxt  // I29; size 1, 2, 4
  case czx  // I29; size 1, 2; variant .left/.right

  // MARK: Moves
  case movToBR  // I21 b1 = r2
  case movFromBR  // I22 r1 = b2
  case movToPredicates  // I23 pr = r2, immediate = mask17 (sign-extended)
  case movToPredicatesRotating  // I24 pr.rot = immediate (imm44, sign-extended)
  case movFromPredicates  // I25
  case movFromIP  // I25
  case movToAR  // I26, M29 ar3 = r2
  case movToARImmediate  // I27, M30 ar3 = imm8
  case movFromAR  // I28, M31 r1 = ar3
  case movLong  // X2 r1 = imm64

  // MARK: Memory
  case load  // M1–M3 r1 = [r3]: size, access, update (register r2, immediate imm9)
  case load16  // M1 ld16, ld16.acq: r1, ar.csd = [r3]
  case loadFill  // M1–M3 ld8.fill
  case store  // M4, M5 [r3] = r2: size, access .normal/.release, update
  case store16  // M4 st16, st16.rel
  case storeSpill  // M4, M5 st8.spill
  case loadFP  // M6–M8 ldfs, ldfd, ldfe, ldf8: size 4, 8, 10 with floatFormat; access
  case loadFPFill  // M6–M8 ldf.fill
  case storeFP  // M9, M10 stfs, stfd, stfe, stf8
  case storeFPSpill  // M9, M10
  case loadFPPair  // M11, M12 ldfps, ldfpd, ldfp8: f1, f2 = [r3] (, 8 or 16 in `immediate`)
  case lfetch  // M18–M20, M22(count); variant .fault, .exclusive in flags; update
  case exchange  // M16 xchg
  case compareExchange  // M16 cmpxchg .acq/.rel
  case compareExchange16  // M16 cmp8xchg16 .acq/.rel
  case fetchAdd  // M17; immediate = ±1, ±4, ±8, ±16; access .acquire/.release
  case setf  // M18; variant .significand, .exponent, .single, .double
  case getf  // M19
  case checkS  // I20, M20 chk.s r2 (GR); immediate = byte displacement
  case checkSFP  // M21 chk.s f2
  case checkA  // M22 chk.a r1; variant .clear or .none (nc)
  case checkAFP  // M23
  case invala  // M24
  case invalaEntry  // M26 r1
  case invalaEntryFP  // M27 f1
  case flushrs, loadrs  // M25
  case fwb, mf, mfa, srlzI, srlzD, syncI  // M24
  case fc, fcI  // M28
  case alloc  // M34: frame in `allocFrame`
  case movToPSRL, movToPSRUM  // M35
  case movFromPSR, movFromPSRUM  // M36
  case movToCR, movFromCR  // M32, M33
  case movToIndirect, movFromIndirect  // M42, M43; indirect file in attributes
  case movToDAHRImmediate  // M50 mov dahr3 = imm16 (not on Montecito)
  case ptcL, ptcG, ptcGA  // M45
  case ptrD, ptrI  // M45
  case ptcE  // M47
  case itcD, itcI  // M41
  case itrD, itrI  // M42
  case probe  // M38 r1 = r3, r2
  case probeImmediate  // M39 r1 = r3, imm2
  case probeFault  // M40 r3, imm2; variants .read .write .readWrite in `variant`
  case thash, ttag, tpa, tak  // M46
  case sum, rum, ssm, rsm  // M44; immediate = imm24
  case breakInstruction  // I19, M37, B9, F15, X1; immediate zero-extended
  case nop  // all units
  case hint  // all units; immediate
  case vmsw  // B8; immediate 0/1

  // MARK: Branches
  case brCond, brWexit, brWtop  // B1 displacement in `immediate`
  case brCloop, brCexit, brCtop  // B2
  case brCall  // B3 b1 = displacement
  case brCondIndirect, brIA  // B4 b2
  case brRet  // B4 b2
  case brCallIndirect  // B5 b1 = b2
  case brp, brpIndirect, brpRet  // B6, B7 (hints)
  case cover, clrrrb, clrrrbPR, rfi, bsw0, bsw1, epc  // B8
  case brlCond, brlCall  // X3, X4

  // MARK: Floating point; sf = status field 0...3 in `statusField`
  case fma, fms, fnma  // F1; precision
  case fpma, fpms, fpnma  // F1 parallel
  case xma  // F2; variant .low, .high, .highUnsigned
  case fselect  // F3
  case fcmp  // F4; relation .eq .lt .le .unord; comparison .normal/.unc
  case fclass  // F5; immediate = fclass9; relation .m (variant .member), comparison .normal/.unc
  case frcpa, fprcpa  // F6
  case frsqrta, fprsqrta  // F7
  case fmin, fmax, famin, famax, fpmin, fpmax, fpamin, fpamax, fpcmp  // F8
  case fmerge, fmix, fsxt, fpack, fswap, fand, fandcm, for_, fxor, fpmerge  // F9; variant
  case fcvtFX, fpcvtFX  // F10; variant: .signed/.unsigned; trunc flag
  case fcvtXF  // F11
  case fsetc, fclrf, fchkf  // F12, F13, F14
}

/// Cache behaviour and speculation of a load, store or semaphore.
public enum Access: UInt8, Sendable {
  case normal, speculative, advanced, speculativeAdvanced, bias, acquire, release
  case checkClear, checkNoClear, checkClearAcquire
}

/// Base register update of a memory instruction.
public enum Update: UInt8, Sendable { case none, register, immediate }

/// Relation of a compare or test. The assembler's pseudo relations are not here; only what is encoded.
public enum Relation: UInt8, Sendable {
  case none, eq, ne, lt, ltu, gt, le, ge
  /// tbit, tnat, tf: predicate p1 is set if the bit is zero / nonzero.
  case z, nz
  /// fcmp and fpcmp.
  case unord, neq, nlt, nle, ord
}

/// How a compare or test writes its predicates (`ctype`).
public enum Comparison: UInt8, Sendable { case normal, unc, and, or, orAndcm }

/// Saturation of parallel add, subtract and pack.
public enum Saturation: UInt8, Sendable { case modulo, sss, uus, uuu, uss }

/// One of a few alternatives of an operation; which ones apply is said at the ``Operation``.
public enum Variant: UInt8, Sendable {
  case none, unsigned, left, right, leftRight, high, low, highUnsigned, raz
  case significand, exponent, single, double
  case read, write, readWrite
  case clear  // chk.a.clr
  case member, notMember  // fclass
  case sign, negatedSign, signExponent  // fmerge.s .ns .se, fpmerge
  case negatedLeft, negatedRight  // fswap.nl .nr
}

/// Memory format of a floating-point load or store.
public enum FloatFormat: UInt8, Sendable { case none, single, double, extended, integer }

/// Precision completer of an arithmetic floating-point instruction (none: FPSR.sfx.pc decides).
public enum Precision: UInt8, Sendable { case dynamic, single, double }

/// Register files that `mov` reaches through an index register.
public enum IndirectFile: UInt8, Sendable { case none, rr, dbr, ibr, pkr, pmc, pmd, cpuid, dahr }

public struct InstructionFlags: OptionSet, Sendable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }
  /// cpl must be 0 (Privileged Operation fault otherwise).
  public static let privileged = InstructionFlags(rawValue: 1)
  /// With PSR.vm = 1 the instruction raises a Virtualization fault.
  public static let virtualized = InstructionFlags(rawValue: 2)
  /// lfetch.fault, fault-raising forms.
  public static let fault = InstructionFlags(rawValue: 4)
  /// lfetch.excl.
  public static let exclusive = InstructionFlags(rawValue: 8)
  /// fcvt.fx.trunc and kin.
  public static let truncate = InstructionFlags(rawValue: 16)
  /// The instruction is not predicated by qp although bits 5:0 exist (alloc, br.cloop, cover, rsm? no ...): qp must be read as 0.
  public static let unpredicated = InstructionFlags(rawValue: 32)
  /// Must be first in its instruction group (alloc, flushrs, loadrs).
  public static let first = InstructionFlags(rawValue: 64)
  /// Must be last in its instruction group.
  public static let last = InstructionFlags(rawValue: 128)
  /// An encoding that exists only after Montecito (clz, mpy4, mpyshl4, tf, mov dahr, data hints):
  /// an Illegal Operation fault (or a nop, for hints) on a processor whose CPUID[4] lacks the feature.
  public static let postMontecito = InstructionFlags(rawValue: 256)
  /// Illegal Operation fault unless in slot 2 (the loop branches).
  public static let slotTwoOnly = InstructionFlags(rawValue: 512)
}

/// What parametrises an ``Operation``; constant for a row of the instruction table.
public struct Attributes: Sendable, Equatable {
  public var size: UInt8 = 0
  public var access: Access = .normal
  public var update: Update = .none
  public var relation: Relation = .none
  public var comparison: Comparison = .normal
  public var saturation: Saturation = .modulo
  public var variant: Variant = .none
  public var floatFormat: FloatFormat = .none
  public var precision: Precision = .dynamic
  public var indirect: IndirectFile = .none
  public var flags: InstructionFlags = []
  public init() {}
}
