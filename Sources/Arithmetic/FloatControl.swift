/// What the precision completer of an instruction and the FPSR ask of it (Volume 1, section 5.2).
public struct FloatControl: Sendable {
  /// Smallest and largest exponent of normal results, biased by 0xFFFF like the register format's.
  public var minimumExponent: Int32
  public var maximumExponent: Int32
  /// Significant bits of the result: 24, 53 or 64.
  public var precision: UInt8
  /// FPSR.sf.rc: 0 nearest even, 1 down, 2 up, 3 towards zero.
  public var rounding: UInt8
  /// Bits 5:0 (i u o z d v): 1 means that the exception does not trap. FPSR.sf.td is folded in.
  public var disabled: UInt8
  /// Tiny results become zero. Only set while the underflow trap is disabled, as FPSR.sf.ftz has no effect otherwise.
  public var flushToZero: Bool
  /// Exponents of trapped results wrap to 8 bits (parallel instructions) instead of 17.
  public var wrapsSingle = false
  /// Chooses what frcpa and frsqrta do with operands whose Newton-Raphson iteration could go wrong: false raises the
  /// architected Software Assist fault, true delivers the IEEE result with p2 = 0 at once, which is what the assist
  /// handler of system software would do (``FloatArithmetic/softwareAssistFrcpa(_:_:_:)``).
  public var completesLimitCases = false

  /// `precision`: completer of the instruction: 0 none (FPSR.sf.pc decides), 1 `.s`, 2 `.d`.
  @inlinable public init(fpsr: UInt64, statusField: Int, precision completer: UInt8) {
    let field = fpsr &>> UInt64(truncatingIfNeeded: 6 &+ 13 &* statusField)
    // pc = 1 is reserved and cannot be written; it counts as double-extended here.
    let selector = completer == 0 ? field >> 2 & 3 : completer == 1 ? 0 : 2
    precision = selector == 0 ? 24 : selector == 2 ? 53 : 64
    // Largest unbiased exponent; wre widens the range of every precision to the register format's 17 bits.
    let range: Int32 =
      field & 2 != 0 ? 0xFFFF : completer == 0 ? 0x3FFF : completer == 1 ? 0x7F : 0x3FF
    minimumExponent = 0x10000 &- range
    maximumExponent = 0xFFFF &+ range
    rounding = UInt8(truncatingIfNeeded: field >> 4 & 3)
    let mask = UInt8(truncatingIfNeeded: field & 0x40 != 0 ? 0x3F : fpsr & 0x3F)
    disabled = mask
    flushToZero = field & 1 != 0 && mask & 0x10 != 0
  }

  /// IEEE single for the parallel instructions, whatever pc and wre say.
  @inlinable public var parallel: FloatControl {
    var c = self
    c.precision = 24
    c.minimumExponent = 0x10000 - 0x7F
    c.maximumExponent = 0xFFFF + 0x7F
    c.wrapsSingle = true
    return c
  }

  /// Whether any of the exceptions in `flags` traps.
  @inlinable func traps(_ flags: UInt8) -> Bool { ~disabled & flags != 0 }
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
  /// Flags to be ORed into the status field.
  public var flags: UInt8 = 0
  /// Result of compares; p2 of the reciprocal approximations.
  public var predicate = false
  /// Nonzero: a Floating-point Fault with this ISR.code{7:0}; nothing is written, no flag is set.
  public var fault: UInt16 = 0
  /// Nonzero: value and flags are written, then a Floating-point Trap with these bits of ISR.code{14:7}.
  public var trap: UInt16 = 0

  @inlinable public init(_ value: FloatRegister = .zero, flags: UInt8 = 0) {
    self.value = value
    self.flags = flags
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
