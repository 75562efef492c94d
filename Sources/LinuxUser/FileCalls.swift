import Glibc

/// Files: what needs more than `PassedCall` can say.
extension UserProcess {
  func fileCall(_ number: UInt64, _ a: CallArguments) throws(SystemError) -> CallResult? {
    switch number {
    case Call.read, Call.pread64:
      return .value(try transfer(a.int(0), [(a[1], a[2])], reads: true, number == Call.read ? nil : a.long(3)))
    case Call.write, Call.pwrite64:
      return .value(try transfer(a.int(0), [(a[1], a[2])], reads: false, number == Call.write ? nil : a.long(3)))
    case Call.readv, Call.preadv:
      return .value(try transfer(a.int(0), vectors(a[1], a[2]), reads: true, number == Call.readv ? nil : a.long(3)))
    case Call.writev, Call.pwritev:
      return .value(try transfer(a.int(0), vectors(a[1], a[2]), reads: false, number == Call.writev ? nil : a.long(3)))
    case Call.open:
      return .value(try openFile(a[0], flags: a[1], mode: a[2]))
    case Call.creat:
      return .value(try openFile(a[0], flags: UInt64(O_CREAT | O_WRONLY | O_TRUNC), mode: a[1]))
    case Call.close:
      guard !isOwn(a.int(0)) else { throw .badDescriptor }
      _ = try HostKernel.check(close(a.int(0)))
    case Call.close_range:
      guard a[2] == 0, a[0] <= a[1] else { throw .invalid }
      for descriptor in Int32(min(a[0], 4096))...Int32(min(a[1], 4096)) where !isOwn(descriptor) { close(descriptor) }
    case Call.dup2, Call.dup3:
      guard !isOwn(a.int(1)) else { throw .badDescriptor }
      if number == Call.dup2 { return .value(try HostKernel.check(dup2(a.int(0), a.int(1)))) }
      return .value(try HostKernel.call(HostCall.dup3, a.long(0), a.long(1), a.long(2)))
    case Call.pipe, Call.pipe2:
      let ends = try HostKernel.pipe(flags: number == Call.pipe ? 0 : a.int(1))
      // The old call returns both descriptors in registers.
      if number == Call.pipe { return .pair(Int(ends.reading), Int(ends.writing)) }
      try space.store(a[0], ends.reading)
      try space.store(a[0] &+ 4, ends.writing)
    case Call.stat: try status(Int32(AT_FDCWD), try space.string(a[0]), 0, a[1])
    case Call.lstat: try status(Int32(AT_FDCWD), try space.string(a[0]), AT_SYMLINK_NOFOLLOW, a[1])
    case Call.fstat: try status(a.int(0), [], 0x1000, a[1])
    case Call.newfstatat: try status(a.int(0), try space.string(a[1]), a.int(3), a[2])
    case Call.readlink: return .value(try link(Int32(AT_FDCWD), a[0], a[1], a[2]))
    case Call.readlinkat: return .value(try link(a.int(0), a[1], a[2], a[3]))
    case Call.statfs64, Call.fstatfs64:
      guard a[1] == 120 else { throw .invalid }
      guard let call = PassedCall.all[number == Call.statfs64 ? Call.statfs : Call.fstatfs] else { throw .noSuchCall }
      return .value(try pass(call, CallArguments(words: [a[0], a[2]])))
    case Call.ioctl: return .value(try control(a.int(0), a))
    case Call.fcntl: return .value(try fileControl(a))
    case Call.getgroups, Call.setgroups:
      guard a[0] <= 65536 else { throw .invalid }
      let size = Int(a[0]) * 4
      let call =
        number == Call.getgroups
        ? PassedCall(HostCall.getgroups, .value, .both(size)) : PassedCall(HostCall.setgroups, .value, .input(size))
      return .value(try pass(call, a))
    default: return try waitingCall(number, a)
    }
    return .value(0)
  }

  /// A descriptor of the emulator, which the program must neither close nor replace.
  private func isOwn(_ descriptor: Int32) -> Bool {
    guard descriptor >= 700 else { return false }
    return vforkLink?.uses(descriptor) ?? false || space.areas.contains { $0.sharedFile?.handle.descriptor == descriptor }
  }

  private func openFile(_ name: UInt64, flags: UInt64, mode: UInt64) throws(SystemError) -> Int {
    let arguments = CallArguments(words: [UInt64(bitPattern: Int64(AT_FDCWD)), name, flags, mode])
    return try pass(PassedCall(HostCall.openat, .value, .path, .value, .value), arguments)
  }

  // MARK: Reading and writing

  private func vectors(_ address: UInt64, _ count: UInt64) throws(SystemError) -> [(UInt64, UInt64)] {
    guard count <= 1024 else { throw .invalid }
    var result: [(UInt64, UInt64)] = []
    for index in 0..<count {
      result.append((try space.load(address &+ 16 * index), try space.load(address &+ 16 * index &+ 8)))
    }
    return result
  }

