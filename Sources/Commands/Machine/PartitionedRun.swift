import Devices
import Foundation
import HostResources
import Platform
import Processor

/// The partitions of one machine, running in turns on one clock. Nothing of one partition is within another's reach: each is a machine
/// of its own, with its own memory, buses, and devices.
final class PartitionedRun: OutsideSource {
  private let file: MachineFile
  private var chassis: Chassis
  private let world = OutsideWorld()
  let networks: Networks
  let partitions: [Partition]
  private let terminal: HostConsole
  /// Index of the partition that the terminal's keys go to.
  private var selected: Int?
  private var quit = false
  private(set) var now: UInt64 = 0
  private var failures: ArraySlice<MachineFile.BoardFailure>

  /// Cycles of a turn. No longer than a frame spends in a bridge (5 µs), so that none arrives late.
  static let turn: UInt64 = 8000
  /// How long guests that have failed may go on with their reports.
  private static var lastWords: UInt64 { Cycles.perSecond / 10 }

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
    networks = try Networks(world: world, all: file.partitions.flatMap(\.nics))
    selected = file.partitions.firstIndex { $0.console == nil }
    world.clock = { [unowned self] in Cycles.nanoseconds(now) }
    world.expectsAnswer = { [unowned self] in lookInterval = Self.shortestLook }
    world.add(self)
    terminal.command = { [unowned self] in perform($0) }
    terminal.outputClosed = { [unowned self] in quit = true }
    for partition in partitions { try partition.start(on: chassis, at: 0, networks: networks) }
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
      if try breakBoards() { continue }
      let due = min(limit, failures.first.map { Self.cycle($0.seconds) } ?? .max, deadline ?? .max)
      if now >= lastLook &+ lookInterval {
        lastLook = now
        lookInterval = world.look() ? Self.shortestLook : min(lookInterval * 2, Self.longestLook)
      }
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

  /// Everybody waits. If nothing may come from outside the time is skipped; otherwise it passes as the host's does. False: for ever.
  private func sleep(until cycle: UInt64) throws -> Bool {
    terminal.flush()
    terminal.checkOutput()
    if quit { return true }
    let forever = cycle == .max
    if forever && !world.mayDeliver { return false }
    let passed = world.wait(
      nanoseconds: forever ? nil : Cycles.nanoseconds(cycle - now), now: Cycles.nanoseconds(now),
      isOver: { [unowned self] in quit || (nextActivity.map { $0 <= now } ?? false) })
    lastLook = now
    if let passed {
      try advance(to: min(cycle, now + Cycles.from(nanoseconds: passed)))
    } else if !forever {
      try advance(to: cycle)
    }
    return true
  }

  // MARK: The outside world

  /// Busy guests look for input some dozens of times a second of the host; while there is traffic, after the time that two full frames
  /// take on the wire.
  private static let longestLook: UInt64 = 10_000_000
  private static let shortestLook: UInt64 = 50_000
  private var lookInterval = longestLook
  private var lastLook: UInt64 = 0
  private var descriptorIndex: Int?

  private var line: (any ConsoleLine)? { selected.flatMap { partitions[$0].server?.console } }

  /// The terminal's keys.
  var mayDeliver: Bool { terminal.inputIsOpen && selected != nil }

  func prepare(_ set: inout PollSet) {
    descriptorIndex = (line?.room ?? 0) > 0 ? terminal.inputDescriptor.map { set.add($0, .input) } : nil
  }

  func collect(_ set: PollSet) -> Bool {
    guard let descriptorIndex, !set.events(descriptorIndex).isEmpty, let line else { return false }
    let bytes = terminal.read(limit: line.room)
    if !bytes.isEmpty { _ = line.receive(bytes) }
    return !bytes.isEmpty
  }

  private func perform(_ command: HostConsole.Command) {
    switch command {
    case .quit: quit = true
    case .pressPowerButton: selected.flatMap { partitions[$0].server }?.pressPowerButton()
    case .reset: selected.flatMap { partitions[$0].server }?.perform(.coldReset)
    case .sendBreak: selected.flatMap { partitions[$0].server }?.console.receiveBreak()
    case .next:
      guard let old = selected else { return }
      let order = (1...partitions.count).map { (old + $0) % partitions.count }
      selected = order.first { partitions[$0].configuration.console == nil && partitions[$0].isRunning } ?? old
      StandardError.write("epicure: keys go to partition \(partitions[selected ?? old].configuration.name)")
    }
  }

  // MARK: Boards

  /// True if a board has broken: that may have been the end.
  private func breakBoards() throws -> Bool {
    guard let failure = failures.first, Self.cycle(failure.seconds) <= now else { return false }
    failures.removeFirst()
    try breakBoard(failure.board)
    return true
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
      partition.breakDown(replacement: replacement, board: board, networks: networks)
      if replacement != nil { try partition.start(on: chassis, at: now, networks: networks) }
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
