import Processor

/// What is remembered of a branch: its last outcomes, and for each pattern of them a two-bit counter of what came next.
struct History {
  var site: UInt64 = 0
  var pattern: UInt8 = 0
  /// Sixteen counters of two bits; the upper one predicts "taken".
  var counters: UInt32 = 0
  /// Where it last led, a bundle's address; 1: nowhere yet.
  var target: UInt64 = 1
}

/// The branches of a group that has issued, until the next group's address tells what they did.
struct PendingBranches {
  var group: UnsafePointer<IssueGroup>?
  /// What is remembered of the group's only branch.
  var history: UnsafeMutablePointer<History>?
  /// Address that the group's displacements count from.
  var block: UInt64 = 0
  /// Where it goes on if no branch is taken, and where the front end has gone on.
  var fallThrough: UInt64 = 0
  var predicted: UInt64 = 0
  /// A branch through a register that was written too late for the front end.
  var registerIsLate = false
  var time: UInt64 = 0
}

extension UnsafeMutablePointer where Pointee == PipelineState {
  // MARK: IPG: where to go on

  /// Where the front end goes on behind a group with branches, and what that costs it.
  @inline(never)
  func predict(_ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ time: UInt64) {
    let next = block &+ UInt64(group.pointee.fallThrough)
    let fallThrough = next & ~0xF
    let b = group.branches
    guard group.pointee.branches == 1 else { return predictOther(group, block, time) }
    switch b.pointee.kind {
    case .conditional, .call: break
    case .cloop, .ctop, .cexit: return followLoop(b, next, block)
    case .returns, .indirect, .indirectCall, .wtop, .wexit: return predictOther(group, block, time)
    }
    // The usual case: one branch, relative to IP.
    let history = site(next, b)
    let target = block &+ UInt64(bitPattern: b.pointee.displacement)
    let expected = predictsTaken(b, history)
    if expected {
      pointee.fetchCause = .fetchBranch
      pointee.fetched &+= history.pointee.target == target ? pointee.costs.takenBubble : pointee.costs.recomputedTargetBubble
    }
    if b.pointee.isDecided {
      let taken = pointee.state.pr[Int(b.pointee.predicate)] != 0
      bump(.executed, b.pointee.kind)
      learn(history, taken, target)
      if taken { count(b.pointee.kind, fallThrough) }
      if taken != expected { late(b.pointee.kind, taken, expected ? target : fallThrough, fallThrough, time) }
      return
    }
    pointee.pending.group = group
    pointee.pending.history = history
    pointee.pending.fallThrough = fallThrough
    pointee.pending.predicted = expected ? target : fallThrough
    pointee.pending.registerIsLate = false
    pointee.pending.time = time
  }

  /// A counted loop: the front end knows LC and EC and is never wrong. It waits for them if they were written late.
  @inline(__always)
  private func followLoop(_ b: UnsafePointer<Branch>, _ next: UInt64, _ block: UInt64) {
    waitForLoopCount()
    bump(.executed, b.pointee.kind)
    guard loops(b.pointee.kind) else { return }
    bump(.taken, b.pointee.kind)
    let target = block &+ UInt64(bitPattern: b.pointee.displacement)
    let history = site(next, b)
    pointee.fetchCause = .fetchBranch
    pointee.fetched &+= history.pointee.target == target ? pointee.costs.takenBubble : pointee.costs.recomputedTargetBubble
    history.pointee.target = target
  }

  @inline(__always) private func waitForLoopCount() {
    let ready = pointee.loopWritten &+ pointee.costs.loopAhead
    if ready > pointee.fetched && pointee.loopWritten != 0 {
      pointee.fetched = ready
      pointee.fetchCause = .fetchLoop
    }
  }

  /// Branches through registers, while loops, and several branches in a group.
  @inline(never)
  private func predictOther(
    _ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ time: UInt64
  ) {
    let next = block &+ UInt64(group.pointee.fallThrough)
    let fallThrough = next & ~0xF
    let branches = group.branches
    pointee.pending.predicted = fallThrough
    pointee.pending.registerIsLate = false
    if group.pointee.branches == 1 {
      let history = site(next, branches)
      _ = predict(branches, history, block, time)
      if branches.pointee.isDecided { return decide(branches, history, block, fallThrough, time) }
      pointee.pending.history = history
    } else {
      pointee.pending.history = nil
      for n in 0..<Int(group.pointee.branches) where predict(branches + n, site(next, branches + n), block, time) { break }
    }
    pointee.pending.group = group
    pointee.pending.block = block
    pointee.pending.fallThrough = fallThrough
    pointee.pending.time = time
  }

