import Processor

/// One issue group through the machine: the order in which its parts can hold it back.
///
/// The model's time is that of the EXE stage. A group issues one cycle after the one before it, or when the last thing that it waits for
/// is there; every cycle in between is charged to what it was spent on, in the order in which the hardware would find out: what holds the
/// pipe as a whole, a flush, bundles that are not there, operands that are not there.
///
/// What is here works it out from the state. Most groups have been there before and go another way (`Memo`), with the same result.
extension UnsafeMutablePointer where Pointee == PipelineState {
  /// Parts of a group's work that have been done already, because what is remembered of it went so far and no further.
  struct Begun {
    /// The branches of the last group are settled; they were mispredicted; the group's line of L1I has been looked up.
    var isSettled = false
    var isMispredicted = false
    var hasLine = false
    /// References are made and branches are followed, with this outcome.
    var hasOutcome = false
    var outcome = Outcome()
    /// The configuration that all of that is to be remembered for, and that part of the outcome that is known before the group issues.
    var before: UInt32 = 0
    var from: Known?
  }

  @inline(never)
  func issueExactly(_ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ begun: Begun) -> UInt64 {
    if group.pointee.flags.contains(.first) && !begun.hasLine {
      switch seam(group, block) {
      case .none: break
      case .covered: return pointee.now
      case .rest:
        issueRest(group, block)
        return pointee.now
      }
    }
    let before = pointee.now
    if begun.from != nil { keepCauses() }
    var begun = begun
    if group.pointee.unit.groups != 1 { issueLeads(group, block, &begun) }
    let last = pointee.now
    let t = begin(group, block, begun)
    let lag = t &- pointee.fetched
    let outcome = begun.hasOutcome ? begun.outcome : work(group, block, t)
    settle(group, outcome, t)
    remember(group, block, t)
    if pointee.isObserved {
      observe(group, block, t, goesOn: false)
    } else if pointee.remembers {
      learn(group, begun, outcome, Times(before: before, last: last, issued: t, fetchLag: lag))
    }
    return pointee.now
  }

  /// Groups that issue before the group with which they are announced.
  private func issueLeads(_ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ begun: inout Begun) {
    var lead = group.firstLead
    while lead != group {
      let t = begin(lead, block, begun)
      settle(lead, Outcome(), t)
      remember(lead, block, t)
      if pointee.isObserved { observe(lead, block, t, goesOn: false) }
      begun.isSettled = true
      begun.isMispredicted = false
      lead = lead.next
    }
  }

  /// The cycle of a group: the clock moves there.
  @inline(__always)
  private func begin(_ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ begun: Begun) -> UInt64 {
    let causes = pointee.levelCycles
    let before = pointee.now
    var t = before &+ 1
    causes[Int(Cause.issue.rawValue)] &+= 1
    pointee.slots &+= group.pointee.packedSlots
    // What the group's own references hold is for the next one.
    if pointee.hold >= t && !begun.hasOutcome {
      causes[Int(pointee.holdCause.rawValue)] &+= pointee.hold &- before
      t = pointee.hold &+ 1
    }
    if begun.isSettled {
      // The pipeline has no other configuration but right behind them.
      if begun.isMispredicted { t = refetch(t, branches: before) }
    } else if resolve(block &+ UInt64(group.pointee.offset)) {
      t = refetch(t, branches: pointee.previousTime)
    }
    if group.pointee.pairs != 0 {
      if group.pointee.lines != 0 && !begun.hasLine { fetchLines(group, block) }
      t = fetchPairs(group, t, causes)
    }
    if mayWait(group, t) { t = waitForOperands(group, t, causes) }
    if group.pointee.flags.contains(.multimedia) { t = waitForMultimedia(group, t, causes) }
    pointee.now = t
    return t
  }

  // MARK: Groups that are left in the middle

  private enum Seam { case none, covered, rest }

  /// The engine leaves its blocks behind some system instructions, and comes back in the middle of their group: at a slot that has
  /// issued with the last group, or that would have if the plan had gone on.
  @inline(never) private func seam(_ group: UnsafePointer<IssueGroup>, _ block: UInt64) -> Seam {
    guard let last = pointee.lastGroup else { return .none }
    // Slots in a row, over all bundles.
    func place(_ block: UInt64, _ position: UInt8) -> UInt64 { block / 16 &* 3 &+ UInt64(position) }
    let start = place(block, group.pointee.header.start)
    let end = place(block, group.pointee.header.end)
    let lastEnd = place(pointee.lastBlock, last.pointee.header.end)
    guard start > place(pointee.lastBlock, last.pointee.header.start), start <= lastEnd else { return .none }
    if start == lastEnd && last.pointee.split != .end { return .none }
    return end > lastEnd ? .rest : .covered
  }

