import FirmwareMedia
import Platform
import Processor

/// Simple File System and File on FAT (EFI 1.10, sections 11.4 and 11.5).
extension SystemFirmware {
  /// Handles that may be open at a time.
  private static let maximumFiles = 1024
  /// Open's mode: make the file if it does not exist.
  private static let create: UInt64 = 1 << 63

  static func status(_ failure: FATFailure) -> EFIStatus {
    switch failure {
    case .notFAT, .corrupted: .volumeCorrupted
    case .notFound: .notFound
    case .exists, .directoryNotEmpty, .isADirectory: .accessDenied
    case .full: .volumeFull
    case .readOnly: .writeProtected
    case .notADirectory: .notFound
    case .badName: .invalidParameter
    case .tooLarge: .volumeFull
    case .storage(let failure): status(failure)
    }
  }

  private func fat(_ file: OpenFile) -> FATVolume? { file.volume < storages.count ? storages[file.volume].fileSystem : nil }

  private func node(_ file: OpenFile, _ volume: FATVolume) throws(FATFailure) -> FATNode {
    try volume.refreshed(volume.placeholder(file.location))
  }

  private func now(_ call: GuestCall) -> FATTime {
    let time = CalendarTime(unixTime: clock(call.processor).seconds)
    return FATTime(
      year: time.year, month: time.month, day: time.day, hour: time.hour, minute: time.minute, second: time.second)
  }

  private func makeHandle(_ file: OpenFile) -> UInt64? {
    guard (boot?.files.count ?? 0) < Self.maximumFiles,
      let address = placeInterface(
        [
          .fileOpen, .fileClose, .fileDelete, .fileRead, .fileWrite, .fileGetPosition, .fileSetPosition, .fileGetInfo, .fileSetInfo,
          .fileFlush,
        ], header: [0x0001_0000])
    else { return nil }
    boot?.files[address] = file
    return address
  }

  /// in1 root.
  func openVolume(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard call.argument(1) != 0, let index = boot?.volumes[call.argument(0)], storages[index].fileSystem != nil else {
      return .status(.invalidParameter)
    }
    try call.check(call.argument(1), count: 8)
    guard
      let handle = makeHandle(OpenFile(volume: index, location: .root, isDirectory: true, mayWrite: !storages[index].isReadOnly))
    else { return .status(.outOfResources) }
    try call.store(call.argument(1), handle)
    return .success
  }

  /// in1 new handle, in2 name, in3 mode, in4 attributes.
  func openFile(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard let directory = boot?.files[call.argument(0)], let volume = fat(directory), call.argument(1) != 0, call.argument(2) != 0
    else { return .status(.invalidParameter) }
    let mode = call.argument(3)
    guard [1, 3, 3 | Self.create].contains(mode) else { return .status(.invalidParameter) }
    guard let name = try readString(call.argument(2), call) else { return .status(.invalidParameter) }
    try call.check(call.argument(1), count: 8)
    let attributes = UInt8(truncatingIfNeeded: call.argument(4))
    let writes = mode & 2 != 0
    if writes, storages[directory.volume].isReadOnly { return .status(.writeProtected) }
    let found: FATNode
    do throws(FATFailure) {
      let base = try node(directory, volume)
      // Relative to a file: to its directory there is no way.
      let start = base.isDirectory ? base : volume.root
      do throws(FATFailure) { found = try volume.find(path: name, from: start) } catch {
        guard error == .notFound, mode & Self.create != 0 else { throw error }
        guard call.argument(4) & ~0x37 == 0 else { return .status(.invalidParameter) }
        let split = name.lastIndex(of: 0x5C)
        let parent =
          try split.map { (place) throws(FATFailure) in
            try volume.find(path: Array(name[..<place]) + (place == 0 ? [0x5C] : []), from: start)
          } ?? start
        found = try volume.create(Array(name[(split.map { $0 + 1 } ?? 0)...]), in: parent, attributes: attributes, time: now(call))
      }
    } catch { return .status(Self.status(error)) }
    if writes, found.attributes & FATAttribute.readOnly != 0, mode & Self.create == 0 { return .status(.accessDenied) }
    guard
      let handle = makeHandle(
        OpenFile(volume: directory.volume, location: found.location, isDirectory: found.isDirectory, mayWrite: writes))
    else { return .status(.outOfResources) }
    try call.store(call.argument(1), handle)
    return .success
  }

  func closeFile(_ call: GuestCall) -> ServiceOutcome {
    guard boot?.files.removeValue(forKey: call.argument(0)) != nil else { return .status(.invalidParameter) }
    _ = freePool(call.argument(0))
    return .success
  }

