import Glibc
import Processor

/// What `vfork` promises: the parent waits until its child has run another program or ended.
///
/// The child has a copy of the parent's memory instead of the memory itself. What it may leave there is why nothing was run, on
/// the parent's stack (as `posix_spawn` does); so a child that ends sends that part of the stack back.
struct VforkLink {
  private static let window: UInt64 = 4 * PagePool.pageSize

  private var reading: Int32
  private var writing: Int32
  /// Page of the parent's stack pointer.
  private var start: UInt64

  init(stackPointer: UInt64) throws(SystemError) {
    let ends = try HostKernel.pipe(flags: O_CLOEXEC)
    // High up, out of the way of the descriptors that programs expect to get.
    let moved = [ends.reading, ends.writing].map { end in
      let high = fcntl(end, F_DUPFD_CLOEXEC, 700)
      if high >= 0 { Glibc.close(end) }
      return high >= 0 ? high : end
    }
    (reading, writing) = (moved[0], moved[1])
    start = stackPointer & ~PagePool.offsetMask
  }

  func childSide() -> VforkLink {
    Glibc.close(reading)
    return self
  }

  func uses(_ descriptor: Int32) -> Bool { descriptor == reading || descriptor == writing }

  func close() { Glibc.close(writing) }

  private func end(in space: AddressSpace) -> UInt64 {
    min(start &+ Self.window, space.area(at: start)?.end ?? start)
  }

  /// The child ends without having run another program.
  func finish(_ space: AddressSpace) {
    if let bytes = try? space.read(start, count: Int(end(in: space) &- start)) {
      var sent = 0
      while sent < bytes.count {
        let n = bytes.withUnsafeBytes { $0.baseAddress.map { write(writing, $0 + sent, bytes.count - sent) } ?? 0 }
        if n < 0 && errno == EINTR { continue }
        if n <= 0 { break }
        sent += n
      }
    }
    close()
  }

  /// In the parent.
  func waitForChild(_ space: AddressSpace) {
    Glibc.close(writing)
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 14)
    while bytes.count <= Int(Self.window) {
      let n = read(reading, &chunk, chunk.count)
      if n < 0 && errno == EINTR { continue }
      if n <= 0 { break }
      bytes += chunk[..<n]
    }
    Glibc.close(reading)
    if bytes.count == Int(end(in: space) &- start) { try? space.write(start, bytes) }
  }
}
