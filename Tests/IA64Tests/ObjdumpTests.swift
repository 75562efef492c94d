import IA64
import TestSupport
import Testing

/// The disassembler writes what GNU's objdump writes, for encodings that no compiler makes too.
@Suite("Disassembler against objdump", .needsBinutils, .ends(withinMinutes: 5))
struct ObjdumpTests {
  /// Real code: a kernel and a C library. Samples of consecutive bundles, or all of it with EPICURE_COMPLETE=1.
  @Test("real programs", .needsGuests, arguments: ["linux-6.1/vmlinux.gz", "programs/busybox"])
  func program(_ name: String) throws {
    var comparison = ObjdumpComparison()
    var generator = SeededGenerator(seed: randomSeed)
    let run = Guests.isComplete ? 1 << 20 : 1 << 12
    for segment in try Guests.code(name) {
      let count = segment.contents.count / 16
      let starts =
        Guests.isComplete
        ? Array(stride(from: 0, to: count, by: run))
        : (0..<8).map { _ in Int.random(in: 0..<max(count - run, 1), using: &generator) }
      for start in starts {
        let bundles = (start..<min(start + run, count)).map {
          Bundle(segment.contents, at: segment.contents.startIndex + 16 * $0)
        }
        try comparison.check(bundles, at: segment.virtualAddress + 16 * UInt64(start))
      }
    }
    comparison.finish("\(name), seed \(randomSeed)")
  }

  @Test("random bundles with every template")
  func randomBundles() throws {
    var generator = SeededGenerator(seed: randomSeed)
    let count = Guests.isComplete ? 2_000_000 : 64_000
    let bundles = (0..<count).map { Bundle.random(template: UInt8($0 & 31), using: &generator) }
    try compare(bundles, at: 0x4000_0000_0000_0000, "random bundles")
  }

  /// Every row of the instruction table with random operands, in every unit that executes it.
  @Test("every row of the table")
  func rows() throws {
    var generator = SeededGenerator(seed: randomSeed)
    var bundles: [Bundle] = []
    for row in InstructionTable.rows {
      for unit in row.format.type.units {
        for _ in 0..<(Guests.isComplete ? 64 : 4) {
          bundles.append(Encodings.bundle(of: Encodings.random(row, using: &generator), unit: unit, using: &generator))
        }
      }
    }
    try compare(bundles, at: 0xa000_0000_0000_0000, "rows of the table")
  }

  /// All values of the ten bits 36:27, which hold most opcode extensions, under every major opcode and unit.
  @Test("every opcode extension")
  func extensions() throws {
    var generator = SeededGenerator(seed: randomSeed)
    var bundles: [Bundle] = []
    for unit in [SlotUnit.m, .i, .f, .b, .x] {
      for opcode in UInt64(0)..<1 << 14 {
        for _ in 0..<(Guests.isComplete ? 64 : 1) {
          let slot = opcode << 27 | generator.next() >> 37
          bundles.append(Encodings.bundle(of: slot, unit: unit, using: &generator))
        }
      }
    }
    try compare(bundles, at: 0x2000_0000_0000_0000, "opcode extensions")
  }

  /// Compares in pieces, so that listings need not fit in memory.
  private func compare(_ bundles: [Bundle], at address: UInt64, _ context: String) throws {
    var comparison = ObjdumpComparison()
    var rest = bundles[...]
    var place = address
    while !rest.isEmpty {
      let piece = Array(rest.prefix(1 << 18))
      try comparison.check(piece, at: place)
      rest = rest.dropFirst(piece.count)
      place += 16 * UInt64(piece.count)
    }
    comparison.finish("\(context), seed \(randomSeed)")
  }
}
