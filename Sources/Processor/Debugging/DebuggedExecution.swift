import IA64

/// Execution while a debugger watches. Called from the dispatcher and other slow paths only, and only if there is one.
extension LogicalProcessor {
  /// Lets a debugger in, or out with nil. `index` is how it knows this processor.
  public func attach(_ control: DebugControl?, index: Int) {
    debug = control.map { ProcessorDebug($0, index: index) }
    domain.debugControl = control
  }

  /// It stands in the middle of a block that has been interrupted by its debugger, and has to go on before others have their turn.
  @inline(__always) public var isInsideBlock: Bool { debug?.inside != nil }

  /// The next ``run(until:)`` stops after one instruction, or when an interruption has been delivered.
  public func stepOnNextRun() { debug?.stepStart = executionPlace }

  public func cancelStep() { debug?.stepStart = nil }

  /// From now on it has arrived at the instruction at IP, and a breakpoint there does not count.
  public func standsHere() { debug?.standing = standing }

  private var standing: ProcessorDebug.Standing {
    let s = state
    return ProcessorDebug.Standing(ip: s.pointee.ip, slot: PSR.ri(s.pointee.psr), sp: s.gr[12], bsp: s.pointee.bsp)
  }

  /// The blocks' arena has been emptied from outside.
  func blocksAreGone() {
    seenArena = blocks.emptied
    if isTimed { notice(.blocksDropped) }
    codeMapChanged()
  }

  // MARK: Stopping

  private func stop(_ debug: ProcessorDebug, _ reason: DebugControl.Reason) -> ExitReason {
    debug.hit = nil
    debug.stepStart = nil
    debug.control.request = nil
    debug.standing = standing
    debug.control.stopped?(debug.index, reason)
    // Whoever has been told may have asked for that; it is what happens anyway.
    engine.pointee.stopRequested = false
    return .stopped
  }

  private func stopsAtBreakpoint(_ debug: ProcessorDebug) -> UInt64? {
    let address = state.pointee.ip | PSR.ri(state.pointee.psr)
    guard debug.control.breakpoints.contains(address), debug.standing != standing else { return nil }
    return address
  }

  /// At the beginning of a turn: what is due to the debugger, then the rest of a block that it has interrupted. Nil: the turn goes on.
  func debuggedTurn(_ debug: ProcessorDebug) -> TurnResult? {
    if let hit = debug.hit { return .over(stop(debug, hit)) }
    if let start = debug.stepStart, start != executionPlace { return .over(stop(debug, .step)) }
    if let request = debug.control.request { return .over(stop(debug, .requested(request))) }
    let retired = state.pointee.instructions
    if retired &- debug.lastLook >= debug.control.lookInterval {
      debug.lastLook = retired
      debug.control.look?()
      if let request = debug.control.request { return .over(stop(debug, .requested(request))) }
    }
    if debug.inside != nil { return .over(finishBlock(debug)) }
    return nil
  }

  enum TurnResult {
    case over(ExitReason?)
  }

  // MARK: Instruction by instruction

  /// In the place of what a turn executes. Nil: stopped, as ``ProcessorDebug/hit`` says.
  func executeDebugged(_ debug: ProcessorDebug, limit: UInt64) -> LoopExit {
    let s = state
    if engine.pointee.mustStep || !noNaT { return stepDebugged(debug) }
    let slot = PSR.ri(s.pointee.psr)
    guard let block = slot == 0 ? findBlock(s.pointee.ip) : findBlockSlow(s.pointee.ip, slot) else { return .fetchFault }
    if debug.stepStart != nil || block.pointee.need == Block.neverFits {
      debug.entered = (block.pointee.physical, slot, fits(block))
      return .step
    }
    engine.pointee.limit = min(limit, s.pointee.instructions &+ debug.control.lookInterval)
    debug.runsBlock = !debug.control.watches.isEmpty
    let exit = runBlocks(block)
    debug.runsBlock = false
    return exit
  }

  /// Where the engine itself would step: the machine is looked at after each instruction.
  private func stepDebugged(_ debug: ProcessorDebug) -> LoopExit {
    if let address = stopsAtBreakpoint(debug) {
      debug.hit = .breakpoint(address)
      return .attention(takenBranch: false)
    }
    let before = state.pointee.instructions
    let exit = stepOnce()
    if state.pointee.instructions != before { debug.standing = nil }
    return exit
  }

