import HostResources

/// A way for a guest to a disk or a network.
struct IOMethod: Equatable {
  enum Category: String, Encodable { case native, emulated, paravirtual, direct }
  enum Device: String, Encodable { case block, network }

  let name: String
  let category: Category
  let device: Device
  let virtualization: Virtualization
  /// What the guest calls its driver.
  let driver: String
  /// Options of `--disk` or `--nic` that make the device.
  let options: String

  /// The bare machine's come first: the others are compared with them.
  static let block = [
    IOMethod(name: "native", category: .native, device: .block, virtualization: .bare, driver: "scsi", options: "bus=scsi"),
    IOMethod(
      name: "direct", category: .direct, device: .block, virtualization: .hvm, driver: "scsi", options: "bus=scsi,direct=on"),
    IOMethod(name: "ide", category: .emulated, device: .block, virtualization: .hvm, driver: "ide", options: "bus=ide"),
    IOMethod(name: "scsi", category: .emulated, device: .block, virtualization: .hvm, driver: "scsi", options: "bus=scsi"),
    IOMethod(name: "virtio", category: .paravirtual, device: .block, virtualization: .hvm, driver: "virtio", options: "bus=virtio"),
    IOMethod(name: "vbd", category: .paravirtual, device: .block, virtualization: .pv, driver: "vbd", options: "bus=vbd"),
    IOMethod(
      name: "vbd-hvm", category: .paravirtual, device: .block, virtualization: .hvm, driver: "vbd", options: "bus=vbd"),
    IOMethod(name: "vscsi", category: .paravirtual, device: .block, virtualization: .pv, driver: "vscsi", options: "bus=vscsi"),
  ]
  static let network = [
    IOMethod(name: "native", category: .native, device: .network, virtualization: .bare, driver: "e1000", options: "model=e1000"),
    IOMethod(
      name: "direct", category: .direct, device: .network, virtualization: .hvm, driver: "e1000", options: "model=e1000,direct=on"),
    IOMethod(name: "e1000", category: .emulated, device: .network, virtualization: .hvm, driver: "e1000", options: "model=e1000"),
    IOMethod(
      name: "virtio", category: .paravirtual, device: .network, virtualization: .hvm, driver: "virtio", options: "model=virtio"),
    IOMethod(
      name: "vnif", category: .paravirtual, device: .network, virtualization: .pv, driver: "vnif", options: "model=netfront"),
    IOMethod(
      name: "vnif-hvm", category: .paravirtual, device: .network, virtualization: .hvm, driver: "vnif", options: "model=netfront"),
  ]
  static let all = block + network
  static var names: [String] { all.reduce(into: []) { if !$0.contains($1.name) { $0.append($1.name) } } }

  /// The host's operating system does what the guest asks for.
  var usesHost: Bool { category == .emulated || category == .paravirtual }
  /// Who moves the data: a device model in the host copies all of them; a back end counts what it copies; a physical device needs nobody.
  var copiesAll: Bool { usesHost && !["vbd", "vscsi", "vnif"].contains(driver) }
}
