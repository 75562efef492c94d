import Foundation
import Testing

/// A run that was written down, and its replays, by the command line.
struct Recording {
  let folder: TemporaryFolder
  let file: String
  private let recorded: [String: Any]
  let result: Epicure.Result

  /// `arguments`: of `epicure boot`.
  init(_ arguments: [String], in folder: TemporaryFolder, input: [UInt8] = [], seconds: Double = 400) throws {
    self.folder = folder
    file = folder.url.appendingPathComponent("run.recording").path
    let stats = folder.url.appendingPathComponent("recorded.json").path
    result = try Epicure.run(["boot"] + arguments + ["--record", file, "--stats", stats], input: input, seconds: seconds)
    recorded = try Self.statistics(stats)
  }

  static func statistics(_ path: String) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
    return try #require(object as? [String: Any])
  }

  /// The same for the same values, whatever the order of their names.
  static func text(_ value: Any?) throws -> String {
    String(decoding: try JSONSerialization.data(withJSONObject: [value ?? ""], options: .sortedKeys), as: UTF8.self)
  }

  var size: Int { (try? Data(contentsOf: URL(fileURLWithPath: file)).count) ?? 0 }

  /// Replays it, and compares: console, status, cycles, instructions, memory, exits by cause, what devices counted.
  @discardableResult
  func replay(_ options: [String] = [], seconds: Double = 400) throws -> Epicure.Result {
    let stats = folder.url.appendingPathComponent("replayed.json").path
    let again = try Epicure.run(
      ["replay", file, "--stats", stats] + options, input: Array("none of this\n".utf8), seconds: seconds)
    #expect(again.status == result.status, "\(again.errors)")
    #expect(again.errors.contains("as it was recorded"), "\(again.errors)")
    #expect(again.output == result.output)
    let statistics = try Self.statistics(stats)
    for key in ["outcome", "cycles", "instructions", "memory_hash", "exits", "processors"] {
      #expect(recorded.keys.contains(key) == statistics.keys.contains(key), "\(key)")
      #expect(try Self.text(recorded[key]) == Self.text(statistics[key]), "\(key)")
    }
    return again
  }
}
