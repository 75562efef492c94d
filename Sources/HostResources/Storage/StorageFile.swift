#if canImport(Glibc)
  import Glibc
#endif

/// Why an image could not be opened: one line for the user.
public struct StorageProblem: Error, Equatable, CustomStringConvertible, Sendable {
  public var path: String
  public var reason: String
  public init(_ path: String, _ reason: String) { (self.path, self.reason) = (path, reason) }
  public var description: String { "\(path): \(reason)" }

  static func host(_ path: String, _ doing: String, _ code: Int32 = errno) -> StorageProblem {
    StorageProblem(path, "\(doing): \(String(cString: strerror(code)))")
  }
}

extension StorageFailure {
  /// What an errno means for a medium. A limit on the file's size is no room, too.
  static func from(errno code: Int32) -> StorageFailure {
    switch code {
    case ENOSPC, EDQUOT, EFBIG: .noSpace
    case EROFS: .readOnly
    default: .host(errno: code)
    }
  }
}

/// A descriptor with whole transfers: short ones and interruptions by signals are continued.
final class StorageFile {
  let descriptor: Int32
  /// An earlier flush failed: the host may have dropped what was written, so no later flush can vouch for it.
  private var lost: StorageFailure?

  init(adopting descriptor: Int32) {
    self.descriptor = descriptor
    // A write beyond RLIMIT_FSIZE is to fail, not to kill.
    signal(SIGXFSZ, SIG_IGN)
  }
  deinit { close(descriptor) }

  /// Returns how many bytes there were before the end of the file.
  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) -> Int {
    guard let base = buffer.baseAddress else { return 0 }
    var done = 0
    while done < buffer.count {
      guard let position = off_t(exactly: offset &+ UInt64(done)) else { throw .outside }
      let n = pread(descriptor, base + done, buffer.count - done, position)
      if n == 0 { break }
      if n > 0 { done += n } else if errno != EINTR { throw .from(errno: errno) }
    }
    return done
  }

  func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    guard let base = buffer.baseAddress else { return }
    var done = 0
    while done < buffer.count {
      guard let position = off_t(exactly: offset &+ UInt64(done)) else { throw .outside }
      let n = pwrite(descriptor, base + done, buffer.count - done, position)
      if n > 0 { done += n } else if n == 0 { throw .noSpace } else if errno != EINTR { throw .from(errno: errno) }
    }
  }

  func flush() throws(StorageFailure) {
    if let lost { throw lost }
    while fdatasync(descriptor) != 0 {
      if errno == EINTR { continue }
      let failure = StorageFailure.from(errno: errno)
      lost = failure
      throw failure
    }
  }
}
