/// The VPD: what the processor and its virtual machine monitor share about one virtual processor (Volume 2, table 11-16).
///
/// It is ordinary memory, 64 KiB, in the byte order of the processor's own data. The processor works on it directly and keeps no copy of
/// its own, so the synchronization services have nothing to do.
public struct VirtualProcessorDescriptor {
  /// Bytes, and what its address must be a multiple of.
  public static let size: UInt64 = 64 << 10
  public static let alignment: UInt64 = 32 << 10

  let words: UnsafeMutablePointer<UInt64>
  /// `memory`: ``size`` bytes.
  public init(_ memory: UnsafeMutableRawPointer) { words = memory.assumingMemoryBound(to: UInt64.self) }

  /// Byte offsets.
  public enum Field {
    public static let accelerations = 0x000
    public static let disables = 0x008
    public static let environment = 0x010
    public static let highestPendingInterrupt = 0x100
    /// GR16...GR31 of bank 1 and of bank 0: whichever is not visible.
    public static let bank1 = 0x400
    public static let bank0 = 0x480
    /// Their NaT bits: of bank 1 in bits 15:0, of bank 0 in bits 31:16. That is how Xen and KVM, which came from the processor's makers,
    /// save and load them; the manual's own words were not at hand.
    public static let bank1NaT = 0x500
    public static let bank0NaT = 0x508
    public static let cpuid = 0x510
    public static let psr = 0x590
    public static let predicates = 0x598
    public static let frameIncomplete = 0x5A0
    public static let controlRegisters = 0x800
    public static let regionRegisters = 0xC00
    /// The upper half is PAL's.
    public static let palArea = 0x8000
  }

  /// NaT bits of GR16...GR31 of a bank, in bits 15:0.
  public func savedNaTs(bank1: Bool) -> UInt64 {
    bank1 ? self[Field.bank1NaT] & 0xFFFF : self[Field.bank0NaT] >> 16 & 0xFFFF
  }
  public func setSavedNaTs(bank1: Bool, _ bits: UInt64) {
    if bank1 {
      self[Field.bank1NaT] = self[Field.bank1NaT] & ~0xFFFF | bits
    } else {
      self[Field.bank0NaT] = self[Field.bank0NaT] & ~0xFFFF_0000 | bits << 16
    }
  }

  /// The word at a byte offset.
  public subscript(offset: Int) -> UInt64 {
    get { words[offset >> 3] }
    nonmutating set { words[offset >> 3] = newValue }
  }
  public func pointer(_ offset: Int) -> UnsafeMutablePointer<UInt64> { words + (offset >> 3) }

  // Each field by its name in the manual.
  public var vac: Accelerations {
    get { Accelerations(rawValue: self[Field.accelerations]) }
    nonmutating set { self[Field.accelerations] = newValue.rawValue }
  }
  public var vdc: Disables {
    get { Disables(rawValue: self[Field.disables]) }
    nonmutating set { self[Field.disables] = newValue.rawValue }
  }
  /// Highest pending interrupt of the guest: 0 none, 1...15 the class of its vector, 16 ExtINT, 32 NMI.
  public var vhpi: UInt64 {
    get { self[Field.highestPendingInterrupt] }
    nonmutating set { self[Field.highestPendingInterrupt] = newValue }
  }
  public var vpsr: UInt64 {
    get { self[Field.psr] }
    nonmutating set { self[Field.psr] = newValue }
  }
  public var vcr: UnsafeMutablePointer<UInt64> { pointer(Field.controlRegisters) }
  public var vrr: UnsafeMutablePointer<UInt64> { pointer(Field.regionRegisters) }
  public var vcpuid: UnsafeMutablePointer<UInt64> { pointer(Field.cpuid) }

  /// Virtualization acceleration control: instructions that work on the VPD instead of being intercepted (Volume 2, table 11-26).
  public struct Accelerations: OptionSet, Sendable, Hashable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// PSR.i by ssm and rsm, and TPR.
    public static let interrupts = Accelerations(rawValue: 1 << 0)
    /// Reads of the interruption control registers while the guest's PSR.ic is 0.
    public static let fromInterruptionCR = Accelerations(rawValue: 1 << 1)
    /// Writes of them.
    public static let toInterruptionCR = Accelerations(rawValue: 1 << 2)
    public static let fromPSR = Accelerations(rawValue: 1 << 3)
    public static let fromCPUID = Accelerations(rawValue: 1 << 4)
    public static let cover = Accelerations(rawValue: 1 << 5)
    public static let bankSwitch = Accelerations(rawValue: 1 << 6)
    /// What this processor has; a_tf and a_ic_um came with its successors.
    public static let implemented = Accelerations(rawValue: 0x7F)
    /// Names as the manual spells them, in the order of the bits.
    public static let names: [(String, Accelerations)] = [
      ("a_int", .interrupts), ("a_from_int_cr", .fromInterruptionCR), ("a_to_int_cr", .toInterruptionCR), ("a_from_psr", .fromPSR),
      ("a_from_cpuid", .fromCPUID), ("a_cover", .cover), ("a_bsw", .bankSwitch),
    ]
  }

  /// Virtualization disable control: instructions that work on the processor itself although PSR.vm is 1; for vmsw, the contrary
  /// (Volume 2, table 11-46).
  public struct Disables: OptionSet, Sendable, Hashable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// vmsw is intercepted, whatever PSR.vm is.
    public static let vmsw = Disables(rawValue: 1 << 0)
    /// CR65...CR71.
    public static let externalInterrupts = Disables(rawValue: 1 << 1)
    public static let breakpoints = Disables(rawValue: 1 << 2)
    public static let performanceControls = Disables(rawValue: 1 << 3)
    /// Writes of performance data; their reads are never intercepted.
    public static let performanceData = Disables(rawValue: 1 << 4)
    public static let intervalTimer = Disables(rawValue: 1 << 5)
    /// The one that gives a guest this control register; nil: none does.
    @inline(__always) public static func covering(controlRegister n: Int) -> Disables? {
      n == CR.itm ? .intervalTimer : n >= CR.ivr && n <= CR.irr0 + 3 ? .externalInterrupts : nil
    }
    public static let implemented = Disables(rawValue: 0x3F)
    public static let names: [(String, Disables)] = [
      ("d_vmsw", .vmsw), ("d_extint", .externalInterrupts), ("d_ibr_dbr", .breakpoints), ("d_pmc", .performanceControls),
      ("d_to_pmd", .performanceData), ("d_itm", .intervalTimer),
    ]
  }

  /// a_int keeps the guest's TPR in the VPD, d_extint gives it the processor's: not both (Volume 2, section 11.7.4.3.2).
  public var hasValidControls: Bool {
    let (vac, vdc) = (vac, vdc)
    return vac.isSubset(of: .implemented) && vdc.isSubset(of: .implemented)
      && !(vac.contains(.interrupts) && vdc.contains(.externalInterrupts))
  }
}
