import FoundationEssentials
import HostResources
import Hypervisor
import Pipeline
import Platform
import Processor

/// What `--stats` writes.
struct BootStatistics: Encodable {
  struct PerProcessor: Encodable {
    var instructions: UInt64
    var bundles: UInt64
    var cycles: UInt64
    var idleCycles: UInt64
    var interruptions: UInt64
    /// With --timing cycle: what the cycles were spent on.
    var pipeline: CycleReport?
    /// In a domain: how often the guest was left, by reason.
    var exits: [String: UInt64]?
  }
  var outcome: String
  /// Slots retired, nops included.
  var instructions: UInt64
  /// Slots divided by three.
  var bundles: UInt64
  var cycles: UInt64
  var hostSeconds: Double
  var guestSeconds: Double
  var resets: Int
  /// With --timing cycle: what the cycles of all processors were spent on.
  var pipeline: CycleReport?
  /// In a domain: how often the guest was left, on all processors, by reason.
  var exits: [String: UInt64]?
  /// Of all memory that is not zero, with its addresses: two runs with the same inputs have the same.
  var memoryHash: String
  var processors: [PerProcessor]
  /// What each device counted.
  var devices: [String: [String: UInt64]]

  init(server: Server, outcome: String, hostSeconds: Double, cycles observation: CycleObservation? = nil) {
    self.outcome = outcome
    self.hostSeconds = hostSeconds
    processors = server.processors.enumerated().map { index, p in
      let s = p.state.pointee
      return PerProcessor(
        instructions: s.instructions, bundles: s.instructions / 3, cycles: p.state.cycles, idleCycles: s.idleCycles,
        interruptions: p.interruptionCount,
        pipeline: index < server.pipelines.count ? observation?.report([server.pipelines[index]]) : nil,
        exits: server.domain.map { Self.counts($0.virtualProcessors[index].exits) })
    }
    exits = server.domain.map { domain in
      domain.virtualProcessors.map { Self.counts($0.exits) }.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
    }
    pipeline = observation?.report(server.pipelines)
    instructions = processors.reduce(0) { $0 + $1.instructions }
    bundles = processors.reduce(0) { $0 + $1.bundles }
    cycles = processors.map(\.cycles).max() ?? 0
    guestSeconds = Cycles.seconds(cycles)
    resets = server.resets
    devices = Dictionary(server.statisticsSources.map { ($0.name, $0.read()) }) { first, _ in first }
    memoryHash = String(server.memory.contentHash(), radix: 16)
  }

  private static func counts(_ log: ExitLog) -> [String: UInt64] {
    Dictionary(log.byKind.map { ($0.kind.name, $0.count) }, uniquingKeysWith: +)
  }

  func write(to path: String) throws(CommandFailure) { try StatisticsFile.write(self, to: path) }
}

/// JSON beside every run.
enum StatisticsFile {
  static func write(_ statistics: some Encodable, to path: String) throws(CommandFailure) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    do {
      try (encoder.encode(statistics) + Data("\n".utf8)).write(to: URL(fileURLWithPath: path))
    } catch {
      throw CommandFailure(CommandFailure.badInput, "cannot write \(path): \(error)")
    }
  }
}
