#if canImport(Glibc)
  import Glibc
#endif

/// Why a network of the host cannot be used: one line for the user.
public struct NetworkError: Error, Equatable, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }

  /// With what the host says about it.
  init(_ description: String, errno code: Int32) {
    self.description = description + ": " + String(cString: strerror(code))
  }
}
