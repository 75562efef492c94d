#if canImport(Glibc)
  import Glibc
#endif

/// Block devices of the host: whole disks, partitions, logical volumes.
enum HostDevice {
  /// BLKGETSIZE64 of Linux's <linux/fs.h>: _IOR(0x12, 114, size_t).
  private static let getSize: UInt = 0x8008_1272

  /// An exclusive open of a block device fails while it, or a part of it, is mounted, swapped to, or has become a member of something
  /// else (`open(2)`, O_EXCL). Others of ours that have it are no reason: locks on the image keep those apart.
  static func open(_ path: String, _ flags: Int32) throws(StorageProblem) -> Int32 {
    let exclusive = Glibc.open(path, flags | O_EXCL)
    guard exclusive < 0, errno == EBUSY else { return exclusive }
    let shared = Glibc.open(path, flags)
    guard shared >= 0 else { return shared }
    guard ImageLock.isHeld(shared) else {
      close(shared)
      throw StorageProblem(path, "is in use by the host: mounted, or part of something that is")
    }
    return shared
  }

  /// Bytes; nil: errno says why it is not known.
  static func size(_ descriptor: Int32) -> UInt64? {
    var size: UInt64 = 0
    return ioctl(descriptor, getSize, &size) == 0 ? size : nil
  }
}
