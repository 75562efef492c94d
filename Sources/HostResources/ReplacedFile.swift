#if canImport(Glibc)
  import Glibc
#endif

/// A small file that is replaced as a whole: whoever reads it, after a crash too, finds the old contents or the new ones.
public struct ReplacedFile: Sendable {
  public let path: String
  public init(path: String) { self.path = path }

  /// The contents; nil if there is no such file.
  public func read(limit: Int) throws(StorageProblem) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw StorageProblem(path, String(cString: strerror(errno)))
    }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(file, &buffer, buffer.count)
      if count == 0 { return bytes }
      guard count > 0 else {
        if errno == EINTR { continue }
        throw StorageProblem(path, String(cString: strerror(errno)))
      }
      bytes += buffer[0..<count]
      guard bytes.count <= limit else { throw StorageProblem(path, "larger than \(limit) bytes") }
    }
  }

  /// Writes a file beside it, and renames that once it is on stable storage.
  public func write(_ bytes: [UInt8]) throws(StorageProblem) {
    let temporary = path + ".new"
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw StorageProblem(temporary, String(cString: strerror(errno))) }
    var failure: Int32 = 0
    var done = 0
    while done < bytes.count, failure == 0 {
      let count = bytes[done...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if count >= 0 { done += count } else if errno != EINTR { failure = errno }
    }
    if failure == 0, fsync(file) != 0 { failure = errno }
    if close(file) != 0, failure == 0 { failure = errno }
    if failure == 0, rename(temporary, path) != 0 { failure = errno }
    guard failure == 0 else {
      unlink(temporary)
      throw StorageProblem(path, String(cString: strerror(failure)))
    }
  }
}
