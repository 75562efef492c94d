/// The guest's side of a processor whose hypervisor is host code: what the guest believes its processor to hold, as far as it differs from
/// what the processor that runs it holds. Control registers, region registers, PSR and the invisible bank are in the VPD; here are the
/// guest's translations (the virtual TLB) and its local SAPIC.
///
/// ``LogicalProcessor/present(_:)`` puts it all in the place of the processor's own. What is then done to the processor — by the body of
/// an instruction, by the delivery of an interruption, by firmware — is done to the guest, by the very code that does it on the bare
/// machine. ``LogicalProcessor/conceal(_:)`` takes it back.
///
/// A paravirtualized guest's side is kept the same way, in the page that it shares with its hypervisor (``ParavirtualRegisters``), which has
/// the layout of a VPD.
public final class GuestContext {
  public let descriptor: VirtualProcessorDescriptor
  /// Only of a paravirtualized guest.
  public let paravirtual: ParavirtualRegisters?
  /// The guest's region registers.
  public let regionRegisters: UnsafeMutablePointer<UInt64>
  /// The guest's RAM, for walks of its VHPT.
  public unowned let memory: any GuestMemory

  /// It runs with PSR.vm = 1.
  var isFullyVirtual: Bool { paravirtual == nil }

  var dataTLB = TLB()
  var instructionTLB = TLB()
  var interruptRequest = InlineArray<4, UInt64>(repeating: 0)
  var interruptInService = InlineArray<4, UInt64>(repeating: 0)

  /// The processor's own while the guest's are presented.
  let machineCR = UnsafeMutablePointer<UInt64>.allocate(capacity: 128)
  let machineRR = UnsafeMutablePointer<UInt64>.allocate(capacity: 8)
  let machineBank = UnsafeMutablePointer<UInt64>.allocate(capacity: 16)
  var machineBankNaT: UInt64 = 0

  /// What instructions have done to the virtual TLB while it was presented; the hypervisor does likewise to the machine's.
  public enum Change {
    /// Offsets without region bits, and the guest's region identifier. What is inserted replaces what was there: that is a purge as well.
    case purged(start: UInt64, last: UInt64, rid: UInt32, isGlobal: Bool)
    case purgedAll
  }
  public var changes: [Change] = []

  /// A region whose offsets are guest-physical addresses (Xen's opt_feature).
  public struct IdentityMapping: Equatable, Sendable {
    /// The first word of each translation besides the address.
    public var protection: UInt64
    public var key: UInt64

    /// What is not of these fields in the words of a guest is left out.
    public init(protection: UInt64, key: UInt64) {
      // ed, access rights, level, dirty, accessed, memory attribute, present (Volume 2, figure 4-5).
      self.protection = protection & (1 << 52 | 0xFFD)
      self.key = key & 0xFF_FFFF
    }
  }
  private var identities = InlineArray<8, IdentityMapping?>(repeating: nil)

  func identity(region: Int) -> IdentityMapping? { identities[region] }

  /// What has been inserted stays until the guest purges it.
  public func setIdentity(_ mapping: IdentityMapping?, region: Int) { identities[region] = mapping }

  /// `descriptor` must stay where it is as long as the context.
  public init(descriptor: VirtualProcessorDescriptor, memory: any GuestMemory) {
    self.descriptor = descriptor
    self.memory = memory
    paravirtual = nil
    regionRegisters = descriptor.vrr
  }

  /// `registers` must stay where they are as long as the context.
  public init(paravirtual registers: ParavirtualRegisters, memory: any GuestMemory) {
    descriptor = registers.descriptor
    paravirtual = registers
    regionRegisters = registers.regionRegisters
    self.memory = memory
  }

  /// Removes a range of offsets from the virtual TLB, as another processor's global purge does. The guest must not be presented.
  public func purge(start: UInt64, last: UInt64, rid: UInt32) {
    dataTLB.purgeCache(start, last, rid)
    instructionTLB.purgeCache(start, last, rid)
  }

  deinit {
    machineCR.deallocate()
    machineRR.deallocate()
    machineBank.deallocate()
    dataTLB.deallocate()
    instructionTLB.deallocate()
  }

  /// Bits of a region identifier that guests have. The others tell domains apart.
  public static let regionIdentifierBits: UInt64 = 18
  /// Highest implemented bit of an offset in a region for guests (see ``LogicalProcessor/unimplementedVirtual(_:)``).
  public static let virtualMSB = Implementation.virtualMSB - 1

  /// PSR bits that are the guest's own; the others are the processor's as well, and act as the guest has set them.
  static let virtualPSR = PSR.ic | PSR.i | PSR.dt | PSR.rt | PSR.it | PSR.si | PSR.mc | PSR.bn
  /// What the processor has in their place.
  static let machinePSR = PSR.ic | PSR.i | PSR.dt | PSR.rt | PSR.it | PSR.bn | PSR.vm
}

extension LogicalProcessor {
  /// The control registers that exist; the interval timer's match register is the same for guest and processor.
  private func eachControlRegister(_ body: (Int) -> Void) {
    for n in 0...CR.iha where n != CR.itm { body(n) }
    for n in CR.lid...CR.lrr1 { body(n) }
  }

