import HostResources

/// A FAT12, FAT16 or FAT32 file system (Microsoft FAT specification, revision 1.03), with long names. Every operation leaves the medium
/// consistent; nothing is kept back. The medium's contents are not trusted.
public final class FATVolume {
  let medium: MediumRange
  let geometry: FATGeometry
  var table: FATTable
  /// The chain that was followed last, by its first cluster.
  var lastChain: (first: UInt32, clusters: [UInt32])?
  /// Free clusters; nil until somebody asks, or writes.
  var freeClusters: UInt32?

  public var isReadOnly: Bool { medium.storage.isReadOnly }
  public var size: UInt64 { UInt64(geometry.clusterCount) * UInt64(geometry.clusterSize) }
  public var clusterSize: Int { geometry.clusterSize }

  public init(_ medium: MediumRange) throws(FATFailure) {
    self.medium = medium
    guard medium.size >= 512 else { throw .notFAT }
    let boot: [UInt8]
    do throws(StorageFailure) { boot = try medium.read(at: 0, count: 512) } catch { throw .storage(error) }
    geometry = try FATGeometry(bootSector: boot, mediumSize: medium.size)
    table = FATTable(medium, geometry)
  }

  func readMedium(at offset: UInt64, count: Int) throws(FATFailure) -> [UInt8] {
    do throws(StorageFailure) { return try medium.read(at: offset, count: count) } catch { throw .storage(error) }
  }
  func writeMedium(at offset: UInt64, _ bytes: [UInt8]) throws(FATFailure) {
    do throws(StorageFailure) { try medium.write(at: offset, bytes) } catch {
      throw error == .noSpace ? .full : error == .readOnly ? .readOnly : .storage(error)
    }
  }

  func chain(_ first: UInt32) throws(FATFailure) -> [UInt32] {
    if let lastChain, lastChain.first == first { return lastChain.clusters }
    let clusters = try table.chain(first, limit: .max)
    lastChain = (first, clusters)
    return clusters
  }

  // MARK: Directories

  public var root: FATNode {
    let none = FATTime(date: 0x21, time: 0)
    return FATNode(
      location: .root, name: [], attributes: FATAttribute.directory, firstCluster: 0, size: 0, created: none, accessed: none,
      modified: none, start: 0)
  }

  /// The directory whose first cluster is `first`; 0: the root.
  func directory(_ first: UInt32) throws(FATFailure) -> FATDirectory {
    if first == 0 && geometry.width != .fat32 {
      return FATDirectory(first: 0, clusters: [], bytes: try readMedium(at: geometry.rootStart, count: geometry.rootSize))
    }
    let start = first == 0 ? geometry.rootCluster : first
    let clusters = try table.chain(start, limit: FATDirectory.largest / geometry.clusterSize + 1)
    var bytes: [UInt8] = []
    for cluster in clusters.prefix(FATDirectory.largest / geometry.clusterSize) {
      bytes += try readMedium(at: geometry.offset(ofCluster: cluster), count: geometry.clusterSize)
    }
    return FATDirectory(first: first, clusters: clusters, bytes: bytes)
  }

  /// Where byte `offset` of a directory is on the medium.
  func place(_ offset: Int, in directory: FATDirectory) -> UInt64 {
    if directory.clusters.isEmpty { return geometry.rootStart + UInt64(offset) }
    return geometry.offset(ofCluster: directory.clusters[offset / geometry.clusterSize]) + UInt64(offset % geometry.clusterSize)
  }

  /// The directory that a node is; its first cluster as ".." entries have it.
  func directory(of node: FATNode) throws(FATFailure) -> FATDirectory {
    guard node.isDirectory else { throw .notADirectory }
    if node.isRoot { return try directory(0) }
    guard node.firstCluster != 0 else {
      // Only ".." of a directory in the root says 0.
      guard node.name == [0x2E, 0x2E] else { throw .corrupted }
      return try directory(0)
    }
    return try directory(node.firstCluster)
  }

  /// The files of a directory in their order, "." and ".." among them.
  public func list(_ node: FATNode) throws(FATFailure) -> [FATNode] { try directory(of: node).nodes().map(masked) }

