import Processor

/// A planned issue group in memory: this header, then its tables one after the other. What it says is fixed when a block is translated;
/// what happens when it issues depends on predicates, operands and caches.
struct IssueGroup {
  var header: IssueGroupHeader
  /// Numbers of entries of the tables that follow, and where they begin, in bytes from the group's. Uses are in the order of how
  /// their registers are renamed: not at all, stacked, rotating FP, predicates.
  var uses: UInt8 = 0
  var fixedUses: UInt8 = 0
  var stackedUses: UInt8 = 0
  var rotatingUses: UInt8 = 0
  var predicateUses: UInt8 = 0
  var results: UInt8 = 0
  var references: UInt8 = 0
  var branches: UInt8 = 0
  var specials: UInt8 = 0
  /// General registers that are written with a latency of one cycle: nobody waits for them but multimedia instructions.
  var quickResults: UInt8 = 0
  /// Qualifying predicates of its syllables, without nops and branches.
  var guards: UInt8 = 0
  var resultsAt: UInt16 = 0
  var referencesAt: UInt16 = 0
  var branchesAt: UInt16 = 0
  var specialsAt: UInt16 = 0
  var quickResultsAt: UInt16 = 0
  var guardsAt: UInt16 = 0
  /// Pairs of bundles that the front end fetches for this group.
  var pairs: UInt8 = 0
  /// Lines of L1I that it is the first to touch, and the physical address of the bundle that is the first in the first of them.
  var lines: UInt8 = 0
  var linePhysical: UInt64 = 0
  var flags: Flags = []
  /// Why it ends where it ends.
  var split: SplitCause = .stop
  /// Bytes from the first planned bundle to the group's first bundle, and to the bundle where a branch that is not taken goes on: multiples
  /// of 16.
  var offset: UInt16 = 0
  var fallThrough: UInt16 = 0
  /// Physical address of the group's first bundle.
  var physical: UInt64 = 0
  /// The number of its first line of L1I, if that is the only one that the group begins; 0: there are more or none.
  var line: UInt64 = 0
  /// The group, and those that lead it.
  var unit = Unit()
  /// Syllables << 32, and how many of them are nops.
  var packedSlots: UInt64 = 0
  /// Registers that it uses, as bits of ``LateRegisters``.
  var registers = LateRegisters()

  /// Predicates that decide whether registers are waited for, references are made and results come, a byte for each.
  var predicateNames: UInt64 = 0
  var predicates: UInt8 = 0

  /// General registers that multimedia instructions read, and those that are written quickly, a bit for each.
  var multimediaUses: (UInt64, UInt64) = (0, 0)
  var quickRegisters: (UInt64, UInt64) = (0, 0)
  /// Some of these instructions have predicates.
  var hasPredicatedMultimedia = false
  /// One branch, relative to IP: conditional or a call; or a counted loop.
  var hasPlainBranch = false
  var hasLoopBranch = false
  /// What the name of its only branch's history is behind a quarter of the address of the first planned bundle, and where it was last found.
  var historyName: UInt32 = 0
  var historyPlace: UInt32 = 0
  /// What has to be looked at before the next group: ``PipelineState/looksAround``.
  var looksAround: UInt8 = 0

  var slots: Int { Int(packedSlots >> 32) }

  /// Groups that only compute are not announced: they issue with the next group that does more. Nothing can come between: they refer to
  /// nothing, never fault, and the engine leaves its blocks elsewhere.
  struct Unit {
    /// How many groups it has, and how many bytes the records of all but the last take in front of that.
    var groups: UInt8 = 1
    var leadBytes: UInt16 = 0
    /// Of these the last.
    var lastLeadBytes: UInt16 = 0
    /// As in ``IssueGroup``, for all of them.
    var lines: UInt8 = 0
    var offset: UInt16 = 0
    var line: UInt64 = 0
    /// ``PipelineState/fetchEpoch`` when the line was last found to be there.
    var lineEpoch: UInt64 = 0
    var packedSlots: UInt64 = 0
    /// The transition that it last made, which most likely it will make again.
    var last: KnownTransition?
  }

  struct Flags: OptionSet {
    let rawValue: UInt8
    /// A multimedia instruction reads general registers.
    static let multimedia = Flags(rawValue: 1)
    /// Floating point instructions: they wait for AR.FPSR.
    static let float = Flags(rawValue: 2)
    /// The first group of a plan that begins in the middle of a bundle: it may belong to what issued before it.
    static let first = Flags(rawValue: 4)
    /// The record stays where it is as long as its block, and what the group does may be remembered.
    static let kept = Flags(rawValue: 8)
    /// `kept`, and neither `first` nor with predicates.
    static let plain = Flags(rawValue: 16)
    /// Behind it registers may have other names.
    static let movesFrame = Flags(rawValue: 32)
    /// How it goes on is known only when it has issued: it has references, branches or specials.
    static let open = Flags(rawValue: 64)
    /// It has a branch that looks at the loop count.
    static let counts = Flags(rawValue: 128)
  }

  /// Where the tables of a group begin.
  static let headerSize = (MemoryLayout<IssueGroup>.size + 7) & ~7
}

/// Why no more syllables go with a group.
enum SplitCause: UInt8, CaseIterable, Sendable {
  /// A stop, an implicit one (the architecture or the instruction asks for it), a rule of the dispersal network, no free port, a taken
  /// branch or the end of what was planned.
  case stop, implicit, rule, ports, end
}

