import ArgumentParser
import Foundation
import Pipeline
import Processor

/// `--timing` and what goes with it, for all commands that run something.
struct TimingOptions: ParsableArguments {
  enum Model: String, ExpressibleByArgument, CaseIterable { case functional, cycle }

  @Option(
    help: ArgumentHelp(
      "functional: each slot takes one cycle. cycle: as many as the pipeline of an Itanium 2 would take.", valueName: "model"))
  var timing = Model.functional
  @Option(
    help: ArgumentHelp(
      "The processor that --timing cycle models: montecito-1.6, madison-1.5, mckinley-1.0, or a YAML file that says what differs "
        + "from one of them. Without this option: montecito-1.6.", valueName: "name or file"))
  var pipeline: String?
  @Flag(help: "With --timing cycle: print at the end, on standard error, what the cycles were spent on, and where.")
  var cycleReport = false
  @Option(
    help: ArgumentHelp(
      "For reports and conditions: names for addresses, an ELF file or a kernel's System.map, possibly compressed with gzip; without this "
        + "option those of the program or kernel.", valueName: "file"))
  var symbols: String?
  @Option(
    help: ArgumentHelp(
      "Write what each instruction cost, and what it waited for, for `epicure profile`. `boot` without --timing cycle: samples.",
      valueName: "file"))
  var profile: String?
  @Option(
    help: ArgumentHelp(
      "With --timing cycle: an event of the performance monitor that the profile counts by instruction, too: L2D_MISSES, BE_L1D_FPU_BUBBLE.ALL.",
      valueName: "name"))
  var profileEvent: String?
  @Option(help: ArgumentHelp("Without --timing cycle: cycles between two samples of the profile.", valueName: "n"))
  var profileInterval: UInt64?
  @Option(
    help: ArgumentHelp(
      "With --timing cycle: write the way of each instruction through the pipeline, for the Konata viewer.", valueName: "file"))
  var pipelineTrace: String?
  @Option(help: ArgumentHelp("Begin the pipeline trace at this cycle.", valueName: "cycle"))
  var pipelineTraceFrom: UInt64 = 0
  @Option(
    help: ArgumentHelp("Trace so many cycles. Without this option: \(Self.defaultGroups) issue groups.", valueName: "n"))
  var pipelineTraceCycles: UInt64?
  @Option(help: ArgumentHelp("The processor to trace, from 0.", valueName: "n"))
  var pipelineTraceProcessor = 0

  /// About three syllables each, and a quarter of a kilobyte for each of them.
  static let defaultGroups: UInt64 = 1_000_000

  /// The description to time with; nil for functional timing.
  func description() throws(CommandFailure) -> MachineDescription? {
    guard timing == .cycle else { return nil }
    do throws(MachineDescription.Failure) {
      let description = try MachineDescription.load(pipeline ?? "montecito-1.6")
      description.setClock()
      return description
    } catch {
      throw CommandFailure(CommandFailure.badInput, "--pipeline: \(error)")
    }
  }

  /// Options that say nothing without cycle timing, or without a trace.
  /// `usesSymbols`: something else has a use for ``symbols``. `samples`: the command can take samples.
  func check(processors: Int = 1, usesSymbols: Bool = false, samples: Bool = false) throws(CommandFailure) {
    func refuse(_ message: String) -> CommandFailure { CommandFailure(CommandFailure.badInput, message) }
    if timing != .cycle {
      for (given, option) in [
        (pipeline != nil, "--pipeline"), (cycleReport, "--cycle-report"),
        (symbols != nil && !usesSymbols && profile == nil, "--symbols"), (pipelineTrace != nil, "--pipeline-trace"),
        (profileEvent != nil, "--profile-event"), (profile != nil && !samples, "--profile"),
      ] where given { throw refuse("\(option) needs --timing cycle") }
    }
    if profile == nil {
      for (given, option) in [(profileEvent != nil, "--profile-event"), (profileInterval != nil, "--profile-interval")] where given
      {
        throw refuse("\(option) needs --profile")
      }
    }
    if profileInterval != nil && timing == .cycle { throw refuse("--profile-interval is for runs without --timing cycle") }
    guard profileInterval ?? Self.defaultInterval > 0 else { throw refuse("--profile-interval must be positive") }
    _ = try profiledEvent()
    if pipelineTrace == nil {
      for (given, option) in [
        (pipelineTraceFrom != 0, "--pipeline-trace-from"), (pipelineTraceCycles != nil, "--pipeline-trace-cycles"),
        (pipelineTraceProcessor != 0, "--pipeline-trace-processor"),
      ] where given { throw refuse("\(option) needs --pipeline-trace") }
    }
    if pipelineTraceCycles == 0 { throw refuse("--pipeline-trace-cycles must be positive") }
    guard 0..<processors ~= pipelineTraceProcessor else {
      throw refuse("--pipeline-trace-processor must be less than the number of processors, \(processors)")
    }
  }

  /// A sample each 6 µs of guest time at 1.6 GHz; no divisor of a timer's tick.
  static let defaultInterval: UInt64 = 10_007

  func profiledEvent() throws(CommandFailure) -> MonitoredEvent? {
    guard let name = profileEvent else { return nil }
    if let event = MonitoredEvent.all.first(where: { $0.name.caseInsensitiveCompare(name) == .orderedSame }) { return event }
    let stem = name.prefix { $0 != "." }.uppercased()
    let similar = MonitoredEvent.all.map(\.name).filter { $0.hasPrefix(stem) || $0.contains(stem) }.prefix(8)
    throw CommandFailure(
      CommandFailure.badInput,
      "--profile-event: there is no event \(name)"
        + (similar.isEmpty ? "; Documentation/PMU.md has their names" : "; did you mean \(similar.joined(separator: ", "))?"))
  }

  /// What the trace covers.
  var extent: PipelineTrace.Extent {
    var extent = PipelineTrace.Extent()
    extent.from = pipelineTraceFrom
    if let pipelineTraceCycles { extent.cycles = pipelineTraceCycles } else { extent.groups = Self.defaultGroups }
    return extent
  }
}

extension MachineDescription {
  /// Clocks of the platform and what the firmware says of them go by the processor's from now on.
  func setClock() {
    LogicalProcessor.setClock(frequency: UInt64(clockMHz * 1_000_000), cyclesPerITCTick: UInt64(itcDivisor))
  }
}
