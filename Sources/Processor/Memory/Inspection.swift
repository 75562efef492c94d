extension LogicalProcessor {
  /// The physical address of a virtual one, as far as the TLBs have it: for reports. Nothing changes.
  public func inspectedPhysical(_ address: UInt64) -> UInt64? {
    if state.pointee.psr & PSR.dt == 0 { return address & Implementation.physicalMask }
    let found = dataTLB.lookup(offset(address), rid(address)) ?? instructionTLB.lookup(offset(address), rid(address))
    guard let page = found?.pointee, page.present else { return nil }
    return page.physical & ~page.mask | address & page.mask
  }

  /// The stacked register that lies `distance` registers below the current frame's first one, if the register file still has it:
  /// 1 is the last register of the caller's locals.
  public func inspectedStacked(_ distance: Int) -> UInt64? {
    guard distance >= 1, distance <= state.pointee.dirty + state.pointee.clean else { return nil }
    return state.pointee.stackedFile[((state.pointee.bottomOfFrame - distance) % 96 + 96) % 96]
  }
}
