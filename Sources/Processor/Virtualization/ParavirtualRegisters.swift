/// mapped_regs: the part of a paravirtualized processor's state that Xen/ia64 shares with its guest (`xen/include/public/arch-ia64.h`). One
/// page for each processor, laid out as the beginning of a VPD, with Xen's own fields in the place of the VPD's implementation-specific ones.
///
/// The guest writes to it at any time. Its PSR is spread over it: ic, the bank, translation and dfh have fields here, PSR.i is the mask of
/// its event channels; everything else is in the processor's own PSR, whose privilege level 1 stands for the guest's 0.
public struct ParavirtualRegisters {
  /// Bytes that the guest sees.
  public static let size = 4096
  /// The level that a paravirtualized kernel runs at in the place of 0.
  public static let kernelLevel: UInt64 = 1

  let page: UnsafeMutableRawPointer
  /// `evtchn_upcall_mask` of this processor in shared_info: PSR.i inverted.
  let mask: UnsafeMutablePointer<UInt8>

  /// `page`: ``size`` bytes.
  public init(page: UnsafeMutableRawPointer, mask: UnsafeMutablePointer<UInt8>) { (self.page, self.mask) = (page, mask) }

  /// Byte offsets of what a VPD does not have.
  public enum Field {
    public static let precoverIFS = 0xC00
    public static let unat = 0xC08
    public static let interruptCollection = 0xC10
    public static let interruptMaskAddress = 0xC18
    public static let pp = 0xC24
    public static let dfh = 0xC25
    public static let metaphysicalMode = 0xC48
    public static let bank = 0xC4C
    public static let regionRegisters = 0xC50
  }

  var descriptor: VirtualProcessorDescriptor { VirtualProcessorDescriptor(page) }
  var regionRegisters: UnsafeMutablePointer<UInt64> {
    (page + Field.regionRegisters).assumingMemoryBound(to: UInt64.self)
  }

  public subscript(word offset: Int) -> UInt64 {
    get { page.load(fromByteOffset: offset, as: UInt64.self) }
    nonmutating set { page.storeBytes(of: newValue, toByteOffset: offset, as: UInt64.self) }
  }
  public subscript(half offset: Int) -> UInt32 {
    get { page.load(fromByteOffset: offset, as: UInt32.self) }
    nonmutating set { page.storeBytes(of: newValue, toByteOffset: offset, as: UInt32.self) }
  }
  public subscript(byte offset: Int) -> UInt8 {
    get { page.load(fromByteOffset: offset, as: UInt8.self) }
    nonmutating set { page.storeBytes(of: newValue, toByteOffset: offset, as: UInt8.self) }
  }

  public var collectsInterruptions: Bool { self[half: Field.interruptCollection] != 0 }
  public var isMasked: Bool { mask.pointee != 0 }
  /// Region 0 means guest-physical addresses.
  public var isMetaphysical: Bool {
    get { self[half: Field.metaphysicalMode] != 0 }
    nonmutating set { self[half: Field.metaphysicalMode] = newValue ? 1 : 0 }
  }

  /// A control register as the guest sees it.
  public func control(_ n: Int) -> UInt64 { descriptor.vcr[n] }
  public func setControl(_ n: Int, _ value: UInt64) { descriptor.vcr[n] = value }

  /// How a domain's processor starts (`vcpu_init_regs`): translation off, bank 1, everything masked. `processor` has been reset.
  public func reset(_ processor: LogicalProcessor, index: Int) {
    let s = processor.state
    for n in 0..<5 { descriptor.vcpuid[n] = s.cpuid[n] }
    for n in 0..<128 { descriptor.vcr[n] = s.cr[n] }
    descriptor.vcr[CR.lid] = UInt64(index) << 24
    for region in 0..<8 { regionRegisters[region] = s.rr[region] }
    isMetaphysical = true
    self[half: Field.bank] = 1
    mask.pointee = 1
  }

  // MARK: PSR

  private static let translation = PSR.dt | PSR.rt | PSR.it
  /// What the guest's PSR has elsewhere than in the processor's.
  private static let elsewhere =
    PSR.ic | PSR.i | translation | PSR.bn | PSR.cplMask | PSR.dfh | PSR.pp | PSR.di | PSR.mc | PSR.is | PSR.vm
  /// What the processor's always has.
  private static let machine = PSR.ic | PSR.i | translation | PSR.bn | PSR.di

  /// The guest's PSR while the processor's is `running`.
  func psr(whileRunningWith running: UInt64) -> UInt64 {
    var psr = running & ~Self.elsewhere
    let level = PSR.cpl(running)
    psr |= (level == Self.kernelLevel ? 0 : level) << PSR.cplShift
    if collectsInterruptions { psr |= PSR.ic }
    if !isMasked { psr |= PSR.i }
    if !isMetaphysical { psr |= Self.translation }
    if self[half: Field.bank] != 0 { psr |= PSR.bn }
    if self[byte: Field.dfh] != 0 { psr |= PSR.dfh }
    if self[byte: Field.pp] != 0 { psr |= PSR.pp }
    return psr
  }

