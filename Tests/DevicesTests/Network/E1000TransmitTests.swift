import Devices
import HostResources
import Platform
import Testing

/// Expected values: the manual, sections 3.3 to 3.5; checksums by RFC 1071 over what was sent.
@Suite struct E1000TransmitTests {
  let bench: E1000Bench
  init() throws {
    bench = try E1000Bench()
    bench.start()
  }

  static func sum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var sum: UInt32 = 0
    for (n, byte) in bytes.enumerated() { sum += n % 2 == 0 ? UInt32(byte) << 8 : UInt32(byte) }
    while sum >> 16 != 0 { sum = sum & 0xFFFF + sum >> 16 }
    return sum
  }
  static func word(_ bytes: [UInt8], _ offset: Int) -> Int { Int(bytes[offset]) << 8 | Int(bytes[offset + 1]) }

  @Test func oneFrame() {
    bench[0xD0] = 1
    let frame = E1000Bench.frame(payload: .init(repeating: 9, count: 100))
    let start = bench.clock.now
    bench.send(frame)
    #expect(bench.port.sent.isEmpty)
    bench.run(nanoseconds: 100_000)
    #expect(bench.port.sent.map(\.frame) == [frame])
    // 114 bytes, check sequence, preamble and gap: 138 bytes of 8 ns, behind half a microsecond for the descriptor.
    #expect(bench.port.sent[0].cycle - start == Cycles.from(nanoseconds: 138 * 8 + 500))
    // Descriptor done, the head has moved, TXDW and TXQE.
    #expect(bench.machine.memory.load(E1000Bench.transmitRing + 12, as: UInt8.self) == 1)
    #expect(bench[0x3810] == 1)
    #expect(bench.interrupt)
    #expect(bench[0xC0] & 3 == 3)
    #expect(bench[0x40D4] == 1 && bench[0x4080] == 1 && bench[0x40C8] == 118)
    #expect(bench[0x4080] == 0)
  }

  @Test func shortFramesArePadded() {
    bench.send(E1000Bench.frame(payload: [1]))
    bench.run(nanoseconds: 100_000)
    #expect(bench.port.sent[0].frame == E1000Bench.frame(payload: [1] + .init(repeating: 0, count: 45)))
    bench[0x400] = 0x0004_00F2  // without PSP nobody takes it
    bench.send(E1000Bench.frame(payload: [1]))
    bench.run(nanoseconds: 100_000)
    #expect(bench.port.sent.count == 1)
  }

  @Test func aFrameInSeveralDescriptors() {
    let frame = E1000Bench.frame(payload: (0..<200).map { UInt8($0) })
    #expect(bench.machine.memory.write(E1000Bench.transmitBuffers, frame))
    bench.put(E1000Bench.transmitBuffers, 14 | 0x02 << 24)
    bench.put(E1000Bench.transmitBuffers + 14, 0 | 0x02 << 24)
    bench.put(E1000Bench.transmitBuffers + 14, 101 | 0x02 << 24)
    bench.put(E1000Bench.transmitBuffers + 115, 99 | 0x0B << 24)
    bench.kick()
    bench.run(nanoseconds: 100_000)
    #expect(bench.port.sent.map(\.frame) == [frame])
    #expect(bench.machine.memory.load(E1000Bench.transmitRing + 12, as: UInt8.self) == 0)
  }

  @Test func gigabitIsGigabit() {
    for _ in 0..<10 { bench.send(E1000Bench.frame(payload: .init(repeating: 1, count: 1500))) }
    bench.run(nanoseconds: 1_000_000)
    let gaps = zip(bench.port.sent, bench.port.sent.dropFirst()).map { $1.cycle - $0.cycle }
    #expect(gaps == .init(repeating: Cycles.from(nanoseconds: (1514 + 24) * 8), count: 9))
  }

  @Test func vlanTagsAreInserted() {
    bench[0x00] |= 1 << 30
    bench[0x38] = 0x8100
    bench.send(E1000Bench.frame(payload: .init(repeating: 1, count: 60)), command: 0x4B, special: 0x2064)
    bench.run(nanoseconds: 100_000)
    let frame = bench.port.sent[0].frame
    #expect(frame[12...17] == [0x81, 0x00, 0x20, 0x64, 0x88, 0xB5])
    #expect(frame.count == 78)
  }

  @Test func legacyChecksum() {
    bench.send(E1000Bench.frame(payload: .init(repeating: 3, count: 61)), command: 0x0F, checksumStart: 14, checksumOffset: 20)
    bench.run(nanoseconds: 100_000)
    var frame = bench.port.sent[0].frame
    let value = UInt32(Self.word(frame, 20))
    frame.replaceSubrange(20..<22, with: [3, 3])
    #expect(value == ~Self.sum(frame[14...]) & 0xFFFF)
  }

  // MARK: Segments

  /// An IPv4 and TCP header for `payload` bytes as Linux leaves it for the adapter: no IP checksum, no lengths, the sum of the pseudo
  /// header without its length in the TCP checksum.
  private func tcp(payload: Int, flags: UInt8) -> [UInt8] {
    var ip: [UInt8] = [0x45, 0, 0, 0, 0xFF, 0xFE, 0x40, 0, 64, 6, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2]
    ip.replaceSubrange(2..<4, with: [0, 0])
    var segment: [UInt8] = [0x9C, 0x40, 0x00, 0x50, 0xFF, 0xFF, 0xFF, 0x00, 0, 0, 0, 1, 0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0]
    let pseudo = Self.sum([10, 0, 2, 15, 10, 0, 2, 2, 0, 6])
    segment.replaceSubrange(16..<18, with: [UInt8(pseudo >> 8), UInt8(pseudo & 0xFF)])
    return E1000Bench.frame(type: 0x0800, payload: ip + segment + (0..<payload).map { UInt8(truncatingIfNeeded: $0 &* 7) })
  }

  private func sendSegmented(_ packet: [UInt8], size: Int, payload: Int) {
    #expect(bench.machine.memory.write(E1000Bench.transmitBuffers, packet))
    // IP at 14 with its checksum at 24, TCP at 34 with its own at 50; TSE, IP, TCP.
    bench.put(14 | 24 << 8 | 33 << 16 | 34 << 32 | 50 << 40, UInt64(payload) | 0x27 << 24 | 54 << 40 | UInt64(size) << 48)
    let command: UInt64 = 0x01 | 0x02 | 0x04 | 0x08 | 0x20
    bench.put(E1000Bench.transmitBuffers, UInt64(packet.count) | 1 << 20 | command << 24 | 3 << 40)
    bench.kick()
    bench.run(nanoseconds: 2_000_000)
  }

  @Test func segmentation() {
    let packet = tcp(payload: 4000, flags: 0x19)
    sendSegmented(packet, size: 1460, payload: 4000)
    let frames = bench.port.sent.map(\.frame)
    #expect(frames.map(\.count) == [54 + 1460, 54 + 1460, 54 + 1080])
    #expect(frames.flatMap { $0[54...] } == Array(packet[54...]))
    for (n, frame) in frames.enumerated() {
      let payload = n < 2 ? 1460 : 1080
      #expect(Self.word(frame, 16) == 40 + payload)
      #expect(Self.word(frame, 18) == (0xFFFE + n) & 0xFFFF)
      #expect(Self.sum(frame[14..<34]) == 0xFFFF)
      let sequence = UInt32(Self.word(frame, 38)) << 16 | UInt32(Self.word(frame, 40))
      #expect(sequence == 0xFFFF_FF00 &+ UInt32(n * 1460))
      // FIN and PSH in the last segment only; ACK in all.
      #expect(frame[47] == (n == 2 ? 0x19 : 0x10))
      let pseudo = Self.sum([10, 0, 2, 15, 10, 0, 2, 2, 0, 6] + [UInt8((20 + payload) >> 8), UInt8((20 + payload) & 0xFF)])
      #expect(Self.sum(frame[34...] + (payload % 2 == 0 ? [] : [0]) + [UInt8(pseudo >> 8), UInt8(pseudo & 0xFF)]) == 0xFFFF)
    }
    #expect(bench[0x40F8] == 1)
  }

  /// Checksums for a packet that is not cut: the first context's other home.
  @Test func checksumOffload() {
    var packet = tcp(payload: 101, flags: 0x10)
    packet.replaceSubrange(16..<18, with: [0, 141])
    let pseudo = Self.sum([10, 0, 2, 15, 10, 0, 2, 2, 0, 6, 0, 121])
    packet.replaceSubrange(50..<52, with: [UInt8(pseudo >> 8), UInt8(pseudo & 0xFF)])
    #expect(bench.machine.memory.write(E1000Bench.transmitBuffers, packet))
    bench.put(14 | 24 << 8 | 33 << 16 | 34 << 32 | 50 << 40, 0x23 << 24)
    bench.put(E1000Bench.transmitBuffers, UInt64(packet.count) | 1 << 20 | 0x2B << 24 | 3 << 40)
    bench.kick()
    bench.run(nanoseconds: 100_000)
    let frame = bench.port.sent[0].frame
    #expect(Self.sum(frame[14..<34]) == 0xFFFF)
    #expect(Self.sum(Array(frame[34...]) + [0, UInt8(pseudo >> 8), UInt8(pseudo & 0xFF)]) == 0xFFFF)
  }

  /// Contexts that make no sense: nothing is sent, or something is, and the next frame goes out as ever.
  @Test func senselessContexts() {
    for (size, header) in [(0, 54), (1, 255), (65535, 0), (1460, 200)] {
      let packet = tcp(payload: 40, flags: 0)
      #expect(bench.machine.memory.write(E1000Bench.transmitBuffers, packet))
      bench.put(.max, 0xF_FFFF | 0x27 << 24 | UInt64(header) << 40 | UInt64(size) << 48)
      bench.put(E1000Bench.transmitBuffers, UInt64(packet.count) | 1 << 20 | 0x2F << 24 | 3 << 40)
      bench.kick()
      bench.run(nanoseconds: 10_000_000)
    }
    bench.port.sent.removeAll()
    bench.send(E1000Bench.frame())
    bench.run(nanoseconds: 100_000)
    #expect(bench.port.sent.map(\.frame) == [E1000Bench.frame()])
  }

  @Test func buffersOutsideMemory() {
    bench.put(0xFFFF_FFFF_FFFF_F000, 100 | 0x0B << 24)
    bench.kick()
    bench.run(nanoseconds: 100_000)
    #expect(bench.port.sent.isEmpty && bench[0x3810] == 1)
    // Master abort.
    #expect(bench.root.readConfiguration(bus: 0, device: 3, function: 0, register: 6, size: 2) & 0x2000 != 0)
    bench[0x3804] = 0xFFFF_FFFF
    bench.send(E1000Bench.frame())
    bench.run(nanoseconds: 100_000)
    #expect(bench.port.sent.isEmpty)
    #expect(bench.events.earliest == nil)
  }

  /// Section 3.2.7: with IDE the interrupt waits for TIDV, restarted by each descriptor, or TADV, which is not.
  @Test func delayedInterrupts() {
    bench[0xD0] = 1
    bench[0x3820] = 100
    bench[0x382C] = 150
    bench.send(E1000Bench.frame(), command: 0x8B)
    bench.run(nanoseconds: 90_000)
    #expect(!bench.interrupt)
    bench.send(E1000Bench.frame(), command: 0x8B)
    bench.run(nanoseconds: 60_000)
    #expect(!bench.interrupt)
    bench.run(nanoseconds: 10_000)
    #expect(bench.interrupt)
  }

  /// IEEE 802.3, annex 31B: a pause of 1000 quanta of 512 bits is 512 µs at 1 Gb/s.
  @Test func pauseFrames() {
    bench[0x00] |= 1 << 27
    let pause = E1000Bench.frame(
      to: MACAddress(value: 0x0180_C200_0001), type: 0x8808, payload: [0, 1, 0x03, 0xE8] + .init(repeating: 0, count: 42))
    bench.port.deliver(pause)
    bench.run(nanoseconds: 10_000)
    let start = bench.clock.now
    bench.send(E1000Bench.frame())
    bench.run(nanoseconds: 1_000_000)
    #expect(bench.port.sent[0].cycle - start > Cycles.from(nanoseconds: 500_000))
    #expect(bench[0x4050] == 1)
    #expect(bench.received(0) == nil)
  }

  /// RCTL.LBM: frames come back and do not reach the cable.
  @Test func loopback() {
    bench[0x100] = 0x8002 | 1 << 6
    bench.send(E1000Bench.frame())
    bench.run(nanoseconds: 100_000)
    #expect(bench.port.sent.isEmpty)
    #expect(bench.received(0).map { Array($0.frame.prefix(60)) } == E1000Bench.frame())
  }
}
