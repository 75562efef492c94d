import Devices
import HostResources
import Platform
import SystemFirmware

/// Disks, opened and plugged in.
extension BoardServer {
  /// The controller that the chip set has; one that no disk is plugged into is left out.
  static let chipSetDevice: UInt8 = 1
  static let ideUnits = 4

  /// `medium`: what all disks are parts of; nil: each is one of its own.
  func attach(_ disks: [OpenDisk], medium: MediumTiming? = nil) throws {
    var ide: PIIX4?
    // By whether the guest has them for itself.
    var scsi: [Bool: LSI53C895A] = [:]
    var virtioSCSI: VirtioPCI?
    for (number, disk) in disks.enumerated() {
      let timing = medium ?? MediumTiming()
      let unit = self.disks.count { $0.name.hasPrefix("ide") }
      switch disk.specification.bus ?? (unit < Self.ideUnits ? .ide : .scsi) {
      case .ide:
        guard unit < Self.ideUnits else {
          throw CommandFailure(CommandFailure.badInput, "--disk: IDE has room for \(Self.ideUnits) disks")
        }
        let controller = try ide ?? makeIDE()
        ide = controller
        controller.ide.attach(ideDevice(disk, number: number, timing), unit: unit)
        note(disk, name: "ide\(unit)", timing)
        makeBootable(disk, device: Self.chipSetDevice, function: 1, .ide(channel: UInt8(unit / 2), unit: UInt8(unit % 2)))
      case .scsi:
        let isDirect = disk.specification.isDirect
        let controller = try scsi[isDirect] ?? makeSCSI()
        scsi[isDirect] = controller
        if isDirect { try give(controller.function, option: "--disk direct") }
        guard let id = controller.bus.freeIdentifier else {
          throw CommandFailure(CommandFailure.badInput, "--disk: a SCSI bus has room for 15 disks")
        }
        let unit = scsiUnit(disk, number: number, timing)
        unit.startsWithWriteCache = disk.specification.cache != .writethrough
        try controller.bus.attach(unit, id: id)
        note(disk, name: isDirect ? "direct-scsi\(id)" : "scsi\(id)", timing)
        if let (device, function) = controller.function.location {
          makeBootable(disk, device: device, function: function, .scsi(target: UInt16(id), lun: 0))
        }
      case .virtio:
        let block = VirtioBlock(
          storage: disk.storage, serial: serialNumber(disk, number: number), writeCache: disk.specification.cache != .writethrough,
          timing: timing, events: machine.events, clock: machine)
        let controller = try plug(block, interface: disk.specification.interface, for: "--disk")
        let number = self.disks.count { $0.name.hasPrefix("virtio") && !$0.name.hasPrefix("virtio-scsi") }
        note(disk, name: "virtio\(number)", timing) {
          controller.counters
        }
        if let (device, function) = controller.function.location { makeBootable(disk, device: device, function: function, .direct) }
      case .virtioSCSI:
        let controller = try virtioSCSI ?? makeVirtioSCSI(disk.specification.interface)
        virtioSCSI = controller
        guard let host = controller.device as? VirtioSCSI, let target = host.freeTarget else {
          throw CommandFailure(CommandFailure.badInput, "--disk: a virtio SCSI host has room for \(VirtioSCSI.targets) disks")
        }
        if let interface = disk.specification.interface, interface != controller.interface {
          throw CommandFailure(CommandFailure.badInput, "--disk: disks of one virtio SCSI host have one transport")
        }
        let unit = scsiUnit(disk, number: number, timing)
        unit.startsWithWriteCache = disk.specification.cache != .writethrough
        host.attach(unit, target: target)
        note(disk, name: "virtio-scsi\(target)", timing)
        if let (device, function) = controller.function.location {
          makeBootable(disk, device: device, function: function, .scsi(target: UInt16(target), lun: 0))
        }
      case .vbd: try attachBlock(disk, timing)
      case .vscsi: try attachSCSI(disk, scsiUnit(disk, number: number, timing))
      }
    }
  }

  /// The firmware looks for something to boot in the order of the command line.
  private func makeBootable(_ disk: OpenDisk, device: UInt8, function: UInt8, _ attachment: BootMedium.Attachment) {
    firmware.media.append(
      BootMedium(
        storage: disk.storage, device: device, function: function, attachment: attachment, isRemovable: disk.specification.isCD,
        isCD: disk.specification.isCD))
  }

  func bootDiscsFirst() { firmware.media = firmware.media.filter(\.isCD) + firmware.media.filter { !$0.isCD } }

  /// `more`: counts of the disk's own controller.
  private func makeIDE() throws -> PIIX4 {
    let lines = [PIIX4.primaryInterrupt, PIIX4.secondaryInterrupt].map { machine.ioSAPIC.line($0) }
    let controller = PIIX4(interrupts: lines)
    try controller.attach(to: pci, bus: machine.bus, device: Self.chipSetDevice)
    return controller
  }

  private func makeSCSI() throws -> LSI53C895A {
    guard let device = pci.freeDevice(from: Self.chipSetDevice + 1) else {
      throw CommandFailure(CommandFailure.badInput, "--disk: no room on the PCI bus for a SCSI controller")
    }
    let controller = try LSI53C895A(root: pci, device: device, events: machine.events, clock: machine)
    statisticsSources.append(
      (
        statisticsSources.contains { $0.name == "scsi" } ? "direct-scsi" : "scsi",
        { [unowned controller] in
          let s = controller.statistics
          return [
            "scripts_instructions": s.instructions, "scripts_interrupts": s.interrupts, "phase_mismatches": s.phaseMismatches,
            "reselections": s.reselections,
            "requests": controller.bus.units.reduce(0) { $0 + $1.statistics.requests },
          ]
        }
      ))
    return controller
  }

  private func makeVirtioSCSI(_ interface: VirtioInterface?) throws -> VirtioPCI {
    let host = VirtioSCSI(events: machine.events, clock: machine)
    let controller = try plug(host, interface: interface, for: "--disk")
    statisticsSources.append(("virtio-scsi", { [unowned controller] in controller.counters }))
    return controller
  }

  private func ideDevice(_ disk: OpenDisk, number: Int, _ timing: MediumTiming) -> ATADevice {
    let serial = serialNumber(disk, number: number)
    return disk.specification.isCD
      ? ATAPICDROM(disc: disk.storage, serial: serial, events: machine.events, clock: machine)
      : ATADisk(
        medium: disk.storage, serial: serial, writeCache: disk.specification.cache != .writethrough,
        timing: timing, events: machine.events, clock: machine)
  }
}
