import Arithmetic
import CThreadedCode
import IA64

/// What the bodies of micro-operations leave to functions: they get the loop's registers and return those with which it goes on.
extension LogicalProcessor {
  /// Brings what the loop keeps in registers to where everybody finds it.
  @inline(__always) func synchronize(_ r: LoopRegisters) {
    let block = r.block.assumingMemoryBound(to: Block.self)
    state.pointee.ip = r.ip
    state.pointee.instructions = r.start &+ UInt64(block.pointee.startSlot)
    engine.pointee.blockStart = r.start
    engine.pointee.position = UInt64(r.operation.pointee.position)
  }

  /// Ends the loop.
  @inline(__always) private func leaving(_ r: LoopRegisters, _ exit: LoopExit) -> LoopRegisters {
    engine.pointee.exit = exit
    return r.at(engine.pointee.leave)
  }

  /// Leaves the loop's convention: IP and PSR.ri name the next instruction.
  @inline(__always) private func leave(_ ip: UInt64, _ slot: UInt64) {
    state.pointee.ip = ip
    state.pointee.psr |= slot << PSR.riShift
  }

  // MARK: Ways out

  /// Slots up to the beginning of the block in `r`, at its first instruction, are retired, and they are enough.
  @inline(never) func stopAtLimit(_ r: LoopRegisters) -> LoopRegisters {
    state.pointee.instructions = r.start
    leave(r.ip, 0)
    return leaving(r, .limit(takenBranch: true))
  }

  /// The same behind the end of a block.
  @inline(never) func stopAtEnd(_ r: LoopRegisters) -> LoopRegisters {
    let slot = UInt64(r.operation.pointee.c)
    state.pointee.instructions = r.start &+ slot
    leave(r.ip, slot)
    return leaving(r, .limit(takenBranch: false))
  }

  /// The precise form of the check at a block's entry, for frames and FP disable bits that fail the quick one.
  @inline(never) func enterSlowly(_ r: LoopRegisters) -> LoopRegisters {
    let block = r.block.assumingMemoryBound(to: Block.self)
    if block.pointee.need == Block.neverFits {
      debuggerEnters(block)
    } else if block.pointee.highestTarget <= engine.pointee.frameTop
      && block.pointee.floatUse & engine.pointee.floatDisabled == 0
    {
      return r.at(r.operation + 1)
    }
    let slot = UInt64(block.pointee.startSlot)
    state.pointee.instructions = r.start &+ slot
    leave(r.ip, slot)
    return leaving(r, .step)
  }

  /// A fault of the micro-operation: IP and PSR.ri name its instruction.
  @inline(never) private func stop(_ r: LoopRegisters) -> LoopRegisters {
    let position = UInt64(r.operation.pointee.position)
    let e = engine
    state.pointee.instructions = r.start &+ position
    if position > UInt64(r.block.assumingMemoryBound(to: Block.self).pointee.startSlot) {
      e.pointee.previousIP = r.ip
      e.pointee.previousPosition = position &- 1
    }
    leave(r.ip &+ position / 3 &* 16, position % 3)
    return leaving(r, .fault(position: position % 3))
  }

  /// The instruction returned something else than `next`.
  @inline(never) private func leaveLoop(_ result: StepResult, _ r: LoopRegisters) -> LoopRegisters {
    let op = r.operation
    let position = UInt64(op.pointee.position)
    let e = engine
    switch result {
    case .fault: return stop(r)
    case .branch:
      let target = e.pointee.branchTarget
      e.pointee.previousIP = r.ip
      e.pointee.previousPosition = position
      var next = r
      next.ip = target
      next.start = r.start &+ position &+ 1
      return next.start >= e.pointee.limit ? stopAtLimit(next) : jumpMiss(next)
    case .next, .exit, .trap:
      if op.pointee.tag == .ld8Fill || op.pointee.tag == .loadSpecial { updateBase(op) }
      state.pointee.instructions = r.start &+ position &+ 1
      // An instruction that has just set PSR.ic does not count for IIPA.
      if e.pointee.keepsPrevious {
        e.pointee.keepsPrevious = false
      } else {
        e.pointee.previousIP = r.ip
        e.pointee.previousPosition = position
      }
      let next = position &+ 1
      leave(r.ip &+ next / 3 &* 16, next % 3)
      return leaving(
        r, result == .trap ? .trap(position: position % 3, takenBranch: false) : .attention(takenBranch: false))
    case .jumped:
      e.pointee.keepsPrevious = false
      state.pointee.instructions = r.start &+ position &+ 1
      return leaving(r, .jumped)
    }
  }

