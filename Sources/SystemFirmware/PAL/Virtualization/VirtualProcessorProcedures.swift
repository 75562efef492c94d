import Processor

/// PAL_VP_*: the virtual environment and its virtual processors (Volume 2, pages 2:471 to 2:485).
///
/// What PAL keeps of a virtual processor lies in the upper half of its VPD, which is PAL's: so it goes where the VPD goes, to another
/// processor or into a saved machine, and no INIT or reset can part the two.
extension SystemFirmware {
  enum VirtualEnvironmentOption {
    static let initialize: UInt64 = 1 << 0
    /// Freezes performance counters while accelerations run. Those take no time here that a counter could see.
    static let freezesCounters: UInt64 = 1 << 1
    static let opcode: UInt64 = 1 << 8
    static let cause: UInt64 = 1 << 9
    static let itc: UInt64 = 1 << 10
    /// The implementation's; Xen sets it.
    static let implementation: UInt64 = 1 << 63
    /// Not big-endian descriptors (bit 2).
    static let supported = initialize | freezesCounters | opcode | cause | itc | implementation
    /// PAL_VP_ENV_INFO: the opcode is that of the intercepted instruction, ITC can be accelerated.
    static let information = opcode | itc
  }

  /// Bytes of the environment's buffer: the services' entry points, in whole pages.
  static let virtualEnvironmentSize: UInt64 = 0x4000

  /// The words of a VPD that are PAL's own.
  private enum PALArea {
    /// Marks a VPD that PAL_VP_CREATE has seen.
    static let magic: UInt64 = 0x4450_5645_5255_4350
    static let hostIVA = UInt64(VirtualProcessorDescriptor.Field.palArea) + 8
    static let handler = UInt64(VirtualProcessorDescriptor.Field.palArea) + 16
  }

  func virtualProcessorProcedure(
    _ procedure: PALProcedure, _ a: [UInt64], _ call: GuestCall
  ) throws(GuestAccessFailure) -> PALResult {
    let environment = call.processor.state.pointee.virtualEnvironment
    guard environment.isAvailable, !host.isVirtual else { return .failure(PALStatus.unimplemented) }
    switch procedure {
    case .vpEnvironmentInfo: return .values(Self.virtualEnvironmentSize, VirtualEnvironmentOption.information)
    case .vpInitializeEnvironment: return try initializeEnvironment(options: a[0], physical: a[1], virtual: a[2], call)
    default: break
    }
    // All others presuppose an environment.
    guard environment.isActive else { return .failure(PALStatus.error) }
    switch procedure {
    case .vpExitEnvironment:
      leaveEnvironment(call)
      setInterruptionTable(a[0], call)
      return .success
    case .vpCreate: return try create(a[0], hostIVA: a[1], handler: a[2], call)
    case .vpRegister: return try register(a[0], hostIVA: a[1], handler: a[2], call)
    // The second argument of revision 2.2 names procedures whose state is kept: none has any.
    case .vpRestore: return try restore(a[0], call)
    case .vpSave: return try save(a[0], call)
    default: return try terminate(a[0], hostIVA: a[1], call)
    }
  }

  // MARK: The environment

  private func initializeEnvironment(
    options: UInt64, physical: UInt64, virtual: UInt64, _ call: GuestCall
  ) throws(GuestAccessFailure) -> PALResult {
    typealias Option = VirtualEnvironmentOption
    guard options & ~Option.supported == 0, options & Option.opcode != 0, (physical | virtual) & 0xFFF == 0 else {
      return .failure(PALStatus.invalidArgument)
    }
    let record = FirmwareState.VirtualEnvironmentRecord(
      physical: physical, virtual: virtual, options: options & ~Option.initialize)
    if options & Option.initialize != 0 {
      guard writeServices(at: physical) else { return .failure(PALStatus.invalidArgument) }
      state.virtualEnvironment = record
    }
    // The others join with the same buffer and the same options.
    guard state.virtualEnvironment == record else { return .failure(PALStatus.invalidArgument) }
    leaveEnvironment(call)
    let processor = call.processor.state
    processor.pointee.virtualEnvironment.isActive = true
    processor.pointee.virtualEnvironment.givesCause = options & Option.cause != 0
    processor.pointee.virtualEnvironment.acceleratesITC = options & Option.itc != 0
    processor.pointee.virtualEnvironment.servicesStart = physical
    processor.pointee.virtualEnvironment.servicesEnd = physical + Self.virtualEnvironmentSize
    return .values(virtual)
  }

  /// The features that are switched on outlive environments.
  private func leaveEnvironment(_ call: GuestCall) {
    call.processor.setVirtualProcessor(nil)
    let state = call.processor.state
    let old = state.pointee.virtualEnvironment
    state.pointee.virtualEnvironment = VirtualEnvironment()
    state.pointee.virtualEnvironment.isAvailable = old.isAvailable
    state.pointee.virtualEnvironment.hasVMSW = old.hasVMSW
  }

  /// CR.IVA, unless the caller says 0.
  private func setInterruptionTable(_ iva: UInt64, _ call: GuestCall) {
    if iva != 0 { call.processor.state.cr[CR.iva] = iva & ~0x7FFF }
  }

  // MARK: Virtual processors

