import ArgumentParser
import CycleBenchmarks

/// `epicure bench cycles`: microbenchmarks of the cycle timing beside published figures.
struct CyclesBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cycles",
    abstract: "Compare the cycle timing with published figures of Itanium 2.",
    discussion: """
      Runs small assembly programs: latencies, ports, pairs of templates, branches, system registers, caches, whole loops. The table \
      has the model's figure, what is published, where, and the difference.

      Exit status 1 if a program fails, or if a figure is more than 5 % (loops of the family `kernel`: 10 %) away from the published \
      one without a reason that the benchmark states.
      """)

  @Option(
    name: [.customLong("pipeline"), .customLong("machine")],
    help: ArgumentHelp("The processor: montecito-1.6, madison-1.5, mckinley-1.0, or a YAML file.", valueName: "name or file"))
  var pipeline = "montecito-1.6"

  @Option(help: ArgumentHelp("Only benchmarks whose name begins so, such as `pairs/` (repeatable).", valueName: "prefix"))
  var only: [String] = []

  @Flag(help: "Print the names, and run nothing.")
  var list = false

  @Option(help: ArgumentHelp("Print the last issue groups of each run to standard error.", valueName: "n"))
  var trace = 0

  @Option(help: ArgumentHelp("Write the table as JSON.", valueName: "file"), completion: .file())
  var json: String?

  @Option(help: ArgumentHelp("Write the table as Markdown.", valueName: "file"), completion: .file())
  var markdown: String?

  func validate() throws {
    if trace < 0 { throw ValidationError("--trace is a number of issue groups.") }
  }

  func run() throws {
    let all = Catalogue.benchmarks(for: Core(machine: pipeline))
    let chosen = only.isEmpty ? all : all.filter { benchmark in only.contains { benchmark.name.hasPrefix($0) } }
    guard !chosen.isEmpty else {
      throw CommandFailure(CommandFailure.badInput, "no benchmark begins with \(only.joined(separator: ", "))")
    }
    var output = StandardOutput()
    if list {
      for benchmark in chosen { try output.write(benchmark.name + "\n") }
      try output.flush()
      return
    }
    let runner = BenchmarkRunner(
      attach: try TimingAttachment.attachment(machine: pipeline, trace: trace) { StandardError.write($0) })
    let report = Report(
      machine: pipeline,
      chosen.map { benchmark in
        if trace > 0 { StandardError.write(benchmark.name) }
        return runner.measure(benchmark)
      })
    try output.write(report.text)
    try output.flush()
    if let json { try StatisticsFile.write(report, to: json) }
    if let markdown { try TextFile.write(report.markdown, to: markdown) }
    if !report.isClean { throw ExitCode(CommandFailure.guestFailed) }
  }
}
