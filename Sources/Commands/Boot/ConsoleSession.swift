import Devices
import HostResources
import Platform

/// Connects a server's serial port with the host's console: characters both ways, the pace of idle time, and what to watch for.
final class ConsoleSession: SerialPeer {
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
  private var failure: OutputMatcher?
  private(set) var end: End?
  private var pollEvent: EventHandlerID?
  private var quietEvent: EventHandlerID?
  /// Guest time of the last character.
  private var lastOutput: UInt64 = 0
  /// Guest time and host time that are taken as the same moment.
  private var anchor: (cycle: UInt64, host: ContinuousClock.Instant)

  /// How often a busy guest looks for input: about ten times a second of the host.
  private static let pollInterval: UInt64 = 10_000_000
  /// A guest that was busy lags behind; it may make up for so much idle time at most.
  private static let largestLag = Duration.milliseconds(50)
  /// A guest that has failed is stopped when it has printed nothing for a tenth of a second: its report follows the first line.
  private static let quietTime = Cycles.perSecond / 10

  /// `success` is what `--until` says, `failure` what `--fail-on` says.
  init(server: Server, console: HostConsole, success: OutputMatcher?, failure: OutputMatcher?) {
    self.server = server
    self.console = console
    self.success = success
    self.failure = failure
    anchor = (0, .now)
    server.uart.peer = self
    let machine = server.machine
    machine.waitForWork = { [unowned self] in wait($0) }
    pollEvent = machine.events.register { [unowned self] cycle, _ in
      pump()
      schedulePoll(after: cycle)
    }
    quietEvent = machine.events.register { [unowned self] cycle, _ in stopWhenQuiet(cycle) }
    schedulePoll(after: 0)
    console.command = { [unowned self] in perform($0) }
    console.outputClosed = { [unowned self] in finish(.outputClosed) }
  }

  private func schedulePoll(after cycle: UInt64) {
    guard let pollEvent, console.inputIsOpen else { return }
    server.machine.events.schedule(pollEvent, at: cycle + Self.pollInterval)
  }

  private func perform(_ command: HostConsole.Command) {
    switch command {
    case .quit: finish(.quit)
    case .pressPowerButton: server.power.pressPowerButton()
    case .reset: server.perform(.coldReset)
    case .sendBreak: server.uart.receiveBreak()
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
    if success?.append(byte) == true { finish(.matched) }
    if failure?.append(byte) == true { fail(failure?.matchedLine ?? "") }
  }

  func readyToReceive() { if inputWaits { pump() } }
  /// The UART could not take what the host offers; to be tried when it has room.
  private var inputWaits = false

  private func pump() {
    let room = server.uart.room
    inputWaits = room == 0
    guard room > 0 else { return }
    let bytes = console.read(limit: room)
    if !bytes.isEmpty {
      _ = server.uart.receive(bytes)
      inputWaits = true
    }
  }

  // MARK: Idle time

  /// The guest waits for an interrupt for `cycles`, or for ever. Nothing can happen but input: without any, the time is skipped; with
  /// a console that may still deliver some, it passes as the host's time does.
  private func wait(_ cycles: UInt64) -> UInt64 {
    console.flush()
    console.checkOutput()
    if success?.matchesPartialLine() == true { finish(.matched) }
    if failure?.matchesPartialLine() == true { fail(failure?.matchedLine ?? "") }
    if isOver { return 0 }
    guard console.inputIsOpen else { return cycles }
    pump()
    guard server.processors.allSatisfy({ $0.state.pointee.halted }), !isOver else { return 0 }
    let forever = cycles > .max / 2
    let target = Duration.nanoseconds(
      Int64(clamping: Cycles.nanoseconds(server.machine.now &- anchor.cycle &+ (forever ? 0 : cycles))))
    let lead = target - (.now - anchor.host)
    if lead < .zero - Self.largestLag {
      anchor = (server.machine.now &+ (forever ? 0 : cycles), .now - Self.largestLag)
    }
    let milliseconds =
      forever ? -1 : Int32(clamping: lead.components.seconds * 1000 + lead.components.attoseconds / 1_000_000_000_000_000)
    if milliseconds != 0, forever || milliseconds > 0, console.wait(milliseconds: milliseconds) {
      pump()
      // Time has passed up to the moment of the input.
      let passed = ContinuousClock.now - anchor.host
      let nanoseconds = passed.components.seconds * 1_000_000_000 + passed.components.attoseconds / 1_000_000_000
      let elapsed = Cycles.from(nanoseconds: UInt64(max(0, nanoseconds))) &+ anchor.cycle
      return elapsed > server.machine.now ? min(cycles, elapsed - server.machine.now) : 0
    }
    return cycles
  }
}
