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

  /// Any number may read an image that nobody writes; one may write it. False: somebody else is in the way. The lock goes with the
  /// descriptor. A file system without locks grants it.
  static func take(_ descriptor: Int32, writing: Bool) -> Bool {
    let mine = writing ? [Permission.read, Permission.write, Permission.resize] : [Permission.read]
    let refused = [Permission.write, Permission.resize]
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

  private static func region(_ byte: Int, _ type: Int32) -> flock {
    flock(l_type: Int16(type), l_whence: Int16(SEEK_SET), l_start: off_t(byte), l_len: 1, l_pid: 0)
  }
}
