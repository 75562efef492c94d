import HostResources
import StorageTestSupport

/// A host, a volume that fails, and domains with a front end each, one after another: random requests and random misfortune.
final class IntegrityCampaign {
  private let fixture: DriverFixture
  private let volume: FaultyVolume
  private var guest: BusyFront?
  private var model = SectorModel(sectors: FaultyVolume.size / 512)
  private var random: StorageRandom
  private var nextDomain: UInt16 = 1
  /// So many steps yet without a pause.
  private var rush = 0
  /// Requests that were sent; one that was sent again counts once.
  private(set) var requests = 0
  private(set) var mostOnTheirWay = 0
  private var ownCounts: [String: Int] = [:]
  private var done: [BusyFront.Operation: Int] = [:]
  private var refusedBefore = 0

  /// `isGentle`: failures that the mirror has to hide.
  init(seed: UInt64, isGentle: Bool) throws {
    random = StorageRandom(state: seed)
    volume = try FaultyVolume(seed: random.next(), isGentle: isGentle)
    fixture = try DriverFixture()
    try startDomain()
  }

  /// What happened, to see that everything did.
  var counts: [String: Int] { ownCounts.merging(volume.counts) { $1 } }
  var refused: Int { refusedBefore + (guest?.refused ?? 0) }
  var answered: [BusyFront.Operation: Int] { done.merging(guest?.done ?? [:], uniquingKeysWith: +) }

  private func count(_ event: String) { ownCounts[event, default: 0] += 1 }

  private func current() throws -> (guest: BusyFront, medium: MirroredStorage) {
    guard let guest, let medium = volume.mirror else { throw IntegrityViolation(description: "there is no guest") }
    return (guest, medium)
  }

  // MARK: Requests

  /// Parts of frames, as many as a request has segments.
  private func pieces() -> [ClosedRange<UInt8>] {
    (0..<1 + random.below(random.below(4) == 0 ? 11 : 3)).map { _ in
      let first = random.below(32)
      return UInt8(first)...UInt8(first + random.below(32 - first))
    }
  }

  private func ask() throws {
    let operation: BusyFront.Operation =
      switch random.below(100) {
      case 0..<40: .read
      case 40..<85: .write
      case 85..<90: .barrier
      default: .flush
      }
    // A barrier need not write.
    let isEmpty = operation == .flush || (operation == .barrier && random.below(4) == 0)
    let pieces = isEmpty ? [] : pieces()
    let room = model.sectors - pieces.reduce(0) { $0 + $1.count }
    // Half of the requests meet in a few regions.
    try send(operation, at: random.below(2) == 0 ? random.below(room + 1) : random.below(1024), pieces)
  }

  private func send(_ operation: BusyFront.Operation, at first: Int, _ pieces: [ClosedRange<UInt8>]) throws {
    let (guest, _) = try current()
    while try !guest.ask(operation, at: first, pieces, &model) { try pass(microseconds: 100) }
    requests += 1
    mostOnTheirWay = max(mostOnTheirWay, guest.requestsOnTheirWay)
  }

  private func pass(microseconds: Int) throws {
    fixture.run(nanoseconds: UInt64(microseconds) * 1000)
    try guest?.takeAnswers(&model)
  }

  private func drain() throws {
    while let guest, guest.requestsOnTheirWay > 0 { try pass(microseconds: 1000) }
  }

  /// Reads everything.
  private func sweep() throws {
    let pieces = [ClosedRange<UInt8>](repeating: 0...31, count: 8)
    for first in stride(from: 0, to: model.sectors, by: 256) { try send(.read, at: first, pieces) }
    try drain()
  }

  // MARK: Domains

  private func startDomain() throws {
    guard let medium = volume.mirror else { return }
    guest = try BusyFront(try FrontDomain(nextDomain, fixture, frames: 512), medium)
    nextDomain += 1
  }

  /// The domain dies with what it has on its way. What it had been answered counts, and nothing else.
  private func killDomain() throws {
    guard let old = guest else { return }
    fixture.host.domainGone(old.domain.domainNumber)
    try old.giveUp(&model)
    try old.domain.die()
    refusedBefore += old.refused
    done = answered
    guest = nil
    // Nothing comes afterwards, either.
    fixture.run(nanoseconds: 1_000_000)
    try old.takeAnswers(&model)
  }

  /// Domain and process end, with the host or without it, and all is started again.
  private func stop(host: Bool) throws {
    count(host ? "host crashes" : "process kills")
    volume.stop(host: host)
    try killDomain()
    model.killed()
    if host { model.crashed() }
    try volume.open()
    try startDomain()
    if host, random.below(2) == 0 { try sweep() }
  }

  // MARK: Steps

  func step() throws {
    // The guest waits, or is in a hurry and asks for more than the volume can do.
    if rush > 0 { rush -= 1 } else { try pass(microseconds: random.below(random.below(20) == 0 ? 2000 : 70)) }
    if random.below(100) == 0 { rush = 50 }
    switch random.below(1000) {
    case 0..<870: try ask()
    case 870..<895: volume.failOnce()
    case 895..<898: volume.makeFlaky()
    case 898..<908: volume.breakPath()
    case 908..<925: volume.mendPath()
    case 925..<930: volume.breakHalf()
    case 930..<934: volume.breakRecord()
    case 934..<954: try volume.repair()
    case 954..<974: volume.resync()
    case 974..<982:
      count("back-end restarts")
      let (guest, medium) = try current()
      try guest.restart(medium, repeats: random.below(2) == 0, &model)
    case 982..<985:
      count("back ends closed in order")
      let (guest, medium) = try current()
      try guest.reconnect(medium, &model)
    case 985..<990:
      count("domain kills")
      try killDomain()
      if random.below(2) == 0 {
        volume.close()
        model.killed()
        try volume.open()
      }
      try startDomain()
    case 990..<993: try stop(host: false)
    case 993..<997: try stop(host: true)
    default: try drain()
    }
  }

  /// All that has failed is repaired; then everything is there, and the halves are the same.
  func finish() throws {
    try volume.repair()
    try send(.flush, at: 0, [])
    let refusedBefore = refused
    try sweep()
    guard refused == refusedBefore else { throw IntegrityViolation(description: "reads are refused after the repair") }
    guard volume.areHalvesEqual() else { throw IntegrityViolation(description: "the halves differ after the repair") }
    try sweep()
  }
}
