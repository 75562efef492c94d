import HostResources
import Hypervisor
import Platform
import SplitDrivers
import Testing

/// An outlet that keeps what is sent.
private final class TestPort: NetworkPort {
  var sent: [[UInt8]] = []
  var waiting: [[UInt8]] = []
  var frameArrived: (() -> Void)?
  var statistics = NetworkStatistics()
  func send(_ frame: [UInt8]) { sent.append(frame) }
  func receive() -> [UInt8]? { waiting.isEmpty ? nil : waiting.removeFirst() }
  func arrive(_ frame: [UInt8]) {
    waiting.append(frame)
    frameArrived?()
  }
}

/// netfront, and expected values from xen/include/public/io/netif.h and netback.
@Suite("Virtual network interfaces") struct NetworkBackEndTests {
  let fixture: DriverFixture
  let domain: FrontDomain
  private let network = TestPort()
  let transmit: FrontRing
  let receive: FrontRing
  private let address = MACAddress(value: 0x00163E_010203)

  init() throws {
    fixture = try DriverFixture()
    domain = try FrontDomain(5, fixture)
    transmit = FrontRing(domain, entry: 12)
    receive = FrontRing(domain, entry: 8)
  }

  /// Plugs in and connects; the port.
  private func connect(rate: String? = nil, copies: Bool = true) throws -> (backEnd: NetworkBackEnd, port: UInt32) {
    let backEnd = NetworkBackEnd(
      host: fixture.host, domain: 5, device: 0, address: address, network: network, bridge: "xenbr0", rate: rate)
    try fixture.host.plug(backEnd, name: "guest")
    let port = try domain.port()
    let path = backEnd.frontPath
    try fixture.store.transaction {
      $0.write(path + "/tx-ring-ref", String(transmit.reference))
      $0.write(path + "/rx-ring-ref", String(receive.reference))
      $0.write(path + "/event-channel", String(port))
      if copies { $0.write(path + "/request-rx-copy", "1") }
      $0.write(path + "/state", "4")
    }
    return (backEnd, port)
  }

