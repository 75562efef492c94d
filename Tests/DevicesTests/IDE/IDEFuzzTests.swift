import Devices
import Foundation
import HostResources
import Platform
import TestSupport
import Testing

/// Random accesses to everything that a guest reaches, weighted so that commands get somewhere. Nothing may trap or hang, nothing may
/// move outside the RAM, and afterwards a reset brings every device back.
@Suite(.ends(withinMinutes: 5)) struct IDEFuzzTests {
  private static let isComplete = ProcessInfo.processInfo.environment["EPICURE_COMPLETE"] == "1"
  private static let seed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 0x1DE

  private static let commands: [UInt8] = [
    0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0x3D, 0x40, 0x42, 0x90, 0x91, 0xA0, 0xA0, 0xA0, 0xA1, 0xB0, 0xC4, 0xC5, 0xC6,
    0xC8, 0xC8, 0xCA, 0xCA, 0xCE, 0xE0, 0xE5, 0xE7, 0xEC, 0xEF, 0xF8, 0x08, 0x27,
  ]
  private static let packets: [UInt8] = [
    0x00, 0x03, 0x12, 0x1B, 0x1E, 0x25, 0x28, 0x28, 0xA8, 0x43, 0x46, 0x4A, 0x51, 0x5A, 0xBD, 0x2B, 0xBB,
  ]

  @Test(arguments: 0..<UInt64(isComplete ? 2000 : 12)) func survives(_ round: UInt64) throws {
    var random = BenchRandom(state: Self.seed &+ round &* 0x9E37_79B9)
    let disks = [FaultyStorage(sectors: 3000), FaultyStorage(sectors: 1)]
    let disc = FaultyStorage(sectors: 800)
    disks[0].badSectors = [5, 77, 2999]
    disc.badSectors = [41]
    let bench = try IDEBench(disks[0], disks[1])
    bench.attach(ATAPICDROM(disc: disc, serial: "C", events: bench.events, clock: bench.clock), unit: 2)
    for step in 0..<2000 {
      turn(bench, &random)
      // However long a chain of events a command starts, it ends.
      if random.below(4) == 0 {
        var events = 0
        while let next = bench.events.earliest, events < 20_000 {
          bench.clock.now = max(bench.clock.now, next)
          bench.events.run(until: bench.clock.now)
          events += 1
        }
        #expect(events < 20_000, "seed \(Self.seed), round \(round), step \(step)")
      }
    }
    // Back to order.
    bench.writeConfiguration(PCIRegister.command, 2, 5)
    bench.writeConfiguration(0x40, 4, 0x8000_8000)
    for channel in 0..<2 {
      bench.channel = channel
      bench.control = 0x06
      bench.control = 0x02
      bench.settle()
      #expect(bench.status == (channel == 0 ? 0x50 : 0x00), "seed \(Self.seed), round \(round)")
      #expect(!bench.lines[channel].level)
    }
    bench.channel = 0
    bench.issue(0x20, lba: 9, count: 1)
    #expect(bench.readAll() == disks[0].sector(9), "seed \(Self.seed), round \(round)")
  }

  private func turn(_ bench: IDEBench, _ random: inout BenchRandom) {
    func byte() -> UInt8 { UInt8(truncatingIfNeeded: random.next() >> 20) }
    let size = [1, 2, 4, 8][random.below(4)]
    bench.channel = random.below(2)
    switch random.below(20) {
    case 0...5:
      // A command with registers that are mostly sensible.
      let sane = random.below(4) > 0
      bench.setRegister(6, sane ? 0xE0 | byte() & 0x10 : byte())
      for register in [1, 2, 2, 3, 3, 4, 4, 5, 5] as [UInt64] {
        bench.setRegister(register, sane && register > 3 && random.below(3) > 0 ? 0 : byte())
      }
      bench.setRegister(7, random.below(8) == 0 ? byte() : Self.commands[random.below(Self.commands.count)])
    case 6, 7:
      // A packet, if one is wanted.
      var packet = (0..<12).map { _ in random.below(3) == 0 ? byte() : 0 }
      packet[0] = Self.packets[random.below(Self.packets.count)]
      bench.writeData(packet)
    case 8:
      for _ in 0..<random.below(1200) { _ = bench.input(IDEBench.command[bench.channel], 2) }
    case 9:
      let word = random.next()
      for _ in 0..<random.below(1200) { bench.output(IDEBench.command[bench.channel], word, 2) }
    case 10: _ = bench.input(IDEBench.command[bench.channel] + UInt64(random.below(8)), size)
    case 11: bench.output(IDEBench.command[bench.channel] + UInt64(random.below(8)), random.next(), size)
    case 12: bench.control = random.below(3) == 0 ? byte() : 0
    case 13:
      // Descriptors: some in RAM, some anywhere.
      for n in 0..<UInt64(random.below(20)) {
        let inside = random.below(8) > 0
        bench.memory.store(IDEBench.table + 8 * n, UInt32(truncatingIfNeeded: random.next() & (inside ? 0xF_FFFF : 0xFFFF_FFFF)))
        bench.memory.store(IDEBench.table + 8 * n + 4, UInt32(truncatingIfNeeded: random.next() & (inside ? 0x8000_0FFF : .max)))
      }
    case 14, 15, 16: bench.startMaster(toMemory: random.below(2) == 0)
    case 17: bench.output(bench.master + UInt64(random.below(8)), random.next(), size)
    case 18: _ = bench.input(bench.master + UInt64(random.below(8)), size)
    default:
      if random.below(6) == 0 {
        bench.writeConfiguration(random.below(2) == 0 ? 0x04 : 0x40 + random.below(12), 1, UInt32(byte()))
      } else {
        bench.writeConfiguration(PCIRegister.command, 2, 5)
        bench.writeConfiguration(0x40, 4, 0x8000_8000)
      }
    }
  }
}