  /// Whether a group that begins a block in the middle of a bundle is a group of its own.
  @inline(__always) func standsAlone(_ group: UnsafePointer<IssueGroup>, _ block: UInt64) -> Bool {
    switch seam(group, block) {
    case .none: true
    case .covered, .rest: false
    }
  }

  /// The rest of a group, in the cycle of its beginning.
  private func issueRest(_ group: UnsafePointer<IssueGroup>, _ block: UInt64) {
    pointee.slots &+= group.pointee.packedSlots
    var t = pointee.now
    // Its first bundle has been fetched.
    if group.pointee.pairs > 1 || group.pointee.lines > 1 {
      pointee.fetched &-= 1
      if group.pointee.lines != 0 { fetchLines(group, block) }
      t = fetchPairs(group, t, pointee.levelCycles)
    }
    if mayWait(group, t) { t = waitForOperands(group, t, pointee.levelCycles) }
    if group.pointee.flags.contains(.multimedia) { t = waitForMultimedia(group, t, pointee.levelCycles) }
    pointee.now = t
    pointee.lastGroup = group
    pointee.lastBlock = block
    pointee.previousTime = t
    settle(group, work(group, block, t), t)
    if pointee.isObserved { observe(group, block, t, goesOn: true) }
  }

  // MARK: Operands and work

  /// Whether any register that the group uses may not be ready.
  @inline(__always) private func mayWait(_ group: UnsafePointer<IssueGroup>, _ t: UInt64) -> Bool {
    guard pointee.pendingUntil > t else {
      pointee.late.fixed = 0
      pointee.late.stacked = 0
      pointee.late.rotating = 0
      return false
    }
    var late = pointee.late.fixed & group.pointee.registers.fixed
    if group.pointee.registers.stacked != 0 {
      followStacked()
      late |= pointee.late.stacked & group.pointee.registers.stacked
    }
    if group.pointee.registers.rotating != 0 {
      followRotation()
      late |= pointee.late.rotating & group.pointee.registers.rotating
    }
    return late != 0
  }

  /// What the group asks of memory and of the branches, and how that turns out. Of the configuration nothing changes yet.
  func work(_ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ t: UInt64) -> Outcome {
    var outcome = Outcome()
    if group.pointee.references != 0 { outcome.bits = refer(group, t) }
    if group.pointee.specials != 0 { special(group, t) }
    if group.pointee.branches != 0 {
      outcome.bits |= group.pointee.hasPlainBranch ? follow(group, block, t) : followOther(group, block, t)
    }
    return outcome
  }

  /// What a group leaves behind: when its results will be there, and where fetching goes on.
  @inline(__always) private func settle(_ group: UnsafePointer<IssueGroup>, _ outcome: Outcome, _ t: UInt64) {
    if group.pointee.references != 0 { finishReferences(group) }
    if group.pointee.results != 0 {
      var r = group.results
      let end = r + Int(group.pointee.results)
      let pr = pointee.state.pr
      repeat {
        if pr[Int(r.pointee.predicate)] != 0 {
          finish(r.pointee.code, t &+ UInt64(r.pointee.latency), r.pointee.producer)
        }
        r += 1
      } while r < end
    }
    if group.pointee.branches != 0 { redirect(outcome, t, counts: group.pointee.flags.contains(.counts)) }
  }

  /// The last two groups are kept for multimedia instructions that read quick results.
  @inline(__always) func remember(_ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ t: UInt64) {
    pointee.beforePrevious = pointee.lastGroup
    pointee.beforePreviousTime = pointee.previousTime
    pointee.lastGroup = group
    pointee.lastBlock = block
    pointee.previousTime = t
  }

  /// `goesOn`: it is the rest of the group before it.
  @inline(never)
  private func observe(_ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ t: UInt64, goesOn: Bool) {
    if pointee.countsGroups { countGroup(group, goesOn: goesOn) }
    let address = block &+ UInt64(group.pointee.offset)
    pointee.owner._withUnsafeGuaranteedRef { $0.observe(group, address, t, goesOn: goesOn) }
  }