  /// A block has come back with ``LoopExit/step``, or with a fault that is the debugger's. True: that has been dealt with.
  func debuggerTakes(_ exit: LoopExit, _ debug: ProcessorDebug) -> Bool {
    switch exit {
    case .step:
      guard let entered = debug.entered else { return false }
      debug.entered = nil
      if entered.fits {
        enterBlock(debug, ip: state.pointee.ip, physical: entered.physical, slot: entered.slot)
        return true
      }
      if let address = stopsAtBreakpoint(debug) {
        debug.hit = .breakpoint(address)
        return true
      }
      // The engine would step: its own way, but the instruction has been arrived at.
      debug.standing = nil
      return false
    case .fault:
      guard let (ip, slot) = debug.interrupted else { return false }
      debug.interrupted = nil
      if let physical = inspectedFetch(ip) { enterBlock(debug, ip: ip, physical: physical, slot: slot) }
      return true
    default: return false
    }
  }

  /// From now on the processor is inside of the block that begins at `ip`, wherever in it.
  private func enterBlock(_ debug: ProcessorDebug, ip: UInt64, physical: UInt64, slot: UInt64) {
    let first = physical & ~0xF
    let host = memory.host(first)
    // Into room that stays free: only where the block ends is of interest.
    var translator = Translator(block: room(groupBytes: 0), offset: first & 0xFF0, domain.specialisations)
    let end = translator.run(
      host.map { UnsafeRawPointer($0) } ?? UnsafeRawPointer(voidBundles), startSlot: Int(slot),
      limitBundles: host == nil ? 1 : Int(256 - (first >> 4 & 0xFF)))
    debug.inside = ProcessorDebug.Inside(ip: ip, physical: first, end: end)
  }

  /// Executes single instructions up to the end of the block that the processor is inside of: a taken branch, an interruption, or its last
  /// instruction. What is due in time waits until then, as it does for blocks.
  private func finishBlock(_ debug: ProcessorDebug) -> ExitReason? {
    let s = state
    while let inside = debug.inside {
      if let address = stopsAtBreakpoint(debug) { return stop(debug, .breakpoint(address)) }
      let distance = s.pointee.ip &- inside.ip
      let before = s.pointee.instructions
      let exit = step(at: inside.physical &+ distance)
      if s.pointee.instructions != before { debug.standing = nil }
      switch exit {
      case .limit(takenBranch: false)
      where Int(s.pointee.ip &- inside.ip) / 16 * 3 + Int(PSR.ri(s.pointee.psr)) < inside.end:
        outsideBlocks()
      default:
        debug.inside = nil
        stopClock()
        if finish(exit) { return .interruption }
      }
      if let hit = debug.hit { return stop(debug, hit) }
      if debug.stepStart != nil { return stop(debug, .step) }
      if let request = debug.control.request { return stop(debug, .requested(request)) }
    }
    return nil
  }

  /// The block could be run as a whole, were it not for the debugger.
  private func fits(_ block: UnsafeMutablePointer<Block>) -> Bool {
    block.pointee.highestTarget <= engine.pointee.frameTop && block.pointee.floatUse & engine.pointee.floatDisabled == 0
  }

  /// The loop has come to a block that it may not enter because of a breakpoint.
  func debuggerEnters(_ block: UnsafeMutablePointer<Block>) {
    debug?.entered = (block.pointee.physical, UInt64(block.pointee.startSlot), fits(block))
  }

  // MARK: Watched references

  /// Looks at a data reference on the slow path. True: it must not happen now, and ends the block.
  func debuggerInterrupts(_ address: UInt64, _ size: Int, _ access: DataAccess) -> Bool {
    // While the guest is presented its translations are only looked up.
    guard let debug, !debug.control.watches.isEmpty, guest == nil, access.isr & ISR.na == 0,
      debug.reaches(address, size, reads: access.reads, writes: access.writes)
    else { return false }
    // IP is the block's, and the slots that have retired tell where in its first bundle it begins.
    debug.interrupted = (state.pointee.ip, state.pointee.instructions &- engine.pointee.blockStart)
    return true
  }

  /// References to this page must be seen.
  func isWatched(page address: UInt64) -> Bool { debug?.control.watchedPages.contains(address >> 12) == true }

  /// Physical address of code, as far as the TLB has it. Nothing changes.
  private func inspectedFetch(_ address: UInt64) -> UInt64? {
    if state.pointee.psr & PSR.it == 0 { return address & Implementation.physicalMask }
    guard let page = instructionTLB.lookup(offset(address), rid(address))?.pointee, page.present else { return nil }
    return page.physical | address & page.mask
  }
}
