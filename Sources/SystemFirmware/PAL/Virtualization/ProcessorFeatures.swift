import Processor

/// PAL_PROC_GET_FEATURES and PAL_PROC_SET_FEATURES (Volume 2, table 11-104), feature set 0.
extension SystemFirmware {
  enum ProcessorFeature {
    /// Virtual machine features are implemented.
    static let virtualMachines: UInt64 = 1 << 40
    /// vmsw is enabled.
    static let vmsw: UInt64 = 1 << 54
    static let all = virtualMachines | vmsw
  }

  /// Implemented, enabled, controllable. Virtual processors have no virtual machines of their own.
  func processorFeatures(_ call: GuestCall) -> PALResult {
    if host.isVirtual { return .success }
    let environment = call.processor.state.pointee.virtualEnvironment
    let enabled =
      (environment.isAvailable ? ProcessorFeature.virtualMachines : 0) | (environment.hasVMSW ? ProcessorFeature.vmsw : 0)
    return .values(ProcessorFeature.all, enabled, ProcessorFeature.all)
  }

  /// Bits of features that cannot be controlled are ignored. Virtual machines cannot be taken away from a processor that is in a virtual
  /// environment.
  func setProcessorFeatures(_ selected: UInt64, _ call: GuestCall) -> PALResult {
    if host.isVirtual { return .success }
    let state = call.processor.state
    let virtualMachines = selected & ProcessorFeature.virtualMachines != 0
    if state.pointee.virtualEnvironment.isActive && !virtualMachines { return .failure(PALStatus.error) }
    state.pointee.virtualEnvironment.isAvailable = virtualMachines
    state.pointee.virtualEnvironment.hasVMSW = selected & ProcessorFeature.vmsw != 0
    return .success
  }
}
