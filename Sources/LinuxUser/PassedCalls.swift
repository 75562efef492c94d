import Glibc

/// System calls that go to the host as they are, but for the memory that their arguments point to.
struct PassedCall {
  enum Argument {
    /// An integer or a descriptor.
    case value
    /// A file name.
    case path
    /// A structure that the call reads, writes, or both; null stays null.
    case input(Int), output(Int), both(Int)
    /// A buffer whose length is another argument: read by the call, or written up to its result.
    case inputBuffer(length: Int), outputBuffer(length: Int)
  }
  var host: Int
  var arguments: [Argument]

  init(_ host: Int, _ arguments: Argument...) {
    self.host = host
    self.arguments = arguments
  }

  /// Largest buffer that is carried at once.
  static let largestBuffer = 1 << 20

  private static let timespecs = 2 * MemoryLayout<timespec>.size
  private static let timevals = 2 * MemoryLayout<timeval>.size

  static let all: [UInt64: PassedCall] = [
    Call.chdir: PassedCall(HostCall.chdir, .path),
    Call.fchdir: PassedCall(HostCall.fchdir, .value),
    Call.link: PassedCall(HostCall.link, .path, .path),
    Call.unlink: PassedCall(HostCall.unlink, .path),
    Call.utimes: PassedCall(HostCall.utimes, .path, .input(timevals)),
    Call.mknod: PassedCall(HostCall.mknod, .path, .value, .value),
    Call.chmod: PassedCall(HostCall.chmod, .path, .value),
    Call.chown: PassedCall(HostCall.chown, .path, .value, .value),
    Call.lchown: PassedCall(HostCall.lchown, .path, .value, .value),
    Call.lseek: PassedCall(HostCall.lseek, .value, .value, .value),
    Call.setuid: PassedCall(HostCall.setuid, .value),
    Call.getuid: PassedCall(HostCall.getuid),
    Call.geteuid: PassedCall(HostCall.geteuid),
    Call.setgid: PassedCall(HostCall.setgid, .value),
    Call.getgid: PassedCall(HostCall.getgid),
    Call.getegid: PassedCall(HostCall.getegid),
    Call.access: PassedCall(HostCall.access, .path, .value),
    Call.sync: PassedCall(HostCall.sync),
    Call.fsync: PassedCall(HostCall.fsync, .value),
    Call.fdatasync: PassedCall(HostCall.fdatasync, .value),
    Call.rename: PassedCall(HostCall.rename, .path, .path),
    Call.mkdir: PassedCall(HostCall.mkdir, .path, .value),
    Call.rmdir: PassedCall(HostCall.rmdir, .path),
    Call.dup: PassedCall(HostCall.dup, .value),
    Call.times: PassedCall(HostCall.times, .output(32)),
    Call.umask: PassedCall(HostCall.umask, .value),
    Call.chroot: PassedCall(HostCall.chroot, .path),
    Call.setreuid: PassedCall(HostCall.setreuid, .value, .value),
    Call.setregid: PassedCall(HostCall.setregid, .value, .value),
    Call.getresuid: PassedCall(HostCall.getresuid, .output(4), .output(4), .output(4)),
    Call.setresuid: PassedCall(HostCall.setresuid, .value, .value, .value),
    Call.getresgid: PassedCall(HostCall.getresgid, .output(4), .output(4), .output(4)),
    Call.setresgid: PassedCall(HostCall.setresgid, .value, .value, .value),
    Call.getpgid: PassedCall(HostCall.getpgid, .value),
    Call.setpgid: PassedCall(HostCall.setpgid, .value, .value),
    Call.setsid: PassedCall(HostCall.setsid),
    Call.getsid: PassedCall(HostCall.getsid, .value),
    Call.sethostname: PassedCall(HostCall.sethostname, .inputBuffer(length: 1), .value),
    Call.getrusage: PassedCall(HostCall.getrusage, .value, .output(144)),
    Call.symlink: PassedCall(HostCall.symlink, .path, .path),
    Call.truncate: PassedCall(HostCall.truncate, .path, .value),
    Call.ftruncate: PassedCall(HostCall.ftruncate, .value, .value),
    Call.fchmod: PassedCall(HostCall.fchmod, .value, .value),
    Call.fchown: PassedCall(HostCall.fchown, .value, .value, .value),
    Call.getpriority: PassedCall(HostCall.getpriority, .value, .value),
    Call.setpriority: PassedCall(HostCall.setpriority, .value, .value, .value),
    Call.statfs: PassedCall(HostCall.statfs, .path, .output(120)),
    Call.fstatfs: PassedCall(HostCall.fstatfs, .value, .output(120)),
    Call.setitimer: PassedCall(HostCall.setitimer, .value, .input(32), .output(32)),
    Call.getitimer: PassedCall(HostCall.getitimer, .value, .output(32)),
    Call.wait4: PassedCall(HostCall.wait4, .value, .both(4), .value, .both(144)),
    Call.waitid: PassedCall(HostCall.waitid, .value, .value, .output(128), .value, .output(144)),
    Call.sysinfo: PassedCall(HostCall.sysinfo, .output(112)),
    Call.flock: PassedCall(HostCall.flock, .value, .value),
    Call.sched_getparam: PassedCall(HostCall.sched_getparam, .value, .output(4)),
    Call.sched_setparam: PassedCall(HostCall.sched_setparam, .value, .input(4)),
    Call.sched_getscheduler: PassedCall(HostCall.sched_getscheduler, .value),
    Call.sched_setscheduler: PassedCall(HostCall.sched_setscheduler, .value, .value, .input(4)),
    Call.sched_yield: PassedCall(HostCall.sched_yield),
    Call.sched_get_priority_max: PassedCall(HostCall.sched_get_priority_max, .value),
    Call.sched_get_priority_min: PassedCall(HostCall.sched_get_priority_min, .value),
    Call.sched_rr_get_interval: PassedCall(HostCall.sched_rr_get_interval, .value, .output(16)),
    Call.sched_getaffinity: PassedCall(HostCall.sched_getaffinity, .value, .value, .outputBuffer(length: 1)),
    Call.sched_setaffinity: PassedCall(HostCall.sched_setaffinity, .value, .value, .inputBuffer(length: 1)),
    Call.getcwd: PassedCall(HostCall.getcwd, .outputBuffer(length: 1), .value),
    Call.sendfile: PassedCall(HostCall.sendfile, .value, .value, .both(8), .value),
    Call.getdents64: PassedCall(HostCall.getdents64, .value, .outputBuffer(length: 2), .value),
    Call.readahead: PassedCall(HostCall.readahead, .value, .value, .value),
    Call.fadvise64: PassedCall(HostCall.fadvise64, .value, .value, .value, .value),
    Call.openat: PassedCall(HostCall.openat, .value, .path, .value, .value),
    Call.mkdirat: PassedCall(HostCall.mkdirat, .value, .path, .value),
    Call.mknodat: PassedCall(HostCall.mknodat, .value, .path, .value, .value),
    Call.fchownat: PassedCall(HostCall.fchownat, .value, .path, .value, .value, .value),
    Call.futimesat: PassedCall(HostCall.futimesat, .value, .path, .input(timevals)),
    Call.unlinkat: PassedCall(HostCall.unlinkat, .value, .path, .value),
    Call.renameat: PassedCall(HostCall.renameat, .value, .path, .value, .path),
    Call.renameat2: PassedCall(HostCall.renameat2, .value, .path, .value, .path, .value),
    Call.linkat: PassedCall(HostCall.linkat, .value, .path, .value, .path, .value),
    Call.symlinkat: PassedCall(HostCall.symlinkat, .path, .value, .path),
    Call.fchmodat: PassedCall(HostCall.fchmodat, .value, .path, .value),
    Call.faccessat: PassedCall(HostCall.faccessat, .value, .path, .value),
    Call.utimensat: PassedCall(HostCall.utimensat, .value, .path, .input(timespecs), .value),
    Call.splice: PassedCall(HostCall.splice, .value, .both(8), .value, .both(8), .value, .value),
    Call.tee: PassedCall(HostCall.tee, .value, .value, .value, .value),
    Call.sync_file_range: PassedCall(HostCall.sync_file_range, .value, .value, .value, .value),
    Call.copy_file_range: PassedCall(HostCall.copy_file_range, .value, .both(8), .value, .both(8), .value, .value),
    Call.fallocate: PassedCall(HostCall.fallocate, .value, .value, .value, .value),
    Call.syncfs: PassedCall(HostCall.syncfs, .value),
    Call.getcpu: PassedCall(HostCall.getcpu, .output(4), .output(4), .value),
    Call.inotify_init: PassedCall(HostCall.inotify_init1),
    Call.inotify_init1: PassedCall(HostCall.inotify_init1, .value),
    Call.inotify_add_watch: PassedCall(HostCall.inotify_add_watch, .value, .path, .value),
    Call.inotify_rm_watch: PassedCall(HostCall.inotify_rm_watch, .value, .value),
    Call.timerfd_create: PassedCall(HostCall.timerfd_create, .value, .value),
    Call.timerfd_settime: PassedCall(HostCall.timerfd_settime, .value, .value, .input(32), .output(32)),
    Call.timerfd_gettime: PassedCall(HostCall.timerfd_gettime, .value, .output(32)),
    Call.eventfd: PassedCall(HostCall.eventfd2, .value),
    Call.eventfd2: PassedCall(HostCall.eventfd2, .value, .value),
    Call.getrandom: PassedCall(HostCall.getrandom, .outputBuffer(length: 1), .value, .value),
    Call.memfd_create: PassedCall(HostCall.memfd_create, .path, .value),
    Call.statx: PassedCall(HostCall.statx, .value, .path, .value, .value, .output(256)),
    Call.faccessat2: PassedCall(439, .value, .path, .value, .value),
    Call.clock_settime: PassedCall(HostCall.clock_settime, .value, .input(16)),
    Call.setxattr: PassedCall(HostCall.setxattr, .path, .path, .inputBuffer(length: 3), .value, .value),
    Call.lsetxattr: PassedCall(HostCall.lsetxattr, .path, .path, .inputBuffer(length: 3), .value, .value),
    Call.fsetxattr: PassedCall(HostCall.fsetxattr, .value, .path, .inputBuffer(length: 3), .value, .value),
    Call.getxattr: PassedCall(HostCall.getxattr, .path, .path, .outputBuffer(length: 3), .value),
    Call.lgetxattr: PassedCall(HostCall.lgetxattr, .path, .path, .outputBuffer(length: 3), .value),
    Call.fgetxattr: PassedCall(HostCall.fgetxattr, .value, .path, .outputBuffer(length: 3), .value),
    Call.listxattr: PassedCall(HostCall.listxattr, .path, .outputBuffer(length: 2), .value),
    Call.llistxattr: PassedCall(HostCall.llistxattr, .path, .outputBuffer(length: 2), .value),
    Call.flistxattr: PassedCall(HostCall.flistxattr, .value, .outputBuffer(length: 2), .value),
    Call.removexattr: PassedCall(HostCall.removexattr, .path, .path),
    Call.lremovexattr: PassedCall(HostCall.lremovexattr, .path, .path),
    Call.fremovexattr: PassedCall(HostCall.fremovexattr, .value, .path),
  ]
}

