extension InstructionRow {
  /// How the row writes an encoding that it matches: mnemonic and operands, without predicate and stop.
  ///
  /// - Parameters:
  ///   - slot: the 41 bits of the slot; of the X slot for a long instruction.
  ///   - long: the 41 bits of the L slot of a long instruction.
  ///   - address: address of the bundle.
  ///   - symbol: name for an address; a target that has none is written as a number.
  public func text(
    of slot: UInt64, long: UInt64 = 0, at address: UInt64 = 0, symbol: ((UInt64) -> String?)? = nil
  ) -> String {
    var text = mnemonic
    append(slot: slot, long: long, address: address, symbol: symbol, to: &text)
    return text
  }

  /// Adds the operands to a text.
  func append(slot: UInt64, long: UInt64, address: UInt64, symbol: ((UInt64) -> String?)?, to text: inout String) {
    for (position, operand) in operands.enumerated() {
      text += position == 0 ? " " : position == outputs ? "=" : ","
      let value = OperandExtractor.shared.value(operand, slot: slot, long: long)
      switch OperandKind.syntaxes[Int(operand.rawValue)] {
      case .word(let word): text += word
      case .register(let prefix):
        text += prefix
        text += String(value)
      case .applicationRegister: text += RegisterNames.applicationName(Int(value))
      case .controlRegister: text += RegisterNames.controlName(Int(value))
      case .indirect(let file):
        text += file
        text += "[r\(value)]"
      case .signed, .unsigned: text += String(value)
      case .hexadecimal: text += InstructionRow.hexadecimal(value)
      case .muxType: text += RegisterNames.muxTypes[Int(value)] ?? InstructionRow.hexadecimal(value)
      case .address:
        let target = address &+ UInt64(bitPattern: value)
        text += symbol?(target) ?? InstructionRow.hexadecimal(Int64(bitPattern: target))
      }
    }
  }

  private static func hexadecimal(_ value: Int64) -> String { "0x" + String(UInt64(bitPattern: value), radix: 16) }
}
