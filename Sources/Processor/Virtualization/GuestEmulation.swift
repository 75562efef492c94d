/// What a hypervisor in the host does with an intercept or an interruption of its guest. Everything here runs the code of the bare machine
/// on the guest's presented state.
extension LogicalProcessor {
  /// The interruption that ``run(until:)`` has come back with becomes the guest's own.
  public func deliverToGuest(_ g: GuestContext) {
    present(g)
    deliverPresented()
    conceal(g)
  }

  /// The same while the guest is presented: IFA's region means the guest's region register.
  private func deliverPresented() {
    let fault = state.pointee.fault
    if fault.writes.contains(.itir) { state.pointee.fault.itir = defaultITIR(fault.ifa) }
    if fault.writes.contains(.iha) { state.pointee.fault.iha = vhptAddress(fault.ifa) }
    deliverPending(slot: interruptedSlot)
  }

  /// Injects an external interrupt if the guest's PSR.i and TPR let one through. False: none is.
  public func deliverExternalInterrupt(to g: GuestContext) -> Bool {
    present(g)
    defer { conceal(g) }
    guard state.pointee.interruptPending, state.pointee.psr & PSR.i != 0 else { return false }
    deliverExternalInterrupt()
    return true
  }

  /// How an emulated instruction ended.
  public enum Emulation {
    /// It has happened, or the guest is in the handler of what it has raised.
    case done
    /// Its bundle is no longer in the machine's TLB; `state.pointee.fault` is that miss.
    case fetchMiss
  }

  /// Executes the instruction at the guest's IP, by its own body, on the guest's state.
  public func emulateInstruction(of g: GuestContext) -> Emulation {
    guard let physical = translateFetch(state.pointee.ip) else { return .fetchMiss }
    present(g)
    var exit = step(at: physical)
    if case .step = exit { exit = step(at: physical) }
    stopClock()
    switch exit {
    case .fault(let slot): deliverPending(slot: slot)
    case .trap(let slot, _): deliverPending(slot: slot)
    case .fetchFault: deliverPending(slot: PSR.ri(state.pointee.psr))
    case .limit, .attention, .jumped, .step: break
    }
    // What has unmasked an interrupt is followed by it.
    if state.pointee.interruptPending && state.pointee.psr & PSR.i != 0 { deliverExternalInterrupt() }
    conceal(g)
    return .done
  }

  /// Executes one instruction of the guest on the machine's own state. True: an interruption has come up, as ``run(until:)`` returns it.
  public func stepGuest() -> Bool {
    switch stepOnce() {
    case .fault(let slot):
      interruptedSlot = slot
      return true
    case .trap(let slot, _):
      interruptedSlot = slot
      return true
    case .fetchFault:
      interruptedSlot = PSR.ri(state.pointee.psr)
      return true
    case .step: return stepGuest()
    case .limit, .attention, .jumped: return false
    }
  }

  /// The guest has executed a break in the range of firmware gates: calls the firmware with the guest presented, and goes on behind the gate
  /// if it says so. Nil: that is not code of the firmware, and nothing has happened.
  public func performGate(_ number: UInt64, of g: GuestContext, _ firmware: any ProcessorBus) -> GateOutcome? {
    present(g)
    defer { conceal(g) }
    guard let physical = translateFetch(state.pointee.ip), firmwareGates.contains(physical) else { return nil }
    observer?.callsFirmware(self, number)
    let outcome = firmware.firmwareGate(number, processor: self)
    observer?.calledFirmware(self, number)
    alatClear()
    if outcome != .redirected { skipInstruction() }
    // As on the bare machine: who has an interrupt to take does not wait for one.
    if outcome == .halt && !state.pointee.interruptPending { state.pointee.halted = true }
    return outcome
  }

  /// Does to the guest's own state what `body` does to the processor's: firmware, saving and restoring, reports.
  public func withGuest<T>(_ g: GuestContext, _ body: () throws -> T) rethrows -> T {
    // Firmware that is being called has it presented already.
    if guest === g { return try body() }
    present(g)
    defer { conceal(g) }
    return try body()
  }

  /// Pends an external interrupt in the guest's local SAPIC. A processor that waits is woken if the guest would be.
  public func post(vector: UInt8, to g: GuestContext) {
    withGuest(g) { post(vector: vector) }
  }

  /// Retires the instruction at IP without executing it.
  func skipInstruction() {
    let slot = PSR.ri(state.pointee.psr)
    if slot == 2 { state.pointee.ip &+= 16 }
    state.pointee.psr = state.pointee.psr & ~PSR.riMask | (slot == 2 ? 0 : slot + 1) << PSR.riShift
    state.pointee.instructions &+= 1
    engine.pointee.previousIP = slot == 2 ? state.pointee.ip &- 16 : state.pointee.ip
    engine.pointee.previousPosition = 0
  }

  // MARK: Translations

  /// What the guest's own translation says of an address.
  public enum GuestTranslation {
    /// Guest-physical address of the page, with the guest's rights. In physical mode everything is allowed.
    case page(Translation)
    /// The guest is in the handler of the fault.
    case delivered
    /// A speculative reference whose failure is deferred: PSR.ed is set for its next attempt.
    case deferred
  }

