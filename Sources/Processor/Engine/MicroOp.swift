import CThreadedCode
import IA64

/// What the interpreter loop executes: one case per fast path, `general` for everything rare. `threaded.h` lists them in the same order,
/// and `Operations.swift` has a body for each.
///
/// Operand letters: d, a, b, c are register numbers; imm is a 64-bit immediate. Compares set predicate d on a true result and c
/// on a false one (64 swallows p0).
enum MicroTag: UInt8, CaseIterable {
  // MARK: Control of the loop itself
  /// The loop ends; ``EngineContext/exit`` says why.
  case leave
  /// A branch has been taken, and the slot limit is reached.
  case limit
  /// A ``Link`` that leads nowhere yet.
  case resolve
  /// A ``Link`` to another page: through the jump cache.
  case far
  /// The block has become invalid.
  case stale
  /// What a block needs that names high registers: at the beginning of each block, and left out by those who know that it holds.
  case enter

  // MARK: Control inside a block
  /// Skips `imm` micro-operations unless predicate a is set.
  case skipUnless
  /// The same in front of `unc` compares: clears predicates d and c when it skips.
  case skipUnlessClearing
  /// End of block: execution goes on at `position`, slot c, imm bytes from the first bundle. Followed by a link.
  case end
  /// End of block at a page boundary: goes on at `position` through the dispatcher.
  case endUnlinked
  /// Illegal Operation fault.
  case illegal
  /// Disabled FP-Register fault; imm is ISR.
  case disabledFP
  /// Anything rare; followed by ``GeneralOperands``.
  case general

  /// With a timing model: an issue group begins, whose record lies `imm` bytes from the block's header.
  case issue

  // MARK: Integer
  case mov, movImm, add, addOne, sub, subOne, addImm, and, andcm, or, xor
  case subImm, andImm, andcmImm, orImm, xorImm
  /// d = (a << c) + b
  case shladd
  case sxt1, sxt2, sxt4, zxt1, zxt2, zxt4
  /// d = a shifted by register b, counts above 63 shift everything out.
  case shl, shr, shru
  /// d = (a >> c) & imm
  case extru
  /// d = (a << c) >> b, arithmetic.
  case extr
  /// d = (a << c) & imm
  case depZ
  /// d = field imm of (a << c), the rest from b
  case dep
  /// d = (a & ~imm) | field, for deposits of zeros and ones: and with imm, or with imm.
  case shrp

  // MARK: Compares: normal and unc
  case cmpEq, cmpLt, cmpLtu, cmpEqImm, cmpLtImm, cmpLtuImm
  case cmp4Eq, cmp4Lt, cmp4Ltu, cmp4EqImm, cmp4LtImm, cmp4LtuImm
  /// and, or, or.andcm types: e is the ``ParallelType`` and relation; b register, or imm.
  case cmpParallel, cmpParallelImm
  /// d if bit c of a is one; b takes the complement.
  case tbit
  /// The same fused with the `brIf` that follows (it stays where it is, with its link): e is the result on which it is taken.
  case cmpEqBr, cmpLtBr, cmpLtuBr, cmpEqImmBr, cmpLtImmBr, cmpLtuImmBr
  case cmp4EqBr, cmp4LtBr, cmp4LtuBr, cmp4EqImmBr, cmp4LtImmBr, cmp4LtuImmBr
  case tbitBr

  // MARK: Moves
  case movFromBR, movToBR
  /// Application registers that are plain storage: a, d are their numbers.
  case movFromARPlain, movToARPlain
  /// With ``GeneralOperands`` behind them, for the case that the short way does not fit.
  case movToPFS, alloc
  case addp4, addp4Imm, shladdp4
  /// mix4.l and unpack4.h, mix4.r and unpack4.l
  case mixHigh4, mixLow4
  /// c is the half: 0 or 32.
  case unpack1, unpack2
  /// mux1 @rev
  case byteSwap
  case popcnt

