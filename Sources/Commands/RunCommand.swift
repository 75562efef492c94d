import ArgumentParser
import FoundationEssentials
import Glibc
import LinuxUser
import Logging
import Pipeline
import Processor

/// `epicure run`: a static Linux/ia64 program on a bare processor; the host serves its system calls.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a static Linux/ia64 program; the host serves its system calls.",
    discussion: """
      The program's exit status is passed through. A program that a signal ends gives 128 plus the signal's number; \
      a program that cannot be started gives 2.
      """)

  @Option(help: ArgumentHelp("Write statistics of the run as JSON.", valueName: "file"))
  var stats: String?
  @Option(help: ArgumentHelp("Stop with status 3 after so many instructions (slots, nops included).", valueName: "n"))
  var limitInstructions: UInt64?
  @Flag(
    help:
      "Check the engine: run the program twice side by side, by blocks and by single instructions, and compare. With --timing cycle the first of the two is timed."
  )
  var lockstep = false

  @OptionGroup var engine: EngineOptions
  @OptionGroup var timing: TimingOptions

  @Argument(help: "The program: a static ELF executable for IA-64.", completion: .file())
  var program: String

  @Argument(parsing: .captureForPassthrough, help: "The program's own arguments.")
  var arguments: [String] = []

  func validate() throws { try engine.check(isLockstep: lockstep) }

  func run() throws {
    try timing.check()
    let description = try timing.description()
    engine.begin()
    let process = try makeProcess()
    engine.apply(to: [process.processor])
    let pipeline = description.map { Pipeline($0, watching: process.processor) }
    let observation = try CycleObservation(timing, program: program, hasStatistics: stats != nil)
    observation?.begin(pipeline.map { [$0] } ?? [])
    // The processor does not own its model.
    defer { withExtendedLifetime(pipeline) {} }
    let owner = getpid()
    let limit = limitInstructions ?? .max
    let termination: Termination
    if lockstep {
      switch process.run(inLockstepWith: try makeProcess(), limit: limit) {
      case .success(let end): termination = end
      case .failure(let difference):
        Self.report("\(program): \(difference)")
        throw ExitCode(CommandFailure.guestFailed)
      }
    } else {
      termination = process.run(limit: limit)
    }
    // A guest's children are forks of this process, and have nothing to report.
    if getpid() == owner {
      try observation?.finish()
      try engine.finish([process.processor])
      if let stats {
        let report = pipeline.flatMap { observation?.report([$0]) }
        try RunStatistics(process.processor, report).write(to: stats)
      }
    }
    switch termination {
    case .limitReached: throw CommandFailure(CommandFailure.limitReached, "the limit of instructions is reached")
    case .exited(let status): throw ExitCode(status)
    case .killed(let signal, let explanation):
      Self.report("\(program): \(explanation)")
      throw ExitCode(128 + signal)
    }
  }

  private func makeProcess() throws -> UserProcess {
    do {
      return try UserProcess(
        path: program, arguments: arguments, environment: ProcessInfo.processInfo.environment.map { "\($0)=\($1)" }.sorted(),
        logger: Logger(label: "epicure.run"))
    } catch {
      Self.report("\(error)")
      throw ExitCode(CommandFailure.badInput)
    }
  }

  /// The program shares the descriptor and may have closed it: then nobody can be told, and nothing else may happen.
  private static func report(_ message: String) {
    let line = Array("epicure: \(message)\n".utf8)
    var sent = 0
    while sent < line.count {
      let n = line.withUnsafeBytes { $0.baseAddress.map { write(STDERR_FILENO, $0 + sent, line.count - sent) } ?? -1 }
      if n < 0 && errno == EINTR { continue }
      if n <= 0 { return }
      sent += n
    }
  }
}

/// What `--stats` writes.
struct RunStatistics: Encodable {
  /// Slots retired by this process, nops included; not by its children.
  var instructions: UInt64
  var bundles: UInt64
  var cycles: UInt64
  /// With --timing cycle.
  var pipeline: CycleReport?

  init(_ processor: LogicalProcessor, _ pipeline: CycleReport?) {
    self.pipeline = pipeline
    instructions = processor.state.pointee.instructions
    bundles = instructions / 3
    cycles = processor.state.cycles
  }

  func write(to path: String) throws(CommandFailure) { try StatisticsFile.write(self, to: path) }
}
