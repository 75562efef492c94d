/// Structures of Xen's interface as bytes: little-endian fields at offsets.
extension [UInt8] {
  /// The whole field has to be inside.
  public func field<T: FixedWidthInteger>(_ offset: Int, as: T.Type = T.self) -> T {
    precondition(offset >= 0 && offset + MemoryLayout<T>.size <= count)
    return withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
  }

  /// The whole field has to be inside.
  public mutating func setField<T: FixedWidthInteger>(_ offset: Int, _ value: T) {
    precondition(offset >= 0 && offset + MemoryLayout<T>.size <= count)
    withUnsafeMutableBytes { $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self) }
  }
}

/// Numbers that stand for a domain in arguments.
public enum DomainNumber {
  /// The host OS's: Swift code here.
  public static let host: UInt16 = 0
  /// DOMID_SELF: whoever calls.
  public static let caller: UInt16 = 0x7FF0
}
