import Platform

/// The PCI device by which a fully virtualized guest finds out that it may use paravirtualized drivers (`tools/ioemu/hw/xen_platform.c`): it has
/// no registers. Its memory range is where the guest's driver puts the pages that the hypervisor shares with it, and its interrupt pin can be
/// what tells of events.
public final class XenPlatform: PCIDeviceModel {
  public static let memorySize: UInt64 = 16 << 20

  public let function = PCIFunction(
    PCIIdentity(
      vendor: 0x5853, device: 0x0001, revision: 1, classCode: 0xFF_8000, subsystemVendor: 0x5853, subsystem: 0x0001),
    baseAddresses: [0: .ports(size: 0x100), 1: .memory32(size: UInt32(XenPlatform.memorySize), prefetchable: true)],
    interruptPin: 1)

  public init() {}

  public func read(bar: Int, offset: UInt64, size: Int) -> UInt64 { .max }
  public func write(bar: Int, offset: UInt64, size: Int, value: UInt64) {}
  public func reset() {}
}
