import Arithmetic
import Processor
import Testing

/// Floating-point registers, FPSR, predicates and the user mask's modified bits, as the model of a test sees them.
struct FloatModel {
  var fr = [FloatRegister](repeating: .zero, count: 128)
  var fpsr: UInt64 = 0
  var pr = [Bool](repeating: false, count: 64)
  var modified: UInt64 = 0
  /// The last instruction would have faulted.
  var faults = false

  mutating func write(_ n: Int, _ value: FloatRegister) {
    fr[n] = value
    modified |= n < 32 ? PSR.mfl : PSR.mfh
  }
  mutating func setFlags(_ flags: UInt8, _ field: Int) { fpsr |= UInt64(flags) << UInt64(13 + 13 * field) }
  mutating func setPredicate(_ n: Int, _ value: Bool) { if n != 0 { pr[n] = value } }
  func control(_ field: Int, _ precision: UInt8 = 0) -> FloatControl {
    FloatControl(fpsr: fpsr, statusField: field, precision: precision)
  }
}

/// One instruction, what it does if its qualifying predicate is 1, and what if it is 0.
struct ModelledFloat {
  var text: String
  var effect: (inout FloatModel) -> Void
  var otherwise: (inout FloatModel) -> Void = { _ in }
}

extension OperandSource {
  mutating func floatTarget() -> Int { number(2...127) }
  mutating func floatSource() -> Int { chance(10) ? number(0...1) : number(2...127) }

  /// Registers of all classes (Volume 1, table 5-2).
  mutating func floatValue() -> FloatRegister {
    let sign = UInt64(number(0...1)) << 17
    switch number(0...19) {
    case 0: return .natVal
    case 1: return FloatRegister(significand: 0, signExponent: sign)
    case 2: return FloatRegister(significand: 1 << 63, signExponent: sign | 0x1FFFF)
    case 3: return FloatRegister(significand: 3 << 62 | bits() >> 2, signExponent: sign | 0x1FFFF)
    case 4: return FloatRegister(significand: 1 << 63 | 1 | bits() >> 2, signExponent: sign | 0x1FFFF)
    case 5: return FloatRegister(significand: bits() >> 1, signExponent: sign | 0x1FFFF)
    case 6: return FloatRegister(significand: bits() >> 1, signExponent: sign | UInt64(0xFFFF + number(-40...40)))
    case 7: return FloatRegister(significand: bits() >> UInt64(number(1...63)), signExponent: sign)
    case 8...10: return .integer(value())
    case 11: return .integer(bits() & 0x807F_FFFF_807F_FFFF | UInt64(number(0...255)) << 55 | UInt64(number(0...255)) << 23)
    default: return FloatRegister(significand: 1 << 63 | bits() << 40, signExponent: sign | UInt64(0xFFFF + number(-30...30)))
    }
  }

  /// Random controls in each status field, all traps disabled.
  mutating func floatStatus() -> UInt64 {
    var fpsr: UInt64 = 0x3F
    for field in 0..<4 {
      let controls = UInt64(number(0...3) | pick([0, 8, 12]) | number(0...3) << 4)
      fpsr |= (controls | UInt64(number(0...63)) << 7) << UInt64(6 + 13 * field)
    }
    return fpsr
  }
}

/// Runs a sequence of modelled floating-point instructions and compares every register with the model.
enum FloatRun {
  static func check(
    _ name: String, count: Int = 40, _ make: (inout OperandSource) -> ModelledFloat,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for round in 0..<(OperandSource.isComplete ? 200 : 2) {
      var random = OperandSource(name, round: round)
      var model = FloatModel()
      for n in 2..<128 { model.fr[n] = random.floatValue() }
      model.fr[1] = .one
      model.fpsr = random.floatStatus()
      for n in 0..<64 { model.pr[n] = n == 0 || random.chance(50) }
      let start = model
      var lines: [String] = []
      for _ in 0..<count {
        let instruction = make(&random)
        let qp = random.chance(60) ? 0 : random.number(1...63)
        var trial = model
        if model.pr[qp] { instruction.effect(&trial) } else { instruction.otherwise(&trial) }
        // Software assistance for approximations at the ends of the range: FloatStatusTests have the faults.
        if trial.faults { continue }
        model = trial
        lines.append((qp == 0 ? "" : "(p\(qp < 10 ? "0" : "")\(qp)) ") + instruction.text)
      }
      let machine = try TestMachine(lines.joined(separator: "\n"), sourceLocation: sourceLocation)
      for n in 2..<128 { machine[fr: UInt8(n)] = start.fr[n] }
      for n in 1..<64 { machine[pr: n] = start.pr[n] }
      machine[ar: AR.fpsr] = start.fpsr
      #expect(machine.run() == .done, "\(name), seed \(OperandSource.seed)", sourceLocation: sourceLocation)
      var wrong: [String] = []
      for n in 0..<128 where machine[fr: UInt8(n)] != model.fr[n] {
        wrong.append("f\(n) is \(machine[fr: UInt8(n)]), should be \(model.fr[n])")
      }
      for n in 0..<64 where machine[pr: n] != model.pr[n] { wrong.append("p\(n) should be \(model.pr[n])") }
      if machine[ar: AR.fpsr] != model.fpsr {
        wrong.append("FPSR is \(String(machine[ar: AR.fpsr], radix: 16)), should be \(String(model.fpsr, radix: 16))")
      }
      if machine.psr & (PSR.mfl | PSR.mfh) != model.modified { wrong.append("PSR.mfl, mfh are wrong") }
      if !wrong.isEmpty {
        Issue.record(
          "\(name), seed \(OperandSource.seed) round \(round):\n\(wrong.prefix(4).joined(separator: "\n"))\n\(lines.joined(separator: "\n"))",
          sourceLocation: sourceLocation)
      }
    }
  }
}
