/// RAM at the addresses that a guest calls physical: on the bare machine ``PhysicalMemory`` itself, in a domain whatever pages the
/// hypervisor has put there. What devices and firmware see of memory.
///
/// Addresses and counts may come from a guest: nothing here trusts them.
public protocol GuestMemory: AnyObject {
  /// Where RAM is, ascending and disjoint. It does not move while the guest runs.
  var ranges: [Range<UInt64>] { get }
  /// Host address of `count` bytes, if all of it is RAM and lies together on the host; nil otherwise.
  func host(_ physical: UInt64, count: Int) -> UnsafeMutableRawPointer?
  /// The longest piece from `physical` on that lies together on the host, of at most `limit` bytes; nil outside RAM.
  func piece(_ physical: UInt64, limit: Int) -> UnsafeMutableRawBufferPointer?
  /// Whether what can be read there may be written as well.
  func isWritable(_ physical: UInt64) -> Bool
  /// Tells the engines that RAM changed behind them (device DMA, firmware, loaders).
  func noteWrite(_ physical: UInt64, count: Int)
  /// Zeros a range; false, and nothing changed, if it is not all RAM.
  @discardableResult func clear(_ physical: UInt64, count: UInt64) -> Bool
  /// A hash over all pages that are not zero and their addresses.
  func contentHash() -> UInt64
}

extension GuestMemory {
  public func isWritable(_ physical: UInt64) -> Bool { true }

  /// Whether `count` bytes from `physical` on are all RAM of one range.
  public func isRAM(_ physical: UInt64, count: UInt64) -> Bool {
    ranges.contains { $0.contains(physical) && count <= $0.upperBound - physical }
  }

  /// The pieces of a range in order; nil if it is not all RAM.
  public func pieces(_ physical: UInt64, count: Int) -> [UnsafeMutableRawBufferPointer]? {
    guard count >= 0, count == 0 || isRAM(physical, count: UInt64(count)) else { return nil }
    var list: [UnsafeMutableRawBufferPointer] = []
    var done = 0
    while done < count {
      guard let piece = piece(physical + UInt64(done), limit: count - done), !piece.isEmpty else { return nil }
      list.append(piece)
      done += piece.count
    }
    return list
  }

  /// Copies bytes out of RAM; false, and `buffer` undefined, if not all of it is RAM.
  public func read(_ physical: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
    guard let pieces = pieces(physical, count: buffer.count) else { return false }
    var done = 0
    for piece in pieces {
      UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + piece.count]).copyMemory(from: UnsafeRawBufferPointer(piece))
      done += piece.count
    }
    return true
  }

  /// Copies bytes into RAM; false, and nothing written, if not all of it is RAM.
  @discardableResult
  public func write(_ physical: UInt64, _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let pieces = pieces(physical, count: bytes.count) else { return false }
    var done = 0
    for piece in pieces {
      guard isWritable(physical + UInt64(done)) else { return false }
      done += piece.count
    }
    done = 0
    for piece in pieces {
      piece.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[done..<done + piece.count]))
      done += piece.count
    }
    noteWrite(physical, count: bytes.count)
    return true
  }

  @discardableResult
  public func write(_ physical: UInt64, _ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { write(physical, $0) } }

  /// Nil if not all of it is RAM. `count` is the caller's to bound.
  public func read(_ physical: UInt64, count: Int) -> [UInt8]? {
    guard count >= 0, count == 0 || isRAM(physical, count: UInt64(count)) else { return nil }
    var bytes = [UInt8](repeating: 0, count: count)
    return bytes.withUnsafeMutableBytes { read(physical, into: $0) } ? bytes : nil
  }

  /// A little-endian value; nil outside RAM.
  public func load<T: FixedWidthInteger>(_ physical: UInt64, as: T.Type = T.self) -> T? {
    var value = T.zero
    return withUnsafeMutableBytes(of: &value, { read(physical, into: $0) }) ? T(littleEndian: value) : nil
  }

  /// False outside RAM.
  @discardableResult
  public func store<T: FixedWidthInteger>(_ physical: UInt64, _ value: T) -> Bool {
    withUnsafeBytes(of: value.littleEndian) { write(physical, $0) }
  }
}
