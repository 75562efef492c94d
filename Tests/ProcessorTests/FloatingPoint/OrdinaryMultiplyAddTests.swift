import Arithmetic
import Foundation
import Processor
import TestSupport
import Testing

/// The processor's short ways for ordinary multiply-adds against the general arithmetic, which `ArithmeticTests` compares with exact
/// rationals. Operands are drawn near one another, so that additions cancel, align far apart, and leave the short way.
@Suite(.ends(withinMinutes: 5)) struct OrdinaryMultiplyAddTests {
  struct Form: CustomTestStringConvertible {
    var text: String
    var precision: UInt8
    var negateProduct = false
    var negateAddend = false
    /// Operands, in the roles of f3, f4, f2, and the target.
    var registers: (UInt8, UInt8, UInt8, UInt8)
    var testDescription: String { text }
  }

  static let forms: [Form] = {
    var list: [Form] = []
    for (completer, precision) in [("", 0), (".s", 1), (".d", 2)] as [(String, UInt8)] {
      for r in [
        (6, 7, 8, 9), (6, 40, 8, 9), (33, 34, 35, 36), (6, 7, 8, 90), (6, 7, 0, 9), (33, 7, 0, 9), (6, 1, 0, 9), (70, 1, 0, 71),
        (6, 1, 8, 9),
      ]
        as [(UInt8, UInt8, UInt8, UInt8)]
      {
        for (name, product, addend) in [("fma", false, false), ("fms", false, true), ("fnma", true, false)] {
          list.append(
            Form(
              text: "\(name)\(completer).s2 f\(r.3)=f\(r.0),f\(r.1),f\(r.2)", precision: precision, negateProduct: product,
              negateAddend: addend, registers: r))
        }
      }
    }
    return list
  }()

  /// FPSR: status field 2 with all precisions, rounding modes, and the wide range; traps disabled, or only some of them.
  static let controls: [UInt64] = [0x0C, 0x0C, 0x0C, 0x0E, 0x08, 0x00, 0x1C, 0x2C, 0x3C, 0x0D]

  @Test("short and general arithmetic agree", arguments: forms) func agreement(form: Form) throws {
    let seed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 0x6D61_6441
    var random = Draw(seed: seed ^ UInt64(form.text.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) }))
    let machine = try TestMachine(form.text + " ;;", psr: PSR.ic)
    let count = ProcessInfo.processInfo.environment["EPICURE_COMPLETE"] == "1" ? 200_000 : 1_000
    for _ in 0..<count {
      var operands = random.operands()
      if form.registers.1 == 1 { operands.1 = .one }
      if form.registers.2 == 0 { operands.2 = .zero }
      let control = Self.controls[Int(random.next() % UInt64(Self.controls.count))]
      let flags = random.next() & 7 == 0 ? 0 : random.next() & 0x3F
      let fpsr = 0x0009_804C_0270_003F & ~(0x1FFF << 32) | (control | flags << 7) << 32
      machine[ar: 40] = fpsr
      machine[fr: form.registers.0] = operands.0
      if form.registers.1 != 1 { machine[fr: form.registers.1] = operands.1 }
      if form.registers.2 != 0 { machine[fr: form.registers.2] = operands.2 }
      let outcome = FloatArithmetic.fma(
        operands.0, operands.1, operands.2, FloatControl(fpsr: fpsr, statusField: 2, precision: form.precision),
        negateProduct: form.negateProduct, negateAddend: form.negateAddend, addendIsFR0: form.registers.2 == 0)
      machine.psr = PSR.ic
      machine.each { $0.state.pointee.ip = TestMachine.code }
      machine.run(slots: 3)
      let context = "seed \(seed), fpsr 0x\(String(fpsr, radix: 16)), operands \(operands)"
      #expect(machine[fr: form.registers.3] == outcome.value, "\(context)")
      #expect(machine[ar: 40] == fpsr | UInt64(outcome.flags) << 39, "flags; \(context)")
      #expect(machine.psr & (PSR.mfl | PSR.mfh) == (form.registers.3 < 32 ? PSR.mfl : PSR.mfh), "\(context)")
    }
  }
}

extension OrdinaryMultiplyAddTests {
  /// 2^64 - 1 squared is odd in its last bit; an addend below it makes the result inexact (values by exact arithmetic).
  @Test("an addend below an odd product") func addendBelowAnOddProduct() throws {
    for (fma, factor, addend) in [("fma.s2 f9=f6,f7,f8", UInt8(6), UInt8(8)), ("fma.s2 f39=f36,f37,f38", 36, 38)] {
      let machine = try TestMachine(fma + " ;;")
      machine[ar: 40] = 0x0009_804C_0270_033F & ~(0x1FFF << 32) | 0x0C << 32
      machine[fr: factor] = FloatRegister(significand: .max, signExponent: 0xFFFF)
      machine[fr: factor + 1] = FloatRegister(significand: .max, signExponent: 0xFFFF)
      machine[fr: addend] = FloatRegister(significand: 0xE973_7A53_3512_0000, signExponent: 0x20000 | 0xFF7E)
      #expect(machine.run() == .done)
      #expect(machine[fr: addend + 1] == FloatRegister(significand: .max - 1, signExponent: 0x10000))
      #expect(machine[ar: 40] >> 39 & 0x3F == 0x20)
    }
  }
}

/// Operands of a multiply-add. SplitMix64.
private struct Draw {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A significand: all bits, few bits, ones, or without the integer bit.
  private mutating func significand() -> UInt64 {
    switch next() % 8 {
    case 0: 1 << 63
    case 1: ~0
    case 2: next() & next() & next() | 1 << 63
    case 3: next() & ~0x7FF | 1 << 63
    case 4: next() >> (next() & 63)
    case 5: ~(next() >> (next() & 63)) | 1 << 63
    default: next() | 1 << 63
    }
  }

  mutating func operands() -> (FloatRegister, FloatRegister, FloatRegister) {
    let far = next() % 16 == 0
    func exponent(_ r: UInt64) -> UInt64 { far ? r & 0x1FFFF : 0xFFFF &- 40 &+ r % 80 }
    let a = FloatRegister(significand: significand(), signExponent: exponent(next()) | next() & 0x20000)
    let b = FloatRegister(significand: significand(), signExponent: exponent(next()) | next() & 0x20000)
    let product = (a.signExponent & 0x1FFFF) &+ (b.signExponent & 0x1FFFF) &- 0xFFFF
    // Within a few bits, a word, or two words of the product.
    let reach: UInt64 = [2, 8, 70, 140][Int(next() % 4)]
    let c = FloatRegister(
      significand: significand(), signExponent: (product &- reach &+ next() % (2 * reach + 1)) & 0x1FFFF | next() & 0x20000)
    switch next() % 24 {
    case 0: return (a, b, .zero)
    case 1: return (a, .one, FloatRegister(significand: a.significand, signExponent: a.signExponent ^ 0x20000))
    case 2: return (.natVal, b, c)
    case 3: return (a, .zero, c)
    case 4: return (FloatRegister(significand: next(), signExponent: 0x1003E), b, c)
    default: return (a, b, c)
    }
  }
}
