import Processor

/// How a device reaches memory: on the bare machine RAM itself, in a domain whatever the hypervisor lets it see.
///
/// Addresses and lengths come from the guest. An access that leaves RAM fails as a whole; no device may assume that it succeeds.
public protocol DMAPort: AnyObject {
  /// Fills `buffer` from memory; false, and `buffer` undefined, if a byte of it is not RAM.
  func read(_ address: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Bool
  /// Stores `buffer`; false, and nothing stored, if a byte of it would not be RAM.
  func write(_ address: UInt64, from buffer: UnsafeRawBufferPointer) -> Bool
}

extension DMAPort {
  /// A little-endian value; nil outside RAM.
  public func load<T: FixedWidthInteger>(_ address: UInt64, as: T.Type = T.self) -> T? {
    var value = T.zero
    let inRAM = withUnsafeMutableBytes(of: &value) { read(address, into: $0) }
    return inRAM ? T(littleEndian: value) : nil
  }

  /// False outside RAM.
  @discardableResult
  public func store<T: FixedWidthInteger>(_ address: UInt64, _ value: T) -> Bool {
    withUnsafeBytes(of: value.littleEndian) { write(address, from: $0) }
  }

  /// Nil outside RAM. `count` is the caller's to bound.
  public func bytes(_ address: UInt64, count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    return bytes.withUnsafeMutableBytes { read(address, into: $0) } ? bytes : nil
  }

  @discardableResult
  public func write(_ address: UInt64, _ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { write(address, from: $0) } }
}

/// DMA to RAM as the guest sees it: physical addresses of the bare machine, guest-physical ones of a domain. Processors are coherent with
/// it (Volume 2, section 4.4.3): translated code is dropped where it is overwritten.
public final class PhysicalDMA: DMAPort {
  private let memory: any GuestMemory
  public init(memory: any GuestMemory) { self.memory = memory }

  public func read(_ address: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Bool { memory.read(address, into: buffer) }

  public func write(_ address: UInt64, from buffer: UnsafeRawBufferPointer) -> Bool { memory.write(address, buffer) }
}
