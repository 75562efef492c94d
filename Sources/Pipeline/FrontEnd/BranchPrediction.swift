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
  var group: UnsafeRawPointer?
  /// Address that the group's displacements count from.
  var block: UInt64 = 0
  /// Where the front end goes on.
  var predicted: UInt64 = 0
  /// A branch through a register that was written too late for the front end.
  var registerIsLate = false
  var time: UInt64 = 0
}

extension UnsafeMutablePointer where Pointee == PipelineState {
  /// Where the front end goes on behind a group with branches, and what that costs it.
  @inline(never) func predict(_ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ time: UInt64) {
    let fallThrough = block &+ UInt64(group.pointee.fallThrough)
    var next = fallThrough
    var late = false
    let branches = tables(of: group).branches
    search: for n in 0..<Int(group.pointee.branches) {
      let b = branches + n
      let target = block &+ UInt64(bitPattern: b.pointee.displacement)
      switch b.pointee.kind {
      case .conditional, .wtop, .wexit:
        let site = site(block, group, b)
        guard predictsTaken(b, site) else { continue }
        next = target
        redirect(knows(site, target) ? pointee.costs.takenBubble : pointee.costs.recomputedTargetBubble)
      case .call:
        let site = site(block, group, b)
        guard predictsTaken(b, site) else { continue }
        next = target
        redirect(knows(site, target) ? pointee.costs.takenBubble : pointee.costs.recomputedTargetBubble)
      case .cloop, .ctop, .cexit:
        // The front end follows LC and EC, and waits for them if they are written late.
        let ready = pointee.loopWritten &+ pointee.costs.loopAhead
        if pointee.loopWritten != 0 && pointee.fetched < ready {
          pointee.fetched = ready
          pointee.fetchCause = .fetchLoop
        }
        guard loops(b.pointee.kind) else { continue }
        next = target
        redirect(
          knows(site(block, group, b), target) ? pointee.costs.takenBubble : pointee.costs.recomputedTargetBubble)
      case .returns:
        guard predictsTaken(b, site(block, group, b)) else { continue }
        let size = pointee.costs.returnStackSize
        pointee.returnTop = pointee.returnTop == 0 ? size &- 1 : pointee.returnTop &- 1
        next = pointee.returnStack[pointee.returnTop]
        redirect(pointee.costs.returnBubble)
      case .indirect, .indirectCall:
        guard predictsTaken(b, site(block, group, b)) else { continue }
        next = pointee.state.br[Int(b.pointee.register)]
        late = pointee.branchWritten[Int(b.pointee.register)] &+ pointee.costs.branchAhead > time
        redirect(pointee.costs.indirectBubble)
      }
      break search
    }
    pointee.pending = PendingBranches(
      group: UnsafeRawPointer(group), block: block, predicted: next & ~0xF, registerIsLate: late, time: time)
  }

  @inline(__always) private func redirect(_ bubble: UInt64) {
    pointee.fetched &+= bubble
    pointee.fetchCause = .fetchBranch
  }

