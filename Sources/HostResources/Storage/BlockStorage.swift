/// A medium of fixed size that the host lends: what a disk controller, the firmware, or a back end reads and writes.
///
/// Calls are synchronous. When the guest sees the result is the controller's business, in virtual time.
public protocol BlockStorage: AnyObject {
  /// Bytes; a multiple of 512.
  var size: UInt64 { get }
  /// Every write fails with ``StorageFailure/readOnly``.
  var isReadOnly: Bool { get }
  /// Fills `buffer` from the medium, beginning at byte `offset`.
  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure)
  /// Stores `buffer` at byte `offset`. The data need not outlast a crash of the host before ``flush()``.
  func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure)
  /// Comes back when everything written before is on stable storage.
  func flush() throws(StorageFailure)
}

/// Why the host could not do what a controller asked for. A guest sees a medium error, never a crash.
public enum StorageFailure: Error, Equatable, Sendable {
  /// The range is not inside the medium.
  case outside
  /// The medium cannot be written.
  case readOnly
  /// The host has no room left for what was written; nothing of it need have been stored.
  case noSpace
  /// Anything else that the host reports, as errno.
  case host(errno: Int32)
}
