import HostResources

/// Changes of a FAT file system. New clusters are in the table before anything names them, and a name is gone before its clusters are
/// free: a crash in between loses clusters at most.
extension FATVolume {
  private func requireWritable() throws(FATFailure) { if isReadOnly { throw .readOnly } }

  // MARK: Free space

  public func freeBytes() throws(FATFailure) -> UInt64 { UInt64(try countFree()) * UInt64(geometry.clusterSize) }

  private func countFree() throws(FATFailure) -> UInt32 {
    if let freeClusters { return freeClusters }
    let count = try table.freeCount()
    freeClusters = count
    return count
  }

  /// Writes the table, and what FSInfo says of it.
  private func commit(freed: Int) throws(FATFailure) {
    lastChain = nil
    if let known = freeClusters { freeClusters = UInt32(clamping: Int(known) + freed) }
    try table.flush()
    guard let start = geometry.informationStart else { return }
    var sector = try readMedium(at: start, count: 512)
    guard sector.littleEndian(0, UInt32.self) == 0x4161_5252, sector.littleEndian(484, UInt32.self) == 0x6141_7272 else { return }
    let said: UInt32 = sector.littleEndian(488)
    guard said != .max else { return }
    sector.setLittleEndian(488, UInt32(clamping: Int(said) + freed))
    try writeMedium(at: start, sector)
  }

  private func clear(_ clusters: [UInt32]) throws(FATFailure) {
    let zeros = [UInt8](repeating: 0, count: geometry.clusterSize)
    for cluster in clusters { try writeMedium(at: geometry.offset(ofCluster: cluster), zeros) }
  }

  // MARK: Contents

  public static let largestFile = UInt64(UInt32.max)

  /// Writes a file's bytes at `offset`, growing it; what lies between its old end and the offset becomes zeros.
  public func write(
    _ node: FATNode, at offset: UInt64, _ bytes: UnsafeRawBufferPointer, time: FATTime
  ) throws(FATFailure) -> FATNode {
    try requireWritable()
    guard !node.isDirectory else { throw .isADirectory }
    guard offset <= Self.largestFile, UInt64(bytes.count) <= Self.largestFile - offset else { throw .tooLarge }
    var node = node
    let end = offset + UInt64(bytes.count)
    let old = UInt64(node.size)
    if end > old { node = try resize(node, to: UInt32(end), time: time, zeroing: old..<max(old, offset)) }
    try store(node, at: offset, bytes)
    node.modified = time
    node.attributes |= FATAttribute.archive
    try update(node)
    return node
  }

  private func store(_ node: FATNode, at offset: UInt64, _ bytes: UnsafeRawBufferPointer) throws(FATFailure) {
    guard bytes.count > 0 else { return }
    let clusters = try chain(node.firstCluster)
    var done = 0
    while done < bytes.count {
      let position = Int(offset) + done
      let index = position / geometry.clusterSize
      guard index < clusters.count else { throw .corrupted }
      let within = position % geometry.clusterSize
      let length = min(bytes.count - done, geometry.clusterSize - within)
      do throws(StorageFailure) {
        try medium.write(
          at: geometry.offset(ofCluster: clusters[index]) + UInt64(within),
          from: UnsafeRawBufferPointer(rebasing: bytes[done..<done + length]))
      } catch { throw error == .noSpace ? .full : error == .readOnly ? .readOnly : .storage(error) }
      done += length
    }
  }

  /// Gives a file another size. What is new is zeros.
  public func resize(_ node: FATNode, to size: UInt32, time: FATTime) throws(FATFailure) -> FATNode {
    try requireWritable()
    guard !node.isDirectory else { throw .isADirectory }
    return try resize(node, to: size, time: time, zeroing: UInt64(node.size)..<UInt64(max(size, node.size)))
  }

