import Foundation
import HostResources
import Inspection

#if canImport(Glibc)
  import Glibc
#endif

/// What is kept of a run, or repeated: nothing, unless a subclass does.
class Tape {
  let journal: Journal
  init(_ journal: Journal = Journal()) { self.journal = journal }

  func open(_ disk: DiskSpecification) throws(StorageProblem) -> OpenDisk { try OpenDisk(disk) }

  /// The run is over, and nothing will be written to its disks any more.
  func finish(_ end: RunEnd) throws(CommandFailure) {}
}

/// What a run has come to.
struct RunEnd {
  var outcome: String
  var instructions: UInt64
  var cycles: UInt64
  var stateHash: String
  var memoryHash: String

  init(_ server: Server, outcome: String) {
    self.outcome = outcome
    instructions = server.machine.instructions
    cycles = server.processors.map(\.state.cycles).max() ?? 0
    stateHash = MachineHash.text(MachineHash.state(of: server.machine))
    memoryHash = MachineHash.text(server.memory.contentHash())
  }
}

/// `--record`: writes a run down.
final class RecordingTape: Tape {
  private let writer: LogWriter
  let header: RecordingHeader
  private var files: [String] = []

  init(path: String, header: RecordingHeader) throws(CommandFailure) {
    self.header = header
    do throws(RecordingProblem) { writer = try LogWriter(path: path, header: header) } catch {
      throw CommandFailure(CommandFailure.badInput, "--record \(error)")
    }
    super.init(Journal(recordingTo: writer))
  }

  override func open(_ disk: DiskSpecification) throws(StorageProblem) -> OpenDisk {
    let number = files.count
    let file = FileTime.changing(disk)
    files.append(file)
    return try OpenDisk(disk) { [journal, writer] (medium) throws(StorageProblem) in
      let recorded = RecordedDisk(
        file: disk.file, size: medium.size, hash: ContentHash.of(medium).map(MachineHash.text), modified: FileTime.modified(file))
      writer.append(.disk((try? JSONEncoder().encode(recorded)).map { Array($0) } ?? []))
      return JournaledStorage(medium, number: number, journal: journal, keepsOld: disk.overlay != .temporary)
    }
  }

  override func finish(_ end: RunEnd) throws(CommandFailure) {
    let recorded = RecordingEnd(
      outcome: end.outcome, instructions: end.instructions, cycles: end.cycles, stateHash: end.stateHash,
      memoryHash: end.memoryHash,
      modified: files.map(FileTime.modified))
    journal.recorder?.finish((try? JSONEncoder().encode(recorded)).map { Array($0) } ?? [])
    if let problem = writer.problem {
      StandardError.write("epicure: \(writer.path): the rest of the recording could not be written: \(problem)")
    }
  }
}

/// When a disk's file was changed last.
enum FileTime {
  /// The file that writes to a disk go to.
  static func changing(_ disk: DiskSpecification) -> String {
    if case .file(let path) = disk.overlay { path } else { disk.file }
  }

  /// Nanoseconds; nil: there is no such file here.
  static func modified(_ path: String) -> UInt64? {
    var information = stat()
    guard stat(path, &information) == 0 else { return nil }
    return UInt64(bitPattern: Int64(information.st_mtim.tv_sec)) &* 1_000_000_000 &+ UInt64(information.st_mtim.tv_nsec)
  }
}
