import HostResources
import Inspection
import StorageTestSupport
import Testing

/// Disks of a recorded run: what they held at power-on can be had again, and their failures come again.
@Suite struct JournaledStorageTests {
  let folder: RecordingFolder
  init() throws { folder = try RecordingFolder() }
  private static let size = 40 * 16384 + 1536

  /// Random requests; what each has brought. `storage`: as the machine sees it.
  private func exercise(_ storage: JournaledStorage, seed: UInt64) -> [String] {
    var random = SplitMix(state: seed)
    return (0..<400).map { _ in
      let offset = Int.random(in: 0..<Self.size / 512, using: &random) * 512
      let count = min(Int.random(in: 1...80, using: &random) * 512, Self.size - offset)
      var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      let kind = Int.random(in: 0..<8, using: &random)
      do throws(StorageFailure) {
        switch kind {
        case 0: try storage.flush()
        case 1...4: try storage.write(at: UInt64(offset), from: bytes, 0..<count)
        default:
          try storage.read(at: UInt64(offset), into: &bytes, 0..<count)
          return "\(MachineHash.text(ContentHash.of(bytes)))"
        }
        return "done"
      } catch { return "\(error)" }
    }
  }

  private func disk(_ name: String) throws -> (path: String, contents: [UInt8]) {
    let contents = (0..<Self.size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ ($0 >> 9)) }
    return (try folder.write(name, contents), contents)
  }

  /// One write or flush in thirty fails, and writes do so in part.
  @Test func comesAgain() throws {
    let (path, original) = try disk("disk")
    let heard: [String]
    do {
      let faulty = FailingWrites(try RawImage(path: path, readOnly: false), seed: RecordingFolder.seed)
      let journal = Journal(recordingTo: try folder.writer("log"))
      heard = exercise(JournaledStorage(faulty, number: 0, journal: journal, keepsOld: true), seed: RecordingFolder.seed)
      journal.recorder?.finish([])
    }
    #expect(heard.contains { $0 != "done" && $0.count != 16 })
    let after = try folder.read("disk")
    #expect(after != original)

    let medium = try OverlayImage(temporaryOn: RawImage(path: path, readOnly: true))
    try RecordingSummary.restore(disk: 0, of: folder.path("log"), into: medium)
    #expect(ContentHash.of(medium) == ContentHash.of(original), "seed \(RecordingFolder.seed)")
    let journal = Journal(replaying: try LogReader(path: folder.path("log")))
    let again = exercise(JournaledStorage(medium, number: 0, journal: journal, keepsOld: false), seed: RecordingFolder.seed)
    #expect(again == heard, "seed \(RecordingFolder.seed)")
    #expect(journal.replayer?.divergence == nil)
    #expect(ContentHash.of(medium) == ContentHash.of(after))
    #expect(try folder.read("disk") == after)
  }

  /// What a part held goes into the recording once, ahead of the first write to it.
  @Test func keepsOldContentsOnce() throws {
    let (path, original) = try disk("disk")
    do {
      let journal = Journal(recordingTo: try folder.writer("log"))
      let storage = JournaledStorage(try RawImage(path: path, readOnly: false), number: 3, journal: journal, keepsOld: true)
      let bytes = [UInt8](repeating: 0, count: 1024)
      for _ in 0..<3 { try storage.write(at: 16384 - 512, from: bytes, 0..<1024) }
      // The last part is a short one.
      try storage.write(at: UInt64(Self.size - 512), from: bytes, 0..<512)
    }
    let old = contents(of: try LogReader(path: folder.path("log"))).records
    #expect(
      old == [
        .old(disk: 3, offset: 0, bytes: Array(original[..<16384])),
        .old(disk: 3, offset: 16384, bytes: Array(original[16384..<32768])),
        .old(disk: 3, offset: 40 * 16384, bytes: Array(original[(40 * 16384)...])),
      ])
  }

  /// Places that are not on the disk, in a file whose sums are right.
  @Test func foreignPlaces() throws {
    let (path, original) = try disk("disk")
    do {
      let writer = try folder.writer("log")
      writer.append(.old(disk: 0, offset: .max - 3, bytes: [1, 2, 3, 4]))
    }
    let medium = try OverlayImage(temporaryOn: RawImage(path: path, readOnly: true))
    #expect(throws: RecordingProblem.self) { try RecordingSummary.restore(disk: 0, of: folder.path("log"), into: medium) }
    #expect(ContentHash.of(medium) == ContentHash.of(original))
  }

  @Test(arguments: [StorageFailure.outside, .readOnly, .noSpace, .host(errno: 5), .host(errno: 116)])
  func failures(_ failure: StorageFailure) throws {
    do {
      let journal = Journal(recordingTo: try folder.writer("log"))
      let storage = JournaledStorage(FailingStorage(failure), number: 0, journal: journal, keepsOld: false)
      #expect(throws: failure) { try storage.flush() }
      #expect(throws: failure) { try read(storage) }
      journal.recorder?.finish([])
    }
    let journal = Journal(replaying: try LogReader(path: folder.path("log")))
    let (path, _) = try disk("disk")
    let storage = JournaledStorage(try RawImage(path: path, readOnly: true), number: 0, journal: journal, keepsOld: false)
    #expect(throws: failure) { try storage.flush() }
    #expect(throws: failure) { try read(storage) }
    #expect(throws: Never.self) { try read(storage) }
  }

  private func read(_ storage: JournaledStorage) throws {
    var bytes = [UInt8](repeating: 0, count: 512)
    try storage.read(at: 0, into: &bytes, 0..<512)
  }

  /// What is read can be read.
  private final class FailingWrites: BlockStorage {
    private let storage: any BlockStorage
    private let faulty: FaultyStorage
    var size: UInt64 { storage.size }
    let isReadOnly = false
    init(_ storage: any BlockStorage, seed: UInt64) {
      self.storage = storage
      faulty = FaultyStorage(storage, seed: seed)
      faulty.oddsOfFailure = 30
    }
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
      try storage.read(at: offset, into: buffer)
    }
    func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
      try faulty.write(at: offset, from: buffer)
    }
    func flush() throws(StorageFailure) { try faulty.flush() }
  }

  /// Ends every request the same way.
  private final class FailingStorage: BlockStorage {
    let failure: StorageFailure
    let size: UInt64 = 4096
    let isReadOnly = false
    init(_ failure: StorageFailure) { self.failure = failure }
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) { throw failure }
    func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) { throw failure }
    func flush() throws(StorageFailure) { throw failure }
  }
}
