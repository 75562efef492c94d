import Platform
import Processor

/// What a recording says of its machine.
final class JournaledMachine {
  weak var machine: Machine?

  /// Before there is a machine no time passes.
  var now: UInt64 { machine?.now ?? 0 }
  var instructions: UInt64 { machine?.instructions ?? 0 }

  /// Of all processors. Between turns only.
  var hash: UInt64 { machine.map { MachineHash.state(of: $0) } ?? 0 }
}

/// What two runs that are alike have in common.
public enum MachineHash {
  /// Of the registers of all processors. Between turns only.
  public static func state(of machine: Machine) -> UInt64 {
    var hash = StateHash()
    for processor in machine.processors { processor.mixState(into: &hash) }
    return hash.value
  }

  /// As people compare them.
  public static func text(_ hash: UInt64) -> String {
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
