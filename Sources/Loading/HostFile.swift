#if canImport(Glibc)
  import Glibc
#endif

/// Reads files of the host, with a bound on what they may cost.
public enum HostFile {
  /// The whole file.
  public static func read(_ path: String, limit: UInt64) throws(ImageError) -> [UInt8] {
    // Without O_NONBLOCK a FIFO that nobody writes to would hold up everything.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw ImageError(file: path, reason: .cannotOpen(String(cString: strerror(errno)))) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else {
      throw ImageError(file: path, reason: .cannotOpen(String(cString: strerror(errno))))
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw ImageError(file: path, reason: .notAFile) }
    guard UInt64(status.st_size) <= limit else { throw ImageError(file: path, reason: .tooLarge(limit: limit)) }
    let size = Int(status.st_size)
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size, let base = buffer.baseAddress {
        let n = Glibc.read(file, base + count, size - count)
        if n < 0 && errno == EINTR { continue }
        if n < 0 { failure = errno }
        if n <= 0 { break }
        count += n
      }
    }
    guard failure == 0 else { throw ImageError(file: path, reason: .cannotOpen(String(cString: strerror(failure)))) }
    guard !bytes.isEmpty else { throw ImageError(file: path, reason: .empty) }
    return bytes
  }
}
