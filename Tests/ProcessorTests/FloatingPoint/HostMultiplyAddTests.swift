import Arithmetic
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
    var random = OperandSource(form.text)
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
    let count = OperandSource.isComplete ? 200_000 : 1_500
    for n in 0..<4 as Range<UInt64> { machine[gr: 4 + Int(n)] = TestMachine.data + 8 * n }
    for round in 0..<count {
      let bits = random.doubles()
      // Nearest with and without earlier inexact results, sometimes another mode, a trap on inexact results, the wide exponent.
      let control = random.pick([0x0C, 0x0C, 0x0C, 0x0C, 0x0C, 0x0E, 0x08, 0x1C, 0x2C, 0x3C] as [UInt64])
      let flags = random.chance(50) ? 0 : random.bits() & 0x3F
      let fpsr = 0x0009_8000_0000_003F | (control | flags << 7) << 6 | (0x0C << 32)
      let loaded = random.chance(75)
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
        "EPICURE_SEED=\(OperandSource.seed), round \(round), fpsr 0x\(String(fpsr, radix: 16)), loaded \(loaded), \(bits.map { Double(bitPattern: $0) })"
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

extension OperandSource {
  fileprivate mutating func double(_ exponent: Int) -> UInt64 {
    let fraction: UInt64 =
      switch number(0...5) {
      case 0: 0
      case 1: .max
      case 2: bits() << 44
      case 3: bits() << 26
      default: bits()
      }
    return UInt64(max(0, min(0x7FE, exponent + 0x3FF))) << 52 | fraction & 0xF_FFFF_FFFF_FFFF | bits() << 63
  }

  /// Bits of two factors, and of an addend near their product, or far away. Some are zero, denormal, infinite or NaN.
  fileprivate mutating func doubles() -> [UInt64] {
    let spread = pick([3, 40, 399, 402, 520, 1023])
    let x = number(-spread...spread)
    // Products and sums at the borders of the range.
    let y = chance(25) ? pick([400, -400, 401, -401, 1023, -1022]) - x : number(-spread...spread)
    let reach = pick([1, 3, 54, 110])
    var list = [double(x), double(y), double(x + y + number(-reach...reach))]
    switch number(0...15) {
    case 0: list[number(0...2)] = bits() << 63
    case 1: list[number(0...2)] = pick([1, 0x7FF << 52, 0x7FF8 << 48, 0xF_FFFF_FFFF_FFFF, 0x7FF << 52 | 1]) | bits() << 63
    // Cancels exactly.
    case 2: (list[1], list[2]) = (0x3FF << 52, list[0] ^ 1 << 63)
    case 3: list[2] = (Double(bitPattern: list[0]) * Double(bitPattern: list[1])).bitPattern ^ bits() << 63
    default: break
    }
    return list
  }

  /// A register's contents: mostly that double, sometimes one with more bits, unnormal, or NaTVal.
  fileprivate mutating func register(_ double: UInt64) -> FloatRegister {
    var value = FloatMemory.loadDouble(double)
    switch number(0...11) {
    case 0: value.significand |= bits() & 0x7FF
    case 1: value.significand >>= 1
    case 2: value = .natVal
    case 3: value.signExponent = value.signExponent & 0x20000 | bits() & 0x1FFFF
    default: break
    }
    return value
  }
}