  /// The next group is at `address`: what have the branches done? Returns the first cycle in which that group can issue.
  @inline(never) func resolve(_ address: UInt64, _ earliest: UInt64, _ causes: UnsafeMutablePointer<UInt64>) -> UInt64 {
    let pending = pointee.pending
    pointee.pending.group = nil
    guard let raw = pending.group else { return earliest }
    let group = raw.assumingMemoryBound(to: IssueGroup.self)
    let fallThrough = pending.block &+ UInt64(group.pointee.fallThrough)
    let branches = tables(of: group).branches
    let count = Int(group.pointee.branches)
    // The branch that was taken: the first that leads to where we are, or, through a register, anywhere else.
    var taken = -1
    if address != fallThrough {
      for n in 0..<count {
        let b = branches + n
        let direct = pending.block &+ UInt64(bitPattern: b.pointee.displacement)
        switch b.pointee.kind {
        case .indirect, .indirectCall, .returns: taken = n
        default: if direct == address { taken = n }
        }
        if taken >= 0 { break }
      }
    }
    bump(.branches, UInt64(taken < 0 ? count : taken &+ 1))
    if taken >= 0 { bump(.taken) }
    for n in 0..<(taken < 0 ? count : taken &+ 1) { learn(branches + n, group, pending.block, n == taken, address) }
    if taken >= 0 && (branches[taken].kind == .call || branches[taken].kind == .indirectCall) {
      pointee.returnStack[pointee.returnTop] = fallThrough & ~0xF
      pointee.returnTop = pointee.returnTop &+ 1 == pointee.costs.returnStackSize ? 0 : pointee.returnTop &+ 1
    }
    if pending.predicted == address && !pending.registerIsLate { return earliest }
    let wasTaken = taken >= 0
    let wrongTarget = wasTaken && pending.predicted != fallThrough & ~0xF
    if wasTaken && branches[taken].kind == .returns { bump(.returnMispredicts) }
    bump(wrongTarget ? .mispredictTarget : .mispredictDirection)
    let resume = pending.time &+ 1 &+ pointee.costs.mispredict
    pointee.fetched = resume &- 1
    guard resume > earliest else { return earliest }
    causes[Int(Cause.mispredict.rawValue)] &+= resume &- earliest
    return resume
  }

  // MARK: Histories

  /// A name for a branch: its bundle and slot.
  @inline(__always)
  private func site(_ block: UInt64, _ group: UnsafePointer<IssueGroup>, _ b: UnsafePointer<Branch>) -> UnsafeMutablePointer<
    History
  > {
    let name = (block &+ UInt64(group.pointee.fallThrough)) &>> 4 &* 4 &+ UInt64(b.pointee.slot) &+ 1
    let index = Int(truncatingIfNeeded: name &* 0x9E37_79B9_7F4A_7C15 &>> 40) & pointee.historyMask
    let history = pointee.histories + index
    if history.pointee.site != name {
      // .dptk begins with "taken", .dpnt with "not taken".
      history.pointee = History(site: name, counters: b.pointee.whether & 1 == 0 ? 0xAAAA_AAAA : 0x5555_5555)
    }
    return history
  }

  @inline(__always) private func predictsTaken(_ b: UnsafePointer<Branch>, _ history: UnsafeMutablePointer<History>) -> Bool {
    if b.pointee.predicate == 0 { return true }
    switch b.pointee.whether {
    case 0: return true
    case 1: return false
    default: return history.pointee.counters &>> (UInt32(history.pointee.pattern) &* 2 &+ 1) & 1 != 0
    }
  }

  @inline(__always) private func knows(_ history: UnsafeMutablePointer<History>, _ target: UInt64) -> Bool {
    history.pointee.knowsTarget && history.pointee.target == target
  }

  /// br.cloop goes on while LC is not 0; br.ctop and br.cexit also while EC is above 1.
  @inline(__always) private func loops(_ kind: Branch.Kind) -> Bool {
    let lc = pointee.state.ar[65]
    if kind == .cloop { return lc != 0 }
    let goesOn = lc != 0 || pointee.state.ar[66] > 1
    return kind == .ctop ? goesOn : !goesOn
  }

  @inline(__always) private func learn(
    _ b: UnsafePointer<Branch>, _ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ taken: Bool, _ address: UInt64
  ) {
    let history = site(block, group, b)
    let h = UInt32(history.pointee.pattern) &* 2
    let counter = history.pointee.counters &>> h & 3
    let next = taken ? (counter == 3 ? 3 : counter &+ 1) : (counter == 0 ? 0 : counter &- 1)
    history.pointee.counters = history.pointee.counters & ~(3 &<< h) | next &<< h
    history.pointee.pattern = (history.pointee.pattern &<< 1 | (taken ? 1 : 0)) & ((1 &<< pointee.costs.historyBits) &- 1)
    if taken {
      history.pointee.knowsTarget = true
      history.pointee.target = address
    }
  }
}