  // MARK: Memory
  case ld1, ld2, ld4, ld8, st1, st2, st4, st8
  /// The same with the base register b raised by imm afterwards.
  case ld1Inc, ld2Inc, ld4Inc, ld8Inc, st1Inc, st2Inc, st4Inc, st8Inc
  case ld8Fill, st8Spill
  /// Speculative, advanced and check loads: b size, c access.
  case loadSpecial
  /// e is the FloatFormat, `imm` 1 for fill and spill.
  case loadFP, storeFP
  /// The frequent ones of them; loads: a is what PSR gets.
  case ldfs, ldfd, stfs, stfd, ldfsInc, ldfdInc, stfsInc, stfdInc
  /// ldfd and stfd of doubles that are kept as the host has them (``FloatPlace``).
  case ldfdHost, stfdHost, ldfdHostInc, stfdHostInc
  case ldfFill, stfSpill, ldfFillInc, stfSpillInc
  case setfSig, getfSig

  // MARK: Branches. Direct ones are followed by a link. imm: distance of the target from the block's first bundle; c: 32 + sof if an alloc
  // in front of them has told, else 0.
  case br
  /// Taken if predicate a is set.
  case brIf
  case brCall
  case brIndirect
  case brCallIndirect
  case brRet
  case brCloop
  /// ctop, cexit, wtop, wexit: e says which, a is the qualifying predicate.
  case brRotate

  // MARK: Floating point
  /// d = a * b + c; e: status field, precision << 2, kind << 4 (fma, fms, fnma)
  case fma
  /// The functions of ``OrdinaryMultiplyAdd``; imm is prepared for them.
  case fmaExtended, fmsExtended, fnmaExtended, fmpyExtended, fmaDouble, fmsDouble, fnmaDouble, fmpyDouble, fmaSingle
  case fnormExtended, fnormDouble
  case fmaExtendedRotating, fmsExtendedRotating, fnmaExtendedRotating, fmpyExtendedRotating
  case fmaDoubleRotating, fmsDoubleRotating, fnmaDoubleRotating, fmpyDoubleRotating
  /// Of doubles in status field 0, by the host (``HostMultiplyAdd``).
  case fmaHost, fmsHost, fnmaHost, fmpyHost, fmaHostRotating, fmsHostRotating, fnmaHostRotating, fmpyHostRotating
  case xma
  case fcvtXF
  /// fcvt.fx: c bit 0 unsigned, bit 1 truncates; e is the status field.
  case fcvtFX
  /// Followed by ``GeneralOperands``.
  case frcpa
  /// frcpa and the steps by which programs divide, all at once: d = a / b, predicate c is set, e is 1 for unsigned integers. Followed by a
  /// ``HostDivision/Plan``, and by the steps, if they have to be done after all; imm micro-operations behind the plan it goes on if not.
  case divideIntegers, divideDoubles
  /// fmerge.s, with which registers are moved: sign of a, the rest from b.
  case fmergeS
  /// Other arithmetic, followed by ``GeneralOperands``.
  case floating
}

extension MicroTag {
  /// A compare fused with the branch that follows it.
  var fusedWithBranch: MicroTag? {
    switch self {
    case .cmpEq: .cmpEqBr
    case .cmpLt: .cmpLtBr
    case .cmpLtu: .cmpLtuBr
    case .cmpEqImm: .cmpEqImmBr
    case .cmpLtImm: .cmpLtImmBr
    case .cmpLtuImm: .cmpLtuImmBr
    case .cmp4Eq: .cmp4EqBr
    case .cmp4Lt: .cmp4LtBr
    case .cmp4Ltu: .cmp4LtuBr
    case .cmp4EqImm: .cmp4EqImmBr
    case .cmp4LtImm: .cmp4LtImmBr
    case .cmp4LtuImm: .cmp4LtuImmBr
    case .tbit: .tbitBr
    default: nil
    }
  }

  /// Computes general register d from others, and does nothing else.
  var isComputation: Bool {
    switch self {
    case .mov, .movImm, .add, .addOne, .sub, .subOne, .addImm, .and, .andcm, .or, .xor, .subImm, .andImm, .andcmImm, .orImm,
      .xorImm,
      .shladd, .sxt1, .sxt2, .sxt4, .zxt1, .zxt2, .zxt4, .shl, .shr, .shru, .extru, .extr, .depZ, .dep, .shrp, .movFromBR, .addp4,
      .addp4Imm, .shladdp4, .mixHigh4, .mixLow4, .unpack1, .unpack2, .byteSwap, .popcnt:
      true
    default: false
    }
  }

