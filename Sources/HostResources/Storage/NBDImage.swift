import CNBD

#if canImport(Glibc)
  import Glibc
#endif

/// A medium behind a Network Block Device server: one that somebody runs, or a qemu-nbd of our own that reads an image in a format
/// that is not raw.
///
/// Our own server gets its socket from us and ends when its last client has gone, so it never outlives us, even if we are killed.
public final class NBDImage: BlockStorage {
  public let size: UInt64
  public let isReadOnly: Bool
  private let connection: Connection
  private let canFlush: Bool

  /// The largest request that every server takes (NBD protocol, "Block size constraints").
  private static let largestRequest = 32 << 20
  private static let server = "qemu-nbd"

  /// libnbd's handle, closed when nobody needs it.
  private final class Connection {
    let handle: OpaquePointer
    init?() {
      guard let handle = lazy_nbd_create() else { return nil }
      self.handle = handle
    }
    deinit {
      _ = lazy_nbd_shutdown(handle, 0)
      lazy_nbd_close(handle)
    }
  }

  /// `nbd://host/export`, `nbd+unix:///export?socket=path`.
  public convenience init(uri: String, readOnly: Bool = false) throws(StorageProblem) {
    let connection = try Self.connection(uri)
    guard lazy_nbd_connect_uri(connection.handle, uri) == 0 else { throw StorageProblem(uri, Self.lastError) }
    try self.init(connection, uri, readOnly: readOnly)
  }

  /// An image that qemu-nbd reads.
  public convenience init(path: String, format: ImageFormat, readOnly: Bool = false) throws(StorageProblem) {
    guard access(path, R_OK) == 0 else { throw .host(path, "cannot be opened") }
    guard let program = Self.find(Self.server) else {
      throw StorageProblem(
        path, "images of format \(format.rawValue) need qemu-nbd, which is not installed (Debian package qemu-utils)")
    }
    let connection = try Self.connection(path)
    // An absolute path cannot be taken for an option or for a protocol's name.
    var arguments = [program, "--format=\(format.rawValue)", "--cache=writeback"]
    if readOnly { arguments.append("--read-only") }
    arguments.append(Self.absolute(path))
    let messages = CapturedErrors()
    let connected = Self.withArguments(arguments) { lazy_nbd_connect_systemd_socket_activation(connection.handle, $0) } == 0
    let said = messages?.finish() ?? ""
    guard connected else {
      throw StorageProblem(path, said.isEmpty ? "qemu-nbd did not start: \(Self.lastError)" : said)
    }
    try self.init(connection, path, readOnly: readOnly)
  }

  private init(_ connection: Connection, _ name: String, readOnly: Bool) throws(StorageProblem) {
    self.connection = connection
    let size = lazy_nbd_get_size(connection.handle)
    guard size >= BlockSize.sector else {
      throw StorageProblem(name, size < 0 ? Self.lastError : "a disk has at least 512 bytes; this one has \(size)")
    }
    // What is left behind the last whole sector cannot be reached: the server would refuse to make the medium longer.
    self.size = UInt64(size) & ~511
    let serverReadsOnly = lazy_nbd_is_read_only(connection.handle) == 1
    guard readOnly || !serverReadsOnly else {
      throw StorageProblem(name, "can only be read (add readonly to use it without writing)")
    }
    isReadOnly = readOnly
    canFlush = lazy_nbd_can_flush(connection.handle) == 1
  }

  private static func connection(_ name: String) throws(StorageProblem) -> Connection {
    guard let connection = Connection() else { throw StorageProblem(name, lastError) }
    return connection
  }

  // MARK: Requests

  public func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
    try check(offset, buffer.count)
    guard let base = buffer.baseAddress else { return }
    try each(buffer.count) { start, count in lazy_nbd_pread(connection.handle, base + start, count, offset + UInt64(start), 0) }
  }

  public func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    guard !isReadOnly else { throw .readOnly }
    try check(offset, buffer.count)
    guard let base = buffer.baseAddress else { return }
    try each(buffer.count) { start, count in lazy_nbd_pwrite(connection.handle, base + start, count, offset + UInt64(start), 0) }
  }

  public func flush() throws(StorageFailure) {
    guard canFlush, !isReadOnly else { return }
    guard lazy_nbd_flush(connection.handle, 0) == 0 else { throw Self.failure }
  }

  private func each(_ count: Int, _ request: (_ start: Int, _ count: Int) -> Int32) throws(StorageFailure) {
    for start in stride(from: 0, to: count, by: Self.largestRequest) {
      guard request(start, min(Self.largestRequest, count - start)) == 0 else { throw Self.failure }
    }
  }

  private static var failure: StorageFailure {
    let code = lazy_nbd_get_errno()
    return .from(errno: code == 0 ? EIO : code)
  }

  /// libnbd's messages begin with the name of the function that failed.
  private static var lastError: String {
    guard let text = lazy_nbd_get_error() else { return "unknown error" }
    let message = String(cString: text)
    guard message.hasPrefix("nbd_"), let colon = message.firstRange(of: ": ") else { return message }
    return String(message[colon.upperBound...])
  }

  // MARK: Starting the server

  /// In the user's path, or where Debian installs it.
  private static func find(_ program: String) -> String? {
    let path = getenv("PATH").map { String(cString: $0) } ?? ""
    return (path.split(separator: ":").map(String.init) + ["/usr/bin"]).map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
  }

  private static func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
    defer { free(folder) }
    return "\(String(cString: folder))/\(path)"
  }

  private static func withArguments(
    _ arguments: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32
  ) -> Int32 {
    var pointers = arguments.map { strdup($0) } + [nil]
    defer { pointers.forEach { free($0) } }
    return pointers.withUnsafeMutableBufferPointer { buffer in buffer.baseAddress.map(body) ?? -1 }
  }
}

/// Keeps what a child writes to standard error while it starts, so that the user gets one line and not two.
private final class CapturedErrors {
  private let saved: Int32
  private let file: Int32

  init?() {
    let saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
    guard saved >= 0, let stream = tmpfile() else {
      if saved >= 0 { close(saved) }
      return nil
    }
    file = fcntl(fileno(stream), F_DUPFD_CLOEXEC, 3)
    fclose(stream)
    self.saved = saved
    dup2(file, STDERR_FILENO)
  }

  /// Standard error is ours again; the first line that was written meanwhile: later ones are about consequences.
  func finish() -> String {
    dup2(saved, STDERR_FILENO)
    close(saved)
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = pread(file, &bytes, bytes.count, 0)
    close(file)
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    var line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    if let colon = line.firstRange(of: "qemu-nbd: ") { line.removeSubrange(..<colon.upperBound) }
    return line
  }
}
