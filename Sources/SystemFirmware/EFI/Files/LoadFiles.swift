import FirmwareMedia

/// Files that device paths name, for LoadImage and the boot manager.
extension SystemFirmware {
  /// The handle with a file system whose path `path` begins with, and the number of nodes of it.
  func fileSystem(in path: DevicePath) -> (handle: UInt64, length: Int)? {
    var best: (handle: UInt64, length: Int)?
    for volume in storages where volume.fileSystem != nil {
      let own = volume.path.nodes
      guard own.count <= path.nodes.count, own.elementsEqual(path.nodes.prefix(own.count)) else { continue }
      if best.map({ $0.length < own.count }) ?? true { best = (volume.handle, own.count) }
    }
    return best
  }

  func readFile(_ path: DevicePath) -> Result<[UInt8], ServiceFailure> {
    guard let (handle, length) = fileSystem(in: path), let volume = storages.first(where: { $0.handle == handle })?.fileSystem,
      let name = DevicePath.fileName(path.nodes.dropFirst(length))
    else { return .failure(ServiceFailure(.notFound)) }
    do throws(FATFailure) {
      return .success(try volume.contents(try volume.find(path: name), limit: PEImage.largest))
    } catch { return .failure(ServiceFailure(Self.status(error))) }
  }
}
