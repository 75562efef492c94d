import HostResources

/// A CD-ROM drive (MMC-4) with one data track of 2048-byte sectors: what an ISO 9660 image is.
public final class SCSICDROM: SCSIUnit {
  public static let blockSize = 2048

  public init(storage: (any BlockStorage)?, serialNumber: String = "EPICURE0") {
    super.init(storage: storage, serialNumber: serialNumber, blockSize: Self.blockSize)
  }

  override var deviceType: UInt8 { 0x05 }
  override var isRemovable: Bool { true }
  override var product: String { "CD-ROM DRIVE" }
  override var versionDescriptors: [UInt16] { [0x03A0] }  // MMC-4

  /// Puts a medium in, or takes it out. Initiators learn of it.
  public func change(_ storage: (any BlockStorage)?) {
    self.storage = storage
    state.isStopped = false
    if storage != nil { attend(.mediumMayHaveChanged) }
  }

  /// Eject needs a medium that may go; the tray closes on nothing else than what `change` has put in.
  override func startStop(_ task: inout SCSITask, start: Bool, eject: Bool) throws(SCSISense) {
    if eject && !start {
      guard state.prevents == 0 else { throw .removalPrevented }
      storage = nil
      state.isStopped = false
      task.end(.good)
    } else {
      state.isStopped = !start
    }
  }

  override func modePages(_ selector: ModePageSelector) -> [ModePage] {
    // Capabilities and mechanical status (MMC-3's page): reads CD-R and CD-RW; a tray that can be locked and ejects.
    var capabilities = [UInt8](repeating: 0, count: 18)
    if selector != .changeable {
      capabilities[0] = 0x03
      capabilities[4] = 0x29 | (state.prevents != 0 ? 0x02 : 0)
      // 40 times 176.4 kB/s, with a buffer of 2 MiB.
      capabilities.put(UInt16(7056), at: 6)
      capabilities.put(UInt16(2048), at: 10)
      capabilities.put(UInt16(7056), at: 12)
    }
    return [ModePage(0x01, [UInt8](repeating: 0, count: 10)), ModePage(0x2A, capabilities)]
  }

  // MARK: Commands

  override func execute(_ task: inout SCSITask) throws(SCSISense) {
    let command = task.command
    switch command[0] {
    case SCSIOperation.read10: try read(&task, UInt64(command.get(7, as: UInt16.self)))
    case SCSIOperation.read12: try read(&task, UInt64(command.get(6, as: UInt32.self)))
    case SCSIOperation.readCD:
      // User data of mode 1 sectors alone (MMC-4, section 6.21); nothing, if no part of a sector is asked for.
      guard [0, 1 << 2].contains(command[1] & 0x1C) else { throw .illegalModeForTrack }
      guard command[9] & 0xF8 != 0 else {
        try checkReady()
        return task.end(.good)
      }
      guard command[9] & 0xF8 == 0x10, command[10] & 7 == 0 else { throw .invalidField(inCommand: 9) }
      try read(&task, UInt64(command[6]) << 16 | UInt64(command.get(7, as: UInt16.self)))
    case SCSIOperation.readCapacity10:
      try checkReady()
      var data: [UInt8] = []
      data.append(big: UInt32(truncatingIfNeeded: blockCount == 0 ? 0 : blockCount - 1))
      data.append(big: UInt32(blockSize))
      task.answer(data, allocated: 8)
    case SCSIOperation.readTOC: try readTOC(&task)
    case SCSIOperation.getConfiguration: try getConfiguration(&task)
    case SCSIOperation.getEventStatus: try getEventStatus(&task)
    case SCSIOperation.readDiscInformation:
      try checkReady()
      guard command[1] & 7 == 0 else { throw .invalidField(inCommand: 1) }
      // A complete, finalised disc of one session and one track (MMC-4, section 6.26).
      var data = [UInt8](repeating: 0, count: 34)
      data.put(UInt16(32), at: 0)
      data[2] = 0x0E
      for n in 3...6 { data[n] = 1 }
      data.put(UInt32.max, at: 16)
      data.put(UInt32.max, at: 20)
      task.answer(data, allocated: Int(command.get(7, as: UInt16.self)))
    case SCSIOperation.verify10:
      let (offset, length) = try blocks(task.command, UInt64(command.get(7, as: UInt16.self)))
      guard command[1] & 2 == 0 else { throw .invalidField(inCommand: 1) }
      task.work = .verify(offset: offset, remaining: length)
      if length == 0 { task.end(.good) }
    case SCSIOperation.seek10:
      _ = try blocks(command, 1)
      task.end(.good)
    case SCSIOperation.synchronizeCache10: task.end(.good)
    default: throw .invalidOperation
    }
  }

  private func blocks(_ command: [UInt8], _ count: UInt64) throws(SCSISense) -> (offset: UInt64, length: UInt64) {
    try checkReady()
    return try range(UInt64(command.get(2, as: UInt32.self)), count: count)
  }

