import Arithmetic
import Foundation
import Processor
import TestSupport
import Testing

/// Multiply-adds that the host may compute (`.d` in status field 0, of registers that `ldfd` has loaded or that a program has computed) against
/// the general arithmetic, which `ArithmeticTests` compares with exact rationals. Operands are mostly doubles: with few bits, so that results are
/// exact, and near the borders of what the host is asked for.
@Suite(.ends(withinMinutes: 5)) struct HostMultiplyAddTests {
  enum Kind: String, CaseIterable { case fma, fms, fnma }
  struct Form: CustomTestStringConvertible {
    var kind: Kind
    /// f3, f4, f2, and the target.
    var registers: (UInt8, UInt8, UInt8, UInt8)
    var text: String { "\(kind).d.s0 f\(registers.3)=f\(registers.0),f\(registers.1),f\(registers.2)" }
    var testDescription: String { text }
  }

  static let forms: [Form] = Kind.allCases.flatMap { kind in
    ([
      (6, 7, 8, 9), (6, 40, 8, 9), (33, 34, 35, 36), (6, 7, 8, 90), (6, 7, 0, 9), (33, 7, 0, 9), (6, 1, 8, 9), (1, 7, 8, 9),
      (6, 6, 6, 6), (6, 7, 6, 6),
    ] as [(UInt8, UInt8, UInt8, UInt8)]).map { Form(kind: kind, registers: $0) }
  }

  /// Each round computes twice, the second time with the first result as addend, stores it, and uses it as operand of an extended multiplication.
  @Test("host and general arithmetic agree", arguments: forms) func agreement(form: Form) throws {
    let seed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 0x686F_7374
    var random = Doubles(seed: seed ^ UInt64(form.text.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) }))
    let (a, b, c, d) = form.registers
    let loads = [a, b, c].filter { $0 > 1 }
    let program =
      loads.map { "ldfd f\($0)=[r\($0 == a ? 4 : $0 == b ? 5 : 6)] ;;\n" }.joined()
        + """
        direct: \(form.text) ;;
        fma.d.s0 f20=f\(a),f\(b),f\(d) ;;
        fmpy.s2 f21=f\(d),f20 ;;
        stfd [r7]=f\(d) ;;
        """
    let machine = try TestMachine(program)
    let count = ProcessInfo.processInfo.environment["EPICURE_COMPLETE"] == "1" ? 200_000 : 1_500
    for n in 0..<4 as Range<UInt64> { machine[gr: 4 + Int(n)] = TestMachine.data + 8 * n }
    for round in 0..<count {
      let bits = random.operands()
      // Nearest with and without earlier inexact results, sometimes another mode, a trap on inexact results, the wide exponent.
      let control = [0x0C, 0x0C, 0x0C, 0x0C, 0x0C, 0x0E, 0x08, 0x1C, 0x2C, 0x3C][Int(random.next() % 10)] as UInt64
      let flags = random.next() & 1 == 0 ? 0 : random.next() & 0x3F
      let fpsr = 0x0009_8000_0000_003F | (control | flags << 7) << 6 | (0x0C << 32)
      let loaded = random.next() & 3 != 0
      var values: [UInt8: FloatRegister] = [0: .zero, 1: .one]
      for (n, register) in [a, b, c].enumerated() where register > 1 {
        // As the program loads them: the last of one name is what counts.
        let source = [4, 5, 6][register == a ? 0 : register == b ? 1 : 2] - 4
        values[register] = loaded ? FloatMemory.loadDouble(bits[source]) : random.register(bits[n])
      }
      for n in 0..<3 { machine.store(TestMachine.data + UInt64(n) * 8, bits[n]) }
      if !loaded { for register in loads { machine[fr: register] = values[register] ?? .zero } }
      machine[ar: 40] = fpsr
      machine.psr = PSR.ic
      let start = loaded ? TestMachine.code : try #require(machine.labels["direct"])
      machine.each { $0.state.pointee.ip = start }
      let end = machine.run()
      func compute(_ kind: Kind, _ x: UInt8, _ y: UInt8, _ z: UInt8, _ fpsr: UInt64) -> FloatOutcome {
        FloatArithmetic.fma(
          values[x] ?? .zero, values[y] ?? .zero, values[z] ?? .zero, FloatControl(fpsr: fpsr, statusField: 0, precision: 2),
          negateProduct: kind == .fnma, negateAddend: kind == .fms, addendIsFR0: z == 0)
      }
      let first = compute(form.kind, a, b, c, fpsr)
      values[d] = first.value
      let second = compute(.fma, a, b, d, fpsr)
      values[20] = second.value
      let third = FloatArithmetic.fma(
        first.value, second.value, .zero, FloatControl(fpsr: fpsr, statusField: 2, precision: 0), negateProduct: false,
        negateAddend: false,
        addendIsFR0: true)
      let context =
        "EPICURE_SEED=\(seed), round \(round), fpsr 0x\(String(fpsr, radix: 16)), loaded \(loaded), \(bits.map { Double(bitPattern: $0) })"
      #expect(machine[fr: d] == first.value, "\(context)")
      #expect(machine[fr: 20] == second.value, "\(context)")
      #expect(machine[fr: 21] == third.value, "\(context)")
      #expect(end == (first.value.isNaTVal ? .interruption(.natConsumption) : .done), "\(context)")
      if end == .done { #expect(machine.load(TestMachine.data + 24) == FloatMemory.storeDouble(first.value), "\(context)") }
      #expect(
        machine[ar: 40] == fpsr | (UInt64(first.flags) | UInt64(second.flags)) << 13 | UInt64(third.flags) << 39,
        "flags; \(context)")
      let written = (loaded ? loads : []) + [d, 20]
      #expect(machine.psr & (PSR.mfl | PSR.mfh) == written.reduce(0) { $0 | ($1 < 32 ? PSR.mfl : PSR.mfh) }, "\(context)")
    }
  }
}

