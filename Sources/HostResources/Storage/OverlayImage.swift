#if canImport(Glibc)
  import Glibc
#endif

/// Copy on write: reads come from a base that never changes, until a cluster has been written. See ``OverlayHeader`` for the file.
public final class OverlayImage: BlockStorage {
  public let size: UInt64
  public let isReadOnly = false
  private let base: any BlockStorage
  private let file: StorageFile
  private let header: OverlayHeader
  /// One bit for each cluster; set: it is in the overlay.
  private var bitmap: [UInt8]
  /// Parts of the bitmap, each as long as a cluster, that the file's durable bitmap does not have yet.
  private var dirty: Set<Int> = []
  /// Nobody will look at the file again.
  private let isTemporary: Bool

  private static let cluster = Int(OverlayHeader.cluster)

  // MARK: Opening

  /// A temporary overlay: a file without a name, gone with the process.
  public init(temporaryOn base: any BlockStorage) throws(StorageProblem) {
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp"
    var template = Array("\(folder)/epicure-XXXXXX".utf8CString)
    let descriptor = makeTemporaryFile(&template)
    guard descriptor >= 0 else { throw .host(folder, "no temporary file") }
    unlink(template)
    file = StorageFile(adopting: descriptor)
    header = OverlayHeader(mediumSize: base.size, base: BaseIdentity(size: 0, modified: 0))
    bitmap = [UInt8](repeating: 0, count: Int(header.bitmapSize))
    (self.base, size, isTemporary) = (base, base.size, true)
  }

