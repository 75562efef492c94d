import Foundation
import Hypervisor
import Inspection
import Loading

/// `--crash-bundle`: one file with all that somebody else needs to see a guest fail again.
final class CrashBundle {
  /// The archive.
  let path: String
  /// The recording of the run, beside the archive until that is complete. A crash of Epicure itself leaves it.
  let recording: String
  /// Guest files up to this size are in the archive, others are named by their hashes.
  private let largestFile: UInt64

  static let recordingName = "run.recording"
  static let manifestName = "manifest.json"

  init(path: String, largestFile: UInt64) {
    (self.path, self.largestFile) = (path, largestFile)
    recording = path + ".recording"
  }

  /// The guest has not failed: there is nothing to tell.
  func discard() { try? FileManager.default.removeItem(atPath: recording) }

  private struct Manifest: Encodable {
    struct File: Encodable {
      var role: String
      var path: String
      var size: UInt64
      var hash: String
      /// Its name in the archive; nil: it is not there.
      var archived: String?
    }
    var version = 1
    var program = EpicureCommand.configuration.version
    var message: String
    var outcome: String
    var arguments: [String]
    var cycles: UInt64
    var instructions: UInt64
    var memoryHash: String
    var files: [File]
  }

  func write(_ server: Server, _ end: RunEnd, message: String, console: [UInt8], header: RecordingHeader, events: [UInt8])
    throws(CommandFailure)
  {
    let files = header.files.map {
      Manifest.File(role: $0.role, path: $0.path, size: $0.size, hash: $0.hash, archived: $0.size <= largestFile ? $0.role : nil)
    }
    let manifest = Manifest(
      message: message, outcome: end.outcome, arguments: header.arguments, cycles: end.cycles, instructions: end.instructions,
      memoryHash: end.memoryHash, files: files)
    do {
      let archive = try TarArchive.Writer(path: path)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      encoder.keyEncodingStrategy = .convertToSnakeCase
      try archive.add(Self.manifestName, Array(encoder.encode(manifest)) + [0x0A])
      try archive.add("report.txt", Array(Self.report(server, message).utf8))
      if let domain = server.domain {
        try archive.add("exits.json", Array(encoder.encode(domain.virtualProcessors.map(\.exits.last))) + [0x0A])
      }
      try archive.add("events.trace", events)
      try archive.add("console.txt", console)
      for file in files { if let name = file.archived { try archive.add(name, file: file.path) } }
      try archive.add(Self.recordingName, file: recording)
      try archive.finish()
    } catch {
      throw CommandFailure(CommandFailure.badInput, "--crash-bundle: \(error)")
    }
    discard()
    StandardError.write("epicure: \(path) has what it takes to see that again: epicure replay \(path)")
  }

  /// Registers, backtraces, and the last exits of a domain.
  private static func report(_ server: Server, _ message: String) -> String {
    var lines = [message]
    if let domain = server.domain {
      for virtual in domain.virtualProcessors { lines += CrashReport.describe(virtual, server.memory, nil) }
    } else {
      for (index, processor) in server.processors.enumerated() {
        lines += ["", "Processor \(index)"] + CrashReport.registers(processor, nil)
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
