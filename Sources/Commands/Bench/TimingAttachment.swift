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
    pipeline.groupObserver = { [unowned self] group in
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
      // Benchmarks fetch from physical addresses.
      let first = group.address & ~0xF
      let text = (group.slot..<group.slot + group.slots).compactMap { position -> String? in
        let address = first + UInt64(position / 3) * 16
        guard let low = processor.memory.load(address, as: UInt64.self),
          let high = processor.memory.load(address + 8, as: UInt64.self)
        else {
          return nil
        }
        return disassembler.text(of: position % 3, in: Bundle(low: low, high: high), at: address)
      }
      print(
        "  cycle \(group.issued), waited \(group.issued - group.earliest), \(String(first, radix: 16)).\(group.slot): \(text.joined(separator: "; "))"
      )
    }
    print("")
  }
}
