#if canImport(Glibc)
  import Glibc
#endif

/// Puts a terminal into raw mode and back. What was changed is undone at exit and when a signal ends the process, so that the user's
/// shell finds its terminal as it was.
public enum TerminalMode {
  // Touched by signal handlers: plain memory, written before the handlers are installed.
  nonisolated(unsafe) private static var saved = termios()
  nonisolated(unsafe) private static var descriptor: Int32 = -1

  /// Raw mode for `file`; false if it is not a terminal.
  public static func makeRaw(_ file: Int32) -> Bool {
    guard descriptor < 0, isatty(file) == 1, tcgetattr(file, &saved) == 0 else { return false }
    descriptor = file
    var raw = saved
    cfmakeraw(&raw)
    // Output stays as it was: messages on standard error go to the same terminal.
    raw.c_oflag = saved.c_oflag
    guard tcsetattr(file, TCSANOW, &raw) == 0 else {
      descriptor = -1
      return false
    }
    atexit { TerminalMode.restore() }
    // Also when the emulator itself crashes: a dead program in a raw terminal is two problems.
    for number in [SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE] {
      signal(number) { received in
        TerminalMode.restore()
        signal(received, SIG_DFL)
        raise(received)
      }
    }
    return true
  }

  public static func restore() {
    guard descriptor >= 0 else { return }
    tcsetattr(descriptor, TCSANOW, &saved)
    descriptor = -1
  }
}