  /// Translates the reference that has missed the machine's TLB, `state.pointee.fault`, as the guest's processor would: its TLB, its VHPT,
  /// its faults.
  public func translateMiss(of g: GuestContext) -> GuestTranslation {
    let fault = state.pointee.fault
    present(g)
    defer { conceal(g) }
    let address = fault.ifa
    let isFetch = fault.isr & ISR.x != 0
    insertIdentity(address, instruction: isFetch, registerStack: fault.isr & ISR.rs != 0)
    return isFetch ? fetchMiss(address) : dataMiss(address, fault.isr)
  }

  /// Inserts what the guest has said of a region, as its own handler of the miss would.
  private func insertIdentity(_ address: UInt64, instruction: Bool, registerStack: Bool) {
    guard let mapping = guest?.identity(region: Int(address >> 61)),
      translating(address, { state.pointee.psr & (instruction ? PSR.it : registerStack ? PSR.rt : PSR.dt) }) != 0,
      (instruction ? instructionTLB : dataTLB).lookup(offset(address), rid(address)) == nil
    else { return }
    let page = address & 0x1FFF_FFFF_FFFF_FFFF & ~((1 << UInt64(Self.machinePageShift)) - 1)
    guard page & ~Implementation.physicalMask == 0,
      let t = makeTranslation(
        page | mapping.protection, itir: mapping.key << 8 | UInt64(Self.machinePageShift) << 2, address: address)
    else { return }
    insertCache(t, instruction: instruction)
    guest?.changes.append(.purged(start: t.base, last: t.base | t.mask, rid: t.rid, isGlobal: false))
  }

  /// Does `body` with the translation switches as they are for an address. A paravirtualized guest's metaphysical mode is one of region 0
  /// only: through the others it goes on seeing what it has mapped, its kernel and the pages that it shares with the hypervisor.
  private func translating<T>(_ address: UInt64, _ body: () -> T) -> T {
    let switches = PSR.it | PSR.dt | PSR.rt
    guard guest?.isFullyVirtual == false, address >> 61 != 0, state.pointee.psr & switches != switches else { return body() }
    let psr = state.pointee.psr
    state.pointee.psr |= switches
    defer { state.pointee.psr = psr }
    return body()
  }

  private func fetchMiss(_ address: UInt64) -> GuestTranslation {
    let isVirtual = translating(address) { state.pointee.psr & PSR.it != 0 }
    guard translating(address, { translateFetch(address) }) != nil else {
      deliverPending(slot: interruptedSlot)
      return .delivered
    }
    if !isVirtual { return .page(physicalPage(address)) }
    guard let page = instructionTLB.lookup(offset(address), rid(address))?.pointee else {
      return .page(physicalPage(address))
    }
    return .page(page)
  }

  private func dataMiss(_ address: UInt64, _ isr: UInt64) -> GuestTranslation {
    let psr = translating(address) { state.pointee.psr }
    let isRSE = isr & ISR.rs != 0
    let isProbe = isr & ISR.na != 0 && isr & 0xF == DataAccess.NonAccess.probe
    var access = DataAccess(
      isr: isr & ~(ISR.ed | ISR.ni | ISR.ir | 3 << ISR.eiShift), reads: isr & ISR.r != 0, writes: isr & ISR.w != 0,
      privilege: isRSE ? registerStackLevel : PSR.cpl(psr), translate: isProbe || psr & (isRSE ? PSR.rt : PSR.dt) != 0)
    access.speculative = isr & ISR.sp != 0
    if isr & ISR.na != 0 {
      // Only that there is a translation; what it allows is seen when the instruction comes again.
      access.checksAccessBits = false
      access.checksKeys = false
      access.checksRights = false
    }
    switch translating(address, { translate(address, size: 1, access) }) {
    case .fault where guest?.isFullyVirtual == false && mayStayUndone(isr):
      // Xen does not trouble its guests with these (`vmx_fault.c` and `faults.c` differ here).
      state.pointee.psr |= PSR.ed
      return .deferred
    case .fault:
      deliverPending(slot: interruptedSlot)
      return .delivered
    case .deferred:
      state.pointee.psr |= PSR.ed
      return .deferred
    case .done:
      guard access.translate, let page = dataTLB.lookup(offset(address), rid(address))?.pointee else {
        return .page(physicalPage(address))
      }
      return .page(page)
    }
  }

  /// The reference that has missed is a speculative load, or lfetch.fault.
  private func mayStayUndone(_ isr: UInt64) -> Bool {
    isr & ISR.sp != 0 || isr & ISR.na != 0 && isr & 0xF == DataAccess.NonAccess.lfetch
  }

  /// The level of the register stack engine's references, as the guest means it.
  private var registerStackLevel: UInt64 {
    let level = state.ar[AR.rsc] >> 2 & 3
    return level == ParavirtualRegisters.kernelLevel && guest?.isFullyVirtual == false ? 0 : level
  }

  /// How physical mode sees the page of an address: bit 63 says uncacheable.
  private func physicalPage(_ address: UInt64) -> Translation {
    var t = Translation()
    t.valid = true
    t.pageShift = UInt8(Self.machinePageShift)
    t.mask = (1 << UInt64(Self.machinePageShift)) - 1
    t.base = offset(address) & ~t.mask
    t.physical = address & Implementation.physicalMask & ~t.mask
    (t.present, t.accessed, t.dirty) = (true, true, true)
    t.accessRights = 3
    t.privilegeLevel = 3
    t.attribute = address >> 63 != 0 ? MemoryAttribute.uc : MemoryAttribute.wb
    return t
  }

  /// log2 of the unit in which a hypervisor maps guest-physical memory: 16 KiB, as Xen has it.
  public static let machinePageShift = 14
}
