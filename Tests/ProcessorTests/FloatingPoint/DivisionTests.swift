import Arithmetic
import IA64
import Processor
import Testing

/// Divisions that the host may do at once (``DivisionSequence``), against the stepper, which does each instruction of theirs: all registers, the
/// terms among them, and FPSR. What the quotient must be is said by Swift's division.
@Suite(.ends(withinMinutes: 5)) struct DivisionTests {
  /// gcc's FPSR: status field 1 has 64 bits and the wide exponent.
  private static let gcc: UInt64 = 0x9_804C_0270_033F
  /// Inexact results in fields 0 and 1.
  private static let inexact0: UInt64 = 1 << 18
  private static let inexact1: UInt64 = 1 << 31
  private static let usual = [gcc, gcc | inexact1, gcc | inexact1 | inexact0, gcc | inexact0]
  /// Other rounding, other precision, traps.
  private static let unusual: [UInt64] = {
    let base = gcc | inexact1 | inexact0
    let rounding: [UInt64] = [1 << 23, 3 << 23, 1 << 10, 2 << 10]
    let precision: [UInt64] = [1 << 21, 3 << 21]
    let traps: [UInt64] = [0x20, 0x20 | 1 << 25, 2]
    return rounding.map { base | $0 } + precision.map { base ^ $0 } + traps.map { base & ~$0 }
  }()

  @Test("quotients of integers", arguments: DivisionSequence.integers + DivisionSequence.mixed)
  func integers(_ sequence: DivisionSequence) throws {
    var random = OperandSource(sequence.name)
    let machine = try TestMachine("setf.sig f6=r4\nsetf.sig f7=r5 ;;\n\(sequence.text)\ngetf.sig r8=f10 ;;\n")
    var atOnce = 0
    let count = OperandSource.isComplete ? 300_000 : 1_000
    for round in 0..<count {
      let (a, b) = random.integers(sequence.width)
      (machine[gr: 4], machine[gr: 5]) = (a, b)
      let isUsual = round % 8 != 7
      if machine.begins(random.pick(isUsual ? Self.usual : Self.unusual), slots: 60) { atOnce += 1 }
      let end = machine.run()
      let context = "EPICURE_SEED=\(OperandSource.seed), round \(round): \(a) / \(b)"
      // With other rounding the sequence does not give it.
      if end == .done, isUsual, let quotient = sequence.quotient(a, b) { #expect(machine[gr: 8] == quotient, "\(context)") }
    }
    // Often so, unless the specialisation is off.
    #expect(atOnce > count / 8 || !Specialisations.standard.contains(.divisions), "\(atOnce) of \(count)")
  }

  @Test("quotients of doubles", arguments: DivisionSequence.doubles) func doubles(_ sequence: DivisionSequence) throws {
    var random = OperandSource(sequence.name)
    let machine = try TestMachine("ldfd f6=[r4]\nldfd f7=[r5] ;;\n\(sequence.text)\nstfd [r6]=f10 ;;\n")
    for n in 0..<3 { machine[gr: 4 + n] = TestMachine.data + UInt64(n) * 8 }
    var atOnce = 0
    let count = OperandSource.isComplete ? 300_000 : 1_000
    for round in 0..<count {
      let (a, b) = random.dividendAndDivisor()
      let dividend = sequence.dividesOne ? 1 : a
      machine.store(TestMachine.data, a.bitPattern)
      machine.store(TestMachine.data + 8, b.bitPattern)
      let isUsual = round % 8 != 7
      let fpsr = random.pick(isUsual ? Self.usual : Self.unusual)
      if machine.begins(fpsr, slots: 60) { atOnce += 1 }
      let end = machine.run()
      let context = "EPICURE_SEED=\(OperandSource.seed), round \(round): \(dividend) / \(b), fpsr 0x\(String(fpsr, radix: 16))"
      let quotient = dividend / b
      if end == .done, isUsual, quotient.isNormal, dividend.isNormal, b.isNormal {
        #expect(Double(bitPattern: machine.load(TestMachine.data + 16)) == quotient, "\(context)")
        // The remainder of a quotient that is rounded to nearest is a double, if it is not too small for one.
        if dividend.exponent > -900 {
          let isExact = dividend.addingProduct(-quotient, b) == 0
          #expect(machine[ar: AR.fpsr] >> 18 & 1 == (isExact ? fpsr >> 18 & 1 : 1), "\(context)")
        }
      }
    }
    #expect(
      atOnce > count / 8 || !Specialisations.standard.isSuperset(of: [.divisions, .hostArithmetic, .floatingPoint]),
      "\(atOnce) of \(count)")
  }

  /// Programs that are almost a division, or have others among its steps.
  @Test("changed sequences", arguments: DivisionSequence.integers + DivisionSequence.doubles)
  func changes(_ sequence: DivisionSequence) throws {
    var random = OperandSource("changed " + sequence.name)
    var assembled = 0
    let count = OperandSource.isComplete ? 4_000 : 40
    for round in 0..<count {
      var lines = sequence.text.split(separator: "\n").map(String.init)
      for _ in 0..<random.number(1...3) { random.change(&lines) }
      let program = "ldfd f6=[r6]\nldfd f7=[r7] ;;\n(p8) setf.sig f6=r4\n(p8) setf.sig f7=r5 ;;\n" + lines.joined(separator: "\n")
      // What reads and overwrites registers that hold terms.
      let after = (0..<4).map { _ in random.reader() }.joined(separator: "\n")
      // Some changes make no instruction.
      guard let machine = try? TestMachine("nop 0\n" + program + "\n" + after + "\n") else { continue }
      assembled += 1
      for _ in 0..<4 {
        let (a, b) = random.integers(random.pick([32, 64]))
        let (x, y) = random.dividendAndDivisor()
        machine.store(TestMachine.data, x.bitPattern)
        machine.store(TestMachine.data + 8, y.bitPattern)
        (machine[gr: 4], machine[gr: 5]) = (a, b)
        for n in 0..<2 { machine[gr: 6 + n] = TestMachine.data + UInt64(n) * 8 }
        for n in 16..<20 { machine[gr: n] = TestMachine.data + UInt64(n) * 16 }
        machine[pr: 8] = random.chance(50) != sequence.isDouble
        machine[fr: 15] = FloatRegister(significand: 1 << 63, signExponent: 0xFFFF - 34)
        _ = machine.begins(random.pick(Self.usual), slots: UInt64(random.number(1...90)))
        machine.run()
        if !StateComparison.differences(machine.blocks, machine.steps).isEmpty {
          Issue.record("EPICURE_SEED=\(OperandSource.seed), round \(round), \(a) \(b) \(x) \(y):\n\(program)\n\(after)")
          return
        }
      }
    }
    #expect(assembled > count / 2)
  }

  /// More divisions than there are records for, with different registers and dividends, so that each must find its own terms.
  @Test("many divisions at once") func records() throws {
    let divisions = (0..<40).map { n in
      let registers = (8...31).map { (UInt8($0), ($0 * 7 + n * 5) % 24 + 8) }
      return DivisionSequence.integers[n % DivisionSequence.integers.count].text(
        numbers: Dictionary(uniqueKeysWithValues: registers))
    }
    let machine = try TestMachine(
      divisions.map { "adds r4=777,r4 ;;\nsetf.sig f6=r4\nsetf.sig f7=r5 ;;\n" + $0 }.joined(separator: "\n") + "\n")
    (machine[gr: 4], machine[gr: 5]) = (123_456_789_012_345, 6_789)
    machine[ar: AR.fpsr] = Self.usual[1]
    let end = machine.blocks.state.cycles + 10_000
    while machine.blocks.state.cycles < end, machine.ip != machine.doneAddress {
      _ = machine.blocks.run(until: machine.blocks.state.cycles + 200)
    }
    #expect(machine.run() == .done)
  }
}

