import Processor

/// Groups that have issued in the same circumstances before: what came of that is looked up, not worked out again.
///
/// A group begins from a ``Configuration``. What memory and branches add to that is looked at, as always; the rest of what happens depends
/// on the configuration and a few bits (``Outcome``) alone.
extension UnsafeMutablePointer where Pointee == PipelineState {
  /// A unit, by the shortest way for its kind.
  @inline(__always)
  func issue(_ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ kind: UnitKind) -> UInt64 {
    guard var from = pointee.configuration else { return issueExactly(group, block, Begun()) }
    var before: UInt32 = 0
    if pointee.looksAround != 0 {
      let looks = pointee.looksAround
      if !kind.isUsual && group.pointee.flags.contains(.first) && !standsAlone(group, block) { return issueRest(group, block) }
      pointee.looksAround = 0
      if resolve(block &+ UInt64(group.pointee.unit.offset)) { before = Outcome.mispredictedBefore }
      if looks & 2 != 0 {
        guard let followed = followFrame(from) else { return issueAnew(group, block, before) }
        from = followed
      }
    }
    if !kind.isUsual {
      guard let more = lookCloser(group, block) else { return issueAnew(group, block, before) }
      before |= more
    }
    if group.pointee.unit.lines != 0 && group.pointee.unit.line != pointee.fetchLine {
      if group.pointee.unit.lineEpoch == pointee.fetchEpoch {
        pointee.fetchLine = group.pointee.unit.line
        bump(.l1iReads)
      } else if !findLine(group, block) {
        return issueAnew(group, block, before)
      }
    }
    let isOpen = kind.isUsual ? kind.isOpen : group.pointee.flags.contains(.open)
    let key = Outcome(bits: isOpen ? before | Outcome.open : before)
    let next: KnownTransition
    if let last = group.pointee.unit.last, last.pointee.isFor(from, group, key) {
      next = last
    } else {
      let first = pointee.memo.place(from, group, key)
      guard first.pointee.isFor(from, group, key) || pointee.memo.bringForward(first, from, group, key) else {
        return meet(from, group, block, before)
      }
      next = first
      UnsafeMutablePointer<IssueGroup>(mutating: group).pointee.unit.last = first
    }
    let t = pointee.now &+ UInt64(next.pointee.wait)
    pointee.now = t
    if isOpen {
      // From here on `next` knows what the unit has begun with: fewer registers of the host are in use.
      var outcome = next.pointee.before
      switch kind.references {
      case .none: break
      case .load: outcome.bits |= load(group, t)
      case .store: outcome.bits |= store(group, t)
      case .floats: outcome.bits |= referToFloats(group, t)
      case .several: outcome.bits |= referToSeveral(group, t)
      // Branches included.
      case .any: outcome.bits |= work(group, block, t).bits
      }
      var isOdd = kind.references != .none && pointee.hold > t
      switch kind.branch {
      case .none, .any: break
      case .plain: outcome.bits |= follow(group, block, t)
      case .loop: outcome.bits |= followLoop(group, block)
      }
      if kind.branch == .loop || kind.branch == .any && group.pointee.flags.contains(.counts) {
        if pointee.loopReady > t &- UInt64(next.pointee.fetchLag) { isOdd = true }
      }
      if isOdd { return goOn(group, block, outcome, next) }
      // Odd references are in no outcome that is known.
      if next.pointee.outcome != outcome {
        if kind.references != .none && outcome.hasOddReference { return goOn(group, block, outcome, next) }
        if !reconsider(next, group, outcome) { return meet(group, block, outcome, next) }
      }
      if kind.branch != .none {
        if next.pointee.after != 0 {
          pointee.levelCycles[Int(Cause.mispredict.rawValue)] &+= UInt64(next.pointee.after)
          pointee.now = t &+ UInt64(next.pointee.after)
        }
        pointee.looksAround = group.pointee.looksAround
      }
    }
    if !kind.isUsual { pointee.looksAround = group.pointee.looksAround }
    pointee.levelCycles[Int(Cause.issue.rawValue)] &+= UInt64(group.pointee.unit.groups)
    if next.pointee.charges[0].cycles != 0 { charge(next) }
    pointee.slots &+= group.pointee.unit.packedSlots
    if group.pointee.unit.groups != 1 { rememberLeads(group, next, t) }
    remember(group, block, t)
    pointee.configuration = next.pointee.to
    return pointee.now
  }

