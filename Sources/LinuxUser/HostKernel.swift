import Glibc

/// The host's system calls by number, and `fork`, which Swift's overlay of the C library leaves out.
enum HostKernel {
  private typealias SystemCall = @convention(c) (Int, Int, Int, Int, Int, Int, Int) -> Int
  private typealias Fork = @convention(c) () -> Int32

  /// Declared variadic in C; with nothing but integer arguments the calling conventions agree.
  private static let systemCall = dlsym(nil, "syscall").map { unsafeBitCast($0, to: SystemCall.self) }
  private static let forkFunction = dlsym(nil, "fork").map { unsafeBitCast($0, to: Fork.self) }

  static func call(
    _ number: Int, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, _ e: Int = 0, _ f: Int = 0
  ) throws(SystemError) -> Int {
    guard let systemCall else { throw .noSuchCall }
    let result = systemCall(number, a, b, c, d, e, f)
    if result == -1 { throw SystemError(errno) }
    return result
  }

  /// The whole emulator becomes two processes; its memory is private, so the host copies pages as they change.
  static func fork() throws(SystemError) -> Int32 {
    guard let forkFunction else { throw .noSuchCall }
    let result = forkFunction()
    if result < 0 { throw SystemError(errno) }
    return result
  }

  /// Both ends of a pipe.
  static func pipe(flags: Int32) throws(SystemError) -> (reading: Int32, writing: Int32) {
    let ends = UnsafeMutablePointer<Int32>.allocate(capacity: 2)
    defer { ends.deallocate() }
    ends.initialize(repeating: -1, count: 2)
    _ = try call(HostCall.pipe2, Int(bitPattern: ends), Int(flags))
    return (ends[0], ends[1])
  }

  /// Result of a C library function that reports errors by -1 and `errno`.
  @inline(__always)
  static func check(_ result: Int) throws(SystemError) -> Int {
    if result == -1 { throw SystemError(errno) }
    return result
  }

  @inline(__always)
  static func check(_ result: Int32) throws(SystemError) -> Int {
    if result == -1 { throw SystemError(errno) }
    return Int(result)
  }
}