extension TestMachine {
  /// Begins the program anew and lets blocks run. Whether they keep terms then, which the comparison with the stepper will ask for.
  fileprivate func begins(_ fpsr: UInt64, slots: UInt64) -> Bool {
    self[ar: AR.fpsr] = fpsr
    each {
      $0.setPSR(PSR.ic)
      $0.state.pointee.ip = TestMachine.code
    }
    _ = blocks.run(until: blocks.state.cycles + slots)
    return blocks.holdsTerms
  }
}

extension LogicalProcessor {
  /// Whether a register holds a term of a division, which nobody has asked for yet (``FloatPlace/holdsTerm``).
  fileprivate var holdsTerms: Bool {
    (2..<32).contains { Int64(bitPattern: state.pointee.floatTags[$0]) >= 1 << 32 }
  }
}

extension OperandSource {
  /// Dividend and divisor: of any size, and near multiples of each other.
  fileprivate mutating func integers(_ width: Int) -> (UInt64, UInt64) {
    func cut(_ value: UInt64) -> UInt64 { width == 64 ? value : value & 0xFFFF_FFFF }
    let a = cut(bits() >> UInt64(number(0...63)))
    let b = cut(bits() >> UInt64(number(0...63)))
    switch number(0...9) {
    case 0: return (cut(value()), cut(value()))
    case 1: return (a, cut(value()))
    case 2, 3: return (cut(b == 0 ? a : a / b &* b), b)
    case 4, 5: return (cut(b == 0 ? a : a / b &* b &- 1), b)
    case 6: return (cut(0 &- a), b)
    case 7: return (cut(0 &- a), cut(0 &- b))
    default: return (a, b)
    }
  }

