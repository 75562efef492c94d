/// What the precision completer of an instruction and the FPSR ask of it (Volume 1, section 5.2).
///
/// One word, made anew for every instruction: cheap to build, to pass, and to test for the common case. It holds the
/// settings as they are; what they amount to is computed where it is needed.
public struct FloatControl: Sendable {
  /// Bits 6:0 controls of the status field (ftz, wre, pc, rc, td), 9:8 completer, 11 exponents wrap as singles', 12 limit
  /// cases are completed, 21:16 disabled traps.
  @usableFromInline var bits: UInt64

  /// `precision`: completer of the instruction: 0 none (FPSR.sf.pc decides), 1 `.s`, 2 `.d`.
  @inlinable @inline(__always)
  public init(fpsr: UInt64, statusField: Int, precision completer: UInt8) {
    let controls = fpsr &>> UInt64(truncatingIfNeeded: 6 &+ 13 &* statusField) & 0x7F
    bits = controls | UInt64(completer) &<< 8 | (fpsr & 0x3F) &<< 16
  }

  @inlinable @inline(__always) var completer: UInt64 { bits >> 8 & 3 }
  /// Largest unbiased exponent: 0x7F, 0x3FF, 0x3FFF; with wre 0xFFFF for every completer.
  @inlinable var range: UInt64 { bits & 2 != 0 ? 0xFFFF : ordinaryRange }
  /// The same without regard to wre: a result in this range is in the range of the format.
  @inlinable @inline(__always) var ordinaryRange: UInt64 { 0x03FF_007F_3FFF &>> (completer &* 16) & 0xFFFF }
  /// Smallest and largest exponent of normal results, biased by 0xFFFF like the register format's.
  @inlinable var minimumExponent: Int { 0x10000 &- Int(truncatingIfNeeded: range) }
  @inlinable var maximumExponent: Int { 0xFFFF &+ Int(truncatingIfNeeded: range) }
  /// Significand bits that results do not have: 40, 11 or 0. The completers .s and .d stand for pc 0 and 2. pc 1 is
  /// reserved and cannot be written; it counts as double-extended here.
  @inlinable @inline(__always) var droppedBits: UInt64 {
    if completer != 0 { return 69 &- 29 &* completer }
    return 0x000B_0028 &>> (bits &<< 1 & 0x18) & 0xFF
  }
  /// FPSR.sf.rc: 0 nearest even, 1 down, 2 up, 3 towards zero.
  @inlinable var rounding: UInt8 { UInt8(truncatingIfNeeded: bits >> 4 & 3) }
  /// Tiny results become zero. FPSR.sf.ftz has no effect while the underflow trap is enabled.
  @inlinable var flushToZero: Bool { bits & 1 != 0 && !traps(FloatFlag.underflow) }
  /// Exponents of trapped results wrap to 8 bits (parallel instructions) instead of 17.
  @inlinable var wrapsSingle: Bool { bits & 0x800 != 0 }

  /// Chooses what frcpa and frsqrta do with operands whose Newton-Raphson iteration could go wrong: false raises the
  /// architected Software Assist fault, true delivers the IEEE result with p2 = 0 at once, which is what the assist
  /// handler of system software would do (``FloatArithmetic/softwareAssistFrcpa(_:_:_:)``).
  @inlinable public var completesLimitCases: Bool {
    get { bits & 0x1000 != 0 }
    set { bits = newValue ? bits | 0x1000 : bits & ~0x1000 }
  }

  /// IEEE single for the parallel instructions, whatever pc and wre say.
  @inlinable public var parallel: FloatControl {
    var c = self
    c.bits = bits & ~0x302 | 0x900
    return c
  }

  /// Whether any of the exceptions in `flags` traps. FPSR.sf.td disables all traps.
  @inlinable func traps(_ flags: UInt8) -> Bool { bits & 0x40 == 0 && ~bits >> 16 & UInt64(flags) != 0 }

  /// Rounding to nearest, and inexact results do not trap: all that a result within its range depends on.
  @inlinable @inline(__always) var isOrdinary: Bool { bits & 0x20_0030 == 0x20_0000 }
}

