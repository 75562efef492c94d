import Loading

#if canImport(Glibc)
  import Glibc
#endif

/// Collects text for standard output, which takes listings of millions of lines in large pieces.
struct StandardOutput {
  private var pending: [UInt8] = []

  mutating func write(_ bytes: [UInt8]) { pending.append(contentsOf: bytes) }

  mutating func write(_ text: String) throws {
    pending.append(contentsOf: text.utf8)
    if pending.count >= 1 << 16 { try flush() }
  }

  mutating func flush() throws {
    var done = 0
    while done < pending.count {
      let count = pending.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress?.advanced(by: done), $0.count - done) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        throw ImageError(file: "standard output", reason: .cannotOpen(String(cString: strerror(errno))))
      }
      done += count
    }
    pending.removeAll(keepingCapacity: true)
  }
}
