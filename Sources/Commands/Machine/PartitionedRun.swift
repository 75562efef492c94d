import Foundation
import HostResources
import Platform
import Processor

/// The partitions of one machine, running in turns on one clock. Nothing of one partition is within another's reach: each is a machine
/// of its own, with its own memory, buses, and devices.
final class PartitionedRun {
  private let file: MachineFile
  private var chassis: Chassis
  private let world = PartitionWorld()
  let partitions: [Partition]
  private let terminal: HostConsole
  /// Index of the partition that the terminal's keys go to.
  private var selected: Int?
  private var quit = false
  private(set) var now: UInt64 = 0
  private var failures: ArraySlice<MachineFile.BoardFailure>
  private var anchor = (cycle: UInt64(0), host: ContinuousClock.now)

  /// Cycles of a turn. No longer than a frame spends in a bridge (5 µs), so that none arrives late.
  static let turn: UInt64 = 8000
  /// How long guests that have failed may go on with their reports.
  private static let lastWords = Cycles.perSecond / 10
  private static let largestLag = Duration.milliseconds(50)

  enum End: Equatable {
    case matched
    case allEnded
    case quit
    case limit
    case instructionLimit
    /// All wait, and nothing will come.
    case deadlock
  }

  init(_ file: MachineFile, terminal: HostConsole, failOn: OutputMatcher?) throws {
    self.file = file
    self.terminal = terminal
    chassis = file.chassis
    failures = file.failures[...]
    let shared = file.partitions.filter { $0.console == nil }.count > 1
    partitions = try file.partitions.map { p in
      var success: OutputMatcher?
      if let until = p.until {
        do {
          success = try OutputMatcher(until)
        } catch { throw CommandFailure(CommandFailure.badInput, "partition \(p.name): until: \(error)") }
      }
      let output = try p.console.map { try Self.open($0, partition: p.name) } ?? terminal
      return Partition(
        p,
        console: PartitionConsole(
          output: output, prefix: shared && p.console == nil ? "[\(p.name)] " : "", success: success, failure: failOn))
    }
    selected = file.partitions.firstIndex { $0.console == nil }
    terminal.command = { [unowned self] in perform($0) }
    terminal.outputClosed = { [unowned self] in quit = true }
    for partition in partitions { try partition.start(on: chassis, at: 0, world: world) }
  }

  private static func open(_ path: String, partition: String) throws -> HostConsole {
    do {
      return try HostConsole(outputFile: path)
    } catch { throw CommandFailure(CommandFailure.badInput, "partition \(partition): console: \(error)") }
  }

  // MARK: Running

  /// Runs until all partitions have come to their ends, or `limit` cycles have passed. One that fails ends the run soon after.
  func run(until limit: UInt64, instructions: UInt64?) throws -> End {
    var deadline: UInt64?
    while true {
      if let end = ending { return end }
      if deadline == nil, partitions.contains(where: \.hasFailed) { deadline = now + Self.lastWords }
      if let deadline, now >= deadline { return .allEnded }
      if now >= limit { return .limit }
      if let instructions, partitions.reduce(0, { $0 + $1.instructions }) >= instructions { return .instructionLimit }
      try breakBoards()
      let due = min(limit, failures.first.map { Self.cycle($0.seconds) } ?? .max, deadline ?? .max)
      takeInput()
      guard let next = nextActivity else {
        if try !sleep(until: due) { return .deadlock }
        continue
      }
      if next > now + Self.turn {
        _ = try sleep(until: min(next, due))
        continue
      }
      try advance(to: min(now + Self.turn, due))
    }
  }

  private func advance(to cycle: UInt64) throws {
    for partition in partitions { try partition.run(until: cycle) }
    now = max(now, cycle)
  }

  private static func cycle(_ seconds: Double) -> UInt64 { UInt64(seconds * Double(Cycles.perSecond)) }

  /// When anything happens next; nil: never, as things are.
  private var nextActivity: UInt64? {
    partitions.lazy.filter(\.isRunning).compactMap { $0.server?.machine.nextActivity }.min()
  }