/// Bits of doubles. SplitMix64.
private struct Doubles {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  private mutating func fraction() -> UInt64 {
    switch next() % 6 {
    case 0: 0
    case 1: (1 << 52) - 1
    case 2: next() << 44 & 0xF_FFFF_FFFF_FFFF
    case 3: next() << 26 & 0xF_FFFF_FFFF_FFFF
    default: next() & 0xF_FFFF_FFFF_FFFF
    }
  }

  private mutating func double(_ exponent: Int) -> UInt64 {
    UInt64(max(0, min(0x7FE, exponent + 0x3FF))) << 52 | fraction() | next() << 63
  }

  /// Two factors, and an addend near their product, or far away. Some are zero, denormal, infinite or NaN.
  mutating func operands() -> [UInt64] {
    let spread = [3, 40, 399, 402, 520, 1023][Int(next() % 6)]
    let x = Int(next() % UInt64(2 * spread + 1)) - spread
    var y = Int(next() % UInt64(2 * spread + 1)) - spread
    // Products and sums at the borders of the range.
    if next() % 4 == 0 { y = [400, -400, 401, -401, 1023, -1022][Int(next() % 6)] - x }
    let reach = [1, 3, 54, 110][Int(next() % 4)]
    let z = x + y + Int(next() % UInt64(2 * reach + 1)) - reach
    var bits = [double(x), double(y), double(z)]
    switch next() % 16 {
    case 0: bits[Int(next() % 3)] = next() << 63
    case 1:
      bits[Int(next() % 3)] = [1, 0x7FF << 52, 0x7FF8 << 48, 0xF_FFFF_FFFF_FFFF, 0x7FF << 52 | 1][Int(next() % 5)] | next() << 63
    // Cancels exactly.
    case 2: (bits[1], bits[2]) = (0x3FF << 52, bits[0] ^ 1 << 63)
    case 3: bits[2] = (Double(bitPattern: bits[0]) * Double(bitPattern: bits[1])).bitPattern ^ next() << 63
    default: break
    }
    return bits
  }

  /// A register's contents: mostly that double, sometimes one with more bits, unnormal, or NaTVal.
  mutating func register(_ bits: UInt64) -> FloatRegister {
    var value = FloatMemory.loadDouble(bits)
    switch next() % 12 {
    case 0: value.significand |= next() & 0x7FF
    case 1: value.significand >>= 1
    case 2: value = .natVal
    case 3: value.signExponent = value.signExponent & 0x20000 | next() & 0x1FFFF
    default: break
    }
    return value
  }
}