  /// A load that sets a NaT bit leaves the loop before the micro-operation behind it, which updates its base.
  private func updateBase(_ op: Operations) {
    let update = op[1]
    guard update.position == op.pointee.position else { return }
    let base = state.gr[Int(update.a)]
    switch update.tag {
    case .addImm: state.gr[Int(update.d)] = base &+ UInt64(bitPattern: update.imm)
    case .add: state.gr[Int(update.d)] = base &+ state.gr[Int(update.b)]
    default: break
    }
  }

  // MARK: Transfers

  /// To the address in `ip`, which the jump cache does not know.
  @inline(never) func jumpMiss(_ r: LoopRegisters) -> LoopRegisters {
    engine.pointee.jumpMisses &+= 1
    // Who looks at the walk of the VHPT finds the processor at the target.
    state.pointee.ip = r.ip
    state.pointee.instructions = r.start
    engine.pointee.blockStart = r.start
    engine.pointee.position = 0
    if let next = findBlock(r.ip) { return r.entering(next) }
    leave(r.ip, 0)
    return leaving(r, .fetchFault)
  }

  /// A link leads nowhere yet; the branch in front of it has been taken, in the block that `r` names.
  @inline(never) func resolve(_ r: LoopRegisters) -> LoopRegisters {
    let branch = r.operation - 1
    let from = r.block.assumingMemoryBound(to: Block.self)
    let known = branch.pointee.tag == .end ? 0 : branch.pointee.c
    let slot = branch.pointee.tag == .end ? branch.pointee.c : 0
    let top = known != 0 ? known : from.pointee.highestTarget
    let floatUse = from.pointee.floatUse
    let emptiedBefore = blocks.emptied
    let to = blockAt(from.pointee.physical & ~0xFFF | r.ip & 0xFF0, UInt64(slot))
    // If the arena was emptied, `from` and its link are gone.
    guard blocks.emptied == emptiedBefore else { return r.entering(to) }
    // What it needs, in the layout of the gate, is given whenever the branch is.
    let need = to.pointee.need
    let holds =
      need & 0x7FFF <= UInt32(top) && (need >> 16) & ~UInt32(floatUse) == 0 && domain.specialisations.contains(.frames)
    let link = r.op.assumingMemoryBound(to: Link.self)
    link.pointee.entry = UnsafeMutableRawPointer(holds ? Block.operations(to) : Block.entry(to))
    link.pointee.block = to
    return r.entering(to)
  }

  /// The block that `r` would begin has been written to.
  @inline(never) func renew(_ r: LoopRegisters) -> LoopRegisters {
    let old = r.block.assumingMemoryBound(to: Block.self)
    blocks.renewed &+= 1
    let entry = jumps + Int((r.ip >> 4) & UInt64(JumpEntry.count - 1))
    if entry.pointee.block == old { entry.pointee = .none }
    return r.entering(blockAt(old.pointee.physical, UInt64(old.pointee.startSlot)))
  }

  /// A return that lowers privilege, restores NaTs or needs loads. `r` is what it has come to.
  @inline(never) func returnNeedsAttention(_ r: LoopRegisters) -> LoopRegisters {
    let s = state
    let position = UInt64(r.operation.pointee.position)
    s.pointee.instructions = r.start
    leave(r.ip, 0)
    let level = s.ar[AR.pfs] >> 62
    let psr = s.pointee.psr
    guard level > PSR.cpl(psr) else { return leaving(r, .attention(takenBranch: true)) }
    // Time is that of the branch.
    engine.pointee.blockStart = r.start &- position &- 1
    engine.pointee.position = position
    setPSR(psr & ~PSR.cplMask | level << PSR.cplShift, after: 1)
    guard psr & PSR.lp != 0 else { return leaving(r, .attention(takenBranch: true)) }
    raise(.lowerPrivilegeTransfer, isr: 2)
    s.pointee.fault.isTrap = true
    return leaving(r, .trap(position: position % 3, takenBranch: true))
  }

