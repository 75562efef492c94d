import Processor

/// Instructions that hold the pipe, refetch, or matter to the front end: system registers, fences, serialization.
extension UnsafeMutablePointer where Pointee == PipelineState {
  @inline(never) func special(_ group: UnsafePointer<IssueGroup>, _ t: UInt64) {
    for n in 0..<Int(group.pointee.specials) {
      let op = group.specials[n]
      guard pointee.state.pr[Int(op.predicate)] != 0 else { continue }
      switch op.kind {
      case .toBranch: pointee.branchWritten[Int(op.register & 7)] = t
      case .toLoop:
        // LC and EC; PFS matters to returns only.
        if op.register != 64 { pointee.loopWritten = t }
      case .toApplication:
        if op.register == 40 { holdFloat(t &+ latency(group, RegisterCode.application + 40)) }
      case .checkAdvanced: bump(.alatChecks)
      case .serializeInstruction, .machineSwitch:
        bump(.serializations)
        flushFrom(t, op.kind == .machineSwitch ? pointee.costs.vmsw : pointee.costs.serialize)
      case .returnFromInterruption: flushFrom(t, pointee.costs.returnFromInterruption)
      case .enterPrivileged: if pointee.costs.enterPrivileged > 1 { flushFrom(t, pointee.costs.enterPrivileged) }
      case .bankSwitch: holdUntil(t &+ pointee.costs.bankSwitch, .bankSwitch)
      case .fence:
        let drained = allDone
        holdUntil(drained > t &+ pointee.costs.fence ? drained : t &+ pointee.costs.fence, .memoryOrder)
      case .acceptanceFence:
        let drained = allDone
        holdUntil(drained > t &+ pointee.costs.acceptance ? drained : t &+ pointee.costs.acceptance, .memoryOrder)
      case .insert: holdUntil(t &+ pointee.costs.insert, .dataTLB)
      case .purgeLocal: holdUntil(t &+ pointee.costs.purgeLocal, .dataTLB)
      case .purgeGlobal: holdUntil(t &+ pointee.costs.purgeGlobal, .dataTLB)
      default: break
      }
    }
  }

  /// FP instructions wait for what was written into FPSR.
  private func holdFloat(_ cycle: UInt64) {
    pointee.floatHold = cycle
    pointee.late.fixed |= 1 &<< UInt64(LateRegisters.predicates)
    if cycle > pointee.pendingUntil { pointee.pendingUntil = cycle }
  }

  /// When everything that was referred to has been done.
  private var allDone: UInt64 { Swift.max(pointee.memory.drained, pointee.memory.lastStore &+ pointee.costs.l2) }

  private func latency(_ group: UnsafePointer<IssueGroup>, _ code: UInt16) -> UInt64 {
    for n in 0..<Int(group.pointee.results) where group.results[n].code == code { return UInt64(group.results[n].latency) }
    return 0
  }

  /// What follows is fetched again: `cycles` pass between the group of cycle `t` and the next one.
  @inline(__always) func flushFrom(_ t: UInt64, _ cycles: UInt64) {
    holdUntil(t &+ cycles &+ 1, .flush)
    let resume = t &+ cycles
    if resume > pointee.fetched { pointee.fetched = resume }
  }

  // MARK: What happens beside instructions

  /// The branches of a group that was interrupted tell nothing any more.
  private func abandonGroup() {
    pointee.pending.forget()
    pointee.memory.deferredCount = 0
    pointee.lastGroup = nil
    pointee.fetchEpoch &+= 1
    pointee.fetchPage = .max
    pointee.fetchLine = .max
  }

  /// From the guest's last instruction to its next.
  private func hypervisorCycles(_ work: HypervisorWork) -> UInt64 {
    let costs = pointee.costs
    return switch work {
    case .fastExit: costs.intercept &+ costs.fastHandler &+ costs.resume
    case .exit: costs.intercept &+ costs.handler &+ costs.resume
    case .deviceVisit: costs.intercept &+ costs.handler &+ costs.deviceModel &+ costs.resume
    case .contextSwitch: costs.contextSwitch
    }
  }

  @inline(never) func notice(_ event: TimingEvent, _ value: UInt64) {
    let t = pointee.now
    switch event {
    case .statusChanged, .instructionInserted, .monitorsChange: break
    case .dataInserted where pointee.memory.deferredCount == 0: break
    default: leaveConfiguration()
    }
    switch event {
    case .interruption:
      bump(.interruptions)
      abandonGroup()
      flushFrom(Swift.max(t, pointee.hold), pointee.costs.interruption)
    case .hypervisor:
      abandonGroup()
      let start = Swift.max(t, pointee.hold)
      let resume = start &+ hypervisorCycles(HypervisorWork(rawValue: value) ?? .exit)
      holdUntil(resume &+ 1, .hypervisor)
      pointee.fetched = Swift.max(pointee.fetched, resume)
    case .dataWalk:
      bump(.dataWalks)
      holdUntil(t &+ 1 &+ walk(value, t), .walker)
    case .instructionWalk:
      bump(.instructionWalks)
      pointee.fetched = Swift.max(pointee.fetched, t &+ walk(value, t))
      pointee.fetchCause = .fetchTLB
    case .dataInserted:
      _ = pointee.l2DTLB.touch(value, 0)
      // The reference that the walk was for is made when it ends.
      if pointee.memory.deferredCount != 0 { takeUpDeferred(Swift.max(t, pointee.hold)) }
    case .instructionInserted: _ = pointee.l2ITLB.touch(value, 0)
    case .stackStores:
      bump(.stackStores, value)
      holdUntil(
        Swift.max(t, pointee.hold) &+ 1 &+ (value &+ pointee.costs.registersPerCycle &- 1) / pointee.costs.registersPerCycle,
        .stackOverflow)
    case .stackLoads:
      bump(.stackLoads, value)
      holdUntil(
        Swift.max(t, pointee.hold) &+ 1 &+ (value &+ pointee.costs.registersPerCycle &- 1) / pointee.costs.registersPerCycle,
        .stackUnderflow)
    case .statusChanged: changeStatus()
    case .blocksDropped:
      pointee.lastGroup = nil
      pointee.pending.forget()
      pointee.beforePrevious = nil
      pointee.memo.empty()
    case .monitorsChange: monitorsChange()
    case .checkFailed:
      bump(.failedChecks)
      if value != 0 { bump(.alatMisses) }
      holdUntil(t &+ 1 &+ pointee.costs.checkRecovery, .load)
    case .timePassed:
      guard value > t else { break }
      pointee.levelCycles[Int(Cause.halted.rawValue)] &+= value &- t
      if pointee.slots &>> 63 != 0 { changeStatus() }
      pointee.now = value
      // Whatever was to come has come meanwhile.
      if pointee.hold < value { pointee.hold = 0 }
    }
  }
}
