import ArgumentParser
import Inspection

/// `--trace` and what goes with it, for all commands that boot something.
struct TraceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Record every interruption, exit, hypercall, insert and purge, event, scheduling decision and request into this file; "
        + "`epicure trace` reads it.", valueName: "file"))
  var trace: String?
  @Option(
    help: ArgumentHelp(
      "Begin with the trace when a line of the console matches this regular expression.", valueName: "regex"))
  var traceFrom: String?
  @Option(
    help: ArgumentHelp(
      "Remember the last events, and write them to this file, as a trace, when the guest fails or crashes.", valueName: "file"))
  var flightRecorder: String?
  @Option(help: ArgumentHelp("How many events the flight recorder remembers.", valueName: "n"))
  var flightEvents = 4096
  @Option(
    name: .customLong("break"),
    help: ArgumentHelp(
      "Stop where this becomes true: 'exit cause=mov_to_rr and r32 > 4', 'pal number=2', 'rfi and ip=schedule'. Without a debugger the "
        + "run ends there.", valueName: "condition"))
  var breakCondition: String?

  static let mostFlightEvents = 1 << 24

  var isGiven: Bool { trace != nil || flightRecorder != nil || breakCondition != nil }

  func check() throws {
    guard traceFrom == nil || trace != nil else { throw ValidationError("--trace-from says when --trace begins.") }
    guard 1...Self.mostFlightEvents ~= flightEvents else {
      throw ValidationError("--flight-events must be from 1 to \(Self.mostFlightEvents).")
    }
    _ = try condition()
  }

  func condition() throws -> TraceExpression? {
    try breakCondition.map { text in
      do throws(TraceExpression.Failure) { return try TraceExpression(text, live: true) } catch {
        throw ValidationError("--break: \(error)")
      }
    }
  }
}
