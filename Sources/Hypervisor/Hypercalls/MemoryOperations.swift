import Processor

/// memory_op (hypercall 12): `xen/include/public/memory.h`.
extension Hypercalls {
  /// The low bits are the operation; above is where a continued one goes on, which does not happen here.
  private static let commandMask: UInt64 = 0x3F

  private enum Command: UInt64 {
    case increaseReservation = 0
    case decreaseReservation = 1
    case maximumRAMPage = 2
    case currentReservation = 3
    case maximumReservation = 4
    case populatePhysicalMap = 6
    case addToPhysicalMap = 7
    case machineMemoryMap = 10
    case exchange = 11
    case maximumFrame = 14
    case removeFromPhysicalMap = 15
  }

  /// xen_memory_reservation.
  private struct Reservation {
    static let size = 0x20
    let extents: GuestHandle
    let count: UInt64
    let order: UInt32
    let number: UInt16

    init(_ bytes: [UInt8], at offset: Int = 0) {
      extents = GuestHandle(value: bytes.field(offset))
      count = bytes.field(offset + 8)
      order = bytes.field(offset + 0x10)
      number = bytes.field(offset + 0x18)
    }
  }
  /// Extents of more frames than 2^this are for domains with real devices.
  private static let largestOrder: UInt32 = 7

  func memoryOperation(_ command: UInt64, _ handle: GuestHandle) throws(XenError) -> UInt64 {
    guard let operation = Command(rawValue: command & Self.commandMask) else { throw .notImplemented }
    switch operation {
    // These return how far they have come, and no error.
    case .decreaseReservation: return try eachExtent(handle) { memory.giveUp($0) }
    case .populatePhysicalMap: return try eachExtent(handle) { memory.populate($0) }
    // Frames without a place: a domain here has no use for them.
    case .increaseReservation: return 0
    case .maximumRAMPage: return memory.pool.total
    case .currentReservation: return memory.promised
    case .maximumReservation: return memory.frames
    case .maximumFrame: return (memory.ranges.last?.upperBound ?? 0) >> FramePool.frameShift
    case .addToPhysicalMap: return try addToPhysicalMap(handle)
    case .removeFromPhysicalMap:
      let bytes = try read(handle, count: 16)
      try checkSelf(bytes.field(0))
      let frame: UInt64 = bytes.field(8)
      guard memory.hide(frame) || memory.giveUp(frame) else { throw .noEntry }
      return 0
    case .exchange: return try exchange(handle)
    case .machineMemoryMap: throw .notPermitted
    }
  }

  /// The number of extents that have been done.
  private func eachExtent(_ handle: GuestHandle, _ body: (_ frame: UInt64) -> Bool) throws(XenError) -> UInt64 {
    let reservation = Reservation(try read(handle, count: Reservation.size))
    try checkSelf(reservation.number)
    guard reservation.order <= Self.largestOrder else { return 0 }
    for n in 0..<reservation.count {
      guard let first = reservation.extents.word(memory, n) else { return n }
      for frame in 0..<UInt64(1) << UInt64(reservation.order) where !body(first &+ frame) { return n }
    }
    return reservation.count
  }

  /// xen_memory_exchange: frames are given up, and others populated. That these lie together in the machine would matter to a domain with
  /// a real device only.
  private func exchange(_ handle: GuestHandle) throws(XenError) -> UInt64 {
    var bytes = try read(handle, count: 0x48)
    let (old, new) = (Reservation(bytes), Reservation(bytes, at: 0x20))
    try checkSelf(old.number)
    try checkSelf(new.number)
    guard bytes.field(0x40, as: UInt64.self) == 0, max(old.order, new.order) <= Self.largestOrder,
      old.count <= memory.frames, new.count <= memory.frames, old.count << UInt64(old.order) == new.count << UInt64(new.order)
    else { throw .invalid }
    for n in 0..<old.count {
      guard let first = old.extents.word(memory, n) else { throw .badAddress }
      for frame in 0..<UInt64(1) << UInt64(old.order) where !memory.giveUp(first &+ frame) { throw .invalid }
    }
    for n in 0..<new.count {
      guard let first = new.extents.word(memory, n) else { throw .badAddress }
      for frame in 0..<UInt64(1) << UInt64(new.order) where !memory.populate(first &+ frame) { throw .noMemory }
    }
    bytes.setField(0x40, old.count)
    try write(handle, bytes)
    return 0
  }

  /// Where an HVM domain wants to see what the hypervisor shares with it. PV domains have it in fixed places.
  private func addToPhysicalMap(_ handle: GuestHandle) throws(XenError) -> UInt64 {
    guard domain is HVMDomain else { throw .notImplemented }
    let bytes = try read(handle, count: 0x18)
    try checkSelf(bytes.field(0))
    let (space, index, frame): (UInt32, UInt64, UInt64) = (bytes.field(4), bytes.field(8), bytes.field(16))
    guard frame < 1 << (50 - FramePool.frameShift) else { throw .invalid }
    switch space {
    case 0:
      guard index == 0 else { throw .invalid }
      if let former = sharedInfoFrame { _ = memory.hide(former) }
      memory.show(domain.sharedInfo.machineFrame, at: frame)
      sharedInfoFrame = frame
    case 1: try domain.services.grants.showTable(index, at: frame, in: domain.domainNumber)
    case 2:
      guard let moved = memory.detach(index) else { throw .invalid }
      guard memory.attach(moved, at: frame) else {
        _ = memory.attach(moved, at: index)
        throw .invalid
      }
    default: throw .notImplemented
    }
    return 0
  }
}
