import IA64
import TestSupport
import Testing

/// What must hold of the table as a whole.
@Suite("Instruction table", .ends(withinMinutes: 5))
struct InstructionTableTests {
  private static let units: [SlotUnit] = [.m, .i, .f, .b, .x]

  /// Rows that decode in a unit.
  private func decoded(_ unit: SlotUnit) -> [InstructionRow] {
    InstructionTable.rows.filter { $0.role != .pseudo && $0.format.type.units.contains(unit) }
  }

  @Test("no two instructions of a unit share an encoding", arguments: units)
  func overlaps(_ unit: SlotUnit) {
    let rows = decoded(unit)
    for (index, row) in rows.enumerated() {
      #expect(row.value & ~row.mask == 0 && row.mask >> 41 == 0, "\(row.mnemonic)")
      for other in rows[(index + 1)...] where (row.value ^ other.value) & row.mask & other.mask == 0 {
        Issue.record("\(row.mnemonic) (\(row.format)) and \(other.mnemonic) (\(other.format)) overlap")
      }
    }
  }

  /// Major opcodes with instructions: Volume 3, table 4-3. The A formats are in both M and I.
  @Test(
    "every major opcode is assigned or reserved",
    arguments: zip(
      units,
      [
        [0, 1, 4, 5, 6, 7, 8, 9, 0xc, 0xd, 0xe], [0, 4, 5, 7, 8, 9, 0xc, 0xd, 0xe],
        [0, 1, 4, 5, 8, 9, 0xa, 0xb, 0xc, 0xd, 0xe], [0, 1, 2, 3, 4, 5, 6, 7], [0, 6, 0xc, 0xd],
      ] as [Set<UInt64>]))
  func majorOpcodes(_ unit: SlotUnit, _ assigned: Set<UInt64>) {
    #expect(Set(decoded(unit).map { $0.value >> 37 }) == assigned)
    var generator = SeededGenerator(seed: randomSeed)
    for major in UInt64(0)..<16 {
      for _ in 0..<4096 {
        let slot = major << 37 | generator.next() >> 27
        let instruction = Decoder.decode(slot: slot, unit: unit)
        let isReserved = instruction.operation == .reserved || instruction.operation == .reservedIfPredicated
        if instruction.row < 0 { #expect(isReserved, "\(unit) \(String(slot, radix: 16))") }
        if !assigned.contains(major) {
          #expect(instruction.row < 0 && isReserved, "\(unit) \(String(slot, radix: 16))")
        }
      }
    }
  }

  /// Searching the rows one by one is the definition that the tree must agree with.
  @Test("the decoder finds the first row that matches", arguments: units)
  func search(_ unit: SlotUnit) {
    var generator = SeededGenerator(seed: randomSeed)
    let candidates = InstructionTable.rows.enumerated().filter {
      $0.element.role != .pseudo && $0.element.format.type.units.contains(unit)
    }
    for number in 0..<4000 {
      // Half of the slots are close to an instruction: one bit of it is changed.
      var slot = generator.next() & Bundle.slotMask
      if number & 1 == 0, let row = candidates.randomElement(using: &generator)?.element {
        slot = Encodings.random(row, using: &generator) ^ 1 << UInt64.random(in: 0..<41, using: &generator)
      }
      let expected = candidates.first { $0.element.matches(slot) }?.offset ?? -1
      let instruction = Decoder.decode(slot: slot, unit: unit)
      #expect(instruction.row == expected, "\(unit) \(String(slot, radix: 16)), seed \(randomSeed)")
      if expected >= 0 { #expect(instruction.operation == InstructionTable.rows[expected].operation) }
    }
  }

  /// A pseudo-op is another name: its row says what the instruction's row says.
  @Test("pseudo-ops mean what the instruction means")
  func pseudoOps() {
    var generator = SeededGenerator(seed: randomSeed)
    for row in InstructionTable.rows where row.role == .pseudo {
      for unit in row.format.type.units {
        let slot = Encodings.random(row, using: &generator)
        let instruction = Decoder.decode(slot: slot, unit: unit)
        #expect(instruction.row >= 0, "\(row.mnemonic)")
        #expect(instruction.operation == row.operation, "\(row.mnemonic)")
        #expect(instruction.attributes == row.attributes, "\(row.mnemonic)")
      }
    }
  }

  @Test("templates", arguments: Array(Template.all))
  func templates(_ template: Template) {
    // Volume 1, table 3-10: units and stops by number; nil is reserved.
    let expected: [String?] = [
      "MII", "MII;", "MI;I", "MI;I;", "MLX", "MLX;", nil, nil, "MMI", "MMI;", "M;MI", "M;MI;", "MFI", "MFI;", "MMF", "MMF;",
      "MIB", "MIB;", "MBB", "MBB;", nil, nil, "BBB", "BBB;", "MMB", "MMB;", nil, nil, "MFB", "MFB;", nil, nil,
    ]
    var text = ""
    for slot in 0..<3 {
      guard let unit = template.unit(slot) else { break }
      text += "\(unit)".uppercased() + (template.hasStop(after: slot) ? ";" : "")
    }
    #expect(text == expected[Int(template.number)] ?? "")
    #expect(template.isReserved == (expected[Int(template.number)] == nil))
    #expect(template.isLong == text.hasPrefix("MLX"))
  }
}
