#if canImport(Glibc)
  import Glibc
#endif

/// Archives of plain files in the format of POSIX's `pax` and `tar` (ustar): what every `tar` reads.
enum TarArchive {
  fileprivate static let block = 512
  /// Ten octal digits are enough for what is put in here, and eleven have room.
  fileprivate static let largestFile: UInt64 = 1 << 33 - 1

  struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ path: String, _ reason: String = String(cString: strerror(errno))) { description = "\(path): \(reason)" }
  }

  /// Whether a file begins as such an archive does.
  static func isArchive(_ path: String) -> Bool {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { return false }
    defer { close(file) }
    var header = [UInt8](repeating: 0, count: block)
    return read(file, &header, block) == block && header[257..<262].elementsEqual("ustar".utf8)
  }

  // MARK: Writing

  final class Writer {
    private let path: String
    private let file: Int32

    init(path: String) throws(Failure) {
      self.path = path
      file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
      guard file >= 0 else { throw Failure(path) }
    }
    deinit { close(file) }

    func add(_ name: String, _ bytes: [UInt8]) throws(Failure) {
      try write(TarArchive.header(name, size: UInt64(bytes.count)))
      try write(bytes + [UInt8](repeating: 0, count: padding(UInt64(bytes.count))))
    }

    /// A file of the host's, which nobody writes meanwhile.
    func add(_ name: String, file source: String) throws(Failure) {
      let input = open(source, O_RDONLY | O_CLOEXEC)
      var information = stat()
      guard input >= 0, fstat(input, &information) == 0, case let size = UInt64(information.st_size), size <= largestFile else {
        throw Failure(source)
      }
      defer { close(input) }
      try write(TarArchive.header(name, size: size))
      var left = size
      var buffer = [UInt8](repeating: 0, count: 1 << 20)
      while left > 0 {
        let count = read(input, &buffer, min(buffer.count, Int(left)))
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { throw Failure(source, "has become shorter") }
        try write(Array(buffer[0..<count]))
        left -= UInt64(count)
      }
      try write([UInt8](repeating: 0, count: padding(size)))
    }

    func finish() throws(Failure) { try write([UInt8](repeating: 0, count: 2 * block)) }

    private func padding(_ size: UInt64) -> Int { (block - Int(size % UInt64(block))) % block }

    private func write(_ bytes: [UInt8]) throws(Failure) {
      var done = 0
      while done < bytes.count {
        let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress?.advanced(by: done), $0.count - done) }
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { throw Failure(path) }
        done += count
      }
    }
  }

  /// POSIX.1-2017, pax, "ustar Interchange Format".
  private static func header(_ name: String, size: UInt64) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: block)
    func put(_ offset: Int, _ text: String) { for (n, byte) in text.utf8.enumerated() { header[offset + n] = byte } }
    func octal(_ offset: Int, _ digits: Int, _ value: UInt64) {
      let text = String(value, radix: 8)
      put(offset, String(repeating: "0", count: max(0, digits - text.count)) + text)
    }
    put(0, String(name.prefix(99)))
    octal(100, 7, 0o644)
    octal(108, 7, 0)
    octal(116, 7, 0)
    octal(124, 11, size)
    octal(136, 11, UInt64(max(0, time(nil))))
    put(148, "        ")
    put(156, "0")
    put(257, "ustar")
    put(263, "00")
    octal(148, 6, header.reduce(0) { $0 + UInt64($1) })
    header[154] = 0
    return header
  }

  // MARK: Reading

  /// Writes an archive's files into a folder. Names with more to them than a file's name are not accepted: they would lead elsewhere.
  static func unpack(_ path: String, into folder: String) throws(Failure) -> [String] {
    let input = open(path, O_RDONLY | O_CLOEXEC)
    guard input >= 0 else { throw Failure(path) }
    defer { close(input) }
    var names: [String] = []
    var header = [UInt8](repeating: 0, count: block)
    while try fill(&header, block, input, path), header.contains(where: { $0 != 0 }) {
      guard header[257..<262].elementsEqual("ustar".utf8), let size = number(header[124..<136]), size <= largestFile else {
        throw Failure(path, "is damaged")
      }
      let name = String(decoding: header[0..<100].prefix { $0 != 0 }, as: UTF8.self)
      guard header[156] == UInt8(ascii: "0"), !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else {
        throw Failure(path, "has something in it that is no plain file")
      }
      names.append(name)
      let output = open(folder + "/" + name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      guard output >= 0 else { throw Failure(folder + "/" + name) }
      defer { close(output) }
      var left = size
      var buffer = [UInt8](repeating: 0, count: 1 << 20)
      while left > 0 {
        let whole = min(UInt64(buffer.count), (left + UInt64(block) - 1) & ~UInt64(block - 1))
        guard try fill(&buffer, Int(whole), input, path) else { throw Failure(path, "is cut off") }
        let count = Int(min(left, whole))
        guard write(output, buffer, count) == count else { throw Failure(folder + "/" + name) }
        left -= UInt64(count)
      }
    }
    return names
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
    UInt64(String(decoding: digits.prefix { $0 != 0 && $0 != 0x20 }, as: UTF8.self), radix: 8)
  }

  /// False: the file is at its end.
  private static func fill(_ buffer: inout [UInt8], _ count: Int, _ file: Int32, _ path: String) throws(Failure) -> Bool {
    var done = 0
    while done < count {
      let n = buffer.withUnsafeMutableBytes { read(file, $0.baseAddress?.advanced(by: done), count - done) }
      if n < 0 && errno == EINTR { continue }
      if n < 0 { throw Failure(path) }
      if n == 0 && done == 0 { return false }
      if n == 0 { throw Failure(path, "is cut off") }
      done += n
    }
    return true
  }
}
