import Processor

/// What is remembered of a branch: its last outcomes, and for each pattern of them a two-bit counter of what came next.
struct History {
  var site: UInt64 = 0
  var pattern: UInt8 = 0
  var knowsTarget: Bool = false
  /// Sixteen counters of two bits; the upper one predicts "taken".
  var counters: UInt32 = 0
  var target: UInt64 = 0
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
  @inline(never) func predict(_ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ time: UInt64) {
    let fallThrough = block &+ UInt64(group.pointee.fallThrough)
    pointee.pending.group = group
    pointee.pending.block = block
    pointee.pending.fallThrough = fallThrough & ~0xF
    pointee.pending.predicted = fallThrough & ~0xF
    pointee.pending.registerIsLate = false
    pointee.pending.time = time
    if group.pointee.branches == 1 {
      let history = site(fallThrough, group.branches)
      pointee.pending.history = history
      _ = predict(group.branches, history, block, time)
      return
    }
    pointee.pending.history = nil
    for n in 0..<Int(group.pointee.branches) {
      let b = group.branches + n
      if predict(b, site(fallThrough, b), block, time) { return }
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
      // The front end follows LC and EC, and waits for them if they are written late.
      if pointee.loopWritten &+ pointee.costs.loopAhead > pointee.fetched && pointee.loopWritten != 0 {
        pointee.fetched = pointee.loopWritten &+ pointee.costs.loopAhead
        pointee.fetchCause = .fetchLoop
      }
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
      history.pointee.knowsTarget && history.pointee.target == target
        ? pointee.costs.takenBubble : pointee.costs.recomputedTargetBubble)
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
  func resolve(
    _ address: UInt64, _ earliest: UInt64, _ causes: UnsafeMutablePointer<UInt64>, _ counts: UnsafeMutablePointer<UInt64>
  ) -> UInt64 {
    guard let group = pointee.pending.group else { return earliest }
    pointee.pending.group = nil
    let fallThrough = pointee.pending.fallThrough
    let branches = group.branches
    var kind: Branch.Kind? = nil
    if let history = pointee.pending.history {
      let taken = address != fallThrough
      counts[Count.branches.rawValue] &+= 1
      learn(history, taken, address)
      if taken { kind = branches.pointee.kind }
    } else {
      kind = resolveSeveral(group, branches, address, counts)
    }
    if let kind {
      counts[Count.taken.rawValue] &+= 1
      if kind == .call || kind == .indirectCall {
        pointee.returnStack[pointee.returnTop] = fallThrough
        pointee.returnTop = pointee.returnTop &+ 1 == pointee.costs.returnStackSize ? 0 : pointee.returnTop &+ 1
      }
    }
    if pointee.pending.predicted == address && !pointee.pending.registerIsLate { return earliest }
    return mispredicted(kind, earliest, causes, counts)
  }

  /// Several branches in a group: the one that was taken is the first that leads to where we are, or, through a register, anywhere else.
  @inline(never)
  private func resolveSeveral(
    _ group: UnsafePointer<IssueGroup>, _ branches: UnsafePointer<Branch>, _ address: UInt64, _ counts: UnsafeMutablePointer<UInt64>
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
      counts[Count.branches.rawValue] &+= 1
      learn(site(fallThrough, b), taken, address)
      if taken { return b.pointee.kind }
    }
    return nil
  }

  @inline(never)
  private func mispredicted(
    _ kind: Branch.Kind?, _ earliest: UInt64, _ causes: UnsafeMutablePointer<UInt64>, _ counts: UnsafeMutablePointer<UInt64>
  ) -> UInt64 {
    let wrongTarget = kind != nil && pointee.pending.predicted != pointee.pending.fallThrough
    if kind == .returns { counts[Count.returnMispredicts.rawValue] &+= 1 }
    counts[(wrongTarget ? Count.mispredictTarget : .mispredictDirection).rawValue] &+= 1
    let resume = pointee.pending.time &+ 1 &+ pointee.costs.mispredict
    pointee.fetched = resume &- 1
    guard resume > earliest else { return earliest }
    causes[Int(Cause.mispredict.rawValue)] &+= resume &- earliest
    return resume
  }

  // MARK: Histories

  /// What is remembered of a branch, named by its bundle and slot.
  @inline(__always)
  private func site(_ fallThrough: UInt64, _ b: UnsafePointer<Branch>) -> UnsafeMutablePointer<History> {
    let name = fallThrough &>> 4 &* 4 &+ UInt64(b.pointee.slot) &+ 1
    let history = pointee.histories + (Int(truncatingIfNeeded: name &* 0x9E37_79B9_7F4A_7C15 &>> 40) & pointee.historyMask)
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
      history.pointee.knowsTarget = true
      history.pointee.target = address
    } else if counter != 0 {
      history.pointee.counters &-= 1 &<< h
    }
  }
}
