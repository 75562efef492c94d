import Devices
import HostResources
import Platform
import Testing

/// The network device (section 5.1).
@Suite struct VirtioNetTests {
  private static let address = MACAddress(value: 0x0016_3E12_3456)
  private static let buffers: UInt64 = 0x3_0000
  private static let packet: UInt64 = 0x2_8000
  private let port = TestPort()

  private func bench(_ driver: VirtioBench.Driver = .modern, features: UInt64 = 0) throws -> VirtioBench {
    let bench = try VirtioBench {
      port.clock = $1
      return VirtioNet(address: Self.address, port: port, events: $0, clock: $1)
    }
    bench.start(driver, features: features, queues: 3)
    return bench
  }
  private func device(_ bench: VirtioBench) throws -> VirtioNet { try #require(bench.pci.device as? VirtioNet) }

  private static func frame(to destination: MACAddress = address, count: Int = 60) -> [UInt8] {
    let head = destination.bytes + MACAddress(value: 0x0200_0000_0001).bytes + [0x88, 0xB5]
    return head + (0..<count - 14).map { UInt8(truncatingIfNeeded: $0 &* 3) }
  }

  private func send(_ bench: VirtioBench, header: [UInt8], _ frame: [UInt8]) {
    bench.memory.write(Self.packet, header + frame)
    bench.post(1, [.read(Self.packet, header.count), .read(Self.packet + UInt64(header.count), frame.count)])
    bench.notify(1)
    bench.settle()
  }
  private func header(
    flags: UInt64 = 0, type: UInt64 = 0, length: UInt64 = 0, size: UInt64 = 0, start: UInt64 = 0, offset: UInt64 = 0,
    count: Int = 12
  ) -> [UInt8] {
    Array(little((flags, 1), (type, 1), (length, 2), (size, 2), (start, 2), (offset, 2), (0, 2)).prefix(count))
  }

  /// Sections 5.1.3 and 5.1.4.
  @Test func configuration() throws {
    let bench = try bench()
    // CSUM, GUEST_CSUM, MAC, HOST_TSO4, HOST_TSO6, MRG_RXBUF, STATUS, CTRL_VQ, CTRL_RX, CTRL_RX_EXTRA, GUEST_ANNOUNCE, CTRL_MAC_ADDR,
    // and SPEED_DUPLEX.
    let bits: [UInt64] = [0, 1, 5, 11, 12, 15, 16, 17, 18, 20, 21, 23]
    #expect(bench.offered & 0xFF_FFFF == bits.reduce(0) { $0 | 1 << $1 })
    #expect(bench.offered >> 63 == 1)
    #expect((0..<6).map { UInt8(bench.field($0, 1)) } == Self.address.bytes)
    #expect(bench.field(6, 2) == 1)  // VIRTIO_NET_S_LINK_UP
    #expect(bench.field(12, 4) == 1_000 && bench.field(16, 1) == 1)
    try device(bench).setConnected(false)
    #expect(bench.field(6, 2) == 0 && bench.isr() == 2)
  }

  /// Section 5.1.6.1: the header has 10 bytes for legacy drivers without mergeable buffers, 12 for all others.
  @Test(arguments: [(VirtioBench.Driver.legacy, 0 as UInt64, 10), (.legacy, 1 << 15, 12), (.modern, 0, 12), (.modern, 1 << 15, 12)])
  func bothWays(_ driver: VirtioBench.Driver, _ features: UInt64, _ headerSize: Int) throws {
    let bench = try bench(driver, features: features)
    send(bench, header: header(count: headerSize), Self.frame())
    #expect(port.sent.map(\.frame) == [Self.frame()])
    #expect(bench.collect(1).map(\.written) == [0])
    bench.post(0, [.write(Self.buffers, 2048)])
    bench.notify(0)
    port.deliver(Self.frame(count: 1000))
    bench.settle()
    #expect(bench.collect(0).map(\.written) == [UInt32(headerSize) + 1000])
    let expected: [UInt8] = headerSize == 12 ? [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0] : [UInt8](repeating: 0, count: 10)
    #expect(bench.bytes(Self.buffers, headerSize + 1000) == expected + Self.frame(count: 1000))
  }

  /// Section 5.1.6.4: a frame in several buffers says how many in the first.
  @Test func mergeableBuffers() throws {
    let bench = try bench(features: 1 << 15)
    // A frame waits for buffers, and for as many as it needs.
    port.deliver(Self.frame(count: 500))
    bench.settle()
    bench.post(0, [.write(Self.buffers, 200)])
    bench.notify(0)
    bench.settle()
    #expect(bench.collect(0).isEmpty)
    for n in 1..<3 { bench.post(0, [.write(Self.buffers + UInt64(n) * 256, 200)]) }
    bench.notify(0)
    bench.settle()
    #expect(bench.collect(0).map(\.written) == [200, 200, 112])
    #expect(bench.bytes(Self.buffers + 10, 2) == [3, 0])
    let data = bench.bytes(Self.buffers + 12, 188) + bench.bytes(Self.buffers + 256, 200) + bench.bytes(Self.buffers + 512, 112)
    #expect(data == Self.frame(count: 500))
    #expect(bench.isr() == 1)
  }

  /// Without them a frame that does not fit into a buffer is lost, and the buffer is there for the next one.
  @Test func frameTooLong() throws {
    let bench = try bench()
    bench.post(0, [.write(Self.buffers, 100)])
    bench.notify(0)
    port.deliver(Self.frame(count: 500))
    port.deliver(Self.frame())
    bench.settle()
    #expect(bench.collect(0).map(\.written) == [72])
  }

  /// Section 5.1.6.2: the checksum from csum_start on is put at csum_offset from there; the field has the pseudo header's sum.
  @Test func checksum() throws {
    let bench = try bench(features: 1)
    // RFC 1071's example: 00 01 f2 03 f4 f5 f6 f7 sums to ddf2.
    let frame = Self.frame(count: 34) + [0, 1, 0xF2, 3, 0xF4, 0xF5, 0xF6, 0xF7, 0, 0] + [UInt8](repeating: 0, count: 20)
    send(bench, header: header(flags: 1, start: 34, offset: 8), frame)
    #expect(port.sent.count == 1 && Array(port.sent[0].frame[42..<44]) == [0x22, 0x0D])
    // Outside of the frame: nothing is sent, and the buffer comes back.
    send(bench, header: header(flags: 1, start: 60, offset: 8), frame)
    #expect(port.sent.count == 1)
    #expect(bench.collect(1).count == 2)
    #expect(bench.status == 0xF)
  }

  private static let tcp4: [UInt8] =
    address.bytes + MACAddress(value: 0x0200_0000_0001).bytes + [0x08, 0x00]
    // 192.168.0.1 to 192.168.0.2, identification 7, TCP, the header's sum not yet there.
    + [0x45, 0, 0, 0, 0, 7, 0x40, 0, 64, 6, 0, 0, 192, 168, 0, 1, 192, 168, 0, 2]
    // Ports, sequence number 1000, PSH and FIN and ACK, a window.
    + [0x12, 0x34, 0, 80, 0, 0, 0x03, 0xE8, 0, 0, 0, 1, 0x50, 0x19, 0x20, 0, 0, 0, 0, 0]

  /// The Internet checksum over a part of a frame, done by hand.
  private func sum(_ bytes: some Collection<UInt8>, _ seed: UInt32 = 0) -> UInt16 {
    var sum = seed
    for (n, byte) in bytes.enumerated() { sum += n % 2 == 0 ? UInt32(byte) << 8 : UInt32(byte) }
    while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
    return UInt16(sum)
  }

  /// VIRTIO_NET_HDR_GSO_TCPV4: three frames with lengths, numbers, flags and checksums of their own.
  @Test func segmentation() throws {
    let bench = try bench(features: 1 | 1 << 11)
    let payload = (0..<250).map { UInt8(truncatingIfNeeded: $0) }
    send(bench, header: header(flags: 1, type: 1, length: 54, size: 100, start: 34, offset: 16), Self.tcp4 + payload)
    let frames = port.sent.map(\.frame)
    #expect(frames.map(\.count) == [154, 154, 104])
    #expect(frames.flatMap { $0[54...] } == payload)
    for (n, frame) in frames.enumerated() {
      #expect(Int(frame[16]) << 8 | Int(frame[17]) == frame.count - 14)
      #expect(frame[19] == UInt8(7 + n))
      #expect(sum(frame[14..<34]) == 0xFFFF)
      #expect(Int(frame[40]) << 8 | Int(frame[41]) == 1000 + 100 * n)
      #expect(frame[47] == (n == 2 ? 0x19 : 0x10))
      #expect(sum(frame[34...], UInt32(sum(frame[26..<34])) + 6 + UInt32(frame.count - 34)) == 0xFFFF)
    }
    #expect(bench.collect(1).count == 1)
    // Not negotiated, or not what it says it is: dropped.
    for (type, size, start) in [(4, 100, 34), (1, 0, 34), (1, 100, 38), (1, 100, 3000), (3, 100, 34)] as [(UInt64, UInt64, UInt64)]
    {
      send(bench, header: header(flags: 1, type: type, size: size, start: start, offset: 16), Self.tcp4 + payload)
    }
    #expect(port.sent.count == 3 && bench.collect(1).count == 5 && bench.pci.statistics.faults == 0)
  }

  /// VIRTIO_NET_HDR_F_DATA_VALID is 2, for checksums that are right alone.
  @Test func validData() throws {
    let bench = try bench(features: 1 << 1)
    var frame = Self.tcp4 + [1, 2, 3, 4, 5, 6]
    frame[17] = 46
    let header = ~sum(frame[14..<34])
    (frame[24], frame[25]) = (UInt8(header >> 8), UInt8(header & 0xFF))
    let transport = ~sum(frame[34...], UInt32(sum(frame[26..<34])) + 6 + 26)
    (frame[50], frame[51]) = (UInt8(transport >> 8), UInt8(transport & 0xFF))
    for last in [6, 7] as [UInt8] {
      frame[59] = last
      bench.post(0, [.write(Self.buffers, 2048)])
      bench.notify(0)
      port.deliver(frame)
      bench.settle()
      #expect(bench.bytes(Self.buffers, 1) == [last == 6 ? 2 : 0])
    }
  }

  /// A command: class, command, data; the answer is 0, or 1 for an error (section 5.1.6.5).
  private func command(_ bench: VirtioBench, _ bytes: [UInt8]) -> UInt8? {
    bench.memory.write(Self.packet, bytes)
    bench.memory.store(Self.packet - 16, UInt8(0xEE))
    _ = bench.request(2, [.read(Self.packet, 2), .read(Self.packet + 2, bytes.count - 2), .write(Self.packet - 16, 1)])
    return bench.memory.load(Self.packet - 16)
  }

  private func accepts(_ bench: VirtioBench, _ destination: MACAddress) -> Bool {
    bench.post(0, [.write(Self.buffers, 2048)])
    bench.notify(0)
    port.deliver(Self.frame(to: destination))
    bench.settle()
    return !bench.collect(0).isEmpty
  }

  @Test func receiveModes() throws {
    let bench = try bench(features: 1 << 17 | 1 << 18 | 1 << 20 | 1 << 23)
    let other = MACAddress(value: 0x0016_3E00_0099)
    let group = MACAddress(value: 0x0100_5E00_0001)
    #expect(accepts(bench, Self.address) && accepts(bench, .broadcast) && !accepts(bench, other) && !accepts(bench, group))
    #expect(command(bench, [0, 0, 1]) == 0)  // promiscuous
    #expect(accepts(bench, other))
    #expect(command(bench, [0, 0, 0]) == 0)
    #expect(command(bench, [0, 1, 1]) == 0)  // all multicast
    #expect(accepts(bench, group) && !accepts(bench, other))
    #expect(command(bench, [0, 1, 0]) == 0)
    #expect(command(bench, [0, 5, 1]) == 0)  // no broadcast
    #expect(!accepts(bench, .broadcast))
    // Two tables of addresses.
    #expect(command(bench, [1, 0, 1, 0, 0, 0] + other.bytes + [1, 0, 0, 0] + group.bytes) == 0)
    #expect(accepts(bench, other) && accepts(bench, group))
    #expect(command(bench, [1, 1] + MACAddress(value: 0x0016_3E00_0077).bytes) == 0)
    #expect(accepts(bench, MACAddress(value: 0x0016_3E00_0077)) && !accepts(bench, Self.address))
    #expect((0..<6).map { UInt8(bench.field($0, 1)) } == [0, 0x16, 0x3E, 0, 0, 0x77])
    // Mistakes.
    for bad in [[0, 9, 1], [0, 0, 2], [7, 0, 0], [1, 0, 0xFF, 0xFF, 0xFF, 0xFF], [1, 1, 1, 0, 0, 0, 0, 0], [3, 0, 0]] as [[UInt8]] {
      #expect(command(bench, bad) == 1, "\(bad)")
    }
    #expect(bench.pci.statistics.faults == 0)
  }

  /// Section 5.1.6.5.4: VIRTIO_NET_S_ANNOUNCE is 2; the driver acknowledges by a command.
  @Test func announcement() throws {
    let bench = try bench(features: 1 << 16 | 1 << 17 | 1 << 21)
    try device(bench).announce()
    #expect(bench.isr() == 2)
    #expect(bench.field(6, 2) == 3)
    #expect(command(bench, [3, 0, 0]) == 0)
    #expect(bench.field(6, 2) == 1)
  }

  /// Frames that come while nobody listens are lost; a frame takes its time on a wire of 1 Gb/s: 60 + 24 bytes, 672 ns.
  @Test func time() throws {
    let bench = try bench()
    send(bench, header: header(), Self.frame())
    let first = try #require(port.sent.first).cycle
    // A notification's way takes a microsecond.
    #expect(first == Cycles.from(nanoseconds: 1_000) + Cycles.reaching(ticks: 84 * 8, frequency: 1_000_000_000))
    bench.setStatus(0)
    port.deliver(Self.frame())
    #expect(port.waitingCount == 0)
  }

  /// After a packet the device looks for more by itself for 50 µs, and says so (section 2.7.10: VIRTQ_USED_F_NO_NOTIFY).
  @Test func staysAwake() throws {
    let bench = try bench()
    func flags() -> UInt16? { bench.memory.load(bench.rings[1].used, as: UInt16.self) }
    func post() { bench.post(1, [.read(Self.packet, 12), .read(Self.packet + 12, 60)]) }
    bench.memory.write(Self.packet, header() + Self.frame())
    #expect(flags() == 0)
    post()
    bench.notify(1)
    bench.run(nanoseconds: 10_000)
    #expect(port.sent.count == 1 && flags() == 1)
    post()
    bench.run(nanoseconds: 3_000)
    #expect(port.sent.count == 2)
    bench.settle()
    #expect(flags() == 0 && bench.pci.counters["cycles_awake"] ?? 0 >= Cycles.from(nanoseconds: 50_000))
    post()
    bench.settle()
    #expect(port.sent.count == 2)
    bench.notify(1)
    bench.settle()
    #expect(port.sent.count == 3)
  }
}
