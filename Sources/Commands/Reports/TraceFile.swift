#if canImport(Glibc)
  import Glibc
#endif

/// A file that grows during a run. It can fail at any time, when the host's disk is full: then the rest of it is lost, not the run.
final class TraceFile {
  let path: String
  private let descriptor: Int32
  /// A guest's `fork` is one of this process: its children share the descriptor and must not write.
  private let owner = getpid()
  private var pending: [UInt8] = []
  /// Why nothing more is written.
  private(set) var problem: String?

  private static let bufferSize = 1 << 20

  /// Nil: standard output.
  init(path: String?) throws(CommandFailure) {
    guard let path else {
      (self.path, descriptor) = ("standard output", dup(STDOUT_FILENO))
      return
    }
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw CommandFailure(CommandFailure.badInput, "cannot write \(path): \(String(cString: strerror(errno)))")
    }
    pending.reserveCapacity(Self.bufferSize)
  }

  deinit { close(descriptor) }

  /// False: the file takes no more.
  func append(_ bytes: [UInt8]) -> Bool {
    pending.append(contentsOf: bytes)
    return pending.count < Self.bufferSize || flush()
  }

  /// The run is over. The user is told if not all of it is there; `name`: what this file is.
  func finish(_ name: String) {
    if !flush(), let problem { StandardError.write("epicure: the \(name) is not complete: \(path): \(problem)") }
  }

  @discardableResult func flush() -> Bool {
    defer { pending.removeAll(keepingCapacity: true) }
    guard problem == nil, getpid() == owner else { return false }
    var done = 0
    while done < pending.count {
      let count = pending.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        problem = String(cString: strerror(errno))
        return false
      }
      done += count
    }
    return true
  }
}