  private func resize(
    _ node: FATNode, to size: UInt32, time: FATTime, zeroing: Range<UInt64>
  ) throws(FATFailure) -> FATNode {
    var node = node
    let unit = UInt64(geometry.clusterSize)
    let clusters = try chain(node.firstCluster)
    let needed = Int((UInt64(size) + unit - 1) / unit)
    // A damaged file may own more than its size says.
    if needed > clusters.count {
      guard try countFree() >= UInt32(clamping: needed - clusters.count) else { throw .full }
      let new = try table.extend(clusters.last, by: needed - clusters.count)
      if clusters.isEmpty { node.firstCluster = new.first ?? 0 }
      try commit(freed: -new.count)
    }
    // Zeros from the old end on, cluster by cluster.
    var position = zeroing.lowerBound
    while position < zeroing.upperBound {
      let length = min(unit - position % unit, zeroing.upperBound - position)
      try [UInt8](repeating: 0, count: Int(length)).withUnsafeBytesThrowing { (b) throws(FATFailure) in
        try store(node, at: position, b)
      }
      position += length
    }
    let surplus = needed < clusters.count ? Array(clusters[needed...]) : []
    node.size = size
    node.modified = time
    if needed == 0 { node.firstCluster = 0 }
    try update(node)
    if !surplus.isEmpty {
      if needed > 0 { try table.end(clusters[needed - 1]) }
      try table.release(surplus)
      try commit(freed: surplus.count)
    }
    return node
  }

  /// Stores a node's size, attributes, times and first cluster.
  public func update(_ node: FATNode) throws(FATFailure) {
    try requireWritable()
    guard let offset = node.location.offset else { throw .badName }
    let directory = try directory(node.location.directory)
    guard offset + FATDirectory.entrySize <= directory.bytes.count else { throw .corrupted }
    var entry = Array(directory.bytes[offset..<offset + FATDirectory.entrySize])
    FATDirectory.update(&entry, node)
    try writeMedium(at: place(offset, in: directory), entry)
  }

  public func setting(
    _ node: FATNode, attributes: UInt8, created: FATTime, accessed: FATTime, modified: FATTime
  ) throws(FATFailure) -> FATNode {
    var node = node
    let settable = FATAttribute.readOnly | FATAttribute.hidden | FATAttribute.system | FATAttribute.archive
    node.attributes = node.attributes & ~settable | attributes & settable
    (node.created, node.accessed, node.modified) = (created, accessed, modified)
    try update(node)
    return node
  }

  // MARK: Names

  /// Makes an empty file, or a directory.
  public func create(_ name: [UInt16], in parent: FATNode, attributes: UInt8, time: FATTime) throws(FATFailure) -> FATNode {
    try requireWritable()
    guard let name = FATName.valid(name) else { throw .badName }
    guard try find(name, in: parent) == nil else { throw .exists }
    let directory = try directory(of: parent)
    var node = FATNode(
      location: FATLocation(directory: directory.first, offset: nil), name: name,
      attributes: attributes & FATAttribute.directory != 0 ? attributes : attributes | FATAttribute.archive, firstCluster: 0,
      size: 0,
      created: time, accessed: time, modified: time, start: 0)
    if node.isDirectory {
      let new = try table.extend(nil, by: 1)
      node.firstCluster = new[0]
      try clear(new)
      var own = node
      own.location.directory = 0
      var up = own
      up.firstCluster = directory.first
      try writeMedium(
        at: geometry.offset(ofCluster: new[0]),
        FATDirectory.shortEntry(Array(".".utf8).padded(to: 11), own) + FATDirectory.shortEntry(Array("..".utf8).padded(to: 11), up))
      try commit(freed: -1)
    }
    do throws(FATFailure) { return try insert(node, into: directory) } catch {
      if node.isDirectory {
        try table.release([node.firstCluster])
        try commit(freed: 1)
      }
      throw error
    }
  }