  /// Only FAT32 has the upper half of cluster numbers.
  private func masked(_ node: FATNode) -> FATNode {
    var node = node
    if geometry.width != .fat32 { node.firstCluster &= 0xFFFF } else { node.firstCluster &= 0x0FFF_FFFF }
    return node
  }

  /// A file by its name, in any case.
  public func find(_ name: [UInt16], in parent: FATNode) throws(FATFailure) -> FATNode? {
    if parent.isRoot, name == [0x2E] || name == [0x2E, 0x2E] { return parent }
    let wanted = FATName.fold(FATName.valid(name) ?? name)
    guard let node = try list(parent).first(where: { FATName.fold($0.name) == wanted }) else { return nil }
    // ".." of a directory in the root is the root.
    if node.name == [0x2E, 0x2E], node.firstCluster == 0 { return root }
    return node
  }

  /// A file by its path from `directory`, its parts separated by backslashes; one at the beginning: from the root.
  public func find(path: [UInt16], from directory: FATNode) throws(FATFailure) -> FATNode {
    var node = path.first == 0x5C ? root : directory
    for part in path.split(separator: 0x5C) {
      guard node.isDirectory else { throw .notFound }
      guard let next = try find(Array(part), in: node) else { throw .notFound }
      node = next
    }
    return node
  }

  public func find(path: String) throws(FATFailure) -> FATNode { try find(path: Array(path.utf16), from: root) }

  /// A node of which only the place is known, for ``refreshed(_:)``.
  public func placeholder(_ location: FATLocation) -> FATNode {
    var node = root
    node.location = location
    return node
  }

  /// The directory that a file is in.
  public func parent(of node: FATNode) throws(FATFailure) -> FATNode {
    guard node.location.directory != 0 else { return root }
    var parent = root
    parent.location = FATLocation(directory: node.location.directory, offset: 0)
    parent.firstCluster = node.location.directory
    return parent
  }

  /// The node as the medium has it now: another handle may have changed it.
  public func refreshed(_ node: FATNode) throws(FATFailure) -> FATNode {
    guard let offset = node.location.offset else { return root }
    let directory = try directory(node.location.directory)
    guard let now = directory.nodes().first(where: { $0.location.offset == offset }) else { throw .notFound }
    return masked(now)
  }

  public func label() throws(FATFailure) -> [UInt16] { try directory(0).label() ?? [] }

  // MARK: Contents

  /// Fills `buffer` with a file's bytes from `offset` on; returns how many there were.
  public func read(_ node: FATNode, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FATFailure) -> Int {
    guard !node.isDirectory else { throw .isADirectory }
    guard offset < UInt64(node.size) else { return 0 }
    let count = Int(min(UInt64(buffer.count), UInt64(node.size) - offset))
    let clusters = try chain(node.firstCluster)
    var done = 0
    while done < count {
      let position = Int(offset) + done
      let index = position / geometry.clusterSize
      guard index < clusters.count else { throw .corrupted }
      // As many clusters at once as follow each other on the medium.
      var run = 1
      let within = position % geometry.clusterSize
      while index + run < clusters.count, clusters[index + run] == clusters[index] + UInt32(run),
        run * geometry.clusterSize - within < count - done
      { run += 1 }
      let length = min(count - done, run * geometry.clusterSize - within)
      let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + length])
      do throws(StorageFailure) {
        try medium.read(at: geometry.offset(ofCluster: clusters[index]) + UInt64(within), into: piece)
      } catch { throw .storage(error) }
      done += length
    }
    return done
  }

  /// A whole file.
  public func contents(_ node: FATNode, limit: Int) throws(FATFailure) -> [UInt8] {
    guard Int(node.size) <= limit else { throw .tooLarge }
    var bytes = [UInt8](repeating: 0, count: Int(node.size))
    var failure: FATFailure?
    let count = bytes.withUnsafeMutableBytes { buffer -> Int in
      do throws(FATFailure) { return try read(node, at: 0, into: buffer) } catch {
        failure = error
        return 0
      }
    }
    if let failure { throw failure }
    return Array(bytes.prefix(count))
  }
}
