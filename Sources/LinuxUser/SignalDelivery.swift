import Glibc
import IA64
import Processor

/// Delivery of signals, and the way back from their handlers.
extension UserProcess {
  /// Acts on everything that is pending and not blocked.
  func deliverSignals() {
    if HostSignals.any {
      for info in HostSignals.take() { signals.post(info) }
    }
    while termination == nil, !signals.pending.isEmpty, let info = signals.take() { deliver(info) }
    if let mask = signals.savedMask {
      signals.savedMask = nil
      setBlocked(mask)
    }
  }

  private func deliver(_ info: SignalInfo) {
    let action = signals.actions[Int(info.signal)]
    let bit = Signal.bit(info.signal)
    if action.handler == SignalAction.ignore { return }
    if action.handler != 0 { return enterHandler(info, action) }
    if Signal.ignoredByDefault & bit != 0 { return }
    if Signal.stopsByDefault & bit != 0 {
      kill(getpid(), info.signal)
      return
    }
    terminate(info.signal, info.cause)
  }

  /// A signal that the current instruction has raised: it can be neither blocked nor ignored.
  func force(_ info: SignalInfo) {
    let action = signals.actions[Int(info.signal)]
    guard action.handler > SignalAction.ignore, signals.blocked & Signal.bit(info.signal) == 0 else {
      return terminate(info.signal, info.cause)
    }
    enterHandler(info, action)
  }

  func terminate(_ signal: Int32, _ cause: String) {
    guard termination == nil else { return }
    var text = "killed by \(Signal.name(signal)) at ip 0x" + String(instructionPointer, radix: 16)
    if !cause.isEmpty { text += " (\(cause))" }
    termination = .killed(signal: signal, explanation: text)
  }

  func setBlocked(_ mask: UInt64) {
    signals.blocked = mask & ~Signal.unblockable
    HostSignals.setMask(signals.blocked)
  }

  // MARK: Into a handler

  private func enterHandler(_ info: SignalInfo, _ action: SignalAction) {
    let s = processor.state
    let ip = instructionPointer
    let cfm = processor.cfm
    var stackPointer = s.gr[12]
    var backingStoreBase: UInt64 = 0
    if action.flags & SignalAction.Flag.onStack != 0, signals.stack.size != 0, !signals.stack.contains(stackPointer) {
      stackPointer = signals.stack.base &+ signals.stack.size
      if !signals.stack.contains(s.pointee.bspStore) { backingStoreBase = (signals.stack.base &+ 7) & ~7 }
    }
    let frame = (stackPointer &- SignalFrame.size) & ~15
    guard coverFrame(), backingStoreBase == 0 || flushRegisterStack() else {
      return terminate(Signal.segmentation, "no register stack for the handler of \(Signal.name(info.signal))")
    }
    let context = SignalContext(
      processor, ip: ip, cfm: cfm, mask: signals.savedMask ?? signals.blocked, stack: signals.stack,
      onStack: signals.stack.contains(frame), backingStoreBase: backingStoreBase)
    signals.savedMask = nil
    do throws(SystemError) {
      try space.store(frame &+ SignalFrame.argument0, UInt64(info.signal))
      try space.store(frame &+ SignalFrame.argument1, frame &+ SignalFrame.info)
      try space.store(frame &+ SignalFrame.argument2, frame &+ SignalFrame.context)
      try space.store(frame &+ SignalFrame.handler, action.handler)
      try space.write(frame &+ SignalFrame.info, info.bytes)
      try space.write(frame &+ SignalFrame.context, context.contents)
      s.br[6] = try space.load(action.handler)
      s.gr[1] = try space.load(action.handler &+ 8)
    } catch {
      return terminate(Signal.segmentation, "no stack for the handler of \(Signal.name(info.signal))")
    }
    if backingStoreBase != 0 {
      processor.setAR(AR.bspstore, backingStoreBase)
      processor.setAR(AR.rnat, 0)
    }
    s.gr[12] = frame &- 16
    s.gr[14] = UInt64(info.signal)
    s.gr[15] = frame &+ SignalFrame.info
    s.gr[16] = frame &+ SignalFrame.context
    // r4...r7 keep their NaT bits: they belong to the interrupted code.
    s.pointee.natLow &= 0xF0
    s.ar[AR.fpsr] = SignalContext.defaultFPSR
    processor.setPSR(s.pointee.psr & ~PSR.be)
    setInstructionPointer(GatePage.trampolineCall)

    if action.flags & SignalAction.Flag.reset != 0 {
      signals.actions[Int(info.signal)].handler = 0
      HostSignals.release(info.signal, ignore: false)
    }
    let own = action.flags & SignalAction.Flag.noDefer != 0 ? 0 : Signal.bit(info.signal)
    setBlocked(signals.blocked | action.mask | own)
  }

  /// Pushes the whole frame into the dirty partition, by executing the trampoline's `cover`.
  private func coverFrame() -> Bool {
    // A frame whose registers could not be loaded is covered as far as it came (RSE.CFLE ends at an interruption).
    processor.state.pointee.frameIncomplete = false
    setInstructionPointer(GatePage.trampoline)
    // The first attempts may miss the TLB; the nops in front of it are instructions of their own.
    for _ in 0..<8 {
      if instructionPointer == GatePage.trampolineCall { return true }
      if processor.step() == .interruption { handleInterruption() }
      if termination != nil { return false }
    }
    return false
  }

  private func flushRegisterStack() -> Bool {
    // Each failure is a page of the backing store that has yet to be made: at most one for each spilled register.
    for _ in 0..<128 {
      if processor.flushRegisterStack() { return true }
      let fault = processor.state.pointee.fault
      guard case .present(let physical, let protection) = space.page(fault.ifa, for: .write) else { return false }
      space.insert(instruction: false, fault.ifa, physical: physical, protection)
    }
    return false
  }

  // MARK: Back from a handler

  /// `rt_sigreturn`. Throws if the frame is damaged.
  func returnFromHandler() throws(SystemError) {
    let s = processor.state
    let address = s.gr[12] &+ 16 &+ SignalFrame.context
    let context = SignalContext(bytes: try space.read(address, count: SignalContext.size))
    guard SignalContext.isValidFrame(context.cfm), let code = GatePage.returnInstruction(in: space) else {
      throw .badAddress
    }
    processor.setCFM(0)
    context.restore(processor)
    signals.stack = context.stack
    if s.pointee.bsp != context.bsp {
      // The handler ran on a register stack of its own; nothing of it is needed any more.
      s.pointee.dirty = 0
      s.pointee.clean = 0
      processor.setAR(AR.bspstore, context.bsp)
      processor.setAR(AR.rnat, context.rnat)
    }
    let user = s.pointee.psr & ~(PSR.userMask | PSR.riMask) | context.userMask
    let slot = context.ip & 3
    s.cr[CR.ipsr] = user | (slot > 2 ? 0 : slot) << PSR.riShift
    s.cr[CR.iip] = context.ip & ~15
    s.cr[CR.ifs] = context.cfm | 1 << 63
    // Only rfi brings a whole frame back; it runs from the gate page, in the kernel's place.
    processor.setPSR(PSR.bn | 2 << PSR.riShift)
    s.pointee.ip = code
    _ = processor.step()
    setBlocked(context.mask)
  }
}
