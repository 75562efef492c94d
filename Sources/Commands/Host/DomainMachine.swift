import HostResources
import Hypervisor
import Management
import Platform

/// From what an administrator asks for to a machine: disks, adapters, processors, memory.
struct DomainMachine {
  var configuration: DomainConfiguration
  /// Where relative names of files begin.
  var folder: String

  /// What this server does not have is said before anything is opened.
  func check() throws(CommandFailure) {
    let mebibytes = UInt64(configuration.memory)
    let smallest = MachineConfiguration.smallestMemory >> 20
    guard mebibytes >= smallest, mebibytes << 20 <= MachineConfiguration.largestMemory else {
      throw refusal(
        "memory: \(mebibytes) MiB; a domain has from \(smallest) MiB to \(MachineConfiguration.largestMemory >> 20) MiB")
    }
    guard configuration.kernel != nil || configuration.disks.contains(where: { $0.target != nil }) else {
      throw refusal("there is neither a disk nor a kernel to start")
    }
    if configuration.kind == .paravirtualized { try checkParavirtualized() }
    if configuration.kind == .hardware && !configuration.framebuffers.isEmpty {
      throw refusal("vfb: only PV domains have it; stdvga = 1 or vnc = 1 gives an HVM domain a screen")
    }
    for unit in configuration.scsiDevices { try check(unit) }
    if configuration.disks.contains(where: { $0.backendDomain != nil })
      || configuration.interfaces.contains(where: { $0.backendDomain != nil })
      || configuration.scsiDevices.contains(where: { $0.backendDomain.map { $0 != "0" } ?? false })
    {
      throw refusal("driver domains (backend=) do not exist yet")
    }
  }

  private func check(_ unit: SCSIDeviceConfiguration) throws(CommandFailure) {
    guard unit.virtual != nil else {
      throw refusal("vscsi: only single units can be given, at an address like 0:0:0:0, not a whole host")
    }
    if (try? SCSIAddress(parsing: unit.physical)) != nil {
      throw refusal(
        "vscsi: \(unit.physical): the server has no SCSI units of its own; name an image's file or a device like /dev/sdb")
    }
  }

  private func checkParavirtualized() throws(CommandFailure) {
    guard configuration.kernel != nil else {
      throw refusal(
        "builder = 'linux': a PV domain has no firmware, so that it needs kernel=; for a disk that boots use builder = 'hvm'")
    }
    if !configuration.pciDevices.isEmpty { throw refusal("pci: only HVM domains have a bus for the host's devices") }
    if configuration.framebuffers.count > 1 { throw refusal("vfb: a domain has one screen") }
    if configuration.bootloader != nil { throw refusal("bootloader: kernels are not looked for on disks; name one with kernel=") }
  }

  private func refusal(_ text: String) -> CommandFailure {
    CommandFailure(CommandFailure.badInput, "\(configuration.name): \(text)")
  }

  private func resolve(_ path: String) -> String { path.hasPrefix("/") || folder.isEmpty ? path : folder + "/" + path }

  /// The kernel's symbols, for reports.
  var symbolFile: String? { configuration.systemMap.map(resolve) }

  /// `place`: gives the machine its place on the hypervisor.
  /// `devices`: physical ones that the domain has for itself.
  func guest(uuid: String, devices: [HostDevice], place: @escaping (MachineConfiguration) throws -> Domain) throws
    -> GuestConfiguration
  {
    GuestConfiguration(
      kernel: configuration.kernel.map(resolve), initrd: configuration.ramdisk.map(resolve), name: configuration.name, uuid: uuid,
      commandLine: configuration.commandLine,
      processors: configuration.virtualProcessors, memory: UInt64(configuration.memory) << 20,
      disks: try configuration.disks.compactMap(disk) + configuration.scsiDevices.map(disk)
        + devices.compactMap { if case .disk(let disk) = $0.kind { disk } else { nil } },
      variables: configuration.firmwareVariables.map(resolve),
      domain: place, hasVideo: configuration.guestScreen.isThere,
      bootsDiscsFirst: Self.bootsDiscsFirst(configuration.bootOrder))
  }

