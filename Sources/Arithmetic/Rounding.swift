extension FloatArithmetic {
  /// Rounds a nonzero exact value to the control's precision and range and finds all exceptions of the result.
  ///
  /// The value is (-1)^negative * 2^(exponent - 0xFFFF) * 1.xxx with the 128 bits of `significand` as 1.xxx: bit 127 is
  /// set, bit 0 stands for everything at and below it (sticky). No precision reaches below bit 64.
  @inline(__always)
  static func round(
    _ negative: Bool, _ exponent: Int, _ significand: UInt128, _ control: FloatControl, flags: UInt8 = 0
  ) -> FloatOutcome {
    let r = Rounded(significand, dropping: control.droppedBits, negative, control.rounding)
    let rounded = exponent &+ (r.carry ? 1 : 0)
    if rounded < control.minimumExponent || rounded > control.maximumExponent
      || (r.inexact && control.traps(FloatFlag.inexact))
    {
      return finish(negative, exponent, significand, control, flags)
    }
    return FloatOutcome(
      FloatRegister(
        negative: negative, exponent: UInt64(truncatingIfNeeded: rounded), significand: r.significand),
      flags: r.inexact ? flags | FloatFlag.inexact : flags)
  }

  /// Overflow, underflow and trapped inexact results (Volume 1, sections 5.4.2 and 5.4.3).
  @inline(never)
  static func finish(
    _ negative: Bool, _ exponent: Int, _ significand: UInt128, _ control: FloatControl, _ before: UInt8
  ) -> FloatOutcome {
    // As though the exponent range were unbounded: tininess is a property of this rounded value.
    var r = Rounded(significand, dropping: control.droppedBits, negative, control.rounding)
    let rounded = exponent + (r.carry ? 1 : 0)
    var outcome = FloatOutcome(
      FloatRegister(negative: negative, exponent: wrap(rounded, control), significand: r.significand), flags: before)
    var trap: UInt16 = 0
    if rounded > control.maximumExponent {
      outcome.flags |= FloatFlag.overflow
      if control.traps(FloatFlag.overflow) {
        trap = FloatCode.overflow
      } else {
        // The replacement is never exact; it is greater than the exact value if it is infinity.
        r.inexact = true
        r.increased = control.rounding == 0 || control.rounding == (negative ? 1 : 2)
        outcome.value = r.increased ? .infinity(negative) : largest(negative, control)
      }
    } else if rounded < control.minimumExponent {
      if control.traps(FloatFlag.underflow) {
        // An enabled trap is taken for tiny results even if they are exact.
        outcome.flags |= FloatFlag.underflow
        trap = FloatCode.underflow
      } else if control.flushToZero {
        outcome.value = .signedZero(negative)
        outcome.flags |= FloatFlag.underflow
        r.inexact = true
        r.increased = false
      } else {
        r = denormalized(exponent, significand, negative, control)
        outcome.value = FloatRegister(
          negative: negative, exponent: denormalField(r.significand, control), significand: r.significand)
        if r.inexact { outcome.flags |= FloatFlag.underflow }
      }
    }
    if r.inexact {
      outcome.flags |= FloatFlag.inexact
      // Together with an overflow or underflow trap the handler learns of inexactness even if that does not trap.
      if trap != 0 || control.traps(FloatFlag.inexact) {
        trap |= FloatCode.inexact | (r.increased ? FloatCode.roundedUp : 0)
      }
    }
    outcome.trap = trap
    return outcome
  }

  /// Exponent of a result too large or too small for its format: what is left in the field.
  private static func wrap(_ exponent: Int, _ control: FloatControl) -> UInt64 {
    guard control.wrapsSingle else { return UInt64(truncatingIfNeeded: exponent) & 0x1FFFF }
    // A single's bias is 127; its eight bits, seen in the register format.
    let single = UInt64(truncatingIfNeeded: exponent &- 0xFFFF &+ 127) & 0xFF
    return single + 0xFFFF - 127
  }

  private static func largest(_ negative: Bool, _ control: FloatControl) -> FloatRegister {
    FloatRegister(
      negative: negative, exponent: UInt64(control.maximumExponent), significand: ~0 << control.droppedBits)
  }

  /// Rounds a value below the range at the position of the smallest denormal.
  private static func denormalized(
    _ exponent: Int, _ significand: UInt128, _ negative: Bool, _ control: FloatControl
  ) -> Rounded {
    let shift = control.minimumExponent - exponent
    // At 127 bits everything is far below the rounding position already.
    let count = UInt128(min(shift, 127))
    let lost = significand & ((1 << count) - 1) != 0
    return Rounded(
      significand >> count | (lost ? 1 : 0), dropping: control.droppedBits, negative, control.rounding)
  }

  /// Exponent field of a denormalised result, which rounding may have made zero or normal again.
  private static func denormalField(_ significand: UInt64, _ control: FloatControl) -> UInt64 {
    if significand == 0 { return 0 }
    // Double-extended denormals have the exponent field zero.
    if significand >> 63 == 0 && UInt64(control.minimumExponent) == FloatRegister.extendedDenormalExponent { return 0 }
    return UInt64(control.minimumExponent)
  }
}

/// A significand after rounding.
struct Rounded {
  var significand: UInt64
  /// Something was lost.
  var inexact: Bool
  /// The magnitude went up.
  var increased: Bool
  /// It went up to the next power of two.
  var carry: Bool

  /// Keeps the upper half of `exact` less `drop` bits.
  @inline(__always)
  init(_ exact: UInt128, dropping drop: UInt64, _ negative: Bool, _ mode: UInt8) {
    let high = UInt64(truncatingIfNeeded: exact >> 64)
    let low = UInt64(truncatingIfNeeded: exact)
    let unit: UInt64 = 1 &<< drop
    // What is dropped as a fraction of the last bit kept, in units of 2^-64, with a sticky bit 0.
    let tail =
      UInt64(truncatingIfNeeded: exact &>> UInt128(truncatingIfNeeded: drop)) | (low & (unit &- 1) != 0 ? 1 : 0)
    let up: Bool
    if mode == 0 {
      // More than half, or half and the last bit kept is odd.
      up = tail > 0x8000_0000_0000_0000 &- (high &>> drop & 1)
    } else {
      up = tail != 0 && mode == (negative ? 1 : 2)
    }
    let kept = (high & (0 &- unit)) &+ (up ? unit : 0)
    inexact = tail != 0
    increased = up
    carry = up && kept == 0
    significand = carry ? 1 << 63 : kept
  }
}
