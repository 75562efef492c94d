import CZlib
import Platform
import Processor

/// EFI boot services in the order of their table (EFI 1.10, section 4.4; the last one came with UEFI 2.0).
enum BootService: Int {
  case raiseTPL, restoreTPL, allocatePages, freePages, getMemoryMap, allocatePool, freePool
  case createEvent, setTimer, waitForEvent, signalEvent, closeEvent, checkEvent
  case installProtocol, reinstallProtocol, uninstallProtocol, handleProtocol, reserved, registerProtocolNotify
  case locateHandle, locateDevicePath, installConfigurationTable
  case loadImage, startImage, exit, unloadImage, exitBootServices
  case getNextMonotonicCount, stall, setWatchdogTimer, connectController, disconnectController
  case openProtocol, closeProtocol, openProtocolInformation, protocolsPerHandle, locateHandleBuffer, locateProtocol
  case installMultiple, uninstallMultiple, calculateCRC32, copyMemory, setMemory, createEventEx
}

extension SystemFirmware {
  func bootService(_ number: UInt64, _ call: GuestCall) throws(GuestAccessFailure) -> GateOutcome {
    guard boot != nil, let service = BootService(rawValue: Int(number - Gate.bootService)) else {
      call.set(8, EFIStatus.unsupported.rawValue)
      return .proceed
    }
    advanceTimers(call.processor)
    return finish(try perform(service, call, gate: number), gate: number, call)
  }

  private func perform(_ service: BootService, _ call: GuestCall, gate: UInt64) throws(GuestAccessFailure) -> ServiceOutcome {
    switch service {
    case .raiseTPL: raiseTPL(call)
    case .restoreTPL: restoreTPL(call)
    case .allocatePages: try allocatePages(call)
    case .freePages: freePages(call)
    case .getMemoryMap: try getMemoryMap(call)
    case .allocatePool: try allocatePool(call)
    case .freePool: freePool(call)
    case .createEvent: try createEvent(call, extended: false)
    case .setTimer: setTimer(call)
    case .waitForEvent: try waitForEvent(call)
    case .signalEvent: signalEvent(call)
    case .closeEvent: closeEvent(call)
    case .checkEvent: checkEvent(call)
    case .installProtocol: try installProtocol(call)
    case .reinstallProtocol: try reinstallProtocol(call)
    case .uninstallProtocol: try uninstallProtocol(call)
    case .handleProtocol: try handleProtocol(call)
    case .reserved: .status(.unsupported)
    case .registerProtocolNotify: try registerProtocolNotify(call)
    case .locateHandle: try locateHandle(call)
    case .locateDevicePath: try locateDevicePath(call)
    case .installConfigurationTable: try installConfigurationTable(call)
    case .loadImage: try loadImage(call)
    case .startImage: try startImage(call)
    case .exit: exitImage(call, gate: gate)
    case .unloadImage: unloadImage(call)
    case .exitBootServices: exitBootServices(call)
    case .getNextMonotonicCount: try getNextMonotonicCount(call)
    case .stall: stall(call)
    case .setWatchdogTimer: setWatchdogTimer(call)
    case .connectController: try connectController(call)
    case .disconnectController: disconnectController(call)
    case .openProtocol: try openProtocol(call)
    case .closeProtocol: try closeProtocol(call)
    case .openProtocolInformation: try openProtocolInformation(call)
    case .protocolsPerHandle: try protocolsPerHandle(call)
    case .locateHandleBuffer: try locateHandleBuffer(call)
    case .locateProtocol: try locateProtocol(call)
    case .installMultiple: try installMultiple(call, uninstalls: false)
    case .uninstallMultiple: try installMultiple(call, uninstalls: true)
    case .calculateCRC32: try calculateCRC32(call)
    case .copyMemory: try copyMemory(call)
    case .setMemory: try setMemory(call)
    case .createEventEx: try createEvent(call, extended: true)
    }
  }

  // MARK: Miscellaneous services (EFI 1.10, section 5.6)

  /// in0 GUID, in1 table; without a table the entry is removed.
  private func installConfigurationTable(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard call.argument(0) != 0, let guid = GUID(bytes: try call.read(call.argument(0), count: 16)) else {
      return .status(.invalidParameter)
    }
    return .status(tables.setConfiguration(guid, call.argument(1), in: host.memory))
  }

  private func getNextMonotonicCount(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard call.argument(0) != 0 else { return .status(.invalidParameter) }
    let count = boot?.monotonicCount ?? 0
    try call.store(call.argument(0), UInt64(state.runtime.highMonotonicCount) << 32 | UInt64(count))
    boot?.monotonicCount = count &+ 1
    if count == .max { state.runtime.highMonotonicCount &+= 1 }
    return .success
  }

  /// in0 microseconds. The end of the wait is kept until the service is called again.
  private func stall(_ call: GuestCall) -> ServiceOutcome {
    let now = call.processor.currentCycle
    let end: UInt64
    if let known = boot?.waitEnd {
      end = known
    } else {
      let (nanoseconds, overflow) = call.argument(0).multipliedReportingOverflow(by: 1000)
      let (sum, tooLate) = now.addingReportingOverflow(overflow ? .max : Cycles.from(nanoseconds: nanoseconds))
      end = tooLate ? .max - 1 : sum
    }
    guard now < end else {
      boot?.waitEnd = nil
      return .success
    }
    boot?.waitEnd = end
    return .wait(until: end)
  }

  /// in0 seconds, in1 code, in2 size of the data, in3 data; 0 seconds: off.
  private func setWatchdogTimer(_ call: GuestCall) -> ServiceOutcome {
    let seconds = call.argument(0)
    // Codes up to 0xFFFF are the firmware's.
    guard seconds == 0 || call.argument(1) > 0xFFFF || call.argument(1) == 0 else { return .status(.invalidParameter) }
    let (cycles, overflow) = seconds.multipliedReportingOverflow(by: Cycles.perSecond)
    boot?.watchdog = seconds == 0 || overflow ? nil : call.processor.currentCycle &+ cycles
    armTimer(at: .max, call.processor)
    return .success
  }

  /// Bytes that one call may move: more than any machine's memory takes.
  private static let longestMove: UInt64 = 1 << 40

  /// in0 data, in1 size, in2 result.
  private func calculateCRC32(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard call.argument(0) != 0, call.argument(1) != 0, call.argument(2) != 0, call.argument(1) <= Self.longestMove else {
      return .status(.invalidParameter)
    }
    var value: uLong = 0
    for piece in try call.pieces(call.argument(0), Int(call.argument(1))) {
      value = crc32_z(value, piece.baseAddress?.assumingMemoryBound(to: UInt8.self), piece.count)
    }
    try call.store(call.argument(2), UInt32(truncatingIfNeeded: value))
    return .success
  }

  /// in0 destination, in1 source, in2 length; they may overlap.
  private func copyMemory(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard call.argument(2) <= Self.longestMove else { return .value(0) }
    try call.move(to: call.argument(0), from: call.argument(1), count: Int(call.argument(2)))
    return .value(0)
  }

  /// in0 buffer, in1 size, in2 value.
  private func setMemory(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard call.argument(1) <= Self.longestMove else { return .value(0) }
    try call.fill(call.argument(0), count: Int(call.argument(1)), UInt8(truncatingIfNeeded: call.argument(2)))
    return .value(0)
  }
}
