import CProcess

#if canImport(Glibc)
  import Glibc
#endif

/// One end of a line between two processes of this program: whole messages, and with each a descriptor if need be.
struct ProcessLine {
  let descriptor: Int32

  /// The longest message has all breakpoints that there can be.
  private static let largestMessage = 1 << 18

  /// Both ends; nil: the host has no descriptors left.
  static func pair() -> (ProcessLine, ProcessLine)? {
    var ends: [Int32] = [0, 0]
    guard socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else { return nil }
    var size = Int32(2 * largestMessage)
    for end in ends { setsockopt(end, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size)) }
    return (ProcessLine(descriptor: ends[0]), ProcessLine(descriptor: ends[1]))
  }

  func close() { Glibc.close(descriptor) }

  /// False: nobody is there any more.
  func send(_ message: [UInt8], passing passed: Int32? = nil) -> Bool {
    while true {
      let sent = epicure_send(descriptor, message, message.count, passed ?? -1)
      if sent >= 0 || errno != EINTR { return sent == message.count }
    }
  }

  /// Waits. Nil: nobody is there any more.
  func receive() -> (message: [UInt8], passed: Int32?)? {
    var bytes = [UInt8](repeating: 0, count: Self.largestMessage)
    while true {
      var passed: Int32 = -1
      let count = epicure_receive(descriptor, &bytes, bytes.count, &passed)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return nil }
      return (Array(bytes[..<count]), passed < 0 ? nil : passed)
    }
  }
}
