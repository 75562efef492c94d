import Glibc
import Loading
import Processor

/// Processes: exit, fork, exec, wait and what a process knows of itself.
extension UserProcess {
  private enum CloneFlag {
    static let memory: UInt64 = 0x100
    static let vfork: UInt64 = 0x4000
    static let thread: UInt64 = 0x1_0000
    static let setTLS: UInt64 = 0x8_0000
    static let parentSetTID: UInt64 = 0x10_0000
    static let childSetTID: UInt64 = 0x100_0000
  }

  func processCall(_ number: UInt64, _ a: CallArguments) throws(SystemError) -> CallResult? {
    switch number {
    case Call.exit, Call.exit_group:
      termination = .exited(a.int(0) & 0xFF)
      return .replaced
    case Call.clone:
      return .value(try clone(a[0], stack: a[1] == 0 ? 0 : a[1] &- 16, size: 16, parent: a[2], child: a[3], tls: a[4]))
    case Call.clone2: return .value(try clone(a[0], stack: a[1], size: a[2], parent: a[3], child: a[4], tls: a[5]))
    case Call.execve:
      try execute(space.string(a[0]), vector(a[1]), vector(a[2]))
      return .replaced
    case Call.getpid, Call.set_tid_address, Call.gettid: return .value(Int(getpid()))
    case Call.getppid: return .value(Int(getppid()))
    case Call.set_robust_list: break
    case Call.old_getpagesize: return .value(Int(PagePool.pageSize))
    case Call.uname:
      try space.write(a[0], systemName())
    case Call.prctl: return .value(try control(a))
    case Call.getrlimit: try resourceLimit(a.int(0), new: 0, old: a[1])
    case Call.setrlimit: try resourceLimit(a.int(0), new: a[1], old: 0)
    case Call.prlimit64:
      guard a.int(0) == 0 || a.int(0) == getpid() else { throw .notPermitted }
      try resourceLimit(a.int(1), new: a[2], old: a[3])
    case Call.futex: return .value(try futex(a))
    case Call.personality: return .value(0)
    default: return nil
    }
    return .value(0)
  }

  // MARK: fork

  /// A child is a copy of the whole emulator. Sharing memory with it is not possible; that is what threads need, and what
  /// `vfork` hardly needs.
  private func clone(
    _ flags: UInt64, stack: UInt64, size: UInt64, parent: UInt64, child: UInt64, tls: UInt64
  ) throws(SystemError) -> Int {
    if flags & CloneFlag.thread != 0 || flags & (CloneFlag.memory | CloneFlag.vfork) == CloneFlag.memory {
      if reported.insert(Call.clone2).inserted {
        logger.notice("threads are not supported", metadata: ["program": "\(name)"])
      }
      throw .noSuchCall
    }
    // A signal in between must be noted by only one of the two.
    var all = sigset_t()
    sigfillset(&all)
    sigprocmask(SIG_BLOCK, &all, nil)
    defer { HostSignals.setMask(signals.blocked) }
    let link = flags & CloneFlag.vfork != 0 ? try VforkLink(stackPointer: processor.state.gr[12]) : nil
    let pid = try HostKernel.fork()
    if pid != 0 {
      if flags & CloneFlag.parentSetTID != 0 { try? space.store(parent, pid) }
      link?.waitForChild(space)
      return Int(pid)
    }
    isChild = true
    vforkLink?.close()
    vforkLink = link?.childSide()
    signals.pending.removeAll()
    _ = HostSignals.take()
    HostSignals.prepare()
    let s = processor.state
    if flags & CloneFlag.childSetTID != 0 { try? space.store(child, getpid()) }
    if flags & CloneFlag.setTLS != 0 { s.gr[13] = tls }
    if stack != 0 {
      // The frame stays in the registers; everything older is on the parent's register stack.
      s.gr[12] = stack &+ size &- 16
      if size > 16 {
        s.pointee.dirty = 0
        s.pointee.clean = 0
        processor.setAR(AR.bspstore, stack)
        processor.setAR(AR.rnat, 0)
      }
    }
    return 0
  }

  // MARK: exec

  private func vector(_ address: UInt64) throws(SystemError) -> [[UInt8]] {
    var result: [[UInt8]] = []
    var bytes = 0
    var address = address
    while address != 0 {
      let pointer: UInt64 = try space.load(address)
      if pointer == 0 { break }
      let string = try space.string(pointer, limit: 1 << 17)
      bytes += string.count + 9
      guard bytes <= 2 << 20 else { throw SystemError(E2BIG) }
      result.append(string)
      address &+= 8
    }
    return result
  }

  /// A program for another machine may be one of the host's: the host knows. Returns only by an error. Descriptors of the emulator
  /// close on their own, and so does the parent's wait for a child of `vfork`.
  private func executeOnHost(_ file: String, _ arguments: [[UInt8]], _ environment: [[UInt8]]) throws(SystemError) {
    space.writeBackAll()
    func list(_ strings: [[UInt8]]) -> [UnsafeMutablePointer<CChar>?] {
      strings.map { string in
        (string + [0]).withUnsafeBytes { $0.baseAddress.flatMap { strdup($0.assumingMemoryBound(to: CChar.self)) } }
      } + [nil]
    }
    var (words, variables) = (list(arguments), list(environment))
    defer { (words + variables).forEach { free($0) } }
    execve(file, &words, &variables)
    throw SystemError(errno)
  }

