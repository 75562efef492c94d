import Devices
import HostResources
import Platform
import TestSupport
import Testing

/// Hostile drivers: random registers, rings and tables, with every device. No crash, no hang, nothing outside of memory; after a reset
/// the device works as ever, and its neighbour has not noticed anything. `EPICURE_SEED` repeats a run, `EPICURE_COMPLETE=1` makes it
/// fifty times longer.
@Suite(.ends(withinMinutes: 5)) struct VirtioFuzzTests {
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
    mutating func pick<T>(_ list: [T]) -> T { list[below(list.count)] }
  }

  private static let kinds: [VirtioKind] = [.net, .block, .console, .entropy, .balloon, .scsi]

  private func make(_ kind: VirtioKind, _ port: TestPort, _ events: EventQueue, _ clock: BenchClock) -> VirtioDevice {
    switch kind {
    case .net: return VirtioNet(address: MACAddress(value: 0x0016_3E00_0001), port: port, events: events, clock: clock)
    case .block: return VirtioBlock(storage: FaultyStorage(sectors: 64), serial: "S", events: events, clock: clock)
    case .console: return VirtioConsole(events: events, clock: clock)
    case .entropy: return VirtioEntropy(seed: 1, events: events, clock: clock)
    case .balloon: return VirtioBalloon(events: events, clock: clock)
    case .scsi:
      let host = VirtioSCSI(events: events, clock: clock)
      host.attach(SCSIDisk(storage: MemoryStorage(blocks: 64)), target: 0)
      host.attach(SCSICDROM(storage: MemoryStorage(blocks: 64)), target: 1)
      return host
    }
  }

  /// Plausible beginnings of requests of all devices, with random bits in them.
  private func request(_ random: inout Random) -> [UInt8] {
    switch random.below(5) {
    case 0: return little((UInt64(random.below(15)), 4), (0, 4), (random.next() & 63, 8), (1, 4), (0, 4))
    case 1:
      return [1, UInt8(random.below(3)), 0x40, 0, 0, 0, 0, 0] + little((random.next(), 8), (0, 3))
        + little((random.next(), 8), (random.next(), 8), (0, 8), (0, 8))
    case 2:
      return little((UInt64(random.below(3)), 4), (UInt64(random.below(9)), 4)) + [1, 0, 0x40, 0, 0, 0, 0, 0]
        + little((random.next(), 8))
    case 3:
      return little(
        (1, 1), (UInt64(random.below(6)), 1), (54, 2), (random.next() & 0x3FF, 2), (UInt64(random.below(60)), 2), (16, 2), (0, 2))
        + [0, 0x16, 0x3E, 0, 0, 1, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 0, 0, 7, 0x40, 0, 64, 6]
    default: return (0..<64).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
  }

  private func attack(_ bench: VirtioBench, _ kind: VirtioKind, _ random: inout Random, _ port: TestPort) {
    let driver = random.pick(VirtioBench.Driver.allCases)
    let queues = [VirtioKind.net, .scsi, .balloon].contains(kind) ? 3 : kind == .console ? 2 : 1
    bench.driver = driver
    let offered = bench.offered & ~VirtioBench.version1
    bench.start(driver, features: random.below(4) == 0 ? 0 : offered, queues: queues)
    for _ in 0..<random.below(60) {
      let queue = random.below(queues)
      switch random.below(14) {
      case 0...6:
        bench.memory.write(0x8000, request(&random))
        let parts = (0..<1 + random.below(6)).map { n in
          VirtioBench.Part(
            address: random.below(30) == 0 ? random.next() : 0x8000 + UInt64(random.below(0x2000)),
            count: random.below(40) == 0 ? UInt32(truncatingIfNeeded: random.next()) : UInt32(random.below(n == 0 ? 64 : 2048)),
            isWritable: n > random.below(4))
        }
        bench.post(queue, parts, table: random.below(4) == 0 ? 0xC000 : nil)
        bench.notify(queue)
      case 7:
        // Something in the ring changes under the device.
        bench.memory.store(
          0x1_0000 + UInt64(queue) * 0x4000 + UInt64(random.below(0x4000)), UInt16(truncatingIfNeeded: random.next()))
      case 8: bench.setCommon(UInt64(random.below(60)), random.pick([1, 2, 4, 8]), random.next() & random.next())
      case 9: if driver == .legacy { bench.setLegacy(UInt64(random.below(60)), random.pick([1, 2, 4]), random.next() & 0xFFFF) }
      case 10: _ = bench.pci.read(bar: random.pick([0, 4]), offset: UInt64(random.below(0x3FF8)), size: random.pick([1, 2, 4, 8]))
      case 11: port.deliver((0..<random.below(2000)).map { UInt8(truncatingIfNeeded: $0) })
      case 12: bench.setField(UInt64(random.below(40)), random.pick([1, 2, 4]), random.next())
      default: bench.run(nanoseconds: random.next() % 50_000)
      }
    }
  }

  private func works(_ bench: VirtioBench, _ kind: VirtioKind, _ port: TestPort) -> Bool {
    switch kind {
    case .net:
      while port.receive() != nil {}
      bench.start(queues: 3)
      port.sent.removeAll()
      bench.memory.write(0x8000, [UInt8](repeating: 0, count: 80))
      return bench.request(1, [.read(0x8000, 80)]) == 0 && port.sent.count == 1
    case .block:
      bench.start(queues: 1)
      bench.memory.write(0x8000, little((8, 4), (0, 4), (0, 8)))
      return bench.request(0, [.read(0x8000, 16), .write(0x9000, 21)]) == 21
    case .console:
      bench.start(queues: 2)
      return bench.request(1, [.read(0x8000, 5)]) == 0
    case .entropy:
      bench.start(queues: 1)
      return bench.request(0, [.write(0x8000, 5)]) == 5
    case .balloon:
      bench.start(queues: 2)
      return bench.request(0, [.read(0x8000, 8)]) == 0
    case .scsi:
      bench.start(queues: 3)
      bench.memory.write(0x8000, [1, 0, 0x40, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 43))
      return bench.request(2, [.read(0x8000, 51), .write(0x9000, 108)]) == 108
    }
  }

  @Test(arguments: kinds) func hostileDriver(_ kind: VirtioKind) throws {
    let seed = readSeed()
    var random = Random(state: seed &+ UInt64(kind.rawValue))
    var faults: UInt64 = 0
    for round in 0..<(isCompleteRun ? 20_000 : 400) {
      let port = TestPort()
      let bench = try VirtioBench { make(kind, port, $0, $1) }
      // A neighbour on the same bus and the same events.
      let neighbour = VirtioPCI(VirtioEntropy(seed: 5, events: bench.events, clock: bench.clock))
      try bench.root.attach(neighbour.function, model: neighbour, device: 4)
      let before = neighbour.state
      attack(bench, kind, &random, port)
      let ends = bench.settle(limit: 200_000)
      #expect(ends, "round \(round) of seed \(seed)")
      #expect(neighbour.state == before, "round \(round) of seed \(seed)")
      faults += bench.pci.statistics.faults
      bench.pci.function.reset()
      bench.setConfiguration(4, 2, 7)
      let isFine = works(bench, kind, port)
      #expect(isFine, "round \(round) of seed \(seed)")
      if !ends || !isFine { return }
    }
    // A campaign that never breaks a queue tries nothing.
    #expect(faults > 20, "seed \(seed)")
  }
}
