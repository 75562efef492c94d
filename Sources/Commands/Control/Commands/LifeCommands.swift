import ArgumentParser
import Foundation
import Management

/// `epicure pause`
struct PauseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Stop a domain's processors until it is unpaused.",
    discussion: "It keeps its memory. Its clock goes on, as on Xen: what it has missed it sees when it is unpaused.")
  @OptionGroup var control: ControlOptions
  @Argument(help: "The domain, by name or number.")
  var domain: String
  func run() throws { try control.act(.pause(domain: domain)) }
}

/// `epicure unpause`
struct UnpauseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "unpause", abstract: "Let a paused domain run again.")
  @OptionGroup var control: ControlOptions
  @Argument(help: "The domain, by name or number.")
  var domain: String
  func run() throws { try control.act(.unpause(domain: domain)) }
}

/// `epicure destroy`
struct DestroyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "destroy", abstract: "Take a domain away at once, as if its power cord were pulled.",
    discussion: "What its disks have been told to write is kept; what the guest has not yet written is lost.")
  @OptionGroup var control: ControlOptions
  @Argument(help: "The domain, by name or number.")
  var domain: String
  func run() throws { try control.act(.destroy(domain: domain)) }
}

/// What `shutdown` and `reboot` share.
struct EndOptions: ParsableArguments {
  @Flag(name: [.customShort("w"), .customLong("wait")], help: "Wait until it has happened.")
  var waits = false
  @Flag(name: [.customShort("a"), .customLong("all")], help: "All domains.")
  var all = false
  @OptionGroup var control: ControlOptions
  @Argument(help: "The domain, by name or number.")
  var domain: String?

  func validate() throws {
    guard all != (domain != nil) else { throw ValidationError("Name a domain, or say -a for all of them.") }
  }

  private static let pause = 0.1

  /// `ask` presses the button of one domain.
  func run(_ ask: (String) -> ControlRequest.Command) throws {
    let client = try ControlClient(path: control.path)
    func records(_ names: [String]) throws -> [DomainRecord] {
      guard case .domains(let records) = try client.ask(.list(domains: names)) else { throw ControlOptions.misunderstanding }
      return records
    }
    func isAlive(_ record: DomainRecord) -> Bool { record.state.isDisjoint(with: [.shutdown, .crashed]) }
    let chosen = try records(domain.map { [$0] } ?? []).filter { domain != nil || $0.id != 0 && isAlive($0) }
    for record in chosen { _ = try client.ask(ask(String(record.id ?? 0))) }
    let ids = Set(chosen.compactMap(\.id))
    while waits, try records([]).contains(where: { ids.contains($0.id ?? 0) && isAlive($0) }) {
      Thread.sleep(forTimeInterval: Self.pause)
    }
    let summaries = chosen.map(\.summary)
    if control.json { try control.print(summaries) { "" } }
  }
}

/// `epicure shutdown`
struct ShutdownCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shutdown", abstract: "Press a domain's power button.",
    discussion:
      "The guest shuts itself down if its operating system heeds the button; then on_poweroff of its configuration says what happens."
  )
  @OptionGroup var options: EndOptions
  func run() throws { try options.run { .shutdown(domain: $0) } }
}

/// `epicure reboot`
struct RebootCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reboot", abstract: "Press a domain's power button, and start it again when it is off.",
    discussion: "When the guest has shut itself down, on_reboot of its configuration says what happens.")
  @OptionGroup var options: EndOptions
  func run() throws { try options.run { .reboot(domain: $0) } }
}

/// `epicure crash-report`
struct CrashReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crash-report", abstract: "Print the report of a domain's last crash: registers, backtrace, last exits, console.",
    discussion: "Functions have names if the configuration's key epicure_system_map names the kernel's System.map.")
  @OptionGroup var control: ControlOptions
  @Argument(help: "The domain, by name or number; by name also if it is gone.")
  var domain: String

  func run() throws {
    guard case .text(let text) = try control.ask(.crashReport(domain: domain)) else { throw ControlOptions.misunderstanding }
    try control.print(["report": text]) { text }
  }
}