  /// A result will be there for its quickest consumer in cycle `ready`.
  @inline(__always) func finish(_ code: UInt16, _ ready: UInt64, _ producer: Producer) {
    let entry = ready &<< 8 | UInt64(producer.rawValue) &<< 4
    let until = ready &+ pointee.slack
    if until > pointee.pendingUntil { pointee.pendingUntil = until }
    let index = index(code)
    pointee.scoreboard[index] = entry
    if pointee.memo.finishedCount == Memo.mostFinished { forgetFinished() }
    pointee.memo.finished[pointee.memo.finishedCount] = UInt16(truncatingIfNeeded: index)
    pointee.memo.finishedCount &+= 1
    // r0 to r31, f0 to f31
    if code & ~0x9F == 0 {
      pointee.late.fixed |= 1 &<< UInt64(code & 0x1F | code &>> 2 & 0x20)
    } else {
      finishOther(code, until)
    }
  }

  /// Results that nobody waits for any more need not be known.
  @inline(never) private func forgetFinished() {
    if pointee.pendingUntil <= pointee.now {
      pointee.memo.finishedCount = 0
      return
    }
    var kept = 0
    for n in 0..<pointee.memo.finishedCount {
      let index = pointee.memo.finished[n]
      if pointee.scoreboard[Int(index)] &>> 8 &+ pointee.slack <= pointee.now { continue }
      if (0..<kept).contains(where: { pointee.memo.finished[$0] == index }) { continue }
      pointee.memo.finished[kept] = index
      kept &+= 1
    }
    if kept == Memo.mostFinished {
      kept = 0
      pointee.memo.hasLostResults = true
    }
    pointee.memo.finishedCount = kept
  }

  @inline(never) private func finishOther(_ code: UInt16, _ until: UInt64) {
    let bit: UInt64 = 1 &<< UInt64(LateRegisters.bit(code))
    switch code {
    case 0..<RegisterCode.float:
      followStacked()
      pointee.late.stacked |= bit
    case RegisterCode.float..<RegisterCode.predicate:
      followRotation()
      pointee.late.rotating |= bit
    case RegisterCode.predicate..<RegisterCode.branch:
      pointee.late.fixed |= bit
      if until > pointee.predicatesUntil { pointee.predicatesUntil = until }
    default:
      pointee.late.fixed |= bit
      if until > pointee.othersUntil { pointee.othersUntil = until }
    }
  }

  /// What the names of stacked registers depend on. When the frame has moved, any of them may be late, until nothing is.
  @inline(__always) private func followStacked() {
    let s = pointee.state
    let name = UInt64(truncatingIfNeeded: s.pointee.bottomOfFrame) &<< 8 | UInt64(truncatingIfNeeded: s.pointee.rrbGR)
    if name == pointee.lateFrame { return }
    if pointee.late.stacked != 0 { pointee.late.stacked = ~0 }
    pointee.lateFrame = name
  }

  @inline(__always) private func followRotation() {
    let rotation = pointee.state.pointee.rrbFR
    if rotation == pointee.lateRotation { return }
    if pointee.late.rotating != 0 { pointee.late.rotating = ~0 }
    pointee.lateRotation = rotation
  }

  // MARK: Renaming

  /// The scoreboard's index of a register: rotation and the current frame are undone, as in the REN stage.
  @inline(__always) func index(_ code: UInt16) -> Int {
    let n = Int(code)
    if n < 32 { return n }
    if n < 128 {
      let s = pointee.state
      if s.pointee.rrbGR != 0 { return renamed(code) }
      let physical = n &+ s.pointee.bottomOfFrame
      return physical < 128 ? physical : physical &- 96
    }
    if n < 160 || n >= 320 { return n }
    return renamed(code)
  }

  @inline(never) private func renamed(_ code: UInt16) -> Int {
    let s = pointee.state
    let n = Int(code)
    switch n {
    case 32..<128:
      let size = s.pointee.sor * 8
      let logical = n - 32
      let rotated = logical < size ? (logical + s.pointee.rrbGR) % size : logical
      let physical = rotated + s.pointee.bottomOfFrame
      return 32 + (physical < 96 ? physical : physical - 96)
    case 160..<256: return 160 + (n - 160 + s.pointee.rrbFR) % 96
    case 272..<320: return 272 + (n - 272 + s.pointee.rrbPR) % 48
    default: return n
    }
  }
}