/// A register that must be ready; `code` is a ``RegisterCode``.
struct Use {
  var code: UInt16
  var consumer: Consumer
  /// Only if this predicate is set.
  var predicate: UInt8
  /// Its bit in the word of ``LateRegisters`` that its register belongs to.
  var bit: UInt8

  init(code: UInt16, consumer: Consumer, predicate: UInt8) {
    self.code = code
    self.consumer = consumer
    self.predicate = predicate
    bit = LateRegisters.bit(code)
  }
}

/// A set of registers by name, to see quickly whether a group uses any that may be late.
///
/// Many registers share ``others`` and the last bit of each of the words for what is renamed; a bit of only one register can be cleared
/// when that register is seen to be ready.
struct LateRegisters {
  /// Bits 1 to 31: the static general registers; from bit 34 on the static floating-point registers. No instruction waits for r0, f0
  /// and f1: their bits stand for others.
  var fixed: UInt64 = 0
  /// From r32 on, and from f32 on.
  var stacked: UInt64 = 0
  var rotating: UInt64 = 0

  /// Branch, application and system registers.
  static let others: UInt8 = 0
  /// Predicates, and AR.FPSR for floating-point instructions.
  static let predicates: UInt8 = 32
  /// The bit of all registers that are behind the others of a word for what is renamed.
  static let last: UInt8 = 63
  /// Bits that more than one register has.
  static let sharedFixed: UInt64 = 1 | 1 << 32
  static let sharedRenamed: UInt64 = 1 << 63

  @inline(__always) static func bit(_ code: UInt16) -> UInt8 {
    switch code {
    case 0..<32: UInt8(truncatingIfNeeded: code)
    case RegisterCode.float..<RegisterCode.float + 32: UInt8(truncatingIfNeeded: code &- RegisterCode.float &+ 32)
    case 32..<RegisterCode.float: Swift.min(UInt8(truncatingIfNeeded: code &- 32), last)
    case RegisterCode.float..<RegisterCode.predicate:
      Swift.min(UInt8(truncatingIfNeeded: code &- RegisterCode.float &- 32), last)
    case RegisterCode.predicate..<RegisterCode.branch: predicates
    default: others
    }
  }

  mutating func insert(_ code: UInt16) {
    let mask: UInt64 = 1 << UInt64(Self.bit(code))
    switch code {
    case 32..<RegisterCode.float: stacked |= mask
    case RegisterCode.float + 32..<RegisterCode.predicate: rotating |= mask
    default: fixed |= mask
    }
  }
}

/// A register that is not ready in the next cycle.
struct Result {
  var code: UInt16
  var producer: Producer
  var predicate: UInt8
  var latency: UInt16
  var unused: UInt16 = 0
}

/// A reference to memory.
struct Reference {
  var kind: Kind
  var size: UInt8
  /// General register that holds the address.
  var base: UInt8
  var predicate: UInt8
  /// ``RegisterCode`` of what a load writes; 0: nothing.
  var target: UInt16
  var secondTarget: UInt16

  enum Kind: UInt8 { case load, checkLoad, floatLoad, floatPair, floatCheck, store, floatStore, semaphore, prefetch, flush }
}

/// A branch.
struct Branch {
  var kind: Kind
  var predicate: UInt8
  /// The `wh` completer: sptk, spnt, dptk, dpnt.
  var whether: UInt8
  /// Branch register of indirect ones.
  var register: UInt8
  /// Its slot.
  var slot: UInt8
  /// Nothing in its own group writes its predicate: what it does is known when the group issues.
  var isDecided: Bool
  /// Bytes from the first planned bundle to the target of an IP-relative one.
  var displacement: Int64

  enum Kind: UInt8, CaseIterable { case conditional, call, indirect, indirectCall, returns, cloop, ctop, cexit, wtop, wexit }
}

/// An instruction that does more to time than have a latency.
struct Special {
  var kind: InstructionClass
  var predicate: UInt8
  /// Its register, for moves; its main field otherwise.
  var register: UInt8
  var unused: UInt8 = 0
}

/// Numbers of the scoreboard: one for each register that somebody can wait for.
enum RegisterCode {
  static let general: UInt16 = 0
  static let float: UInt16 = 128
  static let predicate: UInt16 = 256
  static let branch: UInt16 = 320
  static let application: UInt16 = 328
  /// PSR and control registers as srlz and rfi wait for them.
  static let system: UInt16 = 456
  static let count = 512
}

/// Kinds of results that some consumers can use later than others.
enum Producer: UInt8, CaseIterable {
  case integer, load, multimedia, setf, getf, float, floatLoad, floatCompare, approximation, applicationRead, fileRead, system

  /// What waiting for it is charged to.
  var cause: Cause {
    switch self {
    case .load: .load
    case .float, .floatLoad, .setf: .float
    case .floatCompare, .approximation: .predicate
    case .applicationRead, .fileRead, .system: .system
    case .integer, .multimedia, .getf: .integer
    }
  }
}

/// Kinds of uses.
enum Consumer: UInt8, CaseIterable {
  case integer, address, storeData, multimedia, setf, float, getf, floatStore, branch, qualify, overwrite
}
