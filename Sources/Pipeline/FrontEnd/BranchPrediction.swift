import Processor

/// What is remembered of a branch: its last outcomes, and for each pattern of them a two-bit counter of what came next.
struct History {
  /// Its name: a quarter of the address of the bundle where it goes on if it is not taken, and ``name(slot:)``. 0: there is none.
  var site: UInt64 = 0
  var pattern: UInt8 = 0
  /// The same outcome once more would change nothing: 1, not taken; 2, taken (to the same place).
  var steady: UInt8 = 0
  /// Sixteen counters of two bits; the upper one predicts "taken".
  var counters: UInt32 = 0
  /// Where it last led, a bundle's address; 1: nowhere yet.
  var target: UInt64 = 1

  static func name(slot: UInt8) -> UInt64 { UInt64(slot) + 1 }
}

/// The branches of a group that has issued, until the next group's address tells what they did.
struct PendingBranches {
  /// What is remembered of the group's only branch, and what kind it is of; nil: none is pending, or several are.
  var history: UnsafeMutablePointer<History>?
  var kind = Branch.Kind.conditional
  /// The group that has several, and the address that its displacements count from.
  var several: UnsafePointer<IssueGroup>?
  var block: UInt64 = 0
  /// Where it goes on if no branch is taken, and where the front end has gone on: nowhere if its branch goes through a register that was
  /// written too late for it.
  var fallThrough: UInt64 = 0
  var predicted: UInt64 = 0
  static let nowhere: UInt64 = 1

  mutating func forget() {
    history = nil
    several = nil
  }
}

extension UnsafeMutablePointer where Pointee == PipelineState {
  // MARK: IPG: where to go on

  /// Where the front end goes on behind a group with branches: ``Outcome/redirection`` and ``Outcome/mispredicted``. What that costs is
  /// charged by `redirect`. This is the usual case: one branch, relative to IP.
  // In line is what it must be, and @inline(__always) is not enough here.
  @_transparent
  func follow(_ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ time: UInt64) -> UInt32 {
    let b = group.branches
    let fallThrough = block &+ UInt64(group.pointee.fallThrough)
    let history = site(block, group)
    let target = block &+ UInt64(bitPattern: b.pointee.displacement)
    if b.pointee.predicate == 0 {
      // Nobody asks what it has done before, but where it led.
      let way = bits(history.pointee.target == target ? .taken : .recomputed)
      history.pointee.target = target
      bump(.executed, b.pointee.kind)
      count(b.pointee.kind, fallThrough)
      return way
    }
    let expected = predictsTaken(b, history)
    let way = expected ? bits(history.pointee.target == target ? .taken : .recomputed) : bits(.none)
    if b.pointee.isDecided {
      let taken = pointee.state.pr[Int(b.pointee.predicate)] != 0
      bump(.executed, b.pointee.kind)
      learn(history, taken, target)
      if taken { count(b.pointee.kind, fallThrough) }
      if taken == expected { return way }
      countMisprediction(b.pointee.kind, taken, wasTaken: expected)
      return way | Outcome.mispredicted
    }
    pointee.pending.history = history
    pointee.pending.kind = b.pointee.kind
    pointee.pending.fallThrough = fallThrough
    pointee.pending.predicted = expected ? target : fallThrough
    return way
  }

  @inline(__always) private func bits(_ way: Redirection) -> UInt32 { UInt32(way.rawValue) &<< Outcome.redirectionShift }

  /// What the outcome of a group's branches does to fetching and, if the front end was wrong, to the clock: it moves on to the cycle
  /// before the right path.
  @inline(__always) func redirect(_ outcome: Outcome, _ time: UInt64, counts: Bool) {
    if pointee.loopReady > pointee.fetched && counts {
      pointee.fetched = pointee.loopReady
      pointee.fetchCause = .fetchLoop
    }
    switch outcome.redirection {
    case .none: break
    case .taken: fetchLater(pointee.costs.takenBubble)
    case .recomputed: fetchLater(pointee.costs.recomputedTargetBubble)
    case .returns: fetchLater(pointee.costs.returnBubble)
    case .indirect: fetchLater(pointee.costs.indirectBubble)
    }
    if outcome.has(Outcome.mispredicted) { pointee.now = refetch(time &+ 1, branches: time) &- 1 }
  }

  @inline(__always) private func fetchLater(_ bubble: UInt64) {
    pointee.fetched &+= bubble
    pointee.fetchCause = .fetchBranch
  }

  /// The branches of cycle `time` were mispredicted. Returns the first cycle in which the right path can issue; the cycles from
  /// `earliest` on are charged.
  @inline(__always) func refetch(_ earliest: UInt64, branches time: UInt64) -> UInt64 {
    let resume = time &+ 1 &+ pointee.costs.mispredict
    pointee.fetched = resume &- 1
    guard resume > earliest else { return earliest }
    pointee.levelCycles[Int(Cause.mispredict.rawValue)] &+= resume &- earliest
    return resume
  }