  /// `execve`. Until the new program has been read, errors leave the old one running.
  private func execute(
    _ path: [UInt8], _ arguments: [[UInt8]], _ environment: [[UInt8]], depth: Int = 0
  ) throws(SystemError) {
    let file = String(decoding: redirected(path), as: UTF8.self)
    guard access(file, X_OK) == 0 else { throw SystemError(errno) }
    let bytes: [UInt8]
    do throws(ImageError) {
      bytes = try HostFile.read(file, limit: ProgramStart.largestFile)
    } catch {
      throw SystemError(error.reason == .notAFile ? EACCES : ENOEXEC)
    }
    if bytes.starts(with: [0x23, 0x21]) {
      guard depth < 4 else { throw SystemError(ELOOP) }
      let line = bytes.dropFirst(2).prefix { $0 != 0x0A }.prefix(256)
      let words = line.split(maxSplits: 1, omittingEmptySubsequences: true) { $0 == 0x20 || $0 == 0x09 }
      guard let interpreter = words.first else { throw SystemError(ENOEXEC) }
      var command = [Array(interpreter)]
      if words.count > 1 {
        let rest = words[1].reversed().drop { $0 == 0x20 || $0 == 0x09 }.reversed()
        if !rest.isEmpty { command.append(Array(rest)) }
      }
      return try execute(
        Array(interpreter), command + [path] + arguments.dropFirst(), environment, depth: depth + 1)
    }
    let program: ELFProgram
    do throws(ImageError) { program = try ELFProgram(bytes, file: file) } catch {
      switch error.reason {
      case .wrongMachine, .wrongClass, .wrongByteOrder: try executeOnHost(file, arguments, environment)
      default: break
      }
      throw SystemError(ENOEXEC)
    }
    guard program.interpreter == nil else { throw SystemError(ENOEXEC) }
    space.writeBackAll()
    do throws(SystemError) {
      try start(program, path: Array(file.utf8), arguments: arguments, environment: environment)
    } catch {
      // The old program is gone, as it is when Linux finds out so late.
      return terminate(Signal.kill, "the program cannot be mapped")
    }
    vforkLink?.close()
    vforkLink = nil
    closeOnExec()
    for signal in 1...Signal.count where signals.actions[Int(signal)].handler > SignalAction.ignore {
      signals.actions[Int(signal)] = SignalAction()
      if Signal.synchronous & Signal.bit(signal) == 0 { HostSignals.release(signal, ignore: false) }
    }
    signals.stack = AlternateStack()
    signalsUnaligned = false
  }

  private func closeOnExec() {
    guard let directory = opendir("/proc/self/fd") else { return }
    var descriptors: [Int32] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if let number = Int32(name), number != dirfd(directory) { descriptors.append(number) }
    }
    closedir(directory)
    for descriptor in descriptors where fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0 { close(descriptor) }
  }

  // MARK: What a process knows of itself

  private func systemName() -> [UInt8] {
    var host = utsname()
    uname(&host)
    let node = withUnsafeBytes(of: &host.nodename) { Array($0.prefix(64).prefix { $0 != 0 }) }
    let fields: [[UInt8]] = [
      Array("Linux".utf8), node, Array("6.1.0".utf8), Array("#1 SMP Epicure".utf8), Array("ia64".utf8), Array("(none)".utf8),
    ]
    return fields.flatMap { $0 + [UInt8](repeating: 0, count: 65 - $0.count) }
  }

  private func control(_ a: CallArguments) throws(SystemError) -> Int {
    switch a.int(0) {
    case 5:  // PR_GET_UNALIGN
      try space.store(a[1], UInt32(signalsUnaligned ? 2 : 0))
    case 6: signalsUnaligned = a[1] & 2 != 0  // PR_SET_UNALIGN
    case 15:  // PR_SET_NAME
      name = String(decoding: try space.string(a[1], limit: 16).prefix(15), as: UTF8.self)
    case 16: try space.write(a[1], Array((Array(name.utf8.prefix(15)) + [UInt8](repeating: 0, count: 16)).prefix(16)))
    case 1, 4, 36, 38: break  // PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS
    case 3: return 1  // PR_GET_DUMPABLE
    default: throw .invalid
    }
    return 0
  }

  private func resourceLimit(_ resource: Int32, new: UInt64, old: UInt64) throws(SystemError) {
    guard resource >= 0, resource < 16 else { throw .invalid }
    let kind = __rlimit_resource_t(UInt32(resource))
    var limit = rlimit()
    guard getrlimit(kind, &limit) == 0 else { throw SystemError(errno) }
    let isStack = resource == 3
    if isStack { limit.rlim_cur = rlim_t(stackLimit) }
    if old != 0 {
      try space.store(old, UInt64(limit.rlim_cur))
      try space.store(old &+ 8, UInt64(limit.rlim_max))
    }
    guard new != 0 else { return }
    let current: UInt64 = try space.load(new)
    let maximum: UInt64 = try space.load(new &+ 8)
    guard current <= maximum else { throw .invalid }
    if isStack {
      // The program's stack is not the emulator's; it counts for the next program.
      stackLimit = current
      return
    }
    // The emulator needs room of its own.
    if resource == 2 || resource == 9 { return }
    limit = rlimit(rlim_cur: rlim_t(current), rlim_max: rlim_t(maximum))
    guard setrlimit(kind, &limit) == 0 else { throw SystemError(errno) }
  }

  /// With one thread there is nobody to wake and nobody who would.
  private func futex(_ a: CallArguments) throws(SystemError) -> Int {
    switch a.int(1) & 0x7F {
    case 0, 9:
      let value: UInt32 = try space.load(a[0])
      guard value == UInt32(truncatingIfNeeded: a[2]) else { throw .tryAgain }
      if a[3] != 0 {
        let limit: timespec = try space.load(a[3])
        var time = limit
        nanosleep(&time, nil)
        throw SystemError(ETIMEDOUT)
      }
      guard pause() == -1 else { return 0 }
      throw .interrupted
    case 1, 10: return 0
    default: throw .noSuchCall
    }
  }
}
