import Glibc
import HostResources
import Inspection
import Loading
import Pipeline

/// What the user wants to know of cycles: statistics, a report, a trace.
final class CycleObservation {
  private let options: TimingOptions
  private let file: TraceFile?
  private let symbols: SymbolTable?
  private var pipelines: [Pipeline] = []
  private var trace: PipelineTrace?
  /// A guest's `fork` is one of this process; its children report nothing.
  private let owner = getpid()

  private let profiles: Bool
  private let program: String?
  private let event: MonitoredEvent?

  /// Reads and opens all files; nil without cycle timing. `program`: an ELF file that may have symbols. `hasStatistics`: a report will
  /// be asked for.
  init?(_ options: TimingOptions, program: String?, hasStatistics: Bool) throws {
    guard options.timing == .cycle else { return nil }
    self.options = options
    profiles = hasStatistics || options.cycleReport || options.profile != nil
    self.program = program
    event = try options.profiledEvent()
    if let path = options.symbols {
      symbols = try SymbolTable(path: path)
    } else if !profiles && options.pipelineTrace == nil {
      symbols = nil
    } else {
      // What cannot be read here, or has no symbols, is somebody else's business.
      symbols = program.flatMap { try? SymbolTable(path: $0) }
    }
    file = try options.pipelineTrace.map { (path) throws(CommandFailure) in try TraceFile(path: path) }
  }

  /// Looks at these processors from now on.
  func begin(_ pipelines: [Pipeline]) {
    self.pipelines = pipelines
    for pipeline in pipelines {
      pipeline.profiledEvent = event
      pipeline.profiles = profiles
    }
    guard let file, options.pipelineTraceProcessor < pipelines.count else { return }
    let symbols = self.symbols
    let trace = PipelineTrace(
      options.extent, processor: options.pipelineTraceProcessor, symbol: { symbols?.name(of: $0) }, sink: { file.append($0) })
    trace.watch(pipelines[options.pipelineTraceProcessor])
    self.trace = trace
  }

  /// The report of some of the processors.
  func report(_ pipelines: [Pipeline]) -> CycleReport {
    let symbols = self.symbols
    return CycleReport(pipelines) { symbols?.symbol(of: $0) }
  }

  /// The run is over: the trace's rest, and the report.
  func finish() throws(CommandFailure) {
    guard getpid() == owner else { return }
    if let path = options.profile {
      try StatisticsFile.write(ProfileDocument(pipelines, kernel: program, symbols: options.symbols), to: path)
    }
    trace?.finish()
    file?.finish("pipeline trace")
    if options.cycleReport { StandardError.write(CycleTable(report(pipelines)).text) }
  }
}
