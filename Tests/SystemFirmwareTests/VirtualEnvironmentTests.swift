import Platform
import Processor
import SystemFirmware
import TestSupport
import Testing

/// PAL_VP_* and the virtualization services. Expected values: Volume 2, pages 2:471 to 2:501.
@Suite("PAL virtual environments", .ends(withinMinutes: 5)) struct VirtualEnvironmentTests {
  let bench: FirmwareBench
  var processor: LogicalProcessor { bench.processor }
  var environment: VirtualEnvironment { processor.state.pointee.virtualEnvironment }

  static let buffer: UInt64 = 0x300_0000
  static let vpd: UInt64 = 0x310_0000
  static let otherVPD: UInt64 = 0x312_8000
  static let iva: UInt64 = 0x320_0000
  /// config_options: initialize, opcode, cause, gitc.
  static let initialize: UInt64 = 1
  static let opcode: UInt64 = 1 << 8
  static let cause: UInt64 = 1 << 9
  static let gitc: UInt64 = 1 << 10

  init() throws { bench = try FirmwareBench() }

  private func enter(options: UInt64 = initialize | opcode | cause) {
    #expect(bench.pal(268, options, Self.buffer, Self.buffer).status == 0)
  }

  private func set(_ vpd: UInt64, vac: UInt64 = 0, vdc: UInt64 = 0) {
    bench.memory.store(vpd, vac)
    bench.memory.store(vpd + 8, vdc)
    bench.memory.store(vpd + 16, Self.buffer)
  }

  private func create(_ vpd: UInt64 = vpd, vac: UInt64 = 0, vdc: UInt64 = 0, iva: UInt64 = iva, handler: UInt64 = 0) -> Int64 {
    set(vpd, vac: vac, vdc: vdc)
    return bench.pal(265, vpd, iva, handler).status
  }

  // MARK: The environment

  @Test func information() {
    let answer = bench.pal(266)
    #expect(answer.status == 0)
    // Whole pages, with room for the last service, at 0x2000; the opcode is the right one, gitc is supported.
    #expect(answer.r9 >= 0x2010 && answer.r9 % 4096 == 0)
    #expect(answer.r10 == Self.opcode | Self.gitc)
    #expect(bench.pal(266, 1).status == -2)
  }

  @Test func initialization() throws {
    let answer = bench.pal(268, Self.initialize | Self.opcode | Self.cause, Self.buffer, 0xF000_0000_0300_0000)
    #expect(answer.status == 0)
    #expect(answer.r9 == 0xF000_0000_0300_0000)
    #expect(environment.isActive && environment.givesCause && !environment.acceleratesITC)
    // Nine services, 0x400 apart, each of which begins with a break (M37: all but the immediate is zero).
    for service in 0..<9 as Range<UInt64> {
      let low = try bench.u64(Self.buffer + 0x400 * service)
      #expect(low & 0x1F == 0x10 || low & 0x1F == 0x11)
      #expect(low >> 5 & 0x1_FFFF_FFFF & 0x1_0000_003F == 0)
    }
    #expect(try bench.u64(Self.buffer + 0x10) == 0)
  }

  @Test func initializationOptions() {
    for options in [
      1, Self.initialize | Self.cause, Self.initialize | Self.opcode | 4, Self.initialize | Self.opcode | 1 << 11, 1 << 62 | 0x101,
    ]
      as [UInt64]
    {
      #expect(bench.pal(268, options, Self.buffer, Self.buffer).status == -2, "\(options)")
      #expect(!environment.isActive)
    }
    // Without the opcode's bit, misaligned, outside memory.
    #expect(bench.pal(268, Self.initialize, Self.buffer, Self.buffer).status == -2)
    #expect(bench.pal(268, 0x101, Self.buffer + 0x800, Self.buffer).status == -2)
    #expect(bench.pal(268, 0x101, Self.buffer, Self.buffer + 0x800).status == -2)
    #expect(bench.pal(268, 0x101, 0x9000_0000, 0x9000_0000).status == -2)
    #expect(bench.pal(268, 0x101, (256 << 20) - 0x1000, 0).status == -2)
    // Somebody must be the first.
    #expect(bench.pal(268, Self.opcode, Self.buffer, Self.buffer).status == -2)
    // fr_pmc, gitc, and the implementation's bit, which Xen sets.
    #expect(bench.pal(268, 1 << 63 | 0x703, Self.buffer, Self.buffer).status == 0)
    #expect(environment.acceleratesITC)
  }

  @Test func joining() {
    enter()
    #expect(bench.pal(267, 0).status == 0)
    let options = Self.opcode | Self.cause
    #expect(bench.pal(268, options | Self.gitc, Self.buffer, Self.buffer).status == -2)
    #expect(bench.pal(268, options, Self.buffer + 0x1000, Self.buffer).status == -2)
    #expect(bench.pal(268, options, Self.buffer, Self.buffer + 0x1000).status == -2)
    #expect(!environment.isActive)
    let answer = bench.pal(268, options, Self.buffer, Self.buffer)
    #expect((answer.status, answer.r9) == (0, Self.buffer))
    #expect(environment.isActive)
  }

  @Test func exit() {
    processor.state.cr[CR.iva] = 0x8000
    enter()
    #expect(create() == 0)
    #expect(bench.pal(267, 0).status == 0)
    #expect(!environment.isActive)
    #expect(processor.virtualProcessor == nil)
    #expect(processor.state.cr[CR.iva] == Self.iva)
    #expect(bench.pal(267, 0).status == -3)
    enter()
    #expect(bench.pal(267, 0x1_8000).status == 0)
    #expect(processor.state.cr[CR.iva] == 0x1_8000)
  }

  @Test func outside() {
    set(Self.vpd)
    for procedure in [265, 267, 269, 270, 271, 272] as [UInt64] { #expect(bench.pal(procedure, Self.vpd).status == -3) }
  }

  @Test func switchedOff() {
    #expect(bench.pal(18, 1 << 54, 0).status == 0)
    for procedure in 265...272 as ClosedRange<UInt64> { #expect(bench.pal(procedure).status == -1) }
    #expect(bench.pal(18, 1 << 40, 0).status == 0)
    #expect(!environment.hasVMSW)
    enter()
    // They stay as they are, through environments too.
    #expect(!environment.hasVMSW)
    #expect(bench.pal(18, 1 << 54, 0).status == -3)
    #expect(environment.isAvailable && !environment.hasVMSW)
    #expect(bench.pal(267, 0).status == 0)
    #expect(!environment.hasVMSW)
  }

  /// PAL_VP_INFO tells of a monitor below; there is none.
  @Test func noMonitorBelow() { #expect(bench.pal(50, 0, FirmwareBench.scratch).status == -1) }

  // MARK: Virtual processors

  @Test func creation() {
    enter()
    #expect(create(vac: 0x7F, vdc: 1, handler: 0x4000) == 0)
    #expect(environment.descriptor == Self.vpd)
    #expect(environment.interceptHandler == 0x4000)
    #expect(processor.state.cr[CR.iva] == Self.iva)
    #expect(processor.virtualProcessor?.vac.rawValue == 0x7F)
    // A second one waits for its PAL_VP_RESTORE.
    #expect(create(Self.otherVPD, iva: 0x330_0000) == 0)
    #expect(environment.descriptor == Self.vpd)
    #expect(processor.state.cr[CR.iva] == Self.iva)
  }

  @Test func descriptorChecks() {
    enter()
    // a_int with d_extint, unknown bits, alignment (32 KiB), memory.
    #expect(create(vac: 1, vdc: 2) == -2)
    #expect(create(vac: 0x80) == -2)
    #expect(create(vdc: 0x40) == -2)
    #expect(create(Self.vpd + 0x4000) == -2)
    #expect(bench.pal(265, 0x9000_0000, Self.iva).status == -2)
    #expect(bench.pal(265, (256 << 20) - 0x8000, Self.iva).status == -2)
    #expect(environment.descriptor == VirtualEnvironment.none)
    #expect(create(vac: 1, vdc: 1) == 0)
    #expect(create(Self.otherVPD, vac: 0x7E, vdc: 2) == 0)
  }

  /// Only what PAL_VP_CREATE has made is a virtual processor.
  @Test func notCreated() {
    enter()
    set(Self.vpd)
    for procedure in 269...272 as ClosedRange<UInt64> { #expect(bench.pal(procedure, Self.vpd).status == -2, "\(procedure)") }
    #expect(environment.descriptor == VirtualEnvironment.none)
  }

  @Test func registration() {
    enter()
    #expect(create() == 0)
    #expect(bench.pal(269, Self.vpd, 0x330_0000, 0x5000).status == 0)
    #expect(processor.state.cr[CR.iva] == 0x330_0000)
    #expect(environment.interceptHandler == 0x5000)
    set(Self.vpd, vac: 1, vdc: 2)
    #expect(bench.pal(269, Self.vpd, 0x330_0000, 0).status == -2)
  }

  @Test func savingAndRestoring() {
    enter()
    #expect(create(iva: 0x330_0000, handler: 0x5000) == 0)
    #expect(create(Self.otherVPD, iva: 0x340_0000) == 0)
    #expect(bench.pal(271, Self.vpd).status == 0)
    #expect(environment.descriptor == VirtualEnvironment.none)
    #expect(processor.state.cr[CR.iva] == 0x330_0000)
    #expect(bench.pal(270, Self.otherVPD).status == 0)
    #expect(environment.descriptor == Self.otherVPD)
    #expect((processor.state.cr[CR.iva], environment.interceptHandler) == (0x340_0000, 0))
    #expect(bench.pal(270, Self.vpd).status == 0)
    #expect((processor.state.cr[CR.iva], environment.interceptHandler) == (0x330_0000, 0x5000))
  }

  @Test func termination() {
    enter()
    #expect(create() == 0)
    #expect(create(Self.otherVPD) == 0)
    #expect(bench.pal(272, Self.otherVPD, 0).status == 0)
    #expect(environment.descriptor == Self.vpd)
    #expect(bench.pal(270, Self.otherVPD).status == -2)
    #expect(bench.pal(272, Self.vpd, 0x1_8000).status == 0)
    #expect(processor.virtualProcessor == nil)
    #expect(processor.state.cr[CR.iva] == 0x1_8000)
    #expect(bench.pal(272, Self.vpd, 0).status == -2)
  }

  /// What PAL knows of a virtual processor is in the half of the VPD that is PAL's; the rest is the monitor's, and nothing of it is lost.
  @Test func monitorsHalf() throws {
    enter()
    for offset in stride(from: UInt64(0x100), to: 0x8000, by: 8) { bench.memory.store(Self.vpd + offset, 0xAB00_0000 + offset) }
    #expect(create(handler: 0x5000) == 0)
    #expect(bench.pal(271, Self.vpd).status == 0)
    #expect(bench.pal(270, Self.vpd).status == 0)
    for offset in stride(from: UInt64(0x100), to: 0x8000, by: 8) {
      #expect(try bench.u64(Self.vpd + offset) == 0xAB00_0000 + offset)
    }
  }

  /// A reset takes the processor out of everything.
  @Test func reset() throws {
    enter()
    #expect(create() == 0)
    try bench.firmware.reset()
    #expect(!environment.isActive && environment.isAvailable && environment.hasVMSW)
    #expect(processor.virtualProcessor == nil)
    #expect(bench.pal(268, Self.opcode | Self.cause, Self.buffer, Self.buffer).status == -2)
  }

  /// An INIT leaves the guest, and knows it again: the virtual processor stays current, and PSR.vm is in the saved context.
  @Test func initializationInterrupt() throws {
    enter()
    #expect(create() == 0)
    let area: UInt64 = 0x380_0000
    let words = try #require(bench.memory.host(area, count: 4096)).assumingMemoryBound(to: UInt64.self)
    processor.setPSR(PSR.ic | PSR.vm | PSR.bn)
    processor.state.pointee.ip = 0x360_0000
    processor.enterInitializationHandler(at: 0x390_0000, saving: words, address: area)
    #expect(processor.state.pointee.psr == PSR.mc)
    #expect(environment.isActive && environment.descriptor == Self.vpd)
    #expect(processor.resume(from: words, address: area))
    #expect(processor.state.pointee.psr == PSR.ic | PSR.vm | PSR.bn)
    #expect(processor.state.pointee.ip == 0x360_0000)
  }

  // MARK: Services

  private static let back: UInt64 = 0x350_0000

  /// Calls a service as one that a monitor has branched to.
  private func service(_ offset: UInt64, _ parameters: UInt64..., returnTo: UInt64 = back) -> GateOutcome {
    let state = processor.state
    state.gr[24] = returnTo
    for n in 0..<7 { state.gr[25 + n] = n < parameters.count ? parameters[n] : 0xBAD }
    state.pointee.ip = Self.buffer + offset
    return bench.firmware.gate(Gate.virtualizationService + offset / 0x400, processor: processor)
  }

  @Test func synchronization() {
    enter()
    #expect(create(vac: 1) == 0)
    bench.memory.store(Self.vpd + 0x590, PSR.i)
    bench.memory.store(Self.vpd + 0x100, UInt64(9))
    processor.state.gr[8] = 8
    // Reading changes nothing; after the other two the interrupt is known.
    #expect(service(0x800, Self.vpd) == .redirected)
    #expect(processor.state.pointee.ip == Self.back)
    #expect(!processor.state.pointee.virtualInterruptPending)
    for offset in [0xC00, 0x1000] as [UInt64] {
      bench.memory.store(Self.vpd + 0x100, UInt64(9))
      #expect(service(offset, Self.vpd, returnTo: Self.back | 5) == .redirected)
      #expect(processor.state.pointee.ip == Self.back)
      #expect(processor.state.pointee.virtualInterruptPending)
      bench.memory.store(Self.vpd + 0x100, UInt64(0))
      #expect(service(offset, Self.vpd) == .redirected)
      #expect(!processor.state.pointee.virtualInterruptPending)
    }
    #expect(processor.state.gr[8] == 8)
  }

  @Test func resumption() {
    for offset in [0, 0x400] as [UInt64] {
      processor.setPSR(0)
      enter()
      #expect(create() == 0)
      let state = processor.state
      state.cr[CR.ipsr] = PSR.ic | PSR.bn | 2 << PSR.riShift
      state.cr[CR.iip] = 0x360_0000
      state.cr[CR.ifs] = 0
      state.otherBank[4] = 0x2020
      state.br[0] = 7
      #expect(service(offset, Self.vpd, 0, returnTo: 0x1234) == .redirected)
      #expect(state.pointee.ip == 0x360_0000)
      #expect(state.pointee.psr == PSR.ic | PSR.bn | PSR.vm | 2 << PSR.riShift)
      // VBR0; the guest's registers are bank 1.
      #expect(state.br[0] == 0x1234)
      #expect(state.gr[20] == 0x2020)
    }
  }

  /// GR26 bit 63 of PAL_VPS_RESUME_HANDLER: whether a frame that is not complete is to be loaded first. PAL_VPS_RESUME_NORMAL always does.
  @Test func incompleteFrame() {
    for (offset, vac, loads) in [(0, 0, true), (0x400, 0, false), (0x400, 1 << 63, true)] as [(UInt64, UInt64, Bool)] {
      processor.setPSR(0)
      enter()
      #expect(create() == 0)
      let state = processor.state
      state.cr[CR.ipsr] = PSR.ic
      state.cr[CR.ifs] = 0
      state.pointee.dirty = -4
      #expect(service(offset, Self.vpd, vac) == .redirected)
      #expect(state.pointee.frameIncomplete == loads)
      state.pointee.frameIncomplete = false
      state.pointee.dirty = 0
    }
  }

  /// GR25 address, GR26 region register, GR27 PTA; GR31 the result: as `thash` and `ttag` on a processor that has these registers.
  @Test func hashes() {
    enter()
    let address: UInt64 = 3 << 61 | 0x1234_5678_9000
    let (rr, pta) = (0x77 << 8 | 16 << 2, 0x4000_0000_0010_0000 | 1 << 8 | 20 << 2) as (UInt64, UInt64)
    #expect(service(0x1400, address, rr, pta) == .redirected)
    let hash = processor.state.gr[31]
    #expect(service(0x1800, address, rr) == .redirected)
    let tag = processor.state.gr[31]
    #expect(processor.state.pointee.ip == Self.back)
    #expect(hash >> 20 == pta >> 20 && hash % 32 == 0)
    // Short format: eight bytes for each page, in the address's own region.
    #expect(service(0x1400, address, rr, 0x10_0000 | 20 << 2) == .redirected)
    #expect(processor.state.gr[31] == 3 << 61 | 0x10_0000 | (0x1234_5678_9000 >> 16) * 8 & 0xF_FFFF)
    // Another identifier is another translation: the pair differs.
    #expect(service(0x1400, address, rr + 0x100, pta) == .redirected)
    let otherHash = processor.state.gr[31]
    #expect(service(0x1800, address, rr + 0x100) == .redirected)
    #expect((hash, tag) != (otherHash, processor.state.gr[31]))
  }

  @Test func fastSaveAndRestore() {
    enter()
    #expect(create(handler: 0x5000) == 0)
    #expect(create(Self.otherVPD, iva: 0x340_0000) == 0)
    // The translation registers of the monitor.
    let virtual: UInt64 = 0xF000_0000_0000_0000
    processor.insertTranslation(
      instruction: false, virtual: virtual, physical: 0, pageShift: 28, accessRights: 3, privilegeLevel: 0)
    #expect(service(0x2000, virtual | Self.vpd, 1) == .redirected)
    #expect(environment.descriptor == VirtualEnvironment.none)
    #expect(service(0x1C00, virtual | Self.otherVPD, 1) == .redirected)
    #expect(environment.descriptor == Self.otherVPD)
    #expect(processor.state.cr[CR.iva] == 0x340_0000)
    #expect(processor.state.pointee.ip == Self.back)
    #expect(service(0x1C00, virtual | Self.vpd, 1) == .redirected)
    #expect((environment.descriptor, environment.interceptHandler) == (Self.vpd, 0x5000))
    #expect(processor.state.cr[CR.iva] == Self.iva)
    // What is no virtual processor does not become one.
    #expect(service(0x1C00, virtual | 0x370_0000, 1) == .redirected)
    #expect(environment.descriptor == Self.vpd)
  }
}
