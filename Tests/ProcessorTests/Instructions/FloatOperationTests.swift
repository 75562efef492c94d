import Arithmetic
import TestSupport
import Testing

/// F1...F11 through the processor: operands, completers, status fields, flags, predicates, NaTVal, PSR.mfl and mfh, as the pages of
/// Volume 3 say. The arithmetic is `FloatArithmetic`, which ArithmeticTests compares with exact rationals.
@Suite("Floating-point operations", .ends(withinMinutes: 5))
struct FloatOperationTests {
  private typealias Value = FloatRegister
  private static let precisions: [(String, UInt8)] = [("", 0), (".s", 1), (".d", 2)]

  /// An instruction that writes f1 and flags.
  private static func arithmetic(
    _ text: String, _ target: Int, _ field: Int, _ outcome: @escaping (FloatModel) -> FloatOutcome
  ) -> ModelledFloat {
    ModelledFloat(text: text) { model in
      let result = outcome(model)
      model.faults = result.fault != 0
      model.write(target, result.value)
      model.setFlags(result.flags, field)
    }
  }

  @Test(arguments: ["fma", "fms", "fnma"]) func multiplyAdd(_ name: String) throws {
    for (completer, precision) in Self.precisions {
      try FloatRun.check(name + completer) { random in
        let (d, a, b, c, field) = (
          random.floatTarget(), random.floatSource(), random.floatSource(), random.floatSource(), random.number(0...3)
        )
        return Self.arithmetic("\(name)\(completer).s\(field) f\(d)=f\(a),f\(b),f\(c)", d, field) {
          // f0 as addend makes it a multiplication, which keeps the product's sign of zero.
          FloatArithmetic.fma(
            $0.fr[a], $0.fr[b], $0.fr[c], $0.control(field, precision), negateProduct: name == "fnma", negateAddend: name == "fms",
            addendIsFR0: c == 0)
        }
      }
    }
  }

  @Test(arguments: ["fpma", "fpms", "fpnma"]) func parallelMultiplyAdd(_ name: String) throws {
    try FloatRun.check(name) { random in
      let (d, a, b, c, field) = (
        random.floatTarget(), random.floatSource(), random.floatSource(), random.floatSource(), random.number(0...3)
      )
      return Self.arithmetic("\(name).s\(field) f\(d)=f\(a),f\(b),f\(c)", d, field) {
        FloatArithmetic.fpma(
          $0.fr[a], $0.fr[b], $0.fr[c], $0.control(field), negateProduct: name == "fpnma", negateAddend: name == "fpms",
          addendIsFR0: c == 0)
      }
    }
  }

  /// The pseudo-ops put f0 and f1 where the manual says.
  @Test func pseudoOperations() throws {
    let forms: [(String, (Value, Value) -> (Value, Value, Value), Bool, Bool, Bool)] = [
      ("fadd", { ($0, .one, $1) }, false, false, false), ("fsub", { ($0, .one, $1) }, false, true, false),
      ("fmpy", { ($0, $1, .zero) }, false, false, true), ("fnmpy", { ($0, $1, .zero) }, true, false, true),
    ]
    for (name, operands, negateProduct, negateAddend, isProduct) in forms {
      for (completer, precision) in Self.precisions {
        try FloatRun.check(name + completer) { random in
          let (d, a, b, field) = (random.floatTarget(), random.number(2...127), random.number(2...127), random.number(0...3))
          return Self.arithmetic("\(name)\(completer).s\(field) f\(d)=f\(a),f\(b)", d, field) {
            let (x, y, z) = operands($0.fr[a], $0.fr[b])
            return FloatArithmetic.fma(
              x, y, z, $0.control(field, precision), negateProduct: negateProduct, negateAddend: negateAddend,
              addendIsFR0: isProduct)
          }
        }
      }
    }
  }

