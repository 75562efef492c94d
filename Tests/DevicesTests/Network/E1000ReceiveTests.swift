import Devices
import HostResources
import Platform
import Testing

/// Expected values: the manual, sections 3.2, 8.7, 9 and 13.4; the check sequence of IEEE 802.3, section 3.2.9.
@Suite struct E1000ReceiveTests {
  let bench: E1000Bench
  init() throws {
    bench = try E1000Bench()
    bench.start()
  }

  /// Bit by bit, as the standard defines it.
  static func checkSequence(_ bytes: [UInt8]) -> [UInt8] {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 != 0 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return (0..<4).map { UInt8(truncatingIfNeeded: ~crc >> UInt32(8 * $0)) }
  }

  private func deliver(_ frame: [UInt8]) {
    bench.port.deliver(frame)
    bench.run(nanoseconds: 200_000)
  }

  @Test func oneFrame() throws {
    bench[0xD0] = 0x80
    let frame = E1000Bench.frame(payload: .init(repeating: 9, count: 101))
    bench.port.deliver(frame)
    // Not before its last bit: 115 bytes and 24 more of 8 ns.
    bench.run(nanoseconds: 139 * 8 - 2)
    #expect(bench.received(0) == nil)
    bench.run(nanoseconds: 4)
    let done = try #require(bench.received(0))
    #expect(done.frame == frame + Self.checkSequence(frame))
    #expect(done.status & 0x87 == 0x07 && done.errors == 0)
    #expect(bench.interrupt)
    #expect(bench[0xC0] & 0x80 != 0)
    #expect(bench[0x2810] == 1)
    #expect(bench[0x4074] == 1 && bench[0x4060] == 1 && bench[0x4088] == 119)
    #expect(bench[0x408C] == 0 && bench[0x4088] == 0)
  }

  @Test func strippedAndPadded() {
    bench[0x100] = 0x8002 | 1 << 26
    deliver(E1000Bench.frame(payload: [1, 2]))
    #expect(bench.received(0)?.frame == E1000Bench.frame(payload: [1, 2] + .init(repeating: 0, count: 44)))
  }

  /// Section 3.2.1.1: what each filter lets pass, and whether it was a perfect match.
  @Test func filters() {
    let stranger = MACAddress(value: 0x0216_3E12_3456)
    let group = MACAddress(value: 0x0100_5E01_0203)
    func passes(_ destination: MACAddress) -> Bool? {
      let before = bench[0x2810]
      deliver(E1000Bench.frame(to: destination))
      guard bench[0x2810] != before else { return nil }
      bench.lend(to: before)
      return bench.received(UInt64(before)).map { $0.status & 0x80 == 0 }
    }
    #expect(passes(E1000Bench.address) == true)
    #expect(passes(.broadcast) == true)
    #expect(passes(stranger) == nil)
    #expect(passes(group) == nil)
    bench[0x100] = 0x800A
    #expect(passes(stranger) == false)
    bench[0x100] = 0x8012
    #expect(passes(group) == false)
    #expect(passes(stranger) == nil)
    // A second perfect address.
    bench[0x5408] = 0x123E_1602
    bench[0x540C] = 0x8000_5634
    bench[0x100] = 0x0002
    #expect(passes(stranger) == true)
    #expect(passes(.broadcast) == nil)
    // Bits 47:36 of the address, last byte first, choose the bit: 0x030 of 03:02 with MO = 0, 0x302 with MO = 3.
    bench[0x5200 + 4 * (0x030 >> 5)] = 1 << (0x030 & 31)
    #expect(passes(group) == false)
    bench[0x100] = 0x0002 | 3 << 12
    #expect(passes(group) == nil)
    bench[0x5200 + 4 * (0x302 >> 5)] = 1 << (0x302 & 31)
    #expect(passes(group) == false)
    bench[0x100] = 0
    #expect(passes(E1000Bench.address) == nil)
  }

  @Test func vlan() throws {
    bench[0x38] = 0x8100
    let tagged = E1000Bench.frame(type: 0x8100, payload: [0x20, 0x64, 0x88, 0xB5] + .init(repeating: 1, count: 60))
    bench[0x00] |= 1 << 30
    deliver(tagged)
    let done = try #require(bench.received(0))
    #expect(done.status & 8 != 0 && done.tag == 0x2064)
    #expect(done.frame[12...13] == [0x88, 0xB5])
    bench[0x100] = 0x8002 | 1 << 18
    deliver(tagged)
    #expect(bench.received(1) == nil)
    bench[0x5600 + 4 * (0x64 >> 5)] = 1 << (0x64 & 31)
    deliver(tagged)
    #expect(bench.received(1) != nil)
  }

  @Test func longFrames() {
    let long = E1000Bench.frame(payload: .init(repeating: 1, count: 9000))
    deliver(long)
    #expect(bench[0x40AC] == 1 && bench[0x2810] == 0)
    // Long packets on, buffers of 4096: BSEX and BSIZE 3.
    bench[0x100] = 0x8002 | 1 << 5 | 3 << 16 | 1 << 25
    deliver(long)
    #expect(bench[0x2810] == 3)
    #expect(bench.received(0).map { $0.status & 2 } == 0)
    #expect((0..<3).map { bench.received($0)?.frame.count } == [4096, 4096, 9018 - 8192])
    #expect(bench.received(2).map { $0.status & 2 } == 2)
    #expect((0..<3).flatMap { bench.received($0)?.frame ?? [] } == long + Self.checkSequence(long))
  }