  /// br.ctop, br.cexit, br.wtop, br.wexit (Volume 3, br): returns whether the branch is taken.
  @inline(never) func rotateAndBranch(_ o: Operations) -> Bool {
    let s = state
    let ec = s.ar[AR.ec]
    var taken: Bool
    let newP63: UInt8
    var rotates = true
    if o.pointee.e < 2 {
      if s.ar[AR.lc] != 0 {
        s.ar[AR.lc] &-= 1
        newP63 = 1
        taken = true
      } else {
        newP63 = 0
        if ec != 0 { s.ar[AR.ec] = ec &- 1 } else { rotates = false }
        taken = ec > 1
      }
    } else {
      let predicate = s.pr[Int(o.pointee.a)] != 0
      newP63 = 0
      if predicate {
        taken = true
      } else {
        if ec != 0 { s.ar[AR.ec] = ec &- 1 } else { rotates = false }
        taken = ec > 1
      }
    }
    s.pr[63] = newP63
    if rotates { rotateOnce() }
    // cexit and wexit leave the loop where ctop and wtop stay in it.
    if o.pointee.e & 1 != 0 { taken.toggle() }
    return taken
  }

  // MARK: Instructions

  /// Goes on behind the micro-operation, and `length` units behind it.
  @inline(__always) private func after(_ result: StepResult, _ r: LoopRegisters, _ length: Int = 1) -> LoopRegisters {
    result == .next ? r.at(r.operation + length) : leaveLoop(result, r)
  }

  @inline(never) func illegal(_ r: LoopRegisters) -> LoopRegisters {
    synchronize(r)
    raise(.generalException, isr: GeneralException.illegalOperation)
    return stop(r)
  }

  @inline(never) func disabledFP(_ r: LoopRegisters) -> LoopRegisters {
    synchronize(r)
    raise(.disabledFP, isr: UInt64(bitPattern: r.operation.pointee.imm))
    return stop(r)
  }

  @inline(never) func generalOperation(_ r: LoopRegisters) -> LoopRegisters {
    synchronize(r)
    return after(general(r.operation), r, 2)
  }

  @inline(never) func floatingOperation(_ r: LoopRegisters) -> LoopRegisters {
    synchronize(r)
    return after(
      floating(r.operation.pointee, UnsafeMutableRawPointer(r.operation + 1).load(as: GeneralOperands.self)), r, 2)
  }

  @inline(never) func loadMiss(_ r: LoopRegisters, _ size: Int, _ increments: Bool) -> LoopRegisters {
    synchronize(r)
    engine.pointee.dataMisses &+= 1
    let op = r.operation
    let (value, ok) = readSlow(state.gr[Int(op.pointee.b)], size)
    guard ok else { return stop(r) }
    state.gr[Int(op.pointee.d)] = value
    if increments { state.gr[Int(op.pointee.b)] &+= UInt64(bitPattern: op.pointee.imm) }
    return r.at(op + 1)
  }

  @inline(never) func storeMiss(_ r: LoopRegisters, _ size: Int, _ increments: Bool) -> LoopRegisters {
    synchronize(r)
    engine.pointee.dataMisses &+= 1
    let op = r.operation
    let address = state.gr[Int(op.pointee.b)]
    let value = state.gr[Int(op.pointee.a)]
    if state.pointee.alat.filter != 0, let host = quickWrite(address, UInt64(size)) {
      switch size {
      case 1: host.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
      case 2: host.storeBytes(of: UInt16(truncatingIfNeeded: value), as: UInt16.self)
      case 4: host.storeBytes(of: UInt32(truncatingIfNeeded: value), as: UInt32.self)
      default: host.storeBytes(of: value, as: UInt64.self)
      }
    } else if !writeSlow(address, size, value) {
      return stop(r)
    }
    if increments { state.gr[Int(op.pointee.b)] &+= UInt64(bitPattern: op.pointee.imm) }
    return r.at(op + 1)
  }