  /// Puts the guest's PSR into its fields; returns the processor's.
  func take(_ psr: UInt64) -> UInt64 {
    self[half: Field.interruptCollection] = psr & PSR.ic != 0 ? 1 : 0
    mask.pointee = psr & PSR.i != 0 ? 0 : 1
    isMetaphysical = psr & Self.translation != Self.translation
    self[half: Field.bank] = psr & PSR.bn != 0 ? 1 : 0
    self[byte: Field.dfh] = psr & PSR.dfh != 0 ? 1 : 0
    self[byte: Field.pp] = psr & PSR.pp != 0 ? 1 : 0
    return psr & ~(Self.elsewhere & ~(PSR.dfh | PSR.pp)) | Self.machine
      | max(PSR.cpl(psr), Self.kernelLevel) << PSR.cplShift
  }

  /// An interruption was delivered: what the guest's handler needs beyond the control registers, because it runs with the machine's PSR.ic
  /// set, so that its `cover` saves nothing.
  func interrupted(unat: UInt64, frame: UInt64) {
    self[word: Field.unat] = unat
    self[word: Field.precoverIFS] = 1 << 63 | frame
  }
}

extension LogicalProcessor {
  /// What a control register may hold, whatever the guest has stored in its place.
  func wellFormed(_ n: Int, _ value: UInt64) -> UInt64 {
    switch n {
    case CR.ipsr: value & ~(PSR.reserved | PSR.vm | PSR.is | PSR.mc) & (PSR.ri(value) == 3 ? ~PSR.riMask : .max)
    case CR.isr: value & ~ISR.reserved
    case CR.ifs: written(n, value) ?? 0
    case CR.itir: value & 0xFFFF_FFFC
    case CR.dcr: value & DCR.implemented
    case CR.pta: written(n, value) ?? 15 << 2
    case CR.itv, CR.pmv, CR.cmcv, CR.lrr0, CR.lrr1: written(n, value) ?? 1 << 16
    case CR.tpr, CR.lid: written(n, value) ?? 0
    default: written(n, value) ?? value
    }
  }

  /// The same for a region register.
  public func wellFormedRegion(_ value: UInt64) -> UInt64 {
    let shift = value >> 2 & 0x3F
    let rid = value >> 8 & ((1 << GuestContext.regionIdentifierBits) - 1)
    return rid << 8 | (pageSizeImplemented(shift) ? shift : UInt64(Self.machinePageShift)) << 2 | value & 1
  }
}

extension Translation {
  /// A page of level 0, for a kernel that runs at level 1, with the rights that level 0 has on it.
  public var forParavirtualKernel: Translation {
    guard privilegeLevel == 0 else { return self }
    var t = self
    t.privilegeLevel = UInt8(ParavirtualRegisters.kernelLevel)
    switch accessRights {
    case 4, 6: t.accessRights = 2
    case 5: t.accessRights = 3
    default: break
    }
    return t
  }

  /// All that level 0 may, for level 1.
  public var allowingKernel: Translation {
    var t = self
    t.privilegeLevel = UInt8(ParavirtualRegisters.kernelLevel)
    t.accessRights = 3
    return t
  }

  /// The same page without the right to write.
  public var readOnly: Translation {
    var t = self
    switch accessRights {
    case 2, 4, 6: t.accessRights = 0
    case 3, 5: t.accessRights = 1
    default: break
    }
    return t
  }
}

extension LogicalProcessor {
  /// Inserts a translation that is the hypervisor's gift to a paravirtualized kernel: readable and writable, at its level only.
  public func insertShared(address: UInt64, physical: UInt64, pageShift: UInt8) {
    var t = Translation()
    t.valid = true
    t.pageShift = pageShift
    t.mask = (1 << UInt64(pageShift)) - 1
    t.base = offset(address) & ~t.mask
    t.physical = physical & ~t.mask
    t.rid = rid(address)
    (t.present, t.accessed, t.dirty) = (true, true, true)
    t.accessRights = 2
    t.privilegeLevel = UInt8(ParavirtualRegisters.kernelLevel)
    insertCache(t, instruction: false)
  }

  /// Removes the machine's data translation of an address that no VHPT entry has, and what was remembered of it.
  public func forgetMachineTranslation(_ address: UInt64) {
    dropDataTranslation(address)
    softTLB.purge(start: offset(address), last: offset(address))
  }

  /// in0, in1 and so on of the code that runs; NaTs are all ones, and what is not in the frame is zero.
  public func stackedArguments(_ count: Int) -> [UInt64] {
    (0..<count).map { n in
      guard n < state.pointee.sof else { return 0 }
      return state.nat(UInt8(32 + n)) ? .max : state.gr[32 + n]
    }
  }

  /// Waits for an interrupt, unless there is one.
  public func sleep() { if !state.pointee.interruptPending { state.pointee.halted = true } }

  /// Lets others have their turn: two and a half microseconds, as after a long row of pauses.
  public func rest() { state.pointee.pausedUntil = currentCycle &+ 4096 }

  /// An external interrupt waits for the guest, masked or not.
  public func hasPendingInterrupt(_ g: GuestContext) -> Bool {
    Self.highestPending(g.interruptRequest, inService: g.interruptInService) != nil
  }

  /// The guest-physical address of one that firmware or a hypervisor has been given; nil: the guest is in its handler of the miss.
  public func guestPhysical(_ address: UInt64, of g: GuestContext, writes: Bool) -> UInt64? {
    interruptedSlot = PSR.ri(state.pointee.psr)
    state.pointee.fault = PendingInterruption()
    (state.pointee.fault.ifa, state.pointee.fault.isr) = (address, writes ? ISR.w : ISR.r)
    guard case .page(let page) = translateMiss(of: g) else { return nil }
    return page.physical | address & page.mask
  }
}
