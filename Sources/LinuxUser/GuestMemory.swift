import Glibc
import Processor

/// The program's memory as system calls see it. Everything throws `.badAddress` where the program itself could not have made
/// the access.
extension AddressSpace {
  /// Calls `body` with host pointers to the pieces of a guest range, in order.
  func forEachPiece(
    _ address: UInt64, _ count: UInt64, for access: Protection,
    _ body: (UnsafeMutableRawPointer, Int) -> Void
  ) throws(SystemError) {
    var address = address
    var left = count
    while left > 0 {
      let size = min(left, PagePool.pageSize - address & PagePool.offsetMask)
      guard case .present(let physical, _) = page(address, for: access),
        let host = processor.memory.host(physical + address & PagePool.offsetMask, count: Int(size))
      else { throw .badAddress }
      body(host, Int(size))
      if access.contains(.write) { processor.memory.noteWrite(physical + address & PagePool.offsetMask, count: Int(size)) }
      left -= size
      address &+= size
    }
  }

  func read(_ address: UInt64, count: Int) throws(SystemError) -> [UInt8] {
    guard count >= 0 else { throw .badAddress }
    var result: [UInt8] = []
    // Room is made as pages turn out to exist: a wild count costs nothing.
    try forEachPiece(address, UInt64(count), for: .read) { host, size in
      result.append(contentsOf: UnsafeRawBufferPointer(start: host, count: size))
    }
    return result
  }

  func write(_ address: UInt64, _ bytes: UnsafeRawBufferPointer) throws(SystemError) {
    var offset = 0
    try forEachPiece(address, UInt64(bytes.count), for: .write) { host, size in
      if let base = bytes.baseAddress { host.copyMemory(from: base + offset, byteCount: size) }
      offset += size
    }
  }

  func write(_ address: UInt64, _ bytes: [UInt8]) throws(SystemError) {
    let result = bytes.withUnsafeBytes { buffer -> Result<Void, SystemError> in
      do throws(SystemError) { return .success(try write(address, buffer)) } catch { return .failure(error) }
    }
    try result.get()
  }

  /// A value in the representation of the host; guest and host are both little-endian.
  func load<T: BitwiseCopyable>(_ address: UInt64, as type: T.Type = T.self) throws(SystemError) -> T {
    let bytes = try read(address, count: MemoryLayout<T>.size)
    return bytes.withUnsafeBytes { $0.loadUnaligned(as: T.self) }
  }

  func store<T: BitwiseCopyable>(_ address: UInt64, _ value: T) throws(SystemError) {
    var value = value
    let result = withUnsafeBytes(of: &value) { buffer -> Result<Void, SystemError> in
      do throws(SystemError) { return .success(try write(address, buffer)) } catch { return .failure(error) }
    }
    try result.get()
  }

  /// A string up to its zero byte, at most `limit` bytes.
  func string(_ address: UInt64, limit: Int = 4096) throws(SystemError) -> [UInt8] {
    var result: [UInt8] = []
    var address = address
    while result.count < limit {
      let size = PagePool.pageSize - address & PagePool.offsetMask
      var end = false
      try forEachPiece(address, size, for: .read) { host, size in
        let bytes = UnsafeRawBufferPointer(start: host, count: min(size, limit - result.count))
        if let zero = bytes.firstIndex(of: 0) {
          result.append(contentsOf: bytes[..<zero])
          end = true
        } else {
          result.append(contentsOf: bytes)
        }
      }
      if end { return result }
      address &+= size
    }
    throw .nameTooLong
  }

  /// Host vectors for a guest buffer, as much of it as the program may access; throws if that is nothing of it.
  func vectors(
    _ address: UInt64, _ count: UInt64, for access: Protection, into list: inout [iovec]
  ) throws(SystemError) -> Bool {
    var address = address
    var left = count
    while left > 0 {
      let size = min(left, PagePool.pageSize - address & PagePool.offsetMask)
      guard list.count < 1024 else { return false }
      guard case .present(let physical, _) = page(address, for: access),
        let host = processor.memory.host(physical + address & PagePool.offsetMask, count: Int(size))
      else {
        if list.isEmpty { throw .badAddress }
        return false
      }
      if let last = list.last, let base = last.iov_base, base + last.iov_len == host {
        list[list.count - 1].iov_len += Int(size)
      } else {
        list.append(iovec(iov_base: host, iov_len: Int(size)))
      }
      left -= size
      address &+= size
    }
    return true
  }

  /// Tells the engine that the host has written through `vectors`.
  func noteWrite(_ address: UInt64, _ count: UInt64) {
    var address = address
    let end = address &+ count
    while address < end {
      let size = min(end - address, PagePool.pageSize - address & PagePool.offsetMask)
      if let physical = pages[address >> PagePool.shift] {
        processor.memory.noteWrite(physical + address & PagePool.offsetMask, count: Int(size))
      }
      address &+= size
    }
  }
}
