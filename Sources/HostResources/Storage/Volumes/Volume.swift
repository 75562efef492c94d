#if canImport(Glibc)
  import Glibc
#endif

/// What a specification of a disk names, before overlays and caches: paths, then the mirror, then a partition of that.
struct Volume {
  let medium: any BlockStorage
  private var mirror: (storage: MirroredStorage, names: [String])?
  private var missing: StorageProblem?

  init(_ specification: DiskSpecification) throws(StorageProblem) {
    let readOnly = specification.isReadOnly || specification.overlay != .none
    let isCombined = specification.mirror != nil || !specification.paths.isEmpty
    var medium: any BlockStorage
    if let second = specification.mirror {
      let (mirror, missing) = try Self.mirror(specification, second, readOnly: readOnly)
      self.missing = missing
      self.mirror = (mirror, [specification.file, second])
      medium = mirror
    } else if isCombined {
      medium = try Self.paths(specification, readOnly: readOnly)
    } else {
      medium = try Self.image(specification.file, specification, readOnly: readOnly, isShared: specification.partition != nil)
    }
    if let partition = specification.partition {
      medium = try PartitionImage(partition, of: medium, name: specification.file)
    }
    self.medium = medium
  }

  /// What was missing when the volume was opened.
  var warnings: [String] { missing.map { ["\($0); the mirror goes on without it"] } ?? [] }

  /// What has failed since.
  var failures: [String] {
    guard let mirror else { return [] }
    return mirror.names.enumerated().compactMap { n, name in
      mirror.storage.reasons[n].map { "\(name): has failed (\($0)), and the mirror went on without it" }
    }
  }

  /// One image. Those that are parts of something are raw unless the user says otherwise: with a guess, what a guest writes would decide.
  private static func image(
    _ name: String, _ specification: DiskSpecification, readOnly: Bool, isShared: Bool = false, mayGuess: Bool = true
  ) throws(StorageProblem) -> any BlockStorage {
    if DiskSpecification.isRemote(name) { return try NBDImage(uri: name, readOnly: readOnly) }
    let format = specification.format ?? (mayGuess ? ImageFormat.probe(path: name) : .raw)
    guard format == .raw else { return try NBDImage(path: name, format: format, readOnly: readOnly) }
    return try RawImage(
      path: name, readOnly: readOnly, formatIsGuess: specification.format == nil && mayGuess, isShared: isShared)
  }

  // MARK: Paths

  private static func paths(_ specification: DiskSpecification, readOnly: Bool) throws(StorageProblem) -> any BlockStorage {
    var paths: [MultipathStorage.Path] = []
    for name in [specification.file] + specification.paths {
      let open = { () throws(StorageProblem) in try image(name, specification, readOnly: readOnly, mayGuess: false) }
      paths.append(MultipathStorage.Path(try open(), reopen: DiskSpecification.isRemote(name) ? { try open() } : nil))
    }
    do throws(VolumeRefusal) {
      return try MultipathStorage(
        paths, policy: specification.policy ?? .failover, queueing: specification.queueSeconds.map { .seconds($0) } ?? .none)
    } catch { throw StorageProblem(specification.file, "\(error)") }
  }

  // MARK: Mirrors

  /// One of the halves may be missing: the second value says why.
  private static func mirror(
    _ specification: DiskSpecification, _ second: String, readOnly: Bool
  ) throws(StorageProblem) -> (MirroredStorage, StorageProblem?) {
    let first = specification.file
    guard !FileIdentity.isSame(first, second) else { throw StorageProblem(first, "a mirror has two halves that differ") }
    let path = try recordPath(specification, second)
    var missing: StorageProblem?
    func half(
      _ name: String, _ open: () throws(StorageProblem) -> any BlockStorage
    ) throws(StorageProblem) -> MirroredStorage.Half {
      do throws(StorageProblem) { return MirroredStorage.Half(try open(), identity: FileIdentity.of(name)) } catch {
        // One that somebody else has is not missing.
        guard DiskSpecification.isRemote(name) || access(name, F_OK) != 0 else { throw error }
        missing = error
        return MirroredStorage.Half(nil, identity: FileIdentity.of(name))
      }
    }
    let halves = [
      try half(first) { () throws(StorageProblem) in
        specification.paths.isEmpty
          ? try image(first, specification, readOnly: readOnly, mayGuess: false) : try paths(specification, readOnly: readOnly)
      },
      try half(second) { () throws(StorageProblem) in try image(second, specification, readOnly: readOnly, mayGuess: false) },
    ]
    if halves.allSatisfy({ $0.storage == nil }), let missing { throw missing }
    let isNew = access(path, F_OK) != 0
    // A mirror that is new needs both.
    if isNew, let missing { throw missing }
    if isNew { try createRecord(path) }
    do {
      return (try MirroredStorage(halves[0], halves[1], record: RawImage(path: path, readOnly: readOnly)), missing)
    } catch let problem as StorageProblem {
      throw problem
    } catch {
      if isNew { unlink(path) }
      throw StorageProblem(path, "\(error)")
    }
  }

  private static func recordPath(_ specification: DiskSpecification, _ second: String) throws(StorageProblem) -> String {
    func beside(_ file: String) -> String { file + ".mirror" }
    if let record = specification.record { return record }
    // A file that is missing may have a record all the same.
    guard FileIdentity.isRegularFile(specification.file) || access(beside(specification.file), F_OK) == 0 else {
      throw StorageProblem(specification.file, "a mirror of something that is no file needs a file for its record: record=FILE")
    }
    // Which half is up to date is in the other record.
    guard access(beside(second), F_OK) != 0 || access(beside(specification.file), F_OK) == 0 else {
      throw StorageProblem(beside(second), "is the record of a mirror that begins with \(second): name that one first")
    }
    return beside(specification.file)
  }

  private static func createRecord(_ path: String) throws(StorageProblem) {
    do throws(StorageProblem) {
      try ReplacedFile(path: path).write([UInt8](repeating: 0, count: MirrorRecord.size))
    } catch { throw StorageProblem(path, "the mirror's record cannot be made: \(error.reason)") }
  }
}

/// What an image is known by.
private enum FileIdentity {
  private static func information(_ name: String) -> stat? {
    var information = stat()
    return stat(name, &information) == 0 ? information : nil
  }

  static func isRegularFile(_ name: String) -> Bool { information(name).map { $0.st_mode & S_IFMT == S_IFREG } ?? false }

  static func isSame(_ a: String, _ b: String) -> Bool {
    guard let x = information(a), let y = information(b) else { return a == b }
    return x.st_dev == y.st_dev && x.st_ino == y.st_ino
  }

  /// A file keeps its inode when it is renamed; another in its place has another one. Devices and servers have their names.
  static func of(_ name: String) -> UInt64 {
    guard isRegularFile(name), let information = information(name) else { return FNV1a.hash(name.utf8) }
    return FNV1a.hash("inode \(information.st_ino)".utf8)
  }
}