  /// Doubles with all kinds of fractions, exact quotients among them, and a few that are no numbers.
  fileprivate mutating func dividendAndDivisor() -> (Double, Double) {
    func double(_ bits: UInt64, _ exponent: Int) -> Double {
      let field = UInt64(max(0, min(0x7FE, exponent + 0x3FF)))
      return Double(bitPattern: bits & 0x800F_FFFF_FFFF_FFFF | field << 52)
    }
    let spread = pick([2, 60, 399, 402, 1023])
    let fractions: [UInt64] = [0, .max, bits() << 40, bits() << 20, bits(), bits()]
    var a = double(pick(fractions), number(-spread...spread))
    let b = double(pick(fractions), number(-spread...spread))
    if chance(20) { a = double(bits() << 30, 0) * double(pick([0, bits() << 40]), number(-spread / 2...spread / 2)) * b }
    if chance(4) { a = pick([0, -0.0, .infinity, .nan, Double.leastNonzeroMagnitude, -1]) }
    if chance(4) { return (a, pick([0, -0.0, .infinity, .nan, Double.leastNonzeroMagnitude, 1, -1])) }
    return (a, b)
  }

  /// An instruction that reads what a division may have left behind, or overwrites it.
  fileprivate mutating func reader() -> String {
    let f = number(6...16)
    let g = number(6...16)
    return
      [
        "getf.sig r9=f\(f) ;;", "getf.exp r9=f\(f) ;;", "getf.d r9=f\(f) ;;", "stf.spill [r16]=f\(f) ;;", "stfd [r17]=f\(f) ;;",
        "stfs [r18]=f\(f) ;;", "stf8 [r19]=f\(f) ;;", "mov f\(g)=f\(f) ;;", "fmerge.ns f\(g)=f\(f),f\(f) ;;",
        "fmerge.se f\(g)=f\(f),f7 ;;",
        "fma.d.s0 f\(g)=f\(f),f7,f\(g) ;;", "fma.s1 f\(g)=f\(f),f6,f\(f) ;;", "fnorm.s1 f\(g)=f\(f) ;;",
        "xma.l f\(g)=f\(f),f\(g),f0 ;;",
        "fcmp.lt.s1 p10,p11=f\(f),f\(g) ;;", "fclass.m p10,p11=f\(f),0x1F ;;", "fcvt.fx.s1 f\(g)=f\(f) ;;",
        "fcvt.xf f\(g)=f\(f) ;;",
        "frcpa.s1 f\(g),p10=f\(f),f7 ;;", "frsqrta.s1 f\(g),p10=f\(f) ;;", "ldfd f\(f)=[r6] ;;", "setf.sig f\(f)=r4 ;;",
        "fand f\(g)=f\(f),f\(f) ;;", "fselect f\(g)=f\(f),f7,f6 ;;", "(p6) fnma.s1 f\(g)=f\(f),f7,f6 ;;",
        "fswap f\(g)=f\(f),f\(g) ;;",
      ][number(0...25)]
  }

  /// One change to a program.
  fileprivate mutating func change(_ lines: inout [String]) {
    let n = number(0...lines.count - 1)
    switch number(0...9) {
    case 0: lines.remove(at: n)
    case 1: lines[n] = lines[n].replacingFirst("f\(number(6...15))", "f\(number(6...15))")
    case 2: lines[n] = lines[n].replacingFirst(".s1", pick([".s0", ".s2", ".d.s1"]))
    case 3: lines[n] = lines[n].replacingFirst("(p6) ", pick(["", "(p7) ", "(p9) "]))
    case 4: lines.insert(reader(), at: n)
    case 5:
      lines.insert(
        pick([
          "cmp.lt p6,p7=r4,r5 ;;", "cmp.lt p9,p7=r4,r5 ;;", "adds r9=1,r9 ;;", "(p6) add r10=r4,r5 ;;", "(p7) add r10=r4,r5 ;;",
          "nop 0",
        ]),
        at: n)
    case 6: lines.insert("\(pick(["", "(p6) ", "(p7) "]))setf.sig f\(number(6...20))=r\(number(4...5)) ;;", at: n)
    case 7: lines.insert("ld8 r11=[r6] ;;", at: n)
    case 8: lines.swapAt(n, number(0...lines.count - 1))
    default: lines[n] = lines[n].replacingFirst("fnma", "fma")
    }
    if lines.isEmpty { lines = ["nop 0"] }
  }
}

extension String {
  fileprivate func replacingFirst(_ text: String, _ other: String) -> String {
    guard let range = range(of: text) else { return self }
    return replacingCharacters(in: range, with: other)
  }
}
