import ArgumentParser

/// `epicure`: the front door. Each subcommand has a file of its own.
public struct EpicureCommand: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "epicure",
    abstract: "An Itanium (IA-64) server in software.",
    version: "0.1.0",
    subcommands: [RunCommand.self])

  public init() {}
}
