import Processor

/// EXE: the scoreboard. A group waits as a whole until the last operand of any of its instructions is there.
extension UnsafeMutablePointer where Pointee == PipelineState {
  /// Returns the cycle in which all operands are there; charges the wait to the kind of the last one.
  @inline(__always)
  func waitForOperands(
    _ group: UnsafePointer<IssueGroup>, _ earliest: UInt64, _ causes: UnsafeMutablePointer<UInt64>
  ) -> UInt64 {
    var t = earliest
    let late = pointee.late.fixed & group.pointee.registers.fixed
    if late != 0 {
      var use = group.uses
      let end = use + Int(group.pointee.fixedUses)
      while use < end {
        if late &>> UInt64(use.pointee.bit & 63) & 1 != 0 {
          let (until, isReady) = wait(pointee.scoreboard[Int(use.pointee.code)], use, t, causes)
          t = until
          if isReady { pointee.late.fixed &= ~(1 &<< UInt64(use.pointee.bit & 63)) | LateRegisters.sharedFixed }
        }
        use += 1
      }
    }
    let renamed = pointee.late.stacked & group.pointee.registers.stacked | pointee.late.rotating & group.pointee.registers.rotating
    let more = late & LateRegisters.sharedFixed | renamed
    return more == 0 ? t : waitForMore(group, t, late, causes)
  }

  /// One operand: the cycle in which it is there, or, if its instruction is predicated off, `t`. It is ready if nobody will wait for it.
  @inline(__always)
  private func wait(
    _ entry: UInt64, _ use: UnsafePointer<Use>, _ t: UInt64, _ causes: UnsafeMutablePointer<UInt64>
  ) -> (until: UInt64, isReady: Bool) {
    let kind = Int(truncatingIfNeeded: entry & 0xF0)
    let first = entry &>> 8
    let ready = first &+ UInt64(pointee.extra[kind &+ Int(use.pointee.consumer.rawValue)])
    if ready <= t { return (t, first &+ pointee.slack <= t) }
    guard pointee.state.pr[Int(use.pointee.predicate)] != 0 else { return (t, false) }
    causes[Int(pointee.extra[kind &+ PipelineState.causeOfWait])] &+= ready &- t
    return (ready, false)
  }

  /// Operands whose registers are renamed, and what needs a closer look.
  @inline(never)
  func waitForMore(
    _ group: UnsafePointer<IssueGroup>, _ earliest: UInt64, _ late: UInt64, _ causes: UnsafeMutablePointer<UInt64>
  ) -> UInt64 {
    var t = earliest
    var use = group.uses + Int(group.pointee.fixedUses)
    var end = use + Int(group.pointee.stackedUses)
    let stacked = pointee.late.stacked & group.pointee.registers.stacked
    if stacked != 0 {
      let frame = pointee.state.pointee.bottomOfFrame
      let rotates = pointee.state.pointee.rrbGR != 0
      while use < end {
        if stacked &>> UInt64(use.pointee.bit & 63) & 1 != 0 {
          // As index(_:) has it, with the frame at hand.
          var n = Int(use.pointee.code) &+ frame
          if n >= 128 { n &-= 96 }
          let (until, isReady) = wait(pointee.scoreboard[rotates ? index(use.pointee.code) : n], use, t, causes)
          t = until
          if isReady { pointee.late.stacked &= ~(1 &<< UInt64(use.pointee.bit & 63)) | LateRegisters.sharedRenamed }
        }
        use += 1
      }
    }
    use = end
    end += Int(group.pointee.rotatingUses)
    let rotating = pointee.late.rotating & group.pointee.registers.rotating
    if rotating != 0 {
      let rotation = pointee.state.pointee.rrbFR
      while use < end {
        if rotating &>> UInt64(use.pointee.bit & 63) & 1 != 0 {
          var n = Int(use.pointee.code) &+ rotation
          if n >= 256 { n &-= 96 }
          let (until, isReady) = wait(pointee.scoreboard[n], use, t, causes)
          t = until
          if isReady { pointee.late.rotating &= ~(1 &<< UInt64(use.pointee.bit & 63)) | LateRegisters.sharedRenamed }
        }
        use += 1
      }
    }
    return late & LateRegisters.sharedFixed == 0 ? t : waitForOthers(group, t, causes)
  }

