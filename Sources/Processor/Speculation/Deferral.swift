/// Which exception conditions of speculative loads become NaTs (Volume 2, section 5.5.5 and table 5-4).
extension LogicalProcessor {
  /// The condition in `fault` has been found. True: the reference ends with that fault. False: the reference is speculative and the
  /// condition is deferred; conditions of lower priority may still fault (section 5.5.5: qualification, deferral, prioritization).
  func stands(_ access: DataAccess, _ bit: UInt64) -> Bool {
    guard access.speculative else { return true }
    if state.pointee.psr & PSR.ic == 0 {
      translated.deferred = true
      return false
    }
    guard let recovers = codePageDefersExceptions() else { return true }
    if recovers {
      if state.cr[CR.dcr] & bit != 0 {
        translated.deferred = true
        return false
      }
      state.pointee.fault.isr |= ISR.ed
    }
    return true
  }

  /// A reference that passed its other checks is misaligned. Deferral needs only the code page's ed bit.
  func unaligned(_ address: UInt64, _ access: DataAccess) -> TranslationOutcome {
    if access.speculative {
      if state.pointee.psr & PSR.ic == 0 { return .deferred }
      guard let recovers = codePageDefersExceptions() else { return .fault }
      if recovers { return .deferred }
    }
    raise(.unalignedReference, isr: access.isr, address: address, itir: false)
    return .fault
  }

  /// ITLB.ed of the page that is executing; false with instruction translation off. nil: that translation has left the TLB while its
  /// code was running from a block, and the miss has been raised.
  private func codePageDefersExceptions() -> Bool? {
    guard state.pointee.psr & PSR.it != 0 else { return false }
    return lookupInstruction(state.pointee.ip &+ engine.pointee.position / 3 &* 16)?.pointee.exceptionDeferral
  }
}
