import Platform
import Processor

/// EFI runtime services (EFI 1.10, chapter 7), in the order of their table.
enum RuntimeService: Int {
  case getTime, setTime, getWakeupTime, setWakeupTime, setVirtualAddressMap, convertPointer
  case getVariable, getNextVariableName, setVariable, getNextHighMonotonicCount, resetSystem
}

extension SystemFirmware {
  func runtimeService(_ index: Int, _ call: GuestCall) throws(GuestAccessFailure) -> GateOutcome {
    let status: EFIStatus
    switch RuntimeService(rawValue: index) {
    case .getTime: status = try getTime(call)
    case .setTime: status = try setTime(call)
    case .getWakeupTime, .setWakeupTime, nil: status = .unsupported
    case .setVirtualAddressMap: status = try setVirtualAddressMap(call)
    case .convertPointer: status = try convertPointer(call)
    case .getVariable: status = try getVariable(call)
    case .getNextVariableName: status = try getNextVariableName(call)
    case .setVariable: status = try setVariable(call)
    case .getNextHighMonotonicCount: status = try getNextHighMonotonicCount(call)
    case .resetSystem:
      // EfiResetCold, EfiResetWarm, EfiResetShutdown
      guard call.argument(0) <= 2 else {
        status = .invalidParameter
        break
      }
      host.perform([.coldReset, .warmReset, .powerOff][Int(call.argument(0))])
      return .stop
    }
    call.set(8, status.rawValue)
    return .proceed
  }

  // MARK: Time

  /// Time of day of the machine's clock, from the processor's cycles: Unix seconds, and nanoseconds.
  func clock(_ processor: LogicalProcessor) -> (seconds: Int64, nanoseconds: UInt32) {
    let cycles = processor.state.cycles
    let frequency = LogicalProcessor.frequency
    let seconds = startTime + state.runtime.clockOffset + Int64(cycles / frequency)
    return (seconds, UInt32(cycles % frequency * 1_000_000_000 / frequency))
  }

  private func getTime(_ call: GuestCall) throws(GuestAccessFailure) -> EFIStatus {
    guard call.argument(0) != 0 else { return .invalidParameter }
    let now = clock(call.processor)
    var w = CalendarTime(unixTime: now.seconds).encoded(nanoseconds: now.nanoseconds)
    w.set(state.runtime.timeZone, at: 12)
    w.set(state.runtime.daylight, at: 14)
    if call.argument(1) != 0 {
      // Capabilities: once a second is guaranteed; 50 parts per million; setting does not clear what is below.
      var capabilities = ByteWriter()
      capabilities.put(UInt32(1))
      capabilities.put(UInt32(50_000_000))
      capabilities.put(UInt32(0))
      try call.check(call.argument(0), count: 16)
      try call.write(call.argument(1), capabilities.bytes)
    }
    try call.write(call.argument(0), w.bytes)
    return .success
  }

  private func setTime(_ call: GuestCall) throws(GuestAccessFailure) -> EFIStatus {
    guard call.argument(0) != 0 else { return .invalidParameter }
    let bytes = try call.read(call.argument(0), count: 16)
    guard let (time, zone, daylight) = CalendarTime.decode(bytes) else { return .invalidParameter }
    let now = clock(call.processor).seconds
    state.runtime.clockOffset += time.unixTime - now
    state.runtime.timeZone = zone
    state.runtime.daylight = daylight
    return .success
  }

  // MARK: Virtual addressing

  /// Largest memory map that is accepted: far more than any machine has.
  private static let maximumMapSize: UInt64 = 1 << 20

  private func setVirtualAddressMap(_ call: GuestCall) throws(GuestAccessFailure) -> EFIStatus {
    let (size, stride, version, pointer) = (call.argument(0), call.argument(1), call.argument(2), call.argument(3))
    guard state.runtime.virtualMap.isEmpty else { return .unsupported }
    guard version == EFIMemoryDescriptor.version, stride >= UInt64(EFIMemoryDescriptor.minimumSize),
      size <= Self.maximumMapSize, pointer != 0, size > 0, size % stride == 0
    else { return .invalidParameter }
    let bytes = try call.read(pointer, count: Int(size))
    var map: [RuntimeState.Mapping] = []
    for offset in Swift.stride(from: 0, to: Int(size), by: Int(stride)) {
      let d = EFIMemoryDescriptor(decoding: bytes[offset..<offset + EFIMemoryDescriptor.minimumSize])
      guard d.attribute & EFIMemoryAttribute.runtime != 0 else { continue }
      guard d.pages <= 1 << 52 else { return .invalidParameter }
      map.append(.init(physical: d.physical, virtual: d.virtual, size: d.pages << 12))
    }
    func convert(_ address: UInt64) -> UInt64? { Self.convert(address, map) }
    // Whatever the firmware runs and points to must be mapped.
    let needed = [FirmwareLayout.base + image.palSize, FirmwareLayout.data, FirmwareLayout.dataEnd - 1]
    guard needed.allSatisfy({ convert($0) != nil }) else { return .noMapping }
    state.runtime.virtualMap = map
    tables.relocate(in: host.memory, convert)
    return .success
  }

  private static func convert(_ address: UInt64, _ map: [RuntimeState.Mapping]) -> UInt64? {
    map.first { address &- $0.physical < $0.size }.map { address &- $0.physical &+ $0.virtual }
  }

  /// ConvertPointer: DebugDisposition (bit 0: a null pointer may stay), address of the pointer.
  private func convertPointer(_ call: GuestCall) throws(GuestAccessFailure) -> EFIStatus {
    guard !state.runtime.virtualMap.isEmpty else { return .unsupported }
    guard call.argument(1) != 0 else { return .invalidParameter }
    let pointer: UInt64 = try call.load(call.argument(1))
    if pointer == 0 { return call.argument(0) & 1 != 0 ? .success : .invalidParameter }
    guard let converted = Self.convert(pointer, state.runtime.virtualMap) else { return .notFound }
    try call.store(call.argument(1), converted)
    return .success
  }

  private func getNextHighMonotonicCount(_ call: GuestCall) throws(GuestAccessFailure) -> EFIStatus {
    guard call.argument(0) != 0 else { return .invalidParameter }
    try call.store(call.argument(0), state.runtime.highMonotonicCount &+ 1)
    state.runtime.highMonotonicCount &+= 1
    return .success
  }
}
