import Platform

/// A chain of descriptors that the device has taken from a queue: the parts that it may read, and those that it may write.
///
/// The descriptors have been read once, and are here; the bytes are still the guest's and may change. A device copies what it decides by.
public struct VirtqueueChain: Sendable, Equatable, Codable {
  struct Part: Sendable, Equatable, Codable {
    let address: UInt64
    let length: Int
  }

  let queue: Int
  let head: UInt16
  var readable: [Part] = []
  var writable: [Part] = []

  var readableCount: Int { readable.reduce(0) { $0 + $1.length } }
  var writableCount: Int { writable.reduce(0) { $0 + $1.length } }

  /// Fills `buffer` from the readable part, from byte `offset` on. All of it is there, or this is a fault.
  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer, _ memory: any DMAPort) throws(VirtqueueFault) {
    try Self.each(readable, offset, buffer.count) { address, range in
      memory.read(address, into: UnsafeMutableRawBufferPointer(rebasing: buffer[range]))
    }
  }

  /// A copy of so many readable bytes from `offset` on. `count` is the caller's to bound.
  func bytes(at offset: Int = 0, count: Int, _ memory: any DMAPort) throws(VirtqueueFault) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let fault: VirtqueueFault? = bytes.withUnsafeMutableBytes { buffer in
      do throws(VirtqueueFault) {
        try read(at: offset, into: buffer, memory)
        return nil
      } catch { return error }
    }
    if let fault { throw fault }
    return bytes
  }

  /// Stores `buffer` into the writable part, from byte `offset` on.
  func write(at offset: Int, from buffer: UnsafeRawBufferPointer, _ memory: any DMAPort) throws(VirtqueueFault) {
    try Self.each(writable, offset, buffer.count) { address, range in
      memory.write(address, from: UnsafeRawBufferPointer(rebasing: buffer[range]))
    }
  }

  func write(at offset: Int = 0, _ bytes: [UInt8], _ memory: any DMAPort) throws(VirtqueueFault) {
    let fault: VirtqueueFault? = bytes.withUnsafeBytes { buffer in
      do throws(VirtqueueFault) {
        try write(at: offset, from: buffer, memory)
        return nil
      } catch { return error }
    }
    if let fault { throw fault }
  }

  /// The pieces of `parts` that `count` bytes from `offset` on lie in.
  private static func each(
    _ parts: [Part], _ offset: Int, _ count: Int, _ body: (_ address: UInt64, _ range: Range<Int>) -> Bool
  ) throws(VirtqueueFault) {
    var skip = offset
    var done = 0
    for part in parts where done < count {
      if skip >= part.length {
        skip -= part.length
        continue
      }
      let length = min(part.length - skip, count - done)
      guard body(part.address + UInt64(skip), done..<done + length) else { throw .outsideMemory }
      done += length
      skip = 0
    }
    guard done == count else { throw .malformed }
  }
}
