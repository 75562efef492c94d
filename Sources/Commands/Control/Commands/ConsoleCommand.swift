import ArgumentParser
import Glibc
import HostResources

/// `epicure console`
struct ConsoleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "console", abstract: "Go to a domain's console; Ctrl-] leaves it.",
    discussion: """
      First comes what the domain has printed lately. What is typed, or comes on standard input, goes to the domain; several people may be \
      there at once. The console stays when the domain restarts, and ends with it.

      Example for scripts: echo uname -a | epicure console web --new --until Linux
      """)
  @Flag(help: "Leave out what was printed before.")
  var new = false
  @Option(help: ArgumentHelp("Leave when a line matches this regular expression.", valueName: "regex"))
  var until: String?
  @OptionGroup var control: ControlOptions
  @Argument(help: "The domain, by name or number.")
  var domain: String

  func run() throws {
    let matcher: OutputMatcher?
    do { matcher = try until.map { try OutputMatcher($0) } } catch {
      throw CommandFailure(CommandFailure.badInput, "--until: \(error)")
    }
    var client = try ConsoleClient(ControlClient(path: control.path), domain: domain, history: !new, until: matcher)
    try client.run()
  }
}

/// A terminal, or standard input and output, at a domain's console.
struct ConsoleClient {
  private let client: ControlClient
  private var matcher: OutputMatcher?
  private let isTerminal: Bool

  /// Ctrl-], as in xm and telnet.
  private static let escape: UInt8 = 0x1D

  init(_ client: ControlClient, domain: String, history: Bool, until: OutputMatcher?) throws {
    self.client = client
    matcher = until
    guard case .console = try client.ask(.console(domain: domain, history: history)) else { throw ControlOptions.misunderstanding }
    isTerminal = TerminalMode.makeRaw(STDIN_FILENO)
  }

  mutating func run() throws {
    defer { TerminalMode.restore() }
    if try show(client.takeRest()) { return }
    var input = fcntl(STDIN_FILENO, F_GETFL) >= 0
    while true {
      var set = [pollfd(fd: client.descriptor, events: Int16(POLLIN), revents: 0)]
      if input { set.append(pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)) }
      guard poll(&set, nfds_t(set.count), -1) >= 0 || errno == EINTR else { return }
      if set[0].revents != 0 {
        guard let bytes = client.read() else { break }
        if try show(bytes) { return }
      }
      if input, set[1].revents != 0 {
        guard let bytes = typed() else { return }
        input = !bytes.isEmpty
        // The domain may be gone; what it said last is still to come.
        do throws(CommandFailure) { try client.write(bytes) } catch { input = false }
      }
    }
    if matcher != nil { throw CommandFailure(CommandFailure.guestFailed, "the console has ended before what --until waits for") }
  }

  /// Empty at the end of the input; nil: the user leaves.
  private func typed() -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = Glibc.read(STDIN_FILENO, &bytes, bytes.count)
    guard count > 0 else { return [] }
    if isTerminal && bytes[..<count].contains(Self.escape) { return nil }
    return Array(bytes[..<count])
  }

  /// True if that was what --until waits for.
  private mutating func show(_ bytes: [UInt8]) throws -> Bool {
    var output = StandardOutput()
    output.write(bytes)
    try output.flush()
    var isOver = false
    for byte in bytes where matcher?.append(byte) == true { isOver = true }
    return isOver || matcher?.matchesPartialLine() == true
  }
}