  /// A VPD as a caller names it: aligned, in one piece, and with controls that go together.
  private func descriptor(
    at pointer: UInt64, _ call: GuestCall
  ) throws(GuestAccessFailure) -> (physical: UInt64, vpd: VirtualProcessorDescriptor)? {
    let alignment = VirtualProcessorDescriptor.alignment
    guard pointer % alignment == 0, let piece = try call.piece(pointer, count: Int(VirtualProcessorDescriptor.size)),
      piece.physical % alignment == 0
    else { return nil }
    return (piece.physical, VirtualProcessorDescriptor(piece.host))
  }

  /// The same for one that PAL_VP_CREATE has made a virtual processor of.
  private func created(
    _ pointer: UInt64, _ call: GuestCall
  ) throws(GuestAccessFailure) -> (physical: UInt64, vpd: VirtualProcessorDescriptor)? {
    guard let found = try descriptor(at: pointer, call), Self.isCreated(found.vpd) else { return nil }
    return found
  }

  private static func isCreated(_ vpd: VirtualProcessorDescriptor) -> Bool {
    vpd[VirtualProcessorDescriptor.Field.palArea] == PALArea.magic
  }

  private func isCurrent(_ physical: UInt64, _ call: GuestCall) -> Bool {
    call.processor.state.pointee.virtualEnvironment.descriptor == physical
  }

  private func note(_ pointer: UInt64, hostIVA: UInt64, handler: UInt64, _ call: GuestCall) throws(GuestAccessFailure) {
    try call.store(pointer &+ PALArea.hostIVA, hostIVA)
    try call.store(pointer &+ PALArea.handler, handler)
    try call.store(pointer &+ UInt64(VirtualProcessorDescriptor.Field.palArea), PALArea.magic)
  }

  /// The virtual processor becomes the current one, and the host's vectors are its own.
  private func makeCurrent(_ physical: UInt64, _ vpd: VirtualProcessorDescriptor, _ call: GuestCall) -> Bool {
    guard call.processor.setVirtualProcessor(physical, interceptHandler: vpd[Int(PALArea.handler)]) else { return false }
    setInterruptionTable(vpd[Int(PALArea.hostIVA)], call)
    return true
  }

  /// Inferred: the first virtual processor of a processor is current from here on, as the services that follow presuppose; a later one
  /// becomes so by PAL_VP_RESTORE.
  private func create(
    _ pointer: UInt64, hostIVA: UInt64, handler: UInt64, _ call: GuestCall
  ) throws(GuestAccessFailure) -> PALResult {
    guard let (physical, vpd) = try descriptor(at: pointer, call), vpd.hasValidControls else {
      return .failure(PALStatus.invalidArgument)
    }
    try note(pointer, hostIVA: hostIVA, handler: handler, call)
    let current = call.processor.state.pointee.virtualEnvironment.descriptor
    if current == VirtualEnvironment.none || current == physical, !makeCurrent(physical, vpd, call) {
      return .failure(PALStatus.invalidArgument)
    }
    return .success
  }

  private func register(
    _ pointer: UInt64, hostIVA: UInt64, handler: UInt64, _ call: GuestCall
  ) throws(GuestAccessFailure) -> PALResult {
    guard let (physical, vpd) = try created(pointer, call), vpd.hasValidControls else {
      return .failure(PALStatus.invalidArgument)
    }
    try note(pointer, hostIVA: hostIVA, handler: handler, call)
    if isCurrent(physical, call), !makeCurrent(physical, vpd, call) { return .failure(PALStatus.invalidArgument) }
    return .success
  }

  private func restore(_ pointer: UInt64, _ call: GuestCall) throws(GuestAccessFailure) -> PALResult {
    guard let (physical, vpd) = try created(pointer, call), vpd.hasValidControls, makeCurrent(physical, vpd, call) else {
      return .failure(PALStatus.invalidArgument)
    }
    return .success
  }

  /// The VPD is up to date already; CR.IVA stays.
  private func save(_ pointer: UInt64, _ call: GuestCall) throws(GuestAccessFailure) -> PALResult {
    guard let (physical, _) = try created(pointer, call) else { return .failure(PALStatus.invalidArgument) }
    if isCurrent(physical, call) { call.processor.setVirtualProcessor(nil) }
    return .success
  }

  private func terminate(_ pointer: UInt64, hostIVA: UInt64, _ call: GuestCall) throws(GuestAccessFailure) -> PALResult {
    guard let (physical, _) = try created(pointer, call) else { return .failure(PALStatus.invalidArgument) }
    try call.store(pointer &+ UInt64(VirtualProcessorDescriptor.Field.palArea), UInt64(0))
    if isCurrent(physical, call) { call.processor.setVirtualProcessor(nil) }
    setInterruptionTable(hostIVA, call)
    return .success
  }

  // MARK: For the services

  /// PAL_VPS_RESTORE; false: the translation registers do not map a VPD there that PAL_VP_CREATE has seen.
  func restoreVirtualProcessor(_ pointer: UInt64, _ call: GuestCall) -> Bool {
    guard let physical = call.processor.mappedData(pointer, count: VirtualProcessorDescriptor.size),
      let host = host.memory.host(physical, count: Int(VirtualProcessorDescriptor.size))
    else { return false }
    let vpd = VirtualProcessorDescriptor(host)
    return Self.isCreated(vpd) && vpd.hasValidControls && makeCurrent(physical, vpd, call)
  }
}
