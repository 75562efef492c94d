import Processor

/// EXE: the scoreboard. A group waits as a whole until the last operand of any of its instructions is there.
extension UnsafeMutablePointer where Pointee == PipelineState {
  /// Returns the cycle in which all operands are there; charges the wait to the kind of the last one.
  @inline(__always)
  func waitForOperands(
    _ group: UnsafePointer<IssueGroup>, _ tables: GroupTables, _ earliest: UInt64, _ causes: UnsafeMutablePointer<UInt64>
  ) -> UInt64 {
    var t = earliest
    // Everything that is ready long enough is below this, whoever consumes it.
    let threshold = (earliest &- 2) &<< 8
    let scoreboard = pointee.scoreboard
    var n = Int(group.pointee.uses)
    var use = tables.uses
    while n != 0 {
      let entry = scoreboard[index(use.pointee.code)]
      if entry > threshold { t = wait(entry, use, t, causes) }
      use += 1
      n &-= 1
    }
    if group.pointee.flags.rawValue != 0 { t = waitForMore(group, tables, t, causes) }
    return t
  }

  /// An operand that may not be ready.
  @inline(never)
  private func wait(
    _ entry: UInt64, _ use: UnsafePointer<Use>, _ t: UInt64, _ causes: UnsafeMutablePointer<UInt64>
  ) -> UInt64 {
    // Instructions that are predicated off wait for nothing.
    guard pointee.state.pr[Int(use.pointee.predicate)] != 0 else { return t }
    let producer = Int(entry & 0xF)
    let ready = entry &>> 8 &+ UInt64(pointee.extra[producer &* 16 &+ Int(use.pointee.consumer.rawValue)])
    guard ready > t else { return t }
    let cause: Cause
    switch Producer(rawValue: UInt8(producer)) ?? .integer {
    case .load: cause = .load
    case .float, .floatLoad, .setf, .floatCompare:
      cause = use.pointee.code >= RegisterCode.predicate && use.pointee.code < RegisterCode.branch ? .predicate : .float
    case .applicationRead, .fileRead, .system: cause = .system
    case .integer, .multimedia, .getf: cause = .integer
    }
    causes[Int(cause.rawValue)] &+= ready &- t
    return ready
  }

  /// FP instructions behind a write of FPSR, and multimedia instructions that read what the last two groups have computed: an ordinary
  /// result reaches them later than others, and is in no scoreboard because nobody else would ever wait for it.
  @inline(never)
  private func waitForMore(
    _ group: UnsafePointer<IssueGroup>, _ tables: GroupTables, _ earliest: UInt64, _ causes: UnsafeMutablePointer<UInt64>
  ) -> UInt64 {
    var t = earliest
    if group.pointee.flags.contains(.float) && pointee.floatHold > t {
      causes[Int(Cause.system.rawValue)] &+= pointee.floatHold &- t
      t = pointee.floatHold
    }
    guard group.pointee.flags.contains(.multimedia) else { return t }
    for n in 0..<Int(group.pointee.uses) where tables.uses[n].consumer == .multimedia {
      guard pointee.state.pr[Int(tables.uses[n].predicate)] != 0 else { continue }
      let code = tables.uses[n].code
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

  private func computedQuickly(_ code: UInt16, _ raw: UnsafeRawPointer?) -> Bool {
    guard let raw else { return false }
    let group = raw.assumingMemoryBound(to: IssueGroup.self)
    let results = GroupTables(group).quickResults
    for n in 0..<Int(group.pointee.quickResults) where UInt16(results[n]) == code { return true }
    return false
  }
}
