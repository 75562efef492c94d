import Foundation
import HostResources
import StorageTestSupport
import TestSupport
import Testing

/// Random requests, failures, kills and crashes of the host, against a model of what each sector may have.
@Suite(.ends(withinMinutes: 5)) struct MirrorCampaignTests {
  private static let seed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 20_261_130

  final class Machine {
    var random: StorageRandom
    // 4 MiB: 64 regions.
    var disks = [TestDisk(size: 4 << 20), TestDisk(size: 4 << 20)]
    let record = TestDisk(size: 8192)
    var identities: [UInt64] = [1, 2]
    var faulty: [FaultyStorage] = []
    var faultyRecord: FaultyStorage
    var mirror: MirroredStorage?
    var model = SectorModel(sectors: (4 << 20) / 512)
    /// What happened, to see that everything did.
    var counts: [String: Int] = [:]

    init(seed: UInt64) throws {
      random = StorageRandom(state: seed)
      faultyRecord = FaultyStorage(record)
      try open()
    }

    func open() throws {
      faulty = disks.map { FaultyStorage($0, seed: random.next()) }
      faultyRecord = FaultyStorage(record, seed: random.next())
      let halves = (0..<2).map { MirroredStorage.Half(faulty[$0], identity: identities[$0]) }
      mirror = try MirroredStorage(halves[0], halves[1], record: faultyRecord, regionsPerRequest: random.below(2))
    }

    /// The process ends at once: nothing that it would do later reaches a disk.
    func kill(host: Bool) throws {
      count(host ? "host crashes" : "kills")
      (faulty + [faultyRecord]).forEach { $0.isDead = true }
      mirror = nil
      model.killed()
      if host {
        (disks + [record]).forEach { $0.crash(&random) }
        model.crashed()
      }
      try open()
    }

    func count(_ event: String) { counts[event, default: 0] += 1 }

    func range() -> Range<Int> {
      // Half of the requests meet in a few regions.
      let first = random.below(2) == 0 ? random.below(model.sectors) : random.below(1024)
      return first..<min(model.sectors, first + 1 + random.below(random.below(8) == 0 ? 300 : 24))
    }

    func write() throws {
      let range = range()
      let (value, bytes) = model.data(range)
      do {
        try mirror?.put(UInt64(range.lowerBound * 512), bytes)
        model.written(range, value, acknowledged: true)
        count("writes")
      } catch is StorageFailure {
        model.written(range, value, acknowledged: false)
        count("writes that failed")
      }
    }

    func read(_ range: Range<Int>) throws -> Bool {
      do {
        guard let bytes = try mirror?.bytes(UInt64(range.lowerBound * 512), range.count * 512) else { return false }
        count("reads")
        return model.accepts(bytes, at: range.lowerBound)
      } catch is StorageFailure {
        count("reads that failed")
        return true
      }
    }

    func flush() throws {
      do {
        try mirror?.flush()
        model.flushed()
        count("flushes")
      } catch { count("flushes that failed") }
    }

    func repair() throws {
      faulty.forEach { $0.isDead = false }
      faultyRecord.isDead = false
      guard let mirror, let failed = mirror.states.firstIndex(of: .failed) else { return }
      let isNew = random.below(4) == 0
      if isNew {
        disks[failed] = TestDisk(size: 4 << 20)
        identities[failed] = random.next()
        faulty[failed] = FaultyStorage(disks[failed], seed: random.next())
      }
      do {
        try mirror.readmit(failed, faulty[failed], identity: identities[failed], isEmpty: isNew)
        count(isNew ? "replacements" : "readmissions")
      } catch is StorageFailure {}
    }

    func step() throws -> Bool {
      switch random.below(1000) {
      case 0..<450: try write()
      case 450..<750: return try read(range())
      case 750..<850: try flush()
      case 850..<890: _ = mirror?.resync(regions: random.below(20))
      case 890..<915:
        faulty[random.below(2)].failsIn = random.below(4)
        count("single failures")
      case 915..<920:
        faulty[random.below(2)].isDead = true
        count("deaths")
      case 920..<925: faultyRecord.failsIn = random.below(3)
      case 925..<975: try repair()
      case 975..<990: try kill(host: false)
      case 990..<1000: try kill(host: true)
      default: break
      }
      return true
    }
  }

  @Test func tenThousandRequests() throws {
    print("seed \(Self.seed)")
    let machine = try Machine(seed: Self.seed)
    var requests = 0
    while requests < 10_000 {
      let isRight = try machine.step()
      #expect(isRight, "seed \(Self.seed), after \(machine.counts)")
      guard isRight else { return }
      requests = ["writes", "reads", "flushes"].reduce(0) { $0 + (machine.counts[$1] ?? 0) }
    }
    print(machine.counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))
    for event in [
      "writes that failed", "flushes that failed", "single failures", "deaths", "kills", "host crashes", "readmissions",
      "replacements",
    ] {
      #expect(machine.counts[event] ?? 0 > 5, "\(event)")
    }
    // Everything works again: the halves are made the same, and both have what the model has.
    machine.faulty.forEach { $0.failsIn = nil }
    machine.faultyRecord.failsIn = nil
    try machine.repair()
    let mirror = try #require(machine.mirror)
    try mirror.flush()
    while mirror.resync(regions: 16) > 0 {}
    #expect(mirror.states == [.active, .active])
    #expect(try machine.read(0..<machine.model.sectors), "seed \(Self.seed)")
    #expect(machine.disks[0].contents == machine.disks[1].contents, "seed \(Self.seed)")
  }
}
