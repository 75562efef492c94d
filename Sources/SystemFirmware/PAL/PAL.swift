import Platform
import Processor

/// PAL procedures (Volume 2, chapter 11). What they say of the processor is in ``ProcessorModel``.
extension SystemFirmware {
  func pal(_ call: GuestCall) throws(GuestAccessFailure) -> GateOutcome {
    let index = call.register(28)
    // Bit 8 tells the calling conventions apart: arguments in GR29...GR31, or in in1...in3.
    let stacked = index & 0x100 != 0
    let arguments = (1...3).map { stacked ? call.argument($0) : call.register(28 + $0) }
    let procedure = PALProcedure(rawValue: index)
    let result =
      try procedure.map { (p) throws(GuestAccessFailure) in try pal(p, arguments, call) }
      ?? .failure(PALStatus.unimplemented)
    call.set(8, UInt64(bitPattern: result.status))
    call.set(9, result.r9)
    call.set(10, result.r10)
    call.set(11, result.r11)
    let halts = procedure == .haltLight || procedure == .halt
    return halts && result.status == PALStatus.success ? .halt : .proceed
  }

  private func pal(
    _ procedure: PALProcedure, _ a: [UInt64], _ call: GuestCall
  ) throws(GuestAccessFailure) -> PALResult {
    guard procedure.accepts(a) else { return .failure(PALStatus.invalidArgument) }
    switch procedure {
    // Caches: nothing is cached that memory does not show, so flushing them is done at once.
    case .cacheFlush: return 1...4 ~= a[0] && a[1] & ~3 == 0 ? .success : .failure(PALStatus.invalidArgument)
    case .cacheInfo: return ProcessorModel.cacheInfo(level: a[0], type: a[1])
    case .cacheInit, .cacheLineInit: return .success
    case .cacheSummary: return .values(3, 5)
    case .cacheProtectionInfo: return ProcessorModel.cacheProtection(level: a[0], type: a[1])
    case .prefetchVisibility:
      return a[0] <= 1 ? .failure(PALStatus.notNeededRemotely) : .failure(PALStatus.invalidArgument)

    // Addressing
    case .memoryAttributes: return .values(ProcessorModel.memoryAttributes)
    // One ptc.e purges everything.
    case .ptceInfo: return .values(0, 1 << 32 | 1, 0)
    case .vmInfo: return ProcessorModel.vmInfo(level: a[0], type: a[1])
    case .vmSummary: return .values(ProcessorModel.vmSummary1, ProcessorModel.vmSummary2(isVirtual: host.isVirtual))
    case .vmPageSize: return .values(Implementation.insertablePages, Implementation.insertablePages)
    case .vmTranslationRegisterRead:
      guard a[1] <= 1, a[2] & 7 == 0, let words = call.processor.translationRegister(a[0], instruction: a[1] == 0) else {
        return .failure(PALStatus.invalidArgument)
      }
      try call.write(a[2], words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } })
      // Access rights, privilege level, dirty bit and memory attribute are all valid.
      return .values(0xF)

    // Identity and features
    case .fixedAddress: return .values(UInt64(CorePlacement(processor: call.index).onBus))
    case .version: return .values(ProcessorModel.palVersion, ProcessorModel.palVersion)
    case .debugInfo: return .values(UInt64(Implementation.breakpointPairs), UInt64(Implementation.breakpointPairs))
    case .rseInfo: return .values(96, 0)
    case .registerInfo: return ProcessorModel.registerInfo(a[0])
    case .frequencyRatios:
      return .values(ProcessorModel.processorRatio, ProcessorModel.busRatio, ProcessorModel.itcRatio)
    case .busGetFeatures: return .success
    case .busSetFeatures: return .success
    case .processorGetFeatures: return a[1] == 0 ? processorFeatures(call) : .failure(PALStatus.unknownFeatureSet)
    case .processorSetFeatures: return a[1] == 0 ? setProcessorFeatures(a[0], call) : .failure(PALStatus.unknownFeatureSet)
    case .logicalToPhysical: return logicalToPhysical(a[0], call)
    case .cacheSharedInfo: return cacheSharedInfo(level: a[0], type: a[1], number: a[2], call)
    case .performanceMonitorInfo:
      try call.write(
        a[0],
        ProcessorModel.performanceMonitorMasks.flatMap { word in
          withUnsafeBytes(of: word.littleEndian) { Array($0) }
        })
      return .values(ProcessorModel.performanceMonitorSummary)
    case .brandInfo:
      guard a[0] == 0 else { return .failure(PALStatus.noInformation) }
      var w = ByteWriter()
      w.put(ProcessorModel.brand, width: 127)
      w.put(UInt8(0))
      try call.write(a[1], w.bytes)
      return .values(UInt64(ProcessorModel.brand.utf8.count + 1))