  /// A load or store with an immediate update of its base.
  var withIncrement: MicroTag? {
    switch self {
    case .ld1: .ld1Inc
    case .ld2: .ld2Inc
    case .ld4: .ld4Inc
    case .ld8: .ld8Inc
    case .st1: .st1Inc
    case .st2: .st2Inc
    case .st4: .st4Inc
    case .st8: .st8Inc
    case .ldfs: .ldfsInc
    case .ldfd: .ldfdInc
    case .stfs: .stfsInc
    case .stfd: .stfdInc
    case .ldfdHost: .ldfdHostInc
    case .stfdHost: .stfdHostInc
    case .ldfFill: .ldfFillInc
    case .stfSpill: .stfSpillInc
    default: nil
    }
  }
}

/// 24 bytes; what every step of the interpreter reads.
struct MicroOp {
  /// Where the loop continues: the label of `tag` (see ``LoopLabels``).
  var handler: UnsafeRawPointer
  var imm: Int64 = 0
  var tag: MicroTag
  /// Slot within the block: 3 * bundle + slot, from the block's first bundle.
  var position: UInt8
  var d: UInt8 = 0
  var a: UInt8 = 0
  var b: UInt8 = 0
  var c: UInt8 = 0
  var e: UInt8 = 0

  @inline(__always)
  init(
    _ tag: MicroTag, _ position: UInt8, d: UInt8 = 0, a: UInt8 = 0, b: UInt8 = 0, c: UInt8 = 0, e: UInt8 = 0, imm: Int64 = 0
  ) {
    handler = LoopLabels.of(tag)
    self.tag = tag
    self.position = position
    self.d = d
    self.a = a
    self.b = b
    self.c = c
    self.e = e
    self.imm = imm
  }

  /// The same with another tag.
  mutating func become(_ tag: MicroTag) {
    self.tag = tag
    handler = LoopLabels.of(tag)
  }
}

/// What follows a linked micro-operation: where it leads. As long as it leads nowhere it is a micro-operation itself (``MicroTag/resolve``,
/// ``MicroTag/far``), and its own target.
struct Link {
  var handler: UnsafeRawPointer
  /// The target's first micro-operation, or that behind its `enter`.
  var entry: UnsafeMutableRawPointer
  /// The target, or the block that this link is in.
  var block: UnsafeMutablePointer<Block>
}

/// What follows a `general` micro-operation: the rest of the instruction.
struct GeneralOperands {
  var operation: Operation
  var attributes: Attributes
  var length: UInt8
}

/// Types of the parallel compares, and relations, as `MicroOp.e` packs them.
enum ParallelCompare {
  static let and: UInt8 = 0
  static let or: UInt8 = 1
  static let orAndcm: UInt8 = 2
  static func pack(_ type: UInt8, _ relation: Relation, size: UInt8) -> UInt8 {
    type | relation.rawValue << 2 | (size == 4 ? 0x80 : 0)
  }
}

/// Header of a translated run of instructions; its micro-operations follow in memory.
struct Block {
  /// Physical address of its first bundle.
  var physical: UInt64
  /// Next block in the same hash bucket, and next block of the same physical page.
  var bucketNext: UnsafeMutablePointer<Block>?
  var pageNext: UnsafeMutablePointer<Block>?
  /// `highestTarget` and `floatUse` in the layout of ``EntryGate``.
  var need: UInt32
  var startSlot: UInt8
  /// One more than the highest stacked general register written under the frame of entry; 0 if there is none.
  var highestTarget: UInt8
  /// 1 if it names f2...f31, 2 if it names f32...f127.
  var floatUse: UInt8
  /// False once a store or fc has hit its page.
  var valid: Bool

  /// ``need`` of a block with a breakpoint: more than any frame has.
  static let neverFits: UInt32 = 0x7FFF_7FFF

  /// The block's `enter`; what it does follows.
  @inline(__always) static func head(_ block: UnsafeMutablePointer<Block>) -> UnsafeMutablePointer<MicroOp> {
    UnsafeMutableRawPointer(block + 1).assumingMemoryBound(to: MicroOp.self)
  }
  @inline(__always) static func operations(_ block: UnsafeMutablePointer<Block>) -> UnsafeMutablePointer<MicroOp> {
    head(block) + 1
  }
  /// Where those begin who know nothing about the frame.
  @inline(__always) static func entry(_ block: UnsafeMutablePointer<Block>) -> UnsafeMutablePointer<MicroOp> {
    block.pointee.need == 0 ? operations(block) : head(block)
  }
}

