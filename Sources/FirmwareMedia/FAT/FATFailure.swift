import HostResources

/// Why a file system cannot do what it was asked for.
public enum FATFailure: Error, Equatable, Sendable {
  /// Not a FAT file system, or one whose geometry makes no sense.
  case notFAT
  /// A structure contradicts itself: a chain leaves the file system, or never ends.
  case corrupted
  case notFound
  case exists
  case full
  case readOnly
  case notADirectory
  case isADirectory
  case directoryNotEmpty
  case badName
  case tooLarge
  case storage(StorageFailure)
}
