import ArgumentParser
import Inspection
import Loading

/// The file that `epicure trace …` reads, and the functions in it.
struct TraceInput: ParsableArguments {
  @Argument(help: ArgumentHelp("What --trace or --flight-recorder wrote.", valueName: "trace"))
  var file: String
  @Option(
    help: ArgumentHelp(
      "Names functions: an ELF file, or a System.map. Without this option: what --symbols was while it was recorded, or the kernel.",
      valueName: "file"))
  var symbols: String?

  private static let limit: UInt64 = 1 << 34

  func reader() throws -> TraceReader { try Self.reader(of: file) }

  static func reader(of file: String) throws -> TraceReader {
    let bytes = try HostFile.read(file, limit: limit)
    do throws(TraceFailure) {
      let reader = try TraceReader(bytes)
      if !reader.isComplete {
        StandardError.write(
          "epicure: \(file) ends early, as the file of a run that goes on or was killed: the whole blocks are read")
      }
      return reader
    } catch {
      throw CommandFailure(CommandFailure.badInput, "\(file): \(error)")
    }
  }

  /// What was asked for must be there; what the trace names may have gone.
  func symbolTable(for reader: TraceReader) throws -> SymbolTable? { try Self.symbolTable(symbols, for: reader) }

  static func symbolTable(_ symbols: String?, for reader: TraceReader) throws -> SymbolTable? {
    if let symbols { return try SymbolTable(path: symbols) }
    return (reader.description.symbols ?? reader.description.kernel).flatMap { try? SymbolTable(path: $0) }
  }
}

/// `--filter`, for what lists records.
struct TraceFilter: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Only records that meet this condition: 'exit cause=rfi', 'ip=do_fork and cost > 1000', 'device at=uart', 'not interruption'.",
      valueName: "condition"))
  var filter: String?

  func validate() throws { _ = try expression() }

  private func expression() throws -> TraceExpression? {
    try filter.map { text in
      do throws(TraceExpression.Failure) { return try TraceExpression(text, live: false) } catch {
        throw ValidationError("--filter: \(error)")
      }
    }
  }

  /// Whether a record is wanted.
  func predicate(_ reader: TraceReader, _ symbols: SymbolTable?) throws -> (TraceRecord) -> Bool {
    guard let expression = try expression() else { return { _ in true } }
    let context = TraceExpression.Context(
      function: { symbols?.symbol(of: $0)?.name }, place: { reader.place(of: $0) },
      domainName: { reader.domains[UInt64($0)] })
    return { expression.matches($0, context) }
  }
}