  /// The unit has more groups than one.
  @inline(__always)
  private func rememberLeads(_ group: UnsafePointer<IssueGroup>, _ next: KnownTransition, _ t: UInt64) {
    pointee.lastGroup = group.lastLead
    pointee.previousTime = t &- UInt64(next.pointee.lastWait)
  }

  @inline(__always) private func charge(_ next: KnownTransition) {
    let causes = pointee.levelCycles
    for n in 0..<3 { causes[Int(next.pointee.charges[n].cause)] &+= UInt64(next.pointee.charges[n].cycles) }
  }

  /// The unit's only line of L1I, if it is there. It stays there, and the one used last of its set, as long as the epoch lasts.
  @inline(never) private func findLine(_ group: UnsafePointer<IssueGroup>, _ block: UInt64) -> Bool {
    guard group.pointee.unit.lines == 1, hasLine(group.pointee.unit.line, block &+ UInt64(group.pointee.unit.offset)) else {
      return false
    }
    UnsafeMutablePointer<IssueGroup>(mutating: group).pointee.unit.lineEpoch = pointee.fetchEpoch
    return true
  }

  /// Predicates and multimedia operands, as an ``Outcome`` has them. Nil: this group is not one that is remembered.
  @inline(never)
  private func lookCloser(_ group: UnsafePointer<IssueGroup>, _ block: UInt64) -> UInt32? {
    let flags = group.pointee.flags
    guard flags.contains(.kept), !flags.contains(.first) || standsAlone(group, block) else { return nil }
    let pr = pointee.state.pr
    var names = group.pointee.predicateNames
    var bits: UInt32 = 0
    for n in 0..<UInt32(group.pointee.predicates) {
      bits |= UInt32(pr[Int(truncatingIfNeeded: names & 0xFF)]) &<< n
      names &>>= 8
    }
    if flags.contains(.multimedia) {
      let ready = group.pointee.unit.groups == 1 ? multimediaOperands(group) : multimediaOperandsBefore(group)
      if ready > pointee.now { bits |= UInt32(truncatingIfNeeded: ready &- pointee.now) &<< Outcome.multimediaShift }
    }
    return bits
  }

  /// The group has another outcome than the last time. False: one that is not known.
  @inline(never)
  private func reconsider(_ next: KnownTransition, _ group: UnsafePointer<IssueGroup>, _ outcome: Outcome) -> Bool {
    guard let from = next.pointee.configuration, let other = pointee.memo.find(from, group, outcome) else { return false }
    next.pointee.outcome = outcome
    next.pointee.to = other.pointee.to
    next.pointee.after = other.pointee.after
    return true
  }

  // MARK: Ways out

  /// This is what was left of the last group.
  @inline(never)
  private func issueRest(_ group: UnsafePointer<IssueGroup>, _ block: UInt64) -> UInt64 {
    leaveConfiguration()
    return issueExactly(group, block, Begun())
  }

  /// This group is worked out, and nothing is learned from that.
  @inline(never)
  private func issueAnew(_ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ before: UInt32) -> UInt64 {
    leaveConfiguration()
    return issueExactly(group, block, Begun(isSettled: true, isMispredicted: before & Outcome.mispredictedBefore != 0))
  }

  /// What this group does in these circumstances is not known yet.
  @inline(never)
  private func meet(_ from: Known, _ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ before: UInt32) -> UInt64 {
    leaveConfiguration()
    return issueExactly(
      group, block,
      Begun(isSettled: true, isMispredicted: before & Outcome.mispredictedBefore != 0, hasLine: true, before: before, from: from))
  }