    // The interrupt block and the port space lie where the bus decodes them: they can be confirmed, not moved.
    case .platformAddress:
      let fixed = [MemoryMap.interruptBlock, MemoryMap.portSpace]
      return a[0] <= 1 && a[1] & ~(1 << 63) == fixed[Int(a[0])] ? .success : .failure(PALStatus.invalidArgument)

    // Power
    case .haltLight: return .success
    case .halt: return a[0] == 0 ? .success : .failure(PALStatus.invalidArgument)
    case .haltInfo:
      // Eight states: only state 0 (light halt) is there; coherent, entered and left at once.
      var w = ByteWriter()
      w.put(UInt64(3) << 60)
      w.zeros(56)
      try call.write(a[0], w.bytes)
      return .success

    // Machine checks and PMI never happen; what the operating system registers is kept.
    case .clearMachineCheckLog: return .values(0)
    case .machineCheckDrain: return .success
    case .machineCheckExpected:
      let previous = state.processors[call.index].machineCheckExpected
      state.processors[call.index].machineCheckExpected = a[0] & 1 != 0
      return .values(previous ? 1 : 0)
    case .machineCheckErrorInfo: return .failure(PALStatus.noInformation)
    case .machineCheckResume: return .failure(PALStatus.error)
    case .registerMachineCheckMemory:
      guard a[0] & 511 == 0 else { return .failure(PALStatus.invalidArgument) }
      state.processors[call.index].minState = a[0]
      return .success
    case .pmiEntryPoint:
      state.processors[call.index].pmiEntry = a[0]
      return .success

    // A copy of PAL's code would be outside the firmware's gates. Nothing needs one: the code lies in RAM already.
    case .copyInfo: return .values(image.palSize, image.palSize)
    case .copyPAL: return .failure(PALStatus.error)
    case .memoryForTest: return .values(0, 1)
    // Self-test state: healthy.
    case .testProcessor: return .values(1)

    case .vpCreate, .vpEnvironmentInfo, .vpExitEnvironment, .vpInitializeEnvironment, .vpRegister, .vpRestore, .vpSave,
      .vpTerminate:
      return try virtualProcessorProcedure(procedure, a, call)

    // PAL_VP_INFO tells of a monitor's features: there is none below this processor.
    case .frequencyBase, .machineCheckDynamicState, .enterIA32, .pstateInfo, .shutdown,
      .getHardwarePolicy, .setHardwarePolicy, .vpInfo, .getPstate, .setPstate:
      return .failure(PALStatus.unimplemented)
    }
  }

  /// PAL_LOGICAL_TO_PHYSICAL: the processors of the caller's package; -1 is the caller itself.
  private func logicalToPhysical(_ number: UInt64, _ call: GuestCall) -> PALResult {
    let place = CorePlacement(processor: call.index)
    let cores = place.coresInSocket(of: localIDs.count)
    let core = number == .max ? UInt64(place.core) : number
    guard core < UInt64(cores) else { return .failure(PALStatus.invalidArgument) }
    // Logical processors, threads of a core, cores, identifier of the package on its bus.
    let overview = UInt64(cores) | 1 << 16 | UInt64(cores) << 32 | UInt64(place.socket) << 48
    // Thread 0 of this core; its logical address on the bus.
    return .values(overview, core << 32, UInt64(place.socket * CorePlacement.coresPerSocket) + core)
  }

  /// PAL_CACHE_SHARED_INFO: each core has its caches for itself, those of the third level too.
  private func cacheSharedInfo(level: UInt64, type: UInt64, number: UInt64, _ call: GuestCall) -> PALResult {
    guard ProcessorModel.hasCache(level: level, type: type), number == 0 else { return .failure(PALStatus.invalidArgument) }
    let place = CorePlacement(processor: call.index)
    return .values(1, UInt64(place.core) << 32, UInt64(place.onBus))
  }
}

/// Where a processor is: boards of four sockets with two cores each.
struct CorePlacement {
  static let coresPerSocket = 2
  static let socketsPerBoard = 4

  let board: Int
  let socket: Int
  let core: Int
  private let processor: Int

  init(processor: Int) {
    self.processor = processor
    core = processor % Self.coresPerSocket
    socket = processor / Self.coresPerSocket % Self.socketsPerBoard
    board = processor / (Self.coresPerSocket * Self.socketsPerBoard)
  }

  /// Number among the cores of its board's bus.
  var onBus: Int { socket * Self.coresPerSocket + core }

  /// The last socket of a machine may have only one of its cores.
  func coresInSocket(of processors: Int) -> Int { min(Self.coresPerSocket, processors - (processor - core)) }
}
