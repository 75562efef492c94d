#if canImport(Glibc)
  import Glibc
#endif

/// TCP sockets that wait for clients, without ever blocking whoever looks at them.
public enum ListeningSocket {
  /// `[ADDRESS:]REST`, an IPv6 address in brackets or not. The address is nil if none is given.
  public static func split(_ text: Substring) -> (host: String?, rest: Substring) {
    guard let colon = text.lastIndex(of: ":") else { return (nil, text) }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    return (host.isEmpty ? nil : String(host), text[text.index(after: colon)...])
  }

  /// `host`: an address, not a name; port 0 is any that is free. `name`: what the user knows the port by.
  public static func open(host: String, port: Int, name: String) throws(NetworkError) -> Int32 {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, "\(port)", &hints, &found) == 0, let address = found?.pointee else {
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
      throw NetworkError("cannot listen at \(host), \(name)", errno: code)
    }
    return socket
  }

  /// The port that a socket has been given; nil: it is none of the Internet's.
  public static func port(of socket: Int32) -> Int? {
    var address = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let known = withUnsafeMutablePointer(to: &address) { storage in
      storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
    }
    guard known == 0 else { return nil }
    let family = Int32(address.ss_family)
    return withUnsafeBytes(of: &address) { bytes in
      switch family {
      case AF_INET: Int(bytes.load(as: sockaddr_in.self).sin_port.bigEndian)
      case AF_INET6: Int(bytes.load(as: sockaddr_in6.self).sin6_port.bigEndian)
      default: nil
      }
    }
  }

  /// The next client that waits, its socket set not to block; nil: nobody does.
  public static func accept(_ listener: Int32) -> Int32? {
    let descriptor = Glibc.accept(listener, nil, nil)
    guard descriptor >= 0 else { return nil }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    return descriptor
  }
}
