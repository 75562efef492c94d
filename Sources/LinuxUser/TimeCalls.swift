import Glibc

/// Clocks and sleeping. `timespec` and `timeval` have the host's layout.
extension UserProcess {
  func timeCall(_ number: UInt64, _ a: CallArguments) throws(SystemError) -> CallResult? {
    switch number {
    case Call.gettimeofday:
      var now = timeval()
      gettimeofday(&now, nil)
      if a[0] != 0 { try space.store(a[0], now) }
      if a[1] != 0 { try space.store(a[1], UInt64(0)) }
    case Call.clock_gettime:
      var now = timespec()
      _ = try HostKernel.check(clock_gettime(clockid_t(a.int(0)), &now))
      try space.store(a[1], now)
    case Call.clock_getres:
      var resolution = timespec()
      _ = try HostKernel.check(clock_getres(clockid_t(a.int(0)), &resolution))
      if a[1] != 0 { try space.store(a[1], resolution) }
    case Call.nanosleep:
      let duration: timespec = try space.load(a[0])
      var wanted = duration
      var left = timespec()
      if nanosleep(&wanted, &left) != 0 {
        let error = SystemError(errno)
        if a[1] != 0 { try space.store(a[1], left) }
        throw error
      }
    case Call.clock_nanosleep:
      let duration: timespec = try space.load(a[2])
      var wanted = duration
      var left = timespec()
      // This one returns the error number.
      let error = clock_nanosleep(clockid_t(a.int(0)), a.int(1), &wanted, &left)
      if error != 0 {
        if a[3] != 0 && a.int(1) == 0 { try space.store(a[3], left) }
        throw SystemError(error)
      }
    default: return nil
    }
    return .value(0)
  }
}
