import HostResources
import Testing

/// Rules of a learning bridge: IEEE 802.1D-2004, sections 7.7 to 7.9.
@Suite struct BridgeTests {
  let timeline = TestTimeline()
  let bridge = SoftwareBridge(name: "test")
  func address(_ n: Int) -> MACAddress { MACAddress(value: 0x0200_0000_0000 | UInt64(n)) }
  func ports(_ count: Int) throws -> [any NetworkPort] { try (0..<count).map { _ in try bridge.connect(timeline) } }

  private func pass() { timeline.run(until: timeline.now + 1_000_000) }

  @Test func floodsUntilItHasLearnt() throws {
    let ports = try ports(3)
    ports[0].send(Frame.make(to: address(1), from: address(0), payload: [1]))
    pass()
    #expect(ports.map { $0.drain().count } == [0, 1, 1])
    ports[1].send(Frame.make(to: address(0), from: address(1), payload: [2]))
    pass()
    #expect(ports.map { $0.drain().count } == [1, 0, 0])
    ports[0].send(Frame.make(to: address(1), from: address(0), payload: [3]))
    pass()
    #expect(ports.map { $0.drain() }[1].first?.last == 3)
    #expect(ports[2].receive() == nil)
  }

  @Test func groupAddressesGoToAllOthers() throws {
    let ports = try ports(4)
    for destination in [MACAddress.broadcast, MACAddress(value: 0x0100_5E00_0001)] {
      ports[2].send(Frame.make(to: destination, from: address(2), payload: [0]))
      pass()
      #expect(ports.map { $0.drain().count } == [1, 1, 0, 1])
    }
  }

  /// 802.1D, table 7-10: reserved addresses are for the link; and what came from a port does not go back to it.
  @Test func filters() throws {
    let ports = try ports(2)
    ports[0].send(Frame.make(to: MACAddress(value: 0x0180_C200_0001), from: address(0), payload: [0]))
    ports[0].send([1, 2, 3])
    pass()
    #expect(ports[1].drain().isEmpty)
    #expect(bridge.filtered == 2)
    ports[0].send(Frame.make(to: address(9), from: address(8), payload: [0]))
    ports[0].send(Frame.make(to: address(8), from: address(9), payload: [0]))
    pass()
    #expect(ports.map { $0.drain().count } == [0, 1])
  }

  @Test func aStationThatMovesIsFound() throws {
    let ports = try ports(3)
    ports[0].send(Frame.make(to: address(5), from: address(7), payload: [0]))
    ports[1].send(Frame.make(to: address(5), from: address(7), payload: [0]))
    pass()
    _ = ports.map { $0.drain() }
    ports[2].send(Frame.make(to: address(7), from: address(2), payload: [0]))
    pass()
    #expect(ports.map { $0.drain().count } == [0, 1, 0])
  }

  /// Table 7-5: 300 seconds.
  @Test func addressesAge() throws {
    let ports = try ports(3)
    ports[0].send(Frame.make(to: address(1), from: address(0), payload: [0]))
    timeline.run(until: 299 * timeline.cyclesPerSecond)
    _ = ports.map { $0.drain() }
    ports[1].send(Frame.make(to: address(0), from: address(1), payload: [0]))
    pass()
    #expect(ports.map { $0.drain().count } == [1, 0, 0])
    timeline.run(until: 301 * timeline.cyclesPerSecond)
    ports[1].send(Frame.make(to: address(0), from: address(1), payload: [0]))
    pass()
    #expect(ports.map { $0.drain().count } == [1, 0, 1])
  }

  /// A frame that is sent at cycle t arrives at t + latency of the receiver's clock, not earlier and not later.
  @Test func latencyIsVirtualTime() throws {
    let other = TestTimeline()
    let a = try bridge.connect(timeline)
    let b = try bridge.connect(other)
    var arrivals: [UInt64] = []
    b.frameArrived = { [unowned other] in arrivals.append(other.now) }
    timeline.run(until: 1000)
    a.send(Frame.make(to: .broadcast, from: address(0), payload: [0]))
    let latency = SoftwareBridge.latency * timeline.cyclesPerSecond / 1_000_000_000
    other.run(until: 1000 + latency - 1)
    #expect(arrivals.isEmpty)
    other.run(until: 1_000_000)
    #expect(arrivals == [1000 + latency])
    // A receiver whose clock is ahead gets the frame as soon as possible.
    a.send(Frame.make(to: .broadcast, from: address(0), payload: [0]))
    _ = b.drain()
    other.run(until: 1_000_001)
    #expect(arrivals.last == 1_000_000)
  }

  @Test func sixtyFourPorts() throws {
    let ports = try ports(64)
    #expect(throws: SoftwareBridge.Failure.full("test")) { try bridge.connect(timeline) }
    ports[63].send(Frame.make(to: .broadcast, from: address(0), payload: [0]))
    pass()
    #expect(ports.reduce(0) { $0 + $1.drain().count } == 63)
  }

  /// A machine that takes nothing, and one that invents senders: bounded memory, counted drops, and the others still talk.
  @Test func floodsOfHostileGuestsAreBounded() throws {
    let ports = try ports(3)
    for n in 0..<20_000 {
      ports[0].send(Frame.make(to: .broadcast, from: address(1000 + n), payload: [UInt8](repeating: 0, count: 46)))
    }
    pass()
    #expect(ports[1].statistics.receiveDrops > 18_000)
    #expect(ports.map { $0.drain().count }.max() ?? 0 <= 1024)
    ports[2].send(Frame.make(to: address(1), from: address(2), payload: [0]))
    ports[1].send(Frame.make(to: address(2), from: address(1), payload: [0]))
    pass()
    #expect(ports[2].drain().last.map { MACAddress($0, at: 6) } == address(1))
  }
}
