import Glibc
import Processor

/// Signal numbers; ia64 has the generic ones.
enum Signal {
  static let illegal: Int32 = 4
  static let trap: Int32 = 5
  static let abort: Int32 = 6
  static let bus: Int32 = 7
  static let floatingPoint: Int32 = 8
  static let kill: Int32 = 9
  static let segmentation: Int32 = 11
  static let child: Int32 = 17
  static let stop: Int32 = 19
  static let count: Int32 = 64

  static func bit(_ signal: Int32) -> UInt64 { 1 << UInt64(signal - 1) }
  static let unblockable = bit(kill) | bit(stop)
  /// Signals whose default is to do nothing (SIGCHLD, SIGCONT, SIGURG, SIGWINCH).
  static let ignoredByDefault = bit(17) | bit(18) | bit(23) | bit(28)
  /// SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU.
  static let stopsByDefault = bit(19) | bit(20) | bit(21) | bit(22)
  /// Raised by instructions; the host's own handlers for them stay out of the program's reach.
  static let synchronous = bit(illegal) | bit(trap) | bit(bus) | bit(floatingPoint) | bit(segmentation)

  static func name(_ signal: Int32) -> String {
    let names = [
      "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
      "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR",
      "SYS",
    ]
    return signal > 0 && signal < names.count ? "SIG" + names[Int(signal)] : "signal \(signal)"
  }
}

/// Values of `si_code`; those with no generic name are ia64's own.
enum SignalCode {
  static let kernel: Int32 = 0x80
  static let threadKill: Int32 = -6
  static let illegalOpcode: Int32 = 1
  static let illegalOperand: Int32 = 2
  static let illegalBreak: Int32 = 10
  static let bundleUpdate: Int32 = 11
  static let integerDivide: Int32 = 1
  static let integerOverflow: Int32 = 2
  static let floatDivide: Int32 = 3
  static let floatOverflow: Int32 = 4
  static let floatUnderflow: Int32 = 5
  static let floatInexact: Int32 = 6
  static let floatInvalid: Int32 = 7
  static let subscriptRange: Int32 = 8
  static let decimalBase: Int32 = 9
  static let mapError: Int32 = 1
  static let accessError: Int32 = 2
  static let paragraphStackOverflow: Int32 = 3
  static let unalignedAddress: Int32 = 1
  static let busAlignment: Int32 = 1
  static let breakpoint: Int32 = 1
  static let trace: Int32 = 2
  static let branch: Int32 = 3
  static let hardwareBreakpoint: Int32 = 4
}

/// A `siginfo_t` of 128 bytes; but for faults its layout is the same on ia64 and the hosts.
struct SignalInfo {
  static let size = 128
  var bytes = [UInt8](repeating: 0, count: SignalInfo.size)
  /// For the message if nobody handles it.
  var cause = ""

  var signal: Int32 { word(0) }

  init(bytes: [UInt8]) {
    self.bytes = Array((bytes + [UInt8](repeating: 0, count: Self.size)).prefix(Self.size))
  }

  init(signal: Int32, code: Int32) {
    put(0, signal)
    put(8, code)
  }

  /// Sent by a process to itself.
  static func sent(_ signal: Int32, code: Int32 = 0) -> SignalInfo {
    var info = SignalInfo(signal: signal, code: code)
    info.put(16, getpid())
    info.put(20, getuid())
    return info
  }

  /// Raised by an instruction: address, immediate of `break`, and ISR with its valid flag.
  static func fault(_ signal: Int32, code: Int32, _ fault: PendingInterruption, address: UInt64) -> SignalInfo {
    var info = SignalInfo(signal: signal, code: code)
    info.put(16, address)
    info.put(24, Int32(truncatingIfNeeded: fault.iim))
    info.put(28, UInt32(1))
    info.put(32, fault.isr)
    info.cause = "\(fault.vector)"
    if fault.writes.contains(.ifa) { info.cause += ", address 0x" + String(fault.ifa, radix: 16) }
    if fault.writes.contains(.iim) { info.cause += " 0x" + String(fault.iim, radix: 16) }
    return info
  }

  private func word(_ offset: Int) -> Int32 {
    bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Int32.self) }
  }
  private mutating func put<T: FixedWidthInteger>(_ offset: Int, _ value: T) {
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: value, toByteOffset: offset, as: T.self) }
  }
}

/// What the program wants done with a signal.
struct SignalAction {
  static let ignore: UInt64 = 1
  enum Flag {
    static let noChildWait: UInt64 = 2
    static let onStack: UInt64 = 0x0800_0000
    static let restart: UInt64 = 0x1000_0000
    static let noDefer: UInt64 = 0x4000_0000
    static let reset: UInt64 = 0x8000_0000
  }
  /// 0: the default; 1: ignored; else the address of a function descriptor.
  var handler: UInt64 = 0
  var flags: UInt64 = 0
  var mask: UInt64 = 0
}

/// Alternate stack of `sigaltstack`.
struct AlternateStack {
  static let disabled: Int32 = 2
  static let onStack: Int32 = 1
  var base: UInt64 = 0
  var size: UInt64 = 0

  func contains(_ address: UInt64) -> Bool { size != 0 && address &- base < size }
}

/// The signals of one process.
struct SignalState {
  var actions = [SignalAction](repeating: SignalAction(), count: Int(Signal.count) + 1)
  var blocked: UInt64 = 0
  /// Mask to put back after the handler that ends an `rt_sigsuspend` or `ppoll`.
  var savedMask: UInt64?
  /// Sent by the process to itself, not yet delivered.
  var pending: [SignalInfo] = []
  var stack = AlternateStack()

  /// What a new program inherits: signals that its starter ignores stay ignored.
  mutating func inherit() {
    for signal in 1...Signal.count where HostSignals.isIgnored(signal) {
      actions[Int(signal)].handler = SignalAction.ignore
    }
  }

  /// A signal that is ignored, by request or by default, leaves no trace.
  func isIgnored(_ signal: Int32) -> Bool {
    let handler = actions[Int(signal)].handler
    return handler == SignalAction.ignore || (handler == 0 && Signal.ignoredByDefault & Signal.bit(signal) != 0)
  }

  mutating func post(_ info: SignalInfo) {
    guard !isIgnored(info.signal) || blocked & Signal.bit(info.signal) != 0 else { return }
    // Only real-time signals queue.
    if info.signal < 32 && pending.contains(where: { $0.signal == info.signal }) { return }
    guard pending.count < 1024 else { return }
    pending.append(info)
  }

  /// The next signal to deliver, lowest number first.
  mutating func take() -> SignalInfo? {
    var best: Int?
    for (index, info) in pending.enumerated() where blocked & Signal.bit(info.signal) == 0 {
      if let b = best, pending[b].signal <= info.signal { continue }
      best = index
    }
    return best.map { pending.remove(at: $0) }
  }
}
