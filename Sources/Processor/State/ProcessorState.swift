import Arithmetic

/// Everything one logical processor is, as plain memory.
///
/// The struct is trivial: saving a processor is copying its bytes (``stateVersion`` names the layout). It lives behind one
/// pointer, ``LogicalProcessor/state``; the arrays at its head are reached through the pointer accessors
/// below so that the hot loop needs one base register and no bounds checks. Who indexes vouches for the bound: register numbers
/// come from 7-, 6- and 3-bit fields of the encoding.
public struct ProcessorState {
  /// Index of a predicate that is never set.
  static let clearPredicate: UInt8 = 65
  /// Layout of this struct in saved machines.
  public static let stateVersion: UInt32 = 6

  // MARK: Arrays, in the order that `StateLayout` states

  /// r0...r127 as the current frame, bank and rotation name them. Stacked registers of older frames are in `stackedFile`.
  public var generalRegisters: InlineArray<128, UInt64>
  /// p0...p63, one byte each, as the current rotation names them. Byte 64 swallows writes to p0, byte 65 is always zero.
  public var predicates: InlineArray<72, UInt8>
  public var branchRegisters: InlineArray<8, UInt64>
  /// f0...f31, then a window of 96 rotating registers that slides down by one at each rotation (see `floatWindow`).
  public var floatWords: InlineArray<1184, UInt64>
  /// The other halves of the same elements (see `FloatPlace`).
  public var floatTags: InlineArray<1184, UInt64>
  public var applicationRegisters: InlineArray<128, UInt64>
  public var controlRegisters: InlineArray<128, UInt64>
  /// GR16...GR31 of the bank that is not visible.
  public var otherBank: InlineArray<16, UInt64>
  /// The 96 physical stacked registers (N_STACKED_PHYS); the current frame's part is stale.
  public var stackedFile: InlineArray<96, UInt64>
  /// NaT bits of `stackedFile`, one byte each.
  public var stackedNaT: InlineArray<96, UInt8>
  public var regionRegisters: InlineArray<8, UInt64>
  public var protectionKeys: InlineArray<16, UInt64>
  public var dataBreakpoints: InlineArray<8, UInt64>
  public var instructionBreakpoints: InlineArray<8, UInt64>
  public var performanceControls: InlineArray<64, UInt64>
  public var performanceData: InlineArray<64, UInt64>
  public var cpuid: InlineArray<8, UInt64>
  /// What floating-point registers that hold terms of divisions refer to.
  public var divisionRecords: InlineArray<32, Division>

  // MARK: Instruction pointer, PSR, frame

  /// Address of the next bundle; its low four bits are zero. The slot is PSR.ri.
  public var ip: UInt64 = 0
  /// PSR as the manual lays it out (Volume 2, section 3.3.2), `ri` included: at rest it names the next slot.
  public var psr: UInt64 = 0
  /// Element index of f32 in `floatWords` and `floatTags`.
  public var floatWindow: Int = 1088
  /// NaT bits of r0...r63 and r64...r127 as currently named.
  public var natLow: UInt64 = 0
  public var natHigh: UInt64 = 0
  /// NaT bits of `otherBank` (bit n for GR16+n).
  public var otherBankNaT: UInt64 = 0

  // Current frame marker, unpacked (Volume 1, section 3.1.7).
  public var sof: Int = 96
  public var sol: Int = 0
  /// Size of the rotating part in units of eight registers.
  public var sor: Int = 0
  public var rrbGR: Int = 0
  public var rrbFR: Int = 0
  public var rrbPR: Int = 0

  // MARK: Register stack engine (Volume 2, chapter 6)

  /// Physical stacked register of GR32 (RSE.BOF).
  public var bottomOfFrame: Int = 0
  public var bsp: UInt64 = 0
  public var bspStore: UInt64 = 0
  public var rnat: UInt64 = 0
  /// Registers in the dirty partition. Negative with an incomplete frame.
  public var dirty: Int = 0
  public var clean: Int = 0
  /// RSE.CFLE: mandatory loads of the current frame are under way.
  public var frameIncomplete: Bool = false
  /// Number of set bytes in `stackedNaT` that belong to dirty or clean registers is not tracked; this says whether any may be set.
  public var stackedNaTPossible: Bool = false

  // MARK: Time and interrupts

