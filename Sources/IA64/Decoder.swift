/// Turns bits into ``Instruction`` values. Safe to use from any thread; tables are built on first use.
public enum Decoder {
  /// Decodes one slot.
  ///
  /// - Parameters:
  ///   - slot: the 41 bits of the slot; of the X slot for a long instruction.
  ///   - unit: the unit type that the template gives the slot. `.l` and `.x` both mean the long instruction.
  ///   - longSlot: the 41 bits of the L slot of a long instruction.
  /// - Returns: the instruction; for an encoding that is not assigned, ``Operation/reserved`` or
  ///   ``Operation/reservedIfPredicated`` with `row` -1.
  public static func decode(slot: UInt64, unit: SlotUnit, longSlot: UInt64 = 0) -> Instruction {
    let tables = Tables.shared
    let index = tables.tree.find(slot, unit: unit)
    guard index >= 0 else {
      return Instruction(
        operation: ReservedEncodings.operation(slot, unit: unit), unit: unit, row: -1, encoding: slot,
        longEncoding: longSlot)
    }
    let row = tables.rows[index]
    let extractor = tables.extractor
    return Instruction(
      operation: row.operation, attributes: row.attributes, unit: unit, row: index, encoding: slot,
      longEncoding: longSlot,
      immediate: row.hasImmediate ? extractor.value(row.immediate, slot: slot, long: longSlot) : 0,
      immediate2: row.hasImmediate2 ? extractor.value(row.immediate2, slot: slot, long: longSlot) : 0,
      length: row.hasLength
        ? UInt8(truncatingIfNeeded: extractor.value(row.length, slot: slot, long: longSlot)) : 0)
  }

  /// Decodes a slot of a bundle.
  ///
  /// A long instruction is in slot 1 of its bundle; such a bundle has no slot 2, which decodes as
  /// ``Operation/reserved``, as does every slot of a bundle with a reserved template.
  public static func decode(bundle: Bundle, slot index: Int) -> Instruction {
    let template = bundle.template
    let bits = bundle.slot(index)
    guard let unit = template.unit(index) else {
      return Instruction(operation: .reserved, unit: .m, row: -1, encoding: bits)
    }
    guard template.isLong, index != 0 else { return decode(slot: bits, unit: unit) }
    guard index == 1 else { return Instruction(operation: .reserved, unit: .x, row: -1, encoding: bits) }
    return decode(slot: bundle.slot(2), unit: .x, longSlot: bits)
  }
}

/// All that decoding looks at, so that it is asked for once.
private struct Tables {
  let tree = DecodingTable.shared.tree
  let rows = DecodingTable.shared.rows
  let extractor = OperandExtractor.shared

  nonisolated(unsafe) static let shared = Tables()
}