/// Exception flags in FPSR order.
public enum FloatFlag {
  @inlinable public static var invalid: UInt8 { 1 }
  @inlinable public static var denormal: UInt8 { 2 }
  @inlinable public static var zeroDivide: UInt8 { 4 }
  @inlinable public static var overflow: UInt8 { 8 }
  @inlinable public static var underflow: UInt8 { 16 }
  @inlinable public static var inexact: UInt8 { 32 }
}

/// Bits of ISR.code for scalar instructions and the high half of parallel ones (Volume 2, section 8.3).
/// The low half has its faults four bits higher, its traps four bits lower.
public enum FloatCode {
  /// V, D and Z of a fault stand at bits 2:0, in the order of the FPSR.
  @inlinable public static var softwareAssist: UInt16 { 0x0008 }
  @inlinable public static var overflow: UInt16 { 0x0800 }
  @inlinable public static var underflow: UInt16 { 0x1000 }
  @inlinable public static var inexact: UInt16 { 0x2000 }
  /// The magnitude of the delivered result is greater than that of the exact one.
  @inlinable public static var roundedUp: UInt16 { 0x4000 }
}

/// What an operation yields.
public struct FloatOutcome: Sendable {
  public var value: FloatRegister
  /// Bits 7:0 flags, 8 predicate, 31:16 fault, 47:32 trap: one word, so that an outcome fits three registers.
  @usableFromInline var status: UInt64

  @inlinable @inline(__always)
  public init(_ value: FloatRegister = .zero, flags: UInt8 = 0) {
    self.value = value
    status = UInt64(flags)
  }

  /// Flags to be ORed into the status field.
  @inlinable public var flags: UInt8 {
    @inline(__always) get { UInt8(truncatingIfNeeded: status) }
    @inline(__always) set { status = status & ~0xFF | UInt64(newValue) }
  }
  /// Neither a fault nor a trap.
  @inlinable public var isPlain: Bool {
    @inline(__always) get { status >> 16 == 0 }
  }
  /// Result of compares; p2 of the reciprocal approximations.
  @inlinable public var predicate: Bool {
    @inline(__always) get { status & 0x100 != 0 }
    @inline(__always) set { status = status & ~0x100 | (newValue ? 0x100 : 0) }
  }
  /// Nonzero: a Floating-point Fault with this ISR.code{7:0}; nothing is written, no flag is set.
  @inlinable public var fault: UInt16 {
    @inline(__always) get { UInt16(truncatingIfNeeded: status >> 16) }
    @inline(__always) set { status = status & ~0xFFFF_0000 | UInt64(newValue) << 16 }
  }
  /// Nonzero: value and flags are written, then a Floating-point Trap with these bits of ISR.code{14:7}.
  @inlinable public var trap: UInt16 {
    @inline(__always) get { UInt16(truncatingIfNeeded: status >> 32) }
    @inline(__always) set { status = status & ~0xFFFF_0000_0000 | UInt64(newValue) << 32 }
  }

  /// A fault; `code` in the layout of ISR.code.
  @inlinable static func fault(_ code: UInt16) -> FloatOutcome {
    var outcome = FloatOutcome()
    outcome.fault = code
    return outcome
  }
}

/// Namespace of the floating-point operations: pure functions of operands and control.
///
/// Operands are named as in the manual. Exceptions are taken in the order of Volume 1, section 5.4: NaTVal, unsupported
/// operands and NaNs, other invalid operations, division by zero, software assist, denormal operands, then the
/// result's overflow, underflow and inexact. Denormal operands and results never ask for software assistance.
public enum FloatArithmetic {
  /// Masked invalid operation with `value` as response, or its fault.
  @inline(never)
  static func invalid(_ value: FloatRegister, _ control: FloatControl) -> FloatOutcome {
    control.traps(FloatFlag.invalid)
      ? .fault(UInt16(FloatFlag.invalid)) : FloatOutcome(value, flags: FloatFlag.invalid)
  }

  /// Response of two-operand arithmetic to NaNs and unsupported operands; nil if there are none. The first NaN wins.
  static func nanResponse(_ a: FloatRegister, _ b: FloatRegister, _ control: FloatControl) -> FloatOutcome? {
    if a.isUnsupported || b.isUnsupported { return invalid(.quietNaN, control) }
    guard a.isNaN || b.isNaN else { return nil }
    let chosen = (a.isNaN ? a : b).quieted
    return a.isSignalingNaN || b.isSignalingNaN ? invalid(chosen, control) : FloatOutcome(chosen)
  }
}
