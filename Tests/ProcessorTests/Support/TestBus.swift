import Processor

/// What is not RAM: a few device registers, a log of the accesses, and the firmware's side of gates.
final class TestBus: ProcessorBus {
  struct Access: Equatable {
    var address: UInt64
    var size: Int
    /// Nil: a read.
    var value: UInt64?
  }

  /// Values that reads return, by address; all ones elsewhere. Writes replace them.
  var registers: [UInt64: UInt64] = [:]
  private(set) var log: [Access] = []
  /// Runs for an access before it is answered.
  var onAccess: ((Access) -> Void)?
  var onGate: ((UInt64, LogicalProcessor) -> GateOutcome)?

  func read(physical: UInt64, size: Int) -> UInt64 {
    let access = Access(address: physical, size: size, value: nil)
    log.append(access)
    onAccess?(access)
    return registers[physical] ?? UInt64.max
  }

  func write(physical: UInt64, size: Int, value: UInt64) {
    let access = Access(address: physical, size: size, value: value)
    log.append(access)
    onAccess?(access)
    registers[physical] = value
  }

  func firmwareGate(_ number: UInt64, processor: LogicalProcessor) -> GateOutcome { onGate?(number, processor) ?? .proceed }
}
