#if canImport(Glibc)
  import Glibc
#endif

/// Where a screen can be seen: `[ADDRESS:]DISPLAY`, or `[ADDRESS:]auto` for the first display that is free.
public struct VNCAddress: Sendable, Equatable {
  public var host = "127.0.0.1"
  /// Nil: the first that is free.
  public var display: Int?

  private static let largestDisplay = 65535 - VNCServer.firstPort
  private static let automaticDisplays = 0..<100

  public init(host: String = "127.0.0.1", display: Int?) { (self.host, self.display) = (host, display) }

  /// `:1`, `0.0.0.0:1` and `[::1]:auto`; the brackets may be missing.
  public init?(parsing text: String) {
    var text = text[...]
    if let colon = text.lastIndex(of: ":") {
      var host = text[..<colon]
      if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
      if !host.isEmpty { self.host = String(host) }
      text = text[text.index(after: colon)...]
    }
    if text == "auto" { return }
    guard let number = Int(text), 0...Self.largestDisplay ~= number else { return nil }
    display = number
  }

  /// A socket that listens, and its display.
  func listen() throws(NetworkError) -> (Int32, Int) {
    guard display == nil else { return try open(display ?? 0) }
    for number in Self.automaticDisplays.dropLast() {
      do throws(NetworkError) { return try open(number) } catch { continue }
    }
    // The last attempt says why.
    return try open(Self.automaticDisplays.upperBound - 1)
  }

  private func open(_ display: Int) throws(NetworkError) -> (Int32, Int) {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, "\(VNCServer.firstPort + display)", &hints, &found) == 0, let address = found?.pointee else {
      throw NetworkError("\(host) is not an address to listen at")
    }
    defer { freeaddrinfo(found) }
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let socket = Glibc.socket(address.ai_family, type, 0)
    var on: Int32 = 1
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    guard socket >= 0, bind(socket, address.ai_addr, address.ai_addrlen) == 0, Glibc.listen(socket, 8) == 0 else {
      let code = errno
      if socket >= 0 { close(socket) }
      throw NetworkError("cannot listen at \(host), display \(display) (port \(VNCServer.firstPort + display))", errno: code)
    }
    return (socket, display)
  }
}