extension UserProcess {
  /// Makes a call with copies of what its arguments point to.
  func pass(_ call: PassedCall, _ a: CallArguments) throws(SystemError) -> Int {
    var words = (0..<6).map { $0 < call.arguments.count ? a.long($0) : 0 }
    var buffers = [UnsafeMutableRawPointer?](repeating: nil, count: 6)
    var sizes = [Int](repeating: 0, count: 6)
    defer { for buffer in buffers { buffer?.deallocate() } }
    func lend(_ index: Int, _ size: Int, _ contents: [UInt8]) {
      let buffer = UnsafeMutableRawPointer.allocate(byteCount: max(size, 1), alignment: 16)
      buffer.initializeMemory(as: UInt8.self, repeating: 0, count: size)
      contents.withUnsafeBytes { if let base = $0.baseAddress { buffer.copyMemory(from: base, byteCount: min(size, $0.count)) } }
      buffers[index] = buffer
      sizes[index] = size
      words[index] = Int(bitPattern: buffer)
    }
    for (index, argument) in call.arguments.enumerated() where a[index] != 0 {
      switch argument {
      case .value: break
      case .path:
        let path = redirected(try space.string(a[index])) + [0]
        lend(index, path.count, path)
      case .input(let size), .both(let size): lend(index, size, try space.read(a[index], count: size))
      case .output(let size): lend(index, size, [])
      case .inputBuffer(let length):
        guard a[length] <= UInt64(PassedCall.largestBuffer) else { throw SystemError(E2BIG) }
        lend(index, a.long(length), try space.read(a[index], count: a.long(length)))
      case .outputBuffer(let length):
        let size = Int(min(a[length], UInt64(PassedCall.largestBuffer)))
        lend(index, size, [])
        words[length] = size
      }
    }
    let result = try HostKernel.call(call.host, words[0], words[1], words[2], words[3], words[4], words[5])
    for (index, argument) in call.arguments.enumerated() {
      guard let buffer = buffers[index] else { continue }
      switch argument {
      case .output, .both:
        try space.write(a[index], UnsafeRawBufferPointer(start: buffer, count: sizes[index]))
      case .outputBuffer:
        try space.write(a[index], UnsafeRawBufferPointer(start: buffer, count: min(sizes[index], max(result, 0))))
      default: break
      }
    }
    return result
  }

  /// A file name as the host must see it: the program's own file is not the emulator's.
  func redirected(_ name: [UInt8]) -> [UInt8] {
    name.starts(with: Array("/proc/".utf8))
      && (name == Array("/proc/self/exe".utf8) || name == Array("/proc/\(getpid())/exe".utf8)) ? path : name
  }
}
