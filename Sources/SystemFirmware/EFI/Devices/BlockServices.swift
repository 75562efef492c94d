import FirmwareMedia
import HostResources
import Platform
import Processor

/// Block I/O and Disk I/O (EFI 1.10, sections 11.6 and 11.7).
extension SystemFirmware {
  /// Makes handles for all media, their partitions and file systems.
  func connectMedia() {
    for (index, medium) in media.enumerated() {
      let blockSize = medium.isCD ? 2048 : 512
      let whole = MediumRange(medium.storage)
      addVolume(
        FirmwareVolume(range: whole, blockSize: blockSize, medium: medium, mediumID: UInt32(index + 1), path: medium.path),
        isPartition: false)
      for partition in Partition.all(on: whole, blockSize: blockSize).prefix(128) {
        let path = medium.path + Self.node(partition)
        addVolume(
          FirmwareVolume(
            range: partition.range(of: whole), blockSize: blockSize, medium: medium, mediumID: UInt32(index + 1), path: path),
          isPartition: true)
      }
    }
  }

  private static func node(_ partition: Partition) -> [UInt8] {
    switch partition.kind {
    case .mbr(let signature, _):
      var bytes = ByteWriter()
      bytes.put(signature)
      bytes.zeros(12)
      return DevicePath.hardDrive(
        partition: partition.number, start: partition.start, size: partition.count, signature: bytes.bytes, format: 1,
        signatureKind: 1)
    case .gpt(_, let identifier):
      return DevicePath.hardDrive(
        partition: partition.number, start: partition.start, size: partition.count, signature: identifier, format: 2,
        signatureKind: 2)
    case .bootImage: return DevicePath.cdrom(entry: partition.number, start: partition.start, size: partition.count)
    }
  }

  private func addVolume(_ volume: FirmwareVolume, isPartition: Bool) {
    let blocks = volume.range.size / UInt64(volume.blockSize)
    guard blocks > 0 else { return }
    var w = ByteWriter()
    w.put(volume.mediumID)
    for flag in [volume.isRemovable, true, isPartition, volume.isReadOnly, true] { w.put(UInt8(flag ? 1 : 0)) }
    w.align(4)
    w.put(UInt32(volume.blockSize))
    w.put(UInt32(0))  // alignment of buffers: none
    w.align(8)
    w.put(blocks - 1)
    guard let mediumTable = place(w.bytes), let path = place(volume.path.bytes),
      let block = placeInterface(
        [.blockReset, .readBlocks, .writeBlocks, .flushBlocks], header: [0x0001_0000, mediumTable]),
      let disk = placeInterface([.readDisk, .writeDisk], header: [0x0001_0000]),
      let handle = install(.devicePath, path, on: nil)
    else { return }
    let index = storages.count
    volume.handle = handle
    storages.append(volume)
    _ = install(.blockIO, block, on: handle)
    _ = install(.diskIO, disk, on: handle)
    boot?.volumes[block] = index
    boot?.volumes[disk] = index
    if volume.fileSystem != nil, let system = placeInterface([.openVolume], header: [0x0001_0000]) {
      _ = install(.simpleFileSystem, system, on: handle)
      boot?.volumes[system] = index
    }
  }

  /// The volume whose interface a function was called for.
  func volume(_ call: GuestCall) -> FirmwareVolume? { boot?.volumes[call.argument(0)].map { storages[$0] } }

  static func status(_ failure: StorageFailure) -> EFIStatus {
    switch failure {
    case .outside: .invalidParameter
    case .readOnly: .writeProtected
    case .noSpace, .host: .deviceError
    }
  }

  // MARK: Transfers

  private func transfer(
    _ call: GuestCall, _ volume: FirmwareVolume, at offset: UInt64, count: UInt64, buffer: UInt64, writes: Bool
  ) throws(GuestAccessFailure) -> EFIStatus {
    guard count == 0 || buffer != 0 else { return .invalidParameter }
    guard count <= UInt64(Int.max), offset <= volume.range.size, count <= volume.range.size - offset else {
      return .invalidParameter
    }
    if writes {
      guard !volume.isReadOnly else { return .writeProtected }
      var done: UInt64 = 0
      for piece in try call.pieces(buffer, Int(count)) {
        do throws(StorageFailure) { try volume.range.write(at: offset + done, from: UnsafeRawBufferPointer(piece)) } catch {
          return Self.status(error)
        }
        done += UInt64(piece.count)
      }
      // What others know of the medium is old.
      for other in storages where other.range.storage === volume.range.storage { other.mount() }
      return .success
    }
    let failure = try call.fill(buffer, count: Int(count)) { (piece, done) throws(StorageFailure) in
      try volume.range.read(at: offset + UInt64(done), into: piece)
    }
    return failure.map(Self.status) ?? .success
  }

  /// in1 medium, in2 first block, in3 bytes, in4 buffer.
  private func blocks(_ call: GuestCall, writes: Bool) throws(GuestAccessFailure) -> ServiceOutcome {
    guard let volume = volume(call) else { return .status(.invalidParameter) }
    guard UInt32(truncatingIfNeeded: call.argument(1)) == volume.mediumID else { return .status(.mediaChanged) }
    let unit = UInt64(volume.blockSize)
    guard call.argument(3) % unit == 0 else { return .status(.badBufferSize) }
    let (offset, overflow) = call.argument(2).multipliedReportingOverflow(by: unit)
    guard !overflow else { return .status(.invalidParameter) }
    return .status(
      try transfer(call, volume, at: offset, count: call.argument(3), buffer: call.argument(4), writes: writes))
  }

  func readBlocks(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome { try blocks(call, writes: false) }
  func writeBlocks(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome { try blocks(call, writes: true) }

  func flushBlocks(_ call: GuestCall) -> ServiceOutcome {
    guard let volume = volume(call) else { return .status(.invalidParameter) }
    do throws(StorageFailure) { try volume.range.storage.flush() } catch { return .status(Self.status(error)) }
    return .success
  }

  /// in1 medium, in2 byte offset, in3 bytes, in4 buffer.
  private func bytes(_ call: GuestCall, writes: Bool) throws(GuestAccessFailure) -> ServiceOutcome {
    guard let volume = volume(call) else { return .status(.invalidParameter) }
    guard UInt32(truncatingIfNeeded: call.argument(1)) == volume.mediumID else { return .status(.mediaChanged) }
    return .status(
      try transfer(call, volume, at: call.argument(2), count: call.argument(3), buffer: call.argument(4), writes: writes))
  }

  func readDisk(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome { try bytes(call, writes: false) }
  func writeDisk(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome { try bytes(call, writes: true) }
}
