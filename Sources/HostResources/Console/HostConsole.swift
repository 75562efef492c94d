#if canImport(Glibc)
  import Glibc
#endif

/// The console that the host lends: standard input and output, or any two descriptors. Output is buffered by the line; a terminal's
/// input is raw, with Ctrl-A as the escape that QEMU's users know.
public final class HostConsole {
  /// What the user asked for with the escape character.
  public enum Command: Sendable, Equatable { case quit, pressPowerButton, reset }

  private let input: Int32
  private let output: Int32
  private var buffer: [UInt8] = []
  private var escaped = false
  private let interactive: Bool
  /// False after end of file.
  public private(set) var inputIsOpen: Bool
  /// Commands since the last look.
  public var command: ((Command) -> Void)?

  private static let escape: UInt8 = 0x01
  private static let bufferLimit = 4096

  /// `raw`: if the input is a terminal, take its keys one by one.
  public init(input: Int32 = STDIN_FILENO, output: Int32 = STDOUT_FILENO, raw: Bool = true) {
    self.input = input
    self.output = output
    interactive = raw && TerminalMode.makeRaw(input)
    // A closed descriptor is at its end.
    inputIsOpen = fcntl(input, F_GETFL) >= 0
    signal(SIGPIPE, SIG_IGN)
  }

  /// The input is a terminal in raw mode.
  public var isInteractive: Bool { interactive }

  // MARK: Output

  public func write(_ byte: UInt8) {
    buffer.append(byte)
    if byte == 0x0A || buffer.count >= Self.bufferLimit { flush() }
  }

  public func flush() {
    var done = 0
    buffer.withUnsafeBytes { bytes in
      while done < bytes.count, let base = bytes.baseAddress {
        let n = Glibc.write(output, base + done, bytes.count - done)
        if n > 0 {
          done += n
        } else if n < 0 && errno == EAGAIN {
          var descriptor = pollfd(fd: output, events: Int16(POLLOUT), revents: 0)
          _ = poll(&descriptor, 1, -1)
        } else if !(n < 0 && errno == EINTR) {
          return  // Nobody reads any more: the guest must not notice.
        }
      }
    }
    buffer.removeAll(keepingCapacity: true)
  }

  // MARK: Input

  /// Waits at most so long for input (-1: for ever); true if there is some, or its end.
  public func wait(milliseconds: Int32) -> Bool {
    guard inputIsOpen else { return false }
    var descriptor = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
    return poll(&descriptor, 1, milliseconds) > 0
  }

  /// Up to `limit` characters for the guest, without waiting.
  public func read(limit: Int) -> [UInt8] {
    guard inputIsOpen, limit > 0, wait(milliseconds: 0) else { return [] }
    var bytes = [UInt8](repeating: 0, count: limit)
    let n = Glibc.read(input, &bytes, limit)
    if n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN) { inputIsOpen = false }
    guard n > 0 else { return [] }
    return interactive ? filter(bytes[0..<n]) : Array(bytes[0..<n])
  }

  private func filter(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    for byte in bytes {
      guard escaped else {
        if byte == Self.escape { escaped = true } else { result.append(byte) }
        continue
      }
      escaped = false
      switch byte {
      case Self.escape: result.append(byte)
      case UInt8(ascii: "x"), UInt8(ascii: "q"): command?(.quit)
      case UInt8(ascii: "p"): command?(.pressPowerButton)
      case UInt8(ascii: "r"): command?(.reset)
      default:
        for help in Self.help.utf8 { write(help) }
        flush()
      }
    }
    return result
  }

  private static let help = """
    \r
    Ctrl-A x  switch the machine off\r
    Ctrl-A p  press its power button\r
    Ctrl-A r  reset it\r
    Ctrl-A Ctrl-A  send Ctrl-A\r
    Ctrl-A h  this help\r\n
    """
}
