import Glibc
import Processor

extension AddressSpace {
  /// Memory that parent and child keep sharing after `fork`: MAP_SHARED | MAP_ANONYMOUS. Pages of a host object are laid over
  /// pages of the pool, so that the processor needs to know nothing. False: no room.
  func mapShared(from start: UInt64, to end: UInt64, _ protection: Protection) -> Bool {
    let name: StaticString = "epicure"
    // MFD_CLOEXEC
    guard let object = try? HostKernel.call(HostCall.memfd_create, Int(bitPattern: name.utf8Start), 1) else { return false }
    let file = Int32(object)
    defer { close(file) }
    guard ftruncate(file, Int(end - start)) == 0 else { return false }
    guard map(Area(start: start, end: end, protection: protection, isShared: true)) else { return false }
    var address = start
    while address < end {
      guard let physical = pool.allocate(), let host = pool.memory.host(physical, count: Int(PagePool.pageSize)) else { break }
      let result = mmap(
        host, Int(PagePool.pageSize), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, Int(address - start))
      guard result != MAP_FAILED else {
        pool.release(physical)
        break
      }
      setPage(address >> PagePool.shift, physical)
      address += PagePool.pageSize
    }
    if address < end { unmap(from: start, to: end) }
    return address >= end
  }

  /// Puts private memory back under a page of the pool.
  func detachShared(_ physical: UInt64) {
    guard let host = pool.memory.host(physical, count: Int(PagePool.pageSize)) else { return }
    let result = mmap(
      host, Int(PagePool.pageSize), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | Int32(MAP_NORESERVE), -1, 0)
    pool.memory.noteWrite(physical, count: Int(PagePool.pageSize))
    // A page that could not be replaced stays shared and must not be used again.
    if result != MAP_FAILED { pool.release(physical) }
  }
}

/// The file behind a MAP_SHARED mapping. Its pages are read when first touched and written back by `msync`, `munmap` and exit;
/// a file that shrinks meanwhile cannot hurt, as it could a mapping of the host.
final class SharedFileHandle: Sendable {
  let descriptor: Int32
  let isWritable: Bool
  init(descriptor: Int32, isWritable: Bool) {
    self.descriptor = descriptor
    self.isWritable = isWritable
  }
  deinit { close(descriptor) }
}

struct SharedFile: Sendable {
  var handle: SharedFileHandle
  /// File offset of the area's first byte.
  var offset: UInt64

  func read(page: UInt64, into physical: UInt64, _ memory: PhysicalMemory) {
    guard let host = memory.host(physical, count: Int(PagePool.pageSize)) else { return }
    var done = 0
    while done < Int(PagePool.pageSize) {
      let n = pread(handle.descriptor, host + done, Int(PagePool.pageSize) - done, Int(truncatingIfNeeded: offset &+ page) &+ done)
      if n < 0 && errno == EINTR { continue }
      if n <= 0 { break }
      done += n
    }
    memory.noteWrite(physical, count: Int(PagePool.pageSize))
  }
}

extension AddressSpace {
  /// Writes what is present of a shared file mapping back, up to the file's end.
  func writeBack(_ area: Area, from start: UInt64, to end: UInt64) {
    guard let file = area.sharedFile, file.handle.isWritable else { return }
    var status = stat()
    guard fstat(file.handle.descriptor, &status) == 0 else { return }
    forEachPage(from: start, to: end) { number, physical in
      let offset = Int(truncatingIfNeeded: file.offset &+ (number << PagePool.shift &- area.start))
      let count = min(Int(PagePool.pageSize), status.st_size &- offset)
      guard offset >= 0, count > 0, let host = pool.memory.host(physical, count: count) else { return }
      _ = pwrite(file.handle.descriptor, host, count, offset)
    }
  }

  /// `msync`, and the end of a process.
  func writeBackAll(from start: UInt64 = 0, to end: UInt64 = .max) {
    for area in areas(from: start, to: end) where area.sharedFile != nil {
      writeBack(area, from: max(start, area.start), to: min(end, area.end))
    }
  }
}