  @inline(never) func loadFill(_ r: LoopRegisters) -> LoopRegisters {
    synchronize(r)
    return after(loadFill(r.operation.pointee), r)
  }

  @inline(never) func storeSpill(_ r: LoopRegisters) -> LoopRegisters {
    synchronize(r)
    return after(storeSpill(r.operation.pointee), r)
  }

  @inline(never) func loadSpecial(_ r: LoopRegisters) -> LoopRegisters {
    synchronize(r)
    return after(loadSpecial(r.operation.pointee), r)
  }

  @inline(never) func loadFP(_ r: LoopRegisters) -> LoopRegisters {
    synchronize(r)
    return after(loadFP(r.operation.pointee), r)
  }

  @inline(never) func storeFP(_ r: LoopRegisters) -> LoopRegisters {
    synchronize(r)
    return after(storeFP(r.operation.pointee), r)
  }

  @inline(never) func loadFloatMiss(_ r: LoopRegisters, _ increments: Bool) -> LoopRegisters {
    synchronize(r)
    engine.pointee.dataMisses &+= 1
    return floatMissed(loadFP(withoutIncrement(r.operation)), r, increments)
  }

  @inline(never) func storeFloatMiss(_ r: LoopRegisters, _ increments: Bool) -> LoopRegisters {
    synchronize(r)
    engine.pointee.dataMisses &+= 1
    return floatMissed(storeFP(withoutIncrement(r.operation)), r, increments)
  }

  /// imm is the increment in a fused operation, and whether the register is filled or spilled in others.
  private func withoutIncrement(_ op: Operations) -> MicroOp {
    var plain = op.pointee
    switch plain.tag {
    case .ldfFill, .ldfFillInc, .stfSpill, .stfSpillInc: plain.imm = 1
    default: plain.imm = 0
    }
    return plain
  }

  private func floatMissed(_ result: StepResult, _ r: LoopRegisters, _ increments: Bool) -> LoopRegisters {
    if increments && result == .next {
      state.gr[Int(r.operation.pointee.b)] &+= UInt64(bitPattern: r.operation.pointee.imm)
    }
    return after(result, r)
  }

  /// getf.sig of what is not kept as the manual lays it out, and of NaTVal: a NaT bit.
  @inline(never) func getUnusualSignificand(_ r: LoopRegisters) -> LoopRegisters {
    let value = state.f(r.operation.pointee.a).value
    state.gr[Int(r.operation.pointee.d)] = value.significand
    guard value.isNaTVal else { return r.at(r.operation + 1) }
    state.setNaT(r.operation.pointee.d, true)
    return leaveLoop(.exit, r)
  }

  @inline(never) func mergeSigns(_ r: LoopRegisters) -> LoopRegisters {
    let op = r.operation
    let (sign, value) = (state.f(op.pointee.a).value, state.f(op.pointee.b).value)
    state.f(op.pointee.d).value =
      sign.isNaTVal || value.isNaTVal ? .natVal : FloatArithmetic.mergeSign(sign, value, negate: false)
    state.pointee.psr |= op.pointee.d < 32 ? PSR.mfl : PSR.mfh
    return r.at(op + 1)
  }

  /// A division: goes on behind the steps of which it consists, or with the first of them.
  @inline(never) func divideIntegers(_ r: LoopRegisters) -> LoopRegisters {
    let op = r.operation
    return r.at(op + 2 + (HostDivision.integers(state, op) ? Int(op.pointee.imm) : 0))
  }

  @inline(never) func divideDoubles(_ r: LoopRegisters) -> LoopRegisters {
    let op = r.operation
    return r.at(op + 2 + (HostDivision.doubles(state, op) ? Int(op.pointee.imm) : 0))
  }

  /// ldfd of what is no double of the host, or misses.
  @inline(never) func loadDouble(_ r: LoopRegisters, _ increments: Bool) -> LoopRegisters {
    let op = r.operation
    let address = state.gr[Int(op.pointee.b)]
    guard let host = quickRead(address, 8) else { return loadFloatMiss(r, increments) }
    let bits = host.load(as: UInt64.self)
    if bits &<< 1 == 0 { state.f(op.pointee.d).keep(bits) } else { state.f(op.pointee.d).value = FloatMemory.loadDouble(bits) }
    state.pointee.psr |= UInt64(op.pointee.a)
    if increments { state.gr[Int(op.pointee.b)] = address &+ UInt64(bitPattern: op.pointee.imm) }
    return r.at(op + 1)
  }