  private func insert(_ node: FATNode, into directory: FATDirectory) throws(FATFailure) -> FATNode {
    guard
      let short = FATName.exactShort(node.name).flatMap({ directory.hasShort($0) ? nil : $0 })
        ?? FATName.alias(node.name, isTaken: directory.hasShort)
    else { throw .full }
    let entries = FATDirectory.entries(name: node.name, short: short, node: node)
    var directory = directory
    let start = directory.room(for: entries.count / FATDirectory.entrySize)
    let end = start + entries.count
    if end > directory.bytes.count {
      guard !directory.clusters.isEmpty, end <= FATDirectory.largest else { throw .full }
      let count = (end - directory.bytes.count + geometry.clusterSize - 1) / geometry.clusterSize
      guard try countFree() >= UInt32(count) else { throw .full }
      let new = try table.extend(directory.clusters.last, by: count)
      // Zeros first: an entry of a new cluster must not be read before.
      try clear(new)
      try commit(freed: -count)
      directory.clusters += new
    }
    for n in stride(from: 0, to: entries.count, by: FATDirectory.entrySize) {
      try writeMedium(at: place(start + n, in: directory), Array(entries[n..<n + FATDirectory.entrySize]))
    }
    var node = node
    node.start = start
    node.location = FATLocation(directory: directory.first, offset: end - FATDirectory.entrySize)
    return node
  }

  private func erase(_ node: FATNode) throws(FATFailure) {
    guard let offset = node.location.offset else { throw .badName }
    let directory = try directory(node.location.directory)
    guard node.start <= offset, offset < directory.bytes.count else { throw .corrupted }
    for entry in stride(from: node.start, through: offset, by: FATDirectory.entrySize) {
      try writeMedium(at: place(entry, in: directory), [0xE5])
    }
  }

  /// Removes a file, or an empty directory.
  public func remove(_ node: FATNode) throws(FATFailure) {
    try requireWritable()
    guard !node.isRoot, node.name != [0x2E], node.name != [0x2E, 0x2E] else { throw .badName }
    if node.isDirectory, try list(node).contains(where: { $0.name != [0x2E] && $0.name != [0x2E, 0x2E] }) {
      throw .directoryNotEmpty
    }
    let clusters = try chain(node.firstCluster)
    try erase(node)
    try table.release(clusters)
    try commit(freed: clusters.count)
  }

  /// Gives a file another name in `parent`, its own directory or another one.
  public func rename(_ node: FATNode, to name: [UInt16], in parent: FATNode) throws(FATFailure) -> FATNode {
    try requireWritable()
    guard let name = FATName.valid(name), !node.isRoot else { throw .badName }
    let target = try directory(of: parent)
    if let other = try find(name, in: parent), other.location != node.location { throw .exists }
    // A directory must not become its own descendant.
    if node.isDirectory { try requireOutside(node, target) }
    try erase(node)
    var new = node
    new.name = name
    do throws(FATFailure) { new = try insert(new, into: try directory(of: parent)) } catch {
      // Under its old name again: there is room where it was.
      var old = node
      old = try insert(old, into: try directory(node.location.directory))
      throw error
    }
    if node.isDirectory, node.location.directory != target.first {
      let own = try directory(node.firstCluster)
      if let up = own.nodes().first(where: { $0.name == [0x2E, 0x2E] }) {
        var changed = up
        changed.firstCluster = target.first
        try update(changed)
      }
    }
    return new
  }

  private func requireOutside(_ node: FATNode, _ target: FATDirectory) throws(FATFailure) {
    var current = target
    for _ in 0..<256 {
      if current.first == node.firstCluster { throw .badName }
      guard current.first != 0, let up = current.nodes().first(where: { $0.name == [0x2E, 0x2E] }) else { return }
      current = try directory(up.firstCluster)
    }
    throw .corrupted
  }

  public func flush() throws(FATFailure) {
    do throws(StorageFailure) { try medium.storage.flush() } catch { throw .storage(error) }
  }
}

extension [UInt8] {
  func withUnsafeBytesThrowing(_ body: (UnsafeRawBufferPointer) throws(FATFailure) -> Void) throws(FATFailure) {
    let failure = withUnsafeBytes { buffer -> FATFailure? in
      do throws(FATFailure) { try body(buffer) } catch { return error }
      return nil
    }
    if let failure { throw failure }
  }
}
