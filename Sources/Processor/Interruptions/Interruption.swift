/// Interruption vectors: offsets from CR.IVA (Volume 2, table 5-7 and chapter 8).
public enum Vector: UInt16, Sendable {
  case vhptTranslation = 0x0000
  case instructionTLB = 0x0400
  case dataTLB = 0x0800
  case alternateInstructionTLB = 0x0C00
  case alternateDataTLB = 0x1000
  case dataNestedTLB = 0x1400
  case instructionKeyMiss = 0x1800
  case dataKeyMiss = 0x1C00
  case dirtyBit = 0x2000
  case instructionAccessBit = 0x2400
  case dataAccessBit = 0x2800
  case breakInstruction = 0x2C00
  case externalInterrupt = 0x3000
  case virtualExternalInterrupt = 0x3400
  case pageNotPresent = 0x5000
  case keyPermission = 0x5100
  case instructionAccessRights = 0x5200
  case dataAccessRights = 0x5300
  case generalException = 0x5400
  case disabledFP = 0x5500
  case natConsumption = 0x5600
  case speculation = 0x5700
  case debug = 0x5900
  case unalignedReference = 0x5A00
  case unsupportedReference = 0x5B00
  case floatingPointFault = 0x5C00
  case floatingPointTrap = 0x5D00
  case lowerPrivilegeTransfer = 0x5E00
  case takenBranch = 0x5F00
  case singleStep = 0x6000
  case virtualization = 0x6100
}

/// Bits of CR.ISR (Volume 2, section 3.3.5.2).
public enum ISR {
  public static let x: UInt64 = 1 << 32
  public static let w: UInt64 = 1 << 33
  public static let r: UInt64 = 1 << 34
  public static let na: UInt64 = 1 << 35
  public static let sp: UInt64 = 1 << 36
  public static let rs: UInt64 = 1 << 37
  public static let ir: UInt64 = 1 << 38
  public static let ni: UInt64 = 1 << 39
  public static let eiShift: UInt64 = 41
  public static let ed: UInt64 = 1 << 43
  /// Bits of a value for `mov cr.isr` that must be zero; so must be ei = 3.
  public static let reserved: UInt64 = 0xFFFF_F000_FF00_0000
}

/// General Exception sub-codes, ISR.code{7:4} (Volume 2, section 8.3, General Exception vector).
public enum GeneralException {
  public static let illegalOperation: UInt64 = 0x00
  public static let privilegedOperation: UInt64 = 0x10
  public static let privilegedRegister: UInt64 = 0x20
  public static let reservedRegisterField: UInt64 = 0x30
  public static let disabledInstructionSetTransition: UInt64 = 0x40
  public static let illegalDependency: UInt64 = 0x80
}

/// An interruption that a semantic body has raised and that the engine will deliver.
public struct PendingInterruption: Sendable, Equatable {
  public var vector: Vector = .generalException
  /// ISR without ei, ni and ir, which delivery adds.
  public var isr: UInt64 = 0
  /// Which of the fields below delivery copies into control registers.
  public var writes: Writes = []
  public var ifa: UInt64 = 0
  public var itir: UInt64 = 0
  public var iha: UInt64 = 0
  public var iim: UInt64 = 0
  /// Virtualization faults: ``InterceptCause``, and the instruction's 41 bits.
  public var cause: UInt8 = 0
  public var opcode: UInt64 = 0
  /// A trap: IIP names the next instruction, ISR.ei the slot of this one.
  public var isTrap = false

  public struct Writes: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static let ifa = Writes(rawValue: 1)
    public static let itir = Writes(rawValue: 2)
    public static let iha = Writes(rawValue: 4)
    public static let iim = Writes(rawValue: 8)
  }
  public init() {}
}
