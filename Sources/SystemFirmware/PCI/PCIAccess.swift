import Platform

/// SAL_PCI_CONFIG_READ and _WRITE go to the root of the machine's only segment.
extension PCIRoot: PCIConfigurationSpace {
  public func read(_ address: PCIAddress, size: Int) -> UInt32 {
    guard address.segment == 0 else { return UInt32.max >> UInt32(32 - 8 * size) }
    return readConfiguration(
      bus: address.bus, device: address.device, function: address.function, register: address.register, size: size)
  }

  public func write(_ address: PCIAddress, size: Int, value: UInt32) {
    guard address.segment == 0 else { return }
    writeConfiguration(
      bus: address.bus, device: address.device, function: address.function, register: address.register, size: size, value: value)
  }
}
