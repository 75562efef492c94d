import Platform

/// Device 0 of the PCI bus: the chip set's own function, for systems that look for one. Only configuration space; the identity is that
/// of the 440FX, which emulated servers of this architecture have always shown and which every system leaves alone.
public final class HostBridge: PCIDeviceModel {
  public let function = PCIFunction(
    PCIIdentity(vendor: 0x8086, device: 0x1237, revision: 2, classCode: 0x06_0000))

  public init() {}
  public func read(bar: Int, offset: UInt64, size: Int) -> UInt64 { .max }
  public func write(bar: Int, offset: UInt64, size: Int, value: UInt64) {}
  public func reset() {}
}
