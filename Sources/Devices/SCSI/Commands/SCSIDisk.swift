import HostResources

/// A direct-access disk (SBC-2) with blocks of 512 bytes and a write cache.
///
/// With the cache on (WCE, as after power-on), a write is complete when the host has taken the data, and SYNCHRONIZE CACHE makes it
/// durable. With the cache off, or with FUA, it is durable before its status is delivered.
public final class SCSIDisk: SCSIUnit {
  public static let blockSize = 512
  /// A power of two, for the VPD page of limits: transfers that keep the disk busy without holding the bus for long.
  static let optimalBlocks: UInt32 = 1024

  public init(storage: any BlockStorage, serialNumber: String = "EPI00000") {
    super.init(storage: storage, serialNumber: serialNumber, blockSize: Self.blockSize)
  }

  override var deviceType: UInt8 { 0x00 }
  override var product: String { "SCSI DISK" }
  override var versionDescriptors: [UInt16] { [0x0320] }  // SBC-2
  private var isReadOnly: Bool { storage?.isReadOnly ?? true }
  /// Write protection, and DPO and FUA are understood (SBC-2, section 6.4.1).
  override var modeDeviceParameter: UInt8 { (isReadOnly ? 0x80 : 0) | 0x10 }

  override var modeBlockDescriptor: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(big: UInt32(truncatingIfNeeded: min(blockCount, 0xFFFF_FFFF)))
    bytes.append(big: UInt32(blockSize))
    return bytes
  }

  override func modePages(_ selector: ModePageSelector) -> [ModePage] {
    let values = selector != .changeable
    var pages: [ModePage] = []
    // Read-write error recovery: nothing is retried or reallocated in secret. Disconnect-reconnect: the largest burst, in 512 bytes.
    pages.append(ModePage(0x01, [UInt8](repeating: 0, count: 10)))
    var disconnect = [UInt8](repeating: 0, count: 14)
    if values { disconnect.put(UInt16(SCSITarget.largestBurst / 512), at: 8) }
    pages.append(ModePage(0x02, disconnect))
    var geometry = [UInt8](repeating: 0, count: 22)
    if values {
      let cylinders = UInt32(min(max(blockCount / 4096, 1), 0xFF_FFFF))
      geometry.put(UInt16(truncatingIfNeeded: cylinders >> 8), at: 0)
      geometry[2] = UInt8(truncatingIfNeeded: cylinders)
      geometry[3] = 64
      geometry.put(UInt16(10000), at: 18)
    }
    pages.append(ModePage(0x04, geometry))
    pages.append(cachingPage(selector))
    // Control: unrestricted reordering of simple commands.
    var control = [UInt8](repeating: 0, count: 10)
    if values { control[1] = 0x10 }
    pages.append(ModePage(0x0A, control))
    return pages
  }

  override var vitalProductPages: [UInt8] { [0xB0, 0xB1] }

  override func vitalProductData(_ page: UInt8) -> [UInt8]? {
    switch page {
    case 0xB0:
      // Block limits (SBC-3, section 6.5.3): granularity 1, no largest transfer.
      var data: [UInt8] = [0, 0]
      data.append(big: UInt16(1))
      data.append(big: UInt32(0))
      data.append(big: Self.optimalBlocks)
      return data + [UInt8](repeating: 0, count: 60 - data.count)
    // Block device characteristics: nothing rotates.
    case 0xB1: return [0x00, 0x01] + [UInt8](repeating: 0, count: 58)
    default: return nil
    }
  }

  // MARK: Commands

  override func execute(_ task: inout SCSITask) throws(SCSISense) {
    let command = task.command
    switch command[0] {
    case SCSIOperation.read6, SCSIOperation.read10, SCSIOperation.read12, SCSIOperation.read16:
      let (offset, length) = try blocks(of: command)
      task.length = length
      task.direction = length == 0 ? .none : .toInitiator
      task.work = .read(offset: offset)
      if length == 0 { task.end(.good) }
    case SCSIOperation.write6, SCSIOperation.write10, SCSIOperation.write12, SCSIOperation.write16,
      SCSIOperation.writeAndVerify10, SCSIOperation.writeAndVerify12:
      let (offset, length) = try blocks(of: command)
      guard !isReadOnly else { throw .writeProtected }
      let isVerified = command[0] == SCSIOperation.writeAndVerify10 || command[0] == SCSIOperation.writeAndVerify12
      // WRITE(6) has no FUA; verifying what lies in a cache would prove nothing.
      let force = command[0] != SCSIOperation.write6 && command[1] & 8 != 0
      task.length = length
      task.direction = length == 0 ? .none : .fromInitiator
      task.work = .write(offset: offset)
      task.flushesAfterwards = force || isVerified || !state.writeCacheEnabled
      if length == 0 { task.end(.good) }
    case SCSIOperation.verify10, SCSIOperation.verify12, SCSIOperation.verify16: try verify(&task)
    case SCSIOperation.synchronizeCache10, SCSIOperation.synchronizeCache16:
      let isLong = command[0] == SCSIOperation.synchronizeCache16
      try checkReady()
      // Zero blocks are all the blocks to the end; either way everything is written.
      let block = isLong ? command.get(2, as: UInt64.self) : UInt64(command.get(2, as: UInt32.self))
      let count = isLong ? UInt64(command.get(10, as: UInt32.self)) : UInt64(command.get(7, as: UInt16.self))
      _ = try range(block, count: count)
      task.work = .flush
    case SCSIOperation.readCapacity10:
      try checkReady()
      guard command[8] & 1 != 0 || command.get(2, as: UInt32.self) == 0 else { throw .invalidField(inCommand: 2) }
      var data: [UInt8] = []
      data.append(big: UInt32(min(blockCount == 0 ? 0 : blockCount - 1, 0xFFFF_FFFF)))
      data.append(big: UInt32(blockSize))
      task.answer(data, allocated: 8)
    case SCSIOperation.serviceActionIn16:
      guard command[1] & 0x1F == 0x10 else { throw .invalidField(inCommand: 1) }
      try checkReady()
      var data: [UInt8] = []
      data.append(big: blockCount == 0 ? 0 : blockCount - 1)
      data.append(big: UInt32(blockSize))
      data.append(contentsOf: [UInt8](repeating: 0, count: 20))
      task.answer(data, allocated: Int(command.get(10, as: UInt32.self)))
    case SCSIOperation.readDefectData10:
      // Empty lists, in the format that was asked for.
      task.answer([0, command[2] & 0x1F, 0, 0], allocated: Int(command.get(7, as: UInt16.self)))
    case SCSIOperation.readDefectData12:
      task.answer([0, command[1] & 0x1F, 0, 0, 0, 0, 0, 0], allocated: Int(command.get(6, as: UInt32.self)))
    case SCSIOperation.seek10:
      try checkReady()
      _ = try range(UInt64(command.get(2, as: UInt32.self)), count: 1)
      task.end(.good)
    case SCSIOperation.seek6, SCSIOperation.rezeroUnit:
      try checkReady()
      task.end(.good)
    default: throw .invalidOperation
    }
  }

  /// VERIFY (SBC-2, section 5.20): the medium alone, or the initiator's data against it.
  private func verify(_ task: inout SCSITask) throws(SCSISense) {
    let (offset, length) = try blocks(of: task.command)
    if length == 0 {
      task.end(.good)
    } else if task.command[1] & 2 == 0 {
      task.work = .verify(offset: offset, remaining: length)
    } else {
      task.length = length
      task.direction = .fromInitiator
      task.work = .compare(offset: offset)
    }
  }

  /// The range of a command that reads, writes, or verifies, in bytes.
  private func blocks(of command: [UInt8]) throws(SCSISense) -> (offset: UInt64, length: UInt64) {
    try checkReady()
    // Protection information (bits 7:5) is not there to be checked.
    if command[0] > 0x1F && command[1] & 0xE0 != 0 { throw .invalidField(inCommand: 1) }
    switch command.count >= 6 ? command[0] >> 5 : 0 {
    case 0:
      let block = UInt64(command[1] & 0x1F) << 16 | UInt64(command.get(2, as: UInt16.self))
      // Zero blocks are 256 (SBC-2, section 5.5).
      return try range(block, count: command[4] == 0 ? 256 : UInt64(command[4]))
    case 4: return try range(command.get(2), count: UInt64(command.get(10, as: UInt32.self)))
    case 5: return try range(UInt64(command.get(2, as: UInt32.self)), count: UInt64(command.get(6, as: UInt32.self)))
    default: return try range(UInt64(command.get(2, as: UInt32.self)), count: UInt64(command.get(7, as: UInt16.self)))
    }
  }
}
