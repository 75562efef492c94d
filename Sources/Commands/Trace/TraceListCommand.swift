import ArgumentParser
import Inspection
import Management

/// `epicure trace list`
struct TraceListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "The records, one a line.",
    discussion: """
      Records are in the order in which they ended, each with its number in the file: `epicure explain exit NUMBER --trace FILE` tells more \
      about one.
      """)
  @OptionGroup var input: TraceInput
  @OptionGroup var filter: TraceFilter
  @Option(help: ArgumentHelp("Only the first ones.", valueName: "n")) var first: Int?
  @Option(help: ArgumentHelp("Only the last ones.", valueName: "n")) var last: Int?
  @Flag(help: "Print a JSON object for each record.") var json = false

  func validate() throws {
    guard first == nil || last == nil else { throw ValidationError("--first and --last exclude each other.") }
    guard first ?? 0 >= 0, last ?? 0 >= 0 else { throw ValidationError("--first and --last count records.") }
  }

  func run() throws {
    let reader = try input.reader()
    let symbols = try input.symbolTable(for: reader)
    let isWanted = try filter.predicate(reader, symbols)
    let text = TraceText(symbols: symbols, place: { reader.place(of: $0) })
    var output = StandardOutput()
    if !json { try output.write("number    " + TraceText.header + "\n") }
    func write(_ number: Int, _ record: TraceRecord) throws {
      if json {
        try output.write(ManagementJSON.line(TraceRecordText(number, record, symbols, place: reader.place(of: record))))
      } else {
        try output.write(ReportText.padded("\(number)", 10) + text.line(record) + "\n")
      }
    }
    var number = 0
    var written = 0
    var remembered: [(Int, TraceRecord)] = []
    try reader.forEach { record in
      defer { number += 1 }
      guard isWanted(record), written < first ?? .max else { return }
      if let last {
        remembered.append((number, record))
        // Dropped in bulk: the front of an array is expensive.
        if remembered.count >= 2 * last + 1024 { remembered.removeFirst(remembered.count - last) }
      } else {
        try write(number, record)
        written += 1
      }
    }
    for (number, record) in remembered.suffix(last ?? 0) { try write(number, record) }
    try output.flush()
  }
}
