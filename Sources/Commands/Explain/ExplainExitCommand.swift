import ArgumentParser
import Inspection
import Management

/// `epicure explain exit`
struct ExplainExitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exit",
    abstract: "What a recorded exit was: instruction, operands, handling, changes, cost.",
    discussion: """
      epicure trace list boot.trace --filter 'exit cause=itc.d' --last 1
      epicure explain exit 48121 --trace boot.trace
      """)
  @Argument(help: ArgumentHelp("As `epicure trace list` numbers records.", valueName: "number"))
  var number: Int
  @Option(help: ArgumentHelp("What --trace or --flight-recorder wrote.", valueName: "file"))
  var trace: String
  @Option(
    help: ArgumentHelp(
      "Names functions: an ELF file, or a System.map. Without this option: what --symbols was while it was recorded, or the kernel.",
      valueName: "file"))
  var symbols: String?
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let reader = try TraceInput.reader(of: trace)
    guard let explanation = ExitExplanation(number, reader, symbols: try TraceInput.symbolTable(symbols, for: reader)) else {
      throw CommandFailure(
        CommandFailure.badInput, "\(trace) has no record \(number): `epicure trace list \(trace)` shows them with their numbers")
    }
    var output = StandardOutput()
    if json {
      try output.write(ManagementJSON.text(explanation))
    } else {
      try output.write(ExplanationText.text(explanation.lines.map { ($0.about, $0.text) }) + "\n")
    }
    try output.flush()
  }
}
