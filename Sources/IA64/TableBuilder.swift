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
  private var rows: [InstructionRow] = []
  /// Instructions by format type and major opcode.
  private var instructions = [[Int]](repeating: [], count: InstructionType.allCases.count * 16)
  private var pseudos: [Int] = []

  init() { rows.reserveCapacity(4096) }

  /// Adds an instruction. `immediate` names the operand for ``Instruction/immediate`` where it is not written.
  mutating func add(
    _ mnemonic: String, _ format: Format, _ pattern: BitPattern, _ operation: Operation,
    _ operands: [OperandKind], outputs: Int = 1, _ attributes: Attributes = Attributes(),
    immediate: OperandKind? = nil, role: InstructionRow.Role = .instruction
  ) {
    if role == .instruction { instructions[Self.key(format, pattern.value)].append(rows.count) }
    // Deposits of a constant and the rare instructions with two immediates: the later one in the assembler's order
    // is the position, mask or count that ``Instruction/immediate`` documents.
    let length = operands.first { $0 == .len4 || $0 == .len6 }
    var first = immediate
    var second: OperandKind?
    for operand in operands where operand.isImmediate && operand != .len4 && operand != .len6 {
      if operand.isSecondary || (length != nil && !operand.isPosition) {
        second = operand
      } else if first == nil {
        first = operand
      }
    }
    rows.append(
      InstructionRow(
        mnemonic: mnemonic, format: format, mask: pattern.mask, value: pattern.value, operation: operation,
        attributes: attributes, operands: operands, outputs: outputs, role: role, constraint: .none, immediate: first,
        immediate2: second ?? length, length: length))
  }

  /// Adds another name for an encoding; operation and attributes come from the instruction it stands for.
  mutating func pseudo(
    _ mnemonic: String, _ format: Format, _ pattern: BitPattern, _ operands: [OperandKind], outputs: Int = 1,
    constraint: InstructionRow.Constraint = .none
  ) {
    pseudos.append(rows.count)
    rows.append(
      InstructionRow(
        mnemonic: mnemonic, format: format, mask: pattern.mask, value: pattern.value, operation: .reserved,
        attributes: Attributes(), operands: operands, outputs: outputs, role: .pseudo, constraint: constraint, immediate: nil,
        immediate2: nil, length: nil))
  }

  /// Finishes the table: pseudo rows mean what the instruction means that they stand for.
  consuming func build() -> [InstructionRow] {
    for index in pseudos {
      let mask = rows[index].mask
      let value = rows[index].value
      let base = instructions[Self.key(rows[index].format, value)].first {
        rows[$0].mask & ~mask == 0 && value & rows[$0].mask == rows[$0].value
      }
      if let base { rows[index].adopt(rows[base]) }
    }
    return rows
  }

  private static func key(_ format: Format, _ value: UInt64) -> Int {
    Int(format.type.rawValue) << 4 | Int(value >> 37)
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
