import ArgumentParser

/// `epicure bench`: measurements of the machine itself.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure the engine and the modelled machine.",
    subcommands: [CPUBenchCommand.self, CyclesBenchCommand.self, TrapsBenchCommand.self, IOBenchCommand.self])
}
