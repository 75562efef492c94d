import Hypervisor
import SplitDrivers
import Testing

/// Expected values: xen/include/public/io/blkif.h, and the behaviour of blkback and xend.
@Suite("Virtual block devices") struct BlockBackEndTests {
  let fixture: DriverFixture
  let domain: FrontDomain
  let disk = MemoryDisk(sectors: 256)

  init() throws {
    fixture = try DriverFixture()
    domain = try FrontDomain(5, fixture)
  }

  @Test func handshake() throws {
    let front = try BlockFront(domain, disk)
    #expect(
      front.key("state") == "4" && front.key("sectors") == "256" && front.key("sector-size") == "512" && front.key("info") == "0")
    #expect(front.key("feature-barrier") == "1" && front.key("feature-flush-cache") == "1" && front.key("feature-discard") == "1")
    #expect(front.key("physical-device") == "7:0" && front.key("hotplug-status") == "connected")
    #expect(front.key("frontend") == "/local/domain/5/device/vbd/51712" && front.key("frontend-id") == "5")
    let path = "/local/domain/5/device/vbd/51712"
    #expect(try fixture.store.read(path + "/backend") == "/local/domain/0/backend/vbd/5/51712")
    #expect(try fixture.store.read(path + "/virtual-device") == "51712")
    #expect(try fixture.store.permissions(of: path) == [StorePermission(.none, 5), StorePermission(.read, 0)])
    #expect(try fixture.store.permissions(of: front.backEnd.path) == [StorePermission(.none, 0), StorePermission(.read, 5)])
    // Mapped: permit_access, reading, writing.
    #expect(domain.flags(front.ring.reference) == 0b11001)
  }

  @Test func readsAndWrites() throws {
    let front = try BlockFront(domain, disk)
    let (one, two) = (domain.page(), domain.page())
    let segments = [
      BlockFront.Segment(reference: domain.grant(one), first: 30, last: 31), .init(reference: domain.grant(two), first: 0, last: 0),
    ]
    #expect(try front.perform([BlockFront.request(0, id: 0x1234_5678_9ABC, sector: 7, segments)]) == ["20015998343868 0 0"])
    #expect(
      domain.memory.read(one + 30 * 512, count: 1024) == [UInt8](repeating: 7, count: 512) + [UInt8](repeating: 8, count: 512))
    #expect(domain.memory.read(two, count: 512) == [UInt8](repeating: 9, count: 512))
    #expect(domain.takeEvent(front.port))
    domain.memory.write(one, [UInt8](repeating: 0xEE, count: 1024))
    let source = BlockFront.Segment(reference: domain.grant(one, readOnly: true), first: 0, last: 1)
    #expect(try front.perform([BlockFront.request(1, id: 2, sector: 254, [source])]) == ["2 1 0"])
    #expect(disk.bytes[254 * 512..<256 * 512].allSatisfy { $0 == 0xEE })
    #expect(domain.flags(source.reference) == 5)
    let statistics = front.backEnd.statistics
    #expect(statistics.requests == 2 && statistics.bytesRead == 1536 && statistics.bytesWritten == 1024)
    // The ring, and three pages.
    #expect(statistics.grantsMapped == 4 && statistics.refusals == 0 && fixture.reports.isEmpty)
  }

  @Test func notificationsThatNobodyWantsAreNotSent() throws {
    let front = try BlockFront(domain, disk)
    let page = domain.grant(domain.page())
    domain.memory.store(front.ring.page + 12, 4 as UInt32)
    let requests = (0..<4 as Range<UInt64>).map { BlockFront.request(0, id: $0, sector: 0, [.init(reference: page)]) }
    #expect(try front.perform(requests).count == 4)
    #expect(front.backEnd.statistics.notificationsSent == 1 && front.backEnd.statistics.notificationsSuppressed == 3)
    // The back end asks for the next request before it sleeps.
    #expect(domain.memory.load(front.ring.page + 4, as: UInt32.self) == 5)
  }

  @Test func barriersFlushesAndDiscards() throws {
    let front = try BlockFront(domain, disk)
    let page = domain.grant(domain.page())
    var discard = BlockFront.request(5, id: 4, sector: 16, [])
    discard.setField(0x18, 32 as UInt64)
    let answers = try front.perform([
      BlockFront.request(1, id: 1, sector: 0, [.init(reference: page)]),
      BlockFront.request(2, id: 2, sector: 32, [.init(reference: page)]),
      BlockFront.request(3, id: 3, sector: 0, []), discard,
    ])
    #expect(answers == ["1 1 0", "2 2 0", "3 3 0", "4 5 0"])
    #expect(disk.log == ["write 0 32", "flush", "write 32 32", "flush", "flush", "discard 16 32"])
  }

  @Test func whatIsReadOnlyStaysSo() throws {
    let front = try BlockFront(domain, disk, mode: "r")
    #expect(front.key("info") == "4" && front.key("feature-barrier") == "0" && front.key("mode") == "r")
    let page = domain.grant(domain.page())
    var discard = BlockFront.request(5, id: 4, sector: 16, [])
    discard.setField(0x18, 32 as UInt64)
    let answers = try front.perform([
      BlockFront.request(1, id: 1, sector: 0, [.init(reference: page)]),
      BlockFront.request(2, id: 2, sector: 0, [.init(reference: page)]),
      BlockFront.request(3, id: 3, sector: 0, []), discard, BlockFront.request(0, id: 5, sector: 0, [.init(reference: page)]),
    ])
    #expect(answers == ["1 1 -1", "2 2 -2", "3 3 -2", "4 5 -2", "5 0 0"] && disk.log == ["read 0 32"])
  }

  @Test func requestsOf32BitFrontEndsArePacked() throws {
    let front = try BlockFront(domain, disk, abi: "x86_32-abi", entry: 0x6C)
    let page = domain.page()
    var request = [UInt8](repeating: 0, count: 0x6C)
    request[1] = 1
    request.setField(4, 77 as UInt64)
    request.setField(0xC, 9 as UInt64)
    request.setField(0x14, domain.grant(page))
    request[0x19] = 0
    front.ring.put(request)
    if front.ring.push() { try front.notify() }
    fixture.run()
    #expect(front.ring.take(0xC) == [[77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]])
    #expect(domain.memory.load(page, as: UInt8.self) == 9)
  }

  @Test func lyingRequestsAreAnsweredWithAnError() throws {
    let front = try BlockFront(domain, disk)
    let page = domain.grant(domain.page())
    let readOnly = domain.grant(domain.page(), readOnly: true)
    let foreign = domain.grant(domain.page(), to: 7)
    let outside = domain.grant(500 * FrontDomain.frame)
    func read(_ id: UInt64, _ segments: [BlockFront.Segment], sector: UInt64 = 0, count: UInt8? = nil) -> [UInt8] {
      BlockFront.request(0, id: id, sector: sector, segments, count: count)
    }
    let answers = try front.perform([
      read(1, []), read(2, [.init(reference: page)], count: 12), read(3, [.init(reference: page)], count: 255),
      read(4, [.init(reference: page, first: 2, last: 1)]), read(5, [.init(reference: page, first: 0, last: 32)]),
      read(6, [.init(reference: page)], sector: 225), read(7, [.init(reference: page)], sector: .max),
      read(8, [.init(reference: readOnly)]), read(9, [.init(reference: foreign)]), read(10, [.init(reference: outside)]),
      read(11, [.init(reference: .max)]), read(12, [.init(reference: page), .init(reference: foreign)]),
      BlockFront.request(4, id: 13, sector: 0, [.init(reference: page)]), BlockFront.request(99, id: 14, sector: 0, []),
      BlockFront.request(3, id: 15, sector: 0, [.init(reference: page)]), read(16, [.init(reference: page)]),
    ])
    #expect(answers == (1...12).map { "\($0) 0 -1" } + ["13 4 -1", "14 99 -1", "15 3 -1", "16 0 0"])
    #expect(disk.log == ["read 0 32"] && domain.flags(page) == 1 && domain.flags(readOnly) == 5)
    #expect(front.backEnd.statistics.refusals == 15 && front.key("state") == "4" && !fixture.reports.isEmpty)
  }

  @Test func errorsOfTheMediumAreErrorsOfRequests() throws {
    let front = try BlockFront(domain, disk)
    disk.fails = true
    let page = domain.grant(domain.page())
    #expect(try front.perform([BlockFront.request(0, id: 1, sector: 0, [.init(reference: page)])]) == ["1 0 -1"])
    #expect(domain.flags(page) == 1)
  }

  @Test(arguments: [129, 5000, .max] as [UInt32]) func aBrokenRingIsDisconnected(jump: UInt32) throws {
    let other = try BlockFront(try FrontDomain(6, fixture), disk)
    let front = try BlockFront(domain, disk)
    domain.memory.store(front.ring.page, jump)
    try front.notify()
    fixture.run()
    #expect(front.key("state") == "5" && domain.flags(front.ring.reference) == 1)
    #expect(fixture.reports == ["5 vbd/51712: its ring holds \(jump) requests"])
    // The other one sees nothing; this one may come back.
    let page = other.domain.grant(other.domain.page())
    #expect(try other.perform([BlockFront.request(0, id: 1, sector: 0, [.init(reference: page)])]) == ["1 0 0"])
    try front.setState(6)
    #expect(front.key("state") == "6")
    try front.setState(1)
    #expect(front.key("state") == "2")
  }

  @Test func aFrontEndThatCannotBeConnected() throws {
    let backEnd = BlockBackEnd(host: fixture.host, domain: 5, device: 768, medium: disk)
    try fixture.host.plug(backEnd, name: "guest")
    #expect(throws: StoreError.exists) { try fixture.host.plug(backEnd, name: "guest") }
    try fixture.store.write(backEnd.frontPath + "/ring-ref", "4000")
    try fixture.store.write(backEnd.frontPath + "/event-channel", "1")
    try fixture.store.write(backEnd.frontPath + "/state", "3")
    #expect(try fixture.store.read(backEnd.path + "/state") == "5" && fixture.reports.count == 1)
  }

  @Test func unpluggingWaitsForTheFrontEndAndItsRequests() throws {
    let front = try BlockFront(domain, disk)
    let page = domain.grant(domain.page())
    for id in 1...3 as ClosedRange<UInt64> { front.ring.put(BlockFront.request(0, id: id, sector: 0, [.init(reference: page)])) }
    if front.ring.push() { try front.notify() }
    try fixture.host.unplug(front.backEnd)
    #expect(front.key("state") == "5" && front.key("online") == "0" && !front.backEnd.isGone)
    #expect(front.answers().isEmpty)
    try front.setState(6)
    // All three are done, nothing is mapped, the directories are gone.
    #expect(front.answers() == ["1 0 0", "2 0 0", "3 0 0"])
    #expect(front.backEnd.isGone && !fixture.store.exists(front.backEnd.path) && !fixture.store.exists(front.backEnd.frontPath))
    #expect(domain.flags(front.ring.reference) == 1 && domain.flags(page) == 1 && fixture.host.backEnds.isEmpty)
    fixture.run()
    #expect(disk.log.count == 3)
  }

  @Test func aDomainThatDiesTakesItsRequestsWithIt() throws {
    let front = try BlockFront(domain, disk)
    let page = domain.grant(domain.page())
    front.ring.put(BlockFront.request(1, id: 1, sector: 0, [.init(reference: page)]))
    if front.ring.push() { try front.notify() }
    try domain.die()
    fixture.run()
    #expect(disk.log.isEmpty && front.backEnd.isGone && !fixture.store.exists("/local/domain/0/backend/vbd/5/51712"))
  }

  /// Random requests in random slots, indices that mostly go forward: the host lives, the other domain's disk works, and no grant stays mapped.
  @Test(arguments: [31, 32, 33] as [UInt64]) func noise(seed: UInt64) throws {
    print("block back end, seed \(seed)")
    var random = SeededGenerator(state: seed)
    let other = try BlockFront(try FrontDomain(6, fixture), MemoryDisk(sectors: 64))
    let references = (0..<6).map { domain.grant($0 == 5 ? 4000 * FrontDomain.frame : domain.page(), readOnly: $0 == 4) }
    for device in 0..<10 {
      let front = try BlockFront(domain, disk, device: 768 + device)
      for _ in 0..<200 {
        var request = BlockFront.request(
          .random(in: 0...6, using: &random), id: .random(in: 0...9, using: &random), sector: .random(in: 0...260, using: &random),
          (0..<Int.random(in: 0...11, using: &random)).map { _ in
            .init(
              reference: references.randomElement(using: &random) ?? 0, first: .random(in: 0...33, using: &random),
              last: .random(in: 0...33, using: &random))
          })
        if UInt8.random(in: 0...3, using: &random) == 0 {
          request[Int.random(in: 0..<request.count, using: &random)] = .random(in: 0...255, using: &random)
        }
        front.ring.put(request)
        if front.ring.push() { try front.notify() }
        if UInt8.random(in: 0...99, using: &random) == 0 {
          domain.memory.store(front.ring.page, UInt32.random(in: 0...UInt32.max, using: &random))
        }
        fixture.run(nanoseconds: .random(in: 0...200_000, using: &random))
        _ = front.ring.take(0x10)
      }
      fixture.host.destroy(front.backEnd)
      for reference in references { #expect((domain.flags(reference) ?? 0) & 0b11000 == 0) }
    }
    let page = other.domain.grant(other.domain.page())
    #expect(try other.perform([BlockFront.request(0, id: 1, sector: 0, [.init(reference: page)])]) == ["1 0 0"])
  }
}