  /// stfd of what is no double of the host, or misses.
  @inline(never) func storeDouble(_ r: LoopRegisters, _ increments: Bool) -> LoopRegisters {
    let op = r.operation
    let address = state.gr[Int(op.pointee.b)]
    let value = state.f(op.pointee.d).value
    guard !value.isNaTVal, let host = quickWrite(address, 8) else { return storeFloatMiss(r, increments) }
    host.storeBytes(of: FloatMemory.storeDouble(value), as: UInt64.self)
    if increments { state.gr[Int(op.pointee.b)] = address &+ UInt64(bitPattern: op.pointee.imm) }
    return r.at(op + 1)
  }

  /// A multiply-add for the host whose operands or result are not.
  @inline(never) func hostMultiplyAddOfOthers(_ r: LoopRegisters) -> LoopRegisters {
    // Among operands of which none is a double yet there mostly is one that cannot be: a division's last step.
    if HostMultiplyAdd.anyDouble(state, r.operation) {
      if HostMultiplyAdd.withPacking(state, r.operation) { return r.at(r.operation + 1) }
      HostMultiplyAdd.unpack(state, r.operation)
    }
    return OrdinaryMultiplyAdd.again(state, r.operation) ? r.at(r.operation + 1) : unusualMultiplyAdd(r)
  }

  /// A multiply-add that is none of the ordinary ones, or has operands that are kept as the host's doubles.
  @inline(never) func unusualMultiplyAdd(_ r: LoopRegisters) -> LoopRegisters {
    if HostMultiplyAdd.anyDouble(state, r.operation) {
      HostMultiplyAdd.unpack(state, r.operation)
      if OrdinaryMultiplyAdd.again(state, r.operation) { return r.at(r.operation + 1) }
    }
    synchronize(r)
    return after(multiplyAddOfAny(r.operation), r)
  }

  @inline(never) func multiplyAddInteger(_ r: LoopRegisters) -> LoopRegisters {
    let op = r.operation
    let (x, y, z) = (state.f(op.pointee.a), state.f(op.pointee.b), state.f(op.pointee.c))
    // Integers, and f0.
    if op.pointee.e == 0 && (x.tag ^ 0x1003E) | (y.tag ^ 0x1003E) | (z.tag ^ (op.pointee.c == 0 ? 0 : 0x1003E)) == 0 {
      state.f(op.pointee.d).value = .integer(x.word &* y.word &+ z.word)
      state.pointee.psr |= op.pointee.d < 32 ? PSR.mfl : PSR.mfh
    } else {
      multiplyAddInteger(op.pointee)
    }
    return r.at(op + 1)
  }

  @inline(never) func convertFromInteger(_ r: LoopRegisters) -> LoopRegisters {
    convertFromInteger(r.operation)
    return r.at(r.operation + 1)
  }

  @inline(never) func convertToInteger(_ r: LoopRegisters) -> LoopRegisters {
    synchronize(r)
    return after(convertToInteger(r.operation), r)
  }

  @inline(never) func reciprocal(_ r: LoopRegisters) -> LoopRegisters {
    synchronize(r)
    return after(reciprocal(r.operation), r, 2)
  }
}

extension LoopRegisters {
  var operation: Operations { @inline(__always) get { op.assumingMemoryBound(to: MicroOp.self) } }

  /// The same with another micro-operation.
  @inline(__always) func at(_ next: Operations) -> LoopRegisters {
    LoopRegisters(op: UnsafeMutableRawPointer(next), ip: ip, start: start, block: block)
  }

  /// At the beginning of a block.
  @inline(__always) func entering(_ next: UnsafeMutablePointer<Block>) -> LoopRegisters {
    LoopRegisters(
      op: UnsafeMutableRawPointer(Block.entry(next)), ip: ip, start: start, block: UnsafeMutableRawPointer(next))
  }
}
