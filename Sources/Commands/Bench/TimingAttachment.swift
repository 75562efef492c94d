import CycleBenchmarks
import IA64
import Pipeline
import Processor

/// The one place where the benchmarks meet the timing model.
final class TimingAttachment: AttachedModel {
  private let pipeline: Pipeline
  /// How many groups to print, and the last ones so far.
  private let traced: Int
  private var groups: [TracedGroup] = []
  private let print: (String) -> Void

  private init(_ pipeline: Pipeline, trace: Int, print: @escaping (String) -> Void) {
    self.pipeline = pipeline
    traced = trace
    self.print = print
    guard trace > 0 else { return }
    pipeline.observeGroups { [unowned self] group in
      if groups.count == 2 * traced { groups.removeFirst(traced) }
      groups.append(group)
    }
  }

  /// What puts the cycle timing of `machine`, a name or a file, on a processor. At the end of each run the last `trace` issue groups are
  /// printed.
  static func attachment(machine: String, trace: Int, print: @escaping (String) -> Void) throws -> BenchmarkRunner.Attach {
    let description: MachineDescription
    do {
      description = try MachineDescription.load(machine)
    } catch {
      throw CommandFailure(CommandFailure.badInput, "\(error)")
    }
    return { TimingAttachment(Pipeline(description, watching: $0), trace: trace, print: print) }
  }

  func runEnded(_ processor: LogicalProcessor) {
    guard traced > 0 else { return }
    let disassembler = Disassembler()
    for group in groups.suffix(traced) {
      let first = group.first
      let text = group.syllables.compactMap { disassembler.text(of: $0.slot, in: $0.bundle, at: $0.address) }
      print(
        "  cycle \(group.issued), waited \(group.waits.total), \(String(first.address, radix: 16)).\(first.slot): \(text.joined(separator: "; "))"
      )
    }
    print("")
  }
}