  /// Moves data between a file and the program's pages directly. What does not fit into one host call makes it a short one.
  func transfer(
    _ descriptor: Int32, _ buffers: [(address: UInt64, count: UInt64)], reads: Bool, _ offset: Int?
  ) throws(SystemError) -> Int {
    var list: [iovec] = []
    for buffer in buffers {
      guard buffer.count <= UInt64(Int.max) else { throw .invalid }
      if try !space.vectors(buffer.address, buffer.count, for: reads ? .write : .read, into: &list) { break }
    }
    let count = Int32(list.count)
    let result: Int
    switch (reads, offset) {
    case (true, nil): result = readv(descriptor, &list, count)
    case (false, nil): result = writev(descriptor, &list, count)
    case (true, let offset?): result = preadv(descriptor, &list, count, offset)
    case (false, let offset?): result = pwritev(descriptor, &list, count, offset)
    }
    _ = try HostKernel.check(result)
    if reads { noteRead(buffers, result) }
    return result
  }

  func noteRead(_ buffers: [(address: UInt64, count: UInt64)], _ result: Int) {
    var left = UInt64(max(result, 0))
    for buffer in buffers where left > 0 {
      space.noteWrite(buffer.address, min(buffer.count, left))
      left -= min(buffer.count, left)
    }
  }

  // MARK: Status

  /// ia64's `struct stat`: the host's fields in another order.
  private func status(_ directory: Int32, _ name: [UInt8], _ flags: Int32, _ target: UInt64) throws(SystemError) {
    var host = stat()
    let result = (redirected(name) + [0]).withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) { characters in
        characters.baseAddress.map { fstatat(directory, $0, &host, flags) } ?? -1
      }
    }
    _ = try HostKernel.check(result)
    let words: [UInt64] = [
      UInt64(host.st_dev), UInt64(host.st_ino), UInt64(host.st_nlink), UInt64(host.st_mode) | UInt64(host.st_uid) << 32,
      UInt64(host.st_gid), UInt64(host.st_rdev), UInt64(bitPattern: Int64(host.st_size)), word(host.st_atim.tv_sec),
      word(host.st_atim.tv_nsec), word(host.st_mtim.tv_sec), word(host.st_mtim.tv_nsec), word(host.st_ctim.tv_sec),
      word(host.st_ctim.tv_nsec), word(Int(host.st_blksize)), word(Int(host.st_blocks)), 0, 0, 0,
    ]
    try space.write(target, words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } })
  }

  private func word(_ value: Int) -> UInt64 { UInt64(bitPattern: Int64(value)) }

  private func link(_ directory: Int32, _ name: UInt64, _ target: UInt64, _ size: UInt64) throws(SystemError) -> Int {
    guard size > 0 else { throw .invalid }
    let name = try space.string(name)
    let redirection = redirected(name)
    if redirection != name {
      let bytes = Array(redirection.prefix(Int(min(size, 4096))))
      try space.write(target, bytes)
      return bytes.count
    }
    var buffer = [CChar](repeating: 0, count: Int(min(size, 4096)))
    let result = (name + [0]).withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) { characters in
        characters.baseAddress.map { readlinkat(directory, $0, &buffer, buffer.count) } ?? -1
      }
    }
    let count = try HostKernel.check(result)
    try space.write(target, buffer.prefix(count).map { UInt8(bitPattern: $0) })
    return count
  }

  // MARK: Control

  private func fileControl(_ a: CallArguments) throws(SystemError) -> Int {
    switch a.int(1) {
    case 5, 6, 7, 36, 37, 38: return try pass(PassedCall(HostCall.fcntl, .value, .value, .both(32)), a)  // locks
    case 15: return try pass(PassedCall(HostCall.fcntl, .value, .value, .input(8)), a)  // F_SETOWN_EX
    case 16: return try pass(PassedCall(HostCall.fcntl, .value, .value, .output(8)), a)
    default: return try pass(PassedCall(HostCall.fcntl, .value, .value, .value), a)
    }
  }

  private func control(_ descriptor: Int32, _ a: CallArguments) throws(SystemError) -> Int {
    let request = UInt32(truncatingIfNeeded: a[1])
    let argument: PassedCall.Argument
    switch request {
    case 0x5401: argument = .output(36)  // TCGETS; ia64's termios is the host's
    case 0x5402...0x5404: argument = .input(36)
    case 0x5405: argument = .output(18)
    case 0x5406...0x5408: argument = .input(18)
    case 0x5409...0x540E, 0x5422, 0x5425, 0x5450, 0x5451: argument = .value
    case 0x540F, 0x5411, 0x5415, 0x5419, 0x541B, 0x5424, 0x5429: argument = .output(4)
    case 0x5410, 0x5412, 0x5416...0x5418, 0x541A, 0x5420, 0x5421, 0x5423, 0x5452: argument = .input(4)
    case 0x5413: argument = .output(8)
    case 0x5414: argument = .input(8)
    // Interface requests on sockets; those with pointers inside are left out.
    case 0x8910, 0x8913...0x8917, 0x8919, 0x891B, 0x891D, 0x8921, 0x8927, 0x8933: argument = .both(40)
    default:
      // Numbers made with _IOC say what they carry.
      let size = Int(request >> 16 & 0x3FFF)
      switch request >> 30 {
      case 1: argument = .input(size)
      case 2: argument = .output(size)
      case 3: argument = .both(size)
      default: throw SystemError(ENOTTY)
      }
    }
    return try pass(PassedCall(HostCall.ioctl, .value, .value, argument), a)
  }
}
