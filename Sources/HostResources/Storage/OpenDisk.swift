/// A disk that the user has named, opened.
public struct OpenDisk {
  public let specification: DiskSpecification
  /// What a controller uses.
  public let storage: CountedStorage
  private let medium: any BlockStorage
  private let volume: Volume

  /// `through`: puts something between the medium and whoever uses it.
  public init(
    _ specification: DiskSpecification,
    through wrap: (any BlockStorage) throws(StorageProblem) -> any BlockStorage = { (medium) throws(StorageProblem) in medium }
  ) throws(StorageProblem) {
    self.specification = specification
    let volume = try Volume(specification)
    var medium = volume.medium
    switch specification.overlay {
    case .none: break
    case .temporary: medium = try OverlayImage(temporaryOn: medium)
    case .file(let path):
      guard let identity = BaseIdentity(path: specification.file) else {
        throw StorageProblem(specification.file, "an overlay that is kept needs a file under it; snapshot=on does not")
      }
      medium = try OverlayImage(path: path, on: medium, identity: identity)
    }
    self.medium = medium
    self.volume = volume
    storage = CountedStorage(try wrap(specification.cache == .unsafe ? UnsafeStorage(medium) : medium))
  }

  /// What is missing, and the disk does without: a line for each.
  public var warnings: [String] { volume.warnings }
  /// What has failed since the disk was opened, unnoticed by the guest.
  public var failures: [String] { volume.failures }

  /// The machine is off: what was written and never flushed is saved all the same.
  public func finish() throws(StorageFailure) {
    if !medium.isReadOnly { try medium.flush() }
  }
}

/// Promises what it does not do: flushes cost nothing, and mean nothing.
final class UnsafeStorage: BlockStorage {
  private let storage: any BlockStorage
  init(_ storage: any BlockStorage) { self.storage = storage }
  var size: UInt64 { storage.size }
  var isReadOnly: Bool { storage.isReadOnly }
  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
    try storage.read(at: offset, into: buffer)
  }
  func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    try storage.write(at: offset, from: buffer)
  }
  func flush() throws(StorageFailure) {}
}
