import Platform
import Processor
import SystemFirmware

/// PAL, SAL and EFI of PV domains, which reach the hypervisor as hypercalls (`xen/arch/ia64/xen/fw_emul.c`, `hypercall.c`).
extension ParavirtualDomain {
  private enum EFICall: UInt64 {
    case getTime, setTime, getWakeupTime, setWakeupTime, setVirtualAddressMap, getVariable, getNextVariable, setVariable,
      getNextHighMonotonicCount, resetSystem
  }
  private enum Status {
    static let efiUnsupported: UInt64 = 1 << 63 | 3
    static let efiInvalid: UInt64 = 1 << 63 | 2
    static func sal(_ value: Int64) -> [UInt64] { [UInt64(bitPattern: value), 0, 0, 0] }
  }

  func firmwareCall(_ number: UInt64, _ virtual: ParavirtualProcessor) -> Hypercalls.Outcome {
    typealias Call = ParavirtualFirmware.Call
    let processor = virtual.processor
    switch number {
    case Call.efi..<Call.efi + Call.efiCount:
      guard let call = EFICall(rawValue: number - Call.efi) else { return .result(Status.efiUnsupported) }
      return efi(call, processor.stackedArguments(4), virtual)
    case Call.pal: return pal(virtual)
    case Call.sal:
      processor.setResults(sal(processor.stackedArguments(4)))
      return .result(processor.state.gr[8])
    case Call.assist: return .result(ParavirtualAssist.call(processor, memory: memory))
    case Call.salReturn:
      virtual.goDown()
      return .stop
    default: return .result(XenError.notImplemented.result)
    }
  }

  private func pal(_ virtual: ParavirtualProcessor) -> Hypercalls.Outcome {
    let s = virtual.processor.state
    let index = s.gr[28]
    // Bit 8 tells the calling conventions apart.
    let arguments = index & 0x100 != 0 ? Array(virtual.processor.stackedArguments(4).dropFirst()) : (29...31).map { s.gr[$0] }
    switch ParavirtualPAL.call(index, arguments, processor: virtual.index, regionIdentifierBits: GuestContext.regionIdentifierBits)
    {
    case .values(let values):
      virtual.processor.setResults(values)
      return .result(values[0])
    case .halt:
      virtual.processor.setResults([0, 0, 0, 0])
      return .wait
    case .down:
      virtual.goDown()
      return .stop
    }
  }

  // MARK: SAL

  private func sal(_ a: [UInt64]) -> [UInt64] {
    switch a[0] {
    // SAL_SET_VECTORS: where started processors begin is what counts.
    case 0x0100_0000:
      guard a[1] == 2 else { return Status.sal(0) }
      rendezvous = (a[2], a[3])
      return Status.sal(0)
    case 0x0100_0001: return Status.sal(-5)
    // Parameters of machine checks, cache flushes, and configuration space, where nothing is.
    case 0x0100_0005, 0x0100_0006, 0x0100_0008, 0x0100_0009, 0x0100_0010, 0x0100_0011: return Status.sal(0)
    case 0x0100_0012:
      return a[1] == 0 ? [0, ParavirtualFirmware.platformFrequency, 0, 0] : Status.sal(-1)
    default: return Status.sal(-1)
    }
  }

  // MARK: EFI

  private func efi(_ call: EFICall, _ a: [UInt64], _ virtual: ParavirtualProcessor) -> Hypercalls.Outcome {
    switch call {
    case .getTime:
      let now = machine.now
      let time = ParavirtualFirmware.time(
        seconds: startTime + Int64(now / Cycles.perSecond), nanoseconds: UInt32(Cycles.nanoseconds(now % Cycles.perSecond)))
      guard let physical = virtual.processor.guestPhysical(a[0], of: virtual.guest, writes: true) else { return .stay }
      return .result(memory.write(physical, time) ? 0 : Status.efiInvalid)
    case .setVirtualAddressMap:
      guard let physical = virtual.processor.guestPhysical(a[3], of: virtual.guest, writes: false) else { return .stay }
      return .result(setVirtualAddressMap(size: a[0], stride: a[1], physical))
    case .resetSystem:
      shutDown(a[0] == 2 ? .powerOff : .reboot)
      return .stop
    default: return .result(Status.efiUnsupported)
    }
  }

  /// The functions' descriptors get virtual addresses. Once only.
  private func setVirtualAddressMap(size: UInt64, stride: UInt64, _ physical: UInt64) -> UInt64 {
    guard !hasVirtualMap else { return Status.efiUnsupported }
    guard stride >= 40, size <= 1 << 16, let map = memory.read(physical, count: Int(size)) else { return Status.efiInvalid }
    for offset in Swift.stride(from: 0, to: map.count - 39, by: Int(min(stride, 1 << 16))) {
      // PAL_CODE: where the stubs are.
      guard map.field(offset, as: UInt32.self) == 13 else { continue }
      hasVirtualMap = true
      ParavirtualFirmware.moveFunctions(in: memory, from: map.field(offset + 8), to: map.field(offset + 16))
      return 0
    }
    return Status.efiInvalid
  }
}
