import Processor

/// One issue group through the machine: the order in which its parts can hold it back.
///
/// The model's time is that of the EXE stage. A group issues one cycle after the one before it, or when the last thing that it waits for
/// is there; every cycle in between is charged to what it was spent on, in the order in which the hardware would find out: what holds the
/// pipe as a whole, a flush, bundles that are not there, operands that are not there.
extension UnsafeMutablePointer where Pointee == PipelineState {
  @inline(__always) func issue(_ group: UnsafePointer<IssueGroup>, _ block: UInt64) -> UInt64 {
    let s = pointee.state
    let level = Int(truncatingIfNeeded: s.pointee.psr &>> 32 & 3)
    let causes = pointee.cycles + level &* Cause.stride
    let counts = pointee.counts + level &* PipelineState.countStride
    let address = block &+ UInt64(group.pointee.offset)
    let before = pointee.now
    var t = before &+ 1
    causes[Int(Cause.issue.rawValue)] &+= 1
    if pointee.hold >= t {
      causes[Int(pointee.holdCause.rawValue)] &+= pointee.hold &- before
      t = pointee.hold &+ 1
    }
    if pointee.pending.group != nil { t = resolve(address, t, counts) }
    if group.pointee.pairs != 0 { t = fetch(group, address, t, causes, counts) }
    if pointee.pendingUntil > t || group.pointee.flags.rawValue != 0 { t = waitForOperands(group, t, causes) }
    pointee.now = t

    let pr = s.pr
    if group.pointee.references != 0 { refer(group, t, counts) }
    var n = Int(group.pointee.results)
    if n != 0 {
      var r = group.results
      while n != 0 {
        if pr[Int(r.pointee.predicate)] != 0 { finish(r.pointee.code, t &+ UInt64(r.pointee.latency), r.pointee.producer) }
        r += 1
        n &-= 1
      }
    }
    if group.pointee.specials != 0 { special(group, t) }
    if group.pointee.branches != 0 { predict(group, block, t, counts) }
    counts[Count.syllables.rawValue] &+= UInt64(group.pointee.slots)
    counts[Count.nops.rawValue] &+= UInt64(group.pointee.nops)
    pointee.beforePrevious = pointee.previous
    pointee.beforePreviousTime = pointee.previousTime
    pointee.previousTime = t
    pointee.previous = group
    if pointee.isObserved { observe(group, address, t) }
    return t
  }

  @inline(never) private func observe(_ group: UnsafePointer<IssueGroup>, _ address: UInt64, _ t: UInt64) {
    pointee.owner._withUnsafeGuaranteedRef { $0.observe(group, address, t) }
  }

  /// A result will be there for its quickest consumer in cycle `ready`.
  @inline(__always) func finish(_ code: UInt16, _ ready: UInt64, _ producer: Producer) {
    pointee.scoreboard[index(code)] = ready &<< 8 | UInt64(producer.rawValue)
    if code >= RegisterCode.predicate && code < RegisterCode.branch && ready &+ 2 > pointee.predicatesUntil {
      pointee.predicatesUntil = ready &+ 2
    }
    // No producer has a consumer that waits longer than this beyond its base latency.
    if ready &+ 2 > pointee.pendingUntil { pointee.pendingUntil = ready &+ 2 }
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
