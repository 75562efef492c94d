import Devices
import HostResources
import Platform
import TestSupport
import Testing

/// A guest that does not mean well: registers, scripts, commands and tables at random. Nothing crashes, nothing runs for ever, and no
/// access leaves the memory that the bus lends. EPICURE_SEED chooses other numbers, EPICURE_COMPLETE=1 many more.
@Suite(.ends(withinMinutes: 5)) struct SCSIFuzzTests {
  private func bench() throws -> SCSIBench {
    let bench = try SCSIBench()
    try bench.chip.bus.attach(SCSIDisk(storage: MemoryStorage(blocks: 2048)), id: 0)
    try bench.chip.bus.attach(SCSICDROM(storage: MemoryStorage(blocks: 64)), id: 5)
    return bench
  }

  /// An address that is mostly inside of something.
  private func address(_ random: inout BenchRandom) -> UInt32 {
    switch random.below(8) {
    case 0: UInt32(truncatingIfNeeded: random.next())
    case 1: UInt32(SCSIBench.ram) + UInt32(random.below(8192))
    case 2: UInt32(SCSIBench.registers) + UInt32(random.below(1024))
    case 3: UInt32(BenchMemory.size - random.below(64))
    default: UInt32(random.below(0x8000)) & ~3
    }
  }

  /// An instruction, mostly a legal one.
  private func instruction(_ random: inout BenchRandom) -> [UInt32] {
    var first = UInt32(truncatingIfNeeded: random.next())
    switch random.below(6) {
    case 0: first = first & 0x1F00_003F | UInt32(random.below(2)) << 28
    case 1: first = 0x4000_0000 | UInt32(random.below(5)) << 27 | first & 0x030F_0648
    case 2: first = 0x6800_0000 | UInt32(random.below(3)) << 27 | first & 0x07FF_FF80
    case 3: first = 0x8000_0000 | first & 0x1FBF_FFFF
    case 4: first = 0xE000_0000 | first & 0x11FF_0007
    default: break
    }
    return [first, address(&random)]
  }

  @Test func randomRegistersAndScripts() throws {
    let seed = readSeed()
    var random = BenchRandom(state: seed)
    let rounds = isCompleteRun ? 4000 : 150
    for round in 0..<rounds {
      let bench = try bench()
      for n in 0..<0x2000 / 8 { bench.memory.put(0x1000 + 8 * n, instruction(&random)) }
      for n in 0..<1024 { bench.systemBus.write(physical: SCSIBench.ram + UInt64(8 * n), size: 8, value: random.next()) }
      // Messages and commands.
      for n in 0..<0x1000 {
        bench.memory.bytes[0x4000 + n] = random.below(2) == 0 ? UInt8(random.below(64)) : UInt8(random.below(256))
      }
      bench.write(0x04, 0x47)
      for _ in 0..<60 {
        switch random.below(5) {
        case 0: bench.write(UInt64(random.below(256)), random.next(), size: [1, 2, 4, 8][random.below(4)])
        case 1: _ = bench.read(UInt64(random.below(256)), size: [1, 2, 4, 8][random.below(4)])
        case 2: bench.write(0x2C, UInt64(address(&random)), size: 4)
        case 3: bench.write(0x14, UInt64([0x20, 0x80, 0x40, 0, 4][random.below(5)]))
        default: break
        }
        let events = bench.run(nanoseconds: UInt64(random.below(300_000)), events: 3000)
        #expect(events < 3000, "seed \(seed), round \(round)")
      }
      #expect(bench.memory.bytes.count == BenchMemory.size)
    }
  }

  /// Whole commands with random contents, through selection, messages, phases and reselections.
  @Test func randomCommandsOnTheBus() throws {
    let seed = readSeed() &+ 1
    var random = BenchRandom(state: seed)
    let bench = try bench()
    let rounds = isCompleteRun ? 60_000 : 2500
    // Whatever phase comes is served by a table: JUMP when phase, moves of random length.
    func start() {
      let dispatch: UInt32 = 0x1100
      var script: [UInt32] = [0x4100_0000 | UInt32([0, 5, 3][random.below(3)]) << 16, dispatch, 0x8008_0000, dispatch]
      while script.count < 0x40 { script.append(0x8000_0000) }
      for phase in [7, 0, 1, 3, 2, 6] as [UInt32] {
        script += [0x800B_0000 | phase << 24, 0x1200 + phase * 0x20]
      }
      script += [0x9808_0000, 1]
      bench.memory.put(0x1000, script)
      for phase in 0..<8 as Range<UInt32> {
        let count: UInt32 = phase < 2 ? UInt32(1 + random.below(20000)) : phase == 6 ? UInt32(1 + random.below(6)) : 1
        bench.memory.put(
          0x1200 + Int(phase) * 0x20,
          [
            phase << 24 | UInt32(random.below(2)) << 27 | count, phase < 2 ? 0x2_0000 : 0x4000 + phase * 64, 0x6000_0040, 0,
            0x8008_0000,
            dispatch,
          ])
      }
      bench.memory.bytes[0x4000 + 6 * 64] = 0x80 | UInt8(random.below(2)) << 6
      for n in 1..<8 { bench.memory.bytes[0x4000 + 6 * 64 + n] = UInt8(random.below(36)) }
      for n in 0..<16 { bench.memory.bytes[0x4000 + 2 * 64 + n] = UInt8(random.below(random.below(3) == 0 ? 256 : 4)) }
      bench.memory.bytes[0x4000 + 2 * 64] = [0x28, 0x2A, 0x12, 0x03, 0x1A, 0x08, 0x0A, UInt8(random.below(256))][random.below(8)]
      bench.write(0x2C, 0x1000, size: 4)
    }
    bench.write(0x04, 0x47)
    bench.write(0x48, 0x01)
    for round in 0..<rounds {
      start()
      #expect(bench.run(nanoseconds: 400_000, events: 5000) < 5000, "seed \(seed), round \(round)")
      _ = bench.read(0x42, size: 2)
      _ = bench.read(0x0C)
      if random.below(20) == 0 {
        bench.write(0x01, 8)
        bench.write(0x01, 0)
      }
    }
  }
}
