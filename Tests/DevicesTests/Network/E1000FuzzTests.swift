import Devices
import Foundation
import HostResources
import Platform
import TestSupport
import Testing

/// A hostile driver: random registers, descriptors and frames. No crash, no hang, nothing outside memory; and after a reset the adapter
/// works as ever. `EPICURE_SEED` repeats a run, `EPICURE_COMPLETE=1` makes it fifty times longer.
@Suite(.ends(withinMinutes: 5)) struct E1000FuzzTests {
  private struct Random {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
      return z ^ z >> 31
    }
    mutating func below(_ bound: Int) -> Int { Int(next() >> 1) % bound }
  }

  private static let environment = ProcessInfo.processInfo.environment
  private static let seed = environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 82540
  private static let rounds = environment["EPICURE_COMPLETE"] == "1" ? 2000 : 40

  /// Registers with consequences; the rest of the range comes up by itself.
  private static let registers = [
    0x00, 0x10, 0x14, 0x18, 0x20, 0x38, 0xC0, 0xC4, 0xC8, 0xD0, 0xD8, 0x100, 0x400, 0x1000, 0x2160, 0x2168, 0x2800, 0x2804, 0x2808,
    0x2810, 0x2818, 0x2820, 0x282C, 0x2C00, 0x3800, 0x3804, 0x3808, 0x3810, 0x3818, 0x3820, 0x3828, 0x382C, 0x5000, 0x5400, 0x5404,
  ]

  @Test func hostileDriver() throws {
    var random = Random(state: Self.seed)
    for round in 0..<Self.rounds {
      let bench = try E1000Bench()
      bench.start()
      for _ in 0..<400 {
        switch random.below(10) {
        case 0...3:
          let register = random.below(4) == 0 ? random.below(0x8000) * 4 : Self.registers[random.below(Self.registers.count)]
          // Mostly values that keep the adapter going.
          var value = UInt32(truncatingIfNeeded: random.next())
          if random.below(2) == 0 { value &= UInt32(truncatingIfNeeded: random.next() & random.next()) }
          if register == 0x3804 || register == 0x2804 { value = random.below(8) == 0 ? value : 0 }
          if register == 0x00 { value = value & ~(1 << 26) | 0x40 }
          if register == 0x100 || register == 0x400 { value |= 2 }
          bench.adapter.write(bar: 0, offset: UInt64(register), size: [1, 2, 4, 4, 4, 8][random.below(6)], value: UInt64(value))
        case 4:
          let register = random.below(2) == 0 ? random.below(0x8000) * 4 : Self.registers[random.below(Self.registers.count)]
          _ = bench.adapter.read(
            bar: 0, offset: UInt64(register), size: [1, 2, 4, 8][random.below(4)] & (register & 4 != 0 ? 7 : 15))
        case 5, 6:
          for _ in 0..<random.below(16) {
            let length = random.below(3) == 0 ? random.next() & 0xF_FFFF : random.next() & 0x7FF
            let high = random.next() & 0xFFFF_FFFF_FF00_0000 | length | (random.below(2) == 0 ? 1 << 20 | 1 << 29 : 0)
            bench.put(random.below(5) == 0 ? random.next() : E1000Bench.transmitBuffers + random.next() % 65536, high)
          }
          bench.kick()
        case 7:
          for _ in 0..<random.below(8) {
            bench.port.deliver((0..<random.below(20) * random.below(100)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
          }
        case 8: bench.adapter.setConnected(random.below(4) != 0)
        default: bench.run(nanoseconds: random.next() % 500_000)
        }
      }
      bench.run(nanoseconds: 10_000_000)
      bench.port.sent.removeAll()
      bench.root.reset()
      bench.root.writeConfiguration(bus: 0, device: 3, function: 0, register: 4, size: 2, value: 7)
      bench.adapter.setConnected(true)
      let fresh = try Self.exchange(bench)
      #expect(fresh, "round \(round) of seed \(Self.seed)")
    }
  }

  /// One frame each way.
  private static func exchange(_ bench: E1000Bench) throws -> Bool {
    while bench.port.receive() != nil {}
    bench.rewind()
    bench.start()
    let frame = E1000Bench.frame()
    bench.send(frame)
    bench.run(nanoseconds: 100_000)
    bench[0x5400] = 0x123E_1600
    bench[0x5404] = 0x8000_5634
    bench.port.deliver(frame)
    bench.run(nanoseconds: 100_000)
    return bench.port.sent.map(\.frame) == [frame] && bench.received(0).map { Array($0.frame.prefix(60)) } == frame
  }
}
