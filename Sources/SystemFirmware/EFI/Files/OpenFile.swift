import FirmwareMedia

/// A file handle.
struct OpenFile: Sendable, Equatable, Codable {
  var volume: Int
  var location: FATLocation
  var isDirectory: Bool
  var mayWrite: Bool
  /// Bytes; in a directory: entries that have been read.
  var position: UInt64 = 0
}
