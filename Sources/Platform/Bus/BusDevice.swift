/// A device as the bus sees it: registers at offsets, nothing of where they are. The same device serves the bare platform and, later,
/// the hypervisor's device emulation.
public protocol BusDevice: AnyObject {
  /// Reads `size` (1, 2, 4 or 8) bytes at `offset` from the start of the device's range.
  func read(offset: UInt64, size: Int) -> UInt64
  func write(offset: UInt64, size: Int, value: UInt64)
}

/// A device's interrupt output.
public protocol InterruptLine: AnyObject {
  /// Sets the level of the line.
  func set(_ asserted: Bool)
}

/// Device ranges of one address space, disjoint and sorted.
public struct AddressSpace {
  public struct Mapping {
    public let range: Range<UInt64>
    public let name: String
    public let device: any BusDevice
  }
  public enum Failure: Error, Equatable, CustomStringConvertible {
    case overlap(String, String)
    public var description: String {
      switch self {
      case .overlap(let new, let old): "the addresses of \(new) overlap those of \(old)"
      }
    }
  }

  public private(set) var mappings: [Mapping] = []

  public mutating func map(_ name: String, _ range: Range<UInt64>, _ device: any BusDevice) throws(Failure) {
    if let other = mappings.first(where: { $0.range.overlaps(range) }) { throw .overlap(name, other.name) }
    mappings.append(Mapping(range: range, name: name, device: device))
    mappings.sort { $0.range.lowerBound < $1.range.lowerBound }
  }

  func find(_ address: UInt64) -> Mapping? { mappings.first { $0.range.contains(address) } }

  /// All ones where nobody answers, as an idle bus reads. An access never spills over a device's end.
  func read(_ address: UInt64, _ size: Int) -> UInt64 {
    guard let m = find(address), address + UInt64(size) <= m.range.upperBound else {
      return UInt64.max >> UInt64(64 - 8 * size)
    }
    return m.device.read(offset: address - m.range.lowerBound, size: size)
  }

  func write(_ address: UInt64, _ size: Int, _ value: UInt64) {
    guard let m = find(address), address + UInt64(size) <= m.range.upperBound else { return }
    m.device.write(offset: address - m.range.lowerBound, size: size, value: value)
  }
}
