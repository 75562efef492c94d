import CZlib
import FoundationEssentials

#if canImport(Glibc)
  import Glibc
#endif

/// The file of a recording: a line that says what it is, and frames: length, record, check sum. Each sum goes on from the one before, so that
/// no frame can be missing or in another's place. The first frame is the header.
package enum LogFormat {
  /// The number is the format's version.
  package static let magic = Array("epicure recording 1\n".utf8)
  static let magicPrefix = Array("epicure recording ".utf8)
  /// A longer record is none: the longest real ones are clusters of disks, frames of networks, and headers.
  package static let largestRecord: UInt64 = 16 << 20

  static func sum(_ bytes: [UInt8], after last: UInt32) -> UInt32 {
    UInt32(truncatingIfNeeded: bytes.withUnsafeBufferPointer { crc32_z(UInt(last), $0.baseAddress, $0.count) })
  }
}

/// Writes a recording. Each record goes to the host at once: a crash of the emulator, or its death by a signal, leaves everything that has
/// happened so far.
public final class LogWriter {
  public let path: String
  private let descriptor: Int32
  private var last = LogPosition()
  private var sum: UInt32 = 0
  /// Why nothing more is written.
  public private(set) var problem: String?
  public private(set) var size: UInt64 = 0

  public init(path: String, header: RecordingHeader) throws(RecordingProblem) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw RecordingProblem(path, "cannot be written: \(String(cString: strerror(errno)))") }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let text = try? encoder.encode(header) else { throw RecordingProblem(path, "the options cannot be written down") }
    write(LogFormat.magic)
    frame(Array(text))
    if let problem { throw RecordingProblem(path, "cannot be written: \(problem)") }
  }

  deinit { close(descriptor) }

  /// False: the file takes no more.
  @discardableResult
  public func append(_ record: LogRecord) -> Bool {
    guard problem == nil else { return false }
    frame(record.encode(after: &last))
    return problem == nil
  }

  private func frame(_ bytes: [UInt8]) {
    sum = LogFormat.sum(bytes, after: sum)
    var encoder = LogEncoder()
    encoder.put(UInt64(bytes.count))
    encoder.put(rest: bytes)
    encoder.put(rest: withUnsafeBytes(of: sum.littleEndian) { Array($0) })
    write(encoder.bytes)
  }

  private func write(_ bytes: [UInt8]) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        problem = String(cString: strerror(errno))
        // A torn record at the end would hide nothing, but what ends cleanly is easier to trust.
        _ = ftruncate(descriptor, off_t(size))
        return
      }
      done += count
    }
    size += UInt64(bytes.count)
  }
}

/// Reads a recording, in order, holding no more than a piece of it.
public final class LogReader {
  public let path: String
  public private(set) var header: RecordingHeader
  private let descriptor: Int32
  private var last = LogPosition()
  private var sum: UInt32 = 0
  private var buffer: [UInt8] = []
  private var start = 0
  private var offset: UInt64 = 0
  /// Where the records begin.
  private var first: (offset: UInt64, sum: UInt32) = (0, 0)

  private static let piece = 1 << 16

  public init(path: String) throws(RecordingProblem) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw RecordingProblem(path, "cannot be opened: \(String(cString: strerror(errno)))") }
    header = RecordingHeader(arguments: [], folder: "", files: [], hasVideo: false, stateVersion: 0)
    let magic = take(LogFormat.magic.count)
    guard let magic, magic.starts(with: LogFormat.magicPrefix) else {
      throw RecordingProblem(path, "is not a recording of epicure")
    }
    guard magic == LogFormat.magic else { throw RecordingProblem(path, "is a recording of another version of epicure") }
    guard case .bytes(let text) = frame(), let header = try? JSONDecoder().decode(RecordingHeader.self, from: Data(text)) else {
      throw RecordingProblem(path, "is damaged: it has no header")
    }
    self.header = header
    first = (offset, sum)
  }

  deinit { close(descriptor) }

  public enum Next: Equatable {
    case record(LogRecord)
    /// The file ends in the middle of a record, or behind one that is not the last.
    case cutOff
    /// What is here has been changed.
    case damaged
    /// Nothing is behind the last record.
    case finished
  }

  public func next() -> Next {
    switch frame() {
    case .finished: return .finished
    case .cutOff: return .cutOff
    case .damaged: return .damaged
    case .bytes(let bytes): return LogRecord.decode(bytes, after: &last).map { .record($0) } ?? .damaged
    }
  }

  /// Starts over behind the header.
  public func rewind() {
    (offset, sum) = first
    last = LogPosition()
    buffer = []
    start = 0
  }

  // MARK: Bytes

  private enum Frame { case bytes([UInt8]), cutOff, damaged, finished }

  private func frame() -> Frame {
    var length: UInt64 = 0
    var shift: UInt64 = 0
    repeat {
      guard let byte = take(1)?.first else { return shift == 0 ? .finished : .cutOff }
      length |= UInt64(byte & 0x7F) << shift
      shift += 7
      if byte & 0x80 == 0 { break }
    } while shift < 35
    guard length > 0, length <= LogFormat.largestRecord else { return .damaged }
    guard let bytes = take(Int(length)), let check = take(4) else { return .cutOff }
    sum = LogFormat.sum(bytes, after: sum)
    let written = check.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return written == sum ? .bytes(bytes) : .damaged
  }

  /// Nil: the file ends before. Reads at places of its own, so that a process that was forked does not move them.
  private func take(_ count: Int) -> [UInt8]? {
    while buffer.count - start < count {
      var piece = [UInt8](repeating: 0, count: max(Self.piece, count))
      let place = offset + UInt64(buffer.count - start)
      let got = pread(descriptor, &piece, piece.count, off_t(clamping: place))
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else { return nil }
      buffer.removeFirst(start)
      start = 0
      buffer.append(contentsOf: piece[0..<got])
    }
    defer {
      start += count
      offset += UInt64(count)
    }
    return Array(buffer[start..<start + count])
  }
}
