import Arithmetic
import Testing

/// Instructions that move fields, against the pictures in their manual pages: a register is a sign, an exponent and the
/// two halves of the significand.
@Suite struct FieldMovementTests {
  struct Fields: Equatable {
    var sign: Bool
    var exponent: UInt64
    var left: UInt64
    var right: UInt64

    init(_ f: FloatRegister) {
      sign = f.signExponent / 0x20000 == 1
      exponent = f.signExponent % 0x20000
      left = f.significand / 0x1_0000_0000
      right = f.significand % 0x1_0000_0000
    }
    /// The form of integers and of pairs of singles.
    init(_ left: UInt64, _ right: UInt64) {
      (sign, exponent, self.left, self.right) = (false, 0x1003E, left, right)
    }
    init(sign: Bool, exponent: UInt64, left: UInt64, right: UInt64) {
      (self.sign, self.exponent, self.left, self.right) = (sign, exponent, left, right)
    }
  }

  private static let natVal = Fields(sign: false, exponent: 0x1FFFE, left: 0, right: 0)

  private func forOperands(_ seed: UInt64, _ body: (inout Campaign, FloatRegister, FloatRegister) -> Void) {
    var campaign = Campaign()
    var g = SplitMix(seed)
    for a in Zoo.classes {
      for b in Zoo.classes { body(&campaign, a, b) }
    }
    for _ in 0..<500 { body(&campaign, Zoo.pair(&g), Zoo.pair(&g)) }
    for _ in 0..<500 { body(&campaign, Zoo.random(&g, near: 0xFFFF), Zoo.random(&g, near: 0xFFFF)) }
    campaign.finish(seed)
  }

  /// Checks one instruction; NaTVal in gives NaTVal out.
  private func check(
    _ campaign: inout Campaign, _ name: String, _ sources: [FloatRegister], _ result: FloatRegister, _ expected: Fields
  ) {
    campaign.check(
      Fields(result), sources.contains(.natVal) ? Self.natVal : expected, "\(name) \(sources.map { show($0) })")
  }

  @Test func merge() {
    forOperands(400) { campaign, a, b in
      let (x, y) = (Fields(a), Fields(b))
      check(
        &campaign, "fmerge.s", [a, b], FloatArithmetic.mergeSign(a, b, negate: false),
        Fields(sign: x.sign, exponent: y.exponent, left: y.left, right: y.right))
      check(
        &campaign, "fmerge.ns", [a, b], FloatArithmetic.mergeSign(a, b, negate: true),
        Fields(sign: !x.sign, exponent: y.exponent, left: y.left, right: y.right))
      check(
        &campaign, "fmerge.se", [a, b], FloatArithmetic.mergeSignExponent(a, b),
        Fields(sign: x.sign, exponent: x.exponent, left: y.left, right: y.right))
      let sign: UInt64 = 0x8000_0000, low: UInt64 = 0x7FFF_FFFF
      check(
        &campaign, "fpmerge.s", [a, b],
        FloatArithmetic.parallelMerge(a, b, mask: 0x8000_0000_8000_0000, negate: false),
        Fields(x.left & sign | y.left & low, x.right & sign | y.right & low))
      check(
        &campaign, "fpmerge.ns", [a, b],
        FloatArithmetic.parallelMerge(a, b, mask: 0x8000_0000_8000_0000, negate: true),
        Fields((x.left & sign ^ sign) | y.left & low, (x.right & sign ^ sign) | y.right & low))
      check(
        &campaign, "fpmerge.se", [a, b],
        FloatArithmetic.parallelMerge(a, b, mask: 0xFF80_0000_FF80_0000, negate: false),
        Fields(x.left & 0xFF80_0000 | y.left % 0x80_0000, x.right & 0xFF80_0000 | y.right % 0x80_0000))
    }
  }

  @Test func halves() {
    forOperands(401) { campaign, a, b in
      let (x, y) = (Fields(a), Fields(b))
      check(&campaign, "fmix.l", [a, b], FloatArithmetic.mixLeft(a, b), Fields(x.left, y.left))
      check(&campaign, "fmix.r", [a, b], FloatArithmetic.mixRight(a, b), Fields(x.right, y.right))
      check(&campaign, "fmix.lr", [a, b], FloatArithmetic.mixLeftRight(a, b), Fields(x.left, y.right))
      check(&campaign, "fswap", [a, b], FloatArithmetic.swap(a, b), Fields(y.right, x.left))
      let sign: UInt64 = 0x8000_0000
      check(&campaign, "fswap.nl", [a, b], FloatArithmetic.swap(a, b, negateLeft: true), Fields(y.right ^ sign, x.left))
      check(&campaign, "fswap.nr", [a, b], FloatArithmetic.swap(a, b, negateRight: true), Fields(y.right, x.left ^ sign))
      let ones: UInt64 = 0xFFFF_FFFF
      check(
        &campaign, "fsxt.l", [a, b], FloatArithmetic.extendSignLeft(a, b), Fields(x.left >= sign ? ones : 0, y.left))
      check(
        &campaign, "fsxt.r", [a, b], FloatArithmetic.extendSignRight(a, b), Fields(x.right >= sign ? ones : 0, y.right))
      check(
        &campaign, "fpack", [a, b], FloatArithmetic.pack(a, b),
        Fields(UInt64(MemoryFormatTests.single(a)), UInt64(MemoryFormatTests.single(b))))
    }
  }

  @Test func logic() {
    forOperands(402) { campaign, a, b in
      let (x, y) = (Fields(a), Fields(b))
      let ones: UInt64 = 0xFFFF_FFFF
      check(&campaign, "fand", [a, b], FloatArithmetic.and(a, b), Fields(x.left & y.left, x.right & y.right))
      check(&campaign, "for", [a, b], FloatArithmetic.or(a, b), Fields(x.left | y.left, x.right | y.right))
      check(&campaign, "fxor", [a, b], FloatArithmetic.xor(a, b), Fields(x.left ^ y.left, x.right ^ y.right))
      check(
        &campaign, "fandcm", [a, b], FloatArithmetic.andComplement(a, b),
        Fields(x.left & (ones - y.left), x.right & (ones - y.right)))
      for mask in [a, b, .natVal, Zoo.make(false, 0x1003E, 0xFF00_0000_0000_0001)] {
        let m = Fields(mask)
        check(
          &campaign, "fselect", [mask, a, b], FloatArithmetic.select(a, b, mask: mask),
          Fields(x.left & m.left | y.left & (ones - m.left), x.right & m.right | y.right & (ones - m.right)))
      }
    }
  }
}
