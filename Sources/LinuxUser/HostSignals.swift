import Glibc

/// Signals that reach the host's process on behalf of the program.
///
/// The host's handler only notes a signal; the program sees it at the next look. A signal may arrive between that look and a
/// blocking system call; so the handler starts a timer that keeps interrupting until the note has been read.
enum HostSignals {
  /// Interrupts blocking calls; out of the range that C libraries use.
  private static let kick: Int32 = 60

  /// Notes, one `siginfo_t` for each signal.
  nonisolated(unsafe) private static let notes: UnsafeMutablePointer<siginfo_t> = {
    let memory = UnsafeMutablePointer<siginfo_t>.allocate(capacity: 65)
    memory.initialize(repeating: siginfo_t(), count: 65)
    return memory
  }()
  /// One byte for each signal that has been noted; [0]: any.
  nonisolated(unsafe) private static let noted: UnsafeMutablePointer<UInt8> = {
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 65)
    memory.initialize(repeating: 0, count: 65)
    return memory
  }()
  nonisolated(unsafe) private static var timer: timer_t?
  nonisolated(unsafe) private static var timerOwner: pid_t = 0

  /// Everything that a handler touches must exist before it runs.
  static func prepare() {
    _ = notes
    _ = noted
    guard timerOwner != getpid() else { return }
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in }
    sigaction(kick, &action, nil)
    var event = sigevent()
    event.sigev_notify = Int32(SIGEV_SIGNAL)
    event.sigev_signo = kick
    var created: timer_t?
    timer = timer_create(CLOCK_MONOTONIC, &event, &created) == 0 ? created : nil
    timerOwner = getpid()
  }

  /// Whether whoever started the emulator had a signal ignored (nohup).
  static func isIgnored(_ signal: Int32) -> Bool {
    var action = sigaction()
    guard sigaction(signal, nil, &action) == 0 else { return false }
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
  }

  static var any: Bool { noted[0] != 0 }

  /// Has the host note a signal.
  static func catchSignal(_ signal: Int32) {
    guard signal != kick else { return }
    var action = sigaction()
    action.sa_flags = SA_SIGINFO
    sigfillset(&action.sa_mask)
    action.__sigaction_handler.sa_sigaction = { signal, info, _ in
      if let info { HostSignals.notes[Int(signal)] = info.pointee }
      HostSignals.noted[Int(signal)] = 1
      HostSignals.noted[0] = 1
      HostSignals.setTimer(milliseconds: 10)
    }
    sigaction(signal, &action, nil)
  }

  /// Gives a signal its default, or ignores it.
  static func release(_ signal: Int32, ignore: Bool) {
    guard signal != kick else { return }
    var action = sigaction()
    action.__sigaction_handler.sa_handler = ignore ? SIG_IGN : SIG_DFL
    sigaction(signal, &action, nil)
  }

  /// Signals noted since the last look.
  static func take() -> [SignalInfo] {
    guard any else { return [] }
    var all = sigset_t()
    var old = sigset_t()
    sigfillset(&all)
    sigprocmask(SIG_BLOCK, &all, &old)
    defer { sigprocmask(SIG_SETMASK, &old, nil) }
    setTimer(milliseconds: 0)
    noted[0] = 0
    var result: [SignalInfo] = []
    for signal in 1...64 where noted[signal] != 0 {
      noted[signal] = 0
      result.append(SignalInfo(bytes: withUnsafeBytes(of: &notes[signal]) { Array($0) }))
    }
    return result
  }

  private static func setTimer(milliseconds: Int) {
    guard let timer, timerOwner == getpid() else { return }
    let interval = timespec(tv_sec: 0, tv_nsec: milliseconds * 1_000_000)
    var setting = itimerspec(it_interval: interval, it_value: interval)
    timer_settime(timer, 0, &setting, nil)
  }

  /// The host's mask for a program's mask: the program must not lock out what keeps the emulator alive.
  static func mask(_ program: UInt64) -> sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    let allowed = program & ~(Signal.unblockable | Signal.synchronous | Signal.bit(kick))
    for signal in 1...Signal.count where allowed & Signal.bit(signal) != 0 { sigaddset(&set, signal) }
    return set
  }

  static func setMask(_ program: UInt64) {
    var set = mask(program)
    sigprocmask(SIG_SETMASK, &set, nil)
  }

  /// Signals that the host holds back because they are blocked.
  static func pending() -> UInt64 {
    var set = sigset_t()
    guard sigpending(&set) == 0 else { return 0 }
    var result: UInt64 = 0
    for signal in 1...Signal.count where sigismember(&set, signal) == 1 { result |= Signal.bit(signal) }
    return result
  }

  /// Ends this process by a signal, as its parent must see it.
  static func die(of signal: Int32) -> Never {
    var limit = rlimit(rlim_cur: 0, rlim_max: 0)
    setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
    release(signal, ignore: false)
    var set = sigset_t()
    sigemptyset(&set)
    sigprocmask(SIG_SETMASK, &set, nil)
    kill(getpid(), signal)
    _exit(128 + signal)
  }
}
