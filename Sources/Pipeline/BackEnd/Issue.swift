import Processor

/// One issue group through the machine: the order in which its parts can hold it back.
///
/// The model's time is that of the EXE stage. A group issues one cycle after the one before it, or when the last thing that it waits for
/// is there; every cycle in between is charged to what it was spent on, in the order in which the hardware would find out: what holds the
/// pipe as a whole, a flush, bundles that are not there, operands that are not there.
extension UnsafeMutablePointer where Pointee == PipelineState {
  @inline(__always) func issue(_ group: UnsafePointer<IssueGroup>, _ block: UInt64) -> UInt64 {
    let flags = group.pointee.flags.rawValue
    let unusual = IssueGroup.Flags.first.rawValue | IssueGroup.Flags.multimedia.rawValue
    if flags & unusual != 0 || pointee.isObserved { return issueUnusual(group, block) }
    let t = begin(group, block, readsMultimedia: false)
    work(group, block, t)
    if pointee.knowsMultimedia { remember(group, t) }
    return pointee.now
  }

  /// A group that is the first of its plan or reads multimedia operands, or one that somebody looks at.
  @inline(never) private func issueUnusual(_ group: UnsafePointer<IssueGroup>, _ block: UInt64) -> UInt64 {
    if group.pointee.flags.contains(.first) && goesOn(group, block) { return pointee.now }
    let t = begin(group, block, readsMultimedia: group.pointee.flags.contains(.multimedia))
    work(group, block, t)
    if pointee.knowsMultimedia { remember(group, t) }
    if pointee.isObserved { observe(group, block, t, goesOn: false) }
    return pointee.now
  }

  /// The cycle of a group: the clock moves there.
  @inline(__always)
  private func begin(_ group: UnsafePointer<IssueGroup>, _ block: UInt64, readsMultimedia: Bool) -> UInt64 {
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
    if pointee.pending.group != nil { t = resolve(block &+ UInt64(group.pointee.offset), t) }
    if group.pointee.pairs != 0 { t = fetch(group, block, t, causes) }
    if mayWait(group, t) { t = waitForOperands(group, t, causes) }
    if readsMultimedia { t = waitForMultimedia(group, t, causes) }
    pointee.now = t
    return t
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
      t = fetch(group, block, t, pointee.levelCycles)
    }
    if mayWait(group, t) { t = waitForOperands(group, t, pointee.levelCycles) }
    if group.pointee.flags.contains(.multimedia) { t = waitForMultimedia(group, t, pointee.levelCycles) }
    pointee.now = t
    work(group, block, t)
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
      followFrame()
      late |= pointee.late.stacked & group.pointee.registers.stacked
    }
    if group.pointee.registers.rotating != 0 {
      followRotation()
      late |= pointee.late.rotating & group.pointee.registers.rotating
    }
    return late != 0
  }

  /// References, results, branches and the rest.
  @inline(__always) private func work(_ group: UnsafePointer<IssueGroup>, _ block: UInt64, _ t: UInt64) {
    if group.pointee.references != 0 { refer(group, t) }
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
    if group.pointee.specials != 0 { special(group, t) }
    if group.pointee.branches != 0 { predict(group, block, t) }
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
    let entry = ready &<< 8 | UInt64(producer.rawValue) &<< 4
    let until = ready &+ pointee.slack
    if until > pointee.pendingUntil { pointee.pendingUntil = until }
    // r0 to r31, f0 to f31
    if code & ~0x9F == 0 {
      pointee.scoreboard[Int(code)] = entry
      pointee.late.fixed |= 1 &<< UInt64(code & 0x1F | code &>> 2 & 0x20)
    } else {
      finishOther(code, entry, until)
    }
  }

  @inline(never) private func finishOther(_ code: UInt16, _ entry: UInt64, _ until: UInt64) {
    pointee.scoreboard[index(code)] = entry
    let bit: UInt64 = 1 &<< UInt64(LateRegisters.bit(code))
    switch code {
    case 0..<RegisterCode.float:
      followFrame()
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
  @inline(__always) private func followFrame() {
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
