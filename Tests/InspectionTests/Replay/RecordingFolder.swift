import Foundation
import Inspection

/// A folder for recordings, and what the tests put into them.
final class RecordingFolder {
  let url: URL
  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("epicure-recordings-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(at: url) }

  /// Of random numbers: from EPICURE_SEED, or anew for each run; tests print it.
  static let seed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0 ... .max)

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }
  func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: url.appendingPathComponent(name))) }
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: url.appendingPathComponent(name))
    return path(name)
  }

  static let header = RecordingHeader(
    arguments: ["--cpus", "2"], folder: "/somewhere",
    files: [RecordingHeader.File(role: "kernel", path: "/somewhere/kernel", size: 5, hash: "0123456789abcdef")], hasVideo: false,
    stateVersion: 1)

  func writer(_ name: String) throws -> LogWriter { try LogWriter(path: path(name), header: Self.header) }
}

/// All records, and how the file ends.
func contents(of reader: LogReader) -> (records: [LogRecord], end: LogReader.Next) {
  var records: [LogRecord] = []
  while true {
    let next = reader.next()
    guard case .record(let record) = next else { return (records, next) }
    records.append(record)
  }
}

/// Records of all kinds, as a run makes them: questions and cycles only grow.
func someRecords(_ count: Int, _ random: inout some RandomNumberGenerator) -> [LogRecord] {
  var position = LogPosition()
  func bytes() -> [UInt8] { (0..<Int.random(in: 0...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) } }
  return (0..<count).map { _ in
    position.question &+= UInt64.random(in: 0...1 << UInt64.random(in: 0...40, using: &random), using: &random)
    position.cycle &+= UInt64.random(in: 0...1 << UInt64.random(in: 0...40, using: &random), using: &random)
    position.depth = UInt8.random(in: 0...15, using: &random)
    let question = Question.allCases.randomElement(using: &random) ?? .look
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return .input(position, question, channel: UInt64.random(in: 0...300, using: &random), bytes: bytes())
    case 1: return .answer(position, question, bytes: bytes())
    case 2:
      let (instructions, hash) = (UInt64.random(in: 0 ... .max, using: &random), UInt64.random(in: 0 ... .max, using: &random))
      return .milestone(position, instructions: instructions, hash: hash)
    case 3: return .disk(bytes())
    case 4:
      return .old(
        disk: UInt64.random(in: 0...9, using: &random), offset: UInt64.random(in: 0 ... .max, using: &random), bytes: bytes())
    default: return .end(position, bytes())
    }
  }
}