  /// A misprediction that is known when its group issues: the clock moves on to the cycle before the right path.
  @inline(never)
  private func late(
    _ kind: Branch.Kind, _ taken: Bool, _ predicted: UInt64, _ fallThrough: UInt64, _ time: UInt64
  ) {
    pointee.pending.predicted = predicted
    pointee.pending.fallThrough = fallThrough
    pointee.pending.time = time
    pointee.now = mispredicted(kind, taken, time &+ 1) &- 1
  }

  /// The group's only branch, whose outcome is known already: there is no need to wait for the next group.
  @inline(__always)
  private func decide(
    _ b: UnsafePointer<Branch>, _ history: UnsafeMutablePointer<History>, _ block: UInt64, _ fallThrough: UInt64, _ time: UInt64
  ) {
    var address = fallThrough
    var taken: Bool
    switch b.pointee.kind {
    case .conditional, .call:
      taken = pointee.state.pr[Int(b.pointee.predicate)] != 0
      if taken { address = block &+ UInt64(bitPattern: b.pointee.displacement) }
    case .cloop, .ctop, .cexit:
      taken = loops(b.pointee.kind)
      if taken { address = block &+ UInt64(bitPattern: b.pointee.displacement) }
    case .wtop, .wexit:
      taken = pointee.state.pr[Int(b.pointee.predicate)] != 0 || pointee.state.ar[66] > 1
      if b.pointee.kind == .wexit { taken.toggle() }
      if taken { address = block &+ UInt64(bitPattern: b.pointee.displacement) }
    case .returns, .indirect, .indirectCall:
      taken = pointee.state.pr[Int(b.pointee.predicate)] != 0
      if taken { address = pointee.state.br[Int(b.pointee.register)] & ~0xF }
    }
    bump(.executed, b.pointee.kind)
    learn(history, taken, address)
    if taken { count(b.pointee.kind, fallThrough) }
    if pointee.pending.predicted == address && !pointee.pending.registerIsLate { return }
    late(b.pointee.kind, taken, pointee.pending.predicted, fallThrough, time)
  }

  /// A branch is taken; a call leaves where it returns to.
  @inline(__always) private func count(_ kind: Branch.Kind, _ fallThrough: UInt64) {
    bump(.taken, kind)
    if kind == .call || kind == .indirectCall {
      pointee.returnStack[pointee.returnTop] = fallThrough
      pointee.returnTop = pointee.returnTop &+ 1 == pointee.costs.returnStackSize ? 0 : pointee.returnTop &+ 1
    }
  }

  /// One branch; true if the front end takes it.
  @inline(__always)
  private func predict(
    _ b: UnsafePointer<Branch>, _ history: UnsafeMutablePointer<History>, _ block: UInt64, _ time: UInt64
  ) -> Bool {
    switch b.pointee.kind {
    case .conditional, .call, .wtop, .wexit:
      guard predictsTaken(b, history) else { return false }
    case .cloop, .ctop, .cexit:
      waitForLoopCount()
      guard loops(b.pointee.kind) else { return false }
    case .returns:
      guard predictsTaken(b, history) else { return false }
      pointee.returnTop = pointee.returnTop == 0 ? pointee.costs.returnStackSize &- 1 : pointee.returnTop &- 1
      pointee.pending.predicted = pointee.returnStack[pointee.returnTop]
      redirect(pointee.costs.returnBubble)
      return true
    case .indirect, .indirectCall:
      guard predictsTaken(b, history) else { return false }
      pointee.pending.predicted = pointee.state.br[Int(b.pointee.register)] & ~0xF
      pointee.pending.registerIsLate = pointee.branchWritten[Int(b.pointee.register)] &+ pointee.costs.branchAhead > time
      redirect(pointee.costs.indirectBubble)
      return true
    }
    let target = block &+ UInt64(bitPattern: b.pointee.displacement)
    pointee.pending.predicted = target
    redirect(
      history.pointee.target == target ? pointee.costs.takenBubble : pointee.costs.recomputedTargetBubble)
    return true
  }

  @inline(__always) private func redirect(_ bubble: UInt64) {
    pointee.fetched &+= bubble
    pointee.fetchCause = .fetchBranch
  }

  @inline(__always) private func predictsTaken(_ b: UnsafePointer<Branch>, _ history: UnsafeMutablePointer<History>) -> Bool {
    if b.pointee.predicate == 0 { return true }
    switch b.pointee.whether {
    case 0: return true
    case 1: return false
    default: return history.pointee.counters &>> (UInt32(history.pointee.pattern) &* 2 &+ 1) & 1 != 0
    }
  }