  /// Instruction slots retired.
  public var instructions: UInt64 = 0
  /// Cycles that passed while nothing retired (halted).
  public var idleCycles: UInt64 = 0
  /// AR.ITC is (cycles / ratio) + this, modulo 2^64.
  public var itcOffset: UInt64 = 0
  /// Pending external interrupts: bit n of the 256 (IRR0...IRR3).
  public var interruptRequest: InlineArray<4, UInt64>
  /// Vectors between IVR read and EOI.
  public var interruptInService: InlineArray<4, UInt64>
  /// An unmasked external interrupt is pending (whatever PSR.i says).
  public var interruptPending: Bool = false
  /// PAL_HALT_LIGHT: waits for an interrupt.
  public var halted: Bool = false
  /// An INIT has arrived that PSR.mc has kept out so far.
  public var initPending: Bool = false
  /// ITC value at which ITM was last matched or written; a match fires once.
  public var timerArmed: Bool = false
  /// No performance counter that interrupts can overflow before this cycle.
  public var monitorCycle: UInt64 = .max
  /// hint @pause: nothing retires before this cycle or an interrupt; 0 while it runs.
  public var pausedUntil: UInt64 = 0
  /// Slots retired at the last pause, between it and the one before, and how many there were of that kind (see `Pause.swift`).
  public var lastPause: UInt64 = 0
  public var pauseDistance: UInt64 = .max
  public var pauseRound: UInt64 = 0

  // MARK: Virtualization

  public var virtualEnvironment = VirtualEnvironment()
  /// a_int: the guest's highest pending interrupt is unmasked, and its Virtual External Interrupt due.
  public var virtualInterruptPending = false

  // MARK: The interruption being raised

  public var fault: PendingInterruption = PendingInterruption()

  // MARK: Speculation

  public var alat: ALAT = ALAT()

  public init() {
    generalRegisters = InlineArray(repeating: 0)
    predicates = InlineArray(repeating: 0)
    branchRegisters = InlineArray(repeating: 0)
    floatWords = InlineArray(repeating: 0)
    floatTags = InlineArray(repeating: 0)
    applicationRegisters = InlineArray(repeating: 0)
    controlRegisters = InlineArray(repeating: 0)
    otherBank = InlineArray(repeating: 0)
    stackedFile = InlineArray(repeating: 0)
    stackedNaT = InlineArray(repeating: 0)
    regionRegisters = InlineArray(repeating: 0)
    protectionKeys = InlineArray(repeating: 0)
    dataBreakpoints = InlineArray(repeating: 0)
    instructionBreakpoints = InlineArray(repeating: 0)
    performanceControls = InlineArray(repeating: 0)
    performanceData = InlineArray(repeating: 0)
    divisionRecords = InlineArray(repeating: Division())
    cpuid = InlineArray(repeating: 0)
    interruptRequest = InlineArray(repeating: 0)
    interruptInService = InlineArray(repeating: 0)
  }
}

/// Pointer to a processor's state: what every semantic body receives.
public typealias State = UnsafeMutablePointer<ProcessorState>

/// Byte offsets of the arrays at the head of ``ProcessorState``. Constants so that the compiler folds them into addresses;
/// ``StateLayout/verify()`` compares them with the real layout once per process.
enum StateLayout {
  static let generalRegisters = 0
  static let predicates = 1024
  static let branchRegisters = 1096
  static let floatWords = 1160
  /// f0 to f31 and the window's 1152.
  static let floatElements = 1184
  static let floatTags = floatWords + floatElements * 8
  static let applicationRegisters = floatTags + floatElements * 8
  static let controlRegisters = applicationRegisters + 1024
  static let otherBank = controlRegisters + 1024
  static let stackedFile = otherBank + 128
  static let stackedNaT = stackedFile + 768
  static let regionRegisters = stackedNaT + 96
  static let protectionKeys = regionRegisters + 64
  static let dataBreakpoints = protectionKeys + 128
  static let instructionBreakpoints = dataBreakpoints + 64
  static let performanceControls = instructionBreakpoints + 64
  static let performanceData = performanceControls + 512
  static let cpuid = performanceData + 512
  static let divisionRecords = cpuid + 64

  static func verify() {
    typealias S = ProcessorState
    let expected: [(PartialKeyPath<S>, Int)] = [
      (\S.generalRegisters, generalRegisters), (\S.predicates, predicates), (\S.branchRegisters, branchRegisters),
      (\S.floatWords, floatWords), (\S.floatTags, floatTags), (\S.applicationRegisters, applicationRegisters),
      (\S.controlRegisters, controlRegisters), (\S.otherBank, otherBank), (\S.stackedFile, stackedFile),
      (\S.stackedNaT, stackedNaT), (\S.regionRegisters, regionRegisters), (\S.protectionKeys, protectionKeys),
      (\S.dataBreakpoints, dataBreakpoints), (\S.instructionBreakpoints, instructionBreakpoints),
      (\S.performanceControls, performanceControls), (\S.performanceData, performanceData), (\S.cpuid, cpuid),
      (\S.divisionRecords, divisionRecords),
    ]
    for (path, offset) in expected {
      precondition(MemoryLayout<S>.offset(of: path) == offset, "ProcessorState layout moved: \(path)")
    }
  }
}

