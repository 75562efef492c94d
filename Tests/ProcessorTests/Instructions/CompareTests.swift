import TestSupport
import Testing

/// A6, A7, A8, I16, I17, I30: the pseudo-code of Volume 3, pages cmp, cmp4, tbit, tf, tnat, with every relation, type and NaT rule, and the
/// pseudo-ops of the assembler as the manual's tables define them.
@Suite("Compares and tests", .ends(withinMinutes: 5))
struct CompareTests {
  /// What a comparison type does with its targets.
  private static func apply(_ type: String, _ p: (Int, Int), _ relation: Bool, nat: Bool, _ model: inout RegisterModel) {
    switch type {
    case "", ".unc":
      model.setPredicate(p.0, relation && !nat)
      model.setPredicate(p.1, !relation && !nat)
    case ".and":
      if nat || !relation {
        model.setPredicate(p.0, false)
        model.setPredicate(p.1, false)
      }
    case ".andcm":
      // "and" with the complement of the relation.
      if nat || relation {
        model.setPredicate(p.0, false)
        model.setPredicate(p.1, false)
      }
    case ".or", ".orcm":
      if !nat && relation == (type == ".or") {
        model.setPredicate(p.0, true)
        model.setPredicate(p.1, true)
      }
    case ".or.andcm":
      if !nat && relation {
        model.setPredicate(p.0, true)
        model.setPredicate(p.1, false)
      }
    default:
      // and.orcm
      if !nat && !relation {
        model.setPredicate(p.0, false)
        model.setPredicate(p.1, true)
      }
    }
  }

  private static func instruction(
    _ text: String, _ type: String, _ p: (Int, Int), _ sources: [Int], _ relation: @escaping (RegisterModel) -> Bool
  ) -> ModelledInstruction {
    var result = ModelledInstruction(text: text) { model in
      apply(type, p, relation(model), nat: model.isNaT(sources), &model)
    }
    if type == ".unc" {
      result.otherwise = { model in
        model.setPredicate(p.0, false)
        model.setPredicate(p.1, false)
      }
    }
    return result
  }

  private static let parallelTypes = [".and", ".or", ".or.andcm", ".andcm", ".orcm", ".and.orcm"]
  private static var relations: [(name: String, holds: (UInt64, UInt64) -> Bool)] {
    [
      ("eq", { $0 == $1 }), ("ne", { $0 != $1 }), ("lt", { Int64(bitPattern: $0) < Int64(bitPattern: $1) }),
      ("le", { Int64(bitPattern: $0) <= Int64(bitPattern: $1) }), ("gt", { Int64(bitPattern: $0) > Int64(bitPattern: $1) }),
      ("ge", { Int64(bitPattern: $0) >= Int64(bitPattern: $1) }), ("ltu", { $0 < $1 }), ("leu", { $0 <= $1 }), ("gtu", { $0 > $1 }),
      ("geu", { $0 >= $1 }),
    ]
  }

  /// cmp4 compares the low words, sign-extended: for the unsigned relations that is the same order.
  private static func operand(_ value: UInt64, four: Bool) -> UInt64 {
    four ? UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: value))) : value
  }

  @Test(arguments: ["cmp", "cmp4"]) func registers(_ name: String) throws {
    for (relation, holds) in Self.relations {
      for type in ["", ".unc"] + (relation == "eq" || relation == "ne" ? Self.parallelTypes : []) {
        let full = "\(name).\(relation)\(type)"
        try InstructionRun.check(full) { random in
          // Equal operands are worth a third of the cases.
          let (p, a) = (random.predicates(), random.source())
          let b = random.chance(30) ? a : random.source()
          return Self.instruction("\(full) p\(p.0),p\(p.1)=r\(a),r\(b)", type, p, [a, b]) {
            holds(Self.operand($0.gr[a], four: name == "cmp4"), Self.operand($0.gr[b], four: name == "cmp4"))
          }
        }
      }
    }
  }

  @Test(arguments: ["cmp", "cmp4"]) func withZero(_ name: String) throws {
    for (relation, holds) in Self.relations where ["lt", "le", "gt", "ge"].contains(relation) {
      for type in Self.parallelTypes {
        let full = "\(name).\(relation)\(type)"
        try InstructionRun.check("\(full) zero") { random in
          let (p, b, first) = (random.predicates(), random.source(), random.chance(50))
          return Self.instruction("\(full) p\(p.0),p\(p.1)=\(first ? "r0,r\(b)" : "r\(b),r0")", type, p, [b]) {
            let value = Self.operand($0.gr[b], four: name == "cmp4")
            return first ? holds(0, value) : holds(value, 0)
          }
        }
      }
    }
  }

  @Test(arguments: ["cmp", "cmp4"]) func immediates(_ name: String) throws {
    for (relation, holds) in Self.relations {
      for type in ["", ".unc"] + (relation == "eq" || relation == "ne" ? Self.parallelTypes : []) {
        let full = "\(name).\(relation)\(type)"
        try InstructionRun.check("\(full) imm8") { random in
          let (p, b) = (random.predicates(), random.source())
          // Where the assembler subtracts one, -128 cannot be encoded; unsigned immediates from 1 up are the plain ones.
          let immediate = relation.hasSuffix("u") ? random.number(1...127) : random.number(-127...127)
          return Self.instruction("\(full) p\(p.0),p\(p.1)=\(immediate),r\(b)", type, p, [b]) {
            holds(UInt64(bitPattern: Int64(immediate)), Self.operand($0.gr[b], four: name == "cmp4"))
          }
        }
      }
    }
  }

  @Test func bits() throws {
    for type in ["", ".unc"] + Self.parallelTypes {
      for sense in ["z", "nz"] {
        try InstructionRun.check("tbit.\(sense)\(type)") { random in
          let (p, a, n) = (random.predicates(), random.source(), random.number(0...63))
          return Self.instruction("tbit.\(sense)\(type) p\(p.0),p\(p.1)=r\(a),\(n)", type, p, [a]) {
            ($0.gr[a] >> UInt64(n) & 1 != 0) == (sense == "nz")
          }
        }
        try InstructionRun.check("tnat.\(sense)\(type)") { random in
          let (p, a) = (random.predicates(), random.source())
          return Self.instruction("tnat.\(sense)\(type) p\(p.0),p\(p.1)=r\(a)", type, p, []) { $0.nat[a] == (sense == "nz") }
        }
        // CPUID[4]{63:32}: Montecito has none of the features that tf asks for.
        try InstructionRun.check("tf.\(sense)\(type)") { random in
          let (p, n) = (random.predicates(), random.number(32...63))
          return Self.instruction("tf.\(sense)\(type) p\(p.0),p\(p.1)=\(n)", type, p, []) { _ in sense == "z" }
        }
      }
    }
  }
}
