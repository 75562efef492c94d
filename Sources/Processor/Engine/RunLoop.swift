import IA64

/// The dispatcher around the block loop: time, interrupts, pending register-stack loads, and the choice between blocks and steps.
extension LogicalProcessor {
  /// Runs until `cycle` on the virtual clock, or until something needs the caller.
  public func run(until cycle: UInt64) -> ExitReason {
    let e = engine
    e.pointee.deadline = cycle
    e.pointee.keepsPrevious = false
    comesToRun()
    while true {
      if let reason = turn(.chain) {
        leaveEngine()
        return reason
      }
    }
  }

  /// What outlives the engine's own notes.
  func leaveEngine() {
    outsideBlocks()
    if engine.pointee.monitors.enabled != 0 { showMonitors() }
    if state.pointee.psr & PSR.ic != 0 { recordPreviousBundle() }
  }

  /// One turn of the loop: what is due first, then as much as `extent` says. Nil: nothing needs the caller.
  @inline(__always)
  func turn(_ extent: Extent) -> ExitReason? {
    let s = state
    let e = engine
    outsideBlocks()
    if let debug, case .over(let reason) = debuggedTurn(debug) { return reason }
    if e.pointee.stopRequested {
      e.pointee.stopRequested = false
      return .stopped
    }
    let now = s.cycles
    if now >= e.pointee.timerCycle { fireTimer() }
    if now >= s.pointee.monitorCycle { monitorsAreDue() }
    if s.pointee.interruptPending && s.pointee.psr & PSR.i != 0 {
      if hostHandlesInterruptions {
        raise(.externalInterrupt)
        return .interruption
      }
      deliverExternalInterrupt()
      return nil
    }
    if s.pointee.virtualInterruptPending && s.pointee.psr & PSR.vm != 0 {
      if hostHandlesInterruptions {
        s.pointee.virtualInterruptPending = false
        raise(.virtualExternalInterrupt)
        return .interruption
      }
      deliverVirtualInterrupt()
      return nil
    }
    if now >= e.pointee.deadline { return .deadline }
    if s.pointee.halted { return .halted }
    if s.pointee.pausedUntil != 0 {
      if now < s.pointee.pausedUntil { return .paused }
      s.pointee.pausedUntil = 0
    }
    if s.pointee.frameIncomplete && !completeFrame() {
      return deliver(slot: PSR.ri(s.pointee.psr)) ? .interruption : nil
    }
    if s.pointee.initPending && takeInitialization() { return nil }
    let limit = instructionLimit()
    let exit: LoopExit
    switch extent {
    case .steps(let goal): return steps(to: goal)
    case .chain, .block:
      if let debug {
        exit = executeDebugged(debug, limit: limit)
      } else if e.pointee.mustStep || !noNaT {
        exit = stepOnce()
      } else if let block = PSR.ri(s.pointee.psr) == 0
        ? findBlock(s.pointee.ip) : findBlockSlow(s.pointee.ip, PSR.ri(s.pointee.psr))
      {
        // The limit is looked at where a block begins.
        if case .block = extent { e.pointee.limit = min(limit, s.pointee.instructions &+ 1) } else { e.pointee.limit = limit }
        if let parallel { exit = runApart(block, parallel) } else { exit = runBlocks(block) }
      } else {
        exit = .fetchFault
      }
    }
    stopClock()
    if finish(exit) { return .interruption }
    if e.pointee.fruitlessDeliveries > Self.faultLoopLimit {
      e.pointee.fruitlessDeliveries = 0
      return .faultLoop
    }
    return nil
  }

  /// Slots that may have retired when blocks stop. A timing model looks at its clock itself.
  @inline(__always) private func instructionLimit() -> UInt64 {
    let cycle = min(engine.pointee.deadline, engine.pointee.timerCycle, state.pointee.monitorCycle)
    engine.pointee.cycleLimit = followsModel ? cycle : .max
    if !followsModel { return cycle &- state.pointee.idleCycles }
    return .max
  }

  /// The stepper's part of a turn in lockstep: single instructions until the goal is reached or passed.
  @inline(never)
  private func steps(to goal: Extent.Goal) -> ExitReason? {
    let s = state
    let e = engine
    while true {
      if finish(stepOnce()) { return .interruption }
      if e.pointee.fruitlessDeliveries > Self.faultLoopLimit {
        e.pointee.fruitlessDeliveries = 0
        return .faultLoop
      }
      if s.pointee.instructions > goal.instructions { return nil }
      if s.pointee.instructions == goal.instructions && e.pointee.interruptions >= goal.interruptions && !goal.interrupted {
        return nil
      }
      outsideBlocks()
    }
  }

  /// So many interruptions in a row without one retired instruction: nothing can change any more. A handler that faults on its own
  /// first instruction is entered with PSR.i clear and the same state each time. The longest honest chain is a handful (a
  /// reference whose translation, VHPT entry and nested miss all fault before the handler's first instruction).
  private static let faultLoopLimit: UInt32 = 64

  /// Cycle count at this moment, also from inside a device or firmware handler.
  public var currentCycle: UInt64 {
    if let timing = engine.pointee.timing, timing.isFollowed { return timing.clock.pointee }
    return currentInstructions() &+ state.pointee.idleCycles
  }

