/// What a data reference wants, in the terms the checks and ISR need.
struct DataAccess {
  /// ISR.r, ISR.w, ISR.na, ISR.sp, ISR.rs and the non-access code, as they go into ISR on a fault.
  var isr: UInt64
  var reads: Bool
  var writes: Bool
  var privilege: UInt64
  /// PSR.dt, or PSR.rt for the register stack engine.
  var translate: Bool
  /// Control-speculative: failures may be deferred.
  var speculative = false
  /// Non-access references look but do not touch: no access, dirty or debug check.
  var checksAccessBits = true
  /// tpa, and fc at every privilege level, ignore protection keys (Volume 3, tlb_translate_nonaccess; fc).
  var checksKeys = true
  /// tpa, and fc at privilege level 0, ignore access rights.
  var checksRights = true
  /// Regular probes report missing rights in `translated.permitted` instead of faulting.
  var faultsOnRights = true

  /// Non-access codes of ISR.code{3:0} (Volume 2, table 8-1).
  enum NonAccess {
    static let tpa: UInt64 = 0
    static let fc: UInt64 = 1
    static let probe: UInt64 = 2
    static let tak: UInt64 = 3
    static let lfetch: UInt64 = 4
    static let probeFault: UInt64 = 5
  }
}

/// What became of a translation attempt.
enum TranslationOutcome {
  case done
  /// `state.pointee.fault` says why.
  case fault
  /// A speculative reference whose fault is deferred: the target becomes NaT.
  case deferred
}
