import Foundation
import HostResources
import TestSupport
import Testing

/// Uplinks that take each other's place.
@Suite(.serialized, .ends(withinMinutes: 5)) struct BondTests {
  /// A cable to a port of a switch.
  final class Cable: Uplink {
    let name: String
    var hasLink = true
    /// It says that it has a link, and takes nothing.
    var takesNothing = false
    var sent: [[UInt8]] = []
    var waiting: [[UInt8]] = []
    var descriptor: Int32? { pipe }
    private var pipe: Int32
    private let other: Int32

    init(_ name: String) {
      self.name = name
      var ends: [Int32] = [0, 0]
      _ = Glibc.pipe(&ends)
      (pipe, other) = (ends[0], ends[1])
    }
    deinit {
      close(pipe)
      close(other)
    }
    func send(_ frame: [UInt8]) -> Bool {
      guard hasLink, !takesNothing else { return false }
      sent.append(frame)
      return true
    }
    func arrive(_ frame: [UInt8]) {
      waiting.append(frame)
      _ = write(other, [1], 1)
    }
    func receive() -> [UInt8]? {
      guard !waiting.isEmpty else { return nil }
      var byte: UInt8 = 0
      _ = read(pipe, &byte, 1)
      return waiting.removeFirst()
    }
  }

  let timeline = TestTimeline()
  let world = OutsideWorld()
  let bridge = SoftwareBridge(name: "lan")
  let cables = [Cable("eth1"), Cable("eth2")]
  final class Clock { var now: UInt64 = 0 }
  let clock = Clock()

  private func address(_ n: Int) -> MACAddress { MACAddress(value: 0x0200_0000_0000 | UInt64(n)) }
  private func bond() throws -> BondedUplink { try BondedUplink(bridge, cables, world: world) { [clock] in clock.now } }
  private func pass() {
    clock.now += BondedUplink.lookInterval
    world.look()
    timeline.run(until: timeline.now + 1_000_000)
  }

  @Test func bothWays() throws {
    let bond = try bond()
    let port = try bridge.connect(timeline)
    port.send(Frame.make(to: .broadcast, from: address(1), payload: [1]))
    #expect(cables[0].sent.count == 1 && cables[1].sent.isEmpty)
    cables[0].arrive(Frame.make(to: address(1), from: address(9), payload: [2]))
    // A copy over the one that is not in use is not taken.
    cables[1].arrive(Frame.make(to: .broadcast, from: address(9), payload: [2]))
    pass()
    #expect(port.drain().map(\.last) == [2])
    #expect(bond.statistics.sentFrames == 1 && bond.statistics.receivedFrames == 1)
  }

  @Test func failsOver() throws {
    let bond = try bond()
    var said: [String] = []
    bond.changed = { said.append($0) }
    let ports = [try bridge.connect(timeline), try bridge.connect(timeline)]
    for n in 0..<2 { ports[n].send(Frame.make(to: .broadcast, from: address(n), payload: [1])) }
    cables[0].arrive(Frame.make(to: address(0), from: address(9), payload: [2]))
    pass()
    _ = ports.map { $0.drain() }
    cables[0].hasLink = false
    pass()
    #expect(bond.active == 1 && bond.failovers == 1)
    #expect(said == ["bridge lan: eth1 has no link any more; eth2 is in use"])
    // RFC 903: type 8035, operation 3 (request reverse), both hardware addresses the sender's; a frame of the shortest length.
    #expect(cables[1].sent.count == 2 && cables[1].sent.allSatisfy { $0.count == 60 })
    for n in 0..<2 {
      let frame = cables[1].sent[n]
      #expect(Array(frame[0..<6]) == MACAddress.broadcast.bytes && Array(frame[6..<12]) == address(n).bytes)
      #expect(Array(frame[12..<22]) == [0x80, 0x35, 0, 1, 8, 0, 6, 4, 0, 3])
      #expect(Array(frame[22..<28]) == address(n).bytes && Array(frame[32..<38]) == address(n).bytes)
    }
    // Who was behind the old one is looked for everywhere.
    ports[0].send(Frame.make(to: address(9), from: address(0), payload: [3]))
    pass()
    #expect(ports[1].drain().count == 1 && cables[1].sent.count == 3)
    cables[1].arrive(Frame.make(to: address(0), from: address(9), payload: [4]))
    pass()
    #expect(ports[0].drain().count == 1)
    // The first one's return changes nothing; the loss of the second does.
    cables[0].hasLink = true
    pass()
    #expect(bond.active == 1)
    cables[1].hasLink = false
    pass()
    #expect(bond.active == 0)
    cables[0].hasLink = false
    pass()
    #expect(bond.active == nil && said.last == "bridge lan: eth1 has no link any more, and there is no other uplink")
    ports[0].send(Frame.make(to: .broadcast, from: address(0), payload: [5]))
    #expect(bond.statistics.sendDrops == 1)
    cables[1].hasLink = true
    pass()
    #expect(bond.active == 1)
  }

  /// A frame that finds no way is sent over the next one at once.
  @Test func noticedBySending() throws {
    let bond = try bond()
    let port = try bridge.connect(timeline)
    cables[0].hasLink = false
    port.send(Frame.make(to: .broadcast, from: address(0), payload: [1]))
    #expect(bond.active == 1)
    #expect(cables[1].sent.last?.last == 1 && bond.statistics.sendDrops == 0)
    cables[1].takesNothing = true
    port.send(Frame.make(to: .broadcast, from: address(0), payload: [2]))
    #expect(bond.active == 1 && bond.statistics.sendDrops == 1)
  }

  private static var mayRun: Bool { geteuid() == 0 && Tool.ip.shouldRun && access("/dev/net/tun", R_OK | W_OK) == 0 }

  /// Two pairs of interfaces of the host, with the test at their other ends.
  @Test(.enabled(if: mayRun, "network interfaces take rights")) func interfacesOfTheHost() throws {
    let names = ["a", "b"].map { "ep\($0)\(getpid() % 100_000)" }
    for name in names {
      guard try Tool.ip.run(["link", "add", name, "type", "veth", "peer", "name", name + "x"]).status == 0 else { return }
      for end in [name, name + "x"] {
        // No address of its own: the host has nothing to say there.
        try "1".write(toFile: "/proc/sys/net/ipv6/conf/\(end)/disable_ipv6", atomically: false, encoding: .utf8)
        _ = try Tool.ip.run(["link", "set", end, "up"])
      }
    }
    defer { names.forEach { _ = try? Tool.ip.run(["link", "del", $0]) } }
    let network = HostNetwork(world: world, folder: "/nowhere")
    let bond = try network.connect(BridgeSpecification(parsing: "lan,uplink=\(names[0]),uplink=\(names[1])")) { _ in }
    let far = try names.map { try InterfaceUplink(name: $0 + "x") }
    let port = try network.bridge("lan", isShared: false).connect(timeline)
    func look() {
      for _ in 0..<3 {
        world.look()
        timeline.run(until: timeline.now + 1_000_000)
        usleep(60_000)
      }
    }
    #expect(bond.active == 0)
    let frame = Frame.make(to: .broadcast, from: address(1), payload: [UInt8](repeating: 7, count: 50))
    port.send(frame)
    #expect(far[0].receive() == frame)
    let answer = Frame.make(to: address(1), from: address(9), payload: [UInt8](repeating: 8, count: 50))
    #expect(far[0].send(answer))
    look()
    #expect(port.drain() == [answer])
    _ = try Tool.ip.run(["link", "set", names[0] + "x", "down"])
    look()
    #expect(bond.active == 1)
    #expect(far[1].receive().map { Array($0[6..<14]) } == address(1).bytes + [0x80, 0x35])
    #expect(far[1].send(answer))
    look()
    #expect(port.drain() == [answer])
  }
}
