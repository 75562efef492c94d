import Foundation
import HostResources
import Inspection
import Processor

/// `--record`, `--replay` and `--crash-bundle`.
extension BootCommand {
  /// The words behind the command on this process's command line.
  static var words: [String] { Array(CommandLine.arguments.dropFirst(2)) }

  /// The machine has a screen.
  var hasVideo: Bool { vnc != nil || screenshot != nil }

  /// What a recording of this run begins with.
  private func recordingHeader() -> RecordingHeader {
    RecordingHeader(
      arguments: BootArguments.recorded(Self.words),
      folder: FileManager.default.currentDirectoryPath,
      files: GuestFiles.describe([("kernel", kernel), ("initrd", initrd), ("pipeline", timing.pipeline)]),
      hasVideo: hasVideo, stateVersion: ProcessorState.stateVersion)
  }

  /// Whether the options go together.
  func checkRecording() throws(CommandFailure) {
    for (given, option) in [(record != nil, "--record"), (crashBundle != nil, "--crash-bundle"), (replay != nil, "--replay")]
    where given {
      if lockstep != nil || machine != nil {
        throw CommandFailure(CommandFailure.badInput, "\(option) is for one machine: it does not go with --lockstep or --machine")
      }
    }
    if crashBundle == nil && crashBundleFiles != nil {
      throw CommandFailure(CommandFailure.badInput, "--crash-bundle-files goes with --crash-bundle")
    }
  }

  /// The archive that is written if the guest fails.
  func makeBundle() -> CrashBundle? {
    crashBundle.map { CrashBundle(path: $0, largestFile: crashBundleFiles?.bytes ?? Self.largestBundledFile) }
  }
  private static let largestBundledFile: UInt64 = 64 << 20

  /// What is written down of this run.
  func makeTape(_ bundle: CrashBundle?) throws(CommandFailure) -> Tape {
    if record != nil && bundle != nil {
      throw CommandFailure(CommandFailure.badInput, "--crash-bundle has a recording in it: leave out --record")
    }
    guard let path = record ?? bundle?.recording else { return Tape() }
    return try RecordingTape(path: path, header: recordingHeader())
  }
}

/// `--replay`: a recording, or a crash bundle with one, and what the user wants to have different.
struct Replay {
  private let path: String
  /// The recording itself.
  private let recording: String
  /// Where a bundle was unpacked.
  private let folder: TemporaryUnpacked?

  init(path: String) throws(CommandFailure) {
    self.path = path
    if TarArchive.isArchive(path) {
      let unpacked = try TemporaryUnpacked(path)
      folder = unpacked
      recording = unpacked.path + "/" + CrashBundle.recordingName
    } else {
      folder = nil
      recording = path
    }
  }

  /// What kind of machine was recorded.
  static func header(path: String) throws -> (
    mode: Virtualization, accelerations: VirtualProcessorDescriptor.Accelerations, isTimed: Bool
  ) {
    let replay = try Replay(path: path)
    let header: RecordingHeader
    do throws(RecordingProblem) {
      let summary = try RecordingSummary(path: replay.recording)
      header = summary.header
    } catch { throw CommandFailure(CommandFailure.badInput, "\(error)") }
    let command = try BootCommand.parse(header.arguments)
    return (command.mode, command.vac?.accelerations ?? .implemented, command.timing.timing == .cycle)
  }

  /// `own`: what the user has said beside the recording's name.
  func run(own: [String], _ watching: BootCommand.Watching? = nil) throws {
    let summary: RecordingSummary
    let tape: ReplayTape
    do throws(RecordingProblem) {
      summary = try RecordingSummary(path: recording)
      tape = try ReplayTape(
        path: recording, summary: summary, mayEndEarly: BootArguments.has(BootArguments.ending, in: own),
        isLoose: BootArguments.has(BootArguments.different, in: own),
        keepsDisksInMemory: watching != nil || BootArguments.has(["--gdb": true], in: own))
    } catch { throw CommandFailure(CommandFailure.badInput, "\(error)") }
    let header = summary.header
    guard header.stateVersion == ProcessorState.stateVersion else {
      throw CommandFailure(CommandFailure.badInput, "\(path): was recorded by another version of epicure")
    }
    var command = try BootCommand.parse(BootArguments.replaying(header.arguments, own: own))
    if command.hasVideo && !header.hasVideo {
      throw CommandFailure(
        CommandFailure.badInput, "--vnc and --screenshot: the machine that was recorded had no screen, and cannot be given one")
    }
    for file in header.files {
      let isOwn = BootArguments.has(["--" + file.role: true], in: own)
      var place = file.path
      if isOwn { place = command.path(of: file.role) ?? place } else if let bundled = folder?.file(file.role) { place = bundled }
      try GuestFiles.check(place, is: file)
      command.setPath(of: file.role, place)
    }
    command.disk = try command.disk.map { text in
      try BootArguments.has(["--disk": true], in: own) ? text : Self.resolved(text, in: header.folder)
    }
    command.nic = command.nic.map {
      var adapter = $0
      adapter.capture = nil
      return adapter
    }
    try command.execute(on: tape, hasVideo: header.hasVideo, watching)
  }

  /// The file that a disk's words name, wherever the replay is.
  private static func resolved(_ text: String, in folder: String) throws -> String {
    let specification = try DiskSpecification(parsing: text)
    guard !specification.isRemote, !specification.file.hasPrefix("/") else { return text }
    let prefix = text.hasPrefix("file=") ? "file=" : ""
    return prefix + (folder + "/").replacingOccurrences(of: ",", with: ",,") + text.dropFirst(prefix.count)
  }
}

extension BootCommand {
  fileprivate func path(of role: String) -> String? {
    switch role {
    case "kernel": kernel
    case "initrd": initrd
    default: timing.pipeline
    }
  }

  fileprivate mutating func setPath(of role: String, _ path: String) {
    switch role {
    case "kernel": kernel = path
    case "initrd": initrd = path
    default: timing.pipeline = path
    }
  }
}

/// A bundle's files, for as long as they are needed.
private final class TemporaryUnpacked {
  let path: String
  private let names: [String]

  init(_ archive: String) throws(CommandFailure) {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("epicure-\(UUID().uuidString)")
    path = folder.path
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      names = try TarArchive.unpack(archive, into: path)
    } catch {
      try? FileManager.default.removeItem(at: folder)
      throw CommandFailure(CommandFailure.badInput, "\(error)")
    }
    guard names.contains(CrashBundle.recordingName) else {
      try? FileManager.default.removeItem(at: folder)
      throw CommandFailure(CommandFailure.badInput, "\(archive): has no recording in it")
    }
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String? { names.contains(name) ? path + "/" + name : nil }
}
