import CycleBenchmarks
import Pipeline

/// The one place where the benchmarks meet the timing model.
enum TimingAttachment {
  /// What puts the cycle timing of `machine`, a name or a file, on a processor.
  static func attachment(machine: String) throws -> BenchmarkRunner.Attach {
    let description: MachineDescription
    do {
      description = try MachineDescription.load(machine)
    } catch {
      throw CommandFailure(CommandFailure.badInput, "\(error)")
    }
    return { Pipeline(description, watching: $0) }
  }
}
