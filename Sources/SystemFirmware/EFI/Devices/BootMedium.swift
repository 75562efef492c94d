import FirmwareMedia
import HostResources

/// A medium that the firmware can boot from: its storage, and where in the machine it is.
public struct BootMedium {
  /// How it hangs on its controller.
  public enum Attachment: Sendable, Equatable {
    case ide(channel: UInt8, unit: UInt8)
    case scsi(target: UInt16, lun: UInt16)
    /// The controller is the disk.
    case direct
  }
  public var storage: any BlockStorage
  /// PCI device and function of the controller, on bus 0.
  public var device: UInt8
  public var function: UInt8
  public var attachment: Attachment
  public var isRemovable: Bool
  /// Blocks of 2048 bytes, read only.
  public var isCD: Bool

  public init(
    storage: any BlockStorage, device: UInt8, function: UInt8, attachment: Attachment, isRemovable: Bool = false, isCD: Bool = false
  ) {
    (self.storage, self.device, self.function, self.attachment) = (storage, device, function, attachment)
    (self.isRemovable, self.isCD) = (isRemovable, isCD)
  }

  var path: DevicePath {
    let nodes =
      switch attachment {
      case .ide(let channel, let unit): [DevicePath.atapi(channel: channel, unit: unit)]
      case .scsi(let target, let lun): [DevicePath.scsi(target: target, lun: lun)]
      case .direct: [] as [[UInt8]]
      }
    return DevicePath([DevicePath.pciRoot(), DevicePath.pci(device: device, function: function)] + nodes)
  }
}

/// A medium or a partition while boot services last.
final class FirmwareVolume {
  let range: MediumRange
  let blockSize: Int
  let isReadOnly: Bool
  /// EFI_BLOCK_IO_MEDIA's number of the medium.
  let mediumID: UInt32
  var handle: UInt64 = 0
  var path: DevicePath
  let isCD: Bool
  let isRemovable: Bool
  /// Its file system, if there is one.
  private(set) var fileSystem: FATVolume?

  init(range: MediumRange, blockSize: Int, medium: BootMedium, mediumID: UInt32, path: DevicePath) {
    self.range = range
    self.blockSize = blockSize
    isReadOnly = medium.isCD || range.storage.isReadOnly
    self.mediumID = mediumID
    self.path = path
    isCD = medium.isCD
    isRemovable = medium.isRemovable || medium.isCD
    mount()
  }

  /// Reads the file system anew: somebody has written to the medium behind it.
  func mount() { fileSystem = try? FATVolume(range) }
}
