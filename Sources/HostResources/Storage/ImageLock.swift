#if canImport(Glibc)
  import Glibc
#endif

/// The advisory lock on an image, by the convention of QEMU's file driver, so that the two exclude each other as well: byte 100 + p is
/// locked by whoever uses permission p, byte 200 + p by whoever does not let others have it. All locks are shared ones; a conflict is
/// found by asking who else holds the opposite byte.
enum ImageLock {
  private enum Permission {
    static let read = 0
    static let write = 1
    static let resize = 3
  }
  private static let used = 100
  private static let denied = 200

  // Linux's open file description locks; <fcntl.h> has them for GNU sources only.
  private static let getLock: Int32 = 36
  private static let setLock: Int32 = 37

  /// Where locks on an image's bytes lie: beyond any byte that there can be, so that they do not meet those of the convention.
  private static let parts: UInt64 = 1 << 62

  /// Any number may read an image that nobody writes; one may write it. False: somebody else is in the way. The lock goes with the
  /// descriptor. A file system without locks grants it.
  ///
  /// `isShared`: others may write other parts of it; ``claim(_:_:writing:)`` keeps the parts apart.
  static func take(_ descriptor: Int32, writing: Bool, isShared: Bool) -> Bool {
    var mine = writing ? [Permission.read, Permission.write] : [Permission.read]
    var refused = [Permission.resize]
    // Whoever has the whole image is known by this: owners of parts can tell it from each other.
    if !isShared {
      if writing { mine.append(Permission.resize) }
      refused.append(Permission.write)
    }
    for byte in mine.map({ used + $0 }) + refused.map({ denied + $0 }) {
      var lock = region(byte, F_RDLCK)
      if fcntl(descriptor, setLock, &lock) != 0 { return errno != EAGAIN && errno != EACCES }
    }
    for byte in mine.map({ denied + $0 }) + refused.map({ used + $0 }) {
      var lock = region(byte, F_WRLCK)
      if fcntl(descriptor, getLock, &lock) == 0, lock.l_type != F_UNLCK { return false }
    }
    return true
  }

  /// Locks a part of an image for writing, or for reading with others that only read. False: somebody has an overlapping part.
  static func claim(_ descriptor: Int32, _ bytes: Range<UInt64>, writing: Bool) -> Bool {
    var lock = flock(
      l_type: Int16(writing ? F_WRLCK : F_RDLCK), l_whence: Int16(SEEK_SET), l_start: off_t(parts + bytes.lowerBound),
      l_len: off_t(bytes.count), l_pid: 0)
    return fcntl(descriptor, setLock, &lock) == 0 || (errno != EAGAIN && errno != EACCES)
  }

  /// Somebody who keeps to the convention uses the image.
  static func isHeld(_ descriptor: Int32) -> Bool {
    var lock = region(used + Permission.read, F_WRLCK)
    return fcntl(descriptor, getLock, &lock) == 0 && lock.l_type != F_UNLCK
  }

  private static func region(_ byte: Int, _ type: Int32) -> flock {
    flock(l_type: Int16(type), l_whence: Int16(SEEK_SET), l_start: off_t(byte), l_len: 1, l_pid: 0)
  }
}
