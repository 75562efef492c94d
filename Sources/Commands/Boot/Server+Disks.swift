import Devices
import HostResources
import Platform

/// What all servers do with disks.
extension Server {
  /// Counts what goes through a disk, under a name of statistics. `more`: what its controller counts.
  func note(_ disk: OpenDisk, name: String, more: @escaping () -> [String: UInt64] = { [:] }) {
    disks.append((name: name, disk: disk))
    disk.warnings.forEach { StandardError.write("epicure: \($0)") }
    statisticsSources.append(
      (
        name,
        {
          let counts = disk.storage.statistics
          return [
            "reads": counts.reads, "writes": counts.writes, "flushes": counts.flushes, "bytes_read": counts.bytesRead,
            "bytes_written": counts.bytesWritten, "errors": counts.errors,
          ].merging(more()) { first, _ in first }
        }
      ))
  }

  func serialNumber(_ disk: OpenDisk, number: Int) -> String { disk.specification.serial ?? "EPICURE\(number)" }

  func scsiUnit(_ disk: OpenDisk, number: Int, _ timing: MediumTiming) -> SCSIUnit {
    let serial = serialNumber(disk, number: number)
    let unit =
      disk.specification.isCD
      ? SCSICDROM(storage: disk.storage, serialNumber: serial) : SCSIDisk(storage: disk.storage, serialNumber: serial)
    unit.timing = timing
    return unit
  }
}
