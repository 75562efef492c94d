import CVNC

#if canImport(Glibc)
  import Glibc
#endif

/// A ``VNCProcess``, as the one who started it sees it.
final class VNCChild {
  let number: pid_t
  /// To talk with it. Closed at the other end: it is dead.
  let socket: Int32

  /// The command that becomes the process, see `VNCScreenCommand`.
  static let command = "vnc-screen"

  init(_ program: String, listener: Int32, picture: Int32, introduction: [UInt8]) throws(NetworkError) {
    var pair: [Int32] = [-1, -1]
    let type = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, type, 0, &pair) == 0 else { throw NetworkError("cannot start a VNC server", errno: errno) }
    // Above those that the process has, so that none is lost when they are put in their places.
    let inherited = [pair[1], listener, picture].map { fcntl($0, F_DUPFD_CLOEXEC, 16) }
    close(pair[1])
    defer { for descriptor in inherited where descriptor >= 0 { close(descriptor) } }
    var process: pid_t = 0
    let code = inherited.contains { $0 < 0 } ? errno : Self.spawn(program, inherited, &process)
    guard code == 0 else {
      close(pair[0])
      throw NetworkError("cannot start a VNC server", errno: code)
    }
    (number, socket) = (process, pair[0])
    _ = send(socket, introduction, introduction.count, Int32(MSG_NOSIGNAL))
  }

  /// An errno.
  private static func spawn(_ program: String, _ inherited: [Int32], _ process: inout pid_t) -> Int32 {
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    // The console is the guest's.
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    for (place, descriptor) in zip(VNCProcess.Descriptor.control..., inherited) {
      posix_spawn_file_actions_adddup2(&actions, descriptor, place)
    }
    posix_spawn_file_actions_addclosefrom_np(&actions, VNCProcess.Descriptor.picture + 1)
    // A mask of signals would be inherited.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("epicure"), strdup(command), nil]
    defer { for argument in arguments { free(argument) } }
    return posix_spawn(&process, program, &actions, &attributes, &arguments, environ)
  }

  deinit {
    close(socket)
    // It has nothing to save, and may wait for a client.
    kill(number, SIGKILL)
    var status: Int32 = 0
    while waitpid(number, &status, 0) < 0 && errno == EINTR {}
  }
}
