#if canImport(Glibc)
  import Glibc
#endif

/// The console that the host lends: standard input and output, or any two descriptors. Output is buffered by the line; a terminal's
/// input is raw, with Ctrl-A as the escape that QEMU's users know.
public final class HostConsole {
  /// What the user asked for with the escape character.
  public enum Command: UInt8, Sendable { case quit, pressPowerButton, reset, sendBreak, next }

  private let input: Int32
  private let output: Int32
  private var buffer: [UInt8] = []
  private var escaped = false
  private let interactive: Bool
  /// False after end of file.
  public private(set) var inputIsOpen: Bool
  /// False once nobody can see what is written: all of it is dropped.
  public private(set) var outputIsOpen: Bool
  /// Called when the user asks for something.
  public var command: ((Command) -> Void)?
  /// Called once, when whoever read the output has gone away.
  public var outputClosed: (() -> Void)?

  private static let escape: UInt8 = 0x01
  private static let bufferLimit = 4096

  /// `raw`: if the input is a terminal, take its keys one by one.
  public init(input: Int32 = STDIN_FILENO, output: Int32 = STDOUT_FILENO, raw: Bool = true) {
    self.input = input
    self.output = output
    interactive = raw && TerminalMode.makeRaw(input)
    // A closed descriptor is at its end.
    inputIsOpen = fcntl(input, F_GETFL) >= 0
    outputIsOpen = fcntl(output, F_GETFL) >= 0
    signal(SIGPIPE, SIG_IGN)
  }

  /// A console that only writes: everything goes to a file, which is made or emptied.
  public convenience init(outputFile path: String) throws(OutputFailure) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw OutputFailure(path: path, reason: String(cString: strerror(errno))) }
    self.init(input: -1, output: descriptor, raw: false)
    ownsOutput = true
  }
  private var ownsOutput = false
  deinit {
    guard ownsOutput else { return }
    flush()
    close(output)
  }

  public struct OutputFailure: Error, Equatable, CustomStringConvertible {
    let path: String
    let reason: String
    public var description: String { "cannot write \(path): \(reason)" }
  }

  /// The input is a terminal in raw mode.
  public var isInteractive: Bool { interactive }

  // MARK: Output

  public func write(_ byte: UInt8) {
    guard outputIsOpen else { return }
    buffer.append(byte)
    if byte == 0x0A || buffer.count >= Self.bufferLimit { flush() }
  }

  public func flush() {
    var done = 0
    var reader = true
    buffer.withUnsafeBytes { bytes in
      while done < bytes.count, let base = bytes.baseAddress {
        let n = Glibc.write(output, base + done, bytes.count - done)
        if n > 0 {
          done += n
        } else if n < 0 && errno == EAGAIN {
          var descriptor = pollfd(fd: output, events: Int16(POLLOUT), revents: 0)
          _ = poll(&descriptor, 1, -1)
        } else if !(n < 0 && errno == EINTR) {
          // What a full disk does not take is lost; a reader that has gone will not come back.
          if n < 0 && errno == EPIPE { reader = false }
          break
        }
      }
    }
    buffer.removeAll(keepingCapacity: true)
    if !reader { closeOutput() }
  }

  /// Finds out whether the output's reader has gone away, without writing anything.
  public func checkOutput() {
    guard outputIsOpen else { return }
    var descriptor = pollfd(fd: output, events: 0, revents: 0)
    if poll(&descriptor, 1, 0) > 0, descriptor.revents & Int16(POLLERR) != 0 { closeOutput() }
  }

  private func closeOutput() {
    guard outputIsOpen else { return }
    outputIsOpen = false
    outputClosed?()
  }

  // MARK: Input

  /// What to poll for input; nil after its end.
  public var inputDescriptor: Int32? { inputIsOpen ? input : nil }

  /// Waits at most so long for input (-1: for ever); true if there is some, or its end.
  public func wait(milliseconds: Int32) -> Bool {
    guard inputIsOpen else { return false }
    var descriptor = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
    return poll(&descriptor, 1, milliseconds) > 0
  }

  private var inputIsReady: Bool { wait(milliseconds: 0) }

  /// Up to `limit` characters for the guest, without waiting.
  public func read(limit: Int) -> [UInt8] {
    guard inputIsOpen, limit > 0, inputIsReady else { return [] }
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
      case UInt8(ascii: "b"): command?(.sendBreak)
      case UInt8(ascii: "n"): command?(.next)
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
    Ctrl-A b  send a break\r
    Ctrl-A n  talk to the next partition, if there are several\r
    Ctrl-A Ctrl-A  send Ctrl-A\r
    Ctrl-A h  this help\r\n
    """
}
