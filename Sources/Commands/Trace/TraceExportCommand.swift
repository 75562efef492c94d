import ArgumentParser
import FoundationEssentials
import Inspection

/// `epicure trace export`
struct TraceExportCommand: ParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable { case perfetto, ctf, csv, folded }

  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Turn a trace into another tool's format.",
    discussion: """
      perfetto  for https://ui.perfetto.dev and trace_processor
      ctf       a directory of the Common Trace Format 1.8, for babeltrace2 and Trace Compass
      csv       for spreadsheets and scripts
      folded    functions and causes by cycles, for flamegraph.pl, inferno, speedscope

      epicure trace export boot.trace --format folded | flamegraph.pl > exits.svg
      """)
  @OptionGroup var input: TraceInput
  @OptionGroup var filter: TraceFilter
  @Option(help: ArgumentHelp("perfetto, ctf, csv, folded.", valueName: "format")) var format: Format
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The file, for ctf the directory. Without this option: standard output; ctf needs one.", valueName: "path"))
  var output: String?
  @Option(help: "What a frame of folded stacks is as wide as: cycles, count.") var weight = FoldedStacks.Weight.cycles

  func validate() throws {
    if format == .ctf && output == nil { throw ValidationError("--format ctf writes a directory: name it with --output.") }
  }

  func run() throws {
    let reader = try input.reader()
    let symbols = try input.symbolTable(for: reader)
    let isWanted = try filter.predicate(reader, symbols)
    switch format {
    case .perfetto:
      try withOutput { sink in
        var export = PerfettoExport(reader, symbols, sink: sink)
        reader.forEach { if isWanted($0) { export.add($0) } }
        export.finish()
      }
    case .csv:
      try withOutput { sink in
        sink(Array((TraceRecordText.columns + "\r\n").utf8))
        var number = 0
        reader.forEach { record in
          if isWanted(record) {
            sink(Array((TraceRecordText(number, record, symbols, place: reader.place(of: record)).csv + "\r\n").utf8))
          }
          number += 1
        }
      }
    case .folded:
      var stacks = FoldedStacks(reader, symbols, weight: weight)
      reader.forEach { if isWanted($0) { stacks.add($0) } }
      try withOutput { sink in for line in stacks.lines { sink(Array((line + "\n").utf8)) } }
    case .ctf: try exportCTF(reader, isWanted)
    }
  }

  private func exportCTF(_ reader: TraceReader, _ isWanted: (TraceRecord) -> Bool) throws {
    let directory = output ?? ""
    do {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    } catch {
      throw CommandFailure(CommandFailure.badInput, "cannot make the directory \(directory): \(error.localizedDescription)")
    }
    var files: [TraceFile] = []
    var export = try CTFExport(reader) { name in
      let file = try TraceFile(path: directory + "/" + name)
      files.append(file)
      return { _ = file.append($0) }
    }
    try reader.forEach { if isWanted($0) { try export.add($0) } }
    export.finish()
    for file in files { try close(file) }
  }

  private func withOutput(_ body: (@escaping ([UInt8]) -> Void) -> Void) throws {
    let file = try TraceFile(path: output)
    body { _ = file.append($0) }
    try close(file)
  }

  private func close(_ file: TraceFile) throws {
    guard file.flush() else { throw CommandFailure(CommandFailure.badInput, "cannot write \(file.path): \(file.problem ?? "")") }
  }
}

extension FoldedStacks.Weight: ExpressibleByArgument {}
