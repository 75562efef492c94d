import Devices
import HostResources
import Platform

/// What all servers do with disks.
extension Server {
  /// Nothing more will be written to a disk.
  func finish(_ disk: OpenDisk) {
    do throws(StorageFailure) { try disk.finish() } catch {
      StandardError.write("epicure: \(disk.specification.file): what was written last could not be saved: \(error)")
    }
    disk.failures.forEach { StandardError.write("epicure: \($0)") }
  }

  /// A disk has been detached: it is closed, so that others may have it.
  func letGo(_ storage: CountedStorage) {
    guard let index = disks.firstIndex(where: { $0.disk.storage === storage }) else { return }
    finish(disks[index].disk)
    statisticsSources.removeAll { $0.name == disks[index].name }
    media.removeAll { $0.name == disks[index].name }
    disks.remove(at: index)
  }

  /// Counts what goes through a disk, under a name of statistics. `more`: what its controller counts.
  func note(_ disk: OpenDisk, name: String, _ timing: MediumTiming, more: @escaping () -> [String: UInt64] = { [:] }) {
    disks.append((name: name, disk: disk))
    media.append((name: name, timing: timing))
    if let recorder {
      observe(disk, name: name, recorder)
      observe(timing, name: name, recorder)
    }
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