  /// br.cloop goes on while LC is not 0; br.ctop and br.cexit also while EC is above 1.
  @inline(__always) private func loops(_ kind: Branch.Kind) -> Bool {
    let lc = pointee.state.ar[65]
    if kind == .cloop { return lc != 0 }
    let goesOn = lc != 0 || pointee.state.ar[66] > 1
    return kind == .ctop ? goesOn : !goesOn
  }

  // MARK: DET: what they did

  /// The next group is at `address`: what have the branches done? Returns the first cycle in which that group can issue.
  @inline(never)
  func resolve(_ address: UInt64, _ earliest: UInt64) -> UInt64 {
    guard let group = pointee.pending.group else { return earliest }
    pointee.pending.group = nil
    let fallThrough = pointee.pending.fallThrough
    let branches = group.branches
    var kind: Branch.Kind? = nil
    if let history = pointee.pending.history {
      let taken = address != fallThrough
      bump(.executed, branches.pointee.kind)
      learn(history, taken, address)
      if taken { kind = branches.pointee.kind }
    } else {
      kind = resolveSeveral(group, branches, address)
    }
    if let kind { count(kind, fallThrough) }
    if pointee.pending.predicted == address && !pointee.pending.registerIsLate { return earliest }
    return mispredicted(kind ?? branches.pointee.kind, kind != nil, earliest)
  }

  /// Several branches in a group: the one that was taken is the first that leads to where we are, or, through a register, anywhere else.
  @inline(never)
  private func resolveSeveral(
    _ group: UnsafePointer<IssueGroup>, _ branches: UnsafePointer<Branch>, _ address: UInt64
  ) -> Branch.Kind? {
    let fallThrough = pointee.pending.block &+ UInt64(group.pointee.fallThrough)
    for n in 0..<Int(group.pointee.branches) {
      let b = branches + n
      let taken: Bool
      switch b.pointee.kind {
      case .indirect, .indirectCall, .returns: taken = address != fallThrough & ~0xF
      default:
        taken = address != fallThrough & ~0xF && pointee.pending.block &+ UInt64(bitPattern: b.pointee.displacement) == address
      }
      bump(.executed, b.pointee.kind)
      learn(site(fallThrough, b), taken, address)
      if taken { return b.pointee.kind }
    }
    return nil
  }

  /// Returns the first cycle in which the right path can issue; the cycles from `earliest` on are charged.
  @inline(never)
  private func mispredicted(
    _ kind: Branch.Kind, _ taken: Bool, _ earliest: UInt64
  ) -> UInt64 {
    if taken { bump(pointee.pending.predicted != pointee.pending.fallThrough ? .mispredictTarget : .mispredictTaken) }
    bump(.mispredicted, kind)
    let resume = pointee.pending.time &+ 1 &+ pointee.costs.mispredict
    pointee.fetched = resume &- 1
    guard resume > earliest else { return earliest }
    pointee.levelCycles[Int(Cause.mispredict.rawValue)] &+= resume &- earliest
    return resume
  }

  // MARK: Histories

  /// What is remembered of a branch, named by its bundle and slot.
  @inline(__always)
  private func site(_ fallThrough: UInt64, _ b: UnsafePointer<Branch>) -> UnsafeMutablePointer<History> {
    let name = fallThrough &>> 4 &* 4 &+ UInt64(b.pointee.slot) &+ 1
    let hash = (name &* 0x9E37_79B9_7F4A_7C15) &>> 32
    let history = pointee.histories + Int(truncatingIfNeeded: (hash &* pointee.historyCount) &>> 32)
    if history.pointee.site != name { begin(history, name, b.pointee.whether) }
    return history
  }

  /// .dptk begins with "taken", .dpnt with "not taken".
  @inline(never) private func begin(_ history: UnsafeMutablePointer<History>, _ name: UInt64, _ whether: UInt8) {
    history.pointee = History(site: name, counters: whether & 1 == 0 ? 0xAAAA_AAAA : 0x5555_5555)
  }

  @inline(__always) private func learn(_ history: UnsafeMutablePointer<History>, _ taken: Bool, _ address: UInt64) {
    let h = UInt32(history.pointee.pattern) &* 2
    let counter = history.pointee.counters &>> h & 3
    let bit: UInt8 = taken ? 1 : 0
    history.pointee.pattern = (history.pointee.pattern &<< 1 | bit) & ((1 &<< pointee.costs.historyBits) &- 1)
    if taken {
      if counter != 3 { history.pointee.counters &+= 1 &<< h }
      history.pointee.target = address
    } else if counter != 0 {
      history.pointee.counters &-= 1 &<< h
    }
  }
}