  /// Puts the guest's registers and translations in the place of the processor's.
  public func present(_ g: GuestContext) {
    standStill()
    precondition(guest == nil, "a guest is presented already")
    guest = g
    let s = state
    let vpd = g.descriptor
    swap(&dataTLB, &g.dataTLB)
    swap(&instructionTLB, &g.instructionTLB)
    swap(&s.pointee.interruptRequest, &g.interruptRequest)
    swap(&s.pointee.interruptInService, &g.interruptInService)
    let vcr = vpd.vcr
    let psr: UInt64
    if let paravirtual = g.paravirtual {
      // The guest may have written anything there.
      eachControlRegister { n in
        g.machineCR[n] = s.cr[n]
        s.cr[n] = wellFormed(n, vcr[n])
      }
      psr = paravirtual.psr(whileRunningWith: s.pointee.psr)
    } else {
      eachControlRegister { n in
        g.machineCR[n] = s.cr[n]
        s.cr[n] = vcr[n]
      }
      psr = s.pointee.psr & ~(GuestContext.virtualPSR | PSR.vm) | vpd.vpsr & GuestContext.virtualPSR
    }
    for i in 0..<8 {
      g.machineRR[i] = s.rr[i]
      s.rr[i] = g.paravirtual == nil ? g.regionRegisters[i] : wellFormedRegion(g.regionRegisters[i])
    }
    let bank = invisibleBank(vpd, psr)
    for i in 0..<16 {
      g.machineBank[i] = s.otherBank[i]
      s.otherBank[i] = bank.registers[i]
    }
    g.machineBankNaT = s.pointee.otherBankNaT
    s.pointee.otherBankNaT = vpd.savedNaTs(bank1: bank.isBank1)
    s.pointee.psr = psr
    s.pointee.interruptPending = hasDeliverableInterrupt
    if s.pointee.psr & PSR.ic != 0 { recordPreviousBundle() }
  }

  /// Takes the guest's registers and translations back into `g`. The region registers are the machine's as they were before.
  public func conceal(_ g: GuestContext) {
    precondition(guest === g, "another guest is presented")
    let s = state
    let vpd = g.descriptor
    swap(&dataTLB, &g.dataTLB)
    swap(&instructionTLB, &g.instructionTLB)
    swap(&s.pointee.interruptRequest, &g.interruptRequest)
    swap(&s.pointee.interruptInService, &g.interruptInService)
    let vcr = vpd.vcr
    eachControlRegister { n in
      vcr[n] = s.cr[n]
      s.cr[n] = g.machineCR[n]
    }
    vcr[CR.itm] = s.cr[CR.itm]
    for i in 0..<8 {
      g.regionRegisters[i] = s.rr[i]
      s.rr[i] = g.machineRR[i]
    }
    let psr = s.pointee.psr
    vpd.vpsr = psr
    let bank = invisibleBank(vpd, psr)
    for i in 0..<16 {
      bank.registers[i] = s.otherBank[i]
      s.otherBank[i] = g.machineBank[i]
    }
    vpd.setSavedNaTs(bank1: bank.isBank1, s.pointee.otherBankNaT)
    vpd.vhpi = pendingClass(g)
    s.pointee.otherBankNaT = g.machineBankNaT
    guest = nil
    s.pointee.interruptPending = hasDeliverableInterrupt
    if let paravirtual = g.paravirtual {
      adoptPSR(paravirtual.take(psr))
    } else {
      adoptPSR(psr & ~GuestContext.virtualPSR | GuestContext.machinePSR | psr & PSR.si)
    }
    lookForVirtualInterrupt()
  }

  /// vhpi: the guest's highest pending interrupt that no interrupt in service holds back.
  private func pendingClass(_ g: GuestContext) -> UInt64 {
    guard let vector = Self.highestPending(g.interruptRequest, inService: g.interruptInService) else { return 0 }
    return vector == 2 ? 32 : vector == 0 ? 16 : UInt64(vector >> 4)
  }

  /// Where the VPD keeps the registers of the bank that the guest does not see.
  private func invisibleBank(
    _ vpd: VirtualProcessorDescriptor, _ psr: UInt64
  ) -> (registers: UnsafeMutablePointer<UInt64>, isBank1: Bool) {
    typealias Field = VirtualProcessorDescriptor.Field
    return psr & PSR.bn != 0 ? (vpd.pointer(Field.bank0), false) : (vpd.pointer(Field.bank1), true)
  }

  /// PSR as it is, and what derives from it; nothing has changed that translated code depends on.
  private func adoptPSR(_ psr: UInt64) {
    state.pointee.psr = psr
    let level = PSR.cpl(psr)
    if level != engine.pointee.otherLevel && (level == 1 || level == 2) {
      // Levels 1 and 2 share a table.
      engine.pointee.otherLevel = level
      softTLB.purge(.other)
    }
    engine.pointee.dataTable = softTLB.table(
      SoftTLB.context(translate: psr & PSR.dt != 0, bigEndian: psr & PSR.be != 0, cpl: level))
    engine.pointee.floatDisabled = UInt8(truncatingIfNeeded: psr >> 18 & 3)
    engine.pointee.mustStep = psr & PSR.stepping != 0
    if isTimed { notice(.statusChanged) }
  }
}