  /// Predicates that a floating-point compare or an approximation sets; all others are there in time.
  @inline(never)
  private func waitForPredicates(
    _ group: UnsafePointer<IssueGroup>, _ earliest: UInt64, _ causes: UnsafeMutablePointer<UInt64>
  ) -> UInt64 {
    var t = earliest
    for n in Int(group.pointee.uses &- group.pointee.predicateUses)..<Int(group.pointee.uses) {
      t = wait(pointee.scoreboard[index(group.uses[n].code)], group.uses + n, t, causes).until
    }
    return t
  }

  /// Predicates, FP instructions behind a write of FPSR, and whether their bits and that of other registers are needed any more.
  @inline(never)
  private func waitForOthers(
    _ group: UnsafePointer<IssueGroup>, _ earliest: UInt64, _ causes: UnsafeMutablePointer<UInt64>
  ) -> UInt64 {
    var t = earliest
    if pointee.predicatesUntil > t { t = waitForPredicates(group, t, causes) }
    if group.pointee.flags.contains(.float) && pointee.floatHold > t {
      causes[Int(Cause.system.rawValue)] &+= pointee.floatHold &- t
      t = pointee.floatHold
    }
    if pointee.othersUntil <= t { pointee.late.fixed &= ~(1 &<< UInt64(LateRegisters.others)) }
    if pointee.predicatesUntil <= t && pointee.floatHold <= t {
      pointee.late.fixed &= ~(1 &<< UInt64(LateRegisters.predicates))
    }
    return t
  }

  @inline(never)
  func waitForMultimedia(
    _ group: UnsafePointer<IssueGroup>, _ earliest: UInt64, _ causes: UnsafeMutablePointer<UInt64>
  ) -> UInt64 {
    let ready = multimediaOperands(group)
    guard ready > earliest else { return earliest }
    causes[Int(Cause.integer.rawValue)] &+= ready &- earliest
    return ready
  }

  /// Multimedia instructions that read what the last two groups have computed: an ordinary result reaches them later than others, and is
  /// in no scoreboard because nobody else would ever wait for it. Returns when the last such operand is there.
  func multimediaOperands(_ group: UnsafePointer<IssueGroup>) -> UInt64 {
    if !group.pointee.hasPredicatedMultimedia {
      if reads(group, pointee.lastGroup) { return pointee.previousTime &+ pointee.costs.integerToMultimedia }
      if reads(group, pointee.beforePrevious) { return pointee.beforePreviousTime &+ pointee.costs.integerToMultimedia }
      return 0
    }
    var last: UInt64 = 0
    for n in 0..<Int(group.pointee.uses) where group.uses[n].consumer == .multimedia {
      guard pointee.state.pr[Int(group.uses[n].predicate)] != 0 else { continue }
      let code = group.uses[n].code
      if computedQuickly(code, pointee.lastGroup) {
        last = Swift.max(last, pointee.previousTime &+ pointee.costs.integerToMultimedia)
      } else if computedQuickly(code, pointee.beforePrevious) {
        last = Swift.max(last, pointee.beforePreviousTime &+ pointee.costs.integerToMultimedia)
      }
    }
    return last
  }

  /// The same for a unit with leaders: what those compute is the unit's own business.
  func multimediaOperandsBefore(_ group: UnsafePointer<IssueGroup>) -> UInt64 {
    guard group.pointee.unit.groups == 2, !reads(group, group.lastLead), reads(group, pointee.lastGroup) else { return 0 }
    return pointee.previousTime &+ pointee.costs.integerToMultimedia
  }

  /// Whether any multimedia operand is a quick result of another group.
  @inline(__always)
  private func reads(_ group: UnsafePointer<IssueGroup>, _ other: UnsafePointer<IssueGroup>?) -> Bool {
    guard let other else { return false }
    return group.pointee.multimediaUses.0 & other.pointee.quickRegisters.0 | group.pointee.multimediaUses.1
      & other.pointee.quickRegisters.1 != 0
  }

  private func computedQuickly(_ code: UInt16, _ group: UnsafePointer<IssueGroup>?) -> Bool {
    guard let group else { return false }
    let results = group.quickResults
    for n in 0..<Int(group.pointee.quickResults) where UInt16(results[n]) == code { return true }
    return false
  }
}
