import Glibc

/// A Linux error number, as a system call reports it. ia64 and the hosts share the generic numbers.
struct SystemError: Error, Equatable {
  var number: Int32

  init(_ number: Int32) { self.number = number }

  static let notPermitted = SystemError(EPERM)
  static let interrupted = SystemError(EINTR)
  static let badAddress = SystemError(EFAULT)
  static let invalid = SystemError(EINVAL)
  static let noMemory = SystemError(ENOMEM)
  static let noSuchCall = SystemError(ENOSYS)
  static let nameTooLong = SystemError(ENAMETOOLONG)
  static let tryAgain = SystemError(EAGAIN)
  static let badDescriptor = SystemError(EBADF)
}
