import CThreadedCode
import IA64

/// Why the block loop came back.
enum LoopExit {
  /// The slot limit is reached (or was set to 0); IP and PSR.ri name the next instruction. `takenBranch` says how it got there.
  case limit(takenBranch: Bool)
  /// The next block needs the stepper: out-of-frame target or disabled FP registers.
  case step
  /// The machine must be looked at (PSR, NaT, frame, translations); IP and PSR.ri are set.
  case attention(takenBranch: Bool)
  /// The same after rfi or a firmware gate, which take no traps.
  case jumped
  /// The bundle at IP cannot be fetched; `state.pointee.fault` says why.
  case fetchFault
  case fault(position: UInt64)
  case trap(position: UInt64, takenBranch: Bool)
}

extension LogicalProcessor {
  /// Runs blocks from `first` on, until something needs a look. During the loop PSR.ri is zero.
  @inline(never)
  func runBlocks(_ first: UnsafeMutablePointer<Block>) -> LoopExit {
    let s = state
    let e = engine
    let slot = UInt64(first.pointee.startSlot)
    let retired = s.pointee.instructions
    if retired >= e.pointee.limit {
      s.pointee.psr = s.pointee.psr & ~PSR.riMask | slot << PSR.riShift
      return .limit(takenBranch: true)
    }
    s.pointee.psr &= ~PSR.riMask
    e.pointee.jumpContext = e.pointee.jumpContext & ~3 | PSR.cpl(s.pointee.psr)
    let registers = LoopRegisters(
      op: UnsafeMutableRawPointer(Block.entry(first)), ip: s.pointee.ip, start: retired &- slot,
      block: UnsafeMutableRawPointer(first))
    if EngineCounts.isOn {
      runCounted(registers)
    } else {
      enterLoop(UnsafeMutableRawPointer(s), registers, registers.operation.pointee.handler)
    }
    return e.pointee.exit
  }

  /// The same, coming back before each micro-operation. Links, which have no tag, lead on.
  @inline(never)
  private func runCounted(_ first: LoopRegisters) {
    var next: LoopRegisters? = first
    while let registers = next {
      let op = registers.operation
      EngineCounts.note(
        op, registers.ip, isFirst: op == Block.operations(registers.block.assumingMemoryBound(to: Block.self)))
      engine.pointee.counted = nil
      enterLoop(UnsafeMutableRawPointer(state), registers, LoopLabels.body(of: op))
      next = engine.pointee.counted
    }
  }
}