  private static func bootsDiscsFirst(_ order: [DomainConfiguration.BootDevice]) -> Bool {
    guard let disc = order.firstIndex(of: .optical) else { return false }
    return disc < order.firstIndex(of: .disk) ?? .max
  }

  /// log2 of the bytes of each virtual processor's machine VHPT.
  var tableShift: Int {
    // Xen's range is larger than what the hypervisor hashes with.
    configuration.vhpt == 0 ? 20 : min(24, max(16, configuration.vhpt & ~1))
  }

  /// As a block device with paravirtualized drivers, whatever the guest calls it.
  func blockDevice(_ disk: DiskConfiguration) throws -> DiskSpecification? {
    var specification = try self.disk(disk)
    specification?.bus = .vbd
    specification?.deviceNumber = Int(disk.device.number)
    return specification
  }

  /// Nil: a drive without a disc, which is not there.
  private func disk(_ disk: DiskConfiguration) throws -> DiskSpecification? {
    guard let target = disk.target else { return nil }
    var specification = DiskSpecification(file: disk.backend == .network ? target : resolve(target))
    switch disk.device.bus {
    case _ where configuration.kind == .paravirtualized:
      specification.bus = .vbd
      specification.deviceNumber = Int(disk.device.number)
    case .ide: specification.bus = .ide
    case .scsi: specification.bus = .scsi
    // Xen's HVM domains see these as the chip set's disks, as long as there is room.
    case .xen: specification.bus = nil
    }
    switch disk.format {
    case .raw: specification.format = disk.backend == .tap || disk.backend == .network ? .raw : nil
    case .vhd: specification.format = .vpc
    case .qcow, .qcow2, .vmdk, .qed: specification.format = ImageFormat(rawValue: disk.format.rawValue)
    }
    specification.isReadOnly = disk.access == .readOnly
    specification.isCD = disk.isOptical
    if disk.isOptical { specification.isReadOnly = true }
    return specification
  }

  /// A unit of a paravirtualized SCSI host.
  private func disk(_ unit: SCSIDeviceConfiguration) -> DiskSpecification {
    // xm has the names of block devices without their folder, too.
    let isDevice =
      !unit.physical.contains("/") && ["sd", "st", "sg"].contains { unit.physical.hasPrefix($0) && unit.physical.count == 3 }
    var specification = DiskSpecification(file: isDevice ? "/dev/" + unit.physical : resolve(unit.physical))
    specification.bus = .vscsi
    specification.unitAddress = unit.virtual.map {
      DiskSpecification.UnitAddress(host: $0.host, channel: $0.channel, target: $0.target, unit: $0.unit)
    }
    return specification
  }

  /// Where its screen is shown; `number`: the domain's.
  func screenAddresses(number: Int) -> [VNCAddress] {
    let screen = configuration.guestScreen
    let wanted = VNCAddress(host: screen.listen, display: screen.display ?? number)
    return screen.takesUnusedDisplay ? [wanted, VNCAddress(host: screen.listen, display: nil)] : [wanted]
  }

  /// The adapters; `addresses` are those that made-up ones had before.
  func adapters() throws(CommandFailure) -> [NICSpecification] {
    try configuration.interfaces.map(adapter)
  }

  func adapter(_ interface: InterfaceConfiguration) throws(CommandFailure) -> NICSpecification {
    var adapter: NICSpecification
    do throws(NICSpecification.Failure) {
      // xm's scripts take the first bridge, and that is its name.
      let bridge = interface.bridge ?? "xenbr0"
      adapter = try NICSpecification(parsing: bridge == "user" ? "user" : "bridge=\(bridge)")
    } catch { throw refusal("vif: \(error)") }
    // Xen's other models have no drivers that could not drive this one's, too. QEMU's name for the last is xl's as well.
    if let model = interface.model {
      guard let known = NICSpecification.Model(rawValue: model == "virtio-net" ? "virtio" : model) else {
        throw refusal("vif: there is no model '\(model)'; there is e1000, virtio, netfront")
      }
      adapter.model = known
    }
    if interface.kind == .paravirtual || configuration.kind == .paravirtualized { adapter.model = .netfront }
    adapter.address = interface.address.flatMap { MACAddress($0) }
    return adapter
  }
}
