import FoundationEssentials
import Glibc

/// A process of the host that is waited for, with the processor time that it took.
struct TimedChild {
  var seconds: Double
  /// Exit status, or 128 plus the number of the signal that ended it.
  var status: Int32

  /// Runs `command`, whose first word is looked for in PATH, between `/dev/null` and `/dev/null`. Nil: it cannot be started; errno says why.
  static func run(_ command: [String]) -> TimedChild? {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    let arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    let environment: [UnsafeMutablePointer<CChar>?] =
      ProcessInfo.processInfo.environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { (arguments + environment).forEach { free($0) } }
    guard let file = command.first else { return nil }
    var child: pid_t = 0
    let failure = posix_spawnp(&child, file, &actions, nil, arguments, environment)
    guard failure == 0 else {
      errno = failure
      return nil
    }
    var status: Int32 = 0
    var usage = rusage()
    while wait4(child, &status, 0, &usage) < 0 {
      guard errno == EINTR else { return nil }
    }
    func seconds(_ t: timeval) -> Double { Double(t.tv_sec) + Double(t.tv_usec) / 1_000_000 }
    let signal = status & 0x7F
    return TimedChild(
      seconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), status: signal == 0 ? status >> 8 & 0xFF : 128 + signal)
  }
}
