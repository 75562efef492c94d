import Devices
import Hypervisor
import Pipeline
import Platform
import Processor

/// What one job of one guest came to, in the units of the guest and of the counters.
struct IOMeasurement {
  var requests: UInt64
  var bytes: UInt64
  /// Of AR.ITC.
  var ticks: UInt64
  /// At 50, 90, 99 and 100 percent.
  var latencies: [UInt64]
  var errors: UInt64
  /// The guest has rung a doorbell, and has been interrupted.
  var notifications: UInt64
  /// What the machine has counted meanwhile.
  var counters: IOCounters
}

/// Counts that go up.
struct IOCounters {
  var cycles: UInt64 = 0
  var idle: UInt64 = 0
  var hypervisor: UInt64 = 0
  var exits: UInt64 = 0
  var host: UInt64 = 0
  var copied: UInt64 = 0
  var frames: UInt64 = 0

  static func - (later: IOCounters, earlier: IOCounters) -> IOCounters {
    IOCounters(
      cycles: later.cycles - earlier.cycles, idle: later.idle - earlier.idle, hypervisor: later.hypervisor - earlier.hypervisor,
      exits: later.exits - earlier.exits, host: later.host - earlier.host, copied: later.copied - earlier.copied,
      frames: later.frames - earlier.frames)
  }

  /// The guest's own.
  var guest: UInt64 { cycles - min(cycles, idle + hypervisor) }
}

/// `GuestImages/iobench` at work: its console has a mark at each end of a job, and a line of results behind it.
final class IOGuest: SerialPeer {
  let server: Server
  private let method: IOMethod
  private let host: HostProcessor?
  private var line: [UInt8] = []
  private var begun: IOCounters?
  private var ended: IOCounters?
  private(set) var measurements: [IOMeasurement] = []
  /// Lines that are no results, for messages.
  private(set) var lastLine = ""
  private(set) var outcome: Server.Outcome?
  /// Checks that have succeeded, if the guest was asked to check itself.
  private(set) var checks: Int?

  init(_ server: Server, method: IOMethod, host: HostProcessor?) {
    (self.server, self.method, self.host) = (server, method, host)
    server.console.peer = self
    server.mayReset = false
  }

  /// Runs to a cycle of all machines; true: it waits for somebody else.
  func run(until cycle: UInt64) throws -> Bool {
    guard outcome == nil else { return true }
    switch try server.run(until: cycle) {
    case .limit, .stopped: return false
    case .deadlock: return true
    case let end:
      outcome = end
      return true
    }
  }

  // MARK: Console

  func transmit(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: ">"): begun = counters
    case UInt8(ascii: "<"): ended = counters
    case 0x0A:
      takeLine(String(decoding: line, as: UTF8.self))
      line.removeAll(keepingCapacity: true)
    case 0x0D: break
    default: if line.count < 200 { line.append(byte) }
    }
  }

  func readyToReceive() {}

  private func takeLine(_ text: String) {
    guard !text.isEmpty else { return }
    let words = text.split(separator: " ")
    guard words.starts(with: ["IOBENCH", "result"]), let begun, let ended else {
      if words.starts(with: ["IOBENCH", "checked"]), words.last == "0" { checks = Int(words[2]) }
      lastLine = text
      return
    }
    let numbers = words.dropFirst(2).compactMap { UInt64($0) }
    guard numbers.count == 10 else { return }
    measurements.append(
      IOMeasurement(
        requests: numbers[0], bytes: numbers[1], ticks: numbers[2], latencies: Array(numbers[3...6]), errors: numbers[7],
        notifications: numbers[8] + numbers[9], counters: ended - begun))
  }

  // MARK: Counters

  private var counters: IOCounters {
    var counters = IOCounters()
    counters.cycles = server.processors[0].currentCycle
    if server.pipelines.isEmpty {
      counters.idle = server.processors[0].state.pointee.idleCycles
    } else {
      let causes = CycleReport(server.pipelines).stall
      counters.idle = causes[.halted]
      counters.hypervisor = causes[.hypervisor]
    }
    counters.exits = server.domain?.virtualProcessors.reduce(0) { $0 + $1.exits.total } ?? 0
    counters.host = host?.cycles ?? 0
    for source in server.statisticsSources {
      let counts = source.read()
      func sum(_ keys: [String]) -> UInt64 { keys.reduce(0) { $0 + (counts[$1] ?? 0) } }
      // Back ends that look for work keep a processor of the host busy.
      counters.host += sum(["cycles_awake"])
      counters.frames += sum(["sent_frames", "received_frames"])
      counters.copied += sum(method.copiesAll ? ["bytes_read", "bytes_written", "sent_bytes", "received_bytes"] : ["bytes_copied"])
    }
    return counters
  }
}
