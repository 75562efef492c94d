import Devices
import HostResources
import Platform

/// Connects a server's serial port with the host's console: characters both ways, the pace of idle time, and `--until`.
final class ConsoleSession: SerialPeer {
  private let server: Server
  private let console: HostConsole
  private var matcher: OutputMatcher?
  private(set) var matched = false
  private(set) var quit = false
  private var pollEvent: EventHandlerID?
  /// Guest time and host time that are taken as the same moment.
  private var anchor: (cycle: UInt64, host: ContinuousClock.Instant)

  /// How often a busy guest looks for input: about ten times a second of the host.
  private static let pollInterval: UInt64 = 10_000_000
  /// A guest that was busy lags behind; it may make up for so much idle time at most.
  private static let largestLag = Duration.milliseconds(50)

  init(server: Server, console: HostConsole, matcher: OutputMatcher?) {
    self.server = server
    self.console = console
    self.matcher = matcher
    anchor = (0, .now)
    server.uart.peer = self
    server.machine.waitForWork = { [unowned self] in wait($0) }
    let machine = server.machine
    pollEvent = machine.events.register { [unowned self] cycle, _ in
      pump()
      schedulePoll(after: cycle)
    }
    schedulePoll(after: 0)
    console.command = { [unowned self] in perform($0) }
  }

  private func schedulePoll(after cycle: UInt64) {
    guard let pollEvent, console.inputIsOpen else { return }
    server.machine.events.schedule(pollEvent, at: cycle + Self.pollInterval)
  }

  private func perform(_ command: HostConsole.Command) {
    switch command {
    case .quit:
      quit = true
      server.stop()
    case .pressPowerButton: server.power.pressPowerButton()
    case .reset: server.perform(.coldReset)
    }
  }

  // MARK: Characters

  func transmit(_ byte: UInt8) {
    console.write(byte)
    if matcher?.append(byte) == true { match() }
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

  private func match() {
    matched = true
    server.stop()
  }

  // MARK: Idle time

  /// The guest waits for an interrupt for `cycles`, or for ever. Nothing can happen but input: without any, the time is skipped; with
  /// a console that may still deliver some, it passes as the host's time does.
  private func wait(_ cycles: UInt64) -> UInt64 {
    console.flush()
    if matcher?.matchesPartialLine() == true {
      match()
      return 0
    }
    guard console.inputIsOpen else { return cycles }
    pump()
    guard server.processors.allSatisfy({ $0.state.pointee.halted }), !quit else { return 0 }
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
