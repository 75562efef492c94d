import ArgumentParser
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
        + "from one of them.", valueName: "name or file"))
  var pipeline = "montecito-1.6"

  /// The description to time with; nil for functional timing.
  func description() throws(CommandFailure) -> MachineDescription? {
    guard timing == .cycle else { return nil }
    do throws(MachineDescription.Failure) {
      let description = try MachineDescription.load(pipeline)
      // Clocks of the platform and what the firmware says of them go by the processor's.
      LogicalProcessor.setClock(
        frequency: UInt64(description.clockMHz * 1_000_000), cyclesPerITCTick: UInt64(description.itcDivisor))
      return description
    } catch {
      throw CommandFailure(CommandFailure.badInput, "--pipeline: \(error)")
    }
  }
}