  @Test func fixedPoint() throws {
    for (name, kind) in [("xma.l", UInt8(0)), ("xma.h", 1), ("xma.hu", 2)] {
      try FloatRun.check(name) { random in
        let (d, a, b, c) = (random.floatTarget(), random.floatSource(), random.floatSource(), random.floatSource())
        return ModelledFloat(text: "\(name) f\(d)=f\(a),f\(b),f\(c)") { model in
          let sources = [model.fr[a], model.fr[b], model.fr[c]]
          let (x, y) = (sources[0].significand, sources[1].significand)
          let product: (high: UInt64, low: UInt64)
          if kind == 2 {
            product = x.multipliedFullWidth(by: y)
          } else {
            let signed = Int64(bitPattern: x).multipliedFullWidth(by: Int64(bitPattern: y))
            product = (UInt64(bitPattern: signed.high), signed.low)
          }
          // The addend is a 64-bit unsigned number; its carry goes into the high half.
          let (low, carry) = product.low.addingReportingOverflow(sources[2].significand)
          let result = kind == 0 ? low : product.high &+ (carry ? 1 : 0)
          model.write(d, sources.contains { $0.isNaTVal } ? .natVal : .integer(result))
        }
      }
    }
    try FloatRun.check("fselect") { random in
      let (d, a, b, c) = (random.floatTarget(), random.floatSource(), random.floatSource(), random.floatSource())
      return ModelledFloat(text: "fselect f\(d)=f\(a),f\(b),f\(c)") {
        $0.write(d, FloatArithmetic.select($0.fr[a], $0.fr[b], mask: $0.fr[c]))
      }
    }
  }

  @Test func minimaAndMaxima() throws {
    for (index, name) in ["min", "max", "amin", "amax"].enumerated() {
      for prefix in ["f", "fp"] {
        try FloatRun.check(prefix + name) { random in
          let (d, a, b, field) = (random.floatTarget(), random.floatSource(), random.floatSource(), random.number(0...3))
          return Self.arithmetic("\(prefix)\(name).s\(field) f\(d)=f\(a),f\(b)", d, field) {
            let operation = prefix == "f" ? FloatArithmetic.minmax : FloatArithmetic.parallelMinmax
            return operation($0.fr[a], $0.fr[b], $0.control(field), index & 1 != 0, index >= 2)
          }
        }
      }
    }
  }

  @Test func conversions() throws {
    for (kind, unsigned, truncate) in [
      ("fx", false, false), ("fxu", true, false), ("fx.trunc", false, true), ("fxu.trunc", true, true),
    ] {
      for prefix in ["fcvt", "fpcvt"] {
        try FloatRun.check("\(prefix).\(kind)") { random in
          let (d, a, field) = (random.floatTarget(), random.floatSource(), random.number(0...3))
          return Self.arithmetic("\(prefix).\(kind).s\(field) f\(d)=f\(a)", d, field) {
            let operation = prefix == "fcvt" ? FloatArithmetic.toInteger : FloatArithmetic.parallelToInteger
            return operation($0.fr[a], $0.control(field), unsigned, truncate)
          }
        }
      }
    }
    try FloatRun.check("fcvt.xf") { random in
      let (d, a) = (random.floatTarget(), random.floatSource())
      return ModelledFloat(text: "fcvt.xf f\(d)=f\(a)") { $0.write(d, FloatArithmetic.fromSignedInteger($0.fr[a])) }
    }
  }

  @Test func bitsAndMerges() throws {
    let signs: UInt64 = 0x8000_0000_8000_0000
    let operations: [(String, (Value, Value) -> Value)] = [
      ("fmerge.s", { FloatArithmetic.mergeSign($0, $1, negate: false) }),
      ("fmerge.ns", { FloatArithmetic.mergeSign($0, $1, negate: true) }),
      ("fmerge.se", FloatArithmetic.mergeSignExponent), ("fmix.l", FloatArithmetic.mixLeft), ("fmix.r", FloatArithmetic.mixRight),
      ("fmix.lr", FloatArithmetic.mixLeftRight), ("fsxt.l", FloatArithmetic.extendSignLeft),
      ("fsxt.r", FloatArithmetic.extendSignRight),
      ("fpack", FloatArithmetic.pack), ("fswap", { FloatArithmetic.swap($0, $1) }),
      ("fswap.nl", { FloatArithmetic.swap($0, $1, negateLeft: true) }),
      ("fswap.nr", { FloatArithmetic.swap($0, $1, negateRight: true) }),
      ("fand", FloatArithmetic.and), ("fandcm", FloatArithmetic.andComplement), ("for", FloatArithmetic.or),
      ("fxor", FloatArithmetic.xor),
      ("fpmerge.s", { FloatArithmetic.parallelMerge($0, $1, mask: signs, negate: false) }),
      ("fpmerge.ns", { FloatArithmetic.parallelMerge($0, $1, mask: signs, negate: true) }),
      ("fpmerge.se", { FloatArithmetic.parallelMerge($0, $1, mask: 0xFF80_0000_FF80_0000, negate: false) }),
    ]
    for (name, value) in operations {
      try FloatRun.check(name) { random in
        let (d, a, b) = (random.floatTarget(), random.floatSource(), random.floatSource())
        return ModelledFloat(text: "\(name) f\(d)=f\(a),f\(b)") { $0.write(d, value($0.fr[a], $0.fr[b])) }
      }
    }
  }

