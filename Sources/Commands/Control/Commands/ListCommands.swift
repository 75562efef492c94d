import ArgumentParser
import Foundation
import Management

/// `epicure list`
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List domains: number, memory in MiB, virtual processors, state, processor time.",
    discussion: """
      State: r runs, b waits for an event, p paused, s has shut down, c has crashed, d dying. None of them: it waits for a processor. \
      The time is that of the server's processors; for Domain-0, the server itself, it is that of the host's.
      """)
  @Flag(name: [.short, .long], help: "Everything about them, as xm's S-expressions.")
  var long = false
  @OptionGroup var control: ControlOptions
  @Argument(help: "Domains, by name or number; none: all.")
  var domains: [String] = []

  func run() throws {
    guard case .domains(let records) = try control.ask(.list(domains: domains)) else { throw ControlOptions.misunderstanding }
    if long { return try control.print(records) { records.map { $0.sExpression.pretty() }.joined() } }
    let summaries = records.map(\.summary)
    try control.print(summaries) { XMTables.list(summaries) }
  }
}

/// `epicure vcpu-list`
struct VCPUListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vcpu-list",
    abstract: "List virtual processors: where each runs or waits, its state, its time, where it may run.")
  @OptionGroup var control: ControlOptions
  @Argument(help: "Domains, by name or number; none: all.")
  var domains: [String] = []

  func run() throws {
    guard case .virtualProcessors(let list, let processors) = try control.ask(.virtualProcessors(domains: domains)) else {
      throw ControlOptions.misunderstanding
    }
    try control.print(list) { XMTables.virtualProcessorList(list, processors: processors) }
  }
}

/// `epicure uptime`
struct UptimeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "uptime", abstract: "How long domains have been there, in time of the host.")
  @Flag(name: [.short, .long], help: "One line for each, without seconds.")
  var short = false
  @OptionGroup var control: ControlOptions
  @Argument(help: "Domains, by name or number; none: all.")
  var domains: [String] = []

  func run() throws {
    guard case .uptime(let list) = try control.ask(.uptime(domains: domains)) else { throw ControlOptions.misunderstanding }
    let now = Calendar.current.dateComponents([.hour, .minute, .second], from: Date())
    try control.print(list) {
      short
        ? XMTables.shortUptime(list, hour: now.hour ?? 0, minute: now.minute ?? 0, second: now.second ?? 0) : XMTables.uptime(list)
    }
  }
}

/// `epicure info`
struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "What the server has: processors, memory in MiB (free_memory: not promised to any domain).")
  @OptionGroup var control: ControlOptions

  func run() throws {
    guard case .info(let information) = try control.ask(.info) else { throw ControlOptions.misunderstanding }
    try control.print(information) { XMTables.info(information) }
  }
}