  /// Closes the handle in any case; a file that cannot be deleted is a warning.
  func deleteFile(_ call: GuestCall) -> ServiceOutcome {
    guard let file = boot?.files.removeValue(forKey: call.argument(0)) else { return .status(.invalidParameter) }
    _ = freePool(call.argument(0))
    guard let volume = fat(file), file.mayWrite else { return .status(.warnDeleteFailure) }
    do throws(FATFailure) {
      let node = try node(file, volume)
      guard node.attributes & FATAttribute.readOnly == 0 else { return .status(.warnDeleteFailure) }
      try volume.remove(node)
    } catch { return .status(.warnDeleteFailure) }
    return .success
  }

  /// in1 size, in2 buffer.
  func readFile(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard let file = boot?.files[call.argument(0)], let volume = fat(file), call.argument(1) != 0 else {
      return .status(.invalidParameter)
    }
    let room: UInt64 = try call.load(call.argument(1))
    if file.isDirectory { return try readDirectory(file, volume, room, call) }
    let node: FATNode
    do throws(FATFailure) { node = try self.node(file, volume) } catch {
      return .status(error == .notFound ? .deviceError : Self.status(error))
    }
    guard file.position <= UInt64(node.size) else { return .status(.deviceError) }
    let count = min(room, UInt64(node.size) - file.position)
    guard count == 0 || call.argument(2) != 0 else { return .status(.invalidParameter) }
    let failure = try call.fill(call.argument(2), count: Int(count)) { (piece, done) throws(FATFailure) in
      guard try volume.read(node, at: file.position + UInt64(done), into: piece) == piece.count else { throw .corrupted }
    }
    if let failure { return .status(Self.status(failure)) }
    boot?.files[call.argument(0)]?.position = file.position + count
    try call.store(call.argument(1), count)
    return .success
  }

  private func readDirectory(
    _ file: OpenFile, _ volume: FATVolume, _ room: UInt64, _ call: GuestCall
  ) throws(GuestAccessFailure) -> ServiceOutcome {
    let entries: [FATNode]
    do throws(FATFailure) { entries = try volume.list(try node(file, volume)) } catch { return .status(Self.status(error)) }
    guard file.position < UInt64(entries.count) else {
      try call.store(call.argument(1), UInt64(0))
      return .success
    }
    let bytes = Self.information(entries[Int(file.position)], volume)
    guard room >= UInt64(bytes.count) else {
      try call.store(call.argument(1), UInt64(bytes.count))
      return .status(.bufferTooSmall)
    }
    try call.check(call.argument(2), count: bytes.count)
    try call.store(call.argument(1), UInt64(bytes.count))
    try call.write(call.argument(2), bytes)
    boot?.files[call.argument(0)]?.position += 1
    return .success
  }

  /// in1 size, in2 buffer.
  func writeFile(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard let file = boot?.files[call.argument(0)], let volume = fat(file), call.argument(1) != 0 else {
      return .status(.invalidParameter)
    }
    guard !file.isDirectory else { return .status(.unsupported) }
    guard file.mayWrite else { return .status(.accessDenied) }
    try call.check(call.argument(1), count: 8)
    let count: UInt64 = try call.load(call.argument(1))
    guard count <= FATVolume.largestFile else { return .status(.volumeFull) }
    let pieces = try call.pieces(call.argument(2), Int(count))
    var done: UInt64 = 0
    var failure: FATFailure?
    do throws(FATFailure) {
      var node = try node(file, volume)
      for piece in pieces {
        node = try volume.write(node, at: file.position + done, UnsafeRawBufferPointer(piece), time: now(call))
        done += UInt64(piece.count)
      }
    } catch { failure = error }
    boot?.files[call.argument(0)]?.position = file.position + done
    try call.store(call.argument(1), done)
    return .status(failure.map(Self.status) ?? .success)
  }

  /// in1 position.
  func getPosition(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard let file = boot?.files[call.argument(0)], call.argument(1) != 0 else { return .status(.invalidParameter) }
    guard !file.isDirectory else { return .status(.unsupported) }
    try call.store(call.argument(1), file.position)
    return .success
  }

  /// in1 position; all ones: the end. A directory can only be rewound.
  func setPosition(_ call: GuestCall) -> ServiceOutcome {
    guard let file = boot?.files[call.argument(0)], let volume = fat(file) else { return .status(.invalidParameter) }
    var position = call.argument(1)
    if file.isDirectory {
      guard position == 0 else { return .status(.unsupported) }
    } else if position == .max {
      do throws(FATFailure) { position = UInt64(try node(file, volume).size) } catch { return .status(Self.status(error)) }
    }
    boot?.files[call.argument(0)]?.position = position
    return .success
  }

  func flushFile(_ call: GuestCall) -> ServiceOutcome {
    guard let file = boot?.files[call.argument(0)], let volume = fat(file) else { return .status(.invalidParameter) }
    guard file.mayWrite else { return .status(.accessDenied) }
    do throws(FATFailure) { try volume.flush() } catch { return .status(Self.status(error)) }
    return .success
  }
}
