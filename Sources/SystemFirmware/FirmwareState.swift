/// Everything the firmware remembers between calls: what a saved machine needs of it.
public struct FirmwareState: Sendable, Equatable, Codable {
  /// Layout of this struct in saved machines.
  public static let stateVersion = 3

  /// One procedure that the operating system registered with SAL.
  struct Handler: Sendable, Equatable, Codable {
    var entry: UInt64 = 0
    var globalPointer: UInt64 = 0
  }
  /// Arguments of SAL_MC_SET_PARAMS for one kind of interrupt.
  struct MachineCheckParameters: Sendable, Equatable, Codable {
    var mechanism: UInt64
    var vectorOrAddress: UInt64
    var timeout: UInt64
    var options: UInt64
  }
  /// What PAL keeps for one processor.
  struct ProcessorRecord: Sendable, Equatable, Codable {
    /// PAL_MC_REGISTER_MEM: physical address of the min-state save area.
    var minState: UInt64 = 0
    /// PAL_MC_EXPECTED.
    var machineCheckExpected = false
    /// PAL_PMI_ENTRYPOINT.
    var pmiEntry: UInt64 = 0
  }

  /// PAL_VP_INIT_ENV: the buffer that all processors of a virtual environment share.
  struct VirtualEnvironmentRecord: Sendable, Equatable, Codable {
    var physical: UInt64
    var virtual: UInt64
    /// Without the bit that asks for initialization.
    var options: UInt64
  }

  var processors: [ProcessorRecord]
  var virtualEnvironment: VirtualEnvironmentRecord?
  /// SAL_SET_VECTORS: machine check, INIT of the monarch and of the others, start of the other processors.
  var machineCheck = Handler()
  var initMonarch = Handler()
  var initSlave = Handler()
  var rendezvous = Handler()
  /// The processor whose INIT handler leads the others.
  var monarch: Int?
  /// By kind of interrupt: 1 rendezvous, 2 wake-up, 3 corrected platform error.
  var machineCheckParameters: [UInt64: MachineCheckParameters] = [:]
  var runtime = RuntimeState()
  /// Until ExitBootServices; nil as well when a kernel is booted without them.
  var boot: BootServicesState?

  init(processors: Int) { self.processors = Array(repeating: ProcessorRecord(), count: processors) }
}

/// State of the EFI runtime services.
struct RuntimeState: Sendable, Equatable, Codable {
  struct Mapping: Sendable, Equatable, Codable {
    var physical: UInt64
    var virtual: UInt64
    var size: UInt64
  }
  struct Variable: Sendable, Equatable, Codable {
    var name: [UInt16]
    var vendor: GUID
    var attributes: UInt32
    var data: [UInt8]
  }
  /// Set by SetVirtualAddressMap; empty while services are called in physical mode.
  var virtualMap: [Mapping] = []
  var variables: [Variable] = []
  /// Seconds that SetTime has moved the clock by, and the fields that it only stores.
  var clockOffset: Int64 = 0
  var timeZone: Int16 = 0x7FF
  var daylight: UInt8 = 0
  var highMonotonicCount: UInt32 = 0
}