  private var ending: End? {
    if quit { return .quit }
    let watched = partitions.filter(\.console.isWatched)
    if !watched.isEmpty, watched.allSatisfy(\.console.hasMatched) { return .matched }
    return partitions.allSatisfy { !$0.isRunning } ? .allEnded : nil
  }

  /// Everybody waits. Without input that may come the time is skipped; otherwise it passes as the host's does. False: for ever.
  private func sleep(until cycle: UInt64) throws -> Bool {
    terminal.flush()
    terminal.checkOutput()
    if quit { return true }
    if !terminal.inputIsOpen || selected == nil {
      if cycle == .max { return false }
      try advance(to: cycle)
      return true
    }
    let forever = cycle == .max
    let target = Duration.nanoseconds(Int64(clamping: Cycles.nanoseconds((forever ? now : cycle) &- anchor.cycle)))
    let lead = target - (.now - anchor.host)
    if lead < .zero - Self.largestLag { anchor = (forever ? now : cycle, .now - Self.largestLag) }
    let milliseconds =
      forever ? -1 : Int32(clamping: lead.components.seconds * 1000 + lead.components.attoseconds / 1_000_000_000_000_000)
    if milliseconds != 0, forever || milliseconds > 0, terminal.wait(milliseconds: milliseconds) {
      let passed = (.now - anchor.host).components
      let nanoseconds = UInt64(max(0, passed.seconds)) &* 1_000_000_000 &+ UInt64(max(0, passed.attoseconds)) / 1_000_000_000
      let elapsed = anchor.cycle &+ Cycles.from(nanoseconds: nanoseconds)
      try advance(to: min(cycle, max(now, elapsed)))
      return true
    }
    if !forever { try advance(to: cycle) }
    return true
  }

  // MARK: The terminal

  /// A terminal's keys are looked for ten times a second of the host or so, and whenever everybody waits.
  private static let inputInterval: UInt64 = 10_000_000
  private var lastInput: UInt64 = 0

  private func takeInput() {
    guard terminal.inputIsOpen, let selected, let uart = partitions[selected].server?.uart else { return }
    guard now >= lastInput + Self.inputInterval || nextActivity.map({ $0 > now + Self.turn }) ?? true else { return }
    lastInput = now
    let bytes = terminal.read(limit: uart.room)
    if !bytes.isEmpty { _ = uart.receive(bytes) }
  }

  private func perform(_ command: HostConsole.Command) {
    switch command {
    case .quit: quit = true
    case .pressPowerButton: selected.flatMap { partitions[$0].server }?.power.pressPowerButton()
    case .reset: selected.flatMap { partitions[$0].server }?.perform(.coldReset)
    case .sendBreak: selected.flatMap { partitions[$0].server }?.uart.receiveBreak()
    case .next:
      guard let old = selected else { return }
      let order = (1...partitions.count).map { (old + $0) % partitions.count }
      selected = order.first { partitions[$0].configuration.console == nil && partitions[$0].isRunning } ?? old
      StandardError.write("epicure: keys go to partition \(partitions[selected ?? old].configuration.name)")
    }
  }

  // MARK: Boards

  private func breakBoards() throws {
    while let failure = failures.first, Self.cycle(failure.seconds) <= now {
      failures.removeFirst()
      try breakBoard(failure.board)
    }
  }

  /// A board breaks: the partitions on it stop at once, and start again on the spare that takes its place.
  private func breakBoard(_ board: String) throws {
    let (names, replacement) = chassis.fail(board)
    let seconds = String(format: "%.3f", Cycles.seconds(now))
    StandardError.write(
      "epicure: board \(board) fails at \(seconds) s: "
        + (names.isEmpty
          ? "no partition uses it"
          : "\(names.joined(separator: ", ")) " + (replacement.map { "restarts on the spare \($0)" } ?? "stops, there is no spare"))
    )
    for partition in partitions where names.contains(partition.configuration.name) && partition.isRunning {
      partition.breakDown(replacement: replacement, board: board)
      if replacement != nil { try partition.start(on: chassis, at: now, world: world) }
    }
  }
}

extension Partition {
  var hasFailed: Bool {
    switch state {
    case .running, .ended(.poweredOff), .ended(.imageReturned(0)): false
    case .ended, .failed, .lost: true
    }
  }
}
