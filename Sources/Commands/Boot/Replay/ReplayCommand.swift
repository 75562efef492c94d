import ArgumentParser

/// `epicure replay`: `epicure boot --replay` by a shorter name.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Repeat a run that was recorded, to the cycle.",
    discussion: """
      The options of epicure boot that look at a run go with it, those that end it, and --kernel, --initrd and --disk for files that have \
      moved. The console's output is the run's; its input is what was recorded.
      """)

  @Argument(help: "What --record or --crash-bundle has written.", completion: .file())
  var file: String
  @Argument(parsing: .allUnrecognized, help: "Options of epicure boot.")
  var options: [String] = []

  func run() throws { try Replay(path: file).run(own: options) }
}
