import Foundation
import HostResources
import TestSupport
import Testing

/// A guest of a few frames against libslirp. Formats: RFC 826 (ARP), 2131 (DHCP), 793 (TCP).
@Suite(.serialized, .ends(withinMinutes: 5)) struct UserNetworkTests {
  static let guest = MACAddress.automatic(index: 0)

  final class Rig {
    let world = OutsideWorld()
    let network: UserNetwork
    var time: UInt64 = 0
    init(_ options: UserNetwork.Options = .init()) throws {
      network = try UserNetwork(options, world: world)
      world.clock = { [unowned self] in time }
    }
    /// Frames that come within a second of the host.
    func wait(for condition: ([UInt8]) -> Bool) -> [UInt8]? {
      for _ in 0..<200 {
        world.look()
        while let frame = network.receive() { if condition(frame) { return frame } }
        usleep(5000)
        time += 5_000_000
      }
      return nil
    }
  }

  // MARK: Packets

  static func bytes(_ value: UInt32, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * (count - 1 - $0))) }
  }
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var sum: UInt32 = 0
    for i in stride(from: 0, to: bytes.count, by: 2) {
      sum += UInt32(bytes[i]) << 8 + (i + 1 < bytes.count ? UInt32(bytes[i + 1]) : 0)
    }
    while sum >> 16 != 0 { sum = sum & 0xFFFF + sum >> 16 }
    return ~sum & 0xFFFF
  }
  static func ip(_ proto: UInt8, from: UInt32, to: UInt32, _ payload: [UInt8]) -> [UInt8] {
    var header: [UInt8] =
      [0x45, 0] + bytes(UInt32(20 + payload.count), 2) + [0, 1, 0, 0, 64, proto, 0, 0] + bytes(from, 4) + bytes(to, 4)
    header.replaceSubrange(10..<12, with: bytes(checksum(header), 2))
    return header + payload
  }
  static func arp(for address: UInt32, from: UInt32) -> [UInt8] {
    Frame.make(
      to: .broadcast, from: guest, type: 0x0806,
      payload: [0, 1, 8, 0, 6, 4, 0, 1] + guest.bytes + bytes(from, 4) + [UInt8](repeating: 0, count: 6) + bytes(address, 4))
  }
  static func dhcpDiscover() -> [UInt8] {
    var bootp: [UInt8] = [1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78] + [UInt8](repeating: 0, count: 20) + guest.bytes
    bootp += [UInt8](repeating: 0, count: 236 - bootp.count) + [0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255]
    bootp += [UInt8](repeating: 0, count: 300 - bootp.count)
    let udp = bytes(68, 2) + bytes(67, 2) + bytes(UInt32(8 + bootp.count), 2) + [0, 0] + bootp
    return Frame.make(to: .broadcast, from: guest, type: 0x0800, payload: ip(17, from: 0, to: 0xFFFF_FFFF, udp))
  }
  static func tcp(to gateway: MACAddress, port: UInt16, sequence: UInt32, acknowledge: UInt32, flags: UInt8, _ data: [UInt8] = [])
    -> [UInt8]
  {
    let (from, to): (UInt32, UInt32) = (0x0A00_020F, 0x0A00_0202)
    var segment = bytes(40000, 2) + bytes(UInt32(port), 2) + bytes(sequence, 4) + bytes(acknowledge, 4)
    segment += [0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0] + data
    let pseudo = bytes(from, 4) + bytes(to, 4) + [0, 6] + bytes(UInt32(segment.count), 2)
    segment.replaceSubrange(16..<18, with: bytes(checksum(pseudo + segment), 2))
    return Frame.make(to: gateway, from: guest, type: 0x0800, payload: ip(6, from: from, to: to, segment))
  }
  static func isTCP(_ frame: [UInt8]) -> Bool { frame.count >= 54 && frame[12...13] == [8, 0] && frame[23] == 6 }
  static func word(_ frame: [UInt8], _ at: Int) -> UInt32 { frame[at..<at + 4].reduce(0) { $0 << 8 | UInt32($1) } }

  // MARK: Tests

  @Test func answersARPAndDHCPAtOnce() throws {
    let rig = try Rig()
    #expect(!rig.world.mayDeliver)
    rig.network.send(Self.dhcpDiscover())
    let offer = try #require(rig.network.receive())
    #expect(Self.word(offer, 14 + 20 + 8 + 16) == 0x0A00_020F)
    rig.network.send(Self.arp(for: 0x0A00_0202, from: 0x0A00_020F))
    let reply = try #require(rig.network.drain().last)
    #expect(reply[20...21] == [0, 2])
    #expect(Self.word(reply, 28) == 0x0A00_0202)
    // Nothing can come now that the guest has not asked for.
    rig.world.look()
    #expect(!rig.world.mayDeliver)
  }

  @Test func otherNetwork() throws {
    var options = UserNetwork.Options()
    options.network = try #require(IPv4Network("172.20.5.0/24"))
    let rig = try Rig(options)
    rig.network.send(Self.dhcpDiscover())
    let offer = try #require(rig.network.receive())
    #expect(Self.word(offer, 58) == 0xAC14_050F)
  }

  @Test func connectsToAServerOfTheHost() throws {
    let server = try Listener()
    let rig = try Rig()
    rig.network.send(Self.arp(for: 0x0A00_0202, from: 0x0A00_020F))
    let reply = try #require(rig.network.receive())
    let gateway = try #require(MACAddress(reply, at: 6))
    rig.network.send(Self.tcp(to: gateway, port: server.port, sequence: 1000, acknowledge: 0, flags: 0x02))
    let synchronize = try #require(rig.wait { Self.isTCP($0) })
    #expect(synchronize[47] & 0x3F == 0x12)
    #expect(Self.word(synchronize, 42) == 1001)
    let next = Self.word(synchronize, 38) &+ 1
    rig.network.send(Self.tcp(to: gateway, port: server.port, sequence: 1001, acknowledge: next, flags: 0x18, Array("hello".utf8)))
    #expect(rig.world.mayDeliver)
    let connection = try #require(server.accept())
    #expect(connection.read(5) == "hello")
    connection.write("world")
    let answer = try #require(rig.wait { Self.isTCP($0) && $0.count > 54 && $0.suffix(5) == Array("world".utf8)[...] })
    #expect(Self.word(answer, 38) == next)
  }

  @Test func restrictedNetworksReachNothing() throws {
    let server = try Listener()
    var options = UserNetwork.Options()
    options.isRestricted = true
    let rig = try Rig(options)
    rig.network.send(Self.arp(for: 0x0A00_0202, from: 0x0A00_020F))
    let reply = try #require(rig.network.receive())
    let gateway = try #require(MACAddress(reply, at: 6))
    rig.network.send(Self.tcp(to: gateway, port: server.port, sequence: 1, acknowledge: 0, flags: 0x02))
    for _ in 0..<20 { rig.world.look() }
    #expect(server.accept() == nil)
  }

  @Test func portsThatAreTaken() throws {
    let server = try Listener()
    var options = UserNetwork.Options()
    options.forwards = [try #require(PortForward("tcp:127.0.0.1:\(server.port)-:22"))]
    #expect(throws: NetworkError("cannot listen on host port \(server.port): Address already in use")) { try Rig(options) }
  }

  /// Whatever a guest sends: no crash.
  @Test func garbage() throws {
    let seed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 7
    var state = seed
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    var options = UserNetwork.Options()
    options.isRestricted = true  // nothing of it leaves this process
    let rig = try Rig(options)
    let seeds = [Self.dhcpDiscover(), Self.arp(for: 0x0A00_0202, from: 0x0A00_020F)]
    for _ in 0..<20_000 {
      var frame = seeds[random(2)]
      for _ in 0..<random(12) { frame[random(frame.count)] = UInt8(random(256)) }
      if random(4) == 0 { frame.removeLast(random(frame.count)) }
      if random(50) == 0 { frame += [UInt8](repeating: 1, count: random(70000)) }
      rig.network.send(frame)
      if random(100) == 0 { rig.world.look() }
      _ = rig.network.drain()
    }
    rig.network.send(Self.dhcpDiscover())
    #expect(rig.network.receive() != nil, "seed \(seed)")
  }
}

/// A TCP server on the loopback address.
final class Listener {
  let descriptor: Int32
  private(set) var port: UInt16 = 0

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) + listen(descriptor, 8) + getsockname(descriptor, $0, &size)
      }
    }
    try #require(result == 0)
    port = UInt16(bigEndian: address.sin_port)
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
  }
  deinit { close(descriptor) }

  func accept() -> Connection? {
    let connection = Foundation.accept(descriptor, nil, nil)
    return connection >= 0 ? Connection(descriptor: connection) : nil
  }

  final class Connection {
    let descriptor: Int32
    init(descriptor: Int32) { self.descriptor = descriptor }
    deinit { close(descriptor) }
    func read(_ count: Int) -> String {
      var bytes = [UInt8](repeating: 0, count: count)
      return String(decoding: bytes[0..<max(0, recv(descriptor, &bytes, count, 0))], as: UTF8.self)
    }
    func write(_ text: String) { _ = send(descriptor, text, text.utf8.count, 0) }
  }
}
