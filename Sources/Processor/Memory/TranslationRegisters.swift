extension LogicalProcessor {
  /// What a translation register holds, in the four words of the insertion format (Volume 2, figure 4-5): the instruction's operand,
  /// ITIR, IFA, region register. Bit 0 of IFA says whether it holds anything. nil: there is no such register.
  ///
  /// A translation knows its region identifier, not the region through which it was inserted: IFA has one that leads to it now.
  public func translationRegister(_ number: UInt64, instruction: Bool) -> [UInt64]? {
    guard number < UInt64(TLB.registerCount) else { return nil }
    let t = (instruction ? instructionTLB : dataTLB).registers[Int(number)]
    guard t.valid else { return [0, 0, 0, 0] }
    var word: UInt64 = t.physical | UInt64(t.attribute) << 2 | UInt64(t.privilegeLevel) << 7 | UInt64(t.accessRights) << 9
    if t.present { word |= 1 }
    if t.accessed { word |= 1 << 5 }
    if t.dirty { word |= 1 << 6 }
    if t.exceptionDeferral { word |= 1 << 52 }
    let region = (0..<8).first { UInt32(truncatingIfNeeded: state.rr[$0] >> 8) & UInt32(Implementation.ridMask) == t.rid } ?? 0
    return [
      word, UInt64(t.pageShift) << 2 | UInt64(t.key) << 8, UInt64(region) << 61 | t.base | 1,
      UInt64(t.rid) << 8 | UInt64(t.pageShift) << 2,
    ]
  }
}
