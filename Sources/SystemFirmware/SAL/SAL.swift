import Platform
import Processor

/// SAL procedures by function number (SAL specification, chapter 9).
enum SALFunction: UInt64, CaseIterable {
  case setVectors = 0x0100_0000
  case getStateInfo = 0x0100_0001
  case getStateInfoSize = 0x0100_0002
  case clearStateInfo = 0x0100_0003
  case machineCheckRendezvous = 0x0100_0004
  case machineCheckSetParameters = 0x0100_0005
  case registerPhysicalAddress = 0x0100_0006
  case cacheFlush = 0x0100_0008
  case cacheInit = 0x0100_0009
  case pciConfigurationRead = 0x0100_0010
  case pciConfigurationWrite = 0x0100_0011
  case frequencyBase = 0x0100_0012
  case physicalIDInfo = 0x0100_0013
  case updatePAL = 0x0100_0020
}

enum SALStatus {
  static let success: Int64 = 0
  static let unimplemented: Int64 = -1
  static let invalidArgument: Int64 = -2
  static let noInformation: Int64 = -5
}

extension SystemFirmware {
  private typealias Result = (status: Int64, r9: UInt64, r10: UInt64)

  func sal(_ call: GuestCall) throws(GuestAccessFailure) -> GateOutcome {
    let function = SALFunction(rawValue: call.argument(0))
    let result: Result = function.map { sal($0, call) } ?? (SALStatus.unimplemented, 0, 0)
    call.set(8, UInt64(bitPattern: result.status))
    call.set(9, result.r9)
    call.set(10, result.r10)
    call.set(11, 0)
    // Waiting processors sleep until the wake-up interrupt, which they then find pending.
    return function == .machineCheckRendezvous ? .halt : .proceed
  }

  private func sal(_ function: SALFunction, _ call: GuestCall) -> Result {
    let success: Result = (SALStatus.success, 0, 0)
    let invalid: Result = (SALStatus.invalidArgument, 0, 0)
    switch function {
    case .setVectors: return setVectors(call)
    // No machine check, INIT, CMC or CPE record is ever made.
    case .getStateInfo: return call.argument(1) <= 3 ? (SALStatus.noInformation, 0, 0) : invalid
    case .getStateInfoSize: return call.argument(1) <= 3 ? (SALStatus.success, 4096, 0) : invalid
    case .clearStateInfo: return call.argument(1) <= 3 ? success : invalid
    case .machineCheckRendezvous: return success
    case .machineCheckSetParameters:
      guard 1...3 ~= call.argument(1), 1...2 ~= call.argument(2) else { return invalid }
      state.machineCheckParameters[call.argument(1)] = .init(
        mechanism: call.argument(2), vectorOrAddress: call.argument(3), timeout: call.argument(4), options: call.argument(5))
      return success
    case .registerPhysicalAddress: return call.argument(1) == 0 ? success : invalid
    case .cacheFlush: return 1...4 ~= call.argument(1) ? success : invalid
    case .cacheInit: return success
    case .pciConfigurationRead: return pciRead(call)
    case .pciConfigurationWrite: return pciWrite(call)
    case .frequencyBase: return frequencyBase(call.argument(1))
    // The board: package identifiers are unique on one bus only.
    case .physicalIDInfo: return (SALStatus.success, UInt64(CorePlacement(processor: call.index).board), 0)
    case .updatePAL: return (SALStatus.unimplemented, 0, 0)
    }
  }

  /// in1: 0 machine check, 1 INIT, 2 start of the other processors; then entry, gp, and length with checksum; INIT has a second set
  /// for the processors that are not the monarch.
  private func setVectors(_ call: GuestCall) -> Result {
    let handler = FirmwareState.Handler(entry: call.argument(2), globalPointer: call.argument(3))
    switch call.argument(1) {
    case 0: state.machineCheck = handler
    case 1:
      state.initMonarch = handler
      state.initSlave = FirmwareState.Handler(entry: call.argument(5), globalPointer: call.argument(6))
    case 2: state.rendezvous = handler
    default: return (SALStatus.invalidArgument, 0, 0)
    }
    return (SALStatus.success, 0, 0)
  }

  /// in1: 0 platform, 1 interval timer, 2 real-time clock. The second value is the drift in parts per million; -1: unknown.
  private func frequencyBase(_ which: UInt64) -> Result {
    switch which {
    case 0: (SALStatus.success, ProcessorModel.platformBase, .max)
    case 1: (SALStatus.success, LogicalProcessor.frequency / LogicalProcessor.cyclesPerITCTick, .max)
    case 2: (SALStatus.success, 1, .max)
    default: (SALStatus.invalidArgument, 0, 0)
    }
  }

  // MARK: PCI configuration space

  /// Type 0 addresses have 8 register and 8 segment bits, type 1 addresses 12 and 16.
  static func pciAddress(_ address: UInt64, type: UInt64) -> PCIAddress? {
    let shift: UInt64
    let registerMask: UInt64
    let segmentMask: UInt64
    switch type {
    case 0: (shift, registerMask, segmentMask) = (8, 0xFF, 0xFF)
    case 1: (shift, registerMask, segmentMask) = (12, 0xFFF, 0xFFFF)
    default: return nil
    }
    guard address >> (shift + 16) <= segmentMask else { return nil }
    return PCIAddress(
      segment: UInt16(address >> (shift + 16) & segmentMask), bus: UInt8(address >> (shift + 8) & 0xFF),
      device: UInt8(address >> (shift + 3) & 0x1F), function: UInt8(address >> shift & 7),
      register: UInt16(address & registerMask))
  }

  /// in1 address, in2 size, in3 address type.
  private func pciRead(_ call: GuestCall) -> Result {
    let size = call.argument(2)
    guard [1, 2, 4].contains(size), call.argument(1) & (size - 1) == 0,
      let address = Self.pciAddress(call.argument(1), type: call.argument(3))
    else { return (SALStatus.invalidArgument, 0, 0) }
    let ones = UInt32.max >> UInt32(32 - 8 * size)
    let value = pci?.read(address, size: Int(size)) ?? ones
    return (SALStatus.success, UInt64(value & ones), 0)
  }

  /// in1 address, in2 size, in3 value, in4 address type.
  private func pciWrite(_ call: GuestCall) -> Result {
    let size = call.argument(2)
    guard [1, 2, 4].contains(size), call.argument(1) & (size - 1) == 0,
      let address = Self.pciAddress(call.argument(1), type: call.argument(4))
    else { return (SALStatus.invalidArgument, 0, 0) }
    pci?.write(address, size: Int(size), value: UInt32(truncatingIfNeeded: call.argument(3)))
    return (SALStatus.success, 0, 0)
  }
}
