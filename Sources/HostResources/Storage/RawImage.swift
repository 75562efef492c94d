#if canImport(Glibc)
  import Glibc
#endif

/// A file or block device whose bytes are the medium's.
///
/// A file whose size is no multiple of 512 has a last sector that is partly its own: the rest of it reads as zeros, and a write to it
/// makes the file a whole number of sectors.
public final class RawImage: BlockStorage {
  public let size: UInt64
  public let isReadOnly: Bool
  private let file: StorageFile
  /// Bytes of the file when it was opened.
  private let fileSize: UInt64
  /// The format was guessed: what would make the next guess a different one is not written.
  private let isGuess: Bool

  /// `formatIsGuess`: nobody said that the image is raw. A guest that wrote another format's header into the first sector would choose
  /// how the image is read next time, and which of the host's files such a header refers to. `isShared`: others may use other parts of
  /// it at the same time; see ``claim(_:)``.
  public init(
    path: String, readOnly: Bool = false, formatIsGuess: Bool = false, isShared: Bool = false
  ) throws(StorageProblem) {
    isReadOnly = readOnly
    isGuess = formatIsGuess
    (file, fileSize) = try Self.open(path, readOnly: readOnly, isShared: isShared)
    guard fileSize >= UInt64(BlockSize.sector) else {
      throw StorageProblem(path, "a disk has at least 512 bytes; this file has \(fileSize)")
    }
    size = (fileSize + 511) & ~511
  }

  private static func open(_ path: String, readOnly: Bool, isShared: Bool) throws(StorageProblem) -> (StorageFile, UInt64) {
    var information = stat()
    guard stat(path, &information) == 0 else { throw .host(path, "cannot be opened") }
    let kind = information.st_mode & S_IFMT
    guard kind == S_IFREG || kind == S_IFBLK else { throw StorageProblem(path, "is neither a file nor a block device") }
    let flags = (readOnly ? O_RDONLY : O_RDWR) | O_CLOEXEC
    let descriptor = kind == S_IFBLK ? try HostDevice.open(path, flags) : Glibc.open(path, flags)
    guard descriptor >= 0 else {
      let code = errno
      let advice =
        !readOnly && (code == EACCES || code == EROFS || code == EPERM) ? " (add readonly to use it without writing)" : ""
      throw StorageProblem(path, "cannot be opened: \(String(cString: strerror(code)))\(advice)")
    }
    let file = StorageFile(adopting: descriptor)
    guard ImageLock.take(descriptor, writing: !readOnly, isShared: isShared) else {
      throw StorageProblem(path, "is in use by another process\(readOnly ? ", which writes it" : "")")
    }
    guard let size = kind == S_IFBLK ? HostDevice.size(descriptor) : UInt64(exactly: lseek(descriptor, 0, SEEK_END)) else {
      throw .host(path, "has no size")
    }
    return (file, size)
  }

  /// For a shared image: a part of it that nobody else may use, or, of a read-only one, nobody else may write. False: somebody does.
  func claim(_ part: Range<UInt64>) -> Bool { ImageLock.claim(file.descriptor, part, writing: !isReadOnly) }

  public func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
    try check(offset, buffer.count)
    let count = try file.read(at: offset, into: buffer)
    guard count < buffer.count else { return }
    // Somebody has cut the file off under us, or this is the tail of the last sector.
    guard offset + UInt64(count) >= fileSize else { throw .host(errno: EIO) }
    UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).initializeMemory(as: UInt8.self, repeating: 0)
  }

  public func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    guard !isReadOnly else { throw .readOnly }
    try check(offset, buffer.count)
    if isGuess, offset == 0, ImageFormat.probe(buffer) != .raw { throw .host(errno: EPERM) }
    try file.write(at: offset, from: buffer)
  }

  public func flush() throws(StorageFailure) {
    if !isReadOnly { try file.flush() }
  }
}

/// Units of block storage.
public enum BlockSize {
  /// Sizes and offsets are multiples of it.
  public static let sector = 512
}

extension BlockStorage {
  /// Throws unless the range is inside the medium.
  func check(_ offset: UInt64, _ count: Int) throws(StorageFailure) {
    guard offset <= size, UInt64(count) <= size - offset else { throw .outside }
  }
}