  private func read(_ task: inout SCSITask, _ count: UInt64) throws(SCSISense) {
    let (offset, length) = try blocks(task.command, count)
    task.length = length
    task.direction = length == 0 ? .none : .toInitiator
    task.work = .read(offset: offset)
    if length == 0 { task.end(.good) }
  }

  // MARK: Tables

  /// Minute, second, frame; 150 frames of lead-in come before block 0.
  private func address(_ block: UInt64, asTime: Bool) -> [UInt8] {
    if asTime {
      let frames = block + 150
      return [0, UInt8(truncatingIfNeeded: frames / 4500), UInt8(frames / 75 % 60), UInt8(frames % 75)]
    }
    var bytes: [UInt8] = []
    bytes.append(big: UInt32(truncatingIfNeeded: block))
    return bytes
  }

  /// READ TOC/PMA/ATIP (MMC-4, section 6.31): the table, and the sessions.
  private func readTOC(_ task: inout SCSITask) throws(SCSISense) {
    let command = task.command
    try checkReady()
    let asTime = command[1] & 2 != 0
    // Drives of before MMC had the format in the control byte.
    let format = command[2] & 0xF != 0 ? command[2] & 0xF : command[9] >> 6
    let first = command[6]
    func track(_ number: UInt8, at block: UInt64) -> [UInt8] { [0, 0x14, number, 0] + address(block, asTime: asTime) }
    var entries: [UInt8]
    switch format {
    case 0:
      guard first <= 1 || first == 0xAA else { throw .invalidField(inCommand: 6) }
      entries = first <= 1 ? track(1, at: 0) : []
      entries += track(0xAA, at: blockCount)
    case 1: entries = track(1, at: 0)
    default: throw .invalidField(inCommand: 2)
    }
    var data: [UInt8] = []
    data.append(big: UInt16(entries.count + 2))
    task.answer(data + [1, 1] + entries, allocated: Int(command.get(7, as: UInt16.self)))
  }

  /// GET CONFIGURATION (MMC-4, section 6.5): the profile CD-ROM.
  private func getConfiguration(_ task: inout SCSITask) throws(SCSISense) {
    let command = task.command
    let mode = command[1] & 3
    guard mode != 3 else { throw .invalidField(inCommand: 1) }
    let start = command.get(2, as: UInt16.self)
    let present: UInt8 = storage == nil ? 0 : 1
    func feature(_ code: UInt16, version: UInt8, isCurrent: Bool, isPersistent: Bool, _ data: [UInt8]) -> (UInt16, Bool, [UInt8]) {
      var bytes: [UInt8] = []
      bytes.append(big: code)
      bytes += [version << 2 | (isPersistent ? 2 : 0) | (isCurrent ? 1 : 0), UInt8(data.count)] + data
      return (code, isCurrent, bytes)
    }
    let features = [
      feature(0x0000, version: 0, isCurrent: true, isPersistent: true, [0x00, 0x08, present, 0]),
      // Core: SCSI family. Morphing. Removable medium: a tray that ejects and locks.
      feature(0x0001, version: 0, isCurrent: true, isPersistent: true, [0, 0, 0, 1]),
      feature(0x0002, version: 0, isCurrent: true, isPersistent: true, [0, 0, 0, 0]),
      feature(0x0003, version: 0, isCurrent: true, isPersistent: true, [0x29, 0, 0, 0]),
      feature(0x0010, version: 0, isCurrent: present == 1, isPersistent: false, [0, 0, 0x08, 0, 0, 1, 0, 0]),
      feature(0x001E, version: 1, isCurrent: present == 1, isPersistent: false, [0, 0, 0, 0]),
    ]
    var list: [UInt8] = []
    for (code, isCurrent, bytes) in features where mode == 2 ? code == start : code >= start && (mode == 0 || isCurrent) {
      list += bytes
    }
    var data: [UInt8] = []
    data.append(big: UInt32(list.count + 4))
    data += [0, 0, 0, present * 8]
    task.answer(data + list, allocated: Int(command.get(7, as: UInt16.self)))
  }

  /// GET EVENT STATUS NOTIFICATION (MMC-4, section 6.6), polled: the medium's class alone, and nothing has happened.
  private func getEventStatus(_ task: inout SCSITask) throws(SCSISense) {
    let command = task.command
    guard command[1] & 1 != 0 else { throw .invalidField(inCommand: 1) }
    let allocated = Int(command.get(7, as: UInt16.self))
    guard command[4] & 0x10 != 0 else { return task.answer([0, 2, 0x80, 0x10], allocated: allocated) }
    task.answer([0, 6, 0x04, 0x10, 0, storage == nil ? 0 : 2, 0, 0], allocated: allocated)
  }
}
