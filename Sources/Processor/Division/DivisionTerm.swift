import Arithmetic

/// What a program computes on its way to a quotient. The architecture has no instruction for it; `frcpa` approximates the reciprocal of the
/// divisor, and multiply-adds (status field 1, rounding to nearest) refine it as Intel's "Divide, Square Root, and Remainder Algorithms for the
/// IA-64 Architecture" tells. Compilers and their libraries write down its sequences; the names are its own. Of each it is proved there that the
/// last term is the quotient: truncated for integers, rounded for doubles.
enum DivisionTerm: UInt8 {
  // What is given. `tiny` is 2^-34.
  case none, zero, one, tiny, a, b
  case y0
  // Shared by the sequences.
  case e0, q0, e1, q1, q2, e2, y1, y2, y3
  // 64-bit integers: least latency; most throughput, where the quotient is begun with the last reciprocal.
  case r2, q3
  case lateQ2, lateR2, lateQ3
  // 32-bit integers.
  case shortE1, shortQ2
  // Doubles, likewise.
  case doubleQ3, doubleR3, doubleQ4
  case lateDoubleQ, lateDoubleR, lateDoubleQuotient

  /// A multiply-add: x * y + z, or z - x * y.
  struct Step {
    var result: DivisionTerm
    var x: DivisionTerm
    var y: DivisionTerm
    var z: DivisionTerm
    var negatesProduct = false
    var rounding = Rounding.register

    init(
      _ result: DivisionTerm, _ x: DivisionTerm, _ y: DivisionTerm, plus z: DivisionTerm = .zero, _ rounding: Rounding = .register
    ) {
      (self.result, self.x, self.y, self.z, self.rounding) = (result, x, y, z, rounding)
    }
    init(_ result: DivisionTerm, _ z: DivisionTerm, minus x: DivisionTerm, _ y: DivisionTerm) {
      (self.result, self.x, self.y, self.z, negatesProduct) = (result, x, y, z, true)
    }
  }

  /// Precision and status field of a step: 64 bits or `.d` in status field 1; `.d` in status field 0, which is the program's.
  enum Rounding { case register, double, result }

  static let steps: [Step] = [
    Step(.e0, .one, minus: .b, .y0), Step(.q0, .a, .y0), Step(.e1, .e0, .e0), Step(.q1, .e0, .q0, plus: .q0),
    Step(.q2, .e1, .q1, plus: .q1), Step(.e2, .e1, .e1), Step(.y1, .e0, .y0, plus: .y0), Step(.y2, .e1, .y1, plus: .y1),
    Step(.y3, .e2, .y2, plus: .y2),
    Step(.r2, .a, minus: .b, .q2), Step(.q3, .r2, .y2, plus: .q2),
    Step(.lateQ2, .a, .y2), Step(.lateR2, .a, minus: .b, .lateQ2), Step(.lateQ3, .lateR2, .y2, plus: .lateQ2),
    Step(.shortE1, .e0, .e0, plus: .tiny), Step(.shortQ2, .shortE1, .q1, plus: .q1),
    Step(.doubleQ3, .e2, .q2, plus: .q2, .double), Step(.doubleR3, .a, minus: .b, .doubleQ3),
    Step(.doubleQ4, .doubleR3, .y3, plus: .doubleQ3, .result),
    Step(.lateDoubleQ, .a, .y3, .double), Step(.lateDoubleR, .a, minus: .b, .lateDoubleQ),
    Step(.lateDoubleQuotient, .lateDoubleR, .y3, plus: .lateDoubleQ, .result),
  ]

  /// Whether it is a quotient of integers, but for its fraction.
  var isIntegerQuotient: Bool { self == .q3 || self == .lateQ3 || self == .shortQ2 }

  static let tinyValue = FloatRegister(significand: 1 << 63, signExponent: 0xFFFF - 34)

  /// Its value for a dividend and a divisor that are normal numbers, with exponents that are moderate enough for all terms to be.
  func value(_ a: FloatRegister, _ b: FloatRegister) -> FloatRegister {
    switch self {
    case .none, .zero: return .zero
    case .one: return .one
    case .tiny: return Self.tinyValue
    case .a: return a
    case .b: return b
    case .y0: return FloatArithmetic.frcpa(a, b, Self.control(.register)).value
    default:
      guard let step = Self.steps.first(where: { $0.result == self }) else { preconditionFailure("no step gives \(self)") }
      return FloatArithmetic.fma(
        step.x.value(a, b), step.y.value(a, b), step.z.value(a, b), Self.control(step.rounding), negateProduct: step.negatesProduct,
        negateAddend: false, addendIsFR0: step.z == .zero
      ).value
    }
  }

  /// To nearest, and no trap. Of FPSR's status field 1 nothing else counts.
  private static func control(_ rounding: Rounding) -> FloatControl {
    FloatControl(fpsr: 0x0C << 19 | 0x3F, statusField: 1, precision: rounding == .register ? 0 : 2)
  }
}
