/// Where a processor is, and how far it has come: the same place twice is the same moment.
public struct ExecutionPlace: Hashable, Sendable, Codable {
  public var ip: UInt64
  public var slot: UInt64
  /// Slots retired.
  public var instructions: UInt64
  /// Interruptions delivered.
  public var interruptions: UInt64

  /// Only grows.
  public var progress: UInt64 { instructions &+ interruptions }
}

extension LogicalProcessor {
  /// Between instructions only.
  public var executionPlace: ExecutionPlace {
    ExecutionPlace(
      ip: state.pointee.ip, slot: PSR.ri(state.pointee.psr), instructions: state.pointee.instructions,
      interruptions: engine.pointee.interruptions)
  }
}
