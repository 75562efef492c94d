import Glibc
import Processor

/// rt_sigaction and its kin, kill, alarms.
extension UserProcess {
  func signalCall(_ number: UInt64, _ a: CallArguments) throws(SystemError) -> CallResult? {
    switch number {
    case Call.rt_sigaction: try changeAction(a)
    case Call.rt_sigprocmask: try changeMask(a)
    case Call.rt_sigreturn:
      do throws(SystemError) { try returnFromHandler() } catch {
        terminate(Signal.segmentation, "rt_sigreturn without a signal frame")
      }
      return .replaced
    case Call.rt_sigpending:
      guard a[1] == 8 else { throw .invalid }
      let own = signals.pending.reduce(UInt64(0)) { $0 | Signal.bit($1.signal) }
      try space.store(a[0], (own | HostSignals.pending()) & signals.blocked)
    case Call.rt_sigsuspend:
      guard a[1] == 8 else { throw .invalid }
      suspend(try space.load(a[0]))
      throw .interrupted
    case Call.rt_sigtimedwait: return .value(try waitForSignal(a))
    case Call.sigaltstack: try changeStack(a)
    case Call.kill: return .value(try send(a.int(0), a.int(1)))
    case Call.tkill: return .value(try send(a.int(0), a.int(1), code: SignalCode.threadKill))
    case Call.tgkill: return .value(try send(a.int(1), a.int(2), code: SignalCode.threadKill))
    case Call.rt_sigqueueinfo:
      guard a.int(0) == getpid() else { throw .noSuchCall }
      var info = SignalInfo(bytes: try space.read(a[2], count: SignalInfo.size))
      info.cause = ""
      guard info.signal == a.int(1), info.signal > 0, info.signal <= Signal.count else { throw .invalid }
      signals.post(info)
    default: return nil
    }
    return .value(0)
  }

  private func changeAction(_ a: CallArguments) throws(SystemError) {
    let signal = a.int(0)
    guard a[3] == 8, signal > 0, signal <= Signal.count else { throw .invalid }
    let old = signals.actions[Int(signal)]
    if a[1] != 0 {
      guard Signal.unblockable & Signal.bit(signal) == 0 else { throw .invalid }
      let handler: UInt64 = try space.load(a[1])
      let flags: UInt64 = try space.load(a[1] &+ 8)
      let mask: UInt64 = try space.load(a[1] &+ 16)
      signals.actions[Int(signal)] = SignalAction(handler: handler, flags: flags, mask: mask & ~Signal.unblockable)
      if signals.isIgnored(signal) { signals.pending.removeAll { $0.signal == signal } }
      // Instructions raise these in the emulator, where the host must not interfere.
      if Signal.synchronous & Signal.bit(signal) == 0 {
        if handler > SignalAction.ignore {
          HostSignals.catchSignal(signal)
        } else {
          HostSignals.release(signal, ignore: handler == SignalAction.ignore)
        }
      }
    }
    if a[2] != 0 {
      try space.store(a[2], old.handler)
      try space.store(a[2] &+ 8, old.flags)
      try space.store(a[2] &+ 16, old.mask)
    }
  }

  private func changeMask(_ a: CallArguments) throws(SystemError) {
    guard a[3] == 8 else { throw .invalid }
    let old = signals.blocked
    if a[1] != 0 {
      let mask: UInt64 = try space.load(a[1])
      switch a.int(0) {
      case 0: setBlocked(old | mask)
      case 1: setBlocked(old & ~mask)
      case 2: setBlocked(mask)
      default: throw .invalid
      }
    }
    if a[2] != 0 { try space.store(a[2], old) }
  }

  /// Waits with another mask in force; the old one comes back when the handler returns.
  private func suspend(_ mask: UInt64) {
    let old = signals.blocked
    // Nothing may arrive between the look and the wait.
    var all = sigset_t()
    sigfillset(&all)
    sigprocmask(SIG_BLOCK, &all, nil)
    signals.blocked = mask & ~Signal.unblockable
    signals.savedMask = old
    if !HostSignals.any && !signals.pending.contains(where: { signals.blocked & Signal.bit($0.signal) == 0 }) {
      var host = HostSignals.mask(signals.blocked)
      sigsuspend(&host)
    }
  }

  private func waitForSignal(_ a: CallArguments) throws(SystemError) -> Int {
    guard a[3] == 8 else { throw .invalid }
    let wanted: UInt64 = try space.load(a[0])
    func taken(_ info: SignalInfo) throws(SystemError) -> Int {
      if a[1] != 0 { try space.write(a[1], info.bytes) }
      return Int(info.signal)
    }
    if let index = signals.pending.firstIndex(where: { wanted & Signal.bit($0.signal) != 0 }) {
      return try taken(signals.pending.remove(at: index))
    }
    var set = HostSignals.mask(wanted)
    var info = siginfo_t()
    var limit = timespec()
    if a[2] != 0 { limit = try space.load(a[2]) }
    let result = a[2] != 0 ? sigtimedwait(&set, &info, &limit) : sigwaitinfo(&set, &info)
    if result < 0 { throw SystemError(errno) }
    return try taken(SignalInfo(bytes: withUnsafeBytes(of: &info) { Array($0) }))
  }

  private func changeStack(_ a: CallArguments) throws(SystemError) {
    let old = signals.stack
    let onStack = old.contains(processor.state.gr[12])
    if a[0] != 0 {
      guard !onStack else { throw .notPermitted }
      let base: UInt64 = try space.load(a[0])
      let flags: Int32 = try space.load(a[0] &+ 8)
      let size: UInt64 = try space.load(a[0] &+ 16)
      guard flags & ~(AlternateStack.disabled | AlternateStack.onStack) == 0 else { throw .invalid }
      if flags & AlternateStack.disabled != 0 {
        signals.stack = AlternateStack()
      } else {
        // MINSIGSTKSZ, whose odd value is ia64's ABI.
        guard size >= 131_027 else { throw .noMemory }
        signals.stack = AlternateStack(base: base, size: size)
      }
    }
    if a[1] != 0 {
      try space.store(a[1], old.base)
      try space.store(a[1] &+ 8, old.size == 0 ? AlternateStack.disabled : onStack ? AlternateStack.onStack : Int32(0))
      try space.store(a[1] &+ 16, old.size)
    }
  }

  private func send(_ target: Int32, _ signal: Int32, code: Int32 = 0) throws(SystemError) -> Int {
    guard signal >= 0, signal <= Signal.count else { throw .invalid }
    if target == getpid() {
      if signal != 0 {
        if signal == Signal.kill { terminate(signal, "") } else { signals.post(.sent(signal, code: code)) }
      }
      return 0
    }
    return try HostKernel.check(kill(target, signal))
  }
}
