import CProcess
import Glibc

/// The process that a user has started, when others run the machine in its place: they come and go with ``CheckpointHistory``. It waits for the
/// last of them, and ends with its status.
enum Guardian {
  /// Where the process that runs the machine says how it has ended; -1: there is no guardian.
  nonisolated(unsafe) private static var report: Int32 = -1
  /// Its other end is the guardian's: closed when it has been killed.
  nonisolated(unsafe) private static var life: Int32 = -1

  /// Goes on in a child. The process itself becomes the guardian. False: there are no resources for that, and nothing has happened.
  static func begin() -> Bool {
    var (status, alive): ([Int32], [Int32]) = ([0, 0], [0, 0])
    guard pipe(&status) == 0, pipe(&alive) == 0 else { return false }
    for end in status + alive { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let child = epicure_fork()
    if child < 0 { return false }
    if child == 0 {
      close(status[0])
      close(alive[1])
      (report, life) = (status[1], alive[0])
      on_exit({ status, _ in Guardian.tell(status) }, nil)
      return true
    }
    close(status[1])
    close(alive[0])
    // Nobody else may wait for those that end.
    epicure_adopt()
    signal(SIGCHLD, SIG_IGN)
    // Ctrl-C is for the debugger.
    signal(SIGINT, SIG_IGN)
    var byte: UInt8 = 1
    while read(status[0], &byte, 1) < 0 && errno == EINTR {}
    _exit(Int32(byte))
  }

  private static func tell(_ status: Int32) {
    var byte = UInt8(truncatingIfNeeded: status)
    _ = write(report, &byte, 1)
  }

  /// Ends this process if the guardian has been killed.
  static func check() {
    guard life >= 0 else { return }
    var descriptor = pollfd(fd: life, events: 0, revents: 0)
    if poll(&descriptor, 1, 0) > 0 { _exit(1) }
  }
}
