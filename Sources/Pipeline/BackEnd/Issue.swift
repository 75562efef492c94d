import Processor

/// One issue group through the machine: the order in which its parts can hold it back.
///
/// The model's time is that of the EXE stage. A group issues one cycle after the one before it, or when the last thing that it waits for
/// is there; every cycle in between is charged to what it was spent on, in the order in which the hardware would find out: what holds the
/// pipe as a whole, a flush, bundles that are not there, operands that are not there.
extension UnsafeMutablePointer where Pointee == PipelineState {
  @inline(__always) func issue(_ group: UnsafePointer<IssueGroup>, _ block: UInt64) -> UInt64 {
    let flags = group.pointee.flags.rawValue
    if flags & IssueGroup.Flags.first.rawValue != 0 && goesOn(group, block) { return pointee.now }
    pointee.lastGroup = group
    pointee.lastBlock = block
    let causes = pointee.levelCycles
    let before = pointee.now
    var t = before &+ 1
    causes[Int(Cause.issue.rawValue)] &+= 1
    pointee.slots &+= group.pointee.packedSlots
    if pointee.hold >= t {
      causes[Int(pointee.holdCause.rawValue)] &+= pointee.hold &- before
      t = pointee.hold &+ 1
    }
    let address = block &+ UInt64(group.pointee.offset)
    if pointee.pending.group != nil { t = resolve(address, t) }
    if group.pointee.pairs != 0 { t = fetch(group, address, t, causes) }
    if (flags & (IssueGroup.Flags.multimedia.rawValue | IssueGroup.Flags.float.rawValue) != 0) || mayWait(group, flags, t) {
      t = waitForOperands(group, t, causes)
    }
    pointee.now = t
    if group.pointee.hasWork { work(group, t) }
    if group.pointee.branches != 0 { predict(group, block, t) }
    if pointee.knowsMultimedia { remember(group, t) }
    if pointee.isObserved { observe(group, block, t, goesOn: false) }
    return pointee.now
  }

  // MARK: Groups that are left in the middle

  /// The engine leaves its blocks behind some system instructions, and comes back in the middle of their group: at a slot that has
  /// issued with the last group, or that would have if the plan had gone on. True: nothing is left to do for this one.
  @inline(never) private func goesOn(_ group: UnsafePointer<IssueGroup>, _ block: UInt64) -> Bool {
    guard let last = pointee.lastGroup else { return false }
    // Slots in a row, over all bundles.
    func place(_ block: UInt64, _ position: UInt8) -> UInt64 { block / 16 &* 3 &+ UInt64(position) }
    let start = place(block, group.pointee.header.start)
    let end = place(block, group.pointee.header.end)
    let lastEnd = place(pointee.lastBlock, last.pointee.header.end)
    guard start > place(pointee.lastBlock, last.pointee.header.start), start <= lastEnd else { return false }
    if start == lastEnd && last.pointee.split != .end { return false }
    if end > lastEnd { issueRest(group, block) }
    return true
  }

  /// The rest of a group, in the cycle of its beginning.
  private func issueRest(_ group: UnsafePointer<IssueGroup>, _ block: UInt64) {
    pointee.slots &+= group.pointee.packedSlots
    pointee.lastGroup = group
    pointee.lastBlock = block
    var t = pointee.now
    // Its first bundle has been fetched.
    if group.pointee.pairs > 1 || group.pointee.lines > 1 {
      pointee.fetched &-= 1
      t = fetch(group, block &+ UInt64(group.pointee.offset), t, pointee.levelCycles)
    }
    let flags = group.pointee.flags.rawValue
    if (flags & (IssueGroup.Flags.multimedia.rawValue | IssueGroup.Flags.float.rawValue) != 0) || mayWait(group, flags, t) {
      t = waitForOperands(group, t, pointee.levelCycles)
    }
    pointee.now = t
    if group.pointee.hasWork { work(group, t) }
    if group.pointee.branches != 0 { predict(group, block, t) }
    if pointee.isObserved { observe(group, block, t, goesOn: true) }
  }

  // MARK: Operands and work

  /// Whether any register that the group uses may not be ready.
  @inline(__always) private func mayWait(_ group: UnsafePointer<IssueGroup>, _ flags: UInt8, _ t: UInt64) -> Bool {
    guard pointee.pendingUntil > t else {
      pointee.lateLow = 0
      pointee.lateHigh = 0
      return false
    }
    if flags & IssueGroup.Flags.others.rawValue != 0 && pointee.othersUntil > t { return true }
    if group.pointee.predicateUses != 0 && pointee.predicatesUntil > t { return true }
    if pointee.lateLow & group.pointee.generalLow | pointee.lateHigh & group.pointee.generalHigh != 0 { return true }
    return group.pointee.stackedUses != 0 && frameName != pointee.lateFrame
  }

  /// What the names of stacked registers depend on.
  @inline(__always) var frameName: UInt64 {
    let s = pointee.state
    return UInt64(truncatingIfNeeded: s.pointee.bottomOfFrame) &<< 8 | UInt64(truncatingIfNeeded: s.pointee.rrbGR)
  }

  /// References, results and the rest.
  @inline(never) private func work(_ group: UnsafePointer<IssueGroup>, _ t: UInt64) {
    if group.pointee.references != 0 { refer(group, t) }
    var n = Int(group.pointee.results)
    if n != 0 {
      let pr = pointee.state.pr
      var r = group.results
      while n != 0 {
        if pr[Int(r.pointee.predicate)] != 0 { finish(r.pointee.code, t &+ UInt64(r.pointee.latency), r.pointee.producer) }
        r += 1
        n &-= 1
      }
    }
    if group.pointee.specials != 0 { special(group, t) }
  }

  @inline(__always) private func remember(_ group: UnsafePointer<IssueGroup>, _ t: UInt64) {
    pointee.beforePrevious = pointee.previous
    pointee.beforePreviousTime = pointee.previousTime
    pointee.previousTime = t
    pointee.previous = group
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
    pointee.scoreboard[index(code)] = ready &<< 8 | UInt64(producer.rawValue)
    let late = ready &+ pointee.slack
    if code < RegisterCode.float {
      let name = frameName
      if name != pointee.lateFrame { rename(name) }
      let bit: UInt64 = 1 &<< UInt64(code & 63)
      if code < 64 { pointee.lateLow |= bit } else { pointee.lateHigh |= bit }
    } else if code >= RegisterCode.predicate && code < RegisterCode.branch {
      if late > pointee.predicatesUntil { pointee.predicatesUntil = late }
    } else {
      if late > pointee.othersUntil { pointee.othersUntil = late }
    }
    if late > pointee.pendingUntil { pointee.pendingUntil = late }
  }

  /// The frame has moved: any stacked register may be late, until nothing is.
  @inline(never) private func rename(_ name: UInt64) {
    if pointee.lateLow &>> 32 | pointee.lateHigh != 0 {
      pointee.lateLow |= ~0 &<< 32
      pointee.lateHigh = ~0
    }
    pointee.lateFrame = name
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
