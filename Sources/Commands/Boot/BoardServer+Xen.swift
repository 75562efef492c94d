import Devices
import Hypervisor
import Platform

/// Direct input and output: physical functions that the guest has for itself (white papers on Xen/ia64 call them passed through).
extension BoardServer {
  /// The hypervisor takes part in finding the registers, in interrupts, and, by translating addresses, in what the function reaches: the
  /// domain's own memory and no other. `option` asked for it.
  func give(_ function: PCIFunction, option: String) throws {
    guard let domain else {
      throw CommandFailure(CommandFailure.badInput, "\(option): the bare machine has its devices for itself anyway")
    }
    function.isDirect = true
    domain.isDirect = { [unowned pci] in pci.isDirect($0) }
    pci.directDecodingChanged = { [unowned domain] in domain.directDevicesChanged() }
    pci.directInterrupt = { [unowned domain] in domain.noteDirectInterrupt() }
  }
}

/// What tells the guest of an HVM domain that it may use paravirtualized drivers.
extension BoardServer {
  /// Behind what has places of its own, and out of the way of what is plugged in later.
  private static let platformDevice: UInt8 = 30

  func offerParavirtualization(_ domain: HVMDomain, name: String, uuid: String) throws {
    let platform = XenPlatform()
    try pci.attach(platform.function, model: platform, device: Self.platformDevice)
    retain(platform)
    let lines = (0..<IOSAPIC.inputs).map { machine.ioSAPIC.line($0) }
    domain.driveCallback = { [unowned platform] via, asserted in
      switch via {
      case .line(let number): if lines.indices.contains(number) { lines[number].set(asserted) }
      // The pin is the platform device's, whatever the guest has said: nothing else is driven for it.
      case .pci: platform.function.setInterrupt(asserted)
      }
    }
    domain.hasShutDown = { [unowned self] reason in
      switch reason {
      case .reboot, .watchdog: perform(.coldReset)
      case .powerOff, .suspend, .crash: perform(.powerOff)
      }
    }
    try domain.enterStore(name: name, uuid: uuid)
  }
}