  /// Makes the `run` in progress come back no later than `cycle`.
  public func lowerDeadline(to cycle: UInt64) {
    guard cycle < engine.pointee.deadline else { return }
    engine.pointee.deadline = cycle
    engine.pointee.limit = 0
  }

  /// Until when the `run` in progress goes on, or the last one did.
  public var deadline: UInt64 { engine.pointee.deadline }

  /// Interruptions delivered since power-on.
  public var interruptionCount: UInt64 { engine.pointee.interruptions }

  /// Executes exactly one instruction, or delivers what keeps it from executing. The reference for the block engine: it decodes each time,
  /// translates a single instruction, and runs the same semantic body.
  public func step() -> ExitReason {
    engine.pointee.keepsPrevious = false
    comesToRun()
    let reason = stepOrDeliver()
    leaveEngine()
    return reason
  }

  private func stepOrDeliver() -> ExitReason {
    outsideBlocks()
    let s = state
    if s.cycles >= engine.pointee.timerCycle { fireTimer() }
    if s.cycles >= s.pointee.monitorCycle { monitorsAreDue() }
    if s.pointee.interruptPending && s.pointee.psr & PSR.i != 0 {
      if hostHandlesInterruptions {
        raise(.externalInterrupt)
        return .interruption
      }
      deliverExternalInterrupt()
      return .deadline
    }
    if s.pointee.virtualInterruptPending && s.pointee.psr & PSR.vm != 0 {
      if hostHandlesInterruptions {
        s.pointee.virtualInterruptPending = false
        raise(.virtualExternalInterrupt)
        return .interruption
      }
      deliverVirtualInterrupt()
      return .deadline
    }
    if s.pointee.halted { return .halted }
    if s.pointee.pausedUntil != 0 {
      if s.cycles < s.pointee.pausedUntil { return .paused }
      s.pointee.pausedUntil = 0
    }
    if s.pointee.frameIncomplete && !completeFrame() {
      return deliver(slot: PSR.ri(s.pointee.psr)) ? .interruption : .deadline
    }
    if s.pointee.initPending && takeInitialization() { return .deadline }
    let exit = stepOnce()
    stopClock()
    return finish(exit) ? .interruption : .deadline
  }

  /// What time it is while no block runs.
  func outsideBlocks() {
    engine.pointee.blockStart = state.pointee.instructions
    engine.pointee.position = 0
  }

  /// Deals with the way a block or step ended. True: the host handles an interruption.
  func finish(_ exit: LoopExit) -> Bool {
    if let debug, debuggerTakes(exit, debug) { return false }
    switch exit {
    case .limit, .attention, .jumped: return false
    case .step:
      let exit = stepOnce()
      stopClock()
      return finish(exit)
    case .fetchFault: return deliver(slot: PSR.ri(state.pointee.psr))
    case .fault(let slot): return deliver(slot: slot)
    case .trap(let slot, _): return deliver(slot: slot)
    }
  }

  private func deliver(slot: UInt64) -> Bool {
    if hostHandlesInterruptions {
      // The register stack engine's loads are taken up again after the host has repaired what was wrong. What it stores into memory is
      // not seen by the advanced-load table. (A hypervisor stores into a guest's memory only as devices and firmware do.)
      if state.pointee.psr & PSR.vm == 0 { alatClear() }
      interruptedSlot = slot
      return true
    }
    outsideBlocks()
    deliverPending(slot: slot)
    return false
  }

  // MARK: Firmware gates

  /// A guest's breaks are its monitor's, wherever they are.
  func gateAllowed(_ o: MicroOp) -> Bool {
    // A guest's firmware is its hypervisor's business.
    if isVirtual { return false }
    let services = state.pointee.virtualEnvironment
    guard !firmwareGates.isEmpty || services.isActive else { return false }
    let address = state.pointee.ip &+ UInt64(o.position / 3) &* 16
    let physical: UInt64
    if state.pointee.psr & PSR.it == 0 {
      physical = address & Implementation.physicalMask
    } else {
      guard let t = instructionTLB.lookup(offset(address), rid(address))?.pointee else { return false }
      physical = t.physical | address & t.mask
    }
    return firmwareGates.contains(physical) || physical >= services.servicesStart && physical < services.servicesEnd
  }

  /// Calls the firmware: its handler sees the gate's own address in IP and its slot in PSR.ri.
  func firmwareGate(_ number: UInt64, _ o: MicroOp) -> StepResult {
    guard let bus else { return illegalOperation() }
    let s = state
    let blockIP = s.pointee.ip
    let position = UInt64(o.position)
    s.pointee.ip = blockIP &+ position / 3 &* 16
    observer?.callsFirmware(self, number)
    let outcome = bus.firmwareGate(number, processor: self)
    observer?.calledFirmware(self, number)
    // What the firmware has stored is not seen by the advanced-load table.
    alatClear()
    engine.pointee.limit = 0
    switch outcome {
    case .redirected: return .jumped
    case .proceed, .halt, .stop:
      s.pointee.ip = blockIP
      if outcome == .halt && !s.pointee.interruptPending { s.pointee.halted = true }
      if outcome == .stop { engine.pointee.stopRequested = true }
      return .exit
    }
  }
}
