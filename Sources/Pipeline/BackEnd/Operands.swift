import Processor

/// EXE: the scoreboard. A group waits as a whole until the last operand of any of its instructions is there.
extension UnsafeMutablePointer where Pointee == PipelineState {
  /// Returns the cycle in which all operands are there; charges the wait to the kind of the last one.
  @inline(never)
  func waitForOperands(
    _ group: UnsafePointer<IssueGroup>, _ earliest: UInt64, _ causes: UnsafeMutablePointer<UInt64>
  ) -> UInt64 {
    var t = earliest
    // Everything that is ready long enough is below this, whoever consumes it.
    let threshold = (earliest &- Swift.min(earliest, pointee.slack)) &<< 8
    let scoreboard = pointee.scoreboard
    let s = pointee.state
    var recent = false
    var use = group.uses
    let stacked = Int(group.pointee.stackedUses)
    let rotating = Int(group.pointee.rotatingUses)
    var last = use + (Int(group.pointee.uses) &- stacked &- rotating &- Int(group.pointee.predicateUses))
    while use < last {
      let entry = scoreboard[Int(use.pointee.code)]
      look(entry, use, threshold, &t, &recent, causes)
      use += 1
    }
    last += stacked
    if s.pointee.rrbGR == 0 {
      // As index(_:) has it, with the frame at hand.
      let frame = s.pointee.bottomOfFrame
      while use < last {
        let n = Int(use.pointee.code) &+ frame
        let entry = scoreboard[n < 128 ? n : n &- 96]
        look(entry, use, threshold, &t, &recent, causes)
        use += 1
      }
    } else {
      while use < last {
        let entry = scoreboard[index(use.pointee.code)]
        look(entry, use, threshold, &t, &recent, causes)
        use += 1
      }
    }
    last += rotating
    let rotation = s.pointee.rrbFR
    while use < last {
      let n = Int(use.pointee.code) &+ rotation
      let entry = scoreboard[n < 256 ? n : n &- 96]
      look(entry, use, threshold, &t, &recent, causes)
      use += 1
    }
    if !recent && frameName == pointee.lateFrame {
      // What this group uses has been ready long enough for everybody.
      pointee.lateLow &= ~group.pointee.generalLow
      pointee.lateHigh &= ~group.pointee.generalHigh
    }
    if pointee.predicatesUntil > t { t = waitForPredicates(group, t, causes) }
    if group.pointee.flags.contains(.multimedia) || group.pointee.flags.contains(.float) { t = waitForMore(group, t, causes) }
    return t
  }

  /// One operand.
  @inline(__always)
  private func look(
    _ entry: UInt64, _ use: UnsafePointer<Use>, _ threshold: UInt64, _ t: inout UInt64, _ recent: inout Bool,
    _ causes: UnsafeMutablePointer<UInt64>
  ) {
    guard entry > threshold else { return }
    recent = true
    if ready(entry, use) > t { t = wait(entry, use, t, causes) }
  }

  /// Predicates that a floating-point compare or an approximation sets; all others are there in time.
  @inline(never)
  private func waitForPredicates(
    _ group: UnsafePointer<IssueGroup>, _ earliest: UInt64, _ causes: UnsafeMutablePointer<UInt64>
  ) -> UInt64 {
    var t = earliest
    for n in Int(group.pointee.uses &- group.pointee.predicateUses)..<Int(group.pointee.uses) {
      t = wait(pointee.scoreboard[index(group.uses[n].code)], group.uses + n, t, causes)
    }
    return t
  }

  /// When a consumer can have the result of a scoreboard entry.
  @inline(__always) private func ready(_ entry: UInt64, _ use: UnsafePointer<Use>) -> UInt64 {
    let kind = Int(truncatingIfNeeded: entry & 0xF) &* 16 &+ Int(use.pointee.consumer.rawValue)
    return entry &>> 8 &+ UInt64(pointee.extra[kind])
  }

  /// An operand that is not ready, unless its instruction is predicated off.
  @inline(never)
  private func wait(
    _ entry: UInt64, _ use: UnsafePointer<Use>, _ t: UInt64, _ causes: UnsafeMutablePointer<UInt64>
  ) -> UInt64 {
    // Instructions that are predicated off wait for nothing.
    guard pointee.state.pr[Int(use.pointee.predicate)] != 0 else { return t }
    let producer = Int(entry & 0xF)
    let ready = ready(entry, use)
    guard ready > t else { return t }
    causes[Int(pointee.operandCauses[producer])] &+= ready &- t
    return ready
  }

  /// FP instructions behind a write of FPSR, and multimedia instructions that read what the last two groups have computed: an ordinary
  /// result reaches them later than others, and is in no scoreboard because nobody else would ever wait for it.
  @inline(never)
  private func waitForMore(
    _ group: UnsafePointer<IssueGroup>, _ earliest: UInt64, _ causes: UnsafeMutablePointer<UInt64>
  ) -> UInt64 {
    var t = earliest
    if group.pointee.flags.contains(.float) && pointee.floatHold > t {
      causes[Int(Cause.system.rawValue)] &+= pointee.floatHold &- t
      t = pointee.floatHold
    }
    guard group.pointee.flags.contains(.multimedia) else { return t }
    pointee.knowsMultimedia = true
    for n in 0..<Int(group.pointee.uses) where group.uses[n].consumer == .multimedia {
      guard pointee.state.pr[Int(group.uses[n].predicate)] != 0 else { continue }
      let code = group.uses[n].code
      let last = computedQuickly(code, pointee.previous) ? pointee.previousTime : 0
      let other = computedQuickly(code, pointee.beforePrevious) ? pointee.beforePreviousTime : 0
      let producer = last > other ? last : other
      let ready = producer == 0 ? 0 : producer &+ pointee.costs.integerToMultimedia
      if ready > t {
        causes[Int(Cause.integer.rawValue)] &+= ready &- t
        t = ready
      }
    }
    return t
  }

  private func computedQuickly(_ code: UInt16, _ group: UnsafePointer<IssueGroup>?) -> Bool {
    guard let group else { return false }
    let results = group.quickResults
    for n in 0..<Int(group.pointee.quickResults) where UInt16(results[n]) == code { return true }
    return false
  }
}
