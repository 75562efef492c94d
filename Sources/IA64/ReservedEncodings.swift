/// What happens on encodings that no row of the table has (Volume 3, section 4.1 and the shading of the opcode tables).
enum ReservedEncodings {
  /// Whether an unassigned encoding faults always or only if its qualifying predicate is 1.
  ///
  /// Everything but the B-unit looks at the predicate. There the unassigned indirect branches, the unassigned types of
  /// IP-relative branches and the major opcodes from 8 up fault always; what executes as nop is in the table.
  static func operation(_ slot: UInt64, unit: SlotUnit) -> Operation {
    guard unit == .b else { return .reservedIfPredicated }
    let isMiscellaneous = slot >> 37 == 0 && slot >> 32 & 1 == 0
    return isMiscellaneous ? .reservedIfPredicated : .reserved
  }
}