extension UnsafeMutablePointer where Pointee == ProcessorState {
  @inline(__always) private func array<T>(_ offset: Int, _: T.Type) -> UnsafeMutablePointer<T> {
    (UnsafeMutableRawPointer(self) + offset).assumingMemoryBound(to: T.self)
  }
  public var gr: UnsafeMutablePointer<UInt64> {
    @inline(__always) get { array(StateLayout.generalRegisters, UInt64.self) }
  }
  public var pr: UnsafeMutablePointer<UInt8> {
    @inline(__always) get { array(StateLayout.predicates, UInt8.self) }
  }
  public var br: UnsafeMutablePointer<UInt64> {
    @inline(__always) get { array(StateLayout.branchRegisters, UInt64.self) }
  }
  public var ar: UnsafeMutablePointer<UInt64> {
    @inline(__always) get { array(StateLayout.applicationRegisters, UInt64.self) }
  }
  public var cr: UnsafeMutablePointer<UInt64> {
    @inline(__always) get { array(StateLayout.controlRegisters, UInt64.self) }
  }
  public var otherBank: UnsafeMutablePointer<UInt64> {
    @inline(__always) get { array(StateLayout.otherBank, UInt64.self) }
  }
  public var stacked: UnsafeMutablePointer<UInt64> {
    @inline(__always) get { array(StateLayout.stackedFile, UInt64.self) }
  }
  public var stackedNaT: UnsafeMutablePointer<UInt8> {
    @inline(__always) get { array(StateLayout.stackedNaT, UInt8.self) }
  }
  public var rr: UnsafeMutablePointer<UInt64> {
    @inline(__always) get { array(StateLayout.regionRegisters, UInt64.self) }
  }
  public var pkr: UnsafeMutablePointer<UInt64> {
    @inline(__always) get { array(StateLayout.protectionKeys, UInt64.self) }
  }
  public var dbr: UnsafeMutablePointer<UInt64> {
    @inline(__always) get { array(StateLayout.dataBreakpoints, UInt64.self) }
  }
  public var ibr: UnsafeMutablePointer<UInt64> {
    @inline(__always) get { array(StateLayout.instructionBreakpoints, UInt64.self) }
  }
  public var pmc: UnsafeMutablePointer<UInt64> {
    @inline(__always) get { array(StateLayout.performanceControls, UInt64.self) }
  }
  public var pmd: UnsafeMutablePointer<UInt64> {
    @inline(__always) get { array(StateLayout.performanceData, UInt64.self) }
  }
  public var cpuid: UnsafeMutablePointer<UInt64> {
    @inline(__always) get { array(StateLayout.cpuid, UInt64.self) }
  }
  /// By number (``FloatPlace/division``).
  var divisions: UnsafeMutablePointer<Division> {
    @inline(__always) get { array(StateLayout.divisionRecords, Division.self) }
  }
  /// First words of the floating-point registers' elements; use ``f(_:)`` to name a register.
  var floatWords: UnsafeMutablePointer<UInt64> {
    @inline(__always) get { array(StateLayout.floatWords, UInt64.self) }
  }
  /// Floating-point register `n` (0...127) under the current rotation.
  @inline(__always) public func f(_ n: UInt8) -> FloatPlace {
    let i = Int(n)
    return float(element: i < 32 ? i : i &- 32 &+ pointee.floatWindow)
  }
  /// Element `n` of the storage of the floating-point registers; for n < 32 that is register n.
  @inline(__always) func float(element n: Int) -> FloatPlace { FloatPlace(self, element: n) }
  /// NaT bit of general register `n`.
  @inline(__always) public func nat(_ n: UInt8) -> Bool {
    let word = n < 64 ? pointee.natLow : pointee.natHigh
    return (word >> UInt64(n & 63)) & 1 != 0
  }
  @inline(__always) public func setNaT(_ n: UInt8, _ value: Bool) {
    let bit = UInt64(1) << UInt64(n & 63)
    if n < 64 {
      pointee.natLow = value ? pointee.natLow | bit : pointee.natLow & ~bit
    } else {
      pointee.natHigh = value ? pointee.natHigh | bit : pointee.natHigh & ~bit
    }
  }
  /// Cycles since power-on. In functional timing a slot takes one cycle.
  public var cycles: UInt64 {
    @inline(__always) get { pointee.instructions &+ pointee.idleCycles }
  }
}
