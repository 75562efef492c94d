import Glibc
import Platform
import Processor

/// Seconds of the host's clock.
enum HostTime {
  static func seconds(since start: ContinuousClock.Instant) -> Double {
    let elapsed = (ContinuousClock.now - start).components
    return Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
  }

  /// Seconds of the host's processors that this process has used.
  static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

/// How the partitions ended, in words.
enum PartitionReport {
  static func state(_ partition: Partition) -> String {
    switch partition.state {
    case .running: partition.console.hasMatched ? "matched" : "running"
    case .ended(.poweredOff): "powered-off"
    case .ended(.imageReturned): "image-returned"
    case .ended(.faultLoop): "fault-loop"
    case .ended(.crashed): "crashed"
    case .ended(.resetRequested): "reset-requested"
    case .ended(.deadlock), .ended(.limit), .ended(.stopped): "stopped"
    case .failed: "guest-failed"
    case .lost: "lost"
    }
  }

  /// What the exit status will be; nil for 0.
  static func failure(_ run: PartitionedRun, end: PartitionedRun.End) -> CommandFailure? {
    for partition in run.partitions where partition.hasFailed {
      let reason =
        switch partition.state {
        case .failed(let line): "the guest failed: \(line)"
        case .lost(let board): "board \(board) failed, and there is no spare"
        case .ended(.imageReturned(let status)): "the guest returned to the firmware with status 0x\(String(status, radix: 16))"
        case .ended(.crashed(let reason)): reason
        case .ended(.faultLoop):
          partition.server.map { FaultReport.describe($0.processors[$0.machine.currentProcessor]) } ?? "the guest is lost"
        case .ended, .running: "it stopped"
        }
      return CommandFailure(CommandFailure.guestFailed, "partition \(partition.configuration.name): \(reason)")
    }
    switch end {
    case .matched, .quit: return nil
    case .limit: return CommandFailure(CommandFailure.limitReached, "the time limit is reached")
    case .instructionLimit: return CommandFailure(CommandFailure.limitReached, "the limit of instructions is reached")
    case .deadlock:
      return CommandFailure(CommandFailure.guestFailed, "all partitions wait, with nothing left that could wake them")
    case .allEnded:
      guard let missing = run.partitions.first(where: { $0.console.isWatched && !$0.console.hasMatched }) else { return nil }
      return CommandFailure(
        CommandFailure.guestFailed,
        "partition \(missing.configuration.name) ended before \"\(missing.configuration.until ?? "")\" appeared")
    }
  }
}

/// What `--stats` writes for partitions.
struct PartitionStatistics: Encodable {
  struct One: Encodable {
    var name: String
    var state: String
    /// Times that it was started on other boards.
    var moves: Int
    var statistics: BootStatistics?
  }
  var outcome: String
  var cycles: UInt64
  var guestSeconds: Double
  var hostSeconds: Double
  var instructions: UInt64
  var partitions: [One]

  init(_ run: PartitionedRun, end: PartitionedRun.End, hostSeconds: Double) {
    outcome =
      switch end {
      case .matched: "matched"
      case .allEnded: "all-ended"
      case .quit: "quit"
      case .limit: "time-limit"
      case .instructionLimit: "instruction-limit"
      case .deadlock: "deadlock"
      }
    cycles = run.now
    guestSeconds = Cycles.seconds(run.now)
    self.hostSeconds = hostSeconds
    instructions = run.partitions.reduce(0) { $0 + $1.instructions }
    partitions = run.partitions.map { p in
      One(
        name: p.configuration.name, state: PartitionReport.state(p), moves: p.moves,
        statistics: p.server.map {
          BootStatistics(server: $0, outcome: PartitionReport.state(p), hostSeconds: hostSeconds)
        })
    }
  }
}
