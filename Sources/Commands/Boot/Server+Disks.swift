import Devices
import HostResources
import Platform
import SystemFirmware

/// Disks, opened and plugged in.
extension Server {
  /// The controller that the chip set has; one that no disk is plugged into is left out.
  private static let chipSetDevice: UInt8 = 1
  static let ideUnits = 4

  func attach(_ disks: [OpenDisk]) throws {
    var ide: PIIX4?
    for (number, disk) in disks.enumerated() {
      switch disk.specification.bus ?? .ide {
      case .ide:
        let unit = self.disks.count { $0.name.hasPrefix("ide") }
        guard unit < Self.ideUnits else {
          throw CommandFailure(CommandFailure.badInput, "--disk: IDE has room for \(Self.ideUnits) disks")
        }
        let controller = try ide ?? makeIDE()
        ide = controller
        controller.ide.attach(ideDevice(disk, number: number), unit: unit)
        self.disks.append((name: "ide\(unit)", disk: disk))
        firmware.media.append(
          BootMedium(
            storage: disk.storage, device: Self.chipSetDevice, function: 1,
            attachment: .ide(channel: UInt8(unit / 2), unit: UInt8(unit % 2)), isRemovable: disk.specification.isCD,
            isCD: disk.specification.isCD))
      case let bus:
        throw CommandFailure(CommandFailure.badInput, "--disk: bus=\(bus.rawValue) does not exist yet; use bus=ide")
      }
    }
  }

  private func makeIDE() throws -> PIIX4 {
    let lines = [PIIX4.primaryInterrupt, PIIX4.secondaryInterrupt].map { machine.ioSAPIC.line($0) }
    let controller = PIIX4(interrupts: lines)
    try controller.attach(to: pci, bus: machine.bus, device: Self.chipSetDevice)
    return controller
  }

  private func ideDevice(_ disk: OpenDisk, number: Int) -> ATADevice {
    let serial = disk.specification.serial ?? "EPICURE\(number)"
    return disk.specification.isCD
      ? ATAPICDROM(disc: disk.storage, serial: serial, events: machine.events, clock: machine)
      : ATADisk(
        medium: disk.storage, serial: serial, writeCache: disk.specification.cache != .writethrough, events: machine.events,
        clock: machine)
  }

  /// The machine is switched off: what the guest has written and not flushed is saved all the same.
  func flushDisks() {
    for (_, disk) in disks {
      do throws(StorageFailure) { try disk.finish() } catch {
        StandardError.write("epicure: \(disk.specification.file): what was written last could not be saved: \(error)")
      }
    }
  }
}
