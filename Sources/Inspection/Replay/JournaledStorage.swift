import HostResources
import Processor

/// A disk at the boundary: its contents are no news to a replay, its failures are.
///
/// While recording, what a part of the disk held before the machine's first write to it goes into the recording, ahead of that write. So the
/// disk at power-on can be had again from the disk as it is, whenever the recording ended.
public final class JournaledStorage: BlockStorage {
  private let storage: any BlockStorage
  private let journal: Journal
  private let number: Int
  /// One bit for each part; set: its old contents are in the recording. Nil: nobody needs them.
  private var kept: [UInt64]?

  private static let part: UInt64 = 16384

  /// `keepsOld`: what the machine writes will still be there afterwards.
  public init(_ storage: any BlockStorage, number: Int, journal: Journal, keepsOld: Bool) {
    (self.storage, self.number, self.journal) = (storage, number, journal)
    kept =
      keepsOld && journal.recorder != nil && !storage.isReadOnly
      ? Array(repeating: 0, count: Int((storage.size + Self.part * 64 - 1) / (Self.part * 64))) : nil
  }

  public var size: UInt64 { storage.size }
  public var isReadOnly: Bool { storage.isReadOnly }

  public func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
    try request { () throws(StorageFailure) in try storage.read(at: offset, into: buffer) }
  }

  public func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    keepOld(offset, buffer.count)
    try request((offset, buffer.count)) { () throws(StorageFailure) in try storage.write(at: offset, from: buffer) }
  }

  public func flush() throws(StorageFailure) {
    try request { () throws(StorageFailure) in try storage.flush() }
  }

  /// What the recording says of a request's end counts; a disk that fails in a replay only is one that cannot be replayed. A write that has
  /// failed may have been done in part: what is in its place then, `written`, goes into the recording as well.
  private func request(
    _ written: (offset: UInt64, count: Int)? = nil, _ body: () throws(StorageFailure) -> Void
  ) throws(StorageFailure) {
    var failure: StorageFailure?
    func perform() { do throws(StorageFailure) { try body() } catch { failure = error } }
    let answer = journal.ask(
      .disk,
      bytes: {
        perform()
        guard let failure else { return nil }
        var encoder = LogEncoder()
        encoder.put(Self.code(failure))
        if journal.recorder != nil, let written, let contents = contents(written.offset, written.count) {
          encoder.put(rest: contents)
        }
        return encoder.bytes
      })
    if journal.isReplaying {
      if let answer {
        var decoder = LogDecoder(answer)
        let code = decoder.number() ?? 0
        let contents = decoder.rest()
        if let written, !contents.isEmpty { try storage.write(at: written.offset, from: contents, 0..<contents.count) }
        throw Self.failure(code)
      }
      perform()
    }
    if let failure { throw failure }
  }

  /// Nil: it cannot be read, or is no part of the disk.
  private func contents(_ offset: UInt64, _ count: Int) -> [UInt8]? {
    guard offset <= size, UInt64(count) <= size - offset else { return nil }
    var bytes = [UInt8](repeating: 0, count: count)
    return (try? storage.read(at: offset, into: &bytes, 0..<count)) != nil ? bytes : nil
  }

  private static let hostCodes: UInt64 = 16
  private static func code(_ failure: StorageFailure) -> UInt64 {
    switch failure {
    case .outside: 1
    case .readOnly: 2
    case .noSpace: 3
    case .host(let errno): hostCodes + UInt64(UInt32(bitPattern: errno))
    }
  }
  private static func failure(_ code: UInt64) -> StorageFailure {
    switch code {
    case 1: .outside
    case 2: .readOnly
    case 3: .noSpace
    default: .host(errno: Int32(truncatingIfNeeded: code &- hostCodes))
    }
  }

  private func keepOld(_ offset: UInt64, _ count: Int) {
    guard kept != nil, count > 0, offset < size, let recorder = journal.recorder else { return }
    let last = offset + min(UInt64(count), size - offset) - 1
    for part in offset / Self.part...last / Self.part {
      let (word, bit) = (Int(part / 64), UInt64(1) << (part % 64))
      guard let bits = kept?[word], bits & bit == 0 else { continue }
      kept?[word] |= bit
      let start = part * Self.part
      // What cannot be read is not known to a replay either.
      guard let bytes = contents(start, Int(min(Self.part, size - start))) else { continue }
      recorder.writer.append(.old(disk: UInt64(number), offset: start, bytes: bytes))
    }
  }
}

/// Whether a disk, or a file, is the one of a recording.
public enum ContentHash {
  /// Larger media are not read as a whole before a run.
  public static let limit: UInt64 = 1 << 30
  private static let piece = 1 << 20

  /// Nil: there is too much of it, or not all of it can be read.
  public static func of(_ medium: any BlockStorage) -> UInt64? {
    guard medium.size <= limit else { return nil }
    var hash = StateHash()
    var buffer = [UInt8](repeating: 0, count: piece)
    var offset: UInt64 = 0
    while offset < medium.size {
      let count = Int(min(UInt64(piece), medium.size - offset))
      guard (try? medium.read(at: offset, into: &buffer, 0..<count)) != nil else { return nil }
      buffer.withUnsafeBytes { hash.mix(UnsafeRawBufferPointer(rebasing: $0[0..<count])) }
      offset += UInt64(count)
    }
    return hash.value
  }

  public static func of(_ bytes: [UInt8]) -> UInt64 {
    var hash = StateHash()
    bytes.withUnsafeBytes { hash.mix($0) }
    return hash.value
  }
}
