/// How counters count: nothing is done per event. A counter's value is what PMD holds and what its event has happened since then, which
/// somebody else counts anyway; it is brought up to date, *settled*, where what it counts changes, where somebody looks, and where it may
/// have overflown.
struct MonitorContext {
  /// Bit n: counter n counts as things are (PMC0.fr, PMC.plm, PMC.pm, PSR).
  var enabled: UInt16 = 0
  /// A counter may count, if not at this privilege level.
  var isInUse = false
  /// What the source of counter n said when it was settled last.
  var settled = InlineArray<16, UInt64>(repeating: 0)
  /// Changes of PSR.cpl while a counter was in use.
  var levelChanges: UInt64 = 0
}

extension LogicalProcessor {
  /// Bits of PSR that counting depends on (Volume 2, section 7.2.1).
  static let monitoredPSR = PSR.cplMask | PSR.up | PSR.pp

  // MARK: When to settle

  /// Before something changes that counting depends on, or PMD or PMC are looked at. `slots` of the running instruction, which counts as
  /// it was, have retired.
  @inline(never) func settleMonitors(after slots: UInt64 = 0) {
    guard engine.pointee.monitors.isInUse else { return }
    accumulate(after: slots)
    takeOverflows()
  }

  /// Afterwards: which counters count from now on, and when one may overflow.
  @inline(never) func resumeMonitors(after slots: UInt64 = 0) {
    let s = state
    let psr = s.pointee.psr
    var enabled: UInt16 = 0
    var isInUse = false
    if followsModel { notice(.monitorsChange) }
    if s.pmc[0] & PerformanceMonitors.freeze == 0 {
      for n in PerformanceMonitors.counters {
        let control = CounterControl(s.pmc[n])
        guard control.rawValue & 0xF != 0 else { continue }
        isInUse = true
        guard control.counts(at: PSR.cpl(psr)), psr & (control.isPrivileged ? PSR.pp : PSR.up) != 0 else { continue }
        enabled |= 1 << UInt16(n)
        engine.pointee.monitors.settled[n] = source(control, after: slots)
      }
    }
    engine.pointee.monitors.enabled = enabled
    engine.pointee.monitors.isInUse = isInUse
    planOverflow()
  }

  /// `run` comes back: what PMDs hold is what software would read, but an overflow happens when it would have happened anyway, in the
  /// next run; until then it is bit 47 of PMD.
  @inline(never) func showMonitors() { accumulate(after: 0) }

  /// The cycle has come at which a counter may overflow.
  @inline(never) func monitorsAreDue() {
    settleMonitors()
    planOverflow()
  }

  // MARK: Sources

  /// How often a counter's event has happened at the present privilege level.
  private func source(_ control: CounterControl, after slots: UInt64) -> UInt64 {
    if control.threshold == 0 {
      switch control.event {
      case PerformanceEvent.instructionsRetired: return currentInstructions() &+ slots
      case PerformanceEvent.levelChanges: return engine.pointee.monitors.levelChanges
      default: break
      }
    }
    if let timing = engine.pointee.timing, timing.isFollowed {
      return timing.count(timing.context, control.rawValue, Int(PSR.cpl(state.pointee.psr)))
    }
    // Nothing else can exceed a threshold: it happens once in a cycle.
    guard control.threshold == 0 else { return 0 }
    switch control.event {
    case PerformanceEvent.cycles: return currentInstructions() &+ slots
    case PerformanceEvent.cyclesHalted: return state.pointee.idleCycles
    default: return 0
    }
  }

  /// The most by which it can grow in a cycle; 0: it does not.
  private func increment(_ control: CounterControl) -> UInt64 {
    if control.threshold == 0 && control.event == PerformanceEvent.levelChanges { return 1 }
    if let timing = engine.pointee.timing, timing.isFollowed { return timing.increment(timing.context, control.rawValue) }
    guard control.threshold == 0 else { return 0 }
    switch control.event {
    case PerformanceEvent.instructionsRetired, PerformanceEvent.cycles, PerformanceEvent.cyclesHalted: return 1
    default: return 0
    }
  }

  private func accumulate(after slots: UInt64) {
    let enabled = engine.pointee.monitors.enabled
    guard enabled != 0 else { return }
    for n in PerformanceMonitors.counters where enabled >> UInt16(n) & 1 != 0 {
      let now = source(CounterControl(state.pmc[n]), after: slots)
      state.pmd[n] &+= now &- engine.pointee.monitors.settled[n]
      engine.pointee.monitors.settled[n] = now
    }
  }

  // MARK: Overflow (Volume 2, section 7.2.2)

  private func takeOverflows() {
    let s = state
    let enabled = engine.pointee.monitors.enabled
    var overflown: UInt64 = 0
    var interrupts = false
    for n in PerformanceMonitors.counters where enabled >> UInt16(n) & 1 != 0 && s.pmd[n] > PerformanceMonitors.countMask {
      s.pmd[n] &= PerformanceMonitors.countMask
      overflown |= 1 << UInt64(n)
      if CounterControl(s.pmc[n]).interrupts { interrupts = true }
    }
    guard overflown != 0 else { return }
    s.pmc[0] |= overflown
    guard interrupts else { return }
    s.pmc[0] |= PerformanceMonitors.freeze
    engine.pointee.monitors.enabled = 0
    engine.pointee.monitors.isInUse = false
    let pmv = s.cr[CR.pmv]
    // With PMV.m the interrupt is not even pended.
    if pmv & 1 << 16 == 0 { post(vector: UInt8(truncatingIfNeeded: pmv)) }
  }

  /// Finds the earliest cycle at which a counter that interrupts can overflow, at its highest rate.
  private func planOverflow() {
    let s = state
    let enabled = engine.pointee.monitors.enabled
    var distance = UInt64.max
    for n in PerformanceMonitors.counters where enabled >> UInt16(n) & 1 != 0 {
      let control = CounterControl(s.pmc[n])
      guard control.interrupts else { continue }
      let rate = increment(control)
      guard rate != 0 else { continue }
      let left = PerformanceMonitors.countMask + 1 - min(s.pmd[n], PerformanceMonitors.countMask + 1)
      distance = min(distance, (left + rate - 1) / rate)
    }
    let due = distance == .max ? .max : currentCycle &+ distance
    s.pointee.monitorCycle = due
    if due != .max { engine.pointee.limit = 0 }
  }
}