  private func tcp(_ payload: [UInt8]) -> [UInt8] {
    typealias T = E1000TransmitTests
    var ip: [UInt8] = [0x45, 0, 0, UInt8(40 + payload.count), 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 2, 2, 10, 0, 2, 15]
    let header = ~T.sum(ip) & 0xFFFF
    ip.replaceSubrange(10..<12, with: [UInt8(header >> 8), UInt8(header & 0xFF)])
    var segment: [UInt8] = [0, 80, 0x9C, 0x40, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0xFF, 0xFF, 0, 0, 0, 0] + payload
    let pseudo: [UInt8] = [10, 0, 2, 2, 10, 0, 2, 15, 0, 6, 0, UInt8(segment.count)]
    let sum = ~T.sum(pseudo + segment) & 0xFFFF
    segment.replaceSubrange(16..<18, with: [UInt8(sum >> 8), UInt8(sum & 0xFF)])
    return E1000Bench.frame(type: 0x0800, payload: ip + segment)
  }

  /// Section 3.2.9: IXSM unless asked for; then IPCS and TCPCS, and an error bit for each that is wrong.
  @Test func checksums() throws {
    let good = tcp(.init(repeating: 0xA7, count: 33))
    deliver(good)
    #expect(try #require(bench.received(0)).status & 0x64 == 0x04)
    bench[0x5000] = 0x300
    deliver(good)
    #expect(try #require(bench.received(1)).status & 0x64 == 0x60)
    #expect(try #require(bench.received(1)).errors == 0)
    var bad = good
    bad[60] ^= 1
    deliver(bad)
    #expect(try #require(bench.received(2)).errors == 0x20)
    bad = good
    bad[22] ^= 1
    deliver(bad)
    #expect(try #require(bench.received(3)).errors == 0x40)
    deliver(E1000Bench.frame())
    #expect(try #require(bench.received(4)).status & 0x64 == 0x04)
    // PCSS: the sum from there to the end.
    bench[0x5000] = 14
    deliver(good)
    let done = try #require(bench.received(5))
    #expect(UInt32(done.checksum.byteSwapped) == E1000TransmitTests.sum(good[14...]))
  }

  /// No descriptors: frames stay in the packet buffer, are counted, and come when there is room; the buffer overflows into MPC.
  @Test func noDescriptors() {
    bench.lend(to: 1)
    deliver(E1000Bench.frame(payload: .init(repeating: 0, count: 100)))
    for n in 1..<60 { deliver(E1000Bench.frame(payload: .init(repeating: UInt8(n), count: 1400))) }
    #expect(bench[0x2810] == 1)
    #expect(bench[0x40A0] > 20)
    let missed = bench[0x4010]
    #expect(missed > 0 && missed < 40)
    #expect(bench[0xC0] & 0x40 != 0)
    bench.lend(to: 0)
    #expect(bench[0x2810] == 0)
    #expect((1..<16).map { bench.received($0)?.frame[14] } == (1..<16).map { UInt8($0) })
  }

  /// With flow control the network holds back what would not fit.
  @Test func flowControl() {
    bench[0x00] |= 1 << 28
    bench[0x2168] = 0x4000
    bench[0x2160] = 0x2000 | 1 << 31
    bench.lend(to: 0)
    for n in 0..<60 { deliver(E1000Bench.frame(payload: .init(repeating: UInt8(n), count: 1400))) }
    #expect(bench.port.waitingCount > 30)
    #expect(bench[0x4010] == 0)
    #expect(bench[0x4054] == 1)
    var seen: [UInt8] = []
    var next: UInt64 = 0
    for _ in 0..<10 {
      bench.lend(to: UInt32((next + 15) % 16))
      bench.run(nanoseconds: 500_000)
      while bench[0x2810] != UInt32(next) {
        seen.append(bench.received(next)?.frame[14] ?? 0xFF)
        next = (next + 1) % 16
      }
    }
    #expect(seen == (0..<60).map { UInt8($0) })
    #expect(bench[0x404C] > 0)
  }

  /// RDTR restarts with each frame, RADV does not (sections 13.4.30 and 13.4.31); RXDMT0 does not wait.
  @Test func delayedInterrupts() {
    bench[0xD0] = 0x80
    bench[0x2820] = 100
    bench[0x282C] = 250
    bench.port.deliver(E1000Bench.frame())
    bench.run(nanoseconds: 90_000)
    #expect(!bench.interrupt)
    bench.port.deliver(E1000Bench.frame())
    bench.run(nanoseconds: 90_000)
    #expect(!bench.interrupt)
    bench.port.deliver(E1000Bench.frame())
    bench.run(nanoseconds: 90_000)
    #expect(bench.interrupt)
    _ = bench[0xC0]
    bench.port.deliver(E1000Bench.frame())
    bench.run(nanoseconds: 10_000)
    bench[0x2820] = 1 << 31 | 100
    #expect(bench.interrupt)
  }

  @Test func fewDescriptorsAreReported() {
    bench.lend(to: 9)
    deliver(E1000Bench.frame())
    #expect(bench[0xC0] & 0x10 != 0)
  }

  @Test func withoutACableNothingArrives() {
    bench.adapter.setConnected(false)
    deliver(E1000Bench.frame())
    #expect(bench[0x2810] == 0 && bench.port.waitingCount == 0)
  }

  @Test func ringOutsideMemory() {
    bench[0x2804] = 0x7FFF_FFFF
    for _ in 0..<100 { deliver(E1000Bench.frame()) }
    bench[0x2804] = 0
    deliver(E1000Bench.frame())
    #expect(bench[0x40D0] == 101)
  }
}
