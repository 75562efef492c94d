/// Fixed bits of an encoding.
struct BitPattern: Sendable {
  private(set) var mask: UInt64
  private(set) var value: UInt64

  /// Bits 40:37.
  init(major: Int) {
    mask = 0xf << 37
    value = UInt64(major) << 37
  }

  /// Adds a field of fixed value.
  func set(_ field: Int, at shift: Int, width: Int = 1) -> BitPattern {
    var result = self
    result.mask |= ((1 << UInt64(width)) - 1) << UInt64(shift)
    result.value |= UInt64(field) << UInt64(shift)
    return result
  }
}

/// Collects the rows of the instruction table.
struct TableBuilder {
  private struct Draft {
    var mnemonic: String
    var format: Format
    var pattern: BitPattern
    var operation: Operation
    var attributes: Attributes
    var operands: [OperandKind]
    var outputs: Int
    var role: InstructionRow.Role
    var constraint: InstructionRow.Constraint
    var immediate: OperandKind?
  }

  private var drafts: [Draft] = []

  init() { drafts.reserveCapacity(4096) }

  /// Adds an instruction. `immediate` names the operand for ``Instruction/immediate`` where it is not written.
  mutating func add(
    _ mnemonic: String, _ format: Format, _ pattern: BitPattern, _ operation: Operation,
    _ operands: [OperandKind], outputs: Int = 1, _ attributes: Attributes = Attributes(),
    immediate: OperandKind? = nil, role: InstructionRow.Role = .instruction
  ) {
    drafts.append(
      Draft(
        mnemonic: mnemonic, format: format, pattern: pattern, operation: operation, attributes: attributes,
        operands: operands, outputs: outputs, role: role, constraint: .none, immediate: immediate))
  }

  /// Adds another name for an encoding; operation and attributes come from the instruction it stands for.
  mutating func pseudo(
    _ mnemonic: String, _ format: Format, _ pattern: BitPattern, _ operands: [OperandKind], outputs: Int = 1,
    constraint: InstructionRow.Constraint = .none
  ) {
    drafts.append(
      Draft(
        mnemonic: mnemonic, format: format, pattern: pattern, operation: .reserved, attributes: Attributes(),
        operands: operands, outputs: outputs, role: .pseudo, constraint: constraint, immediate: nil))
  }

  /// Finishes the table: resolves pseudo rows and picks the decoder's immediates.
  func build() -> [InstructionRow] {
    var instructions: [UInt64: [Int]] = [:]
    for (index, draft) in drafts.enumerated() where draft.role == .instruction {
      instructions[key(draft), default: []].append(index)
    }
    return drafts.map { draft in
      var source = draft
      if draft.role == .pseudo {
        let candidates = instructions[key(draft)] ?? []
        let base = candidates.first {
          let pattern = drafts[$0].pattern
          return pattern.mask & ~draft.pattern.mask == 0 && draft.pattern.value & pattern.mask == pattern.value
        }
        if let base { source = drafts[base] }
      }
      return row(draft, meaning: source)
    }
  }

  private func key(_ draft: Draft) -> UInt64 {
    UInt64(draft.format.type.rawValue) << 8 | draft.pattern.value >> 37
  }

  private func row(_ draft: Draft, meaning: Draft) -> InstructionRow {
    let length = meaning.operands.first { $0 == .len4 || $0 == .len6 }
    // Deposits of a constant and the rare instructions with two immediates: the later one in the assembler's order
    // is the position, mask or count that ``Instruction/immediate`` documents.
    let values = meaning.operands.filter { $0.isImmediate && $0 != .len4 && $0 != .len6 }
    var first = meaning.immediate
    var second: OperandKind?
    for operand in values {
      if operand.isSecondary || (length != nil && !operand.isPosition) {
        second = operand
      } else if first == nil {
        first = operand
      }
    }
    return InstructionRow(
      mnemonic: draft.mnemonic, format: draft.format, mask: draft.pattern.mask, value: draft.pattern.value,
      operation: meaning.operation, attributes: meaning.attributes, operands: draft.operands, outputs: draft.outputs,
      role: draft.role, constraint: draft.constraint, immediate: first, immediate2: second ?? length, length: length)
  }
}

extension OperandKind {
  /// The operand is a number that the decoder extracts.
  var isImmediate: Bool {
    switch self {
    case .eight, .sixteen: return true
    case .sof, .sol, .sor, .relaxation: return false
    default: return rawValue >= OperandKind.ccnt5.rawValue
    }
  }

  /// The operand goes to ``Instruction/immediate2``.
  var isSecondary: Bool {
    switch self {
    case .cnt2a, .cnt2b, .cnt2c, .cnt5, .ccnt5, .cnt6, .muxByteType, .muxHalfType, .omask7, .lfetchStride, .tag13:
      return true
    default: return false
    }
  }

  /// The operand is the position of a bit field.
  var isPosition: Bool {
    switch self {
    case .cpos6a, .cpos6b, .cpos6c, .pos6: return true
    default: return false
    }
  }
}

extension Attributes {
  /// Attributes by name; everything not mentioned is the default.
  init(
    size: UInt8 = 0, access: Access = .normal, update: Update = .none, relation: Relation = .none,
    comparison: Comparison = .normal, saturation: Saturation = .modulo, variant: Variant = .none,
    floatFormat: FloatFormat = .none, precision: Precision = .dynamic, indirect: IndirectFile = .none,
    flags: InstructionFlags = []
  ) {
    self.init()
    self.size = size
    self.access = access
    self.update = update
    self.relation = relation
    self.comparison = comparison
    self.saturation = saturation
    self.variant = variant
    self.floatFormat = floatFormat
    self.precision = precision
    self.indirect = indirect
    self.flags = flags
  }

  /// A copy with more flags.
  func with(_ more: InstructionFlags) -> Attributes {
    var result = self
    result.flags.formUnion(more)
    return result
  }
}
