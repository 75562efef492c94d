/// One row of the instruction table: an encoding, what it means and how it is written.
public struct InstructionRow: Sendable {
  /// Name with all completers, as GNU's tools print it.
  public let mnemonic: String
  public let format: Format
  /// Bits that are fixed in this row, and their values.
  public let mask: UInt64
  public let value: UInt64
  public private(set) var operation: Operation
  public private(set) var attributes: Attributes
  /// Operands in the assembler's order.
  public let operands: [OperandKind]
  /// How many of the operands stand before the `=`.
  public let outputs: Int
  public let role: Role
  public let constraint: Constraint
  /// Operand that the decoder puts into ``Instruction/immediate`` and ``Instruction/immediate2``, and the length.
  private(set) var immediate: OperandKind?
  private(set) var immediate2: OperandKind?
  private(set) var length: OperandKind?

  init(
    mnemonic: String, format: Format, mask: UInt64, value: UInt64, operation: Operation, attributes: Attributes,
    operands: [OperandKind], outputs: Int, role: Role, constraint: Constraint, immediate: OperandKind?,
    immediate2: OperandKind?, length: OperandKind?
  ) {
    self.mnemonic = mnemonic
    self.format = format
    self.mask = mask
    self.value = value
    self.operation = operation
    self.attributes = attributes
    self.operands = operands
    self.outputs = outputs
    self.role = role
    self.constraint = constraint
    self.immediate = immediate
    self.immediate2 = immediate2
    self.length = length
  }

  /// Another name means what `row` means.
  mutating func adopt(_ row: InstructionRow) {
    operation = row.operation
    attributes = row.attributes
    immediate = row.immediate
    immediate2 = row.immediate2
    length = row.length
  }

  /// What a row is for.
  public enum Role: UInt8, Sendable {
    /// An instruction of the manual: the decoder and the disassembler use it.
    case instruction
    /// Another name for an encoding that an `instruction` row decodes (pseudo-ops, default completers). The
    /// disassembler prints it if it comes first in the table.
    case pseudo
    /// An encoding that executes but that GNU's disassembler does not know.
    case unprinted
  }

  /// Relation between operand fields that mask and value cannot express.
  public enum Constraint: UInt8, Sendable {
    case none
    /// The fields f2 and f3 are equal.
    case sameF2F3
    /// The length is 64 minus the position: a shift written as a bit field operation.
    case lengthCompletesPosition
  }

  /// Whether the fixed bits and the constraint of the row hold for an encoding.
  public func matches(_ slot: UInt64) -> Bool {
    slot & mask == value && satisfiesConstraint(slot)
  }

  /// Whether the constraint alone holds.
  func satisfiesConstraint(_ slot: UInt64) -> Bool {
    switch constraint {
    case .none: return true
    case .sameF2F3: return (slot >> 13 ^ slot >> 20) & 0x7f == 0
    case .lengthCompletesPosition:
      guard let position = operands.last else { return false }
      let length = OperandExtractor.shared.value(.len6, slot: slot, long: 0)
      return length == 64 - OperandExtractor.shared.value(position, slot: slot, long: 0)
    }
  }
}
