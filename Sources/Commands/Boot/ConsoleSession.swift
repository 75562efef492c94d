import Devices
import HostResources
import Inspection
import Platform

/// Connects a server's serial port with the host's console: characters both ways, and what to watch for.
final class ConsoleSession: SerialPeer, OutsideSource {
  /// Why the session has ended the run.
  enum End: Equatable {
    /// `--until` matched.
    case matched
    /// `--fail-on` matched this line.
    case failed(String)
    /// The user has left.
    case quit
    /// Nobody reads the console's output any more.
    case outputClosed
    /// A recording has ended, or does not fit.
    case abandoned
  }

  private let server: Server
  private let console: HostConsole
  private let journal: Journal
  /// What comes: characters, commands, and that nobody listens any more.
  private var characters: InputChannel?
  private var commands: InputChannel?
  private var closed: InputChannel?
  private var success: OutputMatcher?
  private var failurePattern: OutputMatcher?
  private(set) var end: End?
  /// What the guest has said when it failed.
  var failure: String? { if case .failed(let line) = end { line } else { nil } }
  /// What is to be done when a line first matches.
  private var awaited: (matcher: OutputMatcher, action: () -> Void)?
  private var quietEvent: EventHandlerID?
  /// The last output.
  private(set) var tail: [UInt8] = []
  private static let tailSize = 1 << 16
  /// Guest time of the last character.
  private var lastOutput: UInt64 = 0
  /// A guest that has failed is stopped when it has printed nothing for a tenth of a second: its report follows the first line.
  private static var quietTime: UInt64 { Cycles.perSecond / 10 }

  /// `success` is what `--until` says, `failure` what `--fail-on` says.
  init(server: Server, console: HostConsole, schedule: OutsideSchedule, success: OutputMatcher?, failure: OutputMatcher?) {
    self.server = server
    self.console = console
    self.success = success
    failurePattern = failure
    journal = schedule.journal
    server.console.peer = self
    let machine = server.machine
    quietEvent = machine.events.register { [unowned self] cycle, _ in stopWhenQuiet(cycle) }
    schedule.whenIdle = { [unowned self] in guestIsIdle() }
    schedule.isOver = { [unowned self] in isOver }
    schedule.world.add(self)
    characters = journal.channel { [unowned self] in _ = self.server.console.receive($0) }
    commands = journal.channel { [unowned self] in if let command = $0.first.flatMap(HostConsole.Command.init) { perform(command) }
    }
    closed = journal.channel { [unowned self] _ in finish(.outputClosed) }
    console.command = { [unowned self] in commands?.deliver([$0.rawValue]) }
    console.outputClosed = { [unowned self] in outputClosed() }
  }

  /// Somebody who does not want to see the rest of a replay ends it.
  private func outputClosed() {
    if journal.isReplaying { finish(.outputClosed) } else { closed?.deliver() }
  }

  /// The run is over, whatever the guest does.
  func abandon() { finish(.abandoned) }

  private func perform(_ command: HostConsole.Command) {
    switch command {
    case .quit: finish(.quit)
    case .pressPowerButton: server.pressPowerButton()
    case .reset: server.perform(.coldReset)
    case .sendBreak: server.console.receiveBreak()
    case .next: break
    }
  }

  /// A guest that has failed still runs for a moment.
  private var isOver: Bool {
    switch end {
    case nil, .failed: false
    case .matched, .quit, .outputClosed, .abandoned: true
    }
  }

  /// The first reason counts, but a match of `--until` is success even in a guest's last words.
  private func finish(_ reason: End) {
    if end == nil || reason == .matched { end = reason }
    server.stop()
  }

  /// The guest has said that it failed: it may finish its report, but not start over.
  private func fail(_ line: String) {
    guard end == nil, let quietEvent else { return }
    end = .failed(line)
    server.mayReset = false
    server.machine.events.schedule(quietEvent, at: server.machine.now + Self.quietTime)
  }

  private func stopWhenQuiet(_ cycle: UInt64) {
    guard let quietEvent, cycle < lastOutput + Self.quietTime else { return server.stop() }
    server.machine.events.schedule(quietEvent, at: lastOutput + Self.quietTime)
  }

  // MARK: Characters

  func transmit(_ byte: UInt8) {
    lastOutput = server.machine.now
    if tail.count >= 2 * Self.tailSize { tail.removeFirst(Self.tailSize) }
    tail.append(byte)
    talk { console.write(byte) }
    if awaited?.matcher.append(byte) == true { lineCame() }
    if success?.append(byte) == true { finish(.matched) }
    if failurePattern?.append(byte) == true { fail(failurePattern?.matchedLine ?? "") }
  }

  /// Does this once, when a line of the console matches.
  func await(_ matcher: OutputMatcher, _ action: @escaping () -> Void) { awaited = (matcher, action) }

  private func lineCame() {
    let action = awaited?.action
    awaited = nil
    action?()
  }

  func readyToReceive() { journal.ask(.consoleRead) { inputWaits && pump() } }
  /// The UART could not take what the host offers; to be tried when it has room.
  private var inputWaits = false

  /// True if characters have come.
  private func pump() -> Bool {
    let room = server.console.room
    inputWaits = room == 0
    guard room > 0 else { return false }
    let bytes = console.read(limit: room)
    if !bytes.isEmpty {
      characters?.deliver(bytes)
      inputWaits = true
    }
    return !bytes.isEmpty
  }

  // MARK: The world outside

  var mayDeliver: Bool { console.inputIsOpen }
  private var index: Int?

  func prepare(_ set: inout PollSet) {
    let room = server.console.room
    if room == 0 { inputWaits = true }
    index = room > 0 ? console.inputDescriptor.map { set.add($0, .input) } : nil
  }

  func collect(_ set: PollSet) -> Bool {
    // A guest that asks for a key over and over is never idle, and its prompt has no end.
    console.flush()
    // The end of the input is an event, too, but none for the guest.
    guard let index, !set.events(index).isEmpty else { return false }
    return pump()
  }

  /// What the console has goes out now.
  func flush() { talk { console.flush() } }

  /// The same between two moments of a replay, which does not know of it.
  func show() { console.flush() }

  /// Whatever is written may find that nobody is there.
  private func talk(_ body: () -> Void) {
    journal.ask(
      .consoleWrite,
      bytes: {
        body()
        return nil
      })
    if journal.isReplaying && !journal.isSilent { body() }
  }

  private func guestIsIdle() {
    talk {
      console.flush()
      console.checkOutput()
    }
    if success?.matchesPartialLine() == true { finish(.matched) }
    if failurePattern?.matchesPartialLine() == true { fail(failurePattern?.matchedLine ?? "") }
  }
}
