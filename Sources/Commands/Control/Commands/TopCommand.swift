import ArgumentParser
import Foundation
import Glibc
import Management

/// `epicure top`
struct TopCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top",
    abstract: "What each domain uses: processors, time without one, exits, memory; again and again on a terminal.",
    discussion: """
      CPU(%) and STEAL(%) are of the server's time: 100 is one processor. EXITS/s says how often the guests were left for the hypervisor. \
      RES is what the guest has touched. On a terminal it is renewed until Ctrl-C; otherwise it is printed once.
      """)
  @Option(name: [.short, .long], help: "Seconds between two looks.")
  var delay = 1.0
  @Option(name: [.short, .long], help: ArgumentHelp("End after so many looks.", valueName: "n"))
  var iterations: Int?
  @OptionGroup var control: ControlOptions
  @Argument(help: "Domains, by name or number; none: all.")
  var domains: [String] = []

  func validate() throws {
    guard delay > 0, delay <= 3600 else { throw ValidationError("--delay must be from 0 to 3600 seconds.") }
    guard iterations.map({ $0 > 0 }) ?? true else { throw ValidationError("--iterations must be positive.") }
  }

  func run() throws {
    let client = try ControlClient(path: control.path)
    func look() throws -> ServerLoad {
      guard case .load(let load) = try client.ask(.load(domains: domains)) else { throw ControlOptions.misunderstanding }
      return load
    }
    let isTerminal = isatty(STDOUT_FILENO) == 1 && !control.json
    var left = iterations ?? (isTerminal ? .max : 1)
    var before = try look()
    while left > 0 {
      Thread.sleep(forTimeInterval: delay)
      let now = try look()
      let table = LoadTable(before, now)
      try control.print(table) { (isTerminal ? "\u{1B}[H\u{1B}[2J" : "") + table.text }
      before = now
      left -= 1
    }
  }
}

/// What happened between two looks at the server.
struct LoadTable: Encodable {
  struct Row: Encodable {
    var name: String
    var id: Int
    var state: DomainState
    var processorSeconds: Double
    var processorPercent: Double
    var stealPercent: Double
    var exits: UInt64
    var exitsPerSecond: Double
    var instructions: UInt64
    var instructionsPerSecond: Double
    var memory: Int
    var residentMemory: Int
    var virtualProcessors: Int
  }
  /// Of the server's clock.
  var seconds: Double
  var processors: Int
  var totalMemory: Int
  var freeMemory: Int
  var domains: [Row]

  init(_ before: ServerLoad, _ now: ServerLoad) {
    (seconds, processors, totalMemory, freeMemory) = (now.seconds, now.processors, now.totalMemory, now.freeMemory)
    // A server that has not gone on has done nothing.
    let elapsed = max(now.seconds - before.seconds, 1e-9)
    domains = now.domains.map { domain in
      let old = before.domains.first { $0.id == domain.id } ?? domain
      return Row(
        name: domain.name, id: domain.id, state: domain.state, processorSeconds: domain.processorSeconds,
        processorPercent: 100 * (domain.processorSeconds - old.processorSeconds) / elapsed,
        stealPercent: 100 * max(0, domain.stolenSeconds - old.stolenSeconds) / elapsed,
        exits: domain.exits, exitsPerSecond: Double(domain.exits &- old.exits) / elapsed, instructions: domain.instructions,
        instructionsPerSecond: Double(domain.instructions &- old.instructions) / elapsed, memory: domain.memory,
        residentMemory: domain.residentMemory, virtualProcessors: domain.virtualProcessors)
    }
  }

  var text: String {
    let head = String(
      format: "epicure top - %.1f s up, %d domains, %d cpus, %d MiB total, %d MiB free\n", seconds, domains.count, processors,
      totalMemory, freeMemory)
    func left(_ text: String, _ width: Int) -> String {
      text.padding(toLength: max(width, text.count), withPad: " ", startingAt: 0)
    }
    let rows = domains.map { row in
      left(row.name, 24)
        + String(
          format: " %4d %@ %9.1f %7.1f %8.1f %9.0f %8d %8d %5d\n", row.id, row.state.description as NSString, row.processorSeconds,
          row.processorPercent, row.stealPercent, row.exitsPerSecond, row.memory, row.residentMemory, row.virtualProcessors)
    }
    return head + left("NAME", 24) + "   ID STATE    CPU(sec)  CPU(%) STEAL(%)   EXITS/s MEM(MiB) RES(MiB) VCPUS\n" + rows.joined()
  }
}
