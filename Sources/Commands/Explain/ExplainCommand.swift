import ArgumentParser

/// `epicure explain`: one thing, step by step.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Say in words what happened, or where an address leads.",
    subcommands: [ExplainAddressCommand.self, ExplainExitCommand.self])
}
