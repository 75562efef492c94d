import Processor

/// Runs benchmarks on processors that it makes, one for each run, so that no run sees what another left in caches or predictors.
public struct BenchmarkRunner {
  /// Puts a timing model on a new processor; the model lives as long as the processor runs. Without a model the cycles are those of
  /// functional timing, and figures mean nothing.
  public typealias Attach = (LogicalProcessor) throws -> (any AttachedModel)?

  private let attach: Attach

  public init(attach: @escaping Attach) { self.attach = attach }

  /// The figure of one benchmark, or why there is none.
  public func measure(_ benchmark: Benchmark) -> Measurement {
    let method = benchmark.method
    do {
      let measured = try cyclesPerPass(method.measured, method.passes)
      let reference = try method.reference.map { try cyclesPerPass($0, method.passes) } ?? Ratio(0)
      return Measurement(benchmark, figure: method.figure(measured: measured, reference: reference))
    } catch {
      return Measurement(benchmark, failure: "\(error)")
    }
  }

  /// What one pass costs once everything is warm.
  func cyclesPerPass(_ code: Code, _ passes: (few: Int, many: Int)) throws -> Ratio {
    let few = try cycles(code, passes: passes.few)
    let many = try cycles(code, passes: passes.many)
    return Ratio(Int(many) - Int(few), over: passes.many - passes.few)
  }

  private func cycles(_ code: Code, passes: Int) throws -> UInt64 {
    let machine = try BenchmarkMachine(code, passes: passes)
    let model = try attach(machine.processor)
    let cycles = try machine.run()
    model?.runEnded(machine.processor)
    return cycles
  }
}

/// A timing model on a processor.
public protocol AttachedModel: AnyObject {
  /// The program is at its end.
  func runEnded(_ processor: LogicalProcessor)
}
