import Processor
import SystemFirmware

/// dom0vp_op (hypercall 48) and opt_feature (0x700): `xen/include/public/arch-ia64.h`. The name notwithstanding, any domain may ask for most
/// of the first.
extension Hypercalls {
  private enum Command: UInt64 {
    case ioremap = 0
    case physicalToMachine = 1
    case machineToPhysical = 3
    case zapPhysicalMap = 5
    case addPhysicalMap = 6
    case exposeFrameTable = 7
    case perfmon = 8
    case addPhysicalMapWithGuestFrame = 9
    case assistRevision = 10
    case addIOSpace = 11
  }

  func physicalMemory(_ a: [UInt64]) throws(XenError) -> UInt64 {
    guard let command = Command(rawValue: a[0]) else { return .max }
    switch command {
    // Guests calculate with what they call machine frames only for the DMA of devices that they do not have.
    case .physicalToMachine: return memory.machine(a[1] << FramePool.frameShift).map { $0 >> FramePool.frameShift } ?? .max
    case .zapPhysicalMap:
      guard a[2] == 0 else { throw .invalid }
      guard memory.hide(a[1]) || memory.giveUp(a[1]) else { throw .invalid }
      return 0
    case .exposeFrameTable: return try exposeFrameTable(from: a[1], at: a[2], size: a[3], granule: a[4])
    case .perfmon: return try perfmon(a[1], GuestHandle(value: a[2]))
    case .assistRevision:
      guard domain is ParavirtualDomain else { throw .notImplemented }
      try write(GuestHandle(value: a[1]), withUnsafeBytes(of: ParavirtualAssist.revision.littleEndian) { Array($0) })
      return 0
    case .ioremap, .machineToPhysical, .addPhysicalMap, .addPhysicalMapWithGuestFrame, .addIOSpace: throw .notPermitted
    }
  }

  /// expose_p2m: the guest sees, and cannot change, which frames of the machine its frames are (`xen/arch/ia64/xen/mm.c`). One page for
  /// each 2048 frames, from frame `at` on.
  private func exposeFrameTable(from first: UInt64, at place: UInt64, size: UInt64, granule: UInt64) throws(XenError) -> UInt64 {
    let entries = ExposedFrames.entries
    let count = size >> FramePool.frameShift
    guard size & (FramePool.frameSize - 1) == 0, granule != 0, granule % entries == 0, count % granule == 0, first % granule == 0,
      place % granule == 0, max(first, place) < 1 << (50 - FramePool.frameShift)
    else { throw .invalid }
    guard granule == entries else { throw .notImplemented }
    do throws(FramePool.Failure) { try memory.expose(first..<first + count, at: place) } catch {
      throw .noMemory
    }
    return 0
  }

  /// Xen's perfmon is for whoever profiles all domains (`xen/arch/ia64/linux-xen/perfmon.c`); a guest's own counters are its PMCs and PMDs.
  /// All that others learn is its version.
  private func perfmon(_ command: UInt64, _ handle: GuestHandle) throws(XenError) -> UInt64 {
    let getFeatures: UInt64 = 0x0C
    guard command == getFeatures else { throw .notPermitted }
    // pfarg_features_t: perfmon 2.0, and nothing else.
    var features = [UInt8](repeating: 0, count: 0x28)
    features.setField(0, 2 << 16 as UInt32)
    try write(handle, features)
    return 0
  }

  // MARK: opt_feature

  /// xen_ia64_opt_feature: translations of a region that are the identity, which the hypervisor then inserts without asking the guest.
  func optionalFeature(_ handle: GuestHandle) throws(XenError) -> UInt64 {
    let regions: [UInt64: Int] = [1: 7, 2: 4, 3: 5]
    let bytes = try read(handle, count: 0x20)
    guard let region = regions[bytes.field(0)] else { throw .notImplemented }
    let mapping = GuestContext.IdentityMapping(protection: bytes.field(16), key: bytes.field(24))
    let isOn = bytes.field(8, as: UInt8.self) != 0
    for processor in domain.virtualProcessors { processor.guest.setIdentity(isOn ? mapping : nil, region: region) }
    return 0
  }
}
