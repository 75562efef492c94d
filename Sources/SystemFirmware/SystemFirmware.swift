import Platform
import Processor

/// PAL, SAL and EFI of the machine: the stubs and tables in the guest's memory, and the handlers behind the stubs' gates.
public final class SystemFirmware {
  /// Unix time at which the machine's clock starts unless told otherwise: 2024-01-01 00:00:00 UTC. Fixed, so that two runs agree.
  public static let defaultStartTime: Int64 = 1_704_067_200

  /// EFI_NOT_FOUND: what the boot manager returns when there is nothing that it can start.
  public static let nothingToBoot: UInt64 = EFIStatus.notFound.rawValue

  unowned let host: any FirmwareHost
  public weak var pci: (any PCIConfigurationSpace)?
  /// Nodes and distances that SRAT and SLIT tell of; nil: one node, and no tables.
  public var topology: NUMATopology?
  public internal(set) var state: FirmwareState
  var boot: BootServicesState? {
    get { state.boot }
    _modify { yield &state.boot }
  }
  let image: FirmwareImage
  let dsdt: [UInt8]
  let startTime: Int64
  let localIDs: [LocalID]
  /// What ``boot(kernel:initrd:commandLine:)`` was given; loaded again after a reset.
  var request: BootRequest?
  /// What the boot manager looks for something to boot on, in this order. Set before power-on.
  public var media: [BootMedium] = []
  /// Media and partitions while boot services last.
  var storages: [FirmwareVolume] = []
  /// Called with the non-volatile variables whenever one has changed; false: they could not be stored.
  public var storeNonVolatile: ((_ contents: [UInt8]) -> Bool)?
  /// Filled by ``install()``.
  var tables = FirmwareTables()
  /// Translations that the call in progress on each processor has asked for.
  private var translations: [[UInt64: UInt64]]

  /// `startTime`: Unix time of the clock at cycle 0.
  public init(host: any FirmwareHost, startTime: Int64 = defaultStartTime) throws {
    self.host = host
    self.startTime = startTime
    let count = host.processors.count
    guard count <= FirmwareLayout.maximumProcessors else { throw BootError.tooManyProcessors(count) }
    localIDs = (0..<count).map { LocalID(id: UInt8($0), eid: 0) }
    image = try FirmwareImage.bundled()
    dsdt = PackageResources.dsdt_aml
    state = FirmwareState(processors: count)
    state.runtime.variables = RuntimeState.initialVariables
    translations = Array(repeating: [:], count: count)
  }

  /// Writes stubs and tables into the firmware's memory and opens the gates.
  public func install() throws(BootError) {
    guard host.memory.isRAM(FirmwareLayout.base, count: MemoryMap.firmwareSize) else {
      throw .noFirmwareMemory
    }
    host.memory.write(FirmwareLayout.base, image.bytes)
    for vector in image.vectorCode { host.memory.write(FirmwareLayout.vectors + vector.offset, vector.bundles) }
    // Linux counts more than 32 processors only if nodes are described, be it one.
    let ram = host.memory.ranges.reduce(0) { $0 + ($1.lowerBound == FirmwareLayout.base ? 0 : UInt64($1.count)) }
    let nodes = topology ?? NUMATopology(shares: [(host.processors.count, ram)]) { _, _ in NUMATopology.localDistance }
    tables = FirmwareTables(image: image, dsdt: dsdt, localIDs: localIDs, topology: nodes)
    tables.write(to: host.memory)
    for processor in host.processors {
      processor.firmwareGates = FirmwareLayout.base..<FirmwareLayout.codeEnd
    }
  }

  /// Puts every processor at its reset vector, with the firmware as it is after power-on; variables and the clock's offset, which
  /// real machines keep in a battery-backed part, survive.
  public func reset() throws(BootError) {
    var fresh = FirmwareState(processors: host.processors.count)
    func isKept(_ variable: RuntimeState.Variable) -> Bool { variable.attributes & VariableAttribute.nonVolatile != 0 }
    fresh.runtime.variables = RuntimeState.initialVariables.filter { !isKept($0) } + state.runtime.variables.filter(isKept)
    fresh.runtime.clockOffset = state.runtime.clockOffset
    fresh.runtime.highMonotonicCount = state.runtime.highMonotonicCount &+ 1
    state = fresh
    storages.removeAll()
    for index in translations.indices { translations[index].removeAll() }
    try install()
    do throws(PCIRoot.Failure) { try pci?.assignResources() } catch { throw .pci(error) }
    for (index, processor) in host.processors.enumerated() {
      host.resetProcessor(index) {
        processor.reset()
        processor.firmwareGates = FirmwareLayout.base..<FirmwareLayout.codeEnd
        processor.state.cr[CR.lid] = localIDs[index].register
        processor.state.ar[AR.k0] = MemoryMap.portSpace
        processor.state.pointee.ip = FirmwareLayout.base + (index == 0 ? image.reset : image.waitForWakeup)
      }
    }
  }

