import Processor

/// A pointer argument of a hypercall, which on ia64 is never a virtual address (xencomm, `xen/include/public/xencomm.h`): bit 63 set: a
/// guest-physical address of contiguous bytes; clear: that of a descriptor that lists pieces, each up to the end of its frame.
struct GuestHandle: Equatable {
  var value: UInt64

  private static let inlineFlag: UInt64 = 1 << 63
  private static let magic: UInt32 = 0x5843_4F4D
  private static let noPiece = UInt64.max
  /// Entries of a descriptor that are looked at: enough for 16 MiB.
  private static let entryLimit: UInt64 = 1024

  var isNull: Bool { value & ~Self.inlineFlag == 0 }

  /// Guest-physical pieces of `count` bytes from byte `skip` on; nil: the descriptor is not one, or ends before.
  private func pieces(_ skip: UInt64, _ count: Int, _ memory: DomainMemory) -> [(address: UInt64, count: Int)]? {
    guard count > 0 else { return [] }
    guard !isNull else { return nil }
    if value & Self.inlineFlag != 0 { return [(value & ~Self.inlineFlag &+ skip, count)] }
    guard value & 7 == 0, memory.load(value, as: UInt32.self) == Self.magic, let entries: UInt32 = memory.load(value &+ 4) else {
      return nil
    }
    var list: [(address: UInt64, count: Int)] = []
    var (skip, left) = (skip, count)
    for n in 0..<min(UInt64(entries), Self.entryLimit) where left > 0 {
      guard let address: UInt64 = memory.load(value &+ 8 &+ 8 &* n) else { return nil }
      if address == Self.noPiece { continue }
      let size = FramePool.frameSize - address & (FramePool.frameSize - 1)
      if skip >= size {
        skip -= size
        continue
      }
      let piece = min(Int(size - skip), left)
      list.append((address &+ skip, piece))
      left -= piece
      skip = 0
    }
    return left == 0 ? list : nil
  }

  /// `count` bytes from byte `skip` on; nil: not all of them are RAM. `count` is the caller's to bound.
  func read(_ memory: DomainMemory, count: Int, skip: UInt64 = 0) -> [UInt8]? {
    guard let pieces = pieces(skip, count, memory) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    for piece in pieces {
      guard let part = memory.read(piece.address, count: piece.count) else { return nil }
      bytes += part
    }
    return bytes
  }

  /// False: not all of it is RAM that the domain may write; some may have been written.
  func write(_ memory: DomainMemory, _ bytes: [UInt8], skip: UInt64 = 0) -> Bool {
    guard let pieces = pieces(skip, bytes.count, memory) else { return false }
    var done = 0
    for piece in pieces {
      guard memory.write(piece.address, Array(bytes[done..<done + piece.count])) else { return false }
      done += piece.count
    }
    return true
  }

  /// The `index`th 64-bit word of an array.
  func word(_ memory: DomainMemory, _ index: UInt64) -> UInt64? {
    read(memory, count: 8, skip: index &* 8)?.field(0)
  }

  func setWord(_ memory: DomainMemory, _ index: UInt64, _ value: UInt64) -> Bool {
    write(memory, withUnsafeBytes(of: value.littleEndian) { Array($0) }, skip: index &* 8)
  }
}
