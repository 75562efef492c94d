import IA64
import TestSupport
import Testing

/// Bits to text and back give the same bits.
@Suite("Assembler against disassembler", .ends(withinMinutes: 5))
struct AssemblerTests {
  /// Compares encodings with what the assembler makes of their text.
  struct RoundTrip {
    private(set) var cases = 0
    private(set) var differences = 0

    mutating func check(
      _ text: String, unit: SlotUnit, slot: UInt64, long: UInt64, address: UInt64, row: InstructionRow? = nil
    ) {
      cases += 1
      do {
        let bits = try Assembler.encode(text, unit: unit, address: address)
        if bits.slot == slot, bits.long == long { return }
        // Bits that no operand has do not come back: the text is the same with either value.
        let meaning = Encodings.meaning(of: slot, long: long, unit: unit, row: row)
        if (bits.slot ^ slot) & meaning.slot == 0, (bits.long ^ long) & meaning.long == 0 { return }
        if Encodings.hasTwoEncodings(text) { return }
        note("\(text) [\(unit)]: \(String(bits.slot, radix: 16)) instead of \(String(slot, radix: 16))")
      } catch {
        note("\(text) [\(unit)]: \(error)")
      }
    }

    private mutating func note(_ text: String) {
      differences += 1
      if differences <= 20 { Issue.record("\(text)") }
    }

    func finish(_ context: String) {
      #expect(differences == 0, "\(differences) of \(cases) instructions differ; \(context)")
      #expect(cases > 0)
    }
  }

  /// Every name of the table, pseudo-ops too, in every unit.
  @Test("every row of the table")
  func rows() {
    var generator = SeededGenerator(seed: randomSeed)
    var trip = RoundTrip()
    let address: UInt64 = 0xa000_0000_0012_3450
    for row in InstructionTable.rows where row.role != .unprinted {
      for unit in row.format.type.units {
        for _ in 0..<(Guests.isComplete ? 64 : 4) {
          let slot = Encodings.random(row, using: &generator)
          let long = row.format.type == .x ? generator.next() & Bundle.slotMask : 0
          guard Encodings.isExpressible(row, slot) else { continue }
          let text = Encodings.predicate(row, slot) + row.text(of: slot, long: long, at: address)
          trip.check(text, unit: unit, slot: slot, long: long, address: address, row: row)
        }
      }
    }
    trip.finish("seed \(randomSeed)")
  }

  @Test("real programs", .needsGuests, arguments: ["linux-6.1/vmlinux.gz", "programs/busybox"])
  func program(_ name: String) throws {
    var generator = SeededGenerator(seed: randomSeed)
    var trip = RoundTrip()
    let disassembler = Disassembler()
    for segment in try Guests.code(name) {
      let count = segment.contents.count / 16
      for sample in 0..<(Guests.isComplete ? count : 20_000) {
        let number = Guests.isComplete ? sample : Int.random(in: 0..<count, using: &generator)
        let bundle = Bundle(segment.contents, at: segment.contents.startIndex + 16 * number)
        let address = segment.virtualAddress + 16 * UInt64(number)
        for index in 0..<3 {
          guard let unit = bundle.template.unit(index), unit != .x,
            let text = disassembler.text(of: index, in: bundle, at: address), !text.hasPrefix("data8")
          else { continue }
          let isLong = unit == .l
          trip.check(
            text, unit: unit, slot: bundle.slot(isLong ? 2 : index), long: isLong ? bundle.slot(1) : 0, address: address)
        }
      }
    }
    trip.finish("\(name), seed \(randomSeed)")
  }
}