/// Two fields of 15 bits: one past the highest stacked register of the frame, and 3 while no FP register is disabled, else 0.
struct EntryGate {
  var top: UInt16
  var floatAllowance: UInt16
  /// Set in a difference of two gates where a field of the second is the greater.
  static let exceeded: UInt32 = 0x8000_8000
}

/// Derived state of the engine: everything here can be rebuilt from ``ProcessorState``.
struct EngineContext {
  /// Software-TLB table of the current data context.
  var dataTable: UnsafeMutablePointer<SoftEntry>
  /// The privilege level, 1 or 2, that the software TLB's shared table is filled for.
  var otherLevel: UInt64 = 0
  /// The slot count at which blocks must stop; 0 makes them stop at once.
  var limit: UInt64 = 0
  /// Slots retired before the current block, less its start slot: plus a position, time in the middle of a block.
  var blockStart: UInt64 = 0
  /// Position of the micro-operation that called out of the loop.
  var position: UInt64 = 0
  /// The processor, for what the loop's bodies leave to it. It owns this memory.
  var owner: Unmanaged<LogicalProcessor>?
  var jumps: UnsafeMutablePointer<JumpEntry>
  /// Raised by 4 whenever a virtual code address may mean something else; bits 1:0 are the privilege level.
  var jumpContext: UInt64 = 4
  /// Micro-operations that every block may lead to: ``MicroTag/leave`` and ``MicroTag/limit``.
  var leave: UnsafeMutablePointer<MicroOp>
  var limitReached: UnsafeMutablePointer<MicroOp>
  /// Why the loop has ended.
  var exit = LoopExit.step
  /// Data references that the software TLB did not serve, and transfers that the jump cache did not.
  var dataMisses: UInt64 = 0
  var jumpMisses: UInt64 = 0
  /// 32 + sof.
  var frameTop: UInt8 {
    @inline(__always) get { UInt8(truncatingIfNeeded: gate.top) }
    @inline(__always) set { gate.top = UInt16(newValue) }
  }
  /// PSR.dfl | PSR.dfh << 1.
  var floatDisabled: UInt8 = 0 {
    didSet { gate.floatAllowance = floatDisabled == 0 ? 3 : 0 }
  }
  /// What blocks may name at most, to be compared with ``Block/need`` in one go.
  var gate = EntryGate(top: 128, floatAllowance: 3)
  /// PSR asks for single instructions (``PSR/stepping``).
  var mustStep = false
  var stopRequested = false
  var timerCycle: UInt64 = .max
  var interruptions: UInt64 = 0
  /// Cycle at which ``LogicalProcessor/run(until:)`` comes back; a device may lower it while a block runs.
  var deadline: UInt64 = .max
  /// Instructions retired when the last interruption was delivered, and how many were delivered since without progress.
  var deliveredAt: UInt64 = .max
  var fruitlessDeliveries: UInt32 = 0
  /// Where a body that returned ``StepResult/branch`` goes.
  var branchTarget: UInt64 = 0
  /// Address of the block that ran before this one.
  var previousIP: UInt64 = 0
  /// Last position that it executed.
  var previousPosition: UInt64 = 0
  /// With a profile of the engine: the loop came back before the micro-operation here.
  var counted: LoopRegisters?
  /// The running instruction has set PSR.ic: what IIPA names stays what it was before PSR.ic was cleared.
  var keepsPrevious = false

  /// Counts cycles, if there is one.
  var timing: TimingModel?
  /// With a timing model: the cycle at which blocks must stop.
  var cycleLimit: UInt64 = .max

  var monitors = MonitorContext()

  /// The VPD that ``ProcessorState/virtualEnvironment`` names.
  var descriptor: VirtualProcessorDescriptor?

  /// It lies behind the processor's state, so that the loop reaches both from one register.
  @inline(__always) static func of(_ state: State) -> UnsafeMutablePointer<EngineContext> {
    UnsafeMutableRawPointer(state + 1).assumingMemoryBound(to: EngineContext.self)
  }

  /// The gate as one word.
  static func gateWord(_ e: UnsafeMutablePointer<EngineContext>) -> UnsafePointer<UInt32> {
    guard let offset = MemoryLayout<EngineContext>.offset(of: \.gate) else { preconditionFailure("the gate is stored") }
    return (UnsafeRawPointer(e) + offset).assumingMemoryBound(to: UInt32.self)
  }
}
