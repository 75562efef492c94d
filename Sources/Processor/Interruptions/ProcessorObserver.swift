/// Told of what happens inside a processor that its owner does not see otherwise. It looks, and changes nothing; calls come in the middle of
/// an instruction. What a hypervisor does to the machine's own state on behalf of a guest is not told, what the guest's own code does is.
public protocol ProcessorObserver: AnyObject {
  /// An interruption has been delivered: the processor is at its vector, and the control registers say what was interrupted. `slot`: of the
  /// instruction that caused it.
  func interrupted(_ processor: LogicalProcessor, _ vector: Vector, slot: UInt64)
  /// rfi has been executed: the processor goes on where it was interrupted.
  func returned(_ processor: LogicalProcessor)
  /// `itc` or, into the register of that number, `itr`.
  func inserted(_ processor: LogicalProcessor, _ translation: Translation, address: UInt64, register: Int?, instruction: Bool)
  func purged(_ processor: LogicalProcessor, _ purge: TranslationPurge)
  /// The code of the firmware has called out of the machine through gate `number`; called before that is done, and after it.
  func callsFirmware(_ processor: LogicalProcessor, _ number: UInt64)
  func calledFirmware(_ processor: LogicalProcessor, _ number: UInt64)
}

/// What one of the purge instructions has asked for.
public struct TranslationPurge: Sendable, Equatable {
  public enum Kind: UInt8, Sendable, CaseIterable {
    /// ptc.l, ptc.g, ptc.ga, ptc.e, ptr.d, ptr.i
    case local, global, globalALAT, everything, dataRegisters, instructionRegisters
    /// The instruction.
    public var mnemonic: String {
      switch self {
      case .local: "ptc.l"
      case .global: "ptc.g"
      case .globalALAT: "ptc.ga"
      case .everything: "ptc.e"
      case .dataRegisters: "ptr.d"
      case .instructionRegisters: "ptr.i"
      }
    }
  }
  public var kind: Kind
  /// First and last byte, region bits included; both 0 for ``Kind/everything``.
  public var start: UInt64 = 0
  public var last: UInt64 = 0
  public var rid: UInt32 = 0
}
