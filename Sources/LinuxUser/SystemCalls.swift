import Glibc
import Processor

/// What a system call leaves in the registers.
enum CallResult {
  case value(Int)
  /// r8 and r9.
  case pair(Int, Int)
  /// The registers are those of another context already.
  case replaced
}

/// Arguments of a system call: the caller's output registers.
struct CallArguments {
  var words: [UInt64]
  subscript(_ index: Int) -> UInt64 { words[index] }
  /// An `int` argument: the upper half means nothing.
  func int(_ index: Int) -> Int32 { Int32(truncatingIfNeeded: words[index]) }
  func long(_ index: Int) -> Int { Int(truncatingIfNeeded: words[index]) }
}

/// `break 0x100000`: number in r15, arguments in the output registers; result in r8 and r9, r10 tells errors (-1, and the
/// positive error number in r8) from results.
extension UserProcess {
  func systemCall() {
    let s = processor.state
    let number = s.gr[15]
    let outputs = s.pointee.sof - s.pointee.sol
    let arguments = CallArguments(words: (0..<8).map { $0 < outputs ? s.gr[32 + s.pointee.sol + $0] : 0 })
    let origin = instructionPointer
    skipInstruction()
    // The kernel's stores to the program's memory are seen by advanced loads; missing all of them is always allowed.
    if s.pointee.alat.filter != 0 { s.pointee.alat = ALAT() }
    do throws(SystemError) {
      switch try dispatch(number, arguments) {
      case .value(let value): setResult(value)
      case .pair(let first, let second):
        setResult(first)
        s.gr[9] = UInt64(bitPattern: Int64(second))
        s.setNaT(9, false)
      case .replaced: break
      }
    } catch {
      if error == .interrupted, restarts(number) { return setInstructionPointer(origin) }
      s.gr[8] = UInt64(error.number)
      s.gr[10] = .max
      s.setNaT(8, false)
      s.setNaT(10, false)
    }
  }

  func setResult(_ value: Int) {
    let s = processor.state
    s.gr[8] = UInt64(bitPattern: Int64(value))
    s.gr[10] = 0
    s.setNaT(8, false)
    s.setNaT(10, false)
  }

  /// Whether an interrupted call is made again after the handler: if the handler asked for it, or if there is none.
  private func restarts(_ number: UInt64) -> Bool {
    if HostSignals.any {
      for info in HostSignals.take() { signals.post(info) }
    }
    let handled = signals.pending.filter {
      signals.blocked & Signal.bit($0.signal) == 0 && signals.actions[Int($0.signal)].handler > SignalAction.ignore
    }
    guard let first = handled.min(by: { $0.signal < $1.signal }) else { return number != Call.rt_sigsuspend }
    return signals.actions[Int(first.signal)].flags & SignalAction.Flag.restart != 0 && !Self.neverRestarted.contains(number)
  }

  /// Waits with a time limit, and calls that exist to be interrupted (signal(7)).
  private static let neverRestarted: Set<UInt64> = [
    Call.rt_sigsuspend, Call.rt_sigtimedwait, Call.nanosleep, Call.clock_nanosleep, Call.poll, Call.ppoll, Call.select,
    Call.pselect6, Call.epoll_wait, Call.epoll_pwait,
  ]

  private func dispatch(_ number: UInt64, _ a: CallArguments) throws(SystemError) -> CallResult {
    if let result = try memoryCall(number, a) { return result }
    if let result = try processCall(number, a) { return result }
    if let result = try signalCall(number, a) { return result }
    if let result = try fileCall(number, a) { return result }
    if let result = try timeCall(number, a) { return result }
    if let result = try socketCall(number, a) { return result }
    if let pattern = PassedCall.all[number] { return .value(try pass(pattern, a)) }
    if reported.insert(number).inserted {
      logger.notice("unimplemented system call", metadata: ["number": "\(number)", "program": "\(name)"])
    }
    throw .noSuchCall
  }
}
