import HostResources
import Inspection

/// `--replay`: repeats a run that was written down.
final class ReplayTape: Tape {
  private let path: String
  private let summary: RecordingSummary
  /// The user has options of his own for when to stop.
  private let mayEndEarly: Bool
  private var opened = 0
  /// What is written to disks is kept in memory: for replays that are forked.
  private let keepsDisksInMemory: Bool

  init(
    path: String, summary: RecordingSummary, mayEndEarly: Bool, isLoose: Bool, keepsDisksInMemory: Bool
  ) throws(RecordingProblem) {
    (self.path, self.summary, self.mayEndEarly, self.keepsDisksInMemory) = (path, summary, mayEndEarly, keepsDisksInMemory)
    super.init(Journal(replaying: try LogReader(path: path), loosely: isLoose))
  }

  /// The run is as long as the recording: one that goes on, and asks nothing, would not end.
  var limit: UInt64 { (summary.end?.cycles ?? summary.lastCycle) &+ Self.grace }
  private static let grace: UInt64 = 1 << 30

  /// Disks are as they were at power-on, and nothing is written to them.
  override func open(_ disk: DiskSpecification) throws(StorageProblem) -> OpenDisk {
    let number = opened
    opened += 1
    guard summary.disks.indices.contains(number) else { throw StorageProblem(disk.file, "the recording has no such disk") }
    let recorded = summary.disks[number]
    let isWritten = !disk.isReadOnly && !disk.isCD
    var specification = disk
    if isWritten && disk.overlay == .none { specification.overlay = .temporary }
    return try OpenDisk(specification) { [journal, path, keepsDisksInMemory] (medium) throws(StorageProblem) in
      guard medium.size == recorded.size else {
        throw StorageProblem(disk.file, "has \(medium.size) bytes; the disk that was recorded had \(recorded.size)")
      }
      var medium = medium
      if keepsDisksInMemory && isWritten { medium = MemoryOverlay(on: medium) }
      if isWritten && disk.overlay != .temporary {
        // The specification's overlay is not for this run either.
        if case .file = disk.overlay, !keepsDisksInMemory { medium = try OverlayImage(temporaryOn: medium) }
        do throws(RecordingProblem) { try RecordingSummary.restore(disk: number, of: path, into: medium) } catch {
          throw StorageProblem(disk.file, error.description)
        }
      }
      try self.check(medium, disk, recorded, number)
      return JournaledStorage(medium, number: number, journal: journal, keepsOld: false)
    }
  }

  private func check(
    _ medium: any BlockStorage, _ disk: DiskSpecification, _ recorded: RecordedDisk, _ number: Int
  ) throws(StorageProblem) {
    if let hash = recorded.hash {
      guard ContentHash.of(medium).map(MachineHash.text) == hash else {
        throw StorageProblem(disk.file, "its contents are not those that were recorded: somebody else has changed it since")
      }
      return
    }
    // Too large to be read: nobody has changed it but the recorded run.
    let modified = FileTime.modified(FileTime.changing(disk))
    let atTheEnd = summary.end.flatMap { $0.modified.indices.contains(number) ? $0.modified[number] : nil }
    guard modified == recorded.modified || (atTheEnd != nil && modified == atTheEnd) else {
      throw StorageProblem(disk.file, "has been changed since it was recorded")
    }
  }

  /// Ends that are the user's of the replay: whoever read the output has gone, a debugger has enough.
  private static let early = ["output-closed", "stopped"]

  override func finish(_ end: RunEnd) throws(CommandFailure) {
    func refuse(_ text: String) -> CommandFailure { CommandFailure(CommandFailure.badInput, "\(path): \(text)") }
    guard let replayer = journal.replayer else { return }
    if replayer.isLoose {
      return StandardError.write(
        "epicure: replayed with other settings: \(end.cycles) cycles; the run that was recorded took \(summary.end?.cycles ?? summary.lastCycle)"
      )
    }
    if let divergence = replayer.divergence { throw refuse("the run is not the one that was recorded: \(divergence)") }
    let last = summary.end?.cycles ?? summary.lastCycle
    if end.cycles < last && !replayer.isExhausted && (mayEndEarly || Self.early.contains(end.outcome)) {
      return StandardError.write("epicure: replayed up to cycle \(end.cycles) of \(last)")
    }
    guard let recorded = summary.end else {
      throw refuse("the recording was cut off; it has been replayed up to its end, cycle \(end.cycles)")
    }
    if let divergence = Divergence.atTheEnd(
      recorded, instructions: end.instructions, cycles: end.cycles, stateHash: end.stateHash, memoryHash: end.memoryHash)
    {
      throw refuse("the run is not the one that was recorded: \(divergence)")
    }
    StandardError.write("epicure: replayed: cycle \(end.cycles), memory \(end.memoryHash), as it was recorded")
  }
}