  /// The same when it has turned out behind its issue, which is as in `next`.
  @inline(never)
  private func meet(_ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ outcome: Outcome, _ next: KnownTransition) -> UInt64 {
    let from = next.pointee.configuration
    pointee.now &-= UInt64(next.pointee.wait)
    leaveConfiguration()
    return issueExactly(
      group, block,
      Begun(
        isSettled: true, isMispredicted: outcome.has(Outcome.mispredictedBefore), hasLine: true, hasOutcome: true, outcome: outcome,
        before: outcome.bits & 0xFFFF, from: from))
  }

  /// A reference or a loop count has taken its own time, which no transition has.
  @inline(never)
  private func goOn(_ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ outcome: Outcome, _ next: KnownTransition) -> UInt64 {
    pointee.now &-= UInt64(next.pointee.wait)
    leaveConfiguration()
    return issueExactly(
      group, block,
      Begun(
        isSettled: true, isMispredicted: outcome.has(Outcome.mispredictedBefore), hasLine: true, hasOutcome: true, outcome: outcome)
    )
  }

  // MARK: Learning

  @inline(__always) func keepCauses() {
    pointee.causesBefore.update(from: pointee.levelCycles, count: Cause.stride)
  }

  /// A group has been worked out: what it led to is remembered, and the next one may go on from there.
  @inline(never)
  func learn(
    _ group: UnsafePointer<IssueGroup>, _ begun: Begun, _ outcome: Outcome, _ times: Times
  ) {
    if pointee.memo.pause > 0 {
      pointee.memo.pause &-= 1
      return
    }
    if pointee.memo.isFull {
      pointee.memo.empty()
      return
    }
    guard let to = configurationOfNow() else { return }
    if let from = begun.from, !outcome.hasOddReference {
      pause()
      keep(group, begun, outcome, from, to, times)
    }
    pointee.configuration = to
    pointee.memo.capturedAt = pointee.now
    pointee.looksAround = group.pointee.looksAround
  }

  /// Where few groups are known there is no use in learning them all: code that runs once.
  private func pause() {
    if pointee.now &- pointee.memo.lastStranger > 64 { pointee.memo.strangers = 0 }
    pointee.memo.lastStranger = pointee.now
    pointee.memo.strangers &+= 1
    if pointee.memo.strangers > 24 {
      pointee.memo.strangers = 16
      pointee.memo.pause = 32
    }
  }

  private func keep(
    _ group: UnsafePointer<IssueGroup>, _ begun: Begun, _ outcome: Outcome, _ from: Known, _ to: Known, _ times: Times
  ) {
    let after = pointee.now &- times.issued
    let wait = times.issued &- times.before
    let lastWait = times.issued &- times.last
    guard wait < 1 << 32, after < 1 << 16, lastWait < 1 << 16, times.fetchLag < 1 << 16 else { return }
    // Fetching has waited for a loop count, which is none of the outcome.
    if group.pointee.flags.contains(.counts) && pointee.loopReady > times.issued &- times.fetchLag { return }
    let key = Outcome(bits: begun.before | outcome.bits)
    var transition = Transition(
      from: UInt(bitPattern: from), group: UInt(bitPattern: group), key: key, outcome: key, to: to, wait: UInt32(wait),
      after: UInt16(after),
      fetchLag: UInt16(times.fetchLag), lastWait: UInt16(lastWait))
    var charged = 0
    for cause in Cause.allCases {
      var cycles = pointee.levelCycles[Int(cause.rawValue)] &- pointee.causesBefore[Int(cause.rawValue)]
      if cause == .mispredict { cycles &-= after }
      if cause == .issue || cycles == 0 { continue }
      guard charged < 3, cycles < 1 << 16 else { return }
      transition.charges[charged] = Transition.Charge(cycles: UInt16(cycles), cause: cause.rawValue)
      charged += 1
    }
    pointee.memo.keep(transition, pointee.memo.place(from, group, key))
    guard group.pointee.flags.contains(.open) else { return }
    transition.key = Outcome(bits: begun.before | Outcome.open)
    pointee.memo.keep(transition, pointee.memo.place(from, group, transition.key))
  }
}