  /// Opens the overlay in `path`, or makes one. `identity`: the base's file, as it is now.
  public init(path: String, on base: any BlockStorage, identity: BaseIdentity) throws(StorageProblem) {
    let wanted = OverlayHeader(mediumSize: base.size, base: identity)
    guard base.size <= OverlayHeader.largestMedium else { throw StorageProblem(path, "the base is too large for an overlay") }
    if access(path, F_OK) != 0 { try Self.create(path, wanted) }
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw .host(path, "cannot be opened") }
    file = StorageFile(adopting: descriptor)
    guard ImageLock.take(descriptor, writing: true, isShared: false) else {
      throw StorageProblem(path, "is in use by another process")
    }
    header = wanted
    (bitmap, dirty) = try Self.load(file, path, wanted)
    (self.base, size, isTemporary) = (base, base.size, false)
    do throws(StorageFailure) { try begin() } catch { throw StorageProblem(path, "the overlay cannot be written: \(error)") }
  }

  /// From here on the current bitmap is the one that counts, until the host stops.
  private func begin() throws(StorageFailure) {
    try file.write(at: header.currentStart, from: bitmap, 0..<bitmap.count)
    try file.flush()
    let boot = OverlayHeader.boot ?? [UInt8](repeating: 0, count: OverlayHeader.bootSize)
    try file.write(at: UInt64(OverlayHeader.bootOffset), from: boot, 0..<boot.count)
  }

  /// The overlay appears under its name when it is complete, so a crash leaves none or a whole one.
  private static func create(_ path: String, _ header: OverlayHeader) throws(StorageProblem) {
    var template = Array("\(path).XXXXXX".utf8CString)
    let descriptor = makeTemporaryFile(&template)
    guard descriptor >= 0 else { throw .host(path, "cannot be created") }
    defer { unlink(template) }
    let file = StorageFile(adopting: descriptor)
    do throws(StorageFailure) {
      try file.write(at: 0, from: header.bytes, 0..<OverlayHeader.size)
      guard let length = off_t(exactly: header.fileSize), ftruncate(descriptor, length) == 0 else { throw .from(errno: errno) }
      try file.flush()
    } catch {
      throw StorageProblem(path, "the overlay cannot be created: \(error)")
    }
    fchmod(descriptor, 0o644)
    // Another process may have been faster: then its overlay is opened, or found to be locked.
    if link(template, path) != 0 && errno != EEXIST { throw .host(path, "the overlay cannot be created") }
  }

  /// The bitmap, and the parts of it that are not durable.
  private static func load(
    _ file: StorageFile, _ path: String, _ wanted: OverlayHeader
  ) throws(StorageProblem) -> ([UInt8], Set<Int>) {
    let end = lseek(file.descriptor, 0, SEEK_END)
    var bytes = [UInt8](repeating: 0, count: OverlayHeader.size)
    do {
      let count = try file.read(at: 0, into: &bytes, 0..<bytes.count)
      let header = try OverlayHeader(Array(bytes[..<count]))
      guard header == wanted else {
        throw OverlayHeader.Damage(reason: "the overlay belongs to another base, or its base has been changed since it was made")
      }
      guard end >= 0, UInt64(end) >= header.fileSize else { throw OverlayHeader.Damage(reason: "the overlay has been cut off") }
      let durable = try bitmap(file, header, at: header.durableStart)
      let boot = OverlayHeader.bootOffset..<OverlayHeader.bootOffset + OverlayHeader.bootSize
      guard let now = OverlayHeader.boot, Array(bytes[boot]) == now else { return (durable, []) }
      let current = try bitmap(file, header, at: header.currentStart)
      let different = (0..<durable.count / cluster).filter { part in
        durable[part * cluster..<(part + 1) * cluster] != current[part * cluster..<(part + 1) * cluster]
      }
      return (current, Set(different))
    } catch let damage as OverlayHeader.Damage {
      throw StorageProblem(path, damage.reason)
    } catch {
      throw StorageProblem(path, "the overlay cannot be read: \(error)")
    }
  }

  private static func bitmap(_ file: StorageFile, _ header: OverlayHeader, at offset: UInt64) throws -> [UInt8] {
    var bitmap = [UInt8](repeating: 0, count: Int(header.bitmapSize))
    guard try file.read(at: offset, into: &bitmap, 0..<bitmap.count) == bitmap.count else {
      throw OverlayHeader.Damage(reason: "the overlay has been cut off")
    }
    return bitmap
  }

  deinit { try? flush() }

  // MARK: Requests

  private func has(_ cluster: Int) -> Bool { bitmap[cluster >> 3] & 1 << UInt8(cluster & 7) != 0 }

  /// Parts of a range that lie all in the overlay, or all in the base.
  private func each(
    _ offset: UInt64, _ count: Int, _ body: (_ here: Bool, _ offset: UInt64, Range<Int>) throws(StorageFailure) -> Void
  ) throws(StorageFailure) {
    var done = 0
    while done < count {
      let start = offset + UInt64(done)
      var cluster = Int(start / OverlayHeader.cluster)
      let here = has(cluster)
      var end = done
      repeat {
        cluster += 1
        end = min(count, Int(UInt64(cluster) * OverlayHeader.cluster - offset))
      } while end < count && has(cluster) == here
      try body(here, start, done..<end)
      done = end
    }
  }

  public func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
    try check(offset, buffer.count)
    try each(offset, buffer.count) { (here, start, range) throws(StorageFailure) in
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[range])
      guard here else { return try base.read(at: start, into: part) }
      guard try file.read(at: header.dataStart + start, into: part) == part.count else { throw .host(errno: EIO) }
    }
  }

  public func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    try check(offset, buffer.count)
    guard buffer.count > 0 else { return }
    let first = Int(offset / OverlayHeader.cluster)
    let last = Int((offset + UInt64(buffer.count) - 1) / OverlayHeader.cluster)
    // The clusters at both ends may be written in part only: the rest of them comes from the base first.
    for cluster in first == last ? [first] : [first, last] where !has(cluster) {
      let start = UInt64(cluster) * OverlayHeader.cluster
      let end = min(size, start + OverlayHeader.cluster)
      if offset > start || offset + UInt64(buffer.count) < end { try copy(start, Int(end - start)) }
    }
    try file.write(at: header.dataStart + offset, from: buffer)
    var isNew = false
    for cluster in first...last where !has(cluster) {
      bitmap[cluster >> 3] |= 1 << UInt8(cluster & 7)
      dirty.insert((cluster >> 3) / Self.cluster)
      isNew = true
    }
    if isNew && !isTemporary {
      try file.write(at: header.currentStart + UInt64(first >> 3), from: bitmap, first >> 3..<(last >> 3) + 1)
    }
  }

  private func copy(_ start: UInt64, _ count: Int) throws(StorageFailure) {
    var bytes = [UInt8](repeating: 0, count: count)
    try base.read(at: start, into: &bytes, 0..<count)
    try file.write(at: header.dataStart + start, from: bytes, 0..<count)
  }

  /// Clusters first, then the bits that vouch for them.
  public func flush() throws(StorageFailure) {
    guard !isTemporary else { return }
    try file.flush()
    guard !dirty.isEmpty else { return }
    try writeBitmap()
    try file.flush()
  }

  private func writeBitmap() throws(StorageFailure) {
    for part in dirty.sorted() {
      let start = part * Self.cluster
      try file.write(at: header.durableStart + UInt64(start), from: bitmap, start..<start + Self.cluster)
    }
    dirty.removeAll()
  }
}

private func makeTemporaryFile(_ template: inout [CChar]) -> Int32 {
  let descriptor = mkstemp(&template)
  if descriptor >= 0 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
  return descriptor
}

extension StorageFile {
  func read(at offset: UInt64, into bytes: inout [UInt8], _ range: Range<Int>) throws(StorageFailure) -> Int {
    let result: Result<Int, StorageFailure> = bytes.withUnsafeMutableBytes { all in
      Result { () throws(StorageFailure) in try read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: all[range])) }
    }
    return try result.get()
  }

  func write(at offset: UInt64, from bytes: [UInt8], _ range: Range<Int>) throws(StorageFailure) {
    let result: Result<Void, StorageFailure> = bytes.withUnsafeBytes { all in
      Result { () throws(StorageFailure) in try write(at: offset, from: UnsafeRawBufferPointer(rebasing: all[range])) }
    }
    try result.get()
  }
}
