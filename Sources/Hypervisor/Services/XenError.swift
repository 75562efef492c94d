/// Why a hypercall fails: Xen's numbers (those of i386 Linux), which guests see negated.
public enum XenError: Int64, Error, Equatable, Sendable {
  case notPermitted = 1
  case noEntry = 2
  case noSuchDomain = 3
  case tryAgain = 11
  case noMemory = 12
  case accessDenied = 13
  case badAddress = 14
  case busy = 16
  case exists = 17
  case invalid = 22
  case noSpace = 28
  case notImplemented = 38

  /// What the guest finds in r8.
  public var result: UInt64 { UInt64(bitPattern: -rawValue) }
}
