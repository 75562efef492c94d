import Arithmetic

/// Where a floating-point register is kept: two words, in two arrays of ``ProcessorState``. They hold either its 82 bits as the manual lays them out,
/// or, for a double that is zero or of moderate size, that double as the host has it, or only which term of a division they would hold
/// (``Division``). Which of the three is nobody's business but that of the loop's fast paths: ``value`` reads and writes registers, and states are
/// compared by values. The host's form is what `ldfd` finds in memory and what ``HostMultiplyAdd`` computes with, so that a double is not unpacked,
/// rounded and packed again for every operation.
public struct FloatPlace {
  let state: State
  private let words: UnsafeMutablePointer<UInt64>

  @inline(__always) init(_ state: State, element n: Int) {
    self.state = state
    words = state.floatWords + n
  }

  /// The significand, or the bits of the double.
  var word: UInt64 {
    @inline(__always) get { words.pointee }
    @inline(__always) nonmutating set { words.pointee = newValue }
  }
  /// Sign and exponent, of 18 bits; or ``double``; or a ``DivisionTerm``.
  var tag: UInt64 {
    @inline(__always) get { words[StateLayout.floatElements] }
    @inline(__always) nonmutating set { words[StateLayout.floatElements] = newValue }
  }

  /// The register's contents (Volume 1, section 5.1.2).
  public var value: FloatRegister {
    @inline(__always) get { holdsTerm ? termValue() : number }
    @inline(__always) nonmutating set { (word, tag) = (newValue.significand, newValue.signExponent) }
  }

  /// The same for those that hold no term of a division.
  var number: FloatRegister {
    @inline(__always) get { isDouble ? FloatMemory.loadDouble(word) : FloatRegister(significand: word, signExponent: tag) }
  }

  /// Kept as the manual lays it out.
  @inline(__always) var isPlain: Bool { tag < 1 << 18 }

  /// The tag of the host's form. Whether several are all of this form is the sign of their conjunction. (All ones are one instruction to store.)
  static let double: UInt64 = .max

  @inline(__always) var isDouble: Bool { Int64(bitPattern: tag) < 0 }

  @inline(__always) func keep(_ double: UInt64) { (word, tag) = (double, Self.double) }

  /// Whatever is kept there, in the same form. Not for terms of divisions.
  @inline(__always) func copy(_ other: FloatPlace) { (word, tag) = (other.word, other.tag) }

  /// Whether a number is kept as the host's double, if it is not zero: its exponent is within ±400. The product of two such has no bit below
  /// the least denormal, and neither a sum nor what cancels in one leaves the range of normal numbers, so that ``HostMultiplyAdd`` has nothing to
  /// ask but this of its results. What is greater or smaller is rare, and computed by integers.
  @inline(__always) static func isModerate(_ bits: UInt64) -> Bool { (bits &>> 52 & 0x7FF) &- leastField <= 800 }
  /// Exponents of doubles are biased by 0x3FF.
  private static let leastField: UInt64 = 0x3FF - 400

  /// Takes the host's form, if there is one for the contents. False: the contents are left as they are.
  func pack() -> Bool {
    if isDouble { return true }
    settle()
    let isZero = word | tag & 0x1FFFF == 0
    // Exponents of registers are biased by 0xFFFF.
    guard isZero || (Int64(bitPattern: word) < 0 && word & 0x7FF == 0 && tag & 0x1FFFF &- (0xFFFF - 400) <= 800) else {
      return false
    }
    keep(FloatMemory.storeDouble(value))
    return true
  }

  /// Takes the manual's form.
  func unpack() { if isDouble { value = FloatMemory.loadDouble(word) } }
}
