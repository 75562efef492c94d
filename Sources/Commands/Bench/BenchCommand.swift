import ArgumentParser

/// `epicure bench`: measurements of the machine itself.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure the modelled machine.",
    subcommands: [CyclesBenchCommand.self, TrapsBenchCommand.self, IOBenchCommand.self])
}
