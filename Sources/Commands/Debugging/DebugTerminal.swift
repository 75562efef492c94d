import FoundationEssentials
import Glibc
import HostResources
import Inspection

/// `epicure debug`'s front end: the screen on a terminal, lines otherwise.
final class DebugTerminal: DebugFrontEnd, OutsideSource {
  private let console: DebuggerConsole
  private var screen = DebuggerScreen()
  private let isScreen: Bool
  /// What the guest prints goes here while there is a screen.
  private let guestOutput: Int32?
  private var messages: [String] = []
  private var input: [UInt8] = []
  private var inputIsOver = false

  /// Set by Ctrl-C.
  nonisolated(unsafe) private static var interrupted: sig_atomic_t = 0

  private static let prompt = "(epicure) "
  private static let guestLines = 200
  private static let longestLine = 4096

  /// `guestOutput`: nil if the guest's console is on standard output itself.
  init(_ debugger: Debugger, _ world: OutsideWorld, guestOutput: Int32?) {
    console = DebuggerConsole(debugger)
    self.guestOutput = guestOutput
    isScreen = guestOutput != nil
    signal(SIGINT) { _ in DebugTerminal.interrupted = 1 }
    debugger.look = { [unowned self] in lookAround() }
    world.add(self)
  }

  static var isTerminal: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 }

  // MARK: OutsideSource

  // The signal itself ends a wait.
  var mayDeliver: Bool { false }
  func prepare(_ set: inout PollSet) {}

  func collect(_ set: PollSet) -> Bool {
    lookAround()
    return console.debugger.stop != nil
  }

  private func lookAround() {
    guard Self.interrupted != 0 else { return }
    Self.interrupted = 0
    console.debugger.interrupt()
  }

  // MARK: DebugFrontEnd

  func stopped() -> DebugVerdict {
    Self.interrupted = 0
    guard let news = console.stopped() else { return .goOn }
    show(news)
    while true {
      if isScreen { draw() }
      write(Self.prompt)
      guard let line = readLine() else {
        if !isScreen { write("\n") }
        return .quit
      }
      // A script's commands are part of its record.
      if !isScreen && isatty(STDIN_FILENO) == 0 { write(line + "\n") }
      switch console.perform(line) {
      case .text(let lines): show(lines)
      case .goOn:
        if isScreen { messages = ["running; Ctrl-C stops it"] }
        if isScreen { draw() }
        return .goOn
      case .detach: return .goOn
      case .quit: return .quit
      }
    }
  }

  func ended(status: UInt8) {
    guard isScreen else { return }
    write("\u{1B}[2J\u{1B}[H")
    guest.suffix(terminalSize.rows - 2).forEach { write($0 + "\n") }
  }

  /// The lines that have been read and not done yet, and what the console has in mind.
  private struct State: Codable {
    var input: [UInt8]
    var isOver: Bool
    var console: DebuggerConsole.State
  }

  func handOver() -> (state: [UInt8], descriptor: Int32?) {
    let state = State(input: input, isOver: inputIsOver, console: console.state)
    return ((try? JSONEncoder().encode(state)).map { Array($0) } ?? [], nil)
  }

  func takeOver(_ state: [UInt8], _ descriptor: Int32?) {
    guard let state = try? JSONDecoder().decode(State.self, from: Data(state)) else { return }
    (input, inputIsOver, console.state) = (state.input, state.isOver, state.console)
  }

  // MARK: Text

  private func show(_ lines: [String]) {
    guard isScreen else { return lines.forEach { write($0 + "\n") } }
    messages = lines
    let size = terminalSize
    guard lines.count > DebuggerScreen.messageRows(rows: size.rows) else { return }
    // What is too long for its pane has the screen for itself.
    var rest = lines[...]
    while !rest.isEmpty {
      write("\u{1B}[2J\u{1B}[H")
      rest.prefix(size.rows - 2).forEach { write(String($0.prefix(size.columns)) + "\n") }
      rest = rest.dropFirst(size.rows - 2)
      write(rest.isEmpty ? "-- Return --" : "-- Return: more, q Return: enough --")
      if readLine() == "q" { break }
    }
    messages = []
  }

  private func draw() {
    let size = terminalSize
    let lines = screen.lines(console, guest: guest, messages: messages, rows: size.rows, columns: size.columns)
    write("\u{1B}[2J\u{1B}[H" + lines.joined(separator: "\n") + "\n")
  }

  private var terminalSize: (rows: Int, columns: Int) {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0, size.ws_col > 0 else {
      return DebuggerScreen.smallest
    }
    return (Int(size.ws_row), Int(size.ws_col))
  }

  /// The last lines of the guest's console.
  private var guest: [String] {
    guard let guestOutput else { return [] }
    let size = lseek(guestOutput, 0, SEEK_END)
    let start = max(0, size - 1 << 15)
    var bytes = [UInt8](repeating: 0, count: Int(max(0, size - start)))
    let count = pread(guestOutput, &bytes, bytes.count, start)
    guard count > 0 else { return [] }
    return String(decoding: bytes[..<count], as: UTF8.self).split(whereSeparator: \.isNewline).suffix(Self.guestLines).map(
      String.init)
  }

  private func write(_ text: String) {
    let bytes = Array(text.utf8)
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress.map { $0 + done }, bytes.count - done) }
      if count < 0 && errno != EINTR { return }
      done += max(0, count)
    }
  }

  /// Nil at the end of the input.
  private func readLine() -> String? {
    while true {
      if let end = input.firstIndex(of: 0x0A) {
        defer { input.removeFirst(end + 1) }
        return String(decoding: input[..<end], as: UTF8.self)
      }
      if inputIsOver {
        guard !input.isEmpty else { return nil }
        defer { input = [] }
        return String(decoding: input, as: UTF8.self)
      }
      var bytes = [UInt8](repeating: 0, count: 1024)
      let count = read(STDIN_FILENO, &bytes, bytes.count)
      if count > 0 {
        input += bytes[..<count]
        if input.count > Self.longestLine && !input.contains(0x0A) { input = [] }
      } else if count == 0 || errno != EINTR {
        inputIsOver = true
      } else {
        // Ctrl-C at the prompt begins a new line.
        Self.interrupted = 0
        return ""
      }
    }
  }
}
