import IA64
import Processor

/// PAL virtualization services (Volume 2, section 11.11): entered by a branch to an offset in the virtual environment's buffer, with their
/// parameters in GR24...GR31 of bank 0. All but the two that resume a guest return by a branch to GR24.
///
/// The processor works on the VPD itself and keeps no copy, so that synchronizing is looking at the guest's interrupt again. What follows is
/// inferred from callers (Xen, KVM): arguments and result of THASH and TTAG, and that a failing RESTORE can say so in GR31.
extension SystemFirmware {
  /// Offsets / 0x400.
  enum VirtualizationService: UInt64, CaseIterable {
    case resumeNormal, resumeHandler, syncRead, syncWrite, setPendingInterrupt, hash, tag, restore, save
  }

  static let virtualizationServiceStride: UInt64 = 0x400

  /// Fills the buffer with the entry points; false: it is not RAM.
  func writeServices(at physical: UInt64) -> Bool {
    guard host.memory.host(physical, count: Int(Self.virtualEnvironmentSize)) != nil else { return false }
    var buffer = ByteWriter()
    for service in VirtualizationService.allCases {
      buffer.zeros(Int(service.rawValue * Self.virtualizationServiceStride) - buffer.count)
      let entry = Self.entry(gate: Gate.virtualizationService + service.rawValue)
      buffer.put(entry.low)
      buffer.put(entry.high)
    }
    buffer.zeros(Int(Self.virtualEnvironmentSize) - buffer.count)
    return host.memory.write(physical, buffer.bytes)
  }

  /// { .mib break.m 0x100000 + gate; nop.i 0; nop.b 0 ;; }: the handler goes on elsewhere.
  private static func entry(gate: UInt64) -> Bundle {
    // M37: i is bit 20 of the immediate, which all gates have. I18 and B9: x6 = 1, and major opcode 2.
    Bundle(template: 0x11, slots: (1 << 36 | gate << 6, 1 << 27, 2 << 37))
  }

  func virtualizationService(_ number: UInt64, _ call: GuestCall) -> GateOutcome {
    let processor = call.processor
    let state = processor.state
    guard state.pointee.virtualEnvironment.isActive, let service = VirtualizationService(rawValue: number) else { return .proceed }
    let parameters = (24...27).map { call.register($0) }
    switch service {
    case .resumeNormal, .resumeHandler:
      state.br[0] = parameters[0]
      // Where PSR.ic of the guest is 1, IFS says all there is to say of its frame.
      processor.resumeVirtualProcessor(loadsFrame: service == .resumeNormal || parameters[2] >> 63 != 0)
      return .redirected
    case .syncRead: break
    case .syncWrite, .setPendingInterrupt: processor.lookForVirtualInterrupt()
    case .hash: call.set(31, processor.vhptAddress(parameters[1], rr: parameters[2], pta: parameters[3]))
    case .tag: call.set(31, processor.vhptTag(parameters[1], rr: parameters[2]))
    case .restore:
      let done = restoreVirtualProcessor(parameters[1], call)
      call.set(31, UInt64(bitPattern: done ? PALStatus.success : PALStatus.invalidArgument))
    case .save: processor.setVirtualProcessor(nil)
    }
    state.pointee.ip = parameters[0] & ~0xF
    processor.setPSR(state.pointee.psr & ~PSR.riMask)
    return .redirected
  }
}