  // MARK: Gates

  /// Handles one gate; called by the machine, in the processor's thread.
  public func gate(_ number: UInt64, processor: LogicalProcessor) -> GateOutcome {
    guard let index = host.processors.firstIndex(where: { $0 === processor }) else { return .stop }
    let call = GuestCall(processor: processor, index: index, memory: host.memory, translations: translations[index])
    // Firmware is called at the most privileged level; elsewhere its pages give nothing away.
    guard PSR.cpl(processor.state.pointee.psr) == 0 else {
      call.set(8, UInt64(bitPattern: -1))
      return .proceed
    }
    if number == Gate.translated {
      translations[index][call.register(8) & ~GuestCall.pageMask] = call.register(9) & ~GuestCall.pageMask
      return .proceed
    }
    let outcome: GateOutcome
    do throws(GuestAccessFailure) {
      outcome = try dispatch(number, call)
    } catch {
      if case .needsTranslation(let page) = error, let redirected = fetchTranslation(of: page, gate: number, call) {
        return redirected
      }
      outcome = reject(number, call)
    }
    translations[index].removeAll(keepingCapacity: true)
    return outcome
  }

  private func dispatch(_ number: UInt64, _ call: GuestCall) throws(GuestAccessFailure) -> GateOutcome {
    switch number {
    case Gate.powerOn: return powerOn(call)
    case Gate.returned:
      host.perform(.imageReturned(call.register(8)))
      return .stop
    case Gate.wait:
      call.set(8, FirmwareLayout.backingStore(processor: call.index))
      return .halt
    case Gate.wakeup:
      let wakes = call.register(9) == UInt64(SALSystemTable.wakeupVector)
      call.set(10, wakes ? state.rendezvous.entry : 0)
      call.set(11, wakes ? state.rendezvous.globalPointer : 0)
      return .proceed
    case Gate.callNext: return nextCall(call)
    case Gate.callMark: return markCall(call)
    case Gate.nap: return .halt
    case Gate.notified: return notified(call)
    case Gate.initializationReturn: return returnFromInitialization(call)
    case Gate.pal: return try pal(call)
    case Gate.sal: return try sal(call)
    case Gate.softwareAssist: return try softwareAssist(call)
    case Gate.virtualizationService..<Gate.virtualizationService + UInt64(Gate.virtualizationServiceCount):
      return virtualizationService(number - Gate.virtualizationService, call)
    case Gate.runtimeService..<Gate.bootService: return try runtimeService(Int(number - Gate.runtimeService), call)
    case Gate.bootService..<Gate.protocolFunction: return try bootService(number, call)
    case Gate.protocolFunction..<Gate.vector: return try protocolFunction(number, call)
    case Gate.vector..<Gate.vector + UInt64(Gate.vectorCount): return interruption(number, call)
    default:
      call.set(8, EFIStatus.unsupported.rawValue)
      return .proceed
    }
  }

  /// Continues at the stub that translates one page and comes back to the gate, by the mapping that the caller uses for the code.
  private func fetchTranslation(of page: UInt64, gate: UInt64, _ call: GuestCall) -> GateOutcome? {
    guard let offset = image.offset(ofGate: gate) else { return nil }
    let s = call.processor.state
    call.set(8, page)
    call.set(10, s.pointee.ip)
    s.pointee.ip = s.pointee.ip &- offset &+ (gate == Gate.pal ? image.palTranslate : image.translate)
    call.processor.setPSR(s.pointee.psr & ~PSR.riMask)
    return .redirected
  }

  /// The answer to a pointer that leads nowhere: Invalid Argument of PAL and SAL, EFI_INVALID_PARAMETER.
  private func reject(_ number: UInt64, _ call: GuestCall) -> GateOutcome {
    switch number {
    case Gate.pal: call.set(8, UInt64(bitPattern: PALStatus.invalidArgument))
    case Gate.sal: call.set(8, UInt64(bitPattern: SALStatus.invalidArgument))
    case Gate.softwareAssist: call.set(8, UInt64(bitPattern: -1))
    default: call.set(8, EFIStatus.invalidParameter.rawValue)
    }
    for register in 9...11 as ClosedRange<UInt8> where number == Gate.pal || number == Gate.sal { call.set(register, 0) }
    return .proceed
  }
}