  @Test func approximations() throws {
    for name in ["frcpa", "fprcpa", "frsqrta", "fprsqrta"] {
      try FloatRun.check(name) { random in
        let (d, p, a, b, field) = (
          random.floatTarget(), random.number(0...63), random.floatSource(), random.floatSource(), random.number(0...3)
        )
        let isRoot = name.contains("sqrt")
        var result = ModelledFloat(text: "\(name).s\(field) f\(d),p\(p)=\(isRoot ? "" : "f\(a),")f\(b)") { model in
          let control = model.control(field)
          let outcome =
            switch name {
            case "frcpa": FloatArithmetic.frcpa(model.fr[a], model.fr[b], control)
            case "fprcpa": FloatArithmetic.fprcpa(model.fr[a], model.fr[b], control)
            case "frsqrta": FloatArithmetic.frsqrta(model.fr[b], control)
            default: FloatArithmetic.fprsqrta(model.fr[b], control)
            }
          model.faults = outcome.fault != 0
          model.write(d, outcome.value)
          model.setFlags(outcome.flags, field)
          model.setPredicate(p, outcome.predicate)
        }
        // Predicated off they still clear the predicate.
        result.otherwise = { $0.setPredicate(p, false) }
        return result
      }
    }
  }

  @Test func compares() throws {
    let relations: [(String, FloatRelation, swapped: Bool)] = [
      ("eq", .equal, false), ("lt", .less, false), ("le", .lessOrEqual, false), ("gt", .less, true), ("ge", .lessOrEqual, true),
      ("unord", .unordered, false), ("neq", .notEqual, false), ("nlt", .notLess, false), ("nle", .notLessOrEqual, false),
      ("ngt", .notLess, true), ("nge", .notLessOrEqual, true), ("ord", .ordered, false),
    ]
    for (name, relation, swapped) in relations {
      for type in ["", ".unc"] {
        try FloatRun.check("fcmp.\(name)\(type)") { random in
          let (p, a, field) = (random.predicates(), random.floatSource(), random.number(0...3))
          let b = random.chance(25) ? a : random.floatSource()
          var result = ModelledFloat(text: "fcmp.\(name)\(type).s\(field) p\(p.0),p\(p.1)=f\(a),f\(b)") { model in
            let (x, y) = swapped ? (model.fr[b], model.fr[a]) : (model.fr[a], model.fr[b])
            let outcome = FloatArithmetic.compare(x, y, relation, model.control(field))
            let nat = x.isNaTVal || y.isNaTVal
            model.setFlags(outcome.flags, field)
            model.setPredicate(p.0, outcome.predicate && !nat)
            model.setPredicate(p.1, !outcome.predicate && !nat)
          }
          if type == ".unc" { result.otherwise = Self.clear(p) }
          return result
        }
      }
      try FloatRun.check("fpcmp.\(name)") { random in
        let (d, a, field) = (random.floatTarget(), random.floatSource(), random.number(0...3))
        let b = random.chance(25) ? a : random.floatSource()
        return Self.arithmetic("fpcmp.\(name).s\(field) f\(d)=f\(a),f\(b)", d, field) {
          let (x, y) = swapped ? ($0.fr[b], $0.fr[a]) : ($0.fr[a], $0.fr[b])
          return FloatArithmetic.parallelCompare(x, y, relation, $0.control(field))
        }
      }
    }
  }

  private static func clear(_ p: (Int, Int)) -> (inout FloatModel) -> Void {
    { model in
      model.setPredicate(p.0, false)
      model.setPredicate(p.1, false)
    }
  }

  /// A NaTVal that is not asked for clears both predicates.
  @Test func classes() throws {
    for sense in ["m", "nm"] {
      for type in ["", ".unc"] {
        try FloatRun.check("fclass.\(sense)\(type)") { random in
          let (p, a) = (random.predicates(), random.floatSource())
          let classes = random.chance(40) ? 1 << random.number(0...8) : random.number(0...511)
          var result = ModelledFloat(text: "fclass.\(sense)\(type) p\(p.0),p\(p.1)=f\(a),0x\(String(classes, radix: 16))") {
            model in
            let member = FloatArithmetic.isMember(model.fr[a], class: UInt64(classes))
            let nat = model.fr[a].isNaTVal && classes & 0x100 == 0
            model.setPredicate(p.0, member == (sense == "m") && !nat)
            model.setPredicate(p.1, member != (sense == "m") && !nat)
          }
          if type == ".unc" { result.otherwise = Self.clear(p) }
          return result
        }
      }
    }
  }
}
