/// Indices of the PAL procedures (Volume 2, tables 11-40 to 11-47).
enum PALProcedure: UInt64, CaseIterable {
  case cacheFlush = 1
  case cacheInfo = 2
  case cacheInit = 3
  case cacheSummary = 4
  case memoryAttributes = 5
  case ptceInfo = 6
  case vmInfo = 7
  case vmSummary = 8
  case busGetFeatures = 9
  case busSetFeatures = 10
  case debugInfo = 11
  case fixedAddress = 12
  case frequencyBase = 13
  case frequencyRatios = 14
  case performanceMonitorInfo = 15
  case platformAddress = 16
  case processorGetFeatures = 17
  case processorSetFeatures = 18
  case rseInfo = 19
  case version = 20
  case clearMachineCheckLog = 21
  case machineCheckDrain = 22
  case machineCheckExpected = 23
  case machineCheckDynamicState = 24
  case machineCheckErrorInfo = 25
  case machineCheckResume = 26
  case registerMachineCheckMemory = 27
  case halt = 28
  case haltLight = 29
  case copyInfo = 30
  case cacheLineInit = 31
  case pmiEntryPoint = 32
  case enterIA32 = 33
  case vmPageSize = 34
  case memoryForTest = 37
  case cacheProtectionInfo = 38
  case registerInfo = 39
  case prefetchVisibility = 41
  case logicalToPhysical = 42
  case cacheSharedInfo = 43
  case pstateInfo = 44
  case shutdown = 45
  case getHardwarePolicy = 48
  case setHardwarePolicy = 49
  case vpInfo = 50
  case copyPAL = 256
  case haltInfo = 257
  case testProcessor = 258
  case vmTranslationRegisterRead = 261
  case getPstate = 262
  case setPstate = 263
  case vpCreate = 265
  case vpEnvironmentInfo = 266
  case vpExitEnvironment = 267
  case vpInitializeEnvironment = 268
  case vpRegister = 269
  case vpRestore = 270
  case vpSave = 271
  case vpTerminate = 272
  case brandInfo = 274

  /// Positions among the three arguments that mean something. The others are reserved and must be zero.
  private var meaningfulArguments: [Int] {
    switch self {
    case .cacheFlush, .cacheInit, .machineCheckErrorInfo, .machineCheckResume, .copyInfo, .copyPAL, .memoryForTest, .testProcessor,
      .machineCheckDynamicState, .vmTranslationRegisterRead, .shutdown, .getHardwarePolicy, .setHardwarePolicy, .vpInfo,
      .cacheSharedInfo, .enterIA32, .pstateInfo, .getPstate, .setPstate, .vpCreate, .vpInitializeEnvironment, .vpRegister:
      [0, 1, 2]
    case .cacheInfo, .cacheProtectionInfo, .cacheLineInit, .vmInfo, .platformAddress, .processorSetFeatures, .halt, .brandInfo,
      .registerMachineCheckMemory, .vpRestore, .vpSave, .vpTerminate:
      [0, 1]
    case .processorGetFeatures: [1]
    case .busSetFeatures, .performanceMonitorInfo, .machineCheckExpected, .pmiEntryPoint, .registerInfo, .prefetchVisibility,
      .logicalToPhysical, .haltInfo, .vpExitEnvironment:
      [0]
    case .cacheSummary, .memoryAttributes, .ptceInfo, .vmSummary, .busGetFeatures, .debugInfo, .fixedAddress, .frequencyBase,
      .frequencyRatios, .rseInfo, .version, .clearMachineCheckLog, .machineCheckDrain, .haltLight, .vmPageSize, .vpEnvironmentInfo:
      []
    }
  }

  /// Whether the reserved arguments are zero.
  func accepts(_ arguments: [UInt64]) -> Bool {
    let meaningful = meaningfulArguments
    return arguments.enumerated().allSatisfy { $0.element == 0 || meaningful.contains($0.offset) }
  }
}

/// Status values that PAL procedures return in GR8.
enum PALStatus {
  static let success: Int64 = 0
  /// PAL_PREFETCH_VISIBILITY: done, and nothing to do on other processors.
  static let notNeededRemotely: Int64 = 1
  static let unimplemented: Int64 = -1
  static let invalidArgument: Int64 = -2
  static let error: Int64 = -3
  static let noInformation: Int64 = -6
  static let unknownFeatureSet: Int64 = -8
}

/// What a PAL procedure returns.
struct PALResult: Equatable {
  var status: Int64 = PALStatus.success
  var r9: UInt64 = 0
  var r10: UInt64 = 0
  var r11: UInt64 = 0

  static func values(_ r9: UInt64, _ r10: UInt64 = 0, _ r11: UInt64 = 0) -> PALResult {
    PALResult(r9: r9, r10: r10, r11: r11)
  }
  static func failure(_ status: Int64) -> PALResult { PALResult(status: status) }
  static let success = PALResult()
}