  /// A counted loop: the front end knows LC and EC and is never wrong. It waits for them if they were written late.
  @inline(__always)
  func followLoop(_ group: UnsafePointer<IssueGroup>, _ block: UInt64) -> UInt32 {
    let b = group.branches
    pointee.loopReady = 0
    waitForLoopCount()
    bump(.executed, b.pointee.kind)
    guard loops(b.pointee.kind) else { return 0 }
    bump(.taken, b.pointee.kind)
    let target = block &+ UInt64(bitPattern: b.pointee.displacement)
    let history = site(block, group)
    let way = bits(history.pointee.target == target ? .taken : .recomputed)
    history.pointee.target = target
    return way
  }

  @inline(__always) private func waitForLoopCount() {
    if pointee.loopWritten != 0 { pointee.loopReady = pointee.loopWritten &+ pointee.costs.loopAhead }
  }

  /// Loops, branches through registers, and several branches in a group.
  @inline(never)
  func followOther(_ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ time: UInt64) -> UInt32 {
    let fallThrough = block &+ UInt64(group.pointee.fallThrough)
    let branches = group.branches
    pointee.loopReady = 0
    if group.pointee.hasLoopBranch { return followLoop(group, block) }
    pointee.pending.predicted = fallThrough
    var way = Redirection.none
    if group.pointee.branches == 1 {
      let history = site(block, group)
      way = predict(branches, history, block, time)
      if branches.pointee.isDecided {
        let isRight = decide(branches, history, block, fallThrough)
        return isRight ? bits(way) : bits(way) | Outcome.mispredicted
      }
      pointee.pending.history = history
      pointee.pending.kind = branches.pointee.kind
    } else {
      pointee.pending.history = nil
      for n in 0..<Int(group.pointee.branches) {
        way = predict(branches + n, site(fallThrough, branches + n), block, time)
        if way != .none { break }
      }
      pointee.pending.several = group
      pointee.pending.block = block
    }
    pointee.pending.fallThrough = fallThrough
    return bits(way)
  }

  /// The group's only branch, whose outcome is known already: there is no need to wait for the next group. False: it was mispredicted.
  @inline(__always)
  private func decide(
    _ b: UnsafePointer<Branch>, _ history: UnsafeMutablePointer<History>, _ block: UInt64, _ fallThrough: UInt64
  ) -> Bool {
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
    if pointee.pending.predicted == address { return true }
    countMisprediction(b.pointee.kind, taken, wasTaken: pointee.pending.predicted != fallThrough)
    return false
  }

  /// `wasTaken`: the front end has gone on somewhere else than behind the branch.
  @inline(never) private func countMisprediction(_ kind: Branch.Kind, _ taken: Bool, wasTaken: Bool) {
    if taken { bump(wasTaken ? .mispredictTarget : .mispredictTaken) }
    bump(.mispredicted, kind)
  }

  /// A branch is taken; a call leaves where it returns to.
  @inline(__always) private func count(_ kind: Branch.Kind, _ fallThrough: UInt64) {
    bump(.taken, kind)
    if kind == .call || kind == .indirectCall {
      pointee.returnStack[pointee.returnTop] = fallThrough
      pointee.returnTop = pointee.returnTop &+ 1 == pointee.costs.returnStackSize ? 0 : pointee.returnTop &+ 1
    }
  }

