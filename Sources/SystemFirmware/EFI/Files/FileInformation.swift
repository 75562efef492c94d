import FirmwareMedia
import Processor

/// GetInfo and SetInfo (EFI 1.10, section 11.5).
extension SystemFirmware {
  private static func put(_ time: FATTime, _ w: inout ByteWriter) {
    let calendar = CalendarTime(
      year: time.year, month: time.month, day: time.day, hour: time.hour, minute: time.minute, second: time.second)
    var encoded = calendar.encoded(nanoseconds: 0)
    // The file system does not know its time zone.
    encoded.set(Int16(0x7FF), at: 12)
    w.put(bytes: encoded.bytes)
  }

  /// EFI_FILE_INFO.
  static func information(_ node: FATNode, _ volume: FATVolume) -> [UInt8] {
    var w = ByteWriter()
    let size = node.isDirectory ? 0 : UInt64(node.size)
    let unit = UInt64(volume.clusterSize)
    w.put(UInt64(80 + 2 * (node.name.count + 1)))
    w.put(size)
    w.put((size + unit - 1) / unit * unit)
    for time in [node.created, node.accessed, node.modified] { put(time, &w) }
    w.put(UInt64(node.attributes & 0x37))
    for unit in node.name { w.put(unit) }
    w.put(UInt16(0))
    return w.bytes
  }

  private func file(_ call: GuestCall) -> (file: OpenFile, volume: FATVolume)? {
    guard let file = boot?.files[call.argument(0)], let volume = storages[file.volume].fileSystem else { return nil }
    return (file, volume)
  }

  /// in1 kind of information, in2 size, in3 buffer.
  func getInfo(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard let (file, volume) = file(call), call.argument(1) != 0, call.argument(2) != 0 else { return .status(.invalidParameter) }
    let room: UInt64 = try call.load(call.argument(2))
    let kind = GUID(bytes: try call.read(call.argument(1), count: 16))
    var w = ByteWriter()
    do throws(FATFailure) {
      switch kind {
      case .fileInfo?: w.put(bytes: Self.information(try volume.refreshed(volume.placeholder(file.location)), volume))
      case .fileSystemInfo?:
        let label = try volume.label()
        w.put(UInt64(36 + 2 * (label.count + 1)))
        w.put(UInt64(storages[file.volume].isReadOnly ? 1 : 0))
        w.put(volume.size)
        w.put(try volume.freeBytes())
        w.put(UInt32(volume.clusterSize))
        for unit in label + [0] { w.put(unit) }
      case .volumeLabel?: for unit in try volume.label() + [0] { w.put(unit) }
      default: return .status(.unsupported)
      }
    } catch { return .status(Self.status(error)) }
    guard room >= UInt64(w.count) else {
      try call.store(call.argument(2), UInt64(w.count))
      return .status(.bufferTooSmall)
    }
    try call.check(call.argument(3), count: w.count)
    try call.store(call.argument(2), UInt64(w.count))
    try call.write(call.argument(3), w.bytes)
    return .success
  }

  /// in1 kind of information, in2 size, in3 buffer.
  func setInfo(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard let (file, volume) = file(call), call.argument(1) != 0, call.argument(3) != 0 else { return .status(.invalidParameter) }
    let kind = GUID(bytes: try call.read(call.argument(1), count: 16))
    guard kind == .fileInfo else { return .status(.unsupported) }
    guard !storages[file.volume].isReadOnly else { return .status(.writeProtected) }
    guard 82...0x10_0000 ~= call.argument(2) else { return .status(.badBufferSize) }
    let bytes = try call.read(call.argument(3), count: Int(call.argument(2)))
    func integer(_ offset: Int) -> UInt64 { bytes[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    guard integer(0) <= UInt64(bytes.count), integer(72) & ~0x37 == 0 else { return .status(.invalidParameter) }
    let name = stride(from: 80, to: bytes.count - 1, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }.prefix {
      $0 != 0
    }
    // A time of zeros leaves the time as it is.
    func time(_ offset: Int, _ old: FATTime) -> FATTime? {
      let field = Array(bytes[offset..<offset + 16])
      if field.allSatisfy({ $0 == 0 }) { return old }
      guard let (t, _, _) = CalendarTime.decode(field) else { return nil }
      return FATTime(year: t.year, month: t.month, day: t.day, hour: t.hour, minute: t.minute, second: t.second)
    }
    do throws(FATFailure) {
      var node = try volume.refreshed(volume.placeholder(file.location))
      guard !node.isRoot else { return .status(.accessDenied) }
      guard let created = time(24, node.created), let accessed = time(40, node.accessed), let modified = time(56, node.modified)
      else {
        return .status(.invalidParameter)
      }
      let attributes = UInt8(integer(72))
      guard (attributes & FATAttribute.directory != 0) == node.isDirectory else { return .status(.accessDenied) }
      // Only the attributes of a file that was opened for reading, or is read-only, can change.
      let changesMore = !node.isDirectory && integer(8) != UInt64(node.size) || Array(name) != node.name
      guard !changesMore || file.mayWrite && node.attributes & FATAttribute.readOnly == 0 else { return .status(.accessDenied) }
      if !node.isDirectory, integer(8) != UInt64(node.size) {
        guard integer(8) <= FATVolume.largestFile else { return .status(.volumeFull) }
        node = try volume.resize(node, to: UInt32(integer(8)), time: node.modified)
      }
      if !name.isEmpty, Array(name) != node.name {
        let old = node.location
        let path = Array(name)
        if let split = path.lastIndex(of: 0x5C) {
          let parent = try volume.find(path: split == 0 ? [0x5C] : Array(path[..<split]), from: volume.root)
          node = try volume.rename(node, to: Array(path[(split + 1)...]), in: parent)
        } else {
          node = try volume.rename(node, to: path, in: try volume.parent(of: node))
        }
        // Other handles of the file follow it.
        for (handle, other) in boot?.files ?? [:] where other.volume == file.volume && other.location == old {
          boot?.files[handle]?.location = node.location
        }
      }
      _ = try volume.setting(node, attributes: attributes, created: created, accessed: accessed, modified: modified)
    } catch { return .status(error == .exists ? .accessDenied : Self.status(error)) }
    return .success
  }
}