  private func request(_ reference: UInt32, offset: UInt16 = 0, flags: UInt16 = 0, id: UInt16, size: UInt16) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 12)
    bytes.setField(0, reference)
    bytes.setField(4, offset)
    bytes.setField(6, flags)
    bytes.setField(8, id)
    bytes.setField(10, size)
    return bytes
  }

  private func perform(_ port: UInt32, _ requests: [[UInt8]]) throws -> [String] {
    for request in requests { transmit.put(request) }
    if transmit.push() { try fixture.events.send(port, from: 5) }
    fixture.run()
    return answers()
  }
  private func answers() -> [String] { transmit.take(4).map { "\($0.field(0, as: UInt16.self)) \($0.field(2, as: Int16.self))" } }

  @Test func handshake() throws {
    let (backEnd, _) = try connect()
    func key(_ name: String) -> String? { try? fixture.store.read(backEnd.path + "/" + name) }
    #expect(key("state") == "4" && key("feature-sg") == "1" && key("feature-gso-tcpv4") == "1" && key("feature-rx-copy") == "1")
    #expect(key("mac") == "00:16:3e:01:02:03" && key("handle") == "0" && key("bridge") == "xenbr0")
    #expect(try fixture.store.read("/local/domain/5/device/vif/0/mac") == "00:16:3e:01:02:03")
    #expect(transmit.slots == 1024 && receive.slots == 1024)
  }

  @Test func flippingIsRefused() throws {
    let (backEnd, _) = try connect(copies: false)
    #expect(try fixture.store.read(backEnd.path + "/state") == "5" && key("feature-rx-flip", backEnd) == "0")
    #expect(fixture.reports.count == 1 && domain.flags(transmit.reference) == 1)
  }
  private func key(_ name: String, _ backEnd: BackEnd) -> String? { try? fixture.store.read(backEnd.path + "/" + name) }

  @Test func packetsOfOneAndOfSeveralSlots() throws {
    let (backEnd, port) = try connect()
    let page = domain.page()
    let reference = domain.grant(page, readOnly: true)
    let bytes = (0..<3000).map { UInt8(truncatingIfNeeded: $0 * 3) }
    domain.memory.write(page, bytes)
    // The first slot's size is the packet's.
    let answers = try perform(
      port,
      [
        request(reference, offset: 10, id: 1, size: 60), request(reference, flags: 4, id: 2, size: 3000),
        request(reference, offset: 1000, flags: 4, id: 3, size: 1000), request(reference, offset: 2000, id: 4, size: 1000),
      ])
    #expect(answers == ["1 0", "2 0", "3 0", "4 0"])
    #expect(network.sent == [[UInt8](bytes[10..<70]), bytes])
    #expect(backEnd.statistics.bytesCopied == 3060 && backEnd.statistics.requests == 2 && domain.flags(reference) == 5)
    #expect(domain.takeEvent(port))
  }

  @Test func packetsThatAreNoneAreDropped() throws {
    let (backEnd, port) = try connect()
    let good = domain.grant(domain.page())
    let foreign = domain.grant(domain.page(), to: 9)
    #expect(try perform(port, [request(good, id: 1, size: 13)]) == ["1 -1"])
    #expect(try perform(port, [request(good, offset: 16380, id: 2, size: 60)]) == ["2 -1"])
    #expect(try perform(port, [request(foreign, id: 3, size: 60)]) == ["3 -1"])
    #expect(try perform(port, [request(.max, id: 4, size: 60)]) == ["4 -1"])
    #expect(try perform(port, [request(good, flags: 4, id: 5, size: 60), request(good, id: 6, size: 60)]) == ["5 -1", "6 -1"])
    let many = (0..<18 as Range<UInt16>).map { request(good, flags: 4, id: $0, size: $0 == 0 ? 2000 : 20) }
    #expect(try perform(port, many) == (0..<18).map { "\($0) -1" })
    #expect(try perform(port, [request(good, id: 9, size: 60)]) == ["9 0"])
    #expect(network.sent.count == 1 && backEnd.isConnected && backEnd.statistics.refusals == 6)
    // A packet whose end has not come yet waits.
    #expect(try perform(port, [request(good, flags: 4, id: 1, size: 100)]) == [])
    #expect(try perform(port, [request(good, id: 2, size: 40)]) == ["1 0", "2 0"])
  }

  /// An IPv4 packet with a TCP segment of so many bytes of data.
  private func segment(_ count: Int) -> [UInt8] {
    let length = 40 + count
    return [UInt8](repeating: 0xAA, count: 12) + [8, 0] + [
      0x45, 0, UInt8(length >> 8), UInt8(length & 0xFF), 0, 9, 0, 0, 64, 6, 0, 0,
    ]
      + [10, 0, 0, 1, 10, 0, 0, 2] + [0, 80, 1, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0, 0x50, 0x19, 0x10, 0, 0, 0, 0, 0]
      + (0..<count).map { UInt8(truncatingIfNeeded: $0) }
  }

  /// One's complement sum over all words: 0xFFFF if a checksum is right (RFC 1071).
  private func sum(_ bytes: some Collection<UInt8>, _ start: Int = 0) -> Int {
    var sum = start
    for (index, byte) in bytes.enumerated() { sum += index & 1 == 0 ? Int(byte) << 8 : Int(byte) }
    while sum >> 16 != 0 { sum = (sum & 0xFFFF) + (sum >> 16) }
    return sum
  }
  private func checksumIsRight(_ frame: [UInt8]) -> Bool {
    sum(frame[34...], sum(frame[26..<34]) + 6 + frame.count - 34) == 0xFFFF
  }

  @Test func blankChecksumsAreFilledIn() throws {
    let (_, port) = try connect()
    let page = domain.page()
    let packet = segment(101)
    domain.memory.write(page, packet)
    #expect(!checksumIsRight(packet))
    #expect(try perform(port, [request(domain.grant(page), flags: 1, id: 1, size: UInt16(packet.count))]) == ["1 0"])
    #expect(network.sent.count == 1 && checksumIsRight(network.sent[0]))
    #expect(network.sent[0][..<50] == packet[..<50] && network.sent[0][52...] == packet[52...])
  }

  @Test func longSegmentsAreCut() throws {
    let (_, port) = try connect()
    let page = domain.page()
    let packet = segment(3000)
    domain.memory.write(page, packet)
    var extra = [UInt8](repeating: 0, count: 12)
    extra[0] = 1
    extra.setField(2, 1400 as UInt16)
    extra[4] = 1
    let reference = domain.grant(page)
    #expect(try perform(port, [request(reference, flags: 1 | 8, id: 7, size: UInt16(packet.count)), extra]) == ["7 0", "0 1"])
    #expect(network.sent.map(\.count) == [1454, 1454, 254])
    #expect(network.sent.flatMap { $0[54...] } == [UInt8](packet[54...]))
    for (index, frame) in network.sent.enumerated() {
      #expect(checksumIsRight(frame) && sum(frame[14..<34]) == 0xFFFF)
      #expect(Int(frame[16]) << 8 | Int(frame[17]) == frame.count - 14)
      let sequence = frame[38..<42].reduce(0) { $0 << 8 | UInt32($1) }
      #expect(sequence == 0xFFFF + UInt32(index) * 1400)
      // FIN and PSH only in the last.
      #expect(frame[47] == (index == 2 ? 0x19 : 0x10))
    }
    extra[4] = 7
    #expect(try perform(port, [request(reference, flags: 8, id: 8, size: UInt16(packet.count)), extra]) == ["8 -1", "0 1"])
  }

  @Test func framesComeIntoPostedBuffers() throws {
    let (backEnd, port) = try connect()
    let frame = (0..<200).map { UInt8($0) }
    network.arrive(frame)
    fixture.run()
    #expect(network.waiting.count == 1)
    let page = domain.page()
    for (id, reference) in [domain.grant(page), domain.grant(domain.page(), readOnly: true), domain.grant(domain.page())]
      .enumerated()
    {
      var request = [UInt8](repeating: 0, count: 8)
      request.setField(0, UInt16(id))
      request.setField(4, reference)
      receive.put(request)
    }
    _ = receive.push()
    try fixture.events.send(port, from: 5)
    fixture.run()
    #expect(domain.memory.read(page, count: 200) == frame)
    #expect(receive.take(8) == [[0, 0, 0, 0, 0, 0, 200, 0]])
    // A buffer that cannot be written costs its frame.
    network.arrive(frame)
    network.arrive(frame)
    fixture.run()
    #expect(receive.take(8) == [[1, 0, 0, 0, 0, 0, 0xFF, 0xFF], [2, 0, 0, 0, 0, 0, 200, 0]])
    #expect(backEnd.statistics.bytesRead == 400 && backEnd.statistics.refusals == 1 && fixture.reports.count == 1)
  }

  /// After work it looks by itself: what comes soon needs no event, and what comes later does.
  @Test func staysAwakeForAWhile() throws {
    let (backEnd, port) = try connect()
    let reference = domain.grant(domain.page())
    func put(_ id: UInt16) -> Bool {
      transmit.put(request(reference, id: id, size: 60))
      return transmit.push()
    }
    #expect(put(1))
    try fixture.events.send(port, from: 5)
    fixture.run(nanoseconds: 20_000)
    #expect(network.sent.count == 1)
    #expect(!put(2))
    fixture.run(nanoseconds: 2_000)
    #expect(network.sent.count == 2)
    // Frames that come are found as fast, and two of them cost one event.
    #expect(domain.takeEvent(port))
    for id in 0..<2 as Range<UInt16> {
      var buffer = [UInt8](repeating: 0, count: 8)
      buffer.setField(0, id)
      buffer.setField(4, domain.grant(domain.page()))
      receive.put(buffer)
    }
    _ = receive.push()
    let sent = backEnd.statistics.notificationsSent
    for _ in 0..<2 { network.arrive([UInt8](repeating: 1, count: 60)) }
    fixture.run(nanoseconds: 2_000)
    #expect(receive.take(8).count == 2 && backEnd.statistics.notificationsSent == sent + 1)
    // Nothing for longer than any patience.
    fixture.run(nanoseconds: 250_000)
    let awake = backEnd.statistics.cyclesAwake
    #expect(awake > Cycles.from(nanoseconds: 50_000) && awake < Cycles.from(nanoseconds: 250_000))
    fixture.run(nanoseconds: 1_000_000)
    #expect(backEnd.statistics.cyclesAwake == awake)
    #expect(put(3))
    fixture.run(nanoseconds: 1_000_000)
    #expect(network.sent.count == 2)
    try fixture.events.send(port, from: 5)
    fixture.run(nanoseconds: 6_000)
    #expect(network.sent.count == 3)
    // A device that goes does not look any more.
    try fixture.host.unplug(backEnd)
    try fixture.store.write(backEnd.frontPath + "/state", "6")
    fixture.run()
    #expect(backEnd.isGone && fixture.queue.earliest == nil)
  }

  @Test func theRateIsLimited() throws {
    #expect(TransmitCredit(rate: "1000,") == nil && TransmitCredit(rate: "0,5") == nil && TransmitCredit(rate: "1,2,3") == nil)
    // 1000 bytes in each 50 ms.
    let (_, port) = try connect(rate: "1000,50000")
    let reference = domain.grant(domain.page())
    for id in 0..<5 as Range<UInt16> { transmit.put(request(reference, id: id, size: 400)) }
    if transmit.push() { try fixture.events.send(port, from: 5) }
    fixture.run(nanoseconds: 1_000_000)
    #expect(network.sent.count == 2)
    fixture.run(nanoseconds: 50_000_000)
    #expect(network.sent.count == 4)
    fixture.run(nanoseconds: 50_000_000)
    #expect(network.sent.count == 5)
    // A packet larger than a window's credit goes at last.
    #expect(try perform(port, [request(reference, id: 9, size: 5000)]).last == "9 0")
  }

  @Test(arguments: [41, 42, 43] as [UInt64]) func noise(seed: UInt64) throws {
    print("network back end, seed \(seed)")
    var random = SeededGenerator(state: seed)
    let (backEnd, port) = try connect()
    let references = [
      domain.grant(domain.page()), domain.grant(domain.page(), readOnly: true), domain.grant(9000 * FrontDomain.frame), 3,
    ]
    for round in 0..<3000 where backEnd.isConnected {
      let bytes = request(
        references.randomElement(using: &random) ?? 0, offset: .random(in: 0...17000, using: &random),
        flags: .random(in: 0...15, using: &random),
        id: .random(in: 0...9, using: &random), size: .random(in: 0...3000, using: &random))
      transmit.put(UInt8.random(in: 0...4, using: &random) == 0 ? bytes.shuffled(using: &random) : bytes)
      var buffer = [UInt8](bytes[..<8]).shuffled(using: &random)
      // Not the rings: what a frame writes there is found at once, and that is the end.
      if [transmit.reference, receive.reference].contains(buffer.field(4, as: UInt32.self)) { buffer.setField(4, 3 as UInt32) }
      receive.put(buffer)
      _ = receive.push()
      if transmit.push() { try fixture.events.send(port, from: 5) }
      network.arrive([UInt8](repeating: 1, count: .random(in: 14...20_000, using: &random)))
      fixture.run(nanoseconds: 100_000)
      _ = answers()
      _ = receive.take(8)
      if round == 2900 {
        domain.memory.store(transmit.page, transmit.produced &+ 5000)
        try fixture.events.send(port, from: 5)
        fixture.run(nanoseconds: 100_000)
      }
    }
    #expect(!backEnd.isConnected && network.sent.count > 20)
    for reference in references[..<2] { #expect((domain.flags(reference) ?? 0) & 0b11000 == 0) }
    #expect(domain.flags(transmit.reference) == 1)
  }
}
