import Devices
import HostResources
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
  }

  private let server: Server
  private let console: HostConsole
  private var success: OutputMatcher?
  private var failurePattern: OutputMatcher?
  private(set) var end: End?
  /// What the guest has said when it failed.
  var failure: String? { if case .failed(let line) = end { line } else { nil } }
  /// What is to be done when a line first matches.
  private var awaited: (matcher: OutputMatcher, action: () -> Void)?
  private var quietEvent: EventHandlerID?
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
    server.console.peer = self
    let machine = server.machine
    quietEvent = machine.events.register { [unowned self] cycle, _ in stopWhenQuiet(cycle) }
    schedule.whenIdle = { [unowned self] in guestIsIdle() }
    schedule.isOver = { [unowned self] in isOver }
    schedule.world.add(self)
    console.command = { [unowned self] in perform($0) }
    console.outputClosed = { [unowned self] in finish(.outputClosed) }
  }

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
    case .matched, .quit, .outputClosed: true
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
    console.write(byte)
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

  func readyToReceive() { if inputWaits { _ = pump() } }
  /// The UART could not take what the host offers; to be tried when it has room.
  private var inputWaits = false

  /// True if characters have come.
  private func pump() -> Bool {
    let room = server.console.room
    inputWaits = room == 0
    guard room > 0 else { return false }
    let bytes = console.read(limit: room)
    if !bytes.isEmpty {
      _ = server.console.receive(bytes)
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
    // The end of the input is an event, too, but none for the guest.
    guard let index, !set.events(index).isEmpty else { return false }
    return pump()
  }

  private func guestIsIdle() {
    console.flush()
    console.checkOutput()
    if success?.matchesPartialLine() == true { finish(.matched) }
    if failurePattern?.matchesPartialLine() == true { fail(failurePattern?.matchedLine ?? "") }
  }
}
