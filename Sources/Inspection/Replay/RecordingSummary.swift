import FoundationEssentials
import HostResources

/// What a recording says about itself, found in one pass over it.
public struct RecordingSummary {
  public let header: RecordingHeader
  public private(set) var disks: [RecordedDisk] = []
  /// Nil: the recording was cut off.
  public private(set) var end: RecordingEnd?
  /// The last moment that it has anything to say of.
  public private(set) var lastCycle: UInt64 = 0

  /// Throws if anything in the file has been changed.
  public init(path: String) throws(RecordingProblem) {
    let reader = try LogReader(path: path)
    header = reader.header
    while true {
      switch reader.next() {
      case .finished: return
      case .cutOff:
        if end == nil { return }
        throw RecordingProblem(path, "is damaged: something is behind its end")
      case .damaged: throw RecordingProblem(path, "is damaged")
      case .record(let record):
        if let position = record.position { lastCycle = position.cycle }
        guard end == nil else { throw RecordingProblem(path, "is damaged: something is behind its end") }
        switch record {
        case .disk(let text):
          guard let disk = try? JSONDecoder().decode(RecordedDisk.self, from: Data(text)) else {
            throw RecordingProblem(path, "is damaged: it does not say what its disks are")
          }
          disks.append(disk)
        case .end(_, let text):
          guard let end = try? JSONDecoder().decode(RecordingEnd.self, from: Data(text)) else {
            throw RecordingProblem(path, "is damaged: it does not say how it ended")
          }
          self.end = end
        case .input, .answer, .milestone, .old: break
        }
      }
    }
  }

  /// Gives a disk its contents at power-on: `medium` is what it has now, and takes writes that go nowhere.
  public static func restore(
    disk number: Int, of path: String, into medium: any BlockStorage
  ) throws(RecordingProblem) {
    let reader = try LogReader(path: path)
    while case .record(let record) = reader.next() {
      guard case .old(let disk, let offset, let bytes) = record, disk == UInt64(number) else { continue }
      guard (try? medium.write(at: offset, from: bytes, 0..<bytes.count)) != nil else {
        throw RecordingProblem(path, "the disk's old contents cannot be written to a temporary file")
      }
    }
  }
}