  /// One branch: whether, and how, the front end takes it.
  @inline(__always)
  private func predict(
    _ b: UnsafePointer<Branch>, _ history: UnsafeMutablePointer<History>, _ block: UInt64, _ time: UInt64
  ) -> Redirection {
    switch b.pointee.kind {
    case .conditional, .call, .wtop, .wexit:
      guard predictsTaken(b, history) else { return .none }
    case .cloop, .ctop, .cexit:
      waitForLoopCount()
      guard loops(b.pointee.kind) else { return .none }
    case .returns:
      guard predictsTaken(b, history) else { return .none }
      pointee.returnTop = pointee.returnTop == 0 ? pointee.costs.returnStackSize &- 1 : pointee.returnTop &- 1
      pointee.pending.predicted = pointee.returnStack[pointee.returnTop]
      return .returns
    case .indirect, .indirectCall:
      guard predictsTaken(b, history) else { return .none }
      let isLate = pointee.branchWritten[Int(b.pointee.register)] &+ pointee.costs.branchAhead > time
      pointee.pending.predicted = isLate ? PendingBranches.nowhere : pointee.state.br[Int(b.pointee.register)] & ~0xF
      return .indirect
    }
    let target = block &+ UInt64(bitPattern: b.pointee.displacement)
    pointee.pending.predicted = target
    return history.pointee.target == target ? .taken : .recomputed
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

  /// The next group is at `address`: what have the branches done? True: they were mispredicted.
  @inline(__always)
  func resolve(_ address: UInt64) -> Bool {
    guard let history = pointee.pending.history else { return resolveSeveral(address) }
    pointee.pending.history = nil
    let fallThrough = pointee.pending.fallThrough
    let kind = pointee.pending.kind
    let taken = address != fallThrough
    bump(.executed, kind)
    learn(history, taken, address)
    if taken { count(kind, fallThrough) }
    if pointee.pending.predicted == address { return false }
    countMisprediction(kind, taken, wasTaken: pointee.pending.predicted != fallThrough)
    return true
  }

  @inline(never)
  private func resolveSeveral(_ address: UInt64) -> Bool {
    guard let group = pointee.pending.several else { return false }
    pointee.pending.several = nil
    let fallThrough = pointee.pending.fallThrough
    let branches = group.branches
    let kind = firstTaken(group, branches, address)
    if let kind { count(kind, fallThrough) }
    if pointee.pending.predicted == address { return false }
    countMisprediction(kind ?? branches.pointee.kind, kind != nil, wasTaken: pointee.pending.predicted != fallThrough)
    return true
  }

  /// Several branches in a group: the one that was taken is the first that leads to where we are, or, through a register, anywhere else.
  private func firstTaken(
    _ group: UnsafePointer<IssueGroup>, _ branches: UnsafePointer<Branch>, _ address: UInt64
  ) -> Branch.Kind? {
    let fallThrough = pointee.pending.block &+ UInt64(group.pointee.fallThrough)
    for n in 0..<Int(group.pointee.branches) {
      let b = branches + n
      let taken: Bool
      switch b.pointee.kind {
      case .indirect, .indirectCall, .returns: taken = address != fallThrough
      default:
        taken = address != fallThrough && pointee.pending.block &+ UInt64(bitPattern: b.pointee.displacement) == address
      }
      bump(.executed, b.pointee.kind)
      learn(site(fallThrough, b), taken, address)
      if taken { return b.pointee.kind }
    }
    return nil
  }

  // MARK: Histories

  /// What is remembered of a branch, named by its bundle and slot.
  @inline(__always)
  private func site(_ fallThrough: UInt64, _ b: UnsafePointer<Branch>) -> UnsafeMutablePointer<History> {
    let name = name(fallThrough, b)
    let history = pointee.histories + place(of: name)
    if history.pointee.site != name { begin(history, name, b.pointee.whether) }
    return history
  }

  /// The same for the only branch of a group, which remembers the place: it is the same for each processor.
  @inline(__always)
  private func site(_ block: UInt64, _ group: UnsafePointer<IssueGroup>) -> UnsafeMutablePointer<History> {
    let history = pointee.histories + Int(group.pointee.historyPlace)
    return history.pointee.site == block &>> 2 &+ UInt64(group.pointee.historyName) ? history : siteElsewhere(block, group)
  }

  @inline(never)
  private func siteElsewhere(_ block: UInt64, _ group: UnsafePointer<IssueGroup>) -> UnsafeMutablePointer<History> {
    let fallThrough = block &+ UInt64(group.pointee.fallThrough)
    let history = site(fallThrough, group.branches)
    UnsafeMutablePointer<IssueGroup>(mutating: group).pointee.historyPlace = UInt32(history - pointee.histories)
    return history
  }

  /// Bundles lie at multiples of 16.
  @inline(__always) private func name(_ fallThrough: UInt64, _ b: UnsafePointer<Branch>) -> UInt64 {
    fallThrough &>> 2 &+ History.name(slot: b.pointee.slot)
  }

  @inline(__always) private func place(of name: UInt64) -> Int {
    let hash = (name &* 0x9E37_79B9_7F4A_7C15) &>> 32
    return Int(truncatingIfNeeded: (hash &* pointee.historyCount) &>> 32)
  }

  /// .dptk begins with "taken", .dpnt with "not taken".
  @inline(never) private func begin(_ history: UnsafeMutablePointer<History>, _ name: UInt64, _ whether: UInt8) {
    history.pointee = History(site: name, counters: whether & 1 == 0 ? 0xAAAA_AAAA : 0x5555_5555)
  }

  @inline(__always) private func learn(_ history: UnsafeMutablePointer<History>, _ taken: Bool, _ address: UInt64) {
    if history.pointee.steady == (taken ? 2 : 1) && (!taken || history.pointee.target == address) { return }
    learnMore(history, taken, address)
  }

  @inline(never) private func learnMore(_ history: UnsafeMutablePointer<History>, _ taken: Bool, _ address: UInt64) {
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
    let last = history.pointee.pattern
    let next = history.pointee.counters &>> (UInt32(last) &* 2) & 3
    let all: UInt8 = (1 &<< pointee.costs.historyBits) &- 1
    history.pointee.steady = last == 0 && next == 0 ? 1 : last == all && next == 3 ? 2 : 0
  }
}
